"""What several changes would do together, foretold from the spectrograms of each alone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.matching.moves import Move
from tonesmith.analysis.matching.trials import Trial

_MULTIPLES = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
"""Of the change that was heard, those whose effect is foretold."""
_NEAR = 0.3
"""Changes of a parameter that are longer are not taken for a direction."""
_FEW, _MANY = 3, 8
"""Parameters that change at once in the two proposals."""
_LEAST = 0.01
"""dB that one more parameter must bring."""


@dataclass(frozen=True, eq=False)
class _Effect:
    """A change of a parameter, and that of the levels, dB, which it made."""

    away: float
    levels: NDArray[np.float32]


class Forecast:
    """Remembers how each continuous parameter changed the sound, and adds such changes up.

    A change that went the wrong way tells as much as one that helped: its opposite is foretold. Effects are those that
    were heard last, though other parameters have changed since.

    Args:
        target: levels of the sound that is looked for: see :meth:`tonesmith.analysis.matching.distance.Distance.near`.
    """

    def __init__(self, target: NDArray[np.float32]) -> None:
        self._target = target
        self._effects: dict[int, _Effect] = {}

    def learn(self, place: int, base: Trial, trial: Trial) -> None:
        """Take a trial that differs from ``base`` in the continuous parameter at ``place`` alone."""
        away = float(trial.label.continuous[place]) - float(base.label.continuous[place])
        if 0.0 < abs(away) < _NEAR and trial.levels.size == base.levels.size:
            self._effects[place] = _Effect(away, trial.levels - base.levels)

    def proposals(self, base: Trial, audible: Collection[int]) -> list[list[Move]]:
        """Return up to two sets of changes of ``base`` that are foretold to come near: of few parameters, and of many.

        The parameter that brings most is taken first, with the best multiple of its change, then that which brings most
        beside it.

        Args:
            base: to change.
            audible: indices of the continuous parameters that may change.
        """
        if base.levels.size != self._target.size:
            return []
        moves, effects = self._options(base, audible)
        left, chosen = self._target - base.levels, list[Move]()
        here, found = float(np.abs(left).sum(dtype=np.float64)), list[list[Move]]()
        while moves and len(chosen) < _MANY:
            distances = np.array([np.abs(left - effect).sum(dtype=np.float64) for effect in effects])
            distances[np.isin([move.place for move in moves], [move.place for move in chosen])] = np.inf
            best = int(distances.argmin())
            if distances[best] > here - _LEAST:
                break
            here, left = float(distances[best]), left - effects[best]
            chosen.append(moves[best])
            if len(chosen) == _FEW:
                found.append(list(chosen))
        return [*found, chosen] if len(chosen) not in {0, _FEW} else found

    def _options(self, base: Trial, audible: Collection[int]) -> tuple[list[Move], list[NDArray[np.float32]]]:
        """Return moves of single parameters, and what each does to the levels."""
        moves, effects = [], []
        for place in sorted(self._effects.keys() & set(audible)):
            effect, now = self._effects[place], float(base.label.continuous[place])
            for multiple in _MULTIPLES:
                to = now + multiple * effect.away
                if 0.0 <= to <= 1.0:
                    moves.append(Move(True, place, to, jump=False))
                    effects.append(np.float32(multiple) * effect.levels)
        return moves, effects
