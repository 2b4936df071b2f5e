"""Climbing from a start: a parameter at a time is changed, and changes that help are made together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tonesmith.analysis.matching.forecast import Forecast
from tonesmith.analysis.matching.moves import Move, audible_of, moved, other_choices
from tonesmith.analysis.matching.trials import Trial
from tonesmith.analysis.matching.turns import Turns
from tonesmith.space.label import Label
from tonesmith.space.space import ParameterSpace

FIRST, LEAST, MOST = 0.12, 0.003, 0.4
"""Steps in [0, 1]: the first of each parameter, and the shortest and the longest that it comes to."""
_LONGER, _SHORTER = 1.3, 0.5
_JUMPS = 0.1
"""The share of continuous changes that go anywhere: what has several valleys, such as a rate, is not climbed."""


@dataclass(eq=False)
class _Knob:
    """How a continuous parameter was last moved: how far, which way, and whether the other way failed before."""

    sign: float
    step: float = FIRST
    turned: bool = False

    def helped(self) -> None:
        self.step, self.turned = min(self.step * _LONGER, MOST), False

    def failed(self) -> None:
        if self.turned:
            self.step = max(self.step * _SHORTER, LEAST)
        self.sign, self.turned = -self.sign, not self.turned


class Climb:
    """A start, and the best that was found from there.

    Each audible parameter has its turn: a continuous one moves by a step of its own, which grows when it helps and
    shrinks when neither way does, or jumps anywhere; a categorical one gets another choice. Changes of a batch that
    help alone are then tried together, and so are those that a forecast proposes.

    Args:
        space: of the labels.
        start: to climb from.
        forecast: of this climb alone.
        random: draws the turns and the jumps.
    """

    def __init__(self, space: ParameterSpace, start: Trial, forecast: Forecast, random: np.random.Generator) -> None:
        self.best = start
        self._space, self._forecast, self._random = space, forecast, random
        self.knobs = [_Knob(float(random.choice([-1.0, 1.0]))) for _ in space.continuous]
        self._choices: dict[int, list[int]] = {}
        self._turns = Turns(space, random)
        self._asked: list[Move] = []
        self._tried: list[Trial] = []

    def go_on_from(self, trial: Trial) -> None:
        """Take a trial as the best. If another was, what was not heard beside that may be heard now."""
        if trial is not self.best:
            self.best, self._turns = trial, Turns(self._space, self._random)

    def ask(self, count: int) -> list[Label]:
        """Return up to ``count`` labels that differ from the best in one parameter; none if nothing is left."""
        self._asked = []
        turns = self._turns.of(self.best.label)
        while len(self._asked) < count and (turn := next(turns, None)):
            continuous, place = turn
            move = self._turned(place) if continuous else self._chosen(place)
            if move is not None:
                self._asked.append(move)
        return [self._label([move]) for move in self._asked]

    def tell(self, trials: Sequence[Trial]) -> list[Label]:
        """Take the trials of what was asked, and return labels that make several changes together."""
        helped: list[tuple[float, int, Move]] = []
        for move, trial in zip(self._asked, trials, strict=False):
            self._learn(move, trial)
            if trial.distance < self.best.distance:
                helped.append((trial.distance, len(helped), move))
        self._tried = list(trials)
        ranked = [move for _, _, move in sorted(helped)]
        sizes = sorted({2, (len(ranked) + 1) // 2, len(ranked)})
        together = [ranked[size - 1 :: -1] for size in sizes if 1 < size <= len(ranked)]
        audible = audible_of(self._space, self.best.label)[0].tolist()
        return [self._label(moves) for moves in together + self._forecast.proposals(self.best, audible)]

    def settle(self, trials: Sequence[Trial]) -> None:
        """Take the trials of what :meth:`tell` returned, and go on from the best of all."""
        self.best = min([self.best, *self._tried, *trials], key=lambda trial: trial.distance)

    def _learn(self, move: Move, trial: Trial) -> None:
        gain = self.best.distance - trial.distance
        self._turns.learn(move, gain)
        if move.continuous:
            self._forecast.learn(move.place, self.best, trial)
            if not move.jump:
                knob = self.knobs[move.place]
                knob.helped() if gain > 0.0 else knob.failed()

    def _turned(self, place: int) -> Move:
        if self._random.random() < _JUMPS:
            return Move(True, place, float(self._random.random()), jump=True)
        knob, now = self.knobs[place], float(self.best.label.continuous[place])
        away = knob.step * (0.5 + float(self._random.random()))
        if not 0.0 <= now + knob.sign * away <= 1.0 and now in {0.0, 1.0}:
            knob.sign = -knob.sign
        return Move(True, place, min(max(now + knob.sign * away, 0.0), 1.0), jump=False)

    def _chosen(self, place: int) -> Move | None:
        label = self.best.label
        queue = self._choices.get(place) or other_choices(self._space, label, place, self._random)
        self._choices[place] = queue
        while queue and queue[-1] == int(label.categorical[place]):
            queue.pop()
        return Move(False, place, queue.pop(), jump=True) if queue else None

    def _label(self, moves: Sequence[Move]) -> Label:
        return moved(self._space, self.best.label, moves)
