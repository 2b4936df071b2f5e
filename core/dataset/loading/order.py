"""The order in which rows are read for training: a pure function of a seed and an epoch, shared out to ranks.

So an epoch goes on at any row, and with another number of processes, from three numbers: seed, epoch and position.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ConfigError
from tonesmith.space.sampling import key_of

WINDOW = 8
"""Blocks whose rows are mixed with each other: as many are read from at a time."""


def order(
    blocks: NDArray[np.int64],
    seed: int,
    epoch: int,
    *,
    window: int = WINDOW,
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.int64]:
    """Return the indices of rows in the order of an epoch: int64 (rows,).

    Blocks are shuffled, and then the rows of each ``window`` of them, so that a block is opened once in an epoch and
    not once for each of its rows.

    Args:
        blocks: int64 (rows,), the block that each row is stored in.
        seed: of the training.
        epoch: from 0 up.
        window: blocks whose rows are mixed.
        weights: float64 (rows,), how often a row is drawn relative to others: as many rows as there are, with
            repeats. None for each row once.
    """
    if not len(blocks):
        return np.zeros(0, np.int64)
    chosen = np.arange(len(blocks)) if weights is None else _drawn(weights, seed, epoch)
    _, place = np.unique(blocks, return_inverse=True)
    rank = np.argsort(np.argsort(_words(seed, epoch, "blocks", int(place.max()) + 1), kind="stable"))
    groups = rank[place[chosen]] // window
    mixed: NDArray[np.int64] = chosen[np.lexsort((_words(seed, epoch, "rows", len(chosen)), groups))]
    return mixed


def part(ordered: NDArray[np.int64], position: int, rank: int, world: int, *, even: bool = True) -> NDArray[np.int64]:
    """Return what one of several processes reads of an order from a position on: int64 (its rows,).

    Args:
        ordered: what all of them read together.
        position: rows that they have read of it before.
        rank: of the process, from 0.
        world: number of processes.
        even: whether all are to have the same number; then the first rows are read once more, by those that lack one.
    """
    left = ordered[position:]
    if even and (lacking := -len(left) % world) and len(ordered):
        left = np.concatenate([left, np.resize(ordered, lacking)])
    return left[rank::world]


def check_share(rank: int, world: int) -> None:
    """Raise :class:`ConfigError` for a rank that is none of so many."""
    if not 0 <= rank < world:
        raise ConfigError(f"rank {rank} of {world}: ranks go from 0 to {world - 1}")


def _drawn(weights: NDArray[np.float64], seed: int, epoch: int) -> NDArray[np.int64]:
    edges = np.cumsum(weights)
    unit = (_words(seed, epoch, "draws", len(weights)) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    places = np.searchsorted(edges, unit * edges[-1], side="right")
    drawn: NDArray[np.int64] = np.minimum(places, int(np.flatnonzero(weights)[-1])).astype(np.int64)
    return drawn


def _words(seed: int, epoch: int, purpose: str, size: int) -> NDArray[np.uint64]:
    """Return uint64 (size,): raw words, whose stream NumPy guarantees."""
    generator = np.random.Philox(key=key_of(seed, "order", purpose), counter=[0, epoch, 0, 0])
    return np.asarray(generator.random_raw(size), np.uint64)
