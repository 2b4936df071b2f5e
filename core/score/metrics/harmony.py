"""What a score says of harmony: its pitch classes, how clearly it has a key, and its chords."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tonesmith.score.metrics.pitches import pitched, pitches_of
from tonesmith.score.score import Score
from tonesmith.score.theory.key_finding import find_key, pitch_histogram
from tonesmith.score.theory.naming import chord_over

_NAN = float("nan")
_CHORD: Final = 3
"""Pitch classes from which notes are asked whether they are a chord."""
_AT_ONCE: Final = 512
"""Moments whose pitches are counted at once."""
_BITS: Final = 1 << np.arange(12, dtype=np.int64)


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
    ticks, classes, basses = (np.concatenate(columns) for columns in zip(*_moments(notes), strict=True))
    chords = [chord_over(*moment) for moment in zip(classes.tolist(), basses.tolist(), strict=True)]
    known = np.array([chord is not None for chord in chords], bool)
    heard = [(chord.root, chord.tones) for chord in chords if chord]
    count = sum(one != before for before, one in pairwise([None, *heard]))
    asked = int(ticks.sum())
    return int(ticks[known].sum()) / asked if asked else _NAN, count / float(score.beats)


def _moments(notes: NDArray[Any]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
    """Yield in order of time the moments at which three pitch classes or more sound, some hundreds at once.

    Of each (moments,): its ticks, the pitch classes as bits, and that of the lowest pitch.
    """
    times, place = np.unique(np.concatenate([notes["onset"], notes["onset"] + notes["duration"]]), return_inverse=True)
    order = np.argsort(place, kind="stable")
    pitches, column = np.unique(notes["pitch"], return_inverse=True)
    place, column = place[order], np.tile(column, 2)[order]
    steps = np.where(order < len(notes), 1.0, -1.0)
    lasts = np.diff(times)
    before, of_class = np.zeros(len(pitches)), (pitches[:, None] % 12 == np.arange(12)).astype(np.float64)
    for first in range(0, len(lasts), _AT_ONCE):
        count = min(_AT_ONCE, len(lasts) - first)
        of = slice(*np.searchsorted(place, [first, first + count]))
        cells = (place[of] - first) * len(pitches) + column[of]
        changes = np.bincount(cells, steps[of], count * len(pitches)).reshape(count, -1)
        sounding = before + np.cumsum(changes, axis=0)
        before = sounding[-1]
        there = sounding > 0
        classes = there @ of_class > 0
        enough = classes.sum(axis=1) >= _CHORD
        lowest = pitches[there[enough].argmax(axis=1)]
        yield lasts[first : first + count][enough], classes[enough] @ _BITS, lowest % 12
