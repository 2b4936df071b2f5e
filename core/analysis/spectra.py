"""How far apart two sounds are: log-mel spectrograms, and spectra of several resolutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dsp.log_mel import FLOOR_DB, levels_of, windows_at
from tonesmith.dsp.spectrum import magnitudes as magnitudes_of

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
        log_mel=levels_of(np.square(magnitudes[-1]), sample_rate),
        magnitudes=magnitudes,
        logs=tuple(np.log(np.maximum(magnitude, np.float32(_FLOOR))) for magnitude in magnitudes),
        norms=tuple(map(_norm, magnitudes)),
    )


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


def _norm(magnitude: NDArray[np.float32]) -> float:
    # Not numpy.linalg.norm, whose BLAS may add in another order on another day
    return float(np.sqrt(np.sum(np.square(magnitude), dtype=np.float64)))
