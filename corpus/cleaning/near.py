"""Pictures of sounds that are near each other: all pairs are compared, a block that stays in the cache at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BLOCK: Final = (64, 2048)
"""Rows and columns of a block."""


def near_pictures(
    pictures: NDArray[np.uint8], ends: NDArray[np.int64], farthest: float, most: int
) -> Iterator[tuple[int, list[int]]]:
    """Yield the place of each picture that has near ones, with their places: those after it, and before its end.

    Two pictures differ by the mean difference of their bytes.

    Args:
        pictures: uint8 (pictures, bytes), at most 256 bytes each.
        ends: (pictures,) place up to which each is compared, rising.
        farthest: mean difference of two that are near.
        most: places of each, the nearest first; of equally near ones the earliest.
    """
    columns = np.ascontiguousarray(pictures.T, np.int16)
    limit = farthest * len(columns)
    for first in range(0, len(pictures), _BLOCK[0]):
        rows = slice(first, min(first + _BLOCK[0], len(pictures)))
        stop = int(ends[rows.stop - 1])
        starts = range(first, stop, _BLOCK[1])
        tiles = [_near(columns, ends, rows, slice(start, min(start + _BLOCK[1], stop)), limit) for start in starts]
        places, others, apart = (np.concatenate(each) for each in zip(*tiles, strict=True))
        order = np.lexsort((others, apart, places))
        found, begins = np.unique(places[order], return_index=True)
        for place, begin in zip(found.tolist(), begins.tolist(), strict=True):
            nearest = order[begin : begin + most]
            yield place, others[nearest[places[nearest] == place]].tolist()


def _near(
    columns: NDArray[np.int16], ends: NDArray[np.int64], rows: slice, others: slice, limit: float
) -> tuple[NDArray[Any], ...]:
    """Return of each near pair in a block its two places, and the sum of its differences."""
    apart = np.zeros((rows.stop - rows.start, others.stop - others.start), np.uint16)
    step = np.empty(apart.shape, np.int16)
    for column in columns:
        np.abs(np.subtract(column[others], column[rows, None], out=step), out=step)
        apart += step.view(np.uint16)
    first, second = np.nonzero(apart <= limit)
    places, after = first + rows.start, second + others.start
    wanted = (after > places) & (after < ends[places])
    return places[wanted], after[wanted], apart[first[wanted], second[wanted]]
