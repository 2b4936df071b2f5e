"""Chords that a score sounds, bar by bar."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ScoreError
from tonesmith.score.score import Score
from tonesmith.score.theory.chord import Chord
from tonesmith.score.theory.naming import chord_over

_MOST_BARS: Final = 2_000
_MOST_CELLS: Final = 2_000_000
"""Beats times notes that sound in them."""
_LARGEST: Final = 16_000_000
"""Beats times different pitches."""
_SHARE: Final = 1 / 8
"""Of a stretch of time, that a pitch class must sound in to count: what is shorter passes by."""
_BITS: Final = 1 << np.arange(12, dtype=np.int64)
_BROKEN: Final = frozenset(
    sum(1 << tone for tone in tones)
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
"""Triads and sevenths, which notes one after another can be: a bit for each semitone above the root.

Of other chords they would be parts of a scale.
"""


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
    chords: list[Chord] = []
    named = whole = 0
    for chord, ticks in _stretches(*sounding, edges, np.append(np.searchsorted(edges, bars), len(edges) - 1)):
        whole += ticks
        named += ticks if chord else 0
        if chord and (not chords or chords[-1] != chord):
            chords.append(chord)
    return Harmony(tuple(chords), named / whole if whole else 0.0)


def _beats(bars: NDArray[np.int64], end: int, resolution: int) -> NDArray[np.int64]:
    """Return the ticks at which beats begin, and where the last one ends."""
    ends = np.append(bars[1:], max(end, int(bars[-1]) + 1))
    return np.append(
        np.concatenate([np.arange(start, stop, resolution) for start, stop in zip(bars, ends, strict=True)]), ends[-1]
    )


def _sounding(score: Score, edges: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]] | None:
    """Return (beats, pitches) ticks that each pitch sounds in each beat, and (pitches,) which these are.

    Without pitched notes, or if there is too much to count, it is None.
    """
    drums = np.array([part.drums for part in score.parts], bool)
    notes = score.notes[~drums[score.notes["part"]]]
    pitches, column = np.unique(notes["pitch"].astype(np.int64), return_inverse=True)
    starts, ends = notes["onset"], notes["onset"] + notes["duration"]
    first = np.searchsorted(edges, starts, "right") - 1
    counts = np.maximum(np.searchsorted(edges, ends, "left") - first, 0)
    size = (len(edges) - 1) * len(pitches)
    if not size or counts.sum() > _MOST_CELLS or size > _LARGEST:
        return None
    note = np.repeat(np.arange(len(notes)), counts)
    beat = first[note] + np.arange(len(note)) - np.repeat(np.cumsum(counts) - counts, counts)
    ticks = np.minimum(ends[note], edges[beat + 1]) - np.maximum(starts[note], edges[beat])
    sounding = np.bincount(beat * len(pitches) + column[note], ticks, size).reshape(-1, len(pitches))
    return np.asarray(sounding, np.float64), np.asarray(pitches, np.int64)


def _stretches(
    sounding: NDArray[np.float64], pitches: NDArray[np.int64], edges: NDArray[np.int64], bars: NDArray[np.int64]
) -> Iterator[tuple[Chord | None, int]]:
    """Yield the chords of each bar, or None where there is none, each with its ticks. Silence is left out.

    Args:
        sounding: (beats, pitches) ticks that each pitch sounds in each beat.
        pitches: (pitches,) of these, rising.
        edges: (beats + 1,) ticks at which beats begin, and where the last one ends.
        bars: (bars + 1,) the beat that each bar begins with, and the number of beats.
    """
    until = np.concatenate([np.zeros((1, len(pitches))), np.cumsum(sounding, axis=0)])

    def named(first: NDArray[np.int64], last: NDArray[np.int64], *, broken: bool = False) -> list[Chord | None]:
        return _named(until[last] - until[first], pitches, edges[last] - edges[first], broken=broken)

    firsts, lasts = bars[:-1], bars[1:]
    middles = firsts + (lasts - firsts) // 2
    wholes = named(firsts, lasts, broken=True)
    halves = zip(named(firsts, middles), named(middles, lasts), strict=True)
    beats = named(np.arange(len(sounding)), np.arange(1, len(edges)))
    heard = np.asarray(sounding.any(axis=1), bool).tolist()
    ticks = edges.tolist()
    spans = zip(firsts.tolist(), middles.tolist(), lasts.tolist(), strict=True)
    for whole, inner, (first, middle, last) in zip(wholes, halves, spans, strict=True):
        if whole and not _are_two(inner):
            yield whole, ticks[last] - ticks[first]
            continue
        for half, (start, stop) in zip(inner, ((first, middle), (middle, last)), strict=True):
            if half:
                yield half, ticks[stop] - ticks[start]
            else:
                yield from ((beats[n], ticks[n + 1] - ticks[n]) for n in range(start, stop) if heard[n])


def _are_two(chords: tuple[Chord | None, Chord | None]) -> bool:
    """Return whether the halves of a bar are different triads or sevenths, which together may look like another."""
    first, second = chords
    plain = all(chord and sum(1 << tone % 12 for tone in chord.tones) in _BROKEN for chord in chords)
    return bool(plain and first and second and not first.sounds_as(second))


def _named(
    ticks: NDArray[np.float64], pitches: NDArray[np.int64], lengths: NDArray[np.int64], *, broken: bool
) -> list[Chord | None]:
    """Return the chord of each stretch of time, None where there is none.

    Args:
        ticks: (stretches, pitches) that each pitch sounds.
        pitches: (pitches,) of these, rising.
        lengths: (stretches,) in ticks.
        broken: whether notes one after another can be a chord.
    """
    classes = ticks @ (pitches[:, None] % 12 == np.arange(12)).astype(np.float64)
    kept = (classes > 0) & (classes >= _SHARE * lengths[:, None])
    basses = pitches[((ticks > 0) & kept[:, pitches % 12]).argmax(axis=1)] % 12
    together = ticks.sum(axis=1) > 1.6 * lengths
    columns = (kept @ _BITS, basses, kept.sum(axis=1) >= 3, together)
    found: list[Chord | None] = []
    for heard, bass, enough, at_once in zip(*(column.tolist() for column in columns), strict=True):
        chord = chord_over(heard, bass) if enough else None
        whole = at_once or (broken and chord and _above(chord.root, heard) in _BROKEN)
        found.append(chord if whole else None)
    return found


def _above(root: int, classes: int) -> int:
    """Return pitch classes, a bit each, as semitones above one of them."""
    return (classes >> root | classes << (12 - root)) & 0xFFF
