"""Loudness as people hear it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, model_validator

from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Options, Validator
from tonesmith.plan.schema import Measure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.plan.render import Render, Verdict


class LoudnessOptions(Options):
    """Options of :class:`Loudness`."""

    minimum: float | None = Field(
        default=None, ge=-70.0, le=30.0, description="Reject a render quieter than this, in LUFS."
    )
    maximum: float | None = Field(
        default=None, ge=-70.0, le=30.0, description="Reject a render louder than this, in LUFS."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.minimum is not None and self.maximum is not None and self.minimum >= self.maximum:
            raise ValueError(f"minimum = {self.minimum:g} must be below maximum = {self.maximum:g}")
        return self


class Loudness(Validator[LoudnessOptions]):
    """Measures integrated loudness, and on request rejects what is too quiet or too loud.

    Source: ITU-R BS.1770-4, by the library ``loudness`` (libloudness), which keeps a histogram of 0.1 LU and
    so is exact to 0.05 LU. It is NaN where the standard has no answer: audio shorter than 400 ms, or
    of which no block is above the gate of -70 LUFS; and for audio that is not finite or of which the
    library knows no channel layout.

    Reasons: "too quiet" (also for audio that is all below the gate), "too loud". What has no loudness for
    another cause is accepted: the validator ``level`` sees to it.
    """

    name = "loudness"
    summary = "measures integrated loudness (ITU-R BS.1770-4), and can reject by it"
    Options = LoudnessOptions
    measures = (Measure("loudness", "LUFS", "integrated loudness (ITU-R BS.1770-4), NaN if it has none"),)

    def check(self, render: Render) -> Verdict:
        """Return the verdict, with the loudness to 0.05 LU."""
        from tonesmith.plan.render import Verdict

        loudness = _integrated(render.audio, render.sample_rate)
        measured = {"loudness": loudness if math.isfinite(loudness) else math.nan}
        return Verdict(measured, self._reason(loudness))

    def _reason(self, loudness: float) -> str:
        if self.options.minimum is not None and loudness < self.options.minimum:
            return "too quiet"
        if self.options.maximum is not None and loudness > self.options.maximum:
            return "too loud"
        return ""


def _integrated(audio: NDArray[Any], sample_rate: int) -> float:
    """Return LUFS, -inf if every block is below the gate, NaN if there is nothing to measure."""
    if audio.ndim != 2 or not audio.size or not math.isfinite(float(audio.max()) - float(audio.min())):
        return math.nan
    from loudness import integrated_loudness

    try:
        return float(integrated_loudness(_interleaved(audio), sample_rate))
    except ValueError:  # too short, too many channels, or a sample rate out of range
        return math.nan


def _interleaved(audio: NDArray[Any]) -> NDArray[Any]:
    """Return float32 (frames, channels). Channel by channel: a fifth of the time of copying the transpose."""
    import numpy as np

    frames = np.empty(audio.shape[::-1], np.float32)
    for channel, samples in enumerate(audio):
        frames[:, channel] = samples
    return frames


@hookimpl
def tonesmith_validators() -> Iterable[type[Validator[Any]]]:
    """Return the validator of this module."""
    return [Loudness]
