"""A grammar of functional harmony: tonic, predominant, dominant.

It is a small version of the generative syntax of Rohrmeier 2011 ("Towards a generative syntax of tonal harmony",
Journal of Mathematics and Music 5:35-53). The rules, with their lengths in chords, and the weights, are ours::

    phrase  -> TR SR cadence | TR fifths cadence
    TR      -> t | t t | TR TR | t DR t
    DR      -> d | SR DR
    SR      -> s | s s
    cadence -> d T (authentic) | D (half) | d vi (deceptive) | s T (plagal)
    fifths  -> the last chords of IV viio iii vi ii before the cadence, each a fifth below the one before
    X       -> V7/X X, in place of the chord before X (an applied dominant)

A function then becomes a chord of it: by mode, with sevenths, inversions and borrowed chords as often as was asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tonesmith.composers._bars import Stream

Cadence = Literal["authentic", "half", "deceptive", "plagal"]
CADENCES: Final[tuple[Cadence, ...]] = ("authentic", "half", "deceptive", "plagal")

_INNER: Final[Mapping[Cadence, float]] = {"half": 0.45, "authentic": 0.3, "deceptive": 0.15, "plagal": 0.1}
_LAST: Final[Mapping[Cadence, float]] = {"authentic": 0.85, "plagal": 0.15}
_FIFTHS_SHARE: Final = 0.25
"""Of phrases that are long enough, how many run through the circle of fifths."""
_PHRASE: Final = 4
"""Bars of a phrase."""


@dataclass(frozen=True, slots=True)
class Taste:
    """How often a chord is other than a plain triad, each 0..1.

    Attributes:
        sevenths: share of chords that have one, where they may.
        inversions: share of chords that are inverted, where they may be.
        borrowed: share of chords that are borrowed from another mode or applied to the next, where they may be.
    """

    sevenths: float
    inversions: float
    borrowed: float


@dataclass(frozen=True, slots=True)
class _Words:
    """The chords of a mode: those of each function with their weights, and what they turn into."""

    tonic: str
    plagal: str
    functions: Mapping[str, Mapping[str, float]]
    borrowed: Mapping[str, Mapping[str, float]]
    fifths: tuple[str, ...]
    sevenths: Mapping[str, str]
    inversions: Mapping[str, tuple[str, ...]]
    targets: frozenset[str]


_MAJOR: Final = _Words(
    "I",
    "IV",
    {
        "t": {"I": 3, "vi": 3, "iii": 1, "I63": 2},
        "s": {"ii": 3, "IV": 3, "ii63": 2, "vi": 0.5},
        "d": {"V": 6, "viio63": 1, "iii": 0.2},
    },
    {"s": {"iv": 3, "iiø65": 2, "bVI": 1, "bII63": 1}, "d": {"viio7": 2, "bVII": 1}},
    ("IV", "viio", "iii", "vi", "ii"),
    {
        "ii": "ii7",
        "ii63": "ii65",
        "IV": "IVmaj7",
        "V": "V7",
        "vi": "vi7",
        "iii": "iii7",
        "V63": "V65",
        "V64": "V43",
        "bVII": "bVII7",
        "viio": "viiø7",
    },
    {"V": ("V63",), "ii": ("ii63",), "IV": ("IV63",), "I": ("I63",), "V7": ("V65", "V43", "V42"), "ii7": ("ii65",)},
    frozenset({"ii", "ii7", "IV", "IVmaj7", "V", "V7", "vi", "vi7", "iii"}),
)
_MINOR: Final = _Words(
    "i",
    "iv",
    {
        "t": {"i": 3, "VI": 3, "III": 1, "i63": 2},
        "s": {"iv": 4, "iio63": 2, "iv63": 1, "VI": 0.5},
        "d": {"V": 6, "viio63": 1, "VII": 0.5},
    },
    {"s": {"bII63": 2, "IV": 2, "ii": 1}, "d": {"viio7": 2, "v": 1}},
    ("iv", "VII", "III", "VI", "iio"),
    {
        "iv": "iv7",
        "iio63": "iiø65",
        "iio": "iiø7",
        "V": "V7",
        "VI": "VImaj7",
        "III": "IIImaj7",
        "V63": "V65",
        "VII": "VII7",
        "IV": "IV7",
        "v": "v7",
    },
    {"V": ("V63",), "iv": ("iv63",), "i": ("i63",), "V7": ("V65", "V43", "V42")},
    frozenset({"iv", "iv7", "V", "V7", "VI", "VImaj7", "III", "VII"}),
)
WORDS: Final[Mapping[str, _Words]] = {"major": _MAJOR, "minor": _MINOR}


def progression(slots: Sequence[int], mode: str, taste: Taste, draws: Stream) -> tuple[list[str], Cadence]:
    """Return the numerals of a piece, and its last cadence.

    Args:
        slots: chords in each bar.
        mode: "major" or "minor".
        taste: how plain they are.
        draws: what chooses.
    """
    words = WORDS[mode]
    numerals: list[str] = []
    last: Cadence = "authentic"
    for first in range(0, len(slots), _PHRASE):
        final = first + _PHRASE >= len(slots)
        last = draws.weighed(_LAST if final else _INNER)
        numerals += _phrase(sum(slots[first : first + _PHRASE]), last, words, taste, draws)
    return numerals, last


def _phrase(length: int, cadence: Cadence, words: _Words, taste: Taste, draws: Stream) -> list[str]:
    end = {"authentic": "dT", "half": "D", "deceptive": "dv", "plagal": "sT"}[cadence][-length:]
    before = length - len(end)
    if before >= 4 and draws.next() < _FIFTHS_SHARE:
        run = min(before - 1, len(words.fifths))
        functions = [*_tonic(before - run, draws), *"f" * run, *end]
    else:
        most = 0 if end == "sT" else min(2, before - 1)
        middle = int(draws.next() * (most + 1)) if before > 1 else 0
        functions = [*_tonic(before - middle, draws), *_predominant(middle), *end]
    return _chords(functions, words, taste, draws)


def _tonic(length: int, draws: Stream) -> list[str]:
    if length < 3:
        return ["t"] * length
    if draws.next() < 0.4:
        first = 1 + int(draws.next() * (length - 1))
        return _tonic(first, draws) + _tonic(length - first, draws)
    return ["t", *_dominant(length - 2, draws), "t"]


def _dominant(length: int, draws: Stream) -> list[str]:
    if length < 2:
        return ["d"] * length
    first = min(2, 1 + int(draws.next() * (length - 1)))
    return _predominant(first) + _dominant(length - first, draws)


def _predominant(length: int) -> list[str]:
    return ["s"] * length


def _chords(functions: Sequence[str], words: _Words, taste: Taste, draws: Stream) -> list[str]:
    chosen: list[str] = []
    run = functions.count("f")
    for place, function in enumerate(functions):
        if function == "f":
            chosen.append(words.fifths[len(words.fifths) - run])
            run -= 1
        else:
            chosen.append(_chord(place, functions, chosen[-1] if chosen else "", words, taste, draws))
    for place in range(1, len(chosen) - 1):
        if functions[place] in "ts" and chosen[place + 1] in words.targets and draws.next() < taste.borrowed / 2:
            chosen[place] = f"V7/{chosen[place + 1].removesuffix('maj7').removesuffix('7')}"
    return [_dressed(chosen, place, functions, words, taste, draws) for place in range(len(chosen))]


def _chord(place: int, functions: Sequence[str], before: str, words: _Words, taste: Taste, draws: Stream) -> str:
    """Return the triad, or the borrowed chord, of a function."""
    function = functions[place]
    if function == "T" or (function == "t" and place == 0):
        return words.tonic
    if function in "Dv":
        return "V" if function == "D" else words.fifths[3]
    if function == "d" and functions[place + 1 :] in (["T"], ["v"]):
        return "V"  # what a cadence is known by
    if function == "s" and functions[place + 1 :] == ["T"]:
        return words.plagal
    if function in words.borrowed and draws.next() < taste.borrowed:
        return draws.weighed(words.borrowed[function])
    known = {numeral: weight for numeral, weight in words.functions[function].items() if numeral != before}
    return draws.weighed(known)


def _dressed(
    chosen: Sequence[str], place: int, functions: Sequence[str], words: _Words, taste: Taste, draws: Stream
) -> str:
    """Return a chord with a seventh or inverted, if it is to be: never the first and last, nor a cadence's bass."""
    numeral = chosen[place]
    if place in {0, len(chosen) - 1}:
        return numeral
    if draws.next() < taste.sevenths:
        numeral = words.sevenths.get(numeral, numeral)
    if functions[place] in "tsd" and place < len(chosen) - 2 and draws.next() < taste.inversions:
        numeral = draws.pick(words.inversions.get(numeral, (numeral,)))
    return numeral
