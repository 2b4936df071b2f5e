"""Amounts that stay, or move in a straight line from one value to another over a sound: ``1.2`` and ``-90..90``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ConfigError

Amount = float | tuple[float, float]


def amount_of(text: str, what: str) -> Amount:
    """Return the amount that a text says. Raises :class:`ConfigError` that begins with ``what`` if it says none."""
    first, dots, last = text.partition("..")
    return (_number(first, text, what), _number(last, text, what)) if dots else _number(first, text, what)


def _number(part: str, text: str, what: str) -> float:
    try:
        return float(part)
    except ValueError:
        told = f"{what}: expected a number, or two such as 0..1 for a move, not {text.strip()!r}."
        raise ConfigError(told) from None


def checked(value: Any, what: str) -> Amount:
    """Return a number, or two, that a program or a document gives as an amount.

    Raises :class:`ConfigError` that begins with ``what``.
    """
    if isinstance(value, str):
        return amount_of(value, what)
    parts = list(value) if isinstance(value, tuple | list) else [value]
    if len(parts) not in {1, 2} or any(isinstance(part, bool) or not isinstance(part, int | float) for part in parts):
        raise ConfigError(f"{what}: expected a number, or two for a move.")
    made = [float(part) for part in parts]
    return made[0] if len(made) == 1 else (made[0], made[1])


def ends(amount: Amount) -> tuple[float, float]:
    """Return where an amount begins and ends."""
    return amount if isinstance(amount, tuple) else (amount, amount)


def within(amount: Amount, low: float, high: float) -> bool:
    """Tell whether an amount stays in a range."""
    return all(math.isfinite(end) and low <= end <= high for end in ends(amount))


def values_at(amount: Amount, share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an amount at shares of a sound, 0 at its start and 1 at its end."""
    first, last = ends(amount)
    return first + (last - first) * np.clip(share, 0.0, 1.0)


def told(amount: Amount) -> str:
    """Return an amount as a person writes it."""
    return "..".join(f"{end:+g}" for end in (amount if isinstance(amount, tuple) else (amount,)))
