"""Climbing from a start: one parameter at a time is changed, and changes that help are made together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tonesmith.analysis.matching.moves import Move, audible_of, moved, other_choices
from tonesmith.analysis.matching.trials import Trial
from tonesmith.space.label import Label
from tonesmith.space.space import ParameterSpace

FIRST, LEAST, MOST = 0.12, 0.003, 0.4
"""Steps in [0, 1]: the first of each parameter, and the shortest and the longest that it comes to."""
_LONGER, _SHORTER = 1.3, 0.5
_JUMPS = 0.1
"""The share of continuous changes that go anywhere: what has several valleys, such as a rate, is not climbed."""
_PASSES = 3
"""Rounds through all parameters after which one that finds nothing to change gives up."""


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
    help alone are then tried together.

    Args:
        space: of the labels.
        start: to climb from.
        random: draws the turns and the jumps.
    """

    def __init__(self, space: ParameterSpace, start: Trial, random: np.random.Generator) -> None:
        self.best = start
        self._space, self._random = space, random
        self.knobs = [_Knob(float(random.choice([-1.0, 1.0]))) for _ in space.continuous]
        self._choices: dict[int, list[int]] = {}
        self._turns: list[tuple[bool, int]] = []
        self._asked: list[Move] = []
        self._tried: list[Trial] = []

    def ask(self, count: int) -> list[Label]:
        """Return up to ``count`` labels that differ from the best in one parameter each; none if nothing is left."""
        self._asked, passes = [], 0
        while len(self._asked) < count and passes < _PASSES:
            if not self._turns:
                self._turns, passes = self._new_turns(), passes + 1
                continue
            move = self._move(*self._turns.pop())
            if move is not None:
                self._asked.append(move)
        return [self._label([move]) for move in self._asked]

    def tell(self, trials: Sequence[Trial]) -> list[Label]:
        """Take the trials of what was asked, and return labels that make several changes which helped together."""
        helped: list[tuple[float, int, Move]] = []
        for move, trial in zip(self._asked, trials, strict=False):
            better = trial.distance < self.best.distance
            if move.continuous and not move.jump:
                knob = self.knobs[move.place]
                knob.helped() if better else knob.failed()
            if better:
                helped.append((trial.distance, len(helped), move))
        self._tried = list(trials)
        moves = [move for _, _, move in sorted(helped)]
        return [
            self._label(moves[:size])
            for size in sorted({2, (len(moves) + 1) // 2, len(moves)})
            if 1 < size <= len(moves)
        ]

    def settle(self, trials: Sequence[Trial]) -> None:
        """Take the trials of what :meth:`tell` returned, and go on from the best of all."""
        self.best = min([self.best, *self._tried, *trials], key=lambda trial: trial.distance)

    def _new_turns(self) -> list[tuple[bool, int]]:
        continuous, categorical = audible_of(self._space, self.best.label)
        turns = [(True, int(place)) for place in continuous] + [(False, int(place)) for place in categorical]
        return [turns[i] for i in self._random.permutation(len(turns))]

    def _move(self, continuous: bool, place: int) -> Move | None:
        return self._turned(place) if continuous else self._chosen(place)

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
