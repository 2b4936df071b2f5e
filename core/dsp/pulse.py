"""The pulse of a sound: how regularly its onsets come, and how fast."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tonesmith.dsp.spectrum import magnitudes, window_near

SLOWEST, FASTEST = 40.0, 240.0
"""Beats per minute among which a pulse is looked for."""
_STEP: Final = 0.01
"""Seconds between two points of the onset curve, about."""
_WINDOW: Final = 0.04
_SLOW: Final = 1.0
"""Seconds around an onset whose mean is taken off it: what swells slowly is no onset."""
_TOGETHER: Final = 30.0
"""Seconds that are transformed at once, which bounds the memory."""
_USUAL, _OCTAVES = 120.0, 0.9
"""Tempo that listeners prefer, and the width of that preference in octaves: Ellis 2007, "Beat tracking by dynamic
programming", J. New Music Research 36."""
_SHORTEST: Final = 4.0
"""Seconds below which too few beats repeat."""


class Pulse(NamedTuple):
    """A regular pulse.

    Attributes:
        bpm: beats per minute.
        strength: 0..1, the autocorrelation of the onset curve at one beat and at two, whichever is less.
        other: the same pulse heard twice as fast or half as fast, whichever is the more likely; beats per minute.
        other_strength: of that, never above ``strength``.
    """

    bpm: float
    strength: float
    other: float
    other_strength: float


def pulse_of(audio: NDArray[Any], sample_rate: int) -> Pulse | None:
    """Return the pulse of a sound; None if it is too short for one, or nothing in it repeats.

    Onsets are rises of the logarithmic spectrum, summed over its bins. Their autocorrelation has a peak at the beat and
    at its multiples; which of them is the beat nobody can tell for certain, so that the next octave is told too.

    Args:
        audio: float (channels, frames), full scale 1.0.
        sample_rate: in Hz.
    """
    if audio.shape[1] < _SHORTEST * sample_rate:
        return None
    curve, step = onset_curve(audio, sample_rate)
    repeats = _autocorrelation(curve)
    lags = np.arange(int(60 / FASTEST / step), int(60 / SLOWEST / step) + 1)
    lags = lags[2 * lags < len(repeats) - 1]
    strengths = np.minimum(repeats[lags], _around(repeats, 2 * lags))
    peaks = (repeats[lags] >= repeats[lags - 1]) & (repeats[lags] >= repeats[lags + 1]) & (strengths > 0)
    if not peaks.any():
        return None
    likely = np.where(peaks, strengths * _preference(60 / (lags * step)), 0.0)
    lag = int(lags[np.argmax(likely)])
    found = float(_refined(repeats, lag) * step)
    strength = float(strengths[lag - lags[0]])
    others = [(_strength(repeats, factor * lag) * _preference(60 / found / factor), factor) for factor in (0.5, 2.0)]
    _, factor = max(others)
    return Pulse(60 / found, strength, 60 / found / factor, min(strength, _strength(repeats, factor * lag)))


def onset_curve(audio: NDArray[Any], sample_rate: int) -> tuple[NDArray[np.float64], float]:
    """Return float64 (points,) of how much the sound rises more than around it, and the seconds between two points."""
    mono = np.asarray(audio, np.float32).mean(axis=0, keepdims=True)
    window, hop = window_near(_WINDOW, sample_rate), max(round(_STEP * sample_rate), 1)
    stretch = int(_TOGETHER / _STEP) * hop
    curves = []
    for start in range(0, mono.shape[1], stretch):
        begin = max(0, start - hop)
        levels = np.log1p(1000.0 * magnitudes(mono[:, begin : start + stretch], window, hop)[0])
        rises = np.maximum(np.diff(levels, axis=0), 0.0).sum(axis=1, dtype=np.float64)
        curves.append(rises[: int(_TOGETHER / _STEP)])
    whole, step = np.concatenate(curves), hop / sample_rate
    return np.maximum(whole - _smoothed(whole, round(_SLOW / step)), 0.0), step


def _smoothed(curve: NDArray[np.float64], points: int) -> NDArray[np.float64]:
    """Return the mean of a curve around each point."""
    summed = np.concatenate([[0.0], np.cumsum(curve)])
    places = np.arange(len(curve))
    first, last = np.maximum(places - points // 2, 0), np.minimum(places + points // 2 + 1, len(curve))
    found: NDArray[np.float64] = (summed[last] - summed[first]) / (last - first)
    return found


def _autocorrelation(curve: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the autocorrelation of a curve at each lag up to half its length, 1 at none, evenly over all lags."""
    import scipy.fft

    centred = curve - curve.mean()
    power = np.square(np.abs(scipy.fft.rfft(centred, 2 * len(centred), workers=1)))
    summed = scipy.fft.irfft(power, workers=1)[: len(centred) // 2]
    whole = summed[0] if len(summed) and summed[0] > 0 else 1.0
    found: NDArray[np.float64] = summed / whole * (len(centred) / (len(centred) - np.arange(len(summed))))
    return found


def _around(repeats: NDArray[np.float64], lags: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the most at each lag or next to it."""
    return np.maximum(np.maximum(repeats[lags - 1], repeats[lags]), repeats[np.minimum(lags + 1, len(repeats) - 1)])


def _strength(repeats: NDArray[np.float64], lag: float) -> float:
    place = round(lag)
    if not 1 <= place < len(repeats) - 1:
        return 0.0
    return max(0.0, float(_around(repeats, np.array([place]))[0]))


def _preference(bpm: Any) -> Any:
    return np.exp(-0.5 * np.square(np.log2(bpm / _USUAL) / _OCTAVES))


def _refined(repeats: NDArray[np.float64], lag: int) -> float:
    """Return a lag to a fraction of a point, from the peaks at up to eight times it."""
    found = float(lag)
    for times in (1, 2, 4, 8):
        place = round(found * times)
        near = np.arange(max(1, place - 2), min(len(repeats) - 1, place + 3))
        if place + 3 >= len(repeats) or repeats[near].max() < 0.5 * repeats[lag]:
            break
        peak = int(near[np.argmax(repeats[near])])
        before, at, after = repeats[peak - 1 : peak + 2]
        bend = before - 2 * at + after
        found = (peak + (0.5 * (before - after) / bend if bend < 0 else 0.0)) / times
    return found
