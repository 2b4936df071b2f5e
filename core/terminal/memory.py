"""Amounts of memory as people write them: "2 GB", "512 MiB", or bytes."""

from __future__ import annotations

import re

_UNITS = {"GiB": 1 << 30, "GB": 10**9, "MiB": 1 << 20, "MB": 10**6, "KiB": 1 << 10, "KB": 10**3}
PATTERN = r"^\s*([0-9]+(?:\.[0-9]+)?)\s*([KMGkmg][Ii]?[Bb]|[Bb])?\s*$"
"""Of a text that is an amount, as JSON schemas have it too."""

_WRITTEN = re.compile(PATTERN)
_LEAST = 10**6


def memory_of(written: object) -> object:
    """Return the bytes of a text such as "2 GB"; what is no text is returned as it is.

    Raises :class:`ValueError` for a text that is no amount, and for less than 1 MB that is not 0, which means no limit.
    """
    amount = written
    if isinstance(written, str):
        match = _WRITTEN.fullmatch(written)
        if match is None:
            raise ValueError(f"{written[:40]!r} is no amount of memory. Expected a text such as '2 GB', or bytes")
        factors = {unit.upper(): factor for unit, factor in _UNITS.items()} | {"B": 1}
        amount = round(float(match[1]) * factors[(match[2] or "B").upper()])
    if isinstance(amount, int) and not isinstance(amount, bool) and amount and not _LEAST <= amount < 2**63:
        raise ValueError(f"{written!r} is not allowed. Expected 1 MB or more, or 0 for no limit")
    return amount


def memory_text(nbytes: int) -> str:
    """Return bytes as :func:`memory_of` reads them, in the largest unit that leaves a whole number."""
    for unit, factor in sorted(_UNITS.items(), key=lambda item: -item[1]):
        if nbytes and nbytes % factor == 0:
            return f"{nbytes // factor} {unit}"
    return f"{nbytes} B"
