"""Names of pitch classes, by the line of fifths: ... Bb F C G D A E B F# C# ..."""

from __future__ import annotations

import re
from typing import Final

from tonesmith.errors import ScoreError

LETTERS: Final = "FCGDAEB"
"""Letters in the order of the line, from place -1 (F) to place 5 (B); C is at 0."""
_SIGNS: Final = {"": 0, "#": 1, "b": -1, "##": 2, "bb": -2, "x": 2}
_NAME: Final = re.compile(r"([A-Ga-g])(##|bb|#|b|x)?\Z")


def plain(text: str) -> str:
    """Return a text with the signs of music in letters: ``♭`` as ``b``, ``♯`` as ``#``, ``°`` as ``o``."""
    return text.translate({0x266D: "b", 0x266F: "#", 0x266E: "n", 0xB0: "o", 0x2205: "ø", 0x394: "maj7", 0x2212: "-"})


def pitch_class(name: str) -> int:
    """Return the pitch class, 0..11 from C, of a name such as ``"Bb"`` or ``"f#"``.

    Raises :class:`ScoreError` for what is no name of a note.
    """
    return 7 * place_of(name) % 12


def place_of(name: str) -> int:
    """Return where a name is on the line of fifths, from C = 0: G is 1, F is -1, F# is 6, Bb is -2.

    Raises :class:`ScoreError` for what is no name of a note.
    """
    found = _NAME.match(plain(name))
    if found is None:
        raise ScoreError(f"{name!r} is no name of a note: write a letter from A to G, and # or b behind it.")
    letter, sign = found.groups(default="")
    return LETTERS.index(letter.upper()) - 1 + 7 * _SIGNS[sign]


def name_at(place: int) -> str:
    """Return the name at a place of the line of fifths: ``"Bb"`` at -2."""
    signs, letter = divmod(place + 1, 7)
    return LETTERS[letter] + ("#" * signs if signs >= 0 else "b" * -signs)


def spelled(pitch: int, centre: float = 2.0) -> str:
    """Return the name of a pitch class that is nearest to a place of the line of fifths, the flat one of two.

    Args:
        pitch: a pitch class, or any MIDI pitch.
        centre: the place to be near to: the middle of the scale in use, 2 (D) for C major.
    """
    first = 7 * pitch % 12
    return name_at(min((first + 12 * turn for turn in (-2, -1, 0, 1)), key=lambda place: (abs(place - centre), place)))
