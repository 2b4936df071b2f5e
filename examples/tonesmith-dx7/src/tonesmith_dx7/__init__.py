"""The Yamaha DX7, through Dexed (package ``dexed-py``): six operators, 32 algorithms, banks of 32 voices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from tonesmith import Backend, Options, SpaceShape, hookimpl
from tonesmith.errors import EngineError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith import Note, ParameterSpace, Patch, Preset

PLAYABLE = SpaceShape(
    exclude=("osc_sync",),
    ranges={
        "op?_level": (40, 99),
        "op?_*_depth": (0, 49),
        "pitch_eg_level_*": (40, 60),
        "transpose": (-12, 12),
    },
    weights={"op?_mode": {"ratio": 0.9, "fixed": 0.1}},
)
"""Of 1,000 patches 55 are silent by the validator ``level``; of all that a DX7 can be set to, 221 (notes of 1 s)."""


class DX7Options(Options):
    """Options of the DX7."""

    gain: float = Field(-6.0, ge=-60.0, le=24.0, description="added to every note, in dB; factory voices peak at +12")


class DX7(Backend[DX7Options]):
    """A DX7 that plays one note at a time, in mono.

    Dexed makes a new voice for each note, so one object may play them all.
    """

    name = "dx7"
    summary = "Yamaha DX7: 145 whole-numbered parameters, banks of voices (package dexed-py)"
    Options = DX7Options
    isolation = fallback = "reuse"
    determinism = fallback_determinism = "exact"
    preset_suffix = ".syx"
    preset_suffixes = (".syx",)

    def __init__(self, options: DX7Options, sample_rate: int) -> None:
        super().__init__(options, sample_rate)
        try:
            import dexed
        except ImportError as error:
            raise EngineError(f"dexed-py is not usable here ({error}). Install it: pip install dexed-py") from error
        self._dexed: Any = dexed
        self._synth = self._dexed.DexedSynth(sample_rate)

    @classmethod
    def shape(cls, options: DX7Options) -> SpaceShape:
        """Return what varies by default: what keeps most patches audible."""
        return PLAYABLE

    @classmethod
    def shapes(cls, options: DX7Options) -> Mapping[str, SpaceShape]:
        """Return the shapes that ``[space] shape`` may name."""
        return {"playable": PLAYABLE, "full": SpaceShape()}

    def space(self) -> ParameterSpace:
        """Return the 145 parameters of a voice."""
        from tonesmith import ParameterSpace
        from tonesmith_dx7.voice import PARAMETERS

        return ParameterSpace(PARAMETERS)

    def versions(self) -> Mapping[str, str]:
        """Return the version of dexed-py, which holds the engine."""
        return {"dexed-py": version("dexed-py")}

    def prepare(self, patch: Patch) -> None:
        """Load the voice of a patch."""
        from tonesmith_dx7.voice import data_of

        self._synth.load_patch(self._dexed.Patch.from_sysex(data_of(patch.values)))

    def render(self, note: Note) -> NDArray[Any]:
        """Return float32 (1, frames)."""
        audio = self._synth.render(note.pitch, note.velocity, note.hold, note.duration)
        gained: NDArray[Any] = audio[None] * audio.dtype.type(10.0 ** (self.options.gain / 20.0))
        return gained

    def load_presets(self, path: Path) -> Sequence[Preset]:
        """Return the voices of a ``.syx`` file: 32 of a bank, or one."""
        from tonesmith import Patch, Preset
        from tonesmith_dx7.bank import read_voices

        return [
            Preset(Patch(voice.values, preset=voice.sha256), name=voice.name, version="DX7", remarks=voice.remarks)
            for voice in read_voices(path.read_bytes())
        ]

    @classmethod
    def preset(cls, patch: Patch, assets: Mapping[str, bytes], name: str) -> bytes:
        """Return a ``.syx`` file of one voice, as a DX7 receives it."""
        from tonesmith_dx7.bank import message_of
        from tonesmith_dx7.voice import data_of

        return message_of(data_of(patch.values, name))


@hookimpl
def tonesmith_backends() -> Iterable[type[Backend[Any]]]:
    """Return the DX7."""
    return [DX7]
