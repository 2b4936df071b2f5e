"""From ticks to seconds, through a tempo map."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ScoreError

END: Final = 1 << 36
"""The last tick that a score may reach: its seconds are still counted in whole numbers of 64 bits."""
SLOWEST: Final = 0xFFFFFF
"""The most microseconds per beat that a MIDI file can state: 3.6 beats per minute."""
USUAL: Final = 500_000
"""Microseconds per beat before the first tempo: 120 beats per minute."""


@dataclass(frozen=True, eq=False)
class Tempos:
    """A tempo map: from which tick on a beat takes how long.

    Attributes:
        ticks: (tempos,) int64, rising, the first 0.
        microseconds: (tempos,) int64 per beat, 1..16777215.

    Raises :class:`ScoreError` for others.
    """

    ticks: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    microseconds: NDArray[np.int64] = field(default_factory=lambda: np.full(1, USUAL, np.int64))

    def __post_init__(self) -> None:
        for name in ("ticks", "microseconds"):
            array = np.ascontiguousarray(getattr(self, name), np.int64)
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        rising = len(self.ticks) and self.ticks[0] == 0 and (np.diff(self.ticks) > 0).all() and self.ticks[-1] <= END
        if not rising or len(self.ticks) != len(self.microseconds):
            raise ScoreError(f"the tempo map must begin at tick 0 and rise, up to {END:,}.")
        if not (self.microseconds.min() >= 1 and self.microseconds.max() <= SLOWEST):
            raise ScoreError(f"a tempo must be 1 to {SLOWEST:,} microseconds per beat.")

    @classmethod
    def of(cls, events: Iterable[tuple[int, int]]) -> Tempos:
        """Return the map of some events: tick and microseconds per beat. Of several at one tick the last one counts."""
        latest = dict(sorted(events, key=lambda event: event[0]))
        return cls._of({0: USUAL, **latest})

    @classmethod
    def steady(cls, bpm: float) -> Tempos:
        """Return a map of one tempo, in beats per minute, to the nearest microsecond per beat."""
        if not 60e6 / SLOWEST <= bpm <= 60e6:
            raise ScoreError(f"a tempo of {bpm:g} beats per minute: it must be 3.58 to 60,000,000.")
        return cls._of({0: round(60e6 / bpm)})

    @classmethod
    def _of(cls, latest: dict[int, int]) -> Tempos:
        """Return a map without the tempos that change nothing."""
        kept: list[tuple[int, int]] = []
        for tick, microseconds in latest.items():
            if not kept or kept[-1][1] != microseconds:
                kept.append((tick, microseconds))
        try:
            ticks, each = np.array(kept, np.int64).T
        except OverflowError:
            raise ScoreError("a number in the tempo map is out of its range.") from None
        return cls(ticks, each)

    def seconds(self, ticks: NDArray[np.int64] | int, resolution: int) -> NDArray[np.float64]:
        """Return when some ticks are, in seconds, float64 of the same shape.

        What has passed is counted in whole microseconds times ticks, and divided once, so that no error adds up.

        Args:
            ticks: to place.
            resolution: ticks per beat.
        """
        return np.asarray(self.passed(ticks) / (resolution * 1e6), np.float64)

    def passed(self, ticks: NDArray[np.int64] | int) -> NDArray[np.int64]:
        """Return what has passed at some ticks, int64 of the same shape, in microseconds times ticks per beat."""
        wanted = np.asarray(ticks, np.int64)
        place = np.searchsorted(self.ticks, wanted, "right") - 1
        counted = self._passed[place] + (wanted - self.ticks[place]) * self.microseconds[place]
        return np.asarray(counted, np.int64)

    def reached(self, passed: NDArray[np.int64] | int) -> NDArray[np.int64]:
        """Return the first tick at which as much has passed, int64 of the same shape: :meth:`passed` turned round."""
        wanted = np.asarray(passed, np.int64)
        place = np.maximum(np.searchsorted(self._passed, wanted, "left") - 1, 0)
        left = np.maximum(wanted - self._passed[place], 0)
        return np.asarray(self.ticks[place] - (-left // self.microseconds[place]), np.int64)

    @cached_property
    def _passed(self) -> NDArray[np.int64]:
        """What has passed at each tempo."""
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(np.diff(self.ticks) * self.microseconds[:-1])])

    def divided(self, factor: int) -> Tempos:
        """Return the same map in coarser ticks; the factor divides every tick."""
        return Tempos(self.ticks // factor, self.microseconds)

    def to_json(self) -> list[list[Any]]:
        """Return tick and microseconds per beat of each."""
        return [list(pair) for pair in zip(self.ticks.tolist(), self.microseconds.tolist(), strict=True)]
