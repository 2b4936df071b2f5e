"""Phases for magnitudes: the gradient of the phase is that of the logarithm of the magnitude, and is integrated.

Source: Prusa, Balazs & Sondergaard 2017, "A noniterative method for reconstruction of phase from STFT magnitude"
(PGHI). The strongest neighbours are joined first, as there; the order is that of a minimum spanning tree (Ching, Toal &
Munro 1992, "Two-dimensional phase unwrapping using a minimum spanning tree algorithm"), which SciPy finds fast.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.explorer.frames import BINS, GAMMA, HOP, SIZE, held_spectrum, overlapped

DEEPEST = 1e-4
"""Share of the strongest magnitude below which a phase is drawn at random."""
_TINY = 1e-9


def phases_of(
    magnitude: NDArray[np.float32], before: NDArray[np.complex64], random: np.random.Generator
) -> NDArray[np.float32]:
    """Return phases for frames that follow others: float32 (count, BINS), in radians.

    Args:
        magnitude: float32 (count, BINS).
        before: complex64 (known, BINS), the frames before them, whose phases are kept; of length 0 at the start.
        random: draws the phases of what is too quiet to be joined to anything.
    """
    known = len(before)
    whole = np.concatenate([np.abs(before), magnitude])
    phase = random.uniform(-np.pi, np.pi, whole.shape)
    phase[:known] = np.angle(before)
    heard = whole > max(DEEPEST * float(whole.max(initial=0.0)), _TINY)
    if heard.any():
        log = np.log(np.maximum(whole, np.float32(_TINY)), dtype=np.float64)
        # What nothing is known of begins at 0, as a click does
        start = np.where(np.arange(len(whole))[:, None] < known, phase, 0.0)[heard]
        phase[heard] = _integrated(log, heard, known, start)
    return np.asarray(np.remainder(phase[known:], 2.0 * np.pi), np.float32)


def refined(
    magnitude: NDArray[np.float32], frames: NDArray[np.complex64], before: NDArray[np.complex64], rounds: int
) -> NDArray[np.complex64]:
    """Return frames whose phases agree better with those of their neighbours, after some rounds of Griffin-Lim.

    Source: Griffin & Lim 1984, "Signal estimation from modified short-time Fourier transform".

    Args:
        magnitude: float32 (count, BINS), that the frames keep.
        frames: complex64 (count, BINS).
        before: complex64 (known, BINS), the frames before them, which stay.
        rounds: of projections; 0 returns the frames as they are.
    """
    margin = SIZE // HOP - 1
    for _ in range(rounds):
        sound = overlapped(np.concatenate([before, frames]))
        # What lies beyond either end is not known, so that the frames there see half of themselves
        seen = held_spectrum(sound)[len(before) :]
        scale = magnitude / np.maximum(np.abs(seen), np.float32(_TINY))
        frames = np.concatenate([(seen * scale)[:-margin], frames[-margin:]])
    return frames


def _integrated(
    log: NDArray[np.float64], heard: NDArray[np.bool_], known: int, start: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the phase of each place that is heard, from the known ones on: float64 (places,)."""
    first, second, rise = _edges(log, heard, known)
    strength = log[heard]
    parent = _parents(first, second, strength, int(heard[:known].sum()))
    places = np.flatnonzero(heard.ravel())
    rises = np.zeros((2, heard.size))
    for place, values in enumerate(rise):
        rises[place] = values.ravel()
    step = places - places[parent]
    over_time = np.abs(step) >= BINS
    lower = np.where(step > 0, places[parent], places)
    added = np.where(over_time, rises[1][lower], rises[0][lower]) * np.sign(step)
    while True:
        further = parent[parent]
        if np.array_equal(further, parent):
            return np.asarray(added + start[parent])
        added += added[parent]
        parent = further


def _edges(
    log: NDArray[np.float64], heard: NDArray[np.bool_], known: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return the ends of edges between places that are heard, and how the phase rises to the next bin and frame."""
    over_bins = -GAMMA / (HOP * SIZE) * _slope(log, 0)
    over_time = HOP * SIZE / GAMMA * _slope(log, 1) + 2.0 * np.pi * HOP / SIZE * np.arange(BINS)
    to_bin, to_frame = np.zeros_like(log), np.zeros_like(log)
    to_bin[:, :-1] = 0.5 * (over_bins[:, :-1] + over_bins[:, 1:])
    to_frame[:-1] = 0.5 * (over_time[:-1] + over_time[1:])
    names = np.cumsum(heard.ravel()).reshape(heard.shape) - 1
    across = heard[:, :-1] & heard[:, 1:]
    across[:known] = False
    along = heard[:-1] & heard[1:]
    along[: max(known - 1, 0)] = False
    first = np.concatenate([names[:, :-1][across], names[:-1][along]])
    second = np.concatenate([names[:, 1:][across], names[1:][along]])
    return first, second, (to_bin, to_frame)


def _slope(log: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Return differences between the places on either side, halved; those at the ends, to their one neighbour."""
    if log.shape[axis] < 2:
        return np.zeros_like(log)
    return np.asarray(np.gradient(log, axis=axis))


def _parents(
    first: NDArray[np.int64], second: NDArray[np.int64], strength: NDArray[np.float64], known: int
) -> NDArray[np.int64]:
    """Return from which neighbour each place takes its phase; itself for one that keeps its own.

    Args:
        first: ends of the edges.
        second: their other ends.
        strength: of each place, the logarithm of its magnitude.
        known: how many of the first places keep their phase.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree

    count = len(strength)
    cost = 1.0 + 2.0 * strength.max() - strength[first] - strength[second]
    held = np.arange(known)
    ends = (np.concatenate([first, np.full(known, count)]), np.concatenate([second, held]))
    shape = (count + 1, count + 1)
    graph = coo_array((np.concatenate([cost, np.full(known, 0.5)]), ends), shape=shape).tocsr()
    tree: Any = minimum_spanning_tree(graph, overwrite=True)
    groups, group = connected_components(tree, directed=False)
    strongest = _strongest(group[:count], strength, groups)
    roots = np.delete(strongest, group[count])
    links = coo_array((np.ones(len(roots)), (np.full(len(roots), count), roots)), shape=shape).tocsr()
    _, parent = breadth_first_order(tree + links, count, directed=False)
    parent = parent[:count].astype(np.int64)
    return np.where(parent == count, np.arange(count), parent)


def _strongest(group: NDArray[Any], strength: NDArray[np.float64], groups: int) -> NDArray[np.int64]:
    """Return the strongest member of each group, the last of several."""
    best = np.full(groups, -np.inf)
    np.maximum.at(best, group, strength)
    found = np.flatnonzero(strength == best[group])
    member = np.zeros(groups, np.int64)
    member[group[found]] = found
    return member
