"""What the options of composers share: tempos, meters and numbers that are fixed or drawn from a range."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field

T = TypeVar("T")


def ordered(value: T) -> T:
    """Return a number or a range as it is. Raises :class:`ValueError` for a range with its high end first."""
    if isinstance(value, tuple) and value[0] > value[1]:
        raise ValueError(f"[{value[0]:g}, {value[1]:g}] is not a range: write [low, high], low first")
    return value


def some(value: T) -> T:
    """Return a list as it is. Raises :class:`ValueError` for one that is empty or names a thing twice."""
    if isinstance(value, tuple) and not value:
        raise ValueError("the list is empty: name at least one")
    if isinstance(value, tuple) and len(set(value)) < len(value):
        raise ValueError("the list names a thing twice")
    return value


_Bpm = Annotated[float, Field(ge=20.0, le=300.0)]

Bpm = Annotated[_Bpm | tuple[_Bpm, _Bpm], AfterValidator(ordered)]
"""Quarter notes per minute, or a range to draw from."""

MeterName = Literal["2/4", "3/4", "4/4", "5/4", "6/8", "7/8", "9/8", "12/8"]
"""A meter, as :data:`tonesmith.score.bars.METERS` has them."""

MeterNames = Annotated[tuple[MeterName, ...], AfterValidator(some)]
"""Meters to draw from."""
METERS_HELP = "Meters to draw from: 2/4, 3/4, 4/4, 5/4, 6/8, 7/8, 9/8, 12/8."
