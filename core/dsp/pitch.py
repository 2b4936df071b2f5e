"""The fundamental frequency of a sound over time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_TOGETHER = 16
"""Windows that are transformed at once."""


def yin(
    audio: NDArray[Any], sample_rate: int, hop: int, low: float, high: float, threshold: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return f0 in Hz, NaN where there is none, and the aperiodicity there, float64 (1 + frames // hop,) each.

    The aperiodicity is the cumulative mean normalised difference at the period: near 0 for a periodic sound, near 1 for
    noise. Source: de Cheveigne & Kawahara 2002, "YIN, a fundamental frequency estimator for speech and music", steps 1
    to 5. The period is the first dip below the threshold; there is no f0 where no dip is.

    Args:
        audio: float (frames,).
        sample_rate: Hz.
        hop: samples between two windows, each around a sample, with silence beyond the sound.
        low: end of the range of f0, in Hz.
        high: other end of it.
        threshold: of the aperiodicity.
    """
    shortest, longest = max(int(sample_rate / high), 2), int(np.ceil(sample_rate / low))
    length = 2 * longest  # a window of one longest period is compared with itself up to one longest period later
    padded = np.pad(np.asarray(audio, np.float32), (longest, longest))
    framed = np.lib.stride_tricks.sliding_window_view(padded, length)[: len(audio) + 1 : hop]
    parts = [
        _dips(_normalised(framed[first : first + _TOGETHER], longest), shortest, threshold)
        for first in range(0, len(framed), _TOGETHER)
    ]
    period, dip = (np.concatenate(each) for each in zip(*parts, strict=True))
    return sample_rate / period, dip


def _normalised(framed: NDArray[np.float32], longest: int) -> NDArray[np.float64]:
    """Return the cumulative mean normalised difference of windows (n, 2 * longest): (n, longest + 1), lag by lag."""
    import scipy.fft

    frames = framed.astype(np.float64)
    size = scipy.fft.next_fast_len(3 * longest, real=True)
    whole = scipy.fft.rfft(frames, size, axis=1, workers=1)
    head = scipy.fft.rfft(frames[:, :longest], size, axis=1, workers=1)
    product = scipy.fft.irfft(whole * np.conj(head), size, axis=1, workers=1)[:, : longest + 1]
    energy = np.cumsum(np.pad(np.square(frames), ((0, 0), (1, 0))), axis=1)
    moved = energy[:, longest:] - energy[:, : longest + 1]
    difference = np.maximum(moved[:, :1] + moved - 2.0 * product, 0.0)
    difference[:, 0] = 0.0
    # What rounding leaves of silence is no sound
    difference[moved[:, 0] < 1e-12] = 0.0
    lags = np.arange(longest + 1)
    mean = np.cumsum(difference, axis=1) / np.maximum(lags, 1)
    found: NDArray[np.float64] = np.divide(difference, mean, out=np.ones_like(difference), where=mean > 0.0)
    found[:, 0] = 1.0
    return found


def _dips(
    normalised: NDArray[np.float64], shortest: int, threshold: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return for each window the lag of its first dip below the threshold, NaN if there is none, and its depth."""
    period, depth = np.full(len(normalised), np.nan), np.empty(len(normalised))
    for place, curve in enumerate(normalised):
        inner = curve[shortest:-1]
        below = (inner < threshold) & (inner <= curve[shortest + 1 :]) & (inner < curve[shortest - 1 : -2])
        lag = shortest + int(np.argmax(below)) if below.any() else shortest + int(np.argmin(curve[shortest:]))
        depth[place] = min(curve[lag], 1.0)
        if below.any():
            period[place] = lag + _vertex(*curve[lag - 1 : lag + 2])
    return period, depth


def _vertex(left: float, middle: float, right: float) -> float:
    """Return where the parabola through three points at -1, 0 and 1 is lowest."""
    bend = left - 2.0 * middle + right
    return float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend > 0.0 else 0.0
