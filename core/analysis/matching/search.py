"""The search: leaps that a surrogate foretells and a climb take turns, and CMA-ES refines what they have found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.matching.climb import Climb
from tonesmith.analysis.matching.forecast import Forecast
from tonesmith.analysis.matching.leaps import Leaps
from tonesmith.analysis.matching.moves import audible_of, with_continuous
from tonesmith.analysis.matching.points import Chart
from tonesmith.analysis.matching.trials import Trial, Trials
from tonesmith.space.label import Label
from tonesmith.space.sampling import key_of
from tonesmith.space.space import ParameterSpace

ROUNDS = 4
"""How often leaps and a climb take turns."""
LEAPT, REFINED = 0.6, 0.15
"""The share of the renders of a round that leaps have, and of all renders that CMA-ES has, at the end."""
TOGETHER = 10
"""Labels that a climb tries at once, and the population of CMA-ES. Small ones come further with few renders."""
_SIGMA = 0.5
"""Its first standard deviation, in steps that the climb has found for each parameter."""
_STEP = (0.01, 0.2)
_PATIENCE = 2
"""Populations of CMA-ES without a better label, after which the climb goes on instead."""


def search(space: ParameterSpace, trials: Trials, starts: Sequence[Trial], stored: Sequence[Trial], seed: int) -> None:
    """Look for labels that are nearer, until the budget is spent. What is best is in ``trials``.

    All draws depend on the seed and on distances alone, so that any number of workers finds the same.

    Args:
        space: of the labels.
        trials: what renders and measures.
        starts: trials of the nearest rows, nearest first.
        stored: other rows that were played with the same note, as they are stored.
        seed: of all draws.
    """
    total = trials.left
    refined = round(total * REFINED)
    leaps = Leaps(Chart(space), trials, [*starts, *stored], _draws(seed, "match leaps"))
    best = starts[0] if trials.best is None else trials.best.trial
    climb = Climb(space, best, Forecast(trials.distance.levels), _draws(seed, "match climb"))
    for part in range(ROUNDS):
        begin = total - (total - refined) * part // ROUNDS
        end = total - (total - refined) * (part + 1) // ROUNDS
        leaps.until(begin - round((begin - end) * LEAPT))
        climb.go_on_from(trials.best.trial if trials.best else best)
        while trials.left > end and _climbed(trials, climb, leaps):
            pass
    refine(space, trials, climb, key_of(seed, "match refinement") % 2**32)
    while trials.left > 0 and _climbed(trials, climb, leaps):
        pass


def _draws(seed: int, purpose: str) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key_of(seed, purpose)))


def _climbed(trials: Trials, climb: Climb, leaps: Leaps) -> bool:
    """Let a climb try a batch of changes, and those that help together. Return whether there was any to try."""
    asked = climb.ask(TOGETHER)
    alone = trials.of(asked)
    together = trials.of(climb.tell(alone))
    climb.settle(together)
    leaps.learn([*alone, *together])
    return bool(asked)


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
