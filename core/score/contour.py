"""The contour of a phrase: how its pitch goes from the first note to the last."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Contour = Literal["arch", "valley", "rise", "fall", "wave", "level"]

CONTOURS: Final[Mapping[Contour, Callable[[float], float]]] = {
    "arch": lambda t: 4.0 * t * (1.0 - t),
    "valley": lambda t: 1.0 - 4.0 * t * (1.0 - t),
    "rise": lambda t: t,
    "fall": lambda t: 1.0 - t,
    "wave": lambda t: 0.5 - 0.5 * math.cos(4.0 * math.pi * t),
    "level": lambda _: 0.5,
}
"""Height, 0 to 1, from the first onset of a phrase, 0, to its last, 1. A wave rises and falls twice."""

LEVEL: Final = 7
"""Semitones that a level phrase may take, from its lowest note to its highest: a fifth."""


def contour_of(onsets: Sequence[float] | NDArray[np.float64], pitches: Sequence[int] | NDArray[np.uint8]) -> Contour:
    """Return which contour a phrase follows.

    One within a fifth is level. Of others it is the curve of :data:`CONTOURS` with the largest correlation; the names
    are those of Huron 1996, "The melodic arch in Western folksongs", with a wave besides.

    Args:
        onsets: (notes,) in any unit, rising.
        pitches: (notes,) MIDI pitches.
    """
    heights = np.asarray(pitches, np.float64)
    if len(heights) < 2 or np.ptp(heights) <= LEVEL:
        return "level"
    times = np.asarray(onsets, np.float64)
    places = ((times - times[0]) / max(float(times[-1] - times[0]), 1e-12)).tolist()
    fits = {name: _fit(heights, [curve(t) for t in places]) for name, curve in CONTOURS.items() if name != "level"}
    return max(fits, key=fits.__getitem__)


def _fit(heights: NDArray[np.float64], curve: Sequence[float]) -> float:
    """Return the correlation of pitches and a curve; -1 where the curve does not move."""
    centred = np.asarray(curve, np.float64) - np.mean(curve)
    size = float(np.linalg.norm(centred))
    around = heights - heights.mean()
    return float(around @ centred) / (size * float(np.linalg.norm(around))) if size > 1e-9 else -1.0
