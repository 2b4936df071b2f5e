"""How loud rows are played: below full scale, and two of them alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SILENT = -70.0
"""LKFS: the absolute gate of ITU-R BS.1770-4. What is quieter is not made as loud as anything."""


@dataclass(frozen=True, slots=True)
class Loudness:
    """How loud a sound is.

    Attributes:
        level: in LKFS, of the whole sound.
        peak: highest sample, of full scale.
    """

    level: float
    peak: float

    @property
    def gain(self) -> float:
        """By which it is played: 1, or less where its peak is above full scale."""
        return 1.0 / max(1.0, self.peak)


def loudness_of(audio: NDArray[np.float32], sample_rate: int) -> Loudness:
    """Return how loud a sound is: float32 (channels, frames) at a sample rate in Hz."""
    from tonesmith.analysis.metrics import sound_of

    samples = np.nan_to_num(audio)
    return Loudness(sound_of(samples, sample_rate).level, float(np.abs(samples).max(initial=0.0)))


def matched(a: Loudness, b: Loudness) -> tuple[float, float]:
    """Return gains by which two sounds are equally loud, and none has a peak above full scale.

    The louder one is turned down. Beside a silent sound there is nothing to match, and each has its own gain.
    """
    if min(a.level, b.level) < SILENT:
        return a.gain, b.gain
    target = min(a.level, b.level)
    gains = [10.0 ** ((target - one.level) / 20.0) for one in (a, b)]
    peak = max(gain * one.peak for gain, one in zip(gains, (a, b), strict=True))
    scale = 1.0 / max(1.0, peak)
    return gains[0] * scale, gains[1] * scale


def decibels(gain: float) -> float:
    """Return a gain in dB."""
    return 20.0 * float(np.log10(max(gain, 1e-10)))
