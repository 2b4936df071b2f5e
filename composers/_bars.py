"""What composers of chords share: meters, the bars that fit, draws, and notes as arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ConfigError, unknown_name
from tonesmith.score.score import NOTE, Meter, Part, Score
from tonesmith.score.theory import Tonality
from tonesmith.score.timing import Tempos
from tonesmith.space.sampling import uniform

RESOLUTION: Final = 480
"""Ticks per quarter note."""
EIGHTH: Final = RESOLUTION // 2
_BLOCK: Final = 256

X = TypeVar("X")


class Bar(NamedTuple):
    """A meter: its signature, and how a bar divides.

    Attributes:
        beats: of the signature.
        unit: of the signature, 4 or 8.
        groups: eighths of each group that is felt as one, such as (2, 2, 3) of 7/8.
        first: eighths before the second chord of a bar that has two.
    """

    beats: int
    unit: int
    groups: tuple[int, ...]
    first: int

    @property
    def ticks(self) -> int:
        """Ticks of a bar."""
        return sum(self.groups) * EIGHTH


METERS: Final[Mapping[str, Bar]] = {
    "2/4": Bar(2, 4, (2, 2), 2),
    "3/4": Bar(3, 4, (2, 2, 2), 4),
    "4/4": Bar(4, 4, (2, 2, 2, 2), 4),
    "5/4": Bar(5, 4, (2, 2, 2, 2, 2), 6),
    "6/4": Bar(6, 4, (2, 2, 2, 2, 2, 2), 6),
    "5/8": Bar(5, 8, (3, 2), 3),
    "6/8": Bar(6, 8, (3, 3), 3),
    "7/8": Bar(7, 8, (2, 2, 3), 4),
    "9/8": Bar(9, 8, (3, 3, 3), 6),
    "12/8": Bar(12, 8, (3, 3, 3, 3), 6),
}
"""The meters that are composed in."""


class Draws:
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

    def between(self, low: float, high: float) -> float:
        """Return a number from low to high."""
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


def meters_named(names: Sequence[str]) -> tuple[str, ...]:
    """Return meters, checked. Raises :class:`ConfigError` for one that is not known, and for none."""
    for name in names:
        if name not in METERS:
            raise ConfigError(unknown_name("meter", name, METERS))
    if not names:
        raise ConfigError(f"composer.meters is empty. Name some of {', '.join(METERS)}.")
    return tuple(names)


def check_range(key: str, bounds: tuple[float, float], low: float, high: float) -> None:
    """Raise :class:`ConfigError` for a range that is not from its lowest to its highest value within bounds."""
    if not low <= bounds[0] <= bounds[1] <= high:
        raise ConfigError(
            f"composer.{key} is {bounds[0]:g},{bounds[1]:g}: give the lowest and the highest value, "
            f"from {low:g} to {high:g}."
        )


def check_length(meters: Sequence[str], slowest: float, seconds: float | None) -> None:
    """Raise :class:`ConfigError` if the longest bar at the slowest tempo takes longer than a score may."""
    name = max(meters, key=lambda meter: METERS[meter].ticks)
    needed = METERS[name].ticks / RESOLUTION * 60.0 / slowest
    if seconds is not None and needed > seconds:
        raise ConfigError(
            f"a bar of {name} at {slowest:g} quarter notes per minute takes {needed:.3g} s, and a score may take "
            f"{seconds:g} s. Ask for longer phrases, a faster tempo or a shorter meter."
        )


def bars_that_fit(bars: int, bar: Bar, bpm: float, seconds: float | None) -> int:
    """Return how many bars, of those asked for, a score has that may last some seconds; 1 at least."""
    if seconds is None:
        return bars
    each = bar.ticks * round(60e6 / bpm)
    return max(1, min(bars, int(seconds * 1e6 * RESOLUTION // each)))


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
        (Meter(0, bar.beats, bar.unit),),
        (tonality.signature(),),
    )


def notes_from(onset: Any, duration: Any, pitch: Any, velocity: Any, part: Any) -> NDArray[Any]:
    """Return (notes,) of :data:`NOTE` from arrays or numbers; velocities are rounded and kept within 1..127."""
    made = np.empty(len(onset), NOTE)
    made["onset"], made["duration"], made["pitch"], made["part"] = onset, duration, pitch, part
    made["velocity"] = np.clip(np.rint(velocity), 1, 127)
    return made
