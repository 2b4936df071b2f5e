"""Chord symbols: ``C``, ``Am7``, ``F#m7b5``, ``G/B``, ``Bbmaj7``."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from tonesmith.errors import ScoreError
from tonesmith.score.theory.chord import Chord
from tonesmith.score.theory.spelling import name_at, pitch_class, place_of, plain, spelled
from tonesmith.score.theory.tonality import Tonality

_SYMBOL: Final = re.compile(
    r"(?P<root>[A-G](?:##|bb|#|b)?)"
    r"(?P<quality>maj|ma|min|mi|dim|aug|hdim|M|m|-|\+|o|ø)?"
    r"(?P<seventh>\(?(?:maj|ma|M)(?=7|9|11|13))?"
    r"(?P<number>6/9|69|5|6|7|9|11|13)?\)?"
    r"(?P<rest>(?:[(,]*(?:sus[24]?|sus9|add(?:2|4|6|b9|9|#11|11|b13|13)|(?:no|omit)[35]|[b#+-](?:5|9|11|13)|alt)[),]*)*)"
    r"(?:/(?P<bass>[A-G](?:##|bb|#|b)?))?\Z"
)
_CHANGE: Final = re.compile(r"(sus|add|no|omit|alt)?([b#+-]?)(\d+)?")
_DEGREES: Final = {2: 14, 4: 17, 3: 4, 5: 7, 6: 9, 9: 14, 11: 17, 13: 21}
"""Semitones of the degrees that are changed, added or left out. An added 2 or 4 is a 9 or 11."""
_SHIFTS: Final = {"": 0, "b": -1, "-": -1, "#": 1, "+": 1}
_STACK: Final = {7: (), 9: (9,), 11: (9, 11), 13: (9, 13)}
"""What a number adds above the seventh. A 13 leaves out the 11, which clashes with its third."""

_SUFFIXES: Final[tuple[tuple[str, tuple[int, ...]], ...]] = (
    ("", (0, 4, 7)),
    ("m", (0, 3, 7)),
    ("dim", (0, 3, 6)),
    ("aug", (0, 4, 8)),
    ("5", (0, 7)),
    ("7", (0, 4, 7, 10)),
    ("maj7", (0, 4, 7, 11)),
    ("m7", (0, 3, 7, 10)),
    ("m7b5", (0, 3, 6, 10)),
    ("dim7", (0, 3, 6, 9)),
    ("mmaj7", (0, 3, 7, 11)),
    ("aug7", (0, 4, 8, 10)),
    ("augmaj7", (0, 4, 8, 11)),
    ("7b5", (0, 4, 6, 10)),
    ("maj7b5", (0, 4, 6, 11)),
    ("6", (0, 4, 7, 9)),
    ("m6", (0, 3, 7, 9)),
    ("sus4", (0, 5, 7)),
    ("sus2", (0, 2, 7)),
    ("7sus4", (0, 5, 7, 10)),
    ("7sus2", (0, 2, 7, 10)),
    ("add9", (0, 4, 7, 14)),
    ("madd9", (0, 3, 7, 14)),
    ("add11", (0, 4, 7, 17)),
    ("69", (0, 4, 7, 9, 14)),
    ("m69", (0, 3, 7, 9, 14)),
    ("9", (0, 4, 7, 10, 14)),
    ("maj9", (0, 4, 7, 11, 14)),
    ("m9", (0, 3, 7, 10, 14)),
    ("mmaj9", (0, 3, 7, 11, 14)),
    ("9sus4", (0, 5, 7, 10, 14)),
    ("7b9", (0, 4, 7, 10, 13)),
    ("7#9", (0, 4, 7, 10, 15)),
    ("7#11", (0, 4, 7, 10, 18)),
    ("7b13", (0, 4, 7, 10, 20)),
    ("maj7#11", (0, 4, 7, 11, 18)),
    ("11", (0, 4, 7, 10, 14, 17)),
    ("m11", (0, 3, 7, 10, 14, 17)),
    ("maj11", (0, 4, 7, 11, 14, 17)),
    ("13", (0, 4, 7, 10, 14, 21)),
    ("m13", (0, 3, 7, 10, 14, 21)),
    ("maj13", (0, 4, 7, 11, 14, 21)),
)
SUFFIXES: Final = dict(_SUFFIXES)
"""How chords are called behind their root, the usual first, with the tones of each."""
_LINE: Final = (0, -5, 2, -3, 4, -1, -6, 1, 8, 3, -2, 5, 0, -5, 2, 9, 4, -1, 6, 1, -4, 3, 10, 5)
"""Fifths from the root to each of the tones 0..23: a tone of 3 is a minor third, one of 15 a sharp ninth."""
_NAMES: Final = {tones: suffix for suffix, tones in _SUFFIXES}


@lru_cache(maxsize=4096)
def parse_chord(symbol: str) -> Chord:
    """Return the chord of a symbol.

    A root; ``m``, ``dim``, ``aug``, ``o``, ``ø``, ``+`` or nothing for major; 6, 7, 9, 11, 13 with ``maj`` for a major
    seventh; ``sus2``, ``sus4``; changes such as ``b5``, ``#9``, ``add9``, ``no3``; and ``/`` with a bass. A 13 has no
    11 unless one is added.

    Raises :class:`ScoreError` for a symbol that is not of this form.
    """
    found = _SYMBOL.match(plain(symbol.strip()))
    if found is None:
        raise ScoreError(f"{symbol!r} is no chord: write one such as 'C', 'Am7', 'F#m7b5', 'Bbmaj7' or 'G/B'.")
    quality, number = found["quality"] or "", found["number"] or ""
    tones = _based(quality, bool(found["seventh"]), number)
    for kind, sign, degree in _CHANGE.findall(found["rest"]):
        if kind or degree:
            _change(tones, kind, sign, int(degree or 0))
    bass = pitch_class(found["bass"]) if found["bass"] else None
    return Chord(pitch_class(found["root"]), tuple(sorted(set(tones.values()))), bass)


@lru_cache(maxsize=4096)
def symbol_of(chord: Chord, tonality: Tonality | None = None) -> str:
    """Return the symbol of a chord, spelled from the tonic of a tonality, or near C.

    Raises :class:`ScoreError` for tones that no symbol has.
    """
    suffix = _NAMES.get(chord.tones)
    if suffix is None:
        raise ScoreError(f"no chord symbol has the tones {', '.join(map(str, chord.tones))}.")
    return root_name(chord, tonality) + suffix + (f"/{_bass_name(chord, tonality)}" if chord.bass is not None else "")


def root_name(chord: Chord, tonality: Tonality | None = None) -> str:
    """Return the name of a chord's root that brings its tones nearest to the scale: Db, not C#, in C major."""
    return name_at(_root_place(chord, tonality))


def _root_place(chord: Chord, tonality: Tonality | None) -> int:
    lean = sum(_fifths(tone, chord) for tone in chord.tones) / len(chord.tones)
    return place_of(spelled(chord.root, (tonality.centre if tonality else 2.0) - lean))


def _bass_name(chord: Chord, tonality: Tonality | None) -> str:
    """Return the name of the bass: that of the tone which it is, or one near to the root's."""
    root = _root_place(chord, tonality)
    for tone in chord.tones:
        if (chord.root + tone) % 12 == chord.bass:
            return name_at(root + _fifths(tone, chord))
    return spelled(chord.lowest, root)


def _fifths(tone: int, chord: Chord) -> int:
    """Return how far a tone is from the root on the line of fifths."""
    return -9 if tone == 9 and 6 in chord.tones else _LINE[tone]


def _based(quality: str, major_seventh: bool, number: str) -> dict[int, int]:
    """Return semitones by degree of what stands before the changes."""
    minor = quality in {"m", "min", "mi", "-", "dim", "o", "ø", "hdim"}
    fifth = 6 if quality in {"dim", "o", "ø", "hdim"} else 8 if quality in {"aug", "+"} else 7
    tones = {1: 0, 3: 3 if minor else 4, 5: fifth}
    if number in {"6", "69", "6/9"}:
        return tones | {6: 9} | ({9: 14} if "9" in number else {})
    if number == "5":
        return {1: 0, 5: 7}
    if not number:
        return tones | ({7: 10} if quality in {"ø", "hdim"} else {})
    major = major_seventh or quality in {"maj", "ma", "M"}
    tones[7] = 11 if major else 9 if quality in {"dim", "o"} else 10
    return tones | {degree: _DEGREES[degree] for degree in _STACK[int(number)]}


def _change(tones: dict[int, int], kind: str, sign: str, degree: int) -> None:
    if kind == "sus":
        tones.pop(3, None)
        tones.setdefault(4, 2 if degree == 2 else 5)
        if degree == 9:
            tones[9] = 14
    elif kind in {"no", "omit"}:
        tones.pop(degree, None)
    elif kind == "alt":
        tones.update({5: 6, 9: 13, 10: 15, 13: 20})
    elif degree in {5, 9} and not kind and tones.get(degree, _DEGREES[degree]) != _DEGREES[degree]:
        tones[degree + 20] = _DEGREES[degree] + _SHIFTS[sign]  # a second change of one degree, as in 7b9#9
    else:
        tones[degree] = _DEGREES[degree] + _SHIFTS[sign]
