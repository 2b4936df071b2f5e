"""Random numbers for composers and augmenters: functions of seed, name, index and purpose, and of nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tonesmith.space.sampling import uniform

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Draws:
    """The draws of one score. Each has a purpose; one purpose always gives the same numbers.

    Attributes:
        seed: of the plan.
        composer: its name.
        index: of the score.
        attempt: another number gives other draws, for a composer that draws again until a score will do.
    """

    seed: int
    composer: str
    index: int
    attempt: int = 0

    def units(self, purpose: str, count: int) -> list[float]:
        """Return so many numbers in [0, 1). The first of them are the same however many are asked for."""
        drawn: list[float] = uniform(self.seed, f"{self.composer}: {purpose}", self.index, self.attempt, count).tolist()
        return drawn

    def unit(self, purpose: str) -> float:
        """Return a number in [0, 1)."""
        return self.units(purpose, 1)[0]

    def between(self, purpose: str, ends: float | tuple[float, float]) -> float:
        """Return a number from low to high; a single number is returned as it is."""
        low, high = ends if isinstance(ends, tuple) else (ends, ends)
        return low + self.unit(purpose) * (high - low)

    def whole(self, purpose: str, low: int, high: int) -> int:
        """Return a whole number from low to high, both included."""
        return low + int(self.unit(purpose) * (high - low + 1))

    def one_of(self, purpose: str, things: Sequence[T]) -> T:
        """Return one of some things, each as often."""
        return things[int(self.unit(purpose) * len(things))]

    def key(self, purpose: str) -> int:
        """Return a number of 48 bits, with which :func:`bells` and others draw later what is too much to store."""
        return self.whole(purpose, 0, (1 << 48) - 1)


def bells(key: int, count: int) -> NDArray[np.float64]:
    """Return float64 (count,) of mean 0 and standard deviation 1, about normal, within 4.9: a function of the key.

    Each is the sum of eight uniform numbers of 16 bits (Irwin 1927, Hall 1927). Whole numbers are added and multiplied
    once, so that every machine gives the same bits, as it does not for logarithms and cosines.
    """
    words = np.random.Philox(key=key).random_raw(2 * count).astype("<u8")
    sums = words.view("<u2").reshape(count, 8).sum(axis=1, dtype=np.int64)
    return np.asarray((sums - 4 * 65535) * (math.sqrt(1.5) / 65536.0), np.float64)
