"""Which sounds a report puts before its reader: those that span the set, the oddest ones, and near duplicates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.pca import z_scored

_NEIGHBOURS = 5
"""Of a sound, whose mean distance says how unlike the rest it is."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sounds of different patches: their places in the sample, and how far apart they are in dB."""

    first: int
    second: int
    distance: float


def distances_of(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the root mean square difference of the z-scored features of each two sounds: float64 (n, n)."""
    scored = z_scored(features) if len(features) else features
    squares = np.square(scored).sum(axis=1)
    found = squares[:, None] + squares[None] - 2.0 * (scored @ scored.T)
    np.fill_diagonal(found, 0.0)
    distances: NDArray[np.float64] = np.sqrt(np.maximum(found, 0.0) / max(scored.shape[1], 1))
    return distances


def spanning(distances: NDArray[np.float64], count: int) -> list[int]:
    """Return the sounds that stand for all: each lessens most the distance of all sounds to the nearest of them.

    The greedy k-medoids of Kaufman & Rousseeuw 1990, "Finding Groups in Data", chapter 2 (BUILD).
    """
    nearest = np.full(len(distances), distances.max(initial=0.0) + 1.0)
    chosen: list[int] = []
    for _ in range(min(count, len(distances))):
        gains = np.maximum(nearest[None] - distances, 0.0).sum(axis=1)
        gains[chosen] = -1.0
        chosen.append(int(gains.argmax()))
        nearest = np.minimum(nearest, distances[chosen[-1]])
    return chosen


def oddest(
    distances: NDArray[np.float64],
    loudness: Sequence[float],
    centroid: Sequence[float],
    attack: Sequence[float],
) -> list[tuple[int, str]]:
    """Return the sounds at the ends, each once, and what each is."""
    unlike = _unlike(distances)
    wanted: list[tuple[str, Sequence[float] | NDArray[np.float64], Callable[[NDArray[np.float64]], np.intp]]] = [
        ("loudest", loudness, np.nanargmax),
        ("quietest", loudness, np.nanargmin),
        ("brightest", centroid, np.nanargmax),
        ("darkest", centroid, np.nanargmin),
        ("slowest attack", attack, np.nanargmax),
        ("most unlike the rest", unlike, np.nanargmax),
    ]
    found: dict[int, str] = {}
    for name, values, choose in wanted:
        known = np.asarray(values, np.float64)
        if np.isfinite(known).any():
            place = int(choose(np.where(np.isfinite(known), known, np.nan)))
            found[place] = f"{found[place]}, {name}" if place in found else name
    return list(found.items())


def _unlike(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean distance of each sound to its nearest neighbours; NaN where there are no two sounds."""
    if len(distances) < 3:
        return np.full(len(distances), np.nan)
    nearest = np.sort(distances, axis=1)[:, 1 : 1 + _NEIGHBOURS]
    return np.asarray(nearest.mean(axis=1), np.float64)


def duplicates(
    distances: NDArray[np.float64], features: NDArray[np.float64], patches: NDArray[np.int64], count: int
) -> list[Pair]:
    """Return the nearest pairs of sounds of different patches, nearest first, each sound in one pair at most.

    Args:
        distances: of each two, by which they are ranked.
        features: in dB; the mean absolute difference is told.
        patches: int64 (n,), of which no two of a pair are the same.
        count: pairs at most.
    """
    first, second = np.triu_indices(len(distances), 1)
    apart = patches[first] != patches[second]
    first, second = first[apart], second[apart]
    order = np.argsort(distances[first, second], kind="stable")[: 50 * count]
    used: set[int] = set()
    pairs: list[Pair] = []
    for one, other in zip(first[order].tolist(), second[order].tolist(), strict=True):
        if len(pairs) < count and one not in used and other not in used:
            used |= {one, other}
            pairs.append(Pair(one, other, float(np.abs(features[one] - features[other]).mean())))
    return pairs
