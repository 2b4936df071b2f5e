"""A synth that misbehaves on command, to see how a sampler, a sink or a run takes it.

Register it in a project, and fix its parameter ``fault``, or let some patches have it::

    project({}, plugins=["tonesmith.testing.chaos"]).run(
        "generate", "-n", 8, "--backend", "chaos", "--backend.faults", "none,crash,nan", "out.zarr"
    )
"""

from __future__ import annotations

import os
import platform
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator

from tonesmith.errors import EngineError, unknown_name
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Backend, Options
from tonesmith.score.controllers import BEND, MODWHEEL, PLAYABLE, SUSTAIN
from tonesmith.space.shape import SpaceShape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.score.phrase import Phrase
    from tonesmith.space.patch import Note, Patch
    from tonesmith.space.space import ParameterSpace

FAULTS: Mapping[str, str] = {
    "none": "a sine",
    "crash": "the process dies of a segmentation fault",
    "exit": "the process ends with status 3",
    "hang": "the note never ends",
    "leak": "a sine, and 8 MiB that stay with the process",
    "silent": "zeros",
    "nan": "a sine in which one sample is not a number",
    "shape": "seven frames too many",
    "error": "EngineError",
    "raise": "an exception that no plugin should raise",
    "abort": "the process aborts",
    "overflow": "the stack overflows",
    "memory": "memory that grows to 4 GiB, and then the note never ends",
}
"""What the parameter ``fault`` may be, and what then becomes of the note."""

_STEP = 8 << 20
_LEAKED: list[bytearray] = []


class ChaosOptions(Options):
    """Options of :class:`Chaos`."""

    faults: tuple[str, ...] = Field(("none",), description=f"that patches have, evenly: {', '.join(FAULTS)}")

    @field_validator("faults")
    @classmethod
    def _known(cls, faults: tuple[str, ...]) -> tuple[str, ...]:
        for fault in faults:
            if fault not in FAULTS:
                raise ValueError(unknown_name("fault", fault, FAULTS))
        return faults


class Chaos(Backend[ChaosOptions]):
    """A sine of two channels, and a tail that only isolation keeps from the next note."""

    name = "chaos"
    summary = "a sine that crashes, hangs, leaks, falls silent or returns what is no audio"
    Options = ChaosOptions
    controls = frozenset({BEND, MODWHEEL, SUSTAIN})

    def __init__(self, options: ChaosOptions, sample_rate: int) -> None:
        super().__init__(options, sample_rate)
        self._tail = 0.0

    @classmethod
    def shape(cls, options: ChaosOptions) -> SpaceShape:
        """Return what varies by default: the faults that the options name, evenly."""
        return SpaceShape(weights={"fault": dict.fromkeys(options.faults, 1.0)})

    def space(self) -> ParameterSpace:
        """Return a frequency, a level and the fault."""
        from tonesmith.space.parameter import Parameter
        from tonesmith.space.space import ParameterSpace

        return ParameterSpace(
            (
                Parameter("freq", "continuous", 20.0, 2000.0, 440.0, unit="Hz"),
                Parameter("level", "continuous", 0.05, 1.0, 0.5),
                Parameter("fault", "categorical", 0, len(FAULTS) - 1, 0, choices=tuple(FAULTS)),
            )
        )

    def versions(self) -> Mapping[str, str]:
        """Return a version."""
        return {"chaos": "1"}

    def prepare(self, patch: Patch) -> None:
        """Keep the patch."""
        self._patch = patch

    def render(self, note: Note) -> NDArray[Any]:
        """Return float32 (2, frames) unless the fault has it otherwise."""
        import numpy as np

        frames = round(note.duration * self.sample_rate)
        fault = tuple(FAULTS)[round(self._patch.values["fault"])]
        _misbehave(fault)
        seconds = np.arange(frames + 7 * (fault == "shape")) / self.sample_rate
        audio: NDArray[Any] = self._sine(note, seconds)
        self._tail += 0.01
        if fault == "nan":
            audio[0, -1] = np.nan
        return audio * np.float32(fault != "silent")

    def _sine(self, note: Note, seconds: NDArray[Any]) -> NDArray[Any]:
        """Return float32 (2, frames): bent by 2 semitones at most, and half as loud with the modulation wheel up."""
        import numpy as np

        values = self._patch.values
        hertz = values["freq"] * 2.0 ** ((note.pitch - 69 + 2.0 * note.bend) / 12)
        level = values["level"] * note.velocity / 127 * (1.0 - note.modwheel / 2)
        wave = level * np.sin(2.0 * np.pi * hertz * seconds)
        return np.stack([wave, wave + self._tail]).astype(np.float32)


class ChaosScores(Chaos):
    """The same synth, which plays scores itself. A score without notes has no fault."""

    name = "chaos-scores"
    summary = "the sine that misbehaves, of a synth that plays scores itself"
    plays = "scores"
    controls = PLAYABLE

    def render_score(self, phrase: Phrase) -> NDArray[Any]:
        """Return float32 (2, frames), unless the fault has it otherwise: the sum of the notes."""
        import numpy as np

        from tonesmith.score.single_notes import single_notes

        audio = np.zeros((2, round(phrase.duration * self.sample_rate)), np.float32)
        for place in single_notes(phrase, self.sample_rate, moving=True):
            heard = self.render(place.note)
            if heard.shape[1] > audio.shape[1] - place.frame:
                return heard
            audio[:, place.frame :] += heard
        return audio


def grow(most: int = 4 << 30) -> None:
    """Take memory and use it, some GiB a second, and never return: up to a bound, for a test that is not guarded."""
    while True:
        if len(_LEAKED) * _STEP < most:
            _LEAKED.append(bytearray(b"\1" * _STEP))
        time.sleep(0.004)


def overflow_stack() -> None:
    """Call a function that calls itself, as machine code: Python would raise of its own. Elsewhere, do what it does."""
    import ctypes
    import mmap

    if platform.machine() not in {"x86_64", "AMD64"} or sys.platform == "win32":
        os.kill(os.getpid(), signal.SIGSEGV)
    code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\xe8\xfb\xff\xff\xff")  # call -5
    ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()


def _misbehave(fault: str) -> None:
    match fault:
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            os._exit(3)
        case "hang":
            while True:
                time.sleep(3600.0)
        case "leak":
            _LEAKED.append(bytearray(b"\1" * _STEP))
        case "abort":
            os.abort()
        case "overflow":
            overflow_stack()
        case "memory":
            grow()
        case "error":
            raise EngineError("the chaos synth was told to fail")
        case "raise":
            raise ZeroDivisionError("the chaos synth was told to raise")


@hookimpl
def tonesmith_backends() -> Iterable[type[Backend[Any]]]:
    """Return the synth, of either kind."""
    return [Chaos, ChaosScores]
