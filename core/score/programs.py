"""The programs of General MIDI, by number and by family."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from tonesmith.errors import ConfigError, unknown_name

FAMILIES: Final = (
    "piano",
    "chromatic-percussion",
    "organ",
    "guitar",
    "bass",
    "strings",
    "ensemble",
    "brass",
    "reed",
    "pipe",
    "synth-lead",
    "synth-pad",
    "synth-effects",
    "ethnic",
    "percussive",
    "sound-effects",
)
"""Of eight programs each, as the General MIDI specification orders them."""
_RANGE: Final = re.compile(r"(\d{1,3})(?:-(\d{1,3}))?")


def programs_of(names: Iterable[str]) -> frozenset[int]:
    """Return the programs 0..127 that names stand for: numbers (``"33"``), ranges (``"32-39"``), families (``"bass"``).

    Raises :class:`ConfigError` for a name that stands for none.
    """
    found: set[int] = set()
    for name in names:
        if name in FAMILIES:
            first = 8 * FAMILIES.index(name)
            found.update(range(first, first + 8))
        else:
            found.update(_numbered(name))
    return frozenset(found)


def _numbered(name: str) -> range:
    numbers = _RANGE.fullmatch(name.strip())
    if numbers is None:
        raise ConfigError(unknown_name("part", name, FAMILIES, shown=16))
    low, high = int(numbers[1]), int(numbers[2] or numbers[1])
    if not low <= high <= 127:
        raise ConfigError(f"{name!r}: programs are numbered 0 to 127, and a range rises.")
    return range(low, high + 1)
