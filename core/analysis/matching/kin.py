"""Labels that a surrogate is asked about: neighbours of the best, and children of those that are likeliest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.matching.moves import modules_of, other_choices
from tonesmith.analysis.matching.points import Chart, Points

_AWAY = np.array([-0.3, -0.15, -0.06, -0.02, -0.007, 0.007, 0.02, 0.06, 0.15, 0.3], np.float32)
"""Steps of a continuous parameter, each made up to 1.4 times longer or shorter."""
_FACTOR = 1.4
_CROSSED, _BOTH, _OTHER = 0.4, 0.5, 0.15
"""The shares of children that have two parents, of these that are changed as well, and of the changed that get another
choice."""
_FEWER = 0.3
"""Of a geometric distribution: how many continuous values of a child change, beside one."""
_SPREAD = (-2.3, -0.6)
"""The decimal logarithms of the least and greatest standard deviation of such changes."""


def neighbours(
    chart: Chart, best: Points, mask: NDArray[np.bool_], lenders: Points, random: np.random.Generator
) -> Points:
    """Return labels that differ from a good one in a parameter, in a module, or in modulations and assets.

    Args:
        chart: of the points.
        best: (1,), the good one.
        mask: bool (parameters,), what of it may be changed.
        lenders: whose modules it borrows, one at a time.
        random: draws how far steps go, and the choices of scales.
    """
    count = best.continuous.shape[1]
    parts = [_stepped(best, place, random) for place in np.flatnonzero(mask[:count]).tolist()]
    parts += [_otherwise(chart, best, place, random) for place in np.flatnonzero(mask[count:]).tolist()]
    parts += [_lent(chart, best, lenders, module) for module in modules_of(chart.space)]
    if (lenders.rests != best.rests[0]).any():
        rests = best.repeated(len(lenders))
        parts.append(Points(rests.continuous, rests.categorical, lenders.rests))
    return Points.joined(parts) if parts else best[:0]


def children(
    chart: Chart,
    parents: Points,
    mask: NDArray[np.bool_],
    likely: NDArray[np.float64],
    count: int,
    random: np.random.Generator,
) -> Points:
    """Return labels that are crossed of two others, or changed in a few parameters, or both.

    Args:
        chart: of the points.
        parents: (n,) to draw from.
        mask: bool (n, parameters), what of each may be changed.
        likely: (n,), how likely each is drawn; they add up to 1.
        count: of children.
        random: draws them.
    """
    first, second = (random.choice(len(parents), count, p=likely) for _ in range(2))
    born, other = parents[first], parents[second]
    continuous, categorical, rests = born.arrays
    crossed, share = random.random(count) < _CROSSED, random.random((count, 1))
    for own, lent in ((continuous, other.continuous), (categorical, other.categorical)):
        taken = (random.random(own.shape) < share) & crossed[:, None]
        own[taken] = lent[taken]
    rests = np.where(crossed & (random.random(count) < share[:, 0]), other.rests, rests)
    changed = ~crossed | (random.random(count) < _BOTH)
    audible, chosen = np.split(mask[first] & changed[:, None], [continuous.shape[1]], axis=1)
    few = _drawn(audible, 1 + random.geometric(_FEWER, count), random)
    away = random.normal(size=continuous.shape) * 10.0 ** random.uniform(*_SPREAD, (count, 1))
    continuous = np.clip(continuous + few * away, 0.0, 1.0).astype(np.float32)
    one = _drawn(chosen & (random.random((count, 1)) < _OTHER), np.ones(count), random)
    anywhere = (random.random(categorical.shape) * chart.counts).astype(np.int32)
    return Points(continuous, np.where(one, anywhere, categorical), rests)


def _drawn(
    allowed: NDArray[np.bool_], counts: NDArray[np.integer] | NDArray[np.floating], random: np.random.Generator
) -> NDArray[np.bool_]:
    """Return, of what each row allows, as many as are wanted, at random; all where fewer are allowed."""
    order = np.where(allowed, random.random(allowed.shape), 2.0).argsort(axis=1, kind="stable").argsort(axis=1)
    return allowed & (order < counts[:, None])


def _stepped(best: Points, place: int, random: np.random.Generator) -> Points:
    found = best.repeated(len(_AWAY))
    away = _AWAY * _FACTOR ** random.uniform(-1.0, 1.0, len(_AWAY))
    found.continuous[:, place] = np.clip(found.continuous[:, place] + away, 0.0, 1.0)
    return found


def _otherwise(chart: Chart, best: Points, place: int, random: np.random.Generator) -> Points:
    choices = other_choices(chart.space, chart.label_of(best, 0), place, random)
    found = best.repeated(len(choices))
    found.categorical[:, place] = choices
    return found


def _lent(chart: Chart, best: Points, lenders: Points, module: str) -> Points:
    """Return a label with a module of each lender, less what fills an asset slot."""
    found = best.repeated(len(lenders))
    continuous = [place for place, p in enumerate(chart.space.continuous) if p.group == module]
    categorical = [place for place, p in enumerate(chart.space.categorical) if p.group == module and not p.slot]
    found.continuous[:, continuous] = lenders.continuous[:, continuous]
    found.categorical[:, categorical] = lenders.categorical[:, categorical]
    return found
