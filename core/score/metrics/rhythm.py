"""When the notes of a score begin, and how long they are held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ScoreError
from tonesmith.score.groove import groove_of
from tonesmith.score.metrics.pitches import entropy_bits, pitched
from tonesmith.score.quantiles import median
from tonesmith.score.score import Score

PLACES: Final = 16
"""Of a bar, to which onsets are rounded."""
_STEPS: Final = 12
"""Of a beat, to which intervals are rounded: 3 is a sixteenth note, 4 an eighth triplet."""
_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What :func:`rhythm_of` measures, NaN where there is too little to measure.

    Attributes:
        ioi_median_s: median interval between one onset and the next, of all parts together, in seconds.
        ioi_entropy_bits: entropy of these intervals in twelfths of a beat. Those that round to 0, as between the notes
            of a chord that is not quite together, are left out.
        articulation: median share of the time until the next onset of the same part that a note is held, drums left
            out: 1 is legato, 0.5 and less staccato. 1 less this is the key-detached ratio [Bresin & Battel 2000,
            "Articulation strategies in expressive piano performance"].
        swing_ratio: place of the off-beat in its beat, 0.5 straight, of the level that is surer [see ``groove_of``].
        swing_spread: interquartile range of these places.
        offset_s: seconds by which the median onset comes after the swung grid; negative if before.
        offset_spread_s: interquartile range of that.
        groove_consistency: 1 less the mean share of the 16 places of a bar in which it differs from the next bar, 0..1
            [Wu & Yang 2020, grooving pattern similarity]. Onsets are rounded to these places first: counted in ticks,
            as MusPy does, nearly all places are empty and everything is consistent.
        places: (16,) share of the onsets at each place of the bar, chords counted once.
    """

    ioi_median_s: float
    ioi_entropy_bits: float
    articulation: float
    swing_ratio: float
    swing_spread: float
    offset_s: float
    offset_spread_s: float
    groove_consistency: float
    places: NDArray[np.float64]


def rhythm_of(score: Score) -> Rhythm:
    """Return the rhythm of a score: a pure function of its notes, tempos and meters."""
    onsets = _different(score.notes["onset"])
    steps = np.floor(np.diff(onsets) * _STEPS / score.resolution + 0.5).astype(np.int64)
    steps = steps[steps > 0]
    groove = groove_of(score) if len(score) else None
    swing = groove.swing if groove and groove.swing.confidence > 0 else None
    consistency, places = _bars(score, onsets)
    return Rhythm(
        ioi_median_s=median(np.diff(score.seconds(onsets))) if len(onsets) > 1 else _NAN,
        ioi_entropy_bits=entropy_bits(np.unique(steps, return_counts=True)[1]),
        articulation=_articulation(score),
        swing_ratio=swing.ratio if swing else _NAN,
        swing_spread=swing.spread if swing else _NAN,
        offset_s=groove.offset_ms / 1e3 if groove else _NAN,
        offset_spread_s=groove.offset_spread_ms / 1e3 if groove else _NAN,
        groove_consistency=consistency,
        places=places,
    )


def _different(onsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return onsets, which rise, each once."""
    return onsets[np.diff(onsets, prepend=-1) > 0]


def _articulation(score: Score) -> float:
    notes = pitched(score)
    shares = [_held(notes[notes["part"] == part], score) for part in np.unique(notes["part"])]
    every = np.concatenate(shares) if shares else np.empty(0)
    return median(every) if len(every) else _NAN


def _held(notes: NDArray[Any], score: Score) -> NDArray[np.float64]:
    """Return for each note of a part but the last ones the share of the time until the next onset that it is held."""
    begins = _different(notes["onset"])
    following = np.searchsorted(begins, notes["onset"], "right")
    there = following < len(begins)
    onset = notes["onset"][there]
    until = score.seconds(begins[following[there]]) - score.seconds(onset)
    held = score.seconds(onset + notes["duration"][there]) - score.seconds(onset)
    return np.asarray(held / until, np.float64)


def _bars(score: Score, onsets: NDArray[np.int64]) -> tuple[float, NDArray[np.float64]]:
    """Return how consistent neighbouring bars are, from the first with an onset to the last, and the places' shares."""
    nothing = np.full(PLACES, _NAN)
    if not len(onsets):
        return _NAN, nothing
    try:
        end = score.bar_end(int(onsets[-1]))
        begins = np.append(score.bars(int(onsets[-1]) + 1), end)
    except ScoreError:
        return _NAN, nothing
    bar = np.searchsorted(begins, onsets, "right") - 1
    length = np.diff(begins)[bar]
    place = np.floor((onsets - begins[bar]) * PLACES / length + 0.5).astype(np.int64)
    slots = np.unique(bar * PLACES + place)  # an onset that rounds to the end of its bar is the next one's first
    shares = np.bincount(slots % PLACES, minlength=PLACES) / len(slots)
    first, last = int(slots[0]) // PLACES, int(slots[-1]) // PLACES
    if last == first:
        return _NAN, shares
    grid = np.zeros((last - first + 1, PLACES), bool)
    grid.flat[slots - first * PLACES] = True
    return float(1.0 - (grid[1:] != grid[:-1]).mean()), shares
