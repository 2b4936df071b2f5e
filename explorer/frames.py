"""Short-time spectra of the explorer: magnitudes in dB that a sound can be made of again."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE = 48_000
"""Samples per second of every model, and of what it makes."""
SIZE, HOP = 2048, 256
"""Samples of a window, and between two of them."""
BINS = SIZE // 2 + 1
STEP = HOP / RATE
"""Seconds between two frames."""
FLOOR = 1e-4
"""Magnitude that is added before the logarithm: -80 dB. It weighs what is quieter, and loses nothing of it."""
LOUDEST = np.float32(300.0)
"""dB that no magnitude is above, so that its square is a number."""
EDGE = 0.01
"""Height of the window at its ends; its middle has 1."""
GAMMA = float(np.pi * (SIZE / 2) ** 2 / np.log(1.0 / EDGE))
"""Width of the window ``exp(-pi n^2 / GAMMA)`` in samples squared, on which the phase is built."""
_TOGETHER = 256


@lru_cache(maxsize=1)
def window() -> NDArray[np.float32]:
    """Return the Gaussian window, float32 (SIZE,), scaled so that a sine of amplitude 1 has magnitude 1."""
    place = np.arange(SIZE) - SIZE // 2
    shape = np.exp(-np.pi * np.square(place) / GAMMA)
    return np.asarray(shape * (2.0 / shape.sum()), np.float32)


@lru_cache(maxsize=1)
def _dual() -> NDArray[np.float32]:
    """Return the window that undoes :func:`window` where frames overlap."""
    power = np.square(window(), dtype=np.float64).reshape(-1, HOP).sum(axis=0)
    return np.asarray(window() / np.tile(power, SIZE // HOP), np.float32)


@lru_cache(maxsize=1)
def _turns() -> NDArray[np.float32]:
    """Return 1, -1, 1, ...: what moves the origin of phase from the start of a window to its middle."""
    return np.where(np.arange(BINS) % 2, np.float32(-1.0), np.float32(1.0))


def count_of(samples: int) -> int:
    """Return how many frames a sound has: one around each ``HOP``-th sample, the first included."""
    return 1 + samples // HOP


def spectrum(mono: NDArray[Any], first: int = 0, count: int | None = None) -> NDArray[np.complex64]:
    """Return frames of a sound, complex64 (count, BINS). Phase counts from the middle of each window.

    Args:
        mono: float (samples,), with silence before and after it.
        first: of the frames.
        count: of frames; None for all that follow.
    """
    count = count_of(len(mono)) - first if count is None else count
    start = first * HOP - SIZE // 2
    stop = start + (count - 1) * HOP + SIZE
    inside = np.asarray(mono[max(start, 0) : max(stop, 0)], np.float32)
    before = max(-start, 0)
    held = np.pad(inside, (before, max(stop - start - before - len(inside), 0)))
    return held_spectrum(held)


def held_spectrum(held: NDArray[np.float32]) -> NDArray[np.complex64]:
    """Return the frames that lie whole within samples: complex64 (1 + (samples - SIZE) // HOP, BINS)."""
    import scipy.fft

    framed = np.lib.stride_tricks.sliding_window_view(held, SIZE)[::HOP]
    found = np.empty((len(framed), BINS), np.complex64)
    for at in range(0, len(framed), _TOGETHER):
        found[at : at + _TOGETHER] = scipy.fft.rfft(framed[at : at + _TOGETHER] * window(), workers=1)
    found *= _turns()
    return found


def overlapped(frames: NDArray[np.complex64]) -> NDArray[np.float32]:
    """Return the sum of frames in time: float32 ((count - 1) * HOP + SIZE,), the inverse of :func:`held_spectrum`.

    The first and the last ``SIZE - HOP`` samples lack the frames before and after.
    """
    import scipy.fft

    parts = SIZE // HOP
    made = np.zeros((len(frames) + parts - 1, HOP), np.float32)
    for at in range(0, len(frames), _TOGETHER):
        some = scipy.fft.irfft(frames[at : at + _TOGETHER] * _turns(), SIZE, workers=1)
        some = (some * _dual()).reshape(len(some), parts, HOP)
        for part in range(parts):
            made[at + part : at + part + len(some)] += some[:, part]
    return made.reshape(-1)


def levels_of(magnitude: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return magnitudes as the model has them: ``20 log10(magnitude + FLOOR)``, in dB."""
    return np.asarray(np.float32(20.0) * np.log10(magnitude + np.float32(FLOOR)), np.float32)


def magnitudes_of(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the magnitudes of levels in dB: the inverse of :func:`levels_of`, from 0 at -80 dB to those of 300 dB."""
    made = np.exp(np.float32(np.log(10.0) / 20.0) * np.minimum(levels, LOUDEST))
    return np.asarray(np.maximum(made - np.float32(FLOOR), np.float32(0.0)), np.float32)
