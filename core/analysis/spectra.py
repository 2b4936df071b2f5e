"""How far apart two sounds are: log-mel spectrograms, and spectra of several resolutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dsp.mel import mel_bank
from tonesmith.dsp.spectrum import magnitudes as magnitudes_of
from tonesmith.dsp.spectrum import powers

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
    magnitudes = tuple(magnitudes_of(audio, window, window // 4) for window in windows_at(sample_rate))
    return Spectra(
        log_mel=_log_mel(np.square(magnitudes[-1]), sample_rate),
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
    window = windows_at(sample_rate)[-1]
    return _log_mel(powers(audio, window, window // 4), sample_rate)


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


def _log_mel(power: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    return mel_bank(MELS, sample_rate, 2 * (power.shape[2] - 1)).levels(power, FLOOR_DB)
