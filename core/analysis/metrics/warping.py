"""Dynamic time warping: the cost of the best way to go through two sequences together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def warped_distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Return the normalised distance of two sequences, each (frames, features), along their best alignment.

    The cost of two frames is the mean absolute difference of their features. A step that advances both sequences costs
    twice as much as one that advances either, so that the sum over any path can be divided by the frames of both.

    Source: Sakoe & Chiba 1978, symmetric form with P = 0; ``symmetric2`` of dtw-python.
    """
    from scipy.spatial.distance import cdist

    costs = cdist(a.astype(np.float64), b.astype(np.float64), "cityblock") / max(a.shape[1], 1)
    return _best_path(costs) / (len(a) + len(b))


def _best_path(costs: NDArray[np.float64]) -> float:
    """Return the cost of the best path from one corner to the other, diagonal by diagonal."""
    rows, columns = costs.shape
    flat, step = costs.ravel(), max(columns - 1, 1)
    before = np.full(rows + 1, np.inf)
    last = np.full(rows + 1, np.inf)
    for diagonal in range(rows + columns - 1):
        low, high = max(0, diagonal - columns + 1), min(diagonal, rows - 1)
        start, count = low * columns + diagonal - low, high - low + 1
        cost = flat[start : start + step * (count - 1) + 1 : step]
        now = np.full(rows + 1, np.inf)
        if diagonal == 0:
            now[1] = cost[0]
        else:
            sideways = np.minimum(last[low : high + 1], last[low + 1 : high + 2])
            now[low + 1 : high + 2] = cost + np.minimum(sideways, before[low : high + 1] + cost)
        before, last = last, now
    return float(last[rows])
