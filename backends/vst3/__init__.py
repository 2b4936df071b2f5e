"""Any VST3 instrument, by path, through pedalboard: headless, and Surge XT first."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tonesmith.backends.vst3.options import PlannedOptions, Vst3Options
from tonesmith.errors import ConfigError, EngineError, unknown_name
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Backend
from tonesmith.plan.promises import Promises
from tonesmith.score.controllers import PLAYABLE
from tonesmith.space.shape import SpaceShape

if TYPE_CHECKING:
    import numpy as np
    import typer
    from numpy.typing import NDArray

    from tonesmith.score.phrase import Phrase
    from tonesmith.space.patch import Note, Patch
    from tonesmith.space.preset import Preset
    from tonesmith.space.space import ParameterSpace

STATE = "state"
"""The asset slot of all that parameters do not hold: a ``.vstpreset``, or nothing for the plugin as it loads."""
_NOTHING = b""


class Vst3Backend(Backend[Vst3Options]):
    """A VST3 instrument in pedalboard.

    A patch is set in a way that its label is true of: the state is loaded and taken, every parameter is set by its
    index and beside its value first, the plugin runs until it has taken all, and each value is read back from the
    plugin, before the settling time and the note. Where it holds another value than it was told, it says so.
    """

    name = "vst3"
    summary = "Any VST3 instrument by path, Surge XT first (package pedalboard)"
    Options = Vst3Options
    isolation = "snapshot"
    fallback = "fresh"
    determinism = "exact-in-run"
    fallback_determinism = "exact-in-run"
    plays = "scores"
    controls = PLAYABLE
    preset_suffix: ClassVar[str] = ".vstpreset"
    preset_needs_engine: ClassVar[bool] = True
    preset_suffixes: ClassVar[tuple[str, ...]] = (".vstpreset", ".fxp")

    def __init__(self, options: Vst3Options, sample_rate: int) -> None:
        from tonesmith.backends.vst3.plugin import HostedPlugin
        from tonesmith.backends.vst3.reading import read_controls

        super().__init__(options, sample_rate)
        if not options.plugin:
            raise ConfigError(
                "no plugin is given. Use --backend.plugin '/path/to/Surge XT.vst3', or plugin = ... under [backend]"
            )
        self._path = Path(options.plugin)
        self._spec = options.read_spec()
        self._plugin = HostedPlugin(self._path, sample_rate)
        if self._spec is not None and self._spec.plugin.name not in {"", self._plugin.name}:
            wanted = self._spec.plugin.name
            raise ConfigError(f"the spec {options.spec!r} is for {wanted!r}, but {self._path} is {self._plugin.name!r}")
        known = read_controls(self._plugin, self._path, sample_rate, self._spec)
        self._controls = {control.name: control for control in known.controls if control.index not in known.left_out}
        facts = self._spec.parameters if self._spec is not None else {}
        self._untold = frozenset(name for name, said in facts.items() if said.untold)
        self._left_out = tuple(control.name for control in known.controls if control.index in known.left_out)
        self._initial = self._base = self._plugin.state()
        self._indices = tuple(control.index for control in self._controls.values())
        self._values = dict(zip(self._indices, self._plugin.host_values(self._indices), strict=True))
        self._loaded = sha256_of_nothing()
        self._touched = False
        self._contents: dict[str, bytes] = {}
        self._held: dict[str, float] = {}

    @classmethod
    def shape(cls, options: Vst3Options) -> SpaceShape:
        """Return what the spec varies; without one all there is."""
        spec = options.read_spec()
        return spec.shape(options.still) if spec is not None else SpaceShape()

    @classmethod
    def shapes(cls, options: Vst3Options) -> Mapping[str, SpaceShape]:
        """Return the shape of the spec, by the spec's name."""
        return {options.spec: cls.shape(options)} if options.spec else {}

    @classmethod
    def binary(cls, options: Vst3Options) -> Path | None:
        """Return the bundle."""
        return Path(options.plugin) if options.plugin else None

    @classmethod
    def promises(cls, options: Vst3Options) -> Promises:
        """Return what the spec promises of the plugin; of one that nobody measured, that a run repeats itself.

        A spec speaks of renders in which nothing that draws random numbers is left free.
        """
        spec = options.read_spec()
        said = spec.plugin.determinism if spec is not None else None
        if spec is not None and spec.plugin.still and not options.still and said == "exact":
            said = cls.determinism
        determinism = said or cls.determinism
        return Promises(cls.isolation, cls.fallback, determinism, determinism)

    @classmethod
    def recorded(cls, options: Vst3Options) -> Vst3Options:
        """Return all options."""
        return PlannedOptions(**options.model_dump())

    @classmethod
    def from_plan(cls, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the options with a ``pin`` of false where there is none: it is an older plan, or was not pinned."""
        return {"pin": False, **options}

    @classmethod
    def pinned(cls, options: Vst3Options) -> bool:
        """Return the option ``pin``."""
        return options.pin

    def space(self) -> ParameterSpace:
        """Return the parameters of the plugin, or those that the spec names."""
        from tonesmith.backends.vst3.spec import ParameterFacts, PluginFacts
        from tonesmith.space.space import ParameterSpace

        facts = self._spec.parameters if self._spec is not None else {}
        plugin = self._spec.plugin if self._spec is not None else PluginFacts()
        return ParameterSpace(
            parameters=tuple(
                control.parameter(self._values[control.index], facts.get(name, ParameterFacts()), plugin)
                for name, control in self._controls.items()
            ),
            assets={STATE: sha256_of_nothing()},
        )

    def remarks(self) -> Sequence[str]:
        """Return what is left out of the space, and whether a shipped spec is for this plugin."""
        from tonesmith.backends.vst3.spec import shipped_for
        from tonesmith.terminal.text import counted

        told = []
        if self._spec is None and (specs := shipped_for(self._plugin.name)):
            flags = " or ".join(f"--backend.spec {name}" for name in specs[::-1])
            told.append(f"a spec for {self._plugin.name} comes with tonesmith, but is not used here. Use it: {flags}")
        if self._left_out:
            more = f" and {len(self._left_out) - 3} more" if len(self._left_out) > 3 else ""
            told.append(
                f"{counted(len(self._left_out), 'parameter')} left out, which do not take a value, or do not tell it: "
                f"{', '.join(self._left_out[:3])}{more}"
            )
        return told

    def versions(self) -> Mapping[str, str]:
        """Return the versions of the plugin and of pedalboard, and the SHA-256 of the plugin's binary."""
        from tonesmith.backends.vst3.binary import binary_of, sha256_of
        from tonesmith.backends.vst3.plugin import HOSTING

        return {
            self._plugin.name: self._plugin.version or "unknown",
            "vst3 hosting": HOSTING,
            "plugin sha256": sha256_of(binary_of(self._path)),
            "pedalboard": importlib.metadata.version("pedalboard"),
        }

    def assets(self) -> Mapping[str, bytes]:
        """Return nothing for the state: the plugin as it loads."""
        return {STATE: _NOTHING}

    def add_asset(self, name: str, content: bytes) -> None:
        """Keep a state for patches that name it."""
        self._contents[name] = content

    def drop_asset(self, name: str) -> None:
        """Forget a state."""
        self._contents.pop(name, None)

    def template_key(self, patch: Patch) -> str:
        """Return the name of the state that the patch starts from; "" for that in which the plugin loads."""
        state = patch.assets.get(STATE, "")
        return "" if state == sha256_of_nothing() else state

    def load_template(self, patch: Patch) -> None:
        """Load the state that the patch starts from."""
        self._load_state(patch.assets.get(STATE, ""))

    def prepare(self, patch: Patch) -> None:
        """Set every parameter, and read what the plugin has of each.

        Lists come first, and by themselves: the type of an oscillator or effect decides what the values of its
        other parameters mean, and may set them.
        """
        from tonesmith.backends.vst3.controls import otherwise

        state = patch.assets.get(STATE, sha256_of_nothing())
        if state != self._loaded:
            self._load_state(state)
        elif self._touched:
            self._plugin.reload(self._base)
        self._touched = True
        raws = self._raws(patch)
        lists = {c.index: raws[c.index] for c in self._controls.values() if c.raws and c.index in raws}
        if lists:
            self._plugin.set(lists)
            self._plugin.apply()
        self._plugin.set(raws)
        self._plugin.apply()
        held = otherwise(tuple(self._controls.values()), raws, self._told())
        self._held = {name: value for name, value in held.items() if name not in self._untold}
        if self.options.settle:
            self._plugin.run(max(1, round(self.options.settle * self.sample_rate)))

    def held(self) -> Mapping[str, float]:
        """Return what the plugin holds otherwise than the patch has it."""
        return self._held

    def read(self) -> Mapping[str, float]:
        """Return each value as the plugin has it."""
        return {c.name: c.value(raw) for c, raw in zip(self._controls.values(), self._told().tolist(), strict=True)}

    def render(self, note: Note) -> NDArray[Any]:
        """Return float32 (2, frames)."""
        self._touched = True
        return self._plugin.play(note)

    def pieces(self, note: Note) -> Iterable[NDArray[Any]]:
        """Return float32 (2, frames) of each block."""
        self._touched = True
        return self._plugin.pieces(note)

    def render_score(self, phrase: Phrase) -> NDArray[Any]:
        """Return float32 (2, frames): the plugin gets the score as MIDI, each part in a channel of its own."""
        self._touched = True
        return self._plugin.play(phrase)

    def score_pieces(self, phrase: Phrase) -> Iterable[NDArray[Any]]:
        """Return float32 (2, frames) of each block."""
        self._touched = True
        return self._plugin.pieces(phrase)

    def load_preset(self, path: Path) -> Preset:
        """Return what is in a ``.vstpreset`` or ``.fxp`` file: the values that the plugin has once it is loaded.

        What is no parameter (wavetables, routings) is in the asset of the slot "state".
        """
        from tonesmith.backends.vst3.presetfile import read_bounded
        from tonesmith.backends.vst3.reading import component_of
        from tonesmith.backends.vst3.surge import SurgePatch, read_patch
        from tonesmith.space.patch import Patch, sha256_hex
        from tonesmith.space.preset import Preset

        file = read_bounded(path)
        component, content = self._opened(file)
        said = read_patch(component) if self._spec is not None and self._spec.plugin.state else SurgePatch({})
        before = component_of(self._plugin)
        self._plugin.load_preset(content)
        self._touched = True
        if component_of(self._plugin) == before != component:
            raise EngineError(f"{self._plugin.name} ignored it: nothing changed")
        values = self.read()
        return Preset(
            Patch(values, assets={STATE: sha256_hex(content)}, preset=sha256_hex(file)),
            {sha256_hex(content): content},
            name=said.name or path.stem,
            author=said.author,
            style=said.category,
            comments=said.comment,
            version=f"revision {said.revision}" if said.revision else "",
            licence=said.licence,
            random=self._random(values),
        )

    def _random(self, values: Mapping[str, float]) -> tuple[str, ...]:
        """Return which parameters let a patch draw random numbers."""
        from tonesmith.backends.vst3.controls import TOLERANCE

        still = self._spec.plugin.still if self._spec is not None and not self.options.still else {}
        wanted = {name: value for name, value in still.items() if name in values and not isinstance(value, str)}
        return tuple(name for name, value in wanted.items() if abs(values[name] - value) > TOLERANCE)

    def save_preset(self, name: str) -> bytes:
        """Return the state of the plugin as a ``.vstpreset`` file. It has no name but that of the file."""
        return self._plugin.preset()

    def _opened(self, file: bytes) -> tuple[bytes, bytes]:
        """Return the state of the component in a preset file, and a ``.vstpreset`` of it and nothing else."""
        from tonesmith.backends.vst3.presetfile import class_id, fxp_chunk, states, vstpreset

        own = class_id(self._plugin.preset())
        if file[:4] == b"CcnK":
            wanted = self._spec.plugin.fxp if self._spec is not None else ""
            if not wanted:
                raise EngineError(
                    "a .fxp file, but no spec says that this plugin reads them. Try --backend.spec surge_xt"
                )
            component, controller = fxp_chunk(file, wanted), b""
        else:
            component, controller = states(file)
            if (theirs := class_id(file)).upper() != own.upper():
                raise EngineError(f"a preset of another synth, for the class {theirs}, not {own}")
        return component, vstpreset(own, component, controller)

    def _load_state(self, name: str) -> None:
        if name == sha256_of_nothing():
            self._base = self._initial
            self._plugin.reload(self._base)
        elif name in self._contents:
            self._plugin.load_preset(self._contents[name])
            self._base = self._plugin.state()
        else:
            raise EngineError(f"the patch names the state {name[:8]}, which was not given")
        self._loaded, self._touched = name, False

    def _raws(self, patch: Patch) -> dict[int, float]:
        """Return index -> what the plugin is to be set to."""
        unknown = patch.values.keys() - self._controls.keys()
        if unknown:
            raise EngineError(unknown_name("parameter", min(unknown), self._controls))
        for name, value in patch.values.items():
            if not 0.0 <= value <= max(1.0, len(self._controls[name].raws) - 1.0):
                raise EngineError(f"{name} = {value} is outside its range")
        return {self._controls[name].index: self._controls[name].raw(value) for name, value in patch.values.items()}

    def _told(self) -> NDArray[np.float64]:
        from tonesmith.backends.vst3.reading import told_values

        return told_values(self._plugin, tuple(self._controls.values()), self._spec)


def sha256_of_nothing() -> str:
    """Return the name of the state of the plugin as it loads."""
    from tonesmith.space.patch import sha256_hex

    return sha256_hex(_NOTHING)


@hookimpl
def tonesmith_backends() -> Iterable[type[Backend[Any]]]:
    """Return the VST3 backend."""
    return [Vst3Backend]


@hookimpl
def tonesmith_commands(app: typer.Typer) -> None:
    """Add ``tonesmith vst3``."""
    from tonesmith.backends.vst3.commands import vst3_app

    app.add_typer(vst3_app(), name="vst3")
