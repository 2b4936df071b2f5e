"""The envelope of a sound, and the times at which it rises and falls."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

LOW, HIGH = 0.1, 0.9
"""Shares of the peak between which a sound rises, as in Peeters 2004."""


class Envelope(NamedTuple):
    """Root mean square of a sound over time.

    Attributes:
        level: float64 (points,), full scale 1.0.
        step: seconds between two points.
    """

    level: NDArray[np.float64]
    step: float


def envelope_of(audio: NDArray[Any], sample_rate: int, window: float, step: float) -> Envelope:
    """Return the RMS of all channels in windows around points in time, the first at 0 s.

    What lies before and after the sound counts as silence.

    Args:
        audio: float (channels, frames).
        sample_rate: Hz.
        window: length of a window in seconds.
        step: seconds between two points; made a whole number of samples.
    """
    width, hop = max(round(window * sample_rate), 1), max(round(step * sample_rate), 1)
    power = np.square(audio, dtype=np.float64).mean(axis=0)
    summed = np.concatenate([[0.0], np.cumsum(power)])
    centres = np.arange(0, audio.shape[1], hop)
    ends = np.clip([centres - width // 2, centres - width // 2 + width], 0, audio.shape[1])
    level = np.sqrt(np.maximum(summed[ends[1]] - summed[ends[0]], 0.0) / width)
    return Envelope(level, hop / sample_rate)


def onset_and_attack(envelope: Envelope) -> tuple[float, float]:
    """Return when the envelope first reaches a tenth of its peak, and how long it takes from there to nine tenths.

    Both in seconds; NaN of a silent sound. Source: Peeters 2004, "A large set of audio features for sound description",
    whose thresholds these are.
    """
    peak = float(envelope.level.max(initial=0.0))
    if peak <= 0.0:
        return math.nan, math.nan
    low, high = (int(np.argmax(envelope.level >= share * peak)) for share in (LOW, HIGH))
    return low * envelope.step, (high - low) * envelope.step


def release(envelope: Envelope, note_off: float | None) -> float:
    """Return for how long after its note ends a sound stays above a tenth of what it was then, in seconds.

    Args:
        envelope: of the sound.
        note_off: seconds at which the note ends; None for the last moment at nine tenths of the peak.

    NaN for what is silent by then, and for what is still above that tenth at its end.
    """
    level, last = envelope.level, len(envelope.level) - 1
    if last < 0 or level.max() <= 0.0:
        return math.nan
    start = _last(level >= HIGH * level.max()) if note_off is None else math.ceil(note_off / envelope.step)
    if start > last or level[start] <= 0.0:
        return math.nan
    end = _last(level >= LOW * level[start])
    return math.nan if end >= last else (end - start) * envelope.step


def _last(condition: NDArray[np.bool_]) -> int:
    return int(np.flatnonzero(condition)[-1])
