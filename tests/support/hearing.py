"""Chords read from the notes of a score: bar lines come from the labels, everything else from the notes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tonesmith.composers._bars import EIGHTH
from tonesmith.composers._texture import starts_of
from tonesmith.host.roles import Composed
from tonesmith.score.bars import Bar
from tonesmith.score.theory import Chord, Tonality, chord_of, parse_numeral


def slots_of(progression: str) -> list[int]:
    """Return the chords in each bar of a progression."""
    return [len(bar.split()) for bar in progression.split("|")]


def numerals_of(progression: str) -> list[str]:
    """Return the numerals of a progression."""
    return progression.replace("|", " ").split()


def windows(composed: Composed) -> list[tuple[int, int]]:
    """Return the first tick of each chord, and the one after its last."""
    starts, lengths = starts_of(slots_of(composed.annotations["progression"]), Bar.of(composed.annotations["meter"]))
    return [(int(s) * EIGHTH, int(s + n) * EIGHTH) for s, n in zip(starts, lengths, strict=True)]


def heard(composed: Composed, parts: Sequence[int]) -> list[Chord | None]:
    """Return the chord that some parts play in each window."""
    notes = composed.score.notes[np.isin(composed.score.notes["part"], parts)]
    within = [(notes["onset"] >= first) & (notes["onset"] < end) for first, end in windows(composed)]
    return [chord_of(notes["pitch"][mask].tolist()) for mask in within]


def misheard(composed: Composed, parts: Sequence[int]) -> list[tuple[str, Chord | None]]:
    """Return the numerals of the progression whose chord is not what some parts play, with what they play."""
    tonality = Tonality.parse(composed.annotations["key"])
    pairs = zip(numerals_of(composed.annotations["progression"]), heard(composed, parts), strict=True)
    return [
        (text, chord) for text, chord in pairs if chord is None or not chord.sounds_as(parse_numeral(text, tonality))
    ]


def voices(composed: Composed, parts: Sequence[int]) -> list[list[int]]:
    """Return the pitches of some parts in each window, the first note of each, from the lowest part up."""
    rows = []
    for first, end in windows(composed):
        notes = composed.score.notes
        inside = notes[(notes["onset"] >= first) & (notes["onset"] < end)]
        rows.append([int(inside["pitch"][inside["part"] == part][0]) for part in parts])
    return rows
