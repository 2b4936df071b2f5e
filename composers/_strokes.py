"""When the notes of a chord are struck: by note values, by a pattern, or one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final, NamedTuple

from tonesmith.composers._charts import Placed

VALUES: Final = {"halves": Fraction(2), "quarters": Fraction(1), "eighths": Fraction(1, 2)}
"""Rhythms that strike again and again: beats from one stroke to the next."""
BROKEN: Final = ("up", "down", "updown")
"""Rhythms of one note after the other, in eighths."""
NAMES: Final = ("whole", *VALUES, *BROKEN)
ACCENT: Final = "X"
_EIGHTH: Final = Fraction(1, 2)


class Stroke(NamedTuple):
    """Some pitches struck together, in beats from the beginning of the chart."""

    onset: Fraction
    beats: Fraction
    pitches: Sequence[int]
    accent: bool = False


def is_pattern(rhythm: str) -> bool:
    """Return whether a rhythm is a pattern: x strikes, X with an accent, and . does not."""
    return 1 <= len(rhythm) <= 64 and set(rhythm) <= set("xX.") and rhythm.strip(".") != ""


def strokes(placed: Placed, pitches: Sequence[int], rhythm: str, beats: int) -> Iterator[Stroke]:
    """Yield the strokes of a chord, each up to the next one.

    Args:
        placed: the chord.
        pitches: of it, rising.
        rhythm: one of :data:`NAMES`, or a pattern over each bar.
        beats: of a bar.
    """
    end = placed.onset + placed.beats
    if rhythm in BROKEN:
        order = [*pitches] if rhythm == "up" else [*pitches[::-1]]
        if rhythm == "updown":
            order = [*pitches, *pitches[-2:0:-1]]
        for number, (onset, until) in enumerate(_spans(placed.onset, end, _EIGHTH)):
            yield Stroke(onset, until - onset, [order[number % len(order)]])
    elif rhythm == "whole" or rhythm in VALUES:
        for onset, until in _spans(placed.onset, end, VALUES.get(rhythm, placed.beats)):
            yield Stroke(onset, until - onset, pitches)
    else:
        yield from _patterned(placed, pitches, rhythm, beats)


def _patterned(placed: Placed, pitches: Sequence[int], pattern: str, beats: int) -> Iterator[Stroke]:
    """Yield the strokes of a pattern that fall on a chord; it is laid over each bar."""
    bar = placed.onset // beats * beats
    end = placed.onset + placed.beats
    step = Fraction(beats, len(pattern))
    hits = [(bar + place * step, sign == ACCENT) for place, sign in enumerate(pattern) if sign != "."]
    struck = [hit for hit in hits if placed.onset <= hit[0] < end]
    for (onset, accent), (until, _) in pairwise([*struck, (end, False)]):
        yield Stroke(onset, until - onset, pitches, accent)


def _spans(start: Fraction, end: Fraction, step: Fraction) -> Iterator[tuple[Fraction, Fraction]]:
    while start < end:
        yield start, min(start + step, end)
        start += step
