"""The notes of a chord: in close and open position, as drop 2, on a guitar's strings, or led from chord to chord."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from tonesmith.score.theory.chord import Chord
from tonesmith.score.theory.voicing import lead_voices

BASE: Final = 3
"""The octave that the positions below are written in: its C is MIDI pitch 48."""
_STRINGS: Final = (40, 45, 50, 55, 59, 64)
"""Open strings of a guitar: E2 A2 D3 G3 B3 E4."""
_FRETS: Final = 5
"""A hand in the first position reaches these, the open string among them."""


def close(chord: Chord) -> list[int]:
    """Return the tones above the bass in the next octave, those above the seventh in the one after it."""
    bass = 48 + chord.lowest
    tones = {(chord.root + tone) % 12: tone for tone in reversed(chord.tones)}
    tones.pop(chord.lowest, None)
    upper = [bass + (pitch - chord.lowest) % 12 + 12 * (tone > 12) for pitch, tone in tones.items()]
    return [bass, *sorted(upper)]


def opened(chord: Chord) -> list[int]:
    """Return the close position with every second note, from the bass on, an octave higher."""
    pitches = close(chord)
    return sorted([*pitches[::2], *(pitch + 12 for pitch in pitches[1::2])])


def drop2(chord: Chord) -> list[int]:
    """Return the close position an octave up, with its second note from above back in place, over the bass."""
    pitches = close(chord)
    if len(pitches) < 3:
        return pitches
    dropped = sorted([*pitches[:-2], pitches[-1], pitches[-2] - 12])
    return [pitches[0], *(pitch + 12 for pitch in dropped)]


def guitar(chord: Chord) -> list[int]:
    """Return what a hand in the first position takes: from the string on which the bass lies, a tone on each one.

    A tone that is not there yet comes first, then the lower fret: C is x32010, and G is 320003.
    """
    reach = [range(string, string + _FRETS) for string in _STRINGS]
    first = next(n for n, frets in enumerate(reach) if any(p % 12 == chord.lowest for p in frets))
    found = [next(p for p in reach[first] if p % 12 == chord.lowest)]
    for frets in reach[first + 1 :]:
        tones = [p for p in frets if (p - chord.root) % 12 in {tone % 12 for tone in chord.tones}]
        if tones:
            there = {p % 12 for p in found}
            found.append(min(tones, key=lambda p: (p % 12 in there, p)))
    return found


POSITIONS: Final[Mapping[str, Callable[[Chord], list[int]]]] = {
    "close": close,
    "open": opened,
    "drop2": drop2,
    "guitar": guitar,
}


def voiced(chords: Sequence[Chord], voicing: str) -> list[list[int]]:
    """Return the MIDI pitches of each chord, rising, in octave :data:`BASE`.

    Args:
        chords: in their order.
        voicing: ``"led"``, or a key of :data:`POSITIONS`.

    Raises :class:`tonesmith.errors.ScoreError` for chords that cannot be led.
    """
    if voicing == "led":
        return [sorted(set(row)) for row in lead_voices(chords).tolist()]
    return [POSITIONS[voicing](chord) for chord in chords]
