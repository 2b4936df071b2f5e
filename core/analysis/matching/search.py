"""The search: several starts borrow and climb side by side, the worst drop out, and CMA-ES refines what is best."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.matching.climb import Climb
from tonesmith.analysis.matching.forecast import Forecast
from tonesmith.analysis.matching.moves import audible_of, with_continuous
from tonesmith.analysis.matching.trials import Trial, Trials
from tonesmith.space.label import Label
from tonesmith.space.sampling import key_of
from tonesmith.space.space import ParameterSpace

STARTS = (3, 2, 1)
"""How many starts go on in each part of the climb."""
TOGETHER = 10
"""Labels that each start tries at once, and the population of CMA-ES. Small ones come further with few renders."""
REFINED = 0.15
"""The share of the renders that CMA-ES has, at the end."""
_SIGMA = 0.5
"""Its first standard deviation, in steps that the climb has found for each parameter."""
_STEP = (0.01, 0.2)
_PATIENCE = 2
"""Populations of CMA-ES without a better label, after which the climb goes on instead."""


def search(space: ParameterSpace, trials: Trials, starts: Sequence[Trial], lenders: Sequence[Label], seed: int) -> None:
    """Look for labels that are nearer, until the budget is spent. What is best is in ``trials``.

    All draws depend on the seed and on distances alone, so that any number of workers finds the same.

    Args:
        space: of the labels.
        trials: what renders and measures.
        starts: trials of the nearest rows, nearest first.
        lenders: labels that each start borrows modules of, before it climbs.
        seed: of all draws.
    """
    random = np.random.Generator(np.random.Philox(key=key_of(seed, "match climb")))
    climbs = [Climb(space, start, Forecast(trials.distance.levels), random) for start in starts[: STARTS[0]]]
    for climb in climbs:
        climb.borrow([*(other.best.label for other in climbs if other is not climb), *lenders])
    total, refined = trials.left, round(trials.left * REFINED)
    for part, count in enumerate(STARTS, start=1):
        climbs = _kept(climbs, count)
        end = refined + (total - refined) * (len(STARTS) - part) // len(STARTS)
        while trials.left > end and _climbed(trials, climbs):
            pass
    refine(space, trials, climbs[0], key_of(seed, "match refinement") % 2**32)
    while trials.left > 0 and _climbed(trials, climbs):
        pass


def _kept(climbs: Sequence[Climb], count: int) -> list[Climb]:
    """Return the climbs that have come nearest. They borrow modules of the others."""
    ranked = sorted(climbs, key=lambda climb: climb.best.distance)
    for climb in ranked[:count]:
        climb.borrow([other.best.label for other in ranked[count:]])
    return ranked[:count]


def _climbed(trials: Trials, climbs: Sequence[Climb]) -> bool:
    """Let each climb try a batch of changes, and those that help together. Return whether there was any to try."""
    asked = [climb.ask(TOGETHER) for climb in climbs]
    together = [climb.tell(found) for climb, found in zip(climbs, _tried(trials, asked), strict=True)]
    for climb, found in zip(climbs, _tried(trials, together), strict=True):
        climb.settle(found)
    return any(asked)


def _tried(trials: Trials, asked: Sequence[Sequence[Label]]) -> list[list[Trial]]:
    """Return the trials of several lists of labels, which are rendered at once."""
    found = trials.of([label for labels in asked for label in labels])
    return [found[first:end] for first, end in pairwise(accumulate(map(len, asked), initial=0))]


def refine(space: ParameterSpace, trials: Trials, climb: Climb, seed: int) -> None:
    """Move all audible continuous parameters of the best together, by CMA-ES, in steps that the climb has found.

    It ends with the renders, or when :data:`_PATIENCE` populations have found nothing.

    Args:
        space: of the labels.
        trials: what renders and measures.
        climb: whose best is refined.
        seed: of all draws.
    """
    label = climb.best.label
    places = audible_of(space, label)[0]
    if len(places) < 2:
        return
    here = label.continuous.astype(np.float64)
    steps = np.array([climb.knobs[place].step for place in places]).clip(*_STEP)
    strategy, idle = _strategy(here[places], steps, seed), 0
    while trials.left >= TOGETHER and idle < _PATIENCE and not strategy.should_stop():
        points = [strategy.ask() for _ in range(TOGETHER)]
        found = trials.of([_at(space, label, places, here[places] + point * steps) for point in points])
        if len(found) == TOGETHER:
            strategy.tell([(point, trial.distance) for point, trial in zip(points, found, strict=True)])
        before = climb.best.distance
        climb.settle(found)
        idle = 0 if climb.best.distance < before else idle + 1


def _strategy(here: NDArray[np.float64], steps: NDArray[np.float64], seed: int) -> Any:
    """Return CMA-ES with a diagonal covariance around a point, in units of a step of each parameter.

    Source: Ros & Hansen 2008, "A simple modification in CMA-ES achieving linear time and space complexity". There are
    fewer renders than a whole covariance has entries.
    """
    import cmaes

    bounds = np.stack([-here / steps, (1.0 - here) / steps], axis=1)
    return cmaes.SepCMA(np.zeros(len(here)), _SIGMA, bounds, n_max_resampling=1, seed=seed, population_size=TOGETHER)


def _at(space: ParameterSpace, label: Label, places: NDArray[np.int64], values: NDArray[np.float64]) -> Label:
    continuous = label.continuous.astype(np.float64)
    continuous[places] = values
    return with_continuous(space, label, continuous)
