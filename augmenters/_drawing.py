"""What several augmenters draw: a number of a range, again until it will do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator, Field

if TYPE_CHECKING:
    from tonesmith.score.draws import Draws

_TRIES: Final = 256
"""Draws before a range is taken to hold nothing that will do."""
_FEW: Final = 4
"""Draws that are made first: one of them mostly does, and the others need not be made."""


def rising(ends: tuple[float, float]) -> tuple[float, float]:
    """Return a range whose low end comes first; for pydantic."""
    if ends[0] > ends[1]:
        raise ValueError("must be two numbers, the lower one first.")
    return ends


Factors = Annotated[
    tuple[Annotated[float, Field(ge=0.25, le=4.0)], Annotated[float, Field(ge=0.25, le=4.0)]], AfterValidator(rising)
]
"""The least and the greatest factor, of 0.25 to 4."""


def drawn(draws: Draws, purpose: str, ends: tuple[float, float], fits: Callable[[float], bool]) -> float | None:
    """Return the first number of a range that fits, to six decimals; None if none of many does."""
    for count in (_FEW, _TRIES):
        for unit in draws.units(purpose, count):
            value = round(ends[0] + unit * (ends[1] - ends[0]), 6)
            if fits(value):
                return value
    return None
