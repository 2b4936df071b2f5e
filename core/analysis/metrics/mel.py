"""Mel spectrograms, decibels and MFCC as librosa makes them by default, which published metrics are defined by.

Source: librosa 0.11, ``feature.melspectrogram``, ``power_to_db`` and ``feature.mfcc``: a periodic Hann window, zeros
before and after the sound, power, triangular bands on Slaney's mel scale with equal areas.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dsp.mel import band_edges, mel_filters

_LEAST_POWER = 1e-10
_RANGE_DB = 80.0
_CACHED = 2**16
"""Samples of frames that are transformed at once."""


def magnitudes(audio: NDArray[Any], window: int, hop: int) -> NDArray[np.float32]:
    """Return float32 (channels, frames, window // 2 + 1), not scaled; the frames are centred on multiples of the hop.

    Args:
        audio: float (channels, samples).
        window: samples.
        hop: samples.
    """
    return np.stack([np.concatenate(list(_magnitudes(channel, window, hop))) for channel in audio])


def _magnitudes(samples: NDArray[Any], window: int, hop: int) -> Iterator[NDArray[np.float32]]:
    """Yield the magnitudes of one channel, some frames at a time: as many as a processor's cache holds."""
    import scipy.fft

    padded = np.pad(np.asarray(samples, np.float32), max(window // 2, -(-(window - len(samples)) // 2)))
    framed = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    step = max(_CACHED // window, 1)
    for first in range(0, len(framed), step):
        yield np.abs(scipy.fft.rfft(framed[first : first + step] * _hann(window)))


def mel_power(audio: NDArray[Any], sample_rate: int, window: int, hop: int, bands: int) -> NDArray[np.float32]:
    """Return the power in each band, float32 (channels, bands, frames). Arguments as for :func:`magnitudes`."""
    filters = _filters(sample_rate, window, bands)
    channels = [
        np.concatenate([filters @ np.square(part).T for part in _magnitudes(channel, window, hop)], axis=1)
        for channel in audio
    ]
    return np.stack(channels)


def decibels(power: NDArray[np.float32], reference: float = 1.0) -> NDArray[np.float32]:
    """Return decibels re a power, nowhere more than 80 dB below the highest of all."""
    level = 10.0 * np.log10(np.maximum(power, np.float32(_LEAST_POWER)))
    level -= np.float32(10.0 * np.log10(max(reference, _LEAST_POWER)))
    floored: NDArray[np.float32] = np.maximum(level, level.max(initial=-np.inf) - np.float32(_RANGE_DB))
    return floored


def mfcc(audio: NDArray[Any], sample_rate: int, window: int, hop: int, coefficients: int = 20) -> NDArray[np.float32]:
    """Return mel-frequency cepstral coefficients of 128 bands, float32 (channels, coefficients, frames)."""
    import scipy.fft

    level = decibels(mel_power(audio, sample_rate, window, hop, 128))
    cepstrum: NDArray[np.float32] = scipy.fft.dct(level, axis=1, type=2, norm="ortho")
    return cepstrum[:, :coefficients]


@lru_cache(maxsize=16)
def _hann(window: int) -> NDArray[np.float32]:
    import scipy.signal

    return np.asarray(scipy.signal.get_window("hann", window, fftbins=True), np.float32)


@lru_cache(maxsize=16)
def _filters(sample_rate: int, window: int, bands: int) -> Any:
    import scipy.sparse

    edges = band_edges(bands, 0.0, sample_rate / 2.0)
    return scipy.sparse.csr_array(mel_filters(edges, sample_rate, window, "area"))
