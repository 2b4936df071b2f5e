"""Roman numerals, as charts write them: ``I``, ``bVII``, ``V7``, ``Imaj7``, ``viio7/ii``, ``V/V``.

The convention:

- A numeral without a sign is a degree of the scale of the mode; upper case is major, lower case minor, ``o``
  diminished, ``ø`` half-diminished, ``+`` augmented. In minor, V is major because it is written so, and viio is on the
  leading note because it is diminished.
- A sign counts from the *major* scale on the tonic, in every mode: bVII is B flat in C major and in C minor. ``n`` is
  the degree of the major scale itself: nvi is A minor in C minor.
- 7 is a minor seventh and ``maj7`` a major one: V7, I7 and IV7 are dominant sevenths, as in a blues. 6 is an added
  sixth, and sus2, sus4, add9, 9, 11, 13 are as in chord symbols.
- Inversions have the figures that mean nothing else: 63 and 64 of triads; 65, 43 and 42 of sevenths.
- ``X/Y`` is X in the major key on Y, and may go on: V/V/ii.
- N is bII, N6 its inversion; It6, Fr43 and Ger65 are the augmented sixths, which are spelled by their sound; Cad64 is
  I64 or i64.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from tonesmith.errors import ScoreError
from tonesmith.score.theory.chord import Chord
from tonesmith.score.theory.scales import MODES
from tonesmith.score.theory.spelling import plain
from tonesmith.score.theory.symbols import SUFFIXES, symbol_of
from tonesmith.score.theory.tonality import Tonality

_NUMERAL: Final = re.compile(r"(?P<sign>bb|b|#|n)?(?P<degree>VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)(?P<rest>.*)\Z")
_DEGREES: Final = ("I", "II", "III", "IV", "V", "VI", "VII")
_SIGNS: Final = {"b": -1, "bb": -2, "#": 1, "n": 0}
_MAJOR: Final = MODES["major"]
_LEADING: Final = 11

_INVERSIONS: Final = {"63": (1, ""), "64": (2, ""), "65": (1, "7"), "43": (2, "7"), "42": (3, "7")}
"""Which tone of the chord each figure puts into the bass, and what it adds to the chord's suffix."""
_FIGURES: Final = {(place, bool(seventh)): figure for figure, (place, seventh) in _INVERSIONS.items()}

_UPPER: Final = {
    suffix: suffix
    for suffix in (
        *("", "7", "maj7", "6", "9", "maj9", "add9", "69", "11", "13", "maj13", "sus2", "sus4", "7sus4", "9sus4"),
        *("7b5", "7b9", "7#9", "7#11", "7b13", "maj7#11", "5"),
    )
}
_LOWER: Final = {
    "": "m",
    "7": "m7",
    "maj7": "mmaj7",
    "6": "m6",
    "9": "m9",
    "maj9": "mmaj9",
    "add9": "madd9",
    "69": "m69",
    "11": "m11",
    "13": "m13",
    "7b5": "m7b5",
}
_MARKED: Final = {"o": "dim", "o7": "dim7", "ø": "m7b5", "ø7": "m7b5", "+": "aug", "+7": "aug7", "+maj7": "augmaj7"}
_NAMES: Final = {
    **{SUFFIXES[suffix]: (True, figure) for figure, suffix in (*reversed(_MARKED.items()), *_UPPER.items())},
    **{SUFFIXES[suffix]: (False, figure) for figure, suffix in _LOWER.items()},
    **{SUFFIXES[suffix]: (False, figure) for figure, suffix in _MARKED.items() if figure in {"o", "o7", "ø7"}},
}
"""Whether a chord is written in upper case, and what stands behind the degree, by its tones."""

_NAMED: Final = {
    "N": "bII",
    "N6": "bII63",
    "subV": "bII",
    "subV7": "bII7",
    "It6": "bVI7",
    "Fr43": "bVI7b5",
    "Ger65": "bVI7",
}
"""Chords with names of their own, by a numeral with the same sound; the Italian sixth lacks its fifth."""


@lru_cache(maxsize=8192)
def parse_numeral(text: str, tonality: Tonality) -> Chord:
    """Return the chord of a numeral in a tonality.

    Raises :class:`ScoreError` for a numeral that is not known, saying what is wrong.
    """
    numeral, *targets = plain(text.strip()).split("/")
    for target in reversed(targets):
        tonality = Tonality(_named(target, text, tonality).root)
    return _named(numeral, text, tonality)


def numeral_of(chord: Chord, tonality: Tonality) -> str:
    """Return the numeral of a chord, so that :func:`parse_numeral` gives the chord again.

    Raises :class:`ScoreError` for tones or a bass that no numeral has.
    """
    if chord.tones not in _NAMES:
        raise ScoreError(f"no numeral has the tones of {_symbol(chord)}.")
    upper, figure = _NAMES[chord.tones]
    sign, degree = _degree((chord.root - tonality.tonic) % 12, upper, figure, tonality)
    return sign + (degree if upper else degree.lower()) + _inverted(chord, figure)


def _named(numeral: str, text: str, tonality: Tonality) -> Chord:
    if numeral == "Cad64":
        return _numeral("i64" if tonality.is_minor else "I64", text, tonality)
    chord = _numeral(_NAMED.get(numeral, numeral), text, tonality)
    return Chord(chord.root, (0, 4, 10)) if numeral == "It6" else chord


def _numeral(numeral: str, text: str, tonality: Tonality) -> Chord:
    found = _NUMERAL.match(numeral)
    if found is None:
        raise ScoreError(f"{text!r} is no numeral: write one such as I, vi, bVII, V7, Imaj7, viio7 or V/V.")
    degree, sign, rest = found["degree"], found["sign"], found["rest"]
    figure, place = _figured(rest)
    suffix = _MARKED.get(figure, (_UPPER if degree.isupper() else _LOWER).get(figure))
    if suffix is None:
        raise ScoreError(_unknown(text, numeral, figure, degree))
    root = (tonality.tonic + _steps(_DEGREES.index(degree.upper()), sign, suffix, tonality)) % 12
    tones = SUFFIXES[suffix]
    return Chord(root, tones, (root + tones[place]) % 12)


def _steps(degree: int, sign: str | None, suffix: str, tonality: Tonality) -> int:
    """Return semitones from the tonic to the root."""
    if sign is not None:
        return _MAJOR[degree] + _SIGNS[sign]
    if degree == 6 and suffix in {"dim", "dim7", "m7b5"}:
        return _LEADING
    return tonality.steps[degree]


def _figured(rest: str) -> tuple[str, int]:
    """Return what stands behind a degree without its inversion, and which tone is in the bass."""
    for figure, (place, seventh) in _INVERSIONS.items():
        before = rest.removesuffix(figure)
        if before != rest and before in {"", "maj", "o", "ø", "+", "+maj"} and not (before == "maj" and not seventh):
            return before + seventh, place
    return rest, 0


def _unknown(text: str, numeral: str, figure: str, degree: str) -> str:
    case = "an upper-case" if degree.isupper() else "a lower-case"
    if figure in _UPPER:
        return f"{text!r}: {figure} does not go with a lower-case numeral: write {degree.upper()}{figure}."
    inside = f" in {text!r}" if numeral != text else ""
    known = ", ".join(f for f in (*(_UPPER if degree.isupper() else _LOWER), *_MARKED, *_INVERSIONS) if f)
    return f"{numeral!r}{inside} is no numeral: {figure!r} cannot follow {case} degree. What can: {known}."


def _degree(steps: int, upper: bool, figure: str, tonality: Tonality) -> tuple[str, str]:
    """Return sign and degree of a root: without a sign if the scale has it."""
    diminished = figure in {"o", "o7", "ø", "ø7"}
    if steps == _LEADING and diminished:
        return "", "VII"
    if steps in tonality.steps and not (diminished and steps == tonality.steps[6]):
        return "", _DEGREES[tonality.steps.index(steps)]
    if steps in _MAJOR:
        return "n", _DEGREES[_MAJOR.index(steps)]
    sharp = steps - 1 in _MAJOR and (diminished or (steps == 6 and not upper))
    return ("#", _DEGREES[_MAJOR.index(steps - 1)]) if sharp else ("b", _DEGREES[_MAJOR.index(steps + 1)])


def _inverted(chord: Chord, figure: str) -> str:
    place = {(chord.root + tone) % 12: place for place, tone in enumerate(chord.tones)}.get(chord.lowest)
    if place == 0:
        return figure
    stem, seventh = figure.removesuffix("7"), figure.endswith("7")
    found = _FIGURES.get((place or 0, seventh))
    if found is None or stem not in {"", "maj", "o", "ø", "+", "+maj"}:
        raise ScoreError(f"no numeral has the bass of {_symbol(chord)}.")
    return stem + found


def _symbol(chord: Chord) -> str:
    try:
        return symbol_of(chord)
    except ScoreError:
        return f"a chord on {chord.root} with the tones {', '.join(map(str, chord.tones))}"
