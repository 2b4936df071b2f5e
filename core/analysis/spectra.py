"""How far apart two sounds are: log-mel spectrograms, and spectra of several resolutions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

MELS = 128
"""Bands of a log-mel spectrogram."""
FLOOR_DB = -100.0
"""Level below which nothing is told apart, re a sine of full scale: far below what is heard, far above float32."""
_WINDOWS = (512, 1024, 2048)
"""Samples at 44.1 kHz. The longest one is that of the log-mel spectrogram."""
_FLOOR = 10.0 ** (FLOOR_DB / 20.0)


@dataclass(frozen=True, slots=True)
class Spectra:
    """What the distances compare of one sound: made once for a base that many others are compared with.

    Attributes:
        log_mel: dB, float32 (channels, MELS, time).
        magnitudes: of each resolution, float32 (channels, time, bins), 1.0 for a sine of full scale.
        logs: natural logarithms of the magnitudes, which are 1e-5 (-100 dB) at least.
        norms: Frobenius norm of each of ``magnitudes``.
    """

    log_mel: NDArray[np.float32]
    magnitudes: tuple[NDArray[np.float32], ...]
    logs: tuple[NDArray[np.float32], ...]
    norms: tuple[float, ...]


def spectra_of(audio: NDArray[Any], sample_rate: int) -> Spectra:
    """Return the spectra of a sound.

    Args:
        audio: float (channels, frames), full scale 1.0, finite, of any length.
        sample_rate: Hz.
    """
    magnitudes = tuple(_magnitudes(audio, window) for window in windows_at(sample_rate))
    return Spectra(
        log_mel=_log_mel(magnitudes[-1], sample_rate),
        magnitudes=magnitudes,
        logs=tuple(np.log(np.maximum(magnitude, np.float32(_FLOOR))) for magnitude in magnitudes),
        norms=tuple(map(_norm, magnitudes)),
    )


def log_mel(audio: NDArray[Any], sample_rate: int) -> NDArray[np.float32]:
    """Return the log-mel spectrogram in dB, float32 (channels, MELS, time), nowhere below :data:`FLOOR_DB`.

    A Hann window of 46 ms moves by a quarter of itself over the sound, with half a window of zeros before
    and after. The squared magnitudes are summed in 128 triangular bands, evenly spaced on Slaney's mel
    scale from 0 Hz to half the sample rate: ``10 * log10(max(sum, 1e-10))``. A band's peak is 1, not its
    area, so that 0 dB is about a full-scale sine in any band; a distance is the same with either.

    Args:
        audio: float (channels, frames), full scale 1.0, finite, of any length.
        sample_rate: Hz.
    """
    return _log_mel(_magnitudes(audio, windows_at(sample_rate)[-1]), sample_rate)


def log_mel_distance(a: Spectra, b: Spectra) -> float:
    """Return the mean absolute difference of two log-mel spectrograms, in dB. Symmetric; 0 for equal sounds."""
    return float(np.mean(np.abs(a.log_mel - b.log_mel), dtype=np.float64))


def multi_resolution_stft_distance(a: Spectra, b: Spectra) -> float:
    """Return the distance of two sounds in spectra of several resolutions: 0 for equal ones, symmetric.

    Source: Yamamoto, Song & Kim 2020, "Parallel WaveGAN", equations 3 to 6. For each of three Hann windows
    (12, 23 and 46 ms, moved by a quarter), the spectral convergence ``||A - B|| / max(||A||, ||B||)`` plus the
    mean absolute difference of the natural logarithms of the magnitudes; then the mean of the three. The paper
    divides by the norm of the reference alone, which is unbounded where that is nearly silent; with the larger
    one the convergence is at most sqrt(2), and it is 0 where both are silent. Magnitudes below 1e-5
    (-100 dB) count as that in the logarithm.
    """
    parts = zip(a.magnitudes, b.magnitudes, a.logs, b.logs, a.norms, b.norms, strict=True)
    return float(np.mean([_resolution_distance(*part) for part in parts]))


def _resolution_distance(
    a: NDArray[np.float32],
    b: NDArray[np.float32],
    log_a: NDArray[np.float32],
    log_b: NDArray[np.float32],
    norm_a: float,
    norm_b: float,
) -> float:
    larger = max(norm_a, norm_b)
    convergence = _norm(a - b) / larger if larger else 0.0
    return convergence + float(np.mean(np.abs(log_a - log_b), dtype=np.float64))


def windows_at(sample_rate: int) -> tuple[int, ...]:
    """Return the lengths of the windows in samples: powers of two nearest to 12, 23 and 46 ms."""
    octaves = round(np.log2(sample_rate / 44100.0))
    return tuple(max(int(window * 2.0**octaves), 4) for window in _WINDOWS)


def _norm(magnitude: NDArray[np.float32]) -> float:
    # Not numpy.linalg.norm, whose BLAS may add in another order on another day
    return float(np.sqrt(np.sum(np.square(magnitude), dtype=np.float64)))


def _magnitudes(audio: NDArray[Any], window: int) -> NDArray[np.float32]:
    """Return float32 (channels, 1 + frames * 4 // window, window // 2 + 1), 1.0 at the bin of a full-scale sine."""
    import scipy.fft

    padded = np.pad(np.asarray(audio, np.float32), ((0, 0), (window // 2, window // 2)))
    framed = np.lib.stride_tricks.sliding_window_view(padded, window, axis=1)[:, :: window // 4]
    return np.abs(scipy.fft.rfft(framed * _hann(window)))


@lru_cache(maxsize=16)
def _hann(window: int) -> NDArray[np.float32]:
    """Return a periodic Hann window, scaled so that a sine of amplitude 1 has magnitude 1."""
    import scipy.signal  # takes a second, which who only asks for an error should not wait

    hann = scipy.signal.get_window("hann", window, fftbins=True)
    return np.asarray(hann * (2.0 / hann.sum()), np.float32)


def _log_mel(magnitude: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    channels, frames, bins = magnitude.shape
    filters = _filters(sample_rate, 2 * (bins - 1))
    # A sparse product adds in a fixed order; a dense one is BLAS, which need not
    power = (filters @ np.square(magnitude).reshape(-1, bins).T).reshape(MELS, channels, frames)
    decibel = 10.0 * np.log10(np.maximum(power, np.float32(_FLOOR**2)))
    # The logarithm of a rounded floor is not the floor
    return np.ascontiguousarray(np.maximum(decibel, FLOOR_DB).transpose(1, 0, 2), np.float32)


@lru_cache(maxsize=4)
def _filters(sample_rate: int, window: int) -> Any:
    import scipy.sparse

    return scipy.sparse.csr_array(mel_filters(sample_rate, window))


def mel_filters(sample_rate: int, window: int) -> NDArray[np.float32]:
    """Return the triangular bands on the bins of a spectrum: float32 (MELS, window // 2 + 1), with peak 1."""
    edges = hertz_of(np.linspace(0.0, mel_of(np.array(sample_rate / 2.0)), MELS + 2))
    bins = np.arange(window // 2 + 1) * (sample_rate / window)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.clip(np.minimum(rising, falling), 0.0, None).astype(np.float32)


_BREAK_HERTZ, _BREAK_MEL, _STEP = 1000.0, 15.0, np.log(6.4) / 27.0


def mel_of(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mel of frequencies: linear to 1 kHz, where it is 15, and logarithmic above.

    Source: Slaney 1998, "Auditory Toolbox, version 2", Interval technical report 1998-010.
    """
    above = _BREAK_MEL + np.log(np.maximum(hertz, _BREAK_HERTZ) / _BREAK_HERTZ) / _STEP
    return np.where(hertz < _BREAK_HERTZ, hertz * (_BREAK_MEL / _BREAK_HERTZ), above)


def hertz_of(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the frequencies of mel, in Hz: the inverse of :func:`mel_of`."""
    above = _BREAK_HERTZ * np.exp(_STEP * (np.maximum(mel, _BREAK_MEL) - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * (_BREAK_HERTZ / _BREAK_MEL), above)
