"""Voice leading: chords set for voices that move as little as they can.

Every chord has some dozens of voicings within the ranges of the voices. The sequence with the least cost is found by
dynamic programming [Viterbi 1967]; what a move costs is computed once for each pair of chords and kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations, pairwise
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ScoreError
from tonesmith.score.theory.chord import Chord

T = TypeVar("T", bound=np.generic)

Voices = tuple[tuple[int, int], ...]
"""Lowest and highest MIDI pitch of each voice, the bass first."""

CHOIR: Final[Voices] = ((40, 60), (48, 67), (55, 74), (60, 79))
"""Bass, tenor, alto and soprano: E2 to C4, C3 to G4, G3 to D5, C4 to G5."""

_FORBIDDEN: Final = 1e6
_WIDEST: Final = 12
"""Semitones that neighbouring voices above the bass may be apart, as textbooks have it."""
_ABOVE_BASS: Final = 24
_KEPT: Final = 32
"""Voicings of a chord that are tried: those that cost least by themselves."""
_COST: Final = {"doubled third": 3.0, "overlap": 4.0, "leap": 0.5, "from centre": 0.12}
"""What is worth avoiding, in semitones of motion. A leap costs per semitone beyond a fourth, in the upper voices."""


def lead_voices(chords: Sequence[Chord], voices: Voices = CHOIR) -> NDArray[np.int64]:
    """Return (chords, voices) MIDI pitches, rising from the bass: the voicings with the least motion together.

    Voices never cross, and no two of them move in parallel fifths or octaves. The bass is that of the chord. A chord of
    more tones than voices leaves out its fifth first, and what is least characteristic next. The same chords give the
    same voicings.

    Args:
        chords: to set.
        voices: the ranges of at least three voices.

    Raises :class:`ScoreError` for a chord that has no voicing in the ranges, and if every way breaks a rule.
    """
    if not chords:
        return np.empty((0, len(voices)), np.int64)
    sets = [voicings(chord, voices) for chord in chords]
    total, back = sets[0][1], []
    for before, after in pairwise(chords):
        costs = _moves(before, after, voices) + total
        best = costs.argmin(1)
        total = costs.min(1)
        back.append(best)
    place = int(total.argmin())
    if total[place] >= _FORBIDDEN:
        raise ScoreError("these chords have no voice leading without parallels: change one, or widen the ranges.")
    path = [place]
    for best in reversed(back):
        path.append(int(best[path[-1]]))
    return np.array([pitches[at] for (pitches, _), at in zip(sets, reversed(path), strict=True)], np.int64)


@lru_cache(maxsize=2048)
def voicings(chord: Chord, voices: Voices = CHOIR) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return (voicings, voices) pitches of a chord, and (voicings,) what each costs by itself, the cheapest first.

    Raises :class:`ScoreError` for a chord that has none in the ranges.
    """
    needed = _tones(chord, len(voices))
    allowed = [{chord.lowest}, *[needed] * (len(voices) - 1)]
    pitches = [
        [p for p in range(low, high + 1) if p % 12 in classes]
        for (low, high), classes in zip(voices, allowed, strict=True)
    ]
    rows = np.stack(np.meshgrid(*pitches, indexing="ij"), -1).reshape(-1, len(voices))
    found = rows[_fits(rows, needed | {chord.lowest})].astype(np.int64)
    if not len(found):
        raise ScoreError(f"the chord on {chord.root} with the tones {chord.tones} has no voicing in these ranges.")
    costs = _own_costs(found, chord, voices)
    order = np.lexsort((*found.T[::-1], costs))[:_KEPT]
    return _kept(found[order]), _kept(costs[order])


def _kept(array: NDArray[T]) -> NDArray[T]:
    array.flags.writeable = False
    return array


def parallels(before: Sequence[int], after: Sequence[int]) -> list[tuple[int, int]]:
    """Return the pairs of voices that move from a fifth, octave or unison to one of the same kind."""
    return [
        (low, high)
        for low, high in combinations(range(len(before)), 2)
        if before[low] != after[low]
        and (before[high] - before[low]) % 12 in {0, 7}
        and (before[high] - before[low]) % 12 == (after[high] - after[low]) % 12
    ]


def _tones(chord: Chord, count: int) -> frozenset[int]:
    """Return the pitch classes that the voices share out, beside a bass that is no tone of the chord."""
    tones = list(chord.tones)
    room = count - (chord.lowest not in {(chord.root + t) % 12 for t in tones})
    # A fifth says least; then extensions below the highest one.
    for spare in (7, *(t for t in tones[-2:2:-1] if t not in {10, 11})):
        if len(tones) > room and spare in tones and (chord.root + spare) % 12 != chord.lowest:
            tones.remove(spare)
    return frozenset((chord.root + t) % 12 for t in tones[:room])


def _fits(rows: NDArray[np.int64], needed: frozenset[int]) -> NDArray[np.bool_]:
    """Return (rows,) which of some pitches rise, are not far apart, and have all tones."""
    steps = np.diff(rows, axis=1)
    fits = (steps >= 0).all(1) & (steps[:, 0] <= _ABOVE_BASS) & (steps[:, 1:] <= _WIDEST).all(1)
    for pitch in sorted(needed):
        fits &= (rows % 12 == pitch).any(1)
    return np.asarray(fits, np.bool_)


def _own_costs(found: NDArray[np.int64], chord: Chord, voices: Voices) -> NDArray[np.float64]:
    classes = found % 12
    centres = np.array([(low + high) / 2 for low, high in voices])
    costs = _COST["from centre"] * np.abs(found - centres).sum(1)
    for third in (3, 4):
        if third in chord.tones:
            costs += _COST["doubled third"] * ((classes == (chord.root + third) % 12).sum(1) > 1)
    return np.asarray(costs, np.float64)


@lru_cache(maxsize=8192)
def _moves(before: Chord, after: Chord, voices: Voices) -> NDArray[np.float32]:
    """Return (voicings of the next, voicings of one): what each move costs with the next voicing."""
    (one, _), (next_, own) = voicings(before, voices), voicings(after, voices)
    a, b = one.astype(np.int16)[None, :, :], next_.astype(np.int16)[:, None, :]
    steps = np.abs(b - a)
    costs = steps.sum(2) + _COST["leap"] * np.maximum(steps[..., 1:] - 5, 0).sum(2) + own[:, None]
    overlaps = (b[..., :-1] > a[..., 1:]) | (b[..., 1:] < a[..., :-1])
    costs += _COST["overlap"] * overlaps.sum(2)
    was, is_ = _perfect(before, voices)[None, :, :], _perfect(after, voices)[:, None, :]
    moved = steps[..., _pairs(len(voices))[0]] > 0
    costs[((was == is_) & (was >= 0) & moved).any(2)] += _FORBIDDEN
    return np.asarray(costs, np.float32)


@lru_cache(maxsize=2048)
def _perfect(chord: Chord, voices: Voices) -> NDArray[np.int16]:
    """Return (voicings, pairs of voices): 0 for a unison or octave, 7 for a fifth, else -1."""
    pitches, _ = voicings(chord, voices)
    low, high = _pairs(len(voices))
    intervals = (pitches[:, high] - pitches[:, low]) % 12
    return np.where((intervals == 0) | (intervals == 7), intervals, -1).astype(np.int16)


@lru_cache(maxsize=8)
def _pairs(count: int) -> tuple[list[int], list[int]]:
    """Return the lower and the higher voice of each pair."""
    pairs = list(combinations(range(count), 2))
    return [low for low, _ in pairs], [high for _, high in pairs]
