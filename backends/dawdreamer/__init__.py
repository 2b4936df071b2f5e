"""Instruments in DawDreamer: Faust programs, and VST2, VST3 and LV2 plugins."""

from __future__ import annotations

import importlib.metadata
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer

from tonesmith.errors import ConfigError, EngineError, unknown_name
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Backend, Options
from tonesmith.plan.promises import Promises
from tonesmith.score.controllers import PLAYABLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.backends.dawdreamer.compiler import Program
    from tonesmith.backends.dawdreamer.faust import FaustVoice
    from tonesmith.backends.dawdreamer.plugin import HostedPlugin
    from tonesmith.score.phrase import Phrase
    from tonesmith.space.patch import Note, Patch
    from tonesmith.space.space import ParameterSpace

VOICES = ("additive", "fm", "subtractive")
"""Names of the Faust programs that come with tonesmith."""
SOURCE = "faust_source"
"""The asset slot that a Faust program is in: a dataset keeps it, and needs no other file to render again."""
VOICE = "2"
"""Version of how a Faust program is played. 1 was DawDreamer's polyphony, which cut releases off."""
_COMPILE_SECONDS = 60.0


class DawDreamerOptions(Options):
    """Options of the DawDreamer backend."""

    instrument: str = Field(
        default="subtractive",
        min_length=1,
        description=f"{', '.join(VOICES[:-1])} or {VOICES[-1]}; path of a Faust .dsp file, of a VST2 (.so) or of "
        "a VST3; or URI of an LV2",
    )
    bpm: float = Field(default=120.0, ge=20.0, le=300.0, description="tempo that a plugin is told; Faust has none")
    compile_timeout: float = Field(
        default=_COMPILE_SECONDS, gt=0.0, le=90.0, description="seconds that a Faust program may take to compile"
    )
    pin: bool = Field(
        default=True,
        description="hold clocks, random devices and addresses of a plugin still, so that a row sounds the same in any "
        "process; Faust needs none of it",
    )


class _PlannedOptions(DawDreamerOptions):
    """The options as a plan keeps them."""

    @model_serializer(mode="wrap")
    def _as_older_plans(self, serialized: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what older plans do not have: the usual time limit, which shapes no sound, and no ``pin``."""
        told: dict[str, Any] = serialized(self)
        if told.get("compile_timeout") == _COMPILE_SECONDS:
            del told["compile_timeout"]
        if not told["pin"]:
            del told["pin"]
        return told

    @field_validator("instrument")
    @classmethod
    def _is_absolute(cls, place: str) -> str:
        """Return the path of a plugin as it is from anywhere: a plan that is stored must not depend on a folder."""
        from tonesmith.backends.dawdreamer.lv2 import is_uri

        return place if _is_program(place) or is_uri(place) else str(Path(place).expanduser().absolute())


class DawDreamerBackend(Backend[DawDreamerOptions]):
    """DawDreamer.

    A Faust program starts anew with each render and gives the same bits in every process, so one engine plays all
    notes. Of a plugin nothing is known beforehand: each note is played in a fork of the plugin as it was loaded.
    """

    name = "dawdreamer"
    summary = "Faust instruments, and VST2, VST3 and LV2 plugins (package dawdreamer)"
    Options = DawDreamerOptions
    plays = "scores"
    controls = PLAYABLE
    isolation = "snapshot"
    fallback = "fresh"
    determinism = "exact-in-run"
    fallback_determinism = "none"

    def __init__(self, options: DawDreamerOptions, sample_rate: int) -> None:
        super().__init__(options, sample_rate)
        self._check_thread()
        try:
            import dawdreamer  # noqa: F401 - the first import tells whether it is usable here
        except ImportError as error:
            raise EngineError(
                f"the dawdreamer package is not usable here ({error}). Install it: pip install dawdreamer"
            ) from error
        self._sources: dict[str, bytes] = {}
        self._compilations: dict[bytes, Program | ConfigError] = {}
        self._played: FaustVoice | HostedPlugin | None = None
        if not _is_faust(options):
            from tonesmith.backends.dawdreamer.plugin import HostedPlugin

            self._played = HostedPlugin(options.instrument, sample_rate, options.bpm)

    @classmethod
    def promises(cls, options: DawDreamerOptions) -> Promises:
        """Return that Faust is exact in one engine for all notes; of plugins, what holds of any."""
        return Promises("reuse", "reuse", "exact", "exact") if _is_faust(options) else super().promises(options)

    @classmethod
    def recorded(cls, options: DawDreamerOptions) -> DawDreamerOptions:
        """Return the options without what the instrument has no use for.

        A Faust program needs neither its folder, for the plan has taken its source over, nor a tempo. A plugin is not
        compiled.
        """
        if not _is_faust(options):
            return _PlannedOptions(instrument=options.instrument, bpm=options.bpm, pin=options.pin)
        name = Path(options.instrument).name
        return _PlannedOptions(instrument=name, compile_timeout=options.compile_timeout, pin=False)

    @classmethod
    def from_plan(cls, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the options with a ``pin`` of false where there is none: it is an older plan, or was not pinned."""
        return options if _is_program(str(options.get("instrument", ""))) else {"pin": False, **options}

    @classmethod
    def pinned(cls, options: DawDreamerOptions) -> bool:
        """Return the option ``pin`` for a plugin."""
        return options.pin and not _is_faust(options)

    @classmethod
    def binary(cls, options: DawDreamerOptions) -> Path | None:
        """Return the path of a plugin; of an LV2 its bundle, found by its URI. A Faust program has none."""
        from tonesmith.backends.dawdreamer.lv2 import bundle_of, is_uri

        if _is_faust(options):
            return None
        return bundle_of(options.instrument) if is_uri(options.instrument) else Path(options.instrument)

    @classmethod
    def loads(cls, options: DawDreamerOptions) -> tuple[str, ...]:
        """Return the path of a plugin, of an LV2 its bundle. A Faust program can call no foreign code."""
        binary = cls.binary(options)
        return () if binary is None else (str(binary),)

    def space(self) -> ParameterSpace:
        """Return every control of the program or the plugin but those of the note; of a program, no meters either.

        A plugin's parameters for MIDI controllers are left out. A program's controls with ``[midi:...]`` are fixed at
        their defaults.
        """
        from tonesmith.space.patch import sha256_hex
        from tonesmith.space.space import ParameterSpace

        if not _is_faust(self.options):
            return ParameterSpace(tuple(knob.parameter() for knob in self._plugin.knobs.values()))
        source = self.assets()[SOURCE]
        dials = tuple(self._compiled(source).dials.values())
        return ParameterSpace(
            tuple(dial.parameter for dial in dials),
            fixed={dial.parameter.name: dial.parameter.default for dial in dials if dial.performed},
            assets={SOURCE: sha256_hex(source)},
        )

    def versions(self) -> Mapping[str, str]:
        """Return the version of DawDreamer, which holds Faust and its libraries, and of the instrument.

        That is how Faust programs are played, or the SHA-256 of a plugin.
        """
        from tonesmith.host.binary import digest_of

        path = self.binary(self.options)
        played = {"plugin": f"sha256 {digest_of(path)}"} if path is not None else {"faust-voice": VOICE}
        return {"dawdreamer": importlib.metadata.version("dawdreamer"), **played}

    def assets(self) -> Mapping[str, bytes]:
        """Return the source of the Faust program. Raises :class:`ConfigError` if there is none to read."""
        return {SOURCE: _source_of(self.options.instrument)} if _is_faust(self.options) else {}

    def add_asset(self, name: str, content: bytes) -> None:
        """Keep a source for patches that name it."""
        self._sources[name] = content

    def drop_asset(self, name: str) -> None:
        """Forget a source."""
        self._sources.pop(name, None)

    def template_key(self, patch: Patch) -> str:
        """Return the SHA-256 of the patch's Faust program, which is compiled once for all its patches."""
        return patch.assets.get(SOURCE, "") if _is_faust(self.options) else ""

    def load_template(self, patch: Patch) -> None:
        """Compile the patch's Faust program."""
        self._check_thread()
        self._played = self._compiled(self._sources[patch.assets[SOURCE]])

    def prepare(self, patch: Patch) -> None:
        """Set every control. Each value is checked: DawDreamer takes any number, and a NaN."""
        self._check_thread()
        self._instrument.set(patch.values)

    def read(self) -> Mapping[str, float]:
        """Return the value of every control."""
        return self._instrument.read()

    def render(self, note: Note) -> NDArray[Any]:
        """Return float32 (channels, frames). DawDreamer takes notes that MIDI does not have."""
        if not (0 <= note.pitch <= 127 and 1 <= note.velocity <= 127):
            raise EngineError(f"pitch {note.pitch} or velocity {note.velocity} is not in MIDI's range")
        self._check_times(note)
        return self._instrument.play(note)

    def render_score(self, phrase: Phrase) -> NDArray[Any]:
        """Return float32 (channels, frames).

        A plugin gets the score as MIDI, each part in a channel of its own. A Faust program has a voice for each note,
        with its own effect, and takes the pitch wheel, the pedal and what its controls with ``[midi:...]`` name.
        """
        self._check_times(phrase)
        return self._instrument.play_score(phrase)

    def _check_times(self, played: Note | Phrase) -> None:
        self._check_thread()
        if not (0.0 < played.hold <= played.duration <= 600.0):
            raise EngineError(f"a note of {played.hold} s in a render of {played.duration} s cannot be played")

    @property
    def _instrument(self) -> FaustVoice | HostedPlugin:
        if self._played is None:
            raise EngineError("no instrument is loaded: the patch names no Faust source")
        return self._played

    @property
    def _plugin(self) -> HostedPlugin:
        from tonesmith.backends.dawdreamer.plugin import HostedPlugin

        assert isinstance(self._played, HostedPlugin)
        return self._played

    def _compiled(self, source: bytes) -> FaustVoice:
        """Return an instrument of a source. It is compiled once in a process, and so is one that cannot be."""
        from tonesmith.backends.dawdreamer.compiler import Program, compile_program
        from tonesmith.backends.dawdreamer.faust import FaustVoice

        if source not in self._compilations:
            try:
                program = compile_program(source.decode(errors="replace"), self.options.compile_timeout)
            except ConfigError as error:
                self._compilations[source] = error
            else:
                self._compilations[source] = program
        found = self._compilations[source]
        if not isinstance(found, Program):
            raise found
        return FaustVoice(found, self.sample_rate)

    @staticmethod
    def _check_thread() -> None:
        """Object to any thread but the main one: DawDreamer hangs, falls silent or dies in others."""
        if threading.current_thread() is not threading.main_thread():
            raise EngineError("DawDreamer can be used in the main thread only")


def _is_faust(options: DawDreamerOptions) -> bool:
    """Return whether an instrument is a Faust program: a ``.dsp`` file, or a word that is no path and no URI."""
    return _is_program(options.instrument)


def _is_program(place: str) -> bool:
    return place.endswith(".dsp") or not set("/\\:.") & set(place)


def _source_of(instrument: str) -> bytes:
    """Return the source of a shipped voice, or of a ``.dsp`` file with what it names beside itself."""
    from tonesmith.backends.dawdreamer.source import read_source

    if instrument.endswith(".dsp"):
        return read_source(Path(instrument)).encode()
    if instrument not in VOICES:
        known = unknown_name("voice", instrument, VOICES)
        raise ConfigError(f"{known} A file of your own ends in .dsp, .so or .vst3; an LV2 is named by its URI.")
    return (Path(__file__).with_name("voices") / f"{instrument}.dsp").read_bytes()


@hookimpl
def tonesmith_backends() -> Iterable[type[Backend[Any]]]:
    """Return the DawDreamer backend."""
    return [DawDreamerBackend]
