"""Vital, through the ``vita`` package (DBraun/Vita): the synth itself, headless, with all its controls."""

from __future__ import annotations

import importlib.metadata
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, field_validator

from tonesmith.backends.vita.gates import INTERCHANGEABLE
from tonesmith.backends.vita.shapes import OVERSAMPLING, SHAPES, tempo_control
from tonesmith.errors import EngineError
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Backend, Options
from tonesmith.score.controllers import MODWHEEL, SUSTAIN
from tonesmith.space.shape import SpaceShape

if TYPE_CHECKING:
    import typer
    from numpy.typing import NDArray

    from tonesmith.space.patch import Note, Patch
    from tonesmith.space.preset import Preset
    from tonesmith.space.space import ParameterSpace

_ENGINE_SAMPLE_RATE = 44100
_ENGINE_TEMPO = 120.0


class VitaOptions(Options):
    """Options of the Vital backend."""

    tier: Literal[1, 2, 3] | None = Field(
        default=None,
        description="What varies. 1: oscillators 1 and 2, filter 1, envelope 1 and volume. 2: everything that shapes "
        "the sound. 3: as 2, with modulations. Unset: 1, or 3 with presets.",
    )
    bpm: float = Field(
        default=_ENGINE_TEMPO, ge=20.0, le=300.0, description="Tempo of synced LFOs, delays and effects."
    )
    wavetables: str = Field(
        default="", description="Folder of a wavetable catalog to choose from, relative to the current folder."
    )

    @field_validator("wavetables")
    @classmethod
    def _names_a_catalog(cls, folder: str) -> str:
        """Object to a folder that is no catalog where the setting is, before an engine is loaded."""
        if folder:
            from tonesmith.backends.vita.wavetables import Catalog

            Catalog.open(Path(folder)).check_usable()
        return folder


class VitaBackend(Backend[VitaOptions]):
    """Vital.

    The reference that anyone can check: in a new Python process, ``import vita; s = vita.Synth()``, then
    ``s.set_sample_rate`` and ``s.set_bpm`` where they differ from 44,100 and 120, ``s.load_json`` of the
    exported preset, and ``s.render(pitch, velocity / 127, hold, hold + tail)`` give the row's samples, bit for
    bit. Vital seeds its random generators from a count of those made before in the process: so one Synth is
    built, nothing else is asked of the library, and each note is played in a fork of that state.
    """

    name = "vita"
    summary = "Vital: 448 controls, wavetables and modulations (package vita)"
    Options = VitaOptions
    controls = frozenset({MODWHEEL, SUSTAIN})
    isolation = "snapshot"
    fallback = "fresh"
    determinism = "exact"
    fallback_determinism = "exact-in-run"
    preset_suffix: ClassVar[str] = ".vital"
    preset_suffixes: ClassVar[tuple[str, ...]] = (".vital", ".vitalbank")
    preset_banks: ClassVar[tuple[str, ...]] = (".vitalbank",)
    interchangeable = INTERCHANGEABLE

    def __init__(self, options: VitaOptions, sample_rate: int) -> None:
        super().__init__(options, sample_rate)
        try:
            import vita
        except ImportError as error:
            raise EngineError(
                f"the vita package cannot be used here ({error}). Install it: pip install vita"
            ) from error
        self._vita: Any = vita
        self._synth = self._vita.Synth()
        if sample_rate != _ENGINE_SAMPLE_RATE:
            self._synth.set_sample_rate(sample_rate)
        if options.bpm != _ENGINE_TEMPO:
            self._synth.set_bpm(options.bpm)
        self._contents: dict[str, bytes] = {}
        self._controls: Mapping[str, Any] = {}

    @classmethod
    def shape(cls, options: VitaOptions) -> SpaceShape:
        """Return the shape of the tier."""
        return cls.shapes(options)[f"tier {options.tier or 1}"]

    @classmethod
    def preset_shape(cls, options: VitaOptions) -> SpaceShape:
        """Return the shape of the tier; where none is chosen, all that shapes the sound varies."""
        return cls.shapes(options)[f"tier {options.tier or 3}"]

    @classmethod
    def shapes(cls, options: VitaOptions) -> Mapping[str, SpaceShape]:
        """Return the shapes of the three tiers and the named ones, with the tempo fixed at the plan's."""
        tempo = SpaceShape(fix={"beats_per_minute": tempo_control(options.bpm)})
        return {name: tempo.over(shape) for name, shape in SHAPES.items()}

    @classmethod
    def recorded(cls, options: VitaOptions) -> VitaOptions:
        """Return the options without the catalog's folder: the plan's space has what could be chosen from it."""
        return options.model_copy(update={"wavetables": ""})

    @classmethod
    def stock(cls, options: VitaOptions) -> Mapping[str, bytes]:
        """Return the wavetables of the catalog. Raises :class:`ConfigError` if one of them is damaged."""
        if not options.wavetables:
            return {}
        from tonesmith.backends.vita.wavetables import Catalog

        return Catalog.open(Path(options.wavetables)).contents()

    def space(self) -> ParameterSpace:
        """Return the 448 controls that shape sound: all but modulation slots and view settings.

        With a catalog, ``osc_N_wavetable`` comes after them.
        """
        from tonesmith.backends.vita.controls import read_space

        space = read_space(self._vita, self._synth, self.assets())
        if not self.options.wavetables:
            return space
        from tonesmith.backends.vita.wavetables import Catalog, choosers

        choosing = choosers(Catalog.open(Path(self.options.wavetables)), space.assets)
        return replace(space, parameters=(*space.parameters, *choosing))

    def versions(self) -> Mapping[str, str]:
        """Return the version of the vita package, which holds the engine."""
        return {"vita": importlib.metadata.version("vita")}

    def assets(self) -> Mapping[str, bytes]:
        """Return the init preset's wavetables, LFO shapes and noise sample, in the form that loads as itself.

        The first ``to_json`` rounds the sample to 16 bits; one more load and save gives its fixed point.
        """
        from tonesmith.backends.vita.preset import assets_of, parse

        text = self._synth.to_json()
        for _ in range(2):
            self._load(text)
            text = self._synth.to_json()
        return assets_of(parse(text))

    def add_asset(self, name: str, content: bytes) -> None:
        """Keep a content for patches that name it."""
        self._contents[name] = content

    def drop_asset(self, name: str) -> None:
        """Forget a content."""
        self._contents.pop(name, None)

    def template_key(self, patch: Patch) -> str:
        """Return what only ``load_json`` can change: assets, routing, and oversampling, which ``set`` ignores."""
        routing = [f"{m.source}>{m.destination}" for m in patch.modulations]
        held = [f"{slot}={content}" for slot, content in sorted(patch.assets.items())]
        return "|".join([f"{patch.values[OVERSAMPLING]:g}", *held, *routing])

    def load_template(self, patch: Patch) -> None:
        """Load the patch's assets and routing, with every control at its default."""
        from tonesmith.backends.vita.preset import harmless, routing_of, template_json

        text = template_json(patch, self._contents)
        harmless(text)  # the assets of a dataset may be a stranger's
        self._load(text)
        wanted = [(m.source, m.destination) for m in patch.modulations]
        if wanted and (taken := routing_of(self._synth.to_json())) != wanted:
            lost = sorted(set(wanted) - set(taken))
            raise EngineError(f"Vital did not accept these modulations: {lost or wanted}")
        self._controls = self._synth.get_controls()

    def prepare(self, patch: Patch) -> None:
        """Set every control, and the settings of each modulation.

        Each value goes in as a Python float: a NumPy float32 would be taken for an integer and cut. A NaN
        would silence the synth for ever. What a control holds already is not set: to write is to copy a page of the
        template, and most controls of a patch are as the template has them.
        """
        from tonesmith.backends.vita.preset import controls_of

        self._prepared = patch
        for name, value in controls_of(patch).items():
            if not math.isfinite(value):
                raise EngineError(f"{name} = {value} is not finite")
            if name not in self._controls:
                raise EngineError(f"Vital has no control {name!r}")
            control = self._controls[name]
            if control.value() != value:
                control.set(float(value))

    def read(self) -> Mapping[str, float]:
        """Return the value of every control."""
        return {name: control.value() for name, control in self._synth.get_controls().items()}

    def render(self, note: Note) -> NDArray[Any]:
        """Return float32 (2, frames). Vital itself checks none of its arguments, and crashes on some."""
        if not (0 <= note.pitch <= 127 and 1 <= note.velocity <= 127):
            raise EngineError(f"pitch {note.pitch} or velocity {note.velocity} is outside the range of MIDI")
        if not (0.0 < note.hold <= note.duration <= 600.0):
            raise EngineError(f"a note of {note.hold} s in a render of {note.duration} s cannot be played")
        if note.modwheel:
            self._move_wheel(note.modwheel)
        held = note.duration if note.sustain else note.hold
        audio: NDArray[Any] = self._synth.render(
            int(note.pitch), note.velocity / 127, float(held), float(note.duration)
        )
        return audio

    def _move_wheel(self, share: float) -> None:
        """Move the modulation wheel. Vital takes it from a preset only, so the patch is loaded once more with it."""
        from tonesmith.backends.vita.preset import preset_json

        patch = replace(self._prepared, values={**self._prepared.values, "mod_wheel": share})
        self._load(preset_json(patch, self._contents, ""))

    def load_preset(self, path: Path) -> Preset:
        """Return what is in a ``.vital`` file, as Vital itself reads and upgrades it."""
        from tonesmith.backends.vita.preset import read_bounded

        return self._preset(read_bounded(path), path.stem)

    def members(self, path: Path) -> Sequence[str]:
        """Return the names of the ``.vital`` files in a ``.vitalbank``."""
        from tonesmith.backends.vita.bank import members

        return members(path)

    def load_member(self, path: Path, name: str) -> Preset:
        """Return what is in a ``.vital`` file of a bank."""
        from tonesmith.backends.vita.bank import member, stem

        return self._preset(member(path, name), stem(name))

    @classmethod
    def preset(cls, patch: Patch, assets: Mapping[str, bytes], name: str) -> bytes:
        """Return a ``.vital`` file."""
        from tonesmith.backends.vita.preset import preset_json

        return preset_json(patch, assets, name).encode()

    def _preset(self, content: bytes, stem: str) -> Preset:
        from tonesmith.backends.vita.preset import parse, preset_of, read_text
        from tonesmith.space.patch import sha256_hex

        text = said = read_text(content)
        for _ in range(2):
            self._load(text)
            text = self._synth.to_json()
        controls = self._synth.get_controls()
        names = {n: (d.min, d.max, d.is_discrete) for n in controls for d in (self._synth.get_control_details(n),)}
        return preset_of(parse(text), parse(said), names, sha256_hex(content), stem)

    def _load(self, text: str) -> None:
        if not self._synth.load_json(text):
            raise EngineError("Vital refused the preset: damaged, incomplete, or saved by a newer version")


@hookimpl
def tonesmith_backends() -> Iterable[type[Backend[Any]]]:
    """Return the Vital backend."""
    return [VitaBackend]


@hookimpl
def tonesmith_commands(app: typer.Typer) -> None:
    """Add ``tonesmith vita``."""
    from tonesmith.backends.vita.commands import vita_app

    app.add_typer(vita_app(), name="vita")
