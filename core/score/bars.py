"""The meters that composers write in, and how many bars of one fit into a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final, Literal, get_args

from tonesmith.errors import ConfigError
from tonesmith.score.score import Meter

MeterName = Literal["2/4", "3/4", "4/4", "5/4", "6/8", "7/8", "9/8", "12/8"]

METERS: Final[tuple[MeterName, ...]] = get_args(MeterName)

_GROUPS: Final[Mapping[MeterName, tuple[int, ...]]] = {
    "2/4": (2, 2),
    "3/4": (2, 2, 2),
    "4/4": (2, 2, 2, 2),
    "5/4": (2, 2, 2, 2, 2),
    "6/8": (3, 3),
    "7/8": (2, 2, 3),
    "9/8": (3, 3, 3),
    "12/8": (3, 3, 3, 3),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a meter.

    Attributes:
        name: of the meter, such as "6/8".
        groups: eighth notes in each of its beats: 2 in each of 4/4, 3 in each of 6/8, 2, 2 and 3 in 7/8.
    """

    name: MeterName
    groups: tuple[int, ...]

    @classmethod
    def of(cls, name: MeterName) -> Bar:
        """Return the bar of a meter."""
        return cls(name, _GROUPS[name])

    @property
    def eighths(self) -> int:
        """Eighth notes in it."""
        return sum(self.groups)

    @property
    def beats(self) -> Fraction:
        """Its length in quarter notes."""
        return Fraction(self.eighths, 2)

    @property
    def starts(self) -> tuple[int, ...]:
        """The eighth note, counted from 0, that each of its beats begins with."""
        return _starts(self.groups)

    @property
    def simple(self) -> bool:
        """Whether each of its beats is a quarter note, so that the off-beats between can swing."""
        return self.name.endswith("/4")

    @property
    def meter(self) -> Meter:
        """The time signature from the beginning on."""
        beats, _, unit = self.name.partition("/")
        return Meter(0, int(beats), int(unit))

    def seconds(self, bpm: float) -> float:
        """Return how long it takes at a tempo in quarter notes per minute, as a MIDI file can state that."""
        return self.eighths * microseconds_of(bpm) / 2e6


@lru_cache(maxsize=64)
def _starts(groups: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sum(groups[:place]) for place in range(len(groups)))


def microseconds_of(bpm: float) -> int:
    """Return the whole microseconds per quarter note that a tempo is stored as."""
    return round(60e6 / bpm)


def bars_within(bar: Bar, bpm: float, wanted: int, seconds: float | None, step: int = 1) -> int:
    """Return how many bars fit into some seconds: at most those wanted, and a multiple of ``step``."""
    if seconds is None:
        return wanted
    fitting = int((seconds + 1e-9) / bar.seconds(bpm))
    return min(wanted, fitting // step * step)


def check_bars(
    names: Iterable[MeterName], bpm: float | tuple[float, float], seconds: float | None, least: int = 1
) -> None:
    """Raise :class:`ConfigError` if the fewest bars do not fit into the seconds that a score may take.

    Args:
        names: the meters that may be drawn.
        bpm: quarter notes per minute, or the slowest and the fastest.
        seconds: that a score may take; None for no limit.
        least: bars that a score needs.
    """
    slowest = bpm[0] if isinstance(bpm, tuple) else bpm
    for bar in map(Bar.of, names):
        if bars_within(bar, slowest, least, seconds) < least:
            bars = "a bar" if least == 1 else f"{least} bars"
            raise ConfigError(
                f"{bars} of {bar.name} at {slowest:g} beats per minute take{'s' * (least == 1)} "
                f"{least * bar.seconds(slowest):g} s, and a score may take {seconds:g} s. "
                "Set a higher bpm or a shorter meter, or allow more seconds."
            )
