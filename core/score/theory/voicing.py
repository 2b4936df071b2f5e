"""Voice leading: chords set for voices that move as little as they can.

Every chord has some dozens of voicings within the ranges of the voices. The sequence with the least cost is found by
dynamic programming [Viterbi 1967]; what a move costs is computed once for each pair of chords and kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations, pairwise, product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ScoreError
from tonesmith.score.theory.chord import Chord

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
_COST: Final = {"doubled third": 3.0, "no fifth": 4.0, "overlap": 4.0, "leap": 0.5, "from centre": 0.12}
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
    needed, allowed = _tones(chord, len(voices))
    bass = [p for p in range(voices[0][0], voices[0][1] + 1) if p % 12 == chord.lowest]
    upper = [[p for p in range(low, high + 1) if p % 12 in allowed] for low, high in voices[1:]]
    found = np.array([row for row in product(bass, *upper) if _fits(row, needed)], np.int64)
    if not len(found):
        raise ScoreError(f"the chord on {chord.root} with the tones {chord.tones} has no voicing in these ranges.")
    costs = _own_costs(found, chord, voices)
    order = np.lexsort((*found.T[::-1], costs))[:_KEPT]
    return found[order], costs[order]


def parallels(before: Sequence[int], after: Sequence[int]) -> list[tuple[int, int]]:
    """Return the pairs of voices that move from a fifth, octave or unison to one of the same kind."""
    return [
        (low, high)
        for low, high in combinations(range(len(before)), 2)
        if before[low] != after[low]
        and (before[high] - before[low]) % 12 in {0, 7}
        and (before[high] - before[low]) % 12 == (after[high] - after[low]) % 12
    ]


def _tones(chord: Chord, count: int) -> tuple[frozenset[int], frozenset[int]]:
    """Return the pitch classes that a voicing must have, and those that its upper voices may have."""
    tones = list(chord.tones)
    room = count - (chord.lowest not in {(chord.root + t) % 12 for t in tones})
    # A fifth says least; then extensions below the highest one.
    for spare in (7, *(t for t in tones[-2:2:-1] if t not in {10, 11})):
        if len(tones) > room and spare in tones and (chord.root + spare) % 12 != chord.lowest:
            tones.remove(spare)
    pitches = frozenset((chord.root + t) % 12 for t in tones[:room])
    needed = pitches | {chord.lowest}
    optional = {(chord.root + 7) % 12} if len(tones) == 3 and chord.lowest != (chord.root + 7) % 12 else set()
    return needed - optional, pitches


def _fits(row: tuple[int, ...], needed: frozenset[int]) -> bool:
    if not needed <= {p % 12 for p in row}:
        return False
    if any(a > b for a, b in pairwise(row)) or row[1] - row[0] > _ABOVE_BASS:
        return False
    return all(b - a <= _WIDEST for a, b in pairwise(row[1:]))


def _own_costs(found: NDArray[np.int64], chord: Chord, voices: Voices) -> NDArray[np.float64]:
    classes = found % 12
    centres = np.array([(low + high) / 2 for low, high in voices])
    costs = _COST["from centre"] * np.abs(found - centres).sum(1)
    for third in (3, 4):
        if third in chord.tones:
            costs += _COST["doubled third"] * ((classes == (chord.root + third) % 12).sum(1) > 1)
    if 7 in chord.tones:
        costs += _COST["no fifth"] * ~(classes == (chord.root + 7) % 12).any(1)
    return np.asarray(costs, np.float64)


@lru_cache(maxsize=8192)
def _moves(before: Chord, after: Chord, voices: Voices) -> NDArray[np.float64]:
    """Return (voicings of the next, voicings of one): what each move costs with the next voicing."""
    (one, _), (next_, own) = voicings(before, voices), voicings(after, voices)
    a, b = one[None, :, :], next_[:, None, :]
    steps = np.abs(b - a)
    costs = steps.sum(2) + own[:, None] + _COST["leap"] * np.maximum(steps[..., 1:] - 5, 0).sum(2)
    overlaps = (b[..., :-1] > a[..., 1:]).sum(2) + (b[..., 1:] < a[..., :-1]).sum(2)
    costs = costs + _COST["overlap"] * overlaps
    for low, high in combinations(range(len(voices)), 2):
        was, is_ = (a[..., high] - a[..., low]) % 12, (b[..., high] - b[..., low]) % 12
        costs = costs + _FORBIDDEN * ((was == is_) & ((was == 0) | (was == 7)) & (steps[..., low] > 0))
    return np.asarray(costs, np.float64)
