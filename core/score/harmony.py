"""Chords that a score sounds, bar by bar."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ScoreError
from tonesmith.score.score import Score
from tonesmith.score.theory.chord import Chord
from tonesmith.score.theory.naming import chord_of

_MOST_BARS: Final = 2_000
_MOST_CELLS: Final = 2_000_000
"""Beats times notes that sound in them."""
_SHARE: Final = 1 / 8
"""Of a stretch of time, that a pitch class must sound in to count: what is shorter passes by."""
_BROKEN: Final = frozenset(
    frozenset(tones)
    for tones in (
        (0, 4, 7),
        (0, 3, 7),
        (0, 3, 6),
        (0, 4, 8),
        (0, 4, 7, 10),
        (0, 4, 7, 11),
        (0, 3, 7, 10),
        (0, 3, 6, 10),
    )
)
"""Triads and sevenths, which notes one after another can be. Of other chords they would be parts of a scale."""


class Harmony(NamedTuple):
    """Chords of a score.

    Attributes:
        chords: in their order, each once until another follows.
        share: of the time in which pitched notes sound, that these chords account for, 0..1.
    """

    chords: tuple[Chord, ...]
    share: float


def harmony_of(score: Score) -> Harmony:
    """Return the chords of a score: of each bar, or where a bar is no chord, of its halves, or else of its beats.

    A chord needs three pitch classes. Notes one after another are one if they are a whole triad or seventh that fills a
    bar. Drums do not count. A score of more than 2,000 bars has none here.
    """
    try:
        bars = score.bars(score.end)
    except ScoreError:
        return Harmony((), 0.0)
    if not len(bars) or len(bars) > _MOST_BARS:
        return Harmony((), 0.0)
    edges = _beats(bars, score.end, score.resolution)
    sounding = _sounding(score, edges)
    if sounding is None:
        return Harmony((), 0.0)
    firsts = np.append(np.searchsorted(edges, bars), len(edges) - 1)
    chords: list[Chord] = []
    named = whole = 0
    for first, last in pairwise(firsts.tolist()):
        for chord, beats in _bar(sounding[first:last], np.diff(edges[first : last + 1])):
            whole += beats
            named += beats if chord else 0
            if chord and (not chords or chords[-1] != chord):
                chords.append(chord)
    return Harmony(tuple(chords), named / whole if whole else 0.0)


def _beats(bars: NDArray[np.int64], end: int, resolution: int) -> NDArray[np.int64]:
    """Return the ticks at which beats begin, and where the last one ends."""
    ends = np.append(bars[1:], max(end, int(bars[-1]) + 1))
    return np.append(
        np.concatenate([np.arange(start, stop, resolution) for start, stop in zip(bars, ends, strict=True)]), ends[-1]
    )


def _sounding(score: Score, edges: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return (beats, 128) ticks that each pitch sounds in each beat; None if there is too much to count."""
    drums = np.array([part.drums for part in score.parts], bool)
    notes = score.notes[~drums[score.notes["part"]]]
    starts, ends = notes["onset"], notes["onset"] + notes["duration"]
    first = np.searchsorted(edges, starts, "right") - 1
    counts = np.maximum(np.searchsorted(edges, ends, "left") - first, 0)
    if counts.sum() > _MOST_CELLS:
        return None
    note = np.repeat(np.arange(len(notes)), counts)
    beat = first[note] + np.arange(len(note)) - np.repeat(np.cumsum(counts) - counts, counts)
    ticks = np.minimum(ends[note], edges[beat + 1]) - np.maximum(starts[note], edges[beat])
    size = (len(edges) - 1) * 128
    places = beat * 128 + notes["pitch"][note]
    return np.bincount(places, ticks, size).astype(np.int64).reshape(-1, 128)


def _bar(sounding: NDArray[np.int64], ticks: NDArray[np.int64]) -> Iterator[tuple[Chord | None, int]]:
    """Yield the chords of a bar, or None where there is none, each with its ticks. Silence is left out."""
    half = len(sounding) // 2
    halves = [(sounding[:half], ticks[:half]), (sounding[half:], ticks[half:])]
    chord = _named(sounding.sum(axis=0), int(ticks.sum()), broken=True)
    inner = [_named(part.sum(axis=0), int(span.sum()), broken=False) for part, span in halves]
    if chord and not _are_two(inner):
        yield chord, int(ticks.sum())
        return
    for (part, span), named in zip(halves, inner, strict=True):
        if named:
            yield named, int(span.sum())
            continue
        for beat, length in zip(part, span.tolist(), strict=True):
            if beat.any():
                yield _named(beat, length, broken=False), length


def _are_two(chords: list[Chord | None]) -> bool:
    """Return whether the halves of a bar are different triads or sevenths, which together may look like another."""
    first, second = chords
    plain = all(chord and frozenset(tone % 12 for tone in chord.tones) in _BROKEN for chord in chords)
    return bool(plain and first and second and not first.sounds_as(second))


def _named(ticks: NDArray[np.int64], length: int, *, broken: bool) -> Chord | None:
    """Return the chord of pitches that sound for some ticks each."""
    pitches = np.flatnonzero(ticks)
    classes = np.bincount(pitches % 12, ticks[pitches], 12)
    kept = [int(p) for p in pitches if classes[p % 12] >= _SHARE * length]
    if len({p % 12 for p in kept}) < 3:
        return None
    chord = chord_of(kept)
    if chord is None:
        return None
    together = int(ticks.sum()) > 1.6 * length
    heard = frozenset((p - chord.root) % 12 for p in kept)
    return chord if together or (broken and heard in _BROKEN) else None
