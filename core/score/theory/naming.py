"""Chords named by the notes that sound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from tonesmith.score.theory.chord import Chord
from tonesmith.score.theory.symbols import SUFFIXES, symbol_of
from tonesmith.score.theory.tonality import Tonality


def _known() -> Mapping[frozenset[int], tuple[int, tuple[int, ...]]]:
    """Return rank and tones of every chord by its pitch classes above the root, those without their fifth last."""
    known: dict[frozenset[int], tuple[int, tuple[int, ...]]] = {}
    for tones in SUFFIXES.values():
        known.setdefault(frozenset(t % 12 for t in tones), (len(known), tones))
    for tones in SUFFIXES.values():
        if 7 in tones and len(tones) > 3 and {3, 4} & set(tones):
            known.setdefault(frozenset(t % 12 for t in tones) - {7}, (len(known), tones))
    return known


_KNOWN: Final = _known()


def chord_of(pitches: Iterable[int]) -> Chord | None:
    """Return the chord that some MIDI pitches are, the lowest as its bass; None if they are no known one.

    Of several, the one whose root is in the bass counts, then the more usual one: C E G A is ``C6``, and ``Am7/C`` is
    the same. A fifth may be missing from a chord of four tones or more, and the root of none.
    """
    sounding = set(pitches)
    return chord_over(sum(1 << p for p in {p % 12 for p in sounding}), min(sounding) % 12) if sounding else None


def name_chord(pitches: Iterable[int], tonality: Tonality | None = None) -> str:
    """Return the symbol of the chord that some MIDI pitches are, with a slash bass; "" if they are no known one.

    Args:
        pitches: in any order; the lowest is the bass.
        tonality: from whose tonic names are spelled; without, near C.
    """
    chord = chord_of(pitches)
    return symbol_of(chord, tonality) if chord else ""


@lru_cache(maxsize=8192)
def chord_over(classes: int, bass: int) -> Chord | None:
    """Return the chord of pitch classes over a bass, as :func:`chord_of` does; None if they are no known one.

    Args:
        classes: a bit for each that sounds, the least for C.
        bass: the pitch class of the lowest pitch, which is one of them.
    """
    sounding = frozenset(p for p in range(12) if classes >> p & 1)
    for heard, foreign in ((sounding, False), (sounding - {bass}, True)):
        found = [
            (match[0] >= len(SUFFIXES), root != bass, *match, root)
            for root in sorted(heard)
            if (match := _KNOWN.get(frozenset((p - root) % 12 for p in heard)))
            and (foreign or not _is_tension(bass - root, match[1]))
        ]
        # A foreign bass under two notes would make chords of anything.
        if found and (not foreign or len(heard) > 2):
            *_, tones, root = min(found)
            return Chord(root, tones, bass)
    return None


def _is_tension(steps: int, tones: tuple[int, ...]) -> bool:
    """Return whether a tone is in a chord as a ninth or more alone, so that none stands on it: C/D is no Cadd9/D."""
    return steps % 12 not in tones
