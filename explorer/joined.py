"""Which neighbour each place of a spectrogram takes its phase from: the strongest are joined first.

The order is that of a minimum spanning tree (Ching, Toal & Munro 1992, "Two-dimensional phase unwrapping using a
minimum spanning tree algorithm"). Its first round is that of Boruvka 1926: each place is joined to its strongest
neighbour, which makes hills around peaks. SciPy joins the hills, which are far fewer than the places.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, slots=True)
class _Edges:
    """Where hills meet, at most one place for two hills.

    Attributes:
        low, high: int64 (edges,), the hills; 0 is what was known before.
        rise: float64 (edges,), of the phase from the peak of the low one to that of the high one.
    """

    low: NDArray[np.int64]
    high: NDArray[np.int64]
    rise: NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class _Grid:
    """The places that take part, in their order, frame after frame.

    Attributes:
        place: int64 (places,), frame * bins + bin of each.
        level: float32 (places,), the strength of each.
        near: four of int64 (places,), the neighbour in the frame before, the bin below, the bin above and the frame
            after; -1 for none.
        rise: four of float32 (places,), how the phase rises from that neighbour.
        known: how many of the places are known.
    """

    place: NDArray[np.int64]
    level: NDArray[np.float32]
    near: tuple[NDArray[np.int32], ...]
    rise: tuple[NDArray[np.float32], ...]
    known: int


def integrated(
    strength: NDArray[np.float32], to_bin: NDArray[np.float32], to_frame: NDArray[np.float32], known: NDArray[Any]
) -> NDArray[np.float64]:
    """Return phases, summed from the known ones on, or from 0 at the strongest place of what is joined to none of them.

    Args:
        strength: float32 (frames, bins), the logarithm of the magnitude; -inf for what takes no part.
        to_bin: float32 (frames, bins), how the phase rises from each place to the next bin.
        to_frame: likewise, to the next frame.
        known: (some, bins), the phases of the first frames; with 0 frames if none is known.

    Returns:
        float64 (frames, bins), in radians, not wrapped, and 0 for what takes no part.
    """
    grid = _grid(strength, to_bin, to_frame, known.size)
    own = np.arange(len(grid.place), dtype=np.int32)
    parent, rise = _strongest_neighbours(grid, own)
    _end_at_peaks(parent, rise, grid.level)
    _follow(parent, rise)
    rise[: grid.known] = known.ravel()[grid.place[: grid.known]]
    later = own >= grid.known
    rise[later] += np.where(parent[later] < grid.known, rise[parent[later]], 0.0)
    peaks = np.flatnonzero((parent == own) & later)
    hill = np.zeros(len(own), np.int64)
    hill[peaks] = np.arange(1, len(peaks) + 1)
    hill = hill[parent]
    phase = np.zeros(strength.size)
    phase[grid.place] = rise + _hill_phases(_meetings(grid, hill, rise), grid.level[peaks])[hill]
    return phase.reshape(strength.shape)


def _grid(
    strength: NDArray[np.float32], to_bin: NDArray[np.float32], to_frame: NDArray[np.float32], known: int
) -> _Grid:
    bins = strength.shape[1]
    place = np.flatnonzero(strength > -np.inf)
    name = np.full(strength.size + 2 * bins, -1, np.int32)
    name[place + bins] = np.arange(len(place), dtype=np.int32)
    column = place % bins
    below = np.where(column > 0, name[place + bins - 1], np.int32(-1))
    above = np.where(column < bins - 1, name[place + bins + 1], np.int32(-1))
    over_bins, over_frames = to_bin.ravel(), to_frame.ravel()
    rise = (over_frames[place - bins], over_bins[place - 1], -over_bins[place], -over_frames[place])
    near = (name[place], below, above, name[place + 2 * bins])
    return _Grid(place, strength.ravel()[place], near, rise, int(np.searchsorted(place, known)))


def _strongest_neighbours(grid: _Grid, own: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return the strongest neighbour of each place, and how the phase rises from it: (places,) each.

    A place that is known, or has no neighbours, has itself. Of equal neighbours the last is taken, so that no circle is
    closed.
    """
    level = np.append(grid.level, np.float32(-np.inf))
    best, parent, rise = np.full_like(grid.level, -np.inf), own.copy(), np.zeros_like(grid.level)
    for near, added in zip(grid.near, grid.rise, strict=True):
        there = level[near]
        better = (there >= best) & (near >= 0)
        best, parent = np.where(better, there, best), np.where(better, near, parent)
        rise = np.where(better, added, rise)
    parent[: grid.known], rise[: grid.known] = own[: grid.known], 0.0
    return parent, rise.astype(np.float64)


def _end_at_peaks(parent: NDArray[np.int32], rise: NDArray[np.float64], level: NDArray[np.float32]) -> None:
    """Where two places are each other's strongest neighbour, the stronger one becomes a peak, which has no other."""
    own = np.arange(len(parent))
    pairs = np.flatnonzero((parent[parent] == own) & (parent != own))
    other = parent[pairs]
    peaks = pairs[(level[pairs] > level[other]) | ((level[pairs] == level[other]) & (pairs > other))]
    parent[peaks] = peaks
    rise[peaks] = 0.0


def _follow(parent: NDArray[Any], rise: NDArray[np.float64]) -> None:
    """Replace each parent by the last one, and each rise by the sum on the way there: in steps that double."""
    places = np.arange(len(parent))
    while True:
        near = parent[places]
        far = parent[near]
        going = far != near
        if not going.any():
            return
        places, near, far = places[going], near[going], far[going]
        rise[places] = rise[places] + rise[near]
        parent[places] = far


def _meetings(grid: _Grid, hill: NDArray[np.int64], rise: NDArray[np.float64]) -> _Edges:
    """Return the edges between hills, the strongest alone of those between two, ordered from strong to weak."""
    ends = []
    for near, added in zip(grid.near[2:], grid.rise[2:], strict=True):
        first = np.flatnonzero((near >= 0) & (hill != hill[near]))
        ends.append((first, near[first], -added[first]))
    first, second, added = (np.concatenate(parts) for parts in zip(*ends, strict=True))
    order = np.argsort(-(grid.level[first] + grid.level[second]), kind="stable")
    first, second = first[order], second[order]
    added = added[order] + rise[first] - rise[second]
    low, high = hill[first], hill[second]
    turned = low > high
    low, high = np.where(turned, high, low), np.where(turned, low, high)
    pairs = np.unique(low * (len(hill) + 1) + high, return_index=True)[1]
    pairs.sort()
    return _Edges(low[pairs], high[pairs], np.where(turned, -added, added)[pairs])


def _hill_phases(edges: _Edges, level: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the phase of the peak of each hill, the known ones before: float64 (1 + hills,)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree

    count = 1 + len(level)
    # They are in order, so that their places are their costs, by which they are found again
    cost = np.arange(1.0, len(edges.low) + 1.0)
    graph = coo_array((cost, (edges.low, edges.high)), shape=(count, count)).tocsr()
    tree: Any = minimum_spanning_tree(graph, overwrite=True)
    groups, group = connected_components(tree, directed=False)
    roots = np.delete(_strongest(group, np.concatenate([[np.inf], level]), groups), group[0])
    links = coo_array((np.ones(len(roots)), (np.zeros(len(roots), np.int64), roots)), shape=tree.shape).tocsr()
    parent = breadth_first_order(tree + links, 0, directed=False)[1].astype(np.int64)
    parent[0] = 0
    used = np.rint(tree.data).astype(np.int64) - 1
    low, high, added = edges.low[used], edges.high[used], edges.rise[used]
    down = (parent[high] == low) & (high > 0)
    rise = np.zeros(count)
    rise[np.where(down, high, low)] = np.where(down, added, -added)
    _follow(parent, rise)
    return rise


def _strongest(group: NDArray[Any], level: NDArray[Any], groups: int) -> NDArray[np.int64]:
    """Return the strongest member of each group, the last of several."""
    best = np.full(groups, -np.inf)
    np.maximum.at(best, group, level)
    found = np.flatnonzero(level == best[group])
    member = np.zeros(groups, np.int64)
    member[group[found]] = found
    return member
