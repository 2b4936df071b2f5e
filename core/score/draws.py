"""Random numbers for composers: a draw depends on seed, composer, index and purpose, and on nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

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
