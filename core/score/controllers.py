"""The controllers of a score by their kinds, and which of them shape how a patch is played."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tonesmith.errors import ScoreError

BEND: Final = 128
"""The kind of a pitch bend."""
PRESSURE: Final = 129
"""The kind of a channel's pressure."""
MODWHEEL: Final = 1
"""The controller number of the modulation wheel."""
SUSTAIN: Final = 64
"""The controller number of the sustain pedal."""
PEDALS: Final = frozenset({SUSTAIN, 66, 69})
"""Controllers that hold notes while their value is 64 or more."""

CHOOSING: Final = frozenset({0, 32, *range(120, 128)})
"""Bank selects and channel modes. They choose a sound or reset a synth, as a program change does, and a row's label
alone says what sounds: nobody plays them."""
PLAYABLE: Final = frozenset({*range(128), BEND, PRESSURE}) - CHOOSING
"""Kinds that shape how a patch is played."""

_NAMES: Final = {
    MODWHEEL: "the modulation wheel",
    7: "the volume",
    10: "the pan",
    11: "the expression",
    SUSTAIN: "the sustain pedal",
    BEND: "the pitch bend",
    PRESSURE: "the channel pressure",
}


_WORDS: Final = {"bend": BEND, "modwheel": MODWHEEL, "sustain": SUSTAIN, "pressure": PRESSURE}


def kinds_of(names: Iterable[str]) -> frozenset[int]:
    """Return the kinds that names stand for: "all", "none", "bend", "modwheel", "sustain", "pressure", or a number.

    Raises :class:`ScoreError` for any other name.
    """
    kinds: set[int] = set()
    for name in names:
        if name == "all":
            kinds |= {*range(128), BEND, PRESSURE}
        elif name in _WORDS:
            kinds.add(_WORDS[name])
        elif name.isascii() and name.isdigit() and int(name) < BEND:
            kinds.add(int(name))
        elif name != "none":
            raise ScoreError(f"unknown controller {name!r:.40}. Known: all, none, {', '.join(_WORDS)}, 0 to 127.")
    return frozenset(kinds)


def controller_name(kind: int) -> str:
    """Return what a kind is called in a message, such as "the volume (controller 7)"."""
    name = _NAMES.get(kind)
    if kind >= BEND:
        return name or f"the kind {kind}"
    return f"{name} (controller {kind})" if name else f"controller {kind}"


def controller_names(kinds: Iterable[int]) -> str:
    """Return what some kinds are called, in the order of their numbers."""
    return ", ".join(controller_name(kind) for kind in sorted(kinds))


def rests(kind: int, value: int) -> bool:
    """Return whether a value is where the controller is before anybody moves it, so that it changes nothing."""
    if kind in PEDALS:
        return value < 64
    return kind in {MODWHEEL, BEND, PRESSURE} and value == 0
