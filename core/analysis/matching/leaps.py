"""Leaps: the first part of a search, in which a surrogate says which labels are likeliest to come nearer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.matching.kin import children, neighbours
from tonesmith.analysis.matching.points import Chart, Heard, Points
from tonesmith.analysis.matching.surrogate import LEAST_HEARD, Surrogate
from tonesmith.analysis.matching.trials import Trial, Trials
from tonesmith.space.label import Label

_AT_ONCE = 10
"""Labels that are rendered before what they tell is learned."""
_REFIT = 40
"""Renders after which the weights of parameters are fitted again."""
_FAVOURITES, _LENDERS, _NEIGHBOURS = 2, 120, 1500
"""How many of the best are changed, the modules of how many others they try, and how many changes are looked at."""
_GENERATIONS, _CHILDREN, _PARENTS = 4, 200, 50
"""How often those that are thought likely have children, how many, and of how many the next ones come."""
_OUTRIGHT = 3
"""One in so many of the parents is there for its distance, and not for what it is expected to gain."""
_DOUBT, _LAST = 6.0, 60
"""dB by which forecasts are thought to err, of what is unknown, before any was checked; and the last ones that tell."""
_LEAST = 1e-9


class Leaps:
    """Renders what is thought likeliest to come nearer to the target, and learns from it.

    Of labels near the best, and of their children through some generations, those are chosen whose distance is expected
    to improve most on the best: the surrogate tells a distance and a doubt of each. A batch is chosen one by one, as if
    what was chosen before were heard already.

    Sources: Jones, Schonlau & Welch 1998, "Efficient global optimization of expensive black-box functions" (expected
    improvement); Desautels, Krause & Burdick 2014, "Parallelizing exploration-exploitation tradeoffs in Gaussian
    process bandit optimization" (batches).

    Args:
        chart: of the labels.
        trials: what renders and measures.
        known: trials of labels that were heard before: of stored rows, and of starts.
        random: of all draws.
    """

    def __init__(self, chart: Chart, trials: Trials, known: Sequence[Trial], random: np.random.Generator) -> None:
        self._chart, self._trials, self._random = chart, trials, random
        self._surrogate = Surrogate(trials.distance.levels)
        self._points, self._heard = chart.points_of([]), chart.heard(chart.points_of([]))
        self._levels = np.zeros((0, trials.distance.levels.size), np.float32)
        self._distances = np.zeros(0)
        self._seen: set[bytes] = set()
        self._errors: list[float] = []
        self.learn(known)
        self._lenders = self._points[np.argsort(self._distances, kind="stable")[:_LENDERS]]

    def until(self, left: int) -> None:
        """Leap until no more renders are left than that, or nothing is left to try."""
        fitted = self._trials.done - _REFIT
        while self._trials.left > left and len(self._points) >= LEAST_HEARD:
            fit = self._trials.done >= fitted + _REFIT
            fitted = self._trials.done if fit else fitted
            self._surrogate.learn(self._heard, self._levels, self._distances, fit=fit)
            chosen = self._chosen(self._likely(), min(_AT_ONCE, self._trials.left - left))
            if not chosen:
                return
            found = self._trials.of([label for label, _, _ in chosen])
            self._check(found, chosen)
            self.learn(found)

    def learn(self, trials: Sequence[Trial]) -> None:
        """Take trials of others. What cannot be rendered tells nothing, but is not tried again."""
        points = self._chart.points_of([trial.label for trial in trials])
        heard = self._chart.heard(points)
        self._seen |= {heard.key(place) for place in range(len(heard))}
        sound = [place for place, trial in enumerate(trials) if trial.levels.size == self._levels.shape[1]]
        if sound:
            self._points = Points.joined([self._points, points[sound]])
            self._heard = Heard.joined([self._heard, heard[sound]])
            self._levels = np.concatenate([self._levels, [trials[place].levels for place in sound]])
            self._distances = np.append(self._distances, [trials[place].distance for place in sound])

    def _check(self, trials: Sequence[Trial], chosen: Sequence[tuple[Label, float, float]]) -> None:
        """Take how far forecasts were wrong, in units of their doubt."""
        self._errors += [
            abs(trial.distance - distance) / max(doubt, _LEAST)
            for trial, (_, distance, doubt) in zip(trials, chosen, strict=False)
            if trial.levels.size
        ]

    @property
    def _unit(self) -> float:
        """What a doubt of 1 comes to, dB."""
        return float(np.median(self._errors[-_LAST:])) if len(self._errors) >= _AT_ONCE else _DOUBT

    def _likely(self) -> _Foretold:
        """Return labels that are thought likely to come nearer, through some generations."""
        order = np.argsort(self._distances, kind="stable")[:_FAVOURITES]
        found = self._judged(Points.joined([self._neighbours(place) for place in order.tolist()]))
        for _ in range(_GENERATIONS):
            parents = found.best(_PARENTS)
            if not len(parents.gains):
                return found
            rank = np.argsort(np.argsort(-parents.gains, kind="stable"), kind="stable")
            likely = np.exp(-3.0 * rank / len(rank))
            likely /= likely.sum()
            born = children(self._chart, parents.points, parents.heard.mask, likely, _CHILDREN, self._random)
            found = _joined(parents, self._judged(born))
        return found

    def _neighbours(self, place: int) -> Points:
        found = neighbours(self._chart, self._points[[place]], self._heard.mask[place], self._lenders, self._random)
        if len(found) <= _NEIGHBOURS:
            return found
        return found[np.sort(self._random.permutation(len(found))[:_NEIGHBOURS])]

    def _judged(self, points: Points) -> _Foretold:
        heard = self._chart.heard(points)
        new = [place for place in range(len(heard)) if heard.key(place) not in self._seen]
        distances, doubts = self._surrogate.foretell(heard[new])
        gains = expected_gain(self._distances.min() - distances, doubts * self._unit)
        return _Foretold(points[new], heard[new], distances, doubts, gains)

    def _chosen(self, found: _Foretold, count: int) -> list[tuple[Label, float, float]]:
        """Return labels to render, each with its foretold distance and doubt."""
        found = found.best(4 * _PARENTS)
        chosen: list[tuple[Label, float, float]] = []
        near, joint = self._distances.min() - found.distances, self._surrogate.joint_doubts(found.heard)
        taken = np.zeros(len(near), np.bool_)
        while len(chosen) < count and not taken.all():
            doubts = np.sqrt(np.maximum(np.diag(joint), 0.0))
            gains = np.where(taken, -1.0, expected_gain(near, doubts * self._unit))
            best = int(gains.round(9).argmax())
            taken[best] = True
            label = self._chart.label_of(found.points, best)
            key = self._chart.heard(self._chart.points_of([label])).key(0)
            if key in self._seen:
                continue
            self._seen.add(key)
            chosen.append((label, float(found.distances[best]), float(found.doubts[best])))
            joint = joint - np.outer(joint[:, best], joint[best]) / (joint[best, best] + self._surrogate.noise)
        return chosen


@dataclass(frozen=True, eq=False)
class _Foretold:
    points: Points
    heard: Heard
    distances: NDArray[np.float64]
    doubts: NDArray[np.float64]
    gains: NDArray[np.float64]

    def __getitem__(self, chosen: NDArray[np.int64]) -> _Foretold:
        parts = (self.points, self.heard, self.distances, self.doubts, self.gains)
        return _Foretold(*(part[chosen] for part in parts))  # type: ignore[arg-type]

    def best(self, count: int) -> _Foretold:
        """Return those that are expected to gain most, so many, and the nearest: one to three of them."""
        by_gain = np.argsort(-self.gains, kind="stable")[:count]
        by_distance = np.argsort(self.distances, kind="stable")[: count // _OUTRIGHT]
        return self[np.union1d(by_gain, by_distance)]


def _joined(one: _Foretold, other: _Foretold) -> _Foretold:
    numbers = (
        np.concatenate([getattr(part, name) for part in (one, other)]) for name in ("distances", "doubts", "gains")
    )
    return _Foretold(Points.joined([one.points, other.points]), Heard.joined([one.heard, other.heard]), *numbers)


def expected_gain(nearer: NDArray[np.float64], doubts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the expected improvement: of max(X, 0), for X normal with these means and standard deviations.

    Args:
        nearer: how much nearer than the best each is foretold to be, dB.
        doubts: standard deviations, dB.
    """
    from scipy.special import ndtr

    spread = np.maximum(doubts, _LEAST)
    z = nearer / spread
    return np.asarray(spread * (z * ndtr(z) + np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)))
