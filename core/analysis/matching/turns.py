"""Whose turn it is: each audible parameter in a random order, and those that changed nothing more seldom."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tonesmith.analysis.matching.moves import Move, audible_of
from tonesmith.space.label import Label
from tonesmith.space.space import ParameterSpace

_UNHEARD = 0.01
"""dB by which a change that is heard moves the distance, at least."""
_LONGEST = 7
"""Rounds for which one rests at most."""
_ROUNDS = _LONGEST + 2
"""Rounds after which each parameter had a turn, so that there is nothing to change."""


class Turns:
    """Gives each audible parameter a turn in each round, except for those that rest.

    One whose change was not heard rests for a round, then for 3, then for 7, until a change is heard: so an oscillator
    that others drown costs few renders.

    Args:
        space: of the labels.
        random: draws the order.
    """

    def __init__(self, space: ParameterSpace, random: np.random.Generator) -> None:
        self._space, self._random = space, random
        self._round: list[tuple[bool, int]] = []
        self._rests: dict[tuple[bool, int], int] = {}
        self._left: dict[tuple[bool, int], int] = {}

    def of(self, label: Label) -> Iterator[tuple[bool, int]]:
        """Yield parameters of a label, until all of some rounds had a turn: whether continuous, and the index."""
        for _ in range(_ROUNDS):
            while self._round:
                yield self._round.pop()
            self._round = self._new_round(label)

    def learn(self, move: Move, gain: float) -> None:
        """Take what a change of one parameter alone gained, in dB."""
        key = (move.continuous, move.place)
        self._rests[key] = min(2 * self._rests.get(key, 0) + 1, _LONGEST) if abs(gain) < _UNHEARD else 0
        self._left[key] = self._rests[key]

    def _new_round(self, label: Label) -> list[tuple[bool, int]]:
        continuous, categorical = audible_of(self._space, label)
        turns = [(True, int(place)) for place in continuous] + [(False, int(place)) for place in categorical]
        awake = [turn for turn in turns if not self._left.get(turn)]
        for turn in turns:
            self._left[turn] = max(self._left.get(turn, 0) - 1, 0)
        return [awake[i] for i in self._random.permutation(len(awake))]
