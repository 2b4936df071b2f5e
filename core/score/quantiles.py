"""Medians and quantiles of a few hundred numbers: those of NumPy, whose general functions cost ten times as much."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def median(values: NDArray[Any]) -> float:
    """Return what :func:`numpy.median` does of (numbers,), of which there is one at least and none is NaN."""
    ordered, half = np.sort(values), len(values) // 2
    above = float(ordered[half])
    return above if len(values) % 2 else (float(ordered[half - 1]) + above) / 2


def quantiles(values: NDArray[Any], *shares: float) -> tuple[float, ...]:
    """Return what :func:`numpy.quantile` does of (numbers,), of which there is one at least and none is NaN.

    Args:
        values: numbers.
        shares: 0..1, of the numbers that are below each quantile.
    """
    ordered = np.sort(values)
    return tuple(_between(ordered, share * (len(ordered) - 1)) for share in shares)


def _between(ordered: NDArray[Any], place: float) -> float:
    """Return the number at a place, or between two, rounded as NumPy does."""
    low, high = float(ordered[int(place)]), float(ordered[min(int(place) + 1, len(ordered) - 1)])
    part, step = place % 1.0, high - low
    return high - step * (1.0 - part) if part >= 0.5 else low + step * part
