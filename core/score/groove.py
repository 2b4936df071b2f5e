"""The groove of a score, measured by counting its onsets: how much it swings, and how far it is behind the beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from tonesmith.score.quantiles import median, quantiles
from tonesmith.score.score import Meter, Score

TIMEKEEPERS: Final = frozenset({42, 44, 46, 51, 53, 59})
"""The General MIDI drums that keep the time: hi-hats and rides."""

Level = Literal["eighth", "sixteenth"]

_UNITS: Final[dict[Level, float]] = {"eighth": 1.0, "sixteenth": 0.5}
"""Beats between two off-beats of a level."""
_ON_BEAT: Final = 0.15
"""Of a unit: how far from its beginning an onset may be and still be on it."""
_OFF_BEAT: Final = (0.4, 0.85)
"""Of a unit: where an off-beat may be."""
_ENOUGH: Final = 8
"""Off-beats that a ratio is certain of, if they agree."""
_DISAGREE: Final = 0.25
"""Interquartile range at which the off-beats of a level say nothing: straight sixteenths, seen as eighths, have it."""
_STEP: Final = 0.25
"""Beats between two places of the grid that offsets are measured from, on average: a sixteenth note."""
_ANYWHERE: Final = 0.3
"""Of a step: interquartile range of offsets of which there is no grid. Onsets that lie anywhere have 0.5."""


@dataclass(frozen=True, slots=True)
class Swing:
    """How much one level swings.

    Attributes:
        level: "eighth" for off-beats between quarter notes, "sixteenth" for those between eighth notes.
        ratio: the place of the off-beat between two beats: 0.5 is straight, 0.667 triplets, 0.75 dotted. The ratio
            long to short of the literature is ratio / (1 - ratio). NaN without off-beats.
        spread: interquartile range of the off-beats' places, in the same unit; NaN without.
        count: off-beats that were measured.
    """

    level: Level
    ratio: float
    spread: float
    count: int

    @property
    def confidence(self) -> float:
        """How sure it is, 0 to 1: less with fewer than 8 off-beats, and with off-beats that disagree."""
        return min(1.0, self.count / _ENOUGH) * max(0.0, 1.0 - self.spread / _DISAGREE) if self.count else 0.0


@dataclass(frozen=True, slots=True)
class Groove:
    """What :func:`groove_of` measures.

    Attributes:
        eighth: swing of the eighth notes.
        sixteenth: swing of the sixteenth notes.
        offset_ms: milliseconds by which the median onset comes after the swung grid; negative if before. NaN where the
            onsets do not gather at a grid, as in a performance that no tempo map follows.
        offset_spread_ms: interquartile range of that.
        offset_count: onsets that it was measured of.
    """

    eighth: Swing
    sixteenth: Swing
    offset_ms: float
    offset_spread_ms: float
    offset_count: int

    @property
    def swing(self) -> Swing:
        """The level that is surer; of equals, the eighth notes."""
        return max(self.eighth, self.sixteenth, key=lambda swing: swing.confidence)


def groove_of(score: Score) -> Groove:
    """Return the groove of a score: a pure function of its notes, tempos and meters.

    Beats are quarter notes, counted from each time signature on. Swing is measured where beats divide by two, so not in
    6/8 and the like: of the onsets that lie between 0.4 and 0.85 of the way from one beat to the next, the median, less
    that of the onsets on the beat. Where hi-hats or rides play off the beat, it is measured of them alone; and where
    they play, the offset is that of the other notes, as a drummer who lays back is behind his own cymbal. The grid of
    offsets has the swung off-beats and what lies halfway between, so an offset of half a sixteenth or more reads as one
    from the next place.

    Ratios of real playing: Friberg & Sundstroem 2002, "Swing ratios and ensemble timing in jazz performance".

    Args:
        score: with a tempo map that its notes follow.
    """
    beats, halves = _beats(score)
    keepers = _keepers(score)
    leading = keepers if len(_within(beats[keepers & halves], *_OFF_BEAT)) else np.ones_like(keepers)
    eighth, sixteenth = (_swing(level, beats[leading & halves]) for level in _UNITS)
    rest = ~keepers if (~keepers).any() else keepers
    surest = max(eighth, sixteenth, key=lambda swing: swing.confidence)
    away = np.where(halves, _from_grid(beats, _grid(surest)), _from_grid(beats, _EVEN))[rest]
    if not len(away) or _spread(away) > _ANYWHERE * _STEP:
        return Groove(eighth, sixteenth, float("nan"), float("nan"), 0)
    milliseconds = away * _microseconds(score)[rest] / 1e3
    return Groove(eighth, sixteenth, median(milliseconds), _spread(milliseconds), len(milliseconds))


def _beats(score: Score) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return (notes,) the place of each onset in beats from its time signature on, and whether its beats halve."""
    meters = score.meters if score.meters and score.meters[0].time == 0 else (Meter(0, 4, 4), *score.meters)
    onsets = score.notes["onset"]
    place = np.searchsorted([meter.time for meter in meters], onsets, "right") - 1
    since = np.array([meter.time for meter in meters], np.int64)[place]
    halves = np.array([meter.unit <= 4 for meter in meters], bool)[place]
    return (onsets - since) / score.resolution, halves


def _keepers(score: Score) -> NDArray[np.bool_]:
    """Return (notes,) whether each keeps the time."""
    drums = np.array([part.drums for part in score.parts], bool)[score.notes["part"]]
    found: NDArray[np.bool_] = drums & np.isin(score.notes["pitch"], list(TIMEKEEPERS))
    return found


def _microseconds(score: Score) -> NDArray[np.int64]:
    """Return (notes,) the microseconds per beat where each begins."""
    place = np.searchsorted(score.tempos.ticks, score.notes["onset"], "right") - 1
    found: NDArray[np.int64] = score.tempos.microseconds[place]
    return found


def _swing(level: Level, beats: NDArray[np.float64]) -> Swing:
    places = beats / _UNITS[level]
    around = (places + 0.5) % 1.0 - 0.5
    on = around[np.abs(around) < _ON_BEAT]
    off = _within(places - (median(on) if len(on) else 0.0), *_OFF_BEAT)
    if not len(off):
        return Swing(level, float("nan"), float("nan"), 0)
    return Swing(level, median(off), _spread(off), len(off))


def _within(places: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Return the fractions of places that lie in a range."""
    fractions = places % 1.0
    return fractions[(fractions > low) & (fractions < high)]


_EVEN: Final = np.array([0.0, 0.25, 0.5, 0.75, 1.0], np.float64)


def _grid(swing: Swing) -> NDArray[np.float64]:
    """Return the places of a beat, its end included, where onsets of that swing lie."""
    if not swing.confidence:
        return _EVEN
    if swing.level == "sixteenth":
        return np.array([0.0, swing.ratio / 2.0, 0.5, (1.0 + swing.ratio) / 2.0, 1.0], np.float64)
    return np.array([0.0, swing.ratio / 2.0, swing.ratio, (1.0 + swing.ratio) / 2.0, 1.0], np.float64)


def _from_grid(beats: NDArray[np.float64], grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (notes,) beats from the nearest place of a grid of one beat; negative before it."""
    away = (beats % 1.0)[:, None] - grid
    return np.asarray(np.take_along_axis(away, np.abs(away).argmin(axis=1)[:, None], axis=1)[:, 0], np.float64)


def _spread(values: NDArray[np.float64]) -> float:
    low, high = quantiles(values, 0.25, 0.75)
    return float(high - low)
