"""Short-time spectra: windows, magnitudes and powers, all scaled so that a sine of full scale has 1.0 in its bin."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TOGETHER = 16
"""Windows that are transformed at once: those of 2048 samples, and what becomes of them, then stay in the cache."""


def window_near(seconds: float, sample_rate: int) -> int:
    """Return the power of two nearest to a length in seconds, in samples, at least 4."""
    return int(max(2 ** round(float(np.log2(seconds * sample_rate))), 4))


def times(frames: int, hop: int) -> int:
    """Return how many windows a spectrum of a sound has: one around each ``hop``-th sample, the first included."""
    return 1 + frames // hop


@lru_cache(maxsize=16)
def hann(window: int) -> NDArray[np.float32]:
    """Return a periodic Hann window, scaled so that a sine of amplitude 1 has magnitude 1."""
    made = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(window) / window)  # to import scipy.signal takes a second
    return np.asarray(made * (2.0 / made.sum()), np.float32)


def spectrum(audio: NDArray[Any], window: int, hop: int) -> NDArray[np.complex64]:
    """Return complex64 (channels, 1 + frames // hop, window // 2 + 1); a sine of full scale has 1.0 in its bin.

    A Hann window moves over the sound, with half a window of zeros before and after it. The phase counts from the
    first sample of each window.

    Args:
        audio: float (channels, frames), full scale 1.0, of any length.
        window: in samples.
        hop: in samples.
    """
    import scipy.fft

    found: NDArray[np.complex64] = scipy.fft.rfft(_framed(audio, window, hop) * hann(window), workers=1)
    return found


def magnitudes(audio: NDArray[Any], window: int, hop: int) -> NDArray[np.float32]:
    """Return the magnitudes of :func:`spectrum`, float32."""
    return np.abs(spectrum(audio, window, hop))


def powers(audio: NDArray[Any], window: int, hop: int) -> NDArray[np.float32]:
    """Return the squared magnitudes of :func:`spectrum`, float32."""
    import scipy.fft

    framed, shape = _framed(audio, window, hop), hann(window)
    power = np.empty((*framed.shape[:2], window // 2 + 1), np.float32)
    windowed, other = np.empty((_TOGETHER, window), np.float32), np.empty((_TOGETHER, window // 2 + 1), np.float32)
    for channel, whole in zip(framed, power, strict=True):
        for first in range(0, len(channel), _TOGETHER):
            out = whole[first : first + _TOGETHER]
            np.multiply(channel[first : first + _TOGETHER], shape, out=windowed[: len(out)])
            found = scipy.fft.rfft(windowed[: len(out)], workers=1)
            np.square(found.real, out=out)
            out += np.square(found.imag, out=other[: len(out)])
    return power


def _framed(audio: NDArray[Any], window: int, hop: int) -> NDArray[np.float32]:
    """Return a view (channels, times, window) of a sound between half a window of zeros on either side."""
    half = window // 2
    padded = np.pad(np.asarray(audio, np.float32), ((0, 0), (half, window - half)))
    return np.lib.stride_tricks.sliding_window_view(padded, window, axis=1)[:, : audio.shape[1] + 1 : hop]


def decibels(power: NDArray[np.float32], floor: float) -> NDArray[np.float32]:
    """Return powers in dB re 1.0, nowhere below a floor in dB."""
    level: NDArray[np.float32] = np.float32(10.0) * np.log10(np.maximum(power, np.float32(10.0 ** (floor / 10.0))))
    # The logarithm of a rounded floor is not the floor
    return np.maximum(level, np.float32(floor))


def bin_hertz(window: int, sample_rate: int) -> NDArray[np.float64]:
    """Return the frequency of each bin in Hz, float64 (window // 2 + 1,)."""
    hertz: NDArray[np.float64] = np.arange(window // 2 + 1, dtype=np.float64) * (sample_rate / window)
    return hertz
