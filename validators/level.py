"""Level: silence, overload, DC offset, and audio that is no audio."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pydantic import Field

from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Options, Validator
from tonesmith.plan.schema import Measure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.plan.render import Render, Verdict

FLOOR = -200.0
"""dBFS that stands for no level at all, whose logarithm is -inf. 24-bit audio ends at -144."""

_WINDOW = 0.1
_ABSURD = 1e6
"""Above this peak, squares of float32 may overflow, and the sums are made in double."""


class LevelOptions(Options):
    """Options of :class:`Level`."""

    silence: float = Field(
        default=-60.0, ge=FLOOR, le=0.0, description="Reject a render whose RMS level is below this, in dBFS."
    )
    peak_max: float = Field(
        default=6.0, ge=-60.0, le=200.0, description="Reject a render whose peak is above this, in dBFS."
    )
    dc_max: float = Field(
        default=0.3, ge=0.0, description="Reject a render whose DC offset is above this, relative to full scale 1.0."
    )


class Level(Validator[LevelOptions]):
    """Measures level, peak and DC offset, and rejects what no listener would call a sound.

    ``rms`` is that of the loudest 100 ms of any one channel, so that a short pluck before a long silence is
    no silence. Windows follow each other from the first frame; the last one ends at the last frame
    and overlaps. Audio shorter than 100 ms is one window. 0 dBFS is a constant 1.0: a sine of full scale
    has -3.01.

    Reasons, the first that holds: "wrong shape", "wrong dtype", "not finite", "silent", "peak", "dc".

    The default peak of +6 dBFS is just below +6.44, where Vital clamps (|x| = 2.1): what is above has met
    the clamp, or is about to. The default DC offset of 0.3 is
    above what synths leave honestly: Vital's phase distortions (bend, sync, formant) leave 0.1 to 0.25.
    """

    name = "level"
    summary = "rejects silence, overload, DC offset, NaN and audio of the wrong shape"
    Options = LevelOptions
    measures = (
        Measure("rms", "dBFS", f"RMS of the loudest 100 ms of any channel, at least {FLOOR:g}"),
        Measure("peak", "dBFS", f"largest absolute sample, at least {FLOOR:g}"),
        Measure("dc", "full scale", "largest absolute mean of any channel"),
    )

    def check(self, render: Render) -> Verdict:
        """Return the verdict, with NaN for what cannot be measured."""
        from tonesmith.plan.render import Verdict

        measured = dict.fromkeys(("rms", "peak", "dc"), math.nan)
        audio = render.audio
        if audio.shape != (render.channels, render.frames):
            return Verdict(measured, "wrong shape")
        if audio.dtype != "float32":
            return Verdict(measured, "wrong dtype")
        peak = _peak(audio)
        if not math.isfinite(peak):
            return Verdict(measured, "not finite")
        if peak > _ABSURD:
            audio = audio.astype("float64")
        rms = _loudest_rms(audio, max(1, round(_WINDOW * render.sample_rate)))
        measured = {"rms": _decibels(rms), "peak": _decibels(peak), "dc": _offset(audio)}
        return Verdict(measured, self._reason(**measured))

    def _reason(self, rms: float, peak: float, dc: float) -> str:
        if rms < self.options.silence:
            return "silent"
        if peak > self.options.peak_max:
            return "peak"
        return "dc" if dc > self.options.dc_max else ""


def _decibels(amplitude: float) -> float:
    return max(20.0 * math.log10(amplitude), FLOOR) if amplitude > 0.0 else FLOOR


def _peak(audio: NDArray[Any]) -> float:
    """Return the largest absolute sample, in two passes with no copy; NaN and infinity come through."""
    return max(abs(float(audio.min())), abs(float(audio.max()))) if audio.size else 0.0


def _offset(audio: NDArray[Any]) -> float:
    return float(abs(audio.mean(axis=1)).max()) if audio.size else 0.0


def _loudest_rms(audio: NDArray[Any], window: int) -> float:
    if not audio.size:
        return 0.0
    channels, frames = audio.shape
    window = min(window, frames)
    whole = frames // window * window
    loudest = _mean_square(audio[:, :whole].reshape(channels, -1, window))
    if whole < frames:
        loudest = max(loudest, _mean_square(audio[:, None, frames - window :]))
    return math.sqrt(loudest)


def _mean_square(windows: NDArray[Any]) -> float:
    """Return the largest mean square of (channels, windows, frames). By einsum, as BLAS may start threads."""
    import numpy as np

    energies = np.einsum("cwf,cwf->cw", windows, windows)
    return float(energies.max()) / int(windows.shape[2])


@hookimpl
def tonesmith_validators() -> Iterable[type[Validator[Any]]]:
    """Return the validator of this module."""
    return [Level]
