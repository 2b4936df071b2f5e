"""Chords of four voices, played: held, repeated, or note by note."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tonesmith.composers._bars import EIGHTH, Stream, first_of_two, notes_from
from tonesmith.score.bars import Bar
from tonesmith.score.score import Part

PARTS: Final = tuple(
    Part(program, False, name) for program, name in ((48, b"soprano"), (48, b"alto"), (48, b"tenor"), (48, b"bass"))
)
"""The voices, from the highest."""
_BROKEN: Final = np.array([2, 1, 0, 1])
"""The order of the upper voices, by their part, in a broken chord: from the tenor up and back."""


def starts_of(slots: Sequence[int], bar: Bar) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (chords,) eighths at which chords begin, and (chords,) how many each takes."""
    length = bar.eighths
    starts = [n * length + at for n, slot in enumerate(slots) for at in ((0,) if slot == 1 else (0, first_of_two(bar)))]
    begun = np.array(starts, np.int64)
    return begun, np.diff(begun, append=len(slots) * length)


def playing(voices: NDArray[np.int64], slots: Sequence[int], bar: Bar, texture: str, draws: Stream) -> NDArray[Any]:
    """Return the notes of some chords.

    Args:
        voices: (chords, 4) pitches, rising from the bass.
        slots: chords in each bar.
        bar: the meter.
        texture: "block", "pulse" or "broken".
        draws: for how loud it is.
    """
    starts, lengths = starts_of(slots, bar)
    loud, swell = draws.between((58.0, 100.0)), draws.between((0.0, 14.0))
    pitches = voices[:, ::-1]
    if texture == "block":
        onset, duration, pitch, part = _held(starts, lengths, pitches, np.arange(4))
    else:
        bass = _held(starts, lengths, pitches, np.arange(3, 4))
        upper = _pulsing(starts, lengths, pitches, bar) if texture == "pulse" else _broken(starts, lengths, pitches)
        onset, duration, pitch, part = (np.concatenate(pair) for pair in zip(bass, upper, strict=True))
    total = len(slots) * bar.eighths
    arch = np.sin(np.pi * onset / total)
    accent = 6.0 * (onset % bar.eighths == 0)
    return notes_from(
        onset * EIGHTH, duration * EIGHTH, pitch, loud + swell * arch + accent - 2.0 * (part % 3 != 0), part
    )


Columns = tuple[NDArray[Any], NDArray[Any], NDArray[np.int64], NDArray[np.int64]]
"""Onset and duration in eighths, pitch, part."""


def _held(
    starts: NDArray[np.int64], lengths: NDArray[np.int64], pitches: NDArray[np.int64], parts: NDArray[np.int64]
) -> Columns:
    count = len(parts)
    return np.repeat(starts, count), np.repeat(lengths, count), pitches[:, parts].ravel(), np.tile(parts, len(starts))


def _pulsing(starts: NDArray[np.int64], lengths: NDArray[np.int64], pitches: NDArray[np.int64], bar: Bar) -> Columns:
    """Return the three upper voices struck again with each group of the meter."""
    bars = int((starts[-1] + lengths[-1]) // bar.eighths)
    groups = np.tile(np.array(bar.groups, np.int64), bars)
    beats = np.cumsum(groups) - groups
    return _held(beats, groups, pitches[np.searchsorted(starts, beats, "right") - 1], np.arange(3))


def _broken(starts: NDArray[np.int64], lengths: NDArray[np.int64], pitches: NDArray[np.int64]) -> Columns:
    """Return the three upper voices one after another, in sixteenths where a chord has no three eighths."""
    step = 1.0 if lengths.min() >= 3 else 0.5
    onset = np.arange(starts[0], starts[-1] + lengths[-1], step)
    chord = np.searchsorted(starts, onset, "right") - 1
    part = _BROKEN[((onset - starts[chord]) / step).astype(np.int64) % len(_BROKEN)]
    return onset, np.full_like(onset, step), pitches[chord, part], part
