"""What composers of chords share: a stream of draws, bars with chords, and notes as arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from tonesmith.score.bars import Bar
from tonesmith.score.score import NOTE, Part, Score
from tonesmith.score.theory import Tonality
from tonesmith.score.timing import Tempos
from tonesmith.space.sampling import uniform

RESOLUTION: Final = 480
"""Ticks per quarter note."""
EIGHTH: Final = RESOLUTION // 2
_BLOCK: Final = 256

X = TypeVar("X")


class Stream:
    """Numbers in [0, 1) for one score, one after another: a function of seed, purpose and index."""

    def __init__(self, seed: int, purpose: str, index: int) -> None:
        self._address = (seed, purpose, index)
        self._blocks = 0
        self._left: list[float] = []

    def next(self) -> float:
        """Return the next number."""
        if not self._left:
            self._left = uniform(*self._address, self._blocks, _BLOCK).tolist()[::-1]
            self._blocks += 1
        return self._left.pop()

    def between(self, ends: float | tuple[float, float]) -> float:
        """Return a number from low to high; a single number is returned as it is."""
        low, high = ends if isinstance(ends, tuple) else (ends, ends)
        return low + (high - low) * self.next()

    def bell(self) -> float:
        """Return a number of mean 0 and standard deviation 1, within 3.5: the sum of four, about normal."""
        return (self.next() + self.next() + self.next() + self.next() - 2.0) * math.sqrt(3.0)

    def pick(self, choices: Sequence[X]) -> X:
        """Return one of some, each as likely."""
        return choices[int(self.next() * len(choices))]

    def weighed(self, choices: Mapping[X, float]) -> X:
        """Return one of some, each as likely as its weight says."""
        left = self.next() * sum(choices.values())
        for choice, weight in choices.items():
            left -= weight
            if left < 0:
                return choice
        return choice


def first_of_two(bar: Bar) -> int:
    """Return the eighths before the second chord of a bar that has two."""
    return sum(bar.groups[: -(-len(bar.groups) // 2)])


def by_bars(words: Sequence[str], slots: Sequence[int]) -> str:
    """Return words with a bar line between those of different bars."""
    left = iter(words)
    return " | ".join(" ".join(next(left) for _ in range(slot)) for slot in slots)


def score_of(notes: Sequence[NDArray[Any]], parts: tuple[Part, ...], bar: Bar, bpm: float, tonality: Tonality) -> Score:
    """Return the score of some arrays of :data:`NOTE`."""
    return Score(
        RESOLUTION,
        np.concatenate(notes),
        parts,
        Tempos.steady(bpm),
        (bar.meter,),
        (tonality.signature(),),
    )


def notes_from(onset: Any, duration: Any, pitch: Any, velocity: Any, part: Any) -> NDArray[Any]:
    """Return (notes,) of :data:`NOTE` from arrays or numbers; velocities are rounded and kept within 1..127."""
    made = np.empty(len(onset), NOTE)
    made["onset"], made["duration"], made["pitch"], made["part"] = onset, duration, pitch, part
    made["velocity"] = np.clip(np.rint(velocity), 1, 127)
    return made
