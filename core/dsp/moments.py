"""Where the energy of a spectrum lies, and how it is spread."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SMALLEST = np.float32(1e-10)
"""Power below which a bin counts as that in the flatness, as in librosa."""


def centroid_and_spread(
    magnitude: NDArray[np.float32], hertz: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of the frequency in Hz, weighted with the magnitude: float64 (time,) each.

    NaN where nothing sounds. Source: Peeters 2004, "A large set of audio features for sound description".

    Args:
        magnitude: (time, bins).
        hertz: of each bin.
    """
    weight = magnitude / _nan_for_zero(magnitude.sum(axis=1))[:, None]
    axis = hertz.astype(np.float32)
    centroid = np.einsum("tb,b->t", weight, axis).astype(np.float64)
    squared = np.einsum("tb,tb->t", weight, np.square(axis - centroid[:, None].astype(np.float32)))
    return centroid, np.sqrt(squared.astype(np.float64))


def flatness(power: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the geometric over the arithmetic mean of the powers (time, bins): float64 (time,), 1 for white spectra.

    Powers below 1e-10 count as that. Source: Johnston 1988, "Transform coding of audio signals using perceptual noise
    criteria".
    """
    held = np.maximum(power, _SMALLEST)
    geometric = np.exp(np.log(held).mean(axis=1, dtype=np.float64))
    share: NDArray[np.float64] = geometric / held.mean(axis=1, dtype=np.float64)
    return share


def rolloff(magnitude: NDArray[np.float32], hertz: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Return the frequency in Hz of the first bin up to which a share of the summed magnitude lies: float64 (time,).

    NaN where nothing sounds.
    """
    summed = np.cumsum(magnitude, axis=1)
    place = np.argmax(summed >= (share * summed[:, -1])[:, None], axis=1)
    return np.where(summed[:, -1] > 0.0, hertz[place], np.nan)


def weighted_mean(values: NDArray[np.float64], weights: NDArray[np.float32]) -> float:
    """Return the mean of those values that are numbers, weighted; NaN if none is, or nothing weighs anything."""
    known = np.isfinite(values)
    total = float(weights[known].sum(dtype=np.float64))
    return float((values[known] * weights[known]).sum() / total) if total > 0.0 else float("nan")


def _nan_for_zero(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.where(values > 0.0, values, np.float32(np.nan))
