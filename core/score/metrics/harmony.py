"""What a score says of harmony: its pitch classes, how clearly it has a key, and its chords."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tonesmith.score.metrics.pitches import pitched, pitches_of
from tonesmith.score.score import Score
from tonesmith.score.theory.key_finding import find_key, pitch_histogram
from tonesmith.score.theory.naming import chord_of

_NAN = float("nan")
_CHORD: Final = 3
"""Pitch classes from which notes are asked whether they are a chord."""


@dataclass(frozen=True, slots=True)
class Harmony:
    """What :func:`harmony_of` measures, NaN where there is nothing to measure.

    Attributes:
        pitch_classes: (12,) share of the sounding beats of each pitch class, from C on.
        scale_consistency: see :class:`tonesmith.score.metrics.Pitches`.
        key_margin: by how much the most likely key correlates better than the second, 0..2 [Temperley 1999]; NaN
            without a key.
        key_confidence: how often a key with such a margin is right, 0..1 [see ``find_key``].
        in_key: share of the sounding beats on the seven degrees of that key, 0..1.
        chord_share: share of the beats with three pitch classes or more that sound a known chord, 0..1.
        chords_per_beat: known chords that differ from the known one before, over the beats of the score.
    """

    pitch_classes: NDArray[np.float64]
    scale_consistency: float
    key_margin: float
    key_confidence: float
    in_key: float
    chord_share: float
    chords_per_beat: float


def harmony_of(score: Score) -> Harmony:
    """Return the harmony of a score, drums left out."""
    histogram, found = pitch_histogram(score), find_key(score)
    whole = float(histogram.sum())
    share, rate = _chords(score)
    scale = list(found.tonality.scale) if found else []
    return Harmony(
        pitch_classes=histogram / whole if whole else np.full(12, _NAN),
        scale_consistency=pitches_of(score).scale_consistency,
        key_margin=found.margin if found else _NAN,
        key_confidence=found.confidence if found else _NAN,
        in_key=float(histogram[scale].sum() / whole) if found else _NAN,
        chord_share=share,
        chords_per_beat=rate,
    )


def _chords(score: Score) -> tuple[float, float]:
    """Return the share of the time with enough pitch classes that is a known chord, and chords a beat."""
    notes = pitched(score)
    if not len(notes) or not score.end:
        return _NAN, _NAN
    asked = known = count = 0
    last: Any = None
    for ticks, sounding in _moments(notes):
        if len({pitch % 12 for pitch in sounding}) < _CHORD:
            continue
        chord = chord_of(sounding)
        asked += ticks
        if chord is not None:
            known += ticks
            heard = (chord.root, chord.tones)
            count += heard != last
            last = heard
    return known / asked if asked else _NAN, count / float(score.beats)


def _moments(notes: NDArray[Any]) -> list[tuple[int, tuple[int, ...]]]:
    """Return how many ticks each set of pitches sounds, in order of time."""
    pitches, begins = notes["pitch"].tolist(), notes["onset"].tolist()
    ends = (notes["onset"] + notes["duration"]).tolist()
    events = sorted(
        [(time, 1, pitch) for time, pitch in zip(begins, pitches, strict=True)]
        + [(time, -1, pitch) for time, pitch in zip(ends, pitches, strict=True)]
    )
    counts: dict[int, int] = {}
    found: list[tuple[int, tuple[int, ...]]] = []
    before = 0
    for time, step, pitch in events:
        if time > before and counts:
            found.append((time - before, tuple(counts)))
        before = time
        counts[pitch] = counts.get(pitch, 0) + step
        if not counts[pitch]:
            del counts[pitch]
    return found
