"""What divisions among splits share: groups that belong together, and bounds with which shares hold among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset.splits import cumulative, distinct


def joined(count: int, pairs: list[list[int]]) -> NDArray[np.int64]:
    """Return int64 (count,): the smallest number of those that pairs join each to, directly or through others."""
    head = list(range(count))

    def head_of(place: int) -> int:
        while head[place] != place:
            head[place] = head[head[place]]
            place = head[place]
        return place

    for one, other in pairs:
        low, high = sorted((head_of(one), head_of(other)))
        head[high] = low
    return np.array([head_of(place) for place in range(count)], np.int64)


def calibrated(
    numbers: NDArray[np.float64], weights: NDArray[np.int64], shares: Mapping[str, float]
) -> tuple[float, ...]:
    """Return the bounds with which shares hold among groups, as near to the shares themselves as can be.

    Args:
        numbers: float64 (groups,) in [0, 1): what each group is hashed to.
        weights: int64 (groups,): the patches of each.
        shares: split -> its share.
    """
    sorted_numbers, places = np.unique(numbers, return_inverse=True)
    cuts = np.concatenate([[0], np.cumsum(np.bincount(places.reshape(-1), weights))])
    bounds = []
    for share in cumulative(shares):
        cut = int(np.argmin(np.abs(cuts - share * cuts[-1])))
        lowest = np.nextafter(sorted_numbers[cut - 1], 2.0) if cut else 0.0
        highest = sorted_numbers[cut] if cut < len(sorted_numbers) else 1.0
        bounds.append(float(np.clip(share, lowest, highest)))
    return tuple(bounds)


def presets_of(patches: Mapping[str, NDArray[Any]]) -> int:
    """Return how many presets the patches of some columns came from."""
    both = np.concatenate([patches[name] for name in ("preset", "mate") if name in patches])
    return sum(map(bool, distinct(both)[0]))
