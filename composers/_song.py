"""Melody, chords, bass and drums over a progression."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tonesmith.composers._bars import EIGHTH, Stream, notes_from
from tonesmith.composers._moods import Cues
from tonesmith.score.bars import Bar
from tonesmith.score.score import Part
from tonesmith.score.theory import CHOIR, Chord, Tonality, lead_voices, parse_numeral, symbol_of

PARTS: Final = (
    Part(73, False, b"melody"),
    Part(0, False, b"chords"),
    Part(32, False, b"bass"),
    Part(0, True, b"drums"),
)
MELODY, CHORDS, BASS, DRUMS = range(4)

REACH: Final = 12
"""Semitones that the melody stays within, above and below its register."""
_KICK, _SNARE, _HAT = 36, 38, 42
_REST: Final = 0.22
"""How often a note of the melody is held through instead of a new one."""

Ladder = tuple[list[int], list[int]]
"""For each pitch 0..127, the next one above and below among some pitch classes."""


@dataclass(frozen=True, slots=True)
class Harmonised:
    """A progression in a key.

    Attributes:
        numerals: of each chord.
        chords: the chords.
        symbols: their symbols.
        voices: (chords, 4) their voicing, rising from the bass.
    """

    numerals: tuple[str, ...]
    chords: tuple[Chord, ...]
    symbols: tuple[str, ...]
    voices: NDArray[np.int64]


@lru_cache(maxsize=4096)
def harmonised(progression: str, count: int, tonality: Tonality, ranges: tuple[tuple[int, int], ...]) -> Harmonised:
    """Return so many chords: a progression again and again, and the tonic at the end.

    Args:
        progression: numerals.
        count: of chords.
        tonality: the key.
        ranges: of the voices.
    """
    loop = progression.split()
    numerals = (*(loop[place % len(loop)] for place in range(count - 1)), "i" if tonality.is_minor else "I")
    chords = tuple(parse_numeral(numeral, tonality) for numeral in numerals)
    symbols = tuple(symbol_of(chord, tonality) for chord in chords)
    voices = lead_voices(chords, ranges)
    voices.flags.writeable = False
    return Harmonised(numerals, chords, symbols, voices)


def voice_ranges(register: int) -> tuple[tuple[int, int], ...]:
    """Return the ranges of the accompaniment's voices: a fourth higher or lower with the register, the bass apart."""
    shift = 5 * max(-1, min(1, round((register - 69) / 7)))
    return (CHOIR[0], *((low + shift, high + shift) for low, high in CHOIR[1:]))


def song(
    harmony: Harmonised,
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    bar: Bar,
    tonality: Tonality,
    cues: Cues,
    draws: Stream,
) -> list[NDArray[Any]]:
    """Return the notes of melody, chords and bass.

    Args:
        harmony: the chords.
        starts: (chords,) eighths at which they begin.
        lengths: (chords,) eighths that they take.
        bar: the meter.
        tonality: the key.
        cues: what the emotion says.
        draws: what chooses.
    """
    rows = list(_melody(harmony.chords, starts, lengths, tonality, cues, draws))
    melody = np.array(rows, np.int64).reshape(-1, 3)
    beats, groups, at = _beats(starts, lengths, bar, cues)
    accents = 8.0 * (beats % bar.eighths == 0)
    return [
        _played(melody[:, 0] * (EIGHTH // 2), melody[:, 1] * (EIGHTH // 2), melody[:, 2], 6.0, MELODY, cues),
        _played(
            np.repeat(beats, 3) * EIGHTH,
            np.repeat(groups, 3) * EIGHTH,
            harmony.voices[at, 1:].ravel(),
            np.repeat(accents, 3) - 10.0,
            CHORDS,
            cues,
        ),
        _played(beats * EIGHTH, groups * EIGHTH, harmony.voices[at, 0], accents - 2.0, BASS, cues),
    ]


def drums(bars: int, bar: Bar, cues: Cues) -> NDArray[Any]:
    """Return a beat: bass drum and snare in turn on the groups of the meter, and a hi-hat on eighths."""
    groups = np.cumsum((0, *bar.groups[:-1]))
    length = bar.eighths
    struck = [(int(at), _SNARE if place % 2 else _KICK, 4.0 * (place == 0)) for place, at in enumerate(groups)]
    struck += [(at, _HAT, -14.0) for at in range(length) if cues.density >= 2 or at in groups]
    one = np.array(struck)
    onset = (np.arange(bars)[:, None] * length + one[:, 0]).ravel() * EIGHTH
    loud = cues.dynamics + np.tile(one[:, 2], bars)
    return notes_from(onset, EIGHTH // 2, np.tile(one[:, 1], bars), loud, DRUMS)


def _played(
    onset: NDArray[np.int64], length: NDArray[np.int64], pitch: NDArray[np.int64], louder: Any, part: int, cues: Cues
) -> NDArray[Any]:
    return notes_from(onset, np.maximum(length * cues.articulation, 30), pitch, cues.dynamics + louder, part)


def _beats(
    starts: NDArray[np.int64], lengths: NDArray[np.int64], bar: Bar, cues: Cues
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return onset and length in eighths of the accompaniment's strokes, and the chord of each.

    Chords are held in sparse music, struck with each group of the meter in denser, and on every eighth in the densest.
    """
    if cues.density < 1:
        return starts, lengths, np.arange(len(starts))
    total = int(starts[-1] + lengths[-1])
    step = np.ones(total, np.int64) if cues.density >= 4 else np.tile(bar.groups, total // bar.eighths)
    onset = np.cumsum(step) - step
    return onset, step, np.searchsorted(starts, onset, "right") - 1


def _melody(
    chords: Sequence[Chord],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    tonality: Tonality,
    cues: Cues,
    draws: Stream,
) -> Iterator[tuple[int, int, int]]:
    """Yield onset and length in sixteenths, and pitch: chord tones where a chord begins, steps of the scale between."""
    step = round(4 / cues.density)
    pitch = cues.register
    last = len(chords) - 1
    for place, (chord, start, length) in enumerate(zip(chords, starts.tolist(), lengths.tolist(), strict=True)):
        tones, ways = _ladders(chord, tonality)
        first, end = 2 * start, 2 * (start + length)
        onsets = [first] if place == last else [first, *_onsets(first, end, step, draws)]
        for onset, until in zip(onsets, (*onsets[1:], end), strict=True):
            if place == last:
                pitch = _last(_ladder(frozenset({tonality.tonic})), pitch, cues.register)
            elif onset == first or (onset - first) % (2 * step) == 0:
                pitch = _nearest(tones, pitch, cues.register, draws)
            else:
                pitch = _next(ways, pitch, cues.register, draws)
            yield onset, until - onset, pitch


def _onsets(first: int, end: int, step: int, draws: Stream) -> list[int]:
    return [onset for onset in range(first + step, end, step) if draws.next() >= _REST]


def _next(ladder: Ladder, pitch: int, centre: int, draws: Stream) -> int:
    """Return the next pitch up or down: towards the centre more often, the farther away it is, and never too far."""
    up = draws.next() < 0.5 - 0.055 * (pitch - centre)
    chosen = ladder[0 if up else 1][pitch]
    return chosen if abs(chosen - centre) <= REACH else ladder[1 if up else 0][pitch]


def _nearest(ladder: Ladder, pitch: int, centre: int, draws: Stream) -> int:
    """Return a pitch of the ladder next to one, or at times the same."""
    if pitch == ladder[0][pitch - 1] and draws.next() < 0.3:
        return pitch
    return _next(ladder, pitch, centre, draws)


def _last(ladder: Ladder, pitch: int, centre: int) -> int:
    """Return the pitch of the ladder that is nearest to one, and not too far from the centre."""
    within = [p for p in (ladder[1][pitch + 1], ladder[0][pitch]) if abs(p - centre) <= REACH]
    return min(within, key=lambda p: abs(p - pitch))


@lru_cache(maxsize=4096)
def _ladders(chord: Chord, tonality: Tonality) -> tuple[Ladder, Ladder]:
    """Return the tones of a chord, and those with the notes of the scale that they do not replace."""
    own = frozenset(chord.pitch_classes)
    replaced = {(pitch + way) % 12 for pitch in own - set(tonality.scale) for way in (-1, 1)}
    return _ladder(own), _ladder(own | (set(tonality.scale) - replaced))


@lru_cache(maxsize=4096)
def _ladder(classes: frozenset[int]) -> Ladder:
    pitches = np.array([p for p in range(-12, 140) if p % 12 in classes])
    above, below = (np.searchsorted(pitches, np.arange(128), side) for side in ("right", "left"))
    return pitches[above].tolist(), pitches[below - 1].tolist()
