"""How many notes of a score sound, and how loud."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.score.metrics.pitches import pitched
from tonesmith.score.score import Score

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Texture:
    """What :func:`texture_of` measures, NaN without notes.

    Attributes:
        duration_s: seconds until the last note ends.
        duration_beats: beats (quarter notes) until the last note ends.
        polyphony: pitches that sound together on average, where any sounds [MusPy, ``polyphony``]. A pitch that several
            parts play at once counts once; drums do not count.
        polyphony_rate: share of the beats until the last pitch ends in which two pitches or more sound [Dong et al.
            2018, "MuseGAN"; MusPy, ``polyphony_rate`` with ``threshold=1``].
        notes_per_s: notes over ``duration_s``.
        notes_per_beat: notes over ``duration_beats``.
        empty_beat_rate: share of the beats in which no note sounds, drums included. Beats are quarter notes from the
            beginning [Dong et al. 2018]. MusPy counts a note that ends where a beat begins as sounding in that beat.
        velocity_mean: mean MIDI velocity of the notes.
        velocity_spread: standard deviation of the MIDI velocity.
        velocity_range: greatest less least MIDI velocity.
    """

    duration_s: float
    duration_beats: float
    polyphony: float
    polyphony_rate: float
    notes_per_s: float
    notes_per_beat: float
    empty_beat_rate: float
    velocity_mean: float
    velocity_spread: float
    velocity_range: float


def texture_of(score: Score) -> Texture:
    """Return the density, polyphony and velocities of a score. Shares of time are shares of its beats."""
    if not len(score):
        return Texture(0.0, 0.0, *[_NAN] * 8)
    seconds, beats, velocity = score.duration, float(score.beats), score.notes["velocity"].astype(np.float64)
    polyphony, rate = _polyphony(score)
    return Texture(
        duration_s=seconds,
        duration_beats=beats,
        polyphony=polyphony,
        polyphony_rate=rate,
        notes_per_s=len(score) / seconds if seconds else _NAN,
        notes_per_beat=len(score) / beats if beats else _NAN,
        empty_beat_rate=_empty_beats(score),
        velocity_mean=float(velocity.mean()),
        velocity_spread=float(velocity.std()),
        velocity_range=float(velocity.max() - velocity.min()),
    )


def _polyphony(score: Score) -> tuple[float, float]:
    """Return the mean number of pitches where any sounds, and the share of the time in which two or more do."""
    notes = pitched(score)
    start, end = _joined(notes["onset"], notes["onset"] + notes["duration"], notes["pitch"].astype(np.int64))
    if not len(start) or not (end - start).any():
        return _NAN, _NAN
    times = np.concatenate([start, end])
    steps = np.concatenate([np.ones_like(start), -np.ones_like(end)])
    order = np.argsort(times, kind="stable")
    sounding, lasts = np.cumsum(steps[order])[:-1], np.diff(times[order])
    return float((sounding * lasts).sum() / lasts[sounding > 0].sum()), float(lasts[sounding > 1].sum() / end.max())


def _empty_beats(score: Score) -> float:
    first = score.notes["onset"] // score.resolution
    last = -(-(score.notes["onset"] + score.notes["duration"]) // score.resolution)
    whole = int(last.max())
    start, end = _joined(first, last, np.zeros_like(first))
    return 1.0 - float((end - start).sum() / whole) if whole else _NAN


def _joined(
    start: NDArray[Any], end: NDArray[Any], group: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return beginnings and ends of the spans that intervals of each group cover, overlapping and touching ones joined.

    Args:
        start: (intervals,) whole numbers.
        end: (intervals,) not before ``start``.
        group: (intervals,) of 0..127.
    """
    if not len(start):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    apart = group * (int(end.max()) + 1)  # each group in a time of its own, so that one pass sees all
    order = np.lexsort([start, group])
    begins, ends = (start + apart)[order], np.maximum.accumulate((end + apart)[order])
    new = np.append(True, (begins[1:] > ends[:-1]) | (group[order][1:] != group[order][:-1]))
    last = np.append(np.flatnonzero(new)[1:] - 1, len(begins) - 1)
    away = apart[order]
    return (begins - away)[new], (ends - away)[last]
