"""Numbers for what is heard: brightness, warmth, roughness, noisiness and tension of spectra."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

LOWEST = 20.0
"""Hz below which nothing counts."""
WARM = (150.0, 800.0)
"""Hz between which energy counts as warmth."""
PEAKS, DEEPEST = 20, 1e-3
"""Of a spectrum, the most peaks that roughness is made of, and their least share of the highest (-60 dB)."""
_ROUGHEST, _S1, _S2, _RISE, _FALL = 0.24, 0.0207, 18.96, 3.51, 5.75
CHROMA = (440.0 * 2.0 ** (-33.5 / 12.0), 440.0 * 2.0 ** (38.5 / 12.0))
"""Hz between which pitch classes are told: the six octaves from C2 to B7, so that each class has as many pitches."""
FLAT = 2.0
"""Times the mean that the strongest pitch class has at least, where there is a pitch. White noise has 1.35."""
INTERVAL_WEIGHTS = (3.0, 8.0, 11.5, 15.0, 14.5, 7.5)


def brightness(power: NDArray[np.float32], hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of log2(f / 1 kHz), weighted with the power (time, bins), from 20 Hz on: float64 (time,).

    NaN where nothing sounds. A logarithmic centroid follows what listeners call bright better than a linear one:
    Schubert & Wolfe 2006, "Does timbral brightness scale with frequency and spectral centroid?".
    """
    heard = hertz >= LOWEST
    return _mean(power[:, heard], np.log2(hertz[heard] / 1000.0))


def warmth(power: NDArray[np.float32], hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of the energy from 20 Hz on that lies between 150 and 800 Hz: float64 (time,), 0 to 1."""
    heard = hertz >= LOWEST
    return _mean(power[:, heard], ((hertz[heard] >= WARM[0]) & (hertz[heard] <= WARM[1])).astype(np.float64))


def roughness(magnitude: NDArray[np.float32], hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the dissonance of the 20 strongest peaks of each spectrum (time, bins): float64 (time,), 0 for a sine.

    Each pair of peaks adds ``a * b * (exp(-3.51 s d) - exp(-5.75 s d))``, where ``d`` is their distance in Hz and
    ``s = 0.24 / (0.0207 f + 18.96)`` with the lower frequency; the sum is divided by the sum of squares, so that it
    does not depend on level. NaN where nothing sounds. Source: Sethares 1993, "Local consonance and the relationship
    between timbre and scale", after Plomp & Levelt 1965.
    """
    return np.array([_dissonance(*_peaks(one, hertz)) for one in magnitude], np.float64)


def dissonance_of(hertz: NDArray[np.float64], amplitude: NDArray[np.float64]) -> float:
    """Return the roughness of partials, as :func:`roughness` defines it."""
    return _dissonance(hertz, amplitude)


def chroma(power: NDArray[np.float32], hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the energy of the pitch classes from C on, A at 440 Hz, of spectra (time, bins): float64 (time, 12)."""
    inside = (hertz >= CHROMA[0]) & (hertz < CHROMA[1])
    classes = np.round(12.0 * np.log2(hertz[inside] / 440.0)).astype(int) % 12
    found = np.zeros((len(power), 12))
    for pitch in range(12):
        found[:, (pitch + 9) % 12] = power[:, inside][:, classes == pitch].sum(axis=1, dtype=np.float64)
    return found


def tension(classes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 less the length of the tonal interval vector of pitch classes (time, 12): float64 (time,), 0 to 1.

    0 for a single pitch class. NaN where no class has twice the mean: there is no pitch. Source: Bernardes et al.
    2016, "A multi-level tonal interval space for modelling pitch relatedness and musical consonance", whose weights of
    the six intervals these are.
    """
    total = classes.sum(axis=1, keepdims=True)
    shares = np.divide(classes, total, out=np.zeros_like(classes), where=total > 0.0)
    weights = np.array(INTERVAL_WEIGHTS)
    vector = np.abs(np.fft.fft(shares, axis=1)[:, 1:7]) * weights
    length = np.sqrt(np.square(vector).sum(axis=1) / np.square(weights).sum())
    return np.where(shares.max(axis=1) * 12.0 >= FLAT, 1.0 - length, np.nan)


def _mean(weights: NDArray[np.float32], values: NDArray[np.float64]) -> NDArray[np.float64]:
    total = weights.sum(axis=1, dtype=np.float64)
    summed = np.einsum("tb,b->t", weights, values)
    mean: NDArray[np.float64] = np.divide(summed, total, out=np.full(len(total), np.nan), where=total > 0.0)
    return mean


def _peaks(
    magnitude: NDArray[np.float32], hertz: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return frequencies and amplitudes of the strongest peaks, in the order of the frequency."""
    least = max(DEEPEST * float(magnitude.max(initial=0.0)), 1e-9)
    inner = magnitude[1:-1]
    at = 1 + np.flatnonzero((inner > magnitude[:-2]) & (inner >= magnitude[2:]) & (inner >= least))
    at = at[hertz[at] >= LOWEST]
    kept = np.sort(at[np.argsort(-magnitude[at], kind="stable")[:PEAKS]])
    return hertz[kept], magnitude[kept].astype(np.float64)


@lru_cache(maxsize=PEAKS + 1)
def _pairs(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return all pairs of so many things: the lower and the higher place of each."""
    return np.triu_indices(count, 1)


def _dissonance(hertz: NDArray[np.float64], amplitude: NDArray[np.float64]) -> float:
    if not len(hertz):
        return float("nan")
    low, high = _pairs(len(hertz))
    scaled = _ROUGHEST / (_S1 * hertz[low] + _S2) * (hertz[high] - hertz[low])
    pairs = amplitude[low] * amplitude[high] * (np.exp(-_RISE * scaled) - np.exp(-_FALL * scaled))
    return float(pairs.sum() / np.square(amplitude).sum())
