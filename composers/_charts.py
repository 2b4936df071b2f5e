"""Chord charts: bars that are written as text, read into chords with their beats."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from tonesmith.errors import ConfigError, ScoreError
from tonesmith.score.theory.chord import Chord
from tonesmith.score.theory.numerals import parse_numeral
from tonesmith.score.theory.symbols import parse_chord
from tonesmith.score.theory.tonality import Tonality

_AGAIN: Final = "%"
_RESTS: Final = frozenset(("N.C.", "NC", "-", "_"))


@dataclass(frozen=True, slots=True)
class Placed:
    """A chord of a chart.

    Attributes:
        symbol: as it is written; of a bar that repeats, what it repeats.
        chord: that it stands for; None where nothing is played.
        onset: beats from the beginning of its chart.
        beats: that it lasts.
    """

    symbol: str
    chord: Chord | None
    onset: Fraction
    beats: Fraction


@dataclass(frozen=True, slots=True)
class Chart:
    """Chords in time, and how they are written."""

    chords: tuple[Placed, ...]
    text: str

    @property
    def beats(self) -> Fraction:
        """Beats until the end of the last chord."""
        return self.chords[-1].onset + self.chords[-1].beats


def charts_of(written: Sequence[str], beats: int, key: str) -> list[Chart]:
    """Return the charts of some texts: one of all, in which each text is a bar; of texts with ``|``, one each.

    A bar of several chords shares its beats among them. ``%`` plays the chord before again, and ``-`` or ``N.C.`` plays
    nothing.

    Args:
        written: bars, or charts.
        beats: of a bar.
        key: of numerals such as ``ii7``; "" if there are none.

    Raises :class:`ConfigError` for what is no chord, and for a chart without any.
    """
    tonality = _tonality(key)
    if any("|" in text for text in written):
        charts = [[bar for bar in text.split("|") if bar.strip()] for text in written]
    else:
        charts = [[bar for bar in written if bar.strip()]]
    return [_chart(bars, beats, tonality) for bars in charts]


def apart(charts: Sequence[Chart], beats: int) -> list[Chart]:
    """Return a chart of each chord, which lasts a bar."""
    return [
        Chart((Placed(placed.symbol, placed.chord, Fraction(0), Fraction(beats)),), placed.symbol)
        for chart in charts
        for placed in chart.chords
        if placed.chord is not None
    ]


def _tonality(key: str) -> Tonality | None:
    try:
        return Tonality.parse(key) if key else None
    except ScoreError as error:
        raise ConfigError(f"key: {error}") from None


def _chart(bars: Sequence[str], beats: int, tonality: Tonality | None) -> Chart:
    placed: list[Placed] = []
    for number, bar in enumerate(bars):
        symbols = [symbol for symbol in re.split(r"[\s,]+", bar) if symbol]
        share = Fraction(beats, max(1, len(symbols)))
        for place, symbol in enumerate(symbols):
            again = placed[-1].symbol if symbol == _AGAIN and placed else symbol
            placed.append(Placed(again, _chord(again, tonality), beats * number + place * share, share))
    if not any(one.chord for one in placed):
        raise ConfigError("there is no chord. Give a list such as ['C', 'Am7', 'F', 'G/B'], or 'C | Am7 | F G/B'.")
    return Chart(tuple(placed), " | ".join(" ".join(bar.split()) for bar in bars))


def _chord(symbol: str, tonality: Tonality | None) -> Chord | None:
    if symbol in _RESTS:
        return None
    try:
        return parse_chord(symbol)
    except ScoreError as error:
        if tonality is None:
            raise ConfigError(f"chords: {error} A numeral such as 'ii7' needs a key.") from None
    try:
        return parse_numeral(symbol, tonality)
    except ScoreError as error:
        raise ConfigError(f"chords: {error}") from None
