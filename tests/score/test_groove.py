"""The groove of a score: what is put into the onsets is what is measured."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from tonesmith.score.groove import groove_of
from tonesmith.score.score import Meter, Part, Score, notes_of
from tonesmith.score.timing import Tempos

RESOLUTION = 1920


def played(
    beats: NDArray[np.float64],
    *,
    bpm: float = 100.0,
    late_ms: float = 0.0,
    keeper: bool = False,
    meters: tuple[Meter, ...] = (),
) -> Score:
    """Return drums at places in beats: snares that come late, or hi-hats."""
    ticks = np.maximum(0, np.rint((beats + late_ms * bpm / 60e3) * RESOLUTION)).astype(int)
    rows = [(int(tick), 200, 42 if keeper else 38, 90, 0) for tick in ticks]
    return Score(RESOLUTION, notes_of(rows), (Part(0, drums=True),), Tempos.steady(bpm), meters)


def both(one: Score, other: Score) -> Score:
    return Score(RESOLUTION, np.concatenate([one.notes, other.notes]), one.parts, one.tempos, one.meters)


def swung(ratio: float, unit: float = 1.0, units: int = 16) -> NDArray[np.float64]:
    """Return the places of on-beats and off-beats."""
    return np.array([(n + part) * unit for n in range(units) for part in (0.0, ratio)])


@pytest.mark.parametrize("ratio", [0.5, 0.58, 0.667, 0.75, 0.8])
@pytest.mark.parametrize(("level", "unit"), [("eighth", 1.0), ("sixteenth", 0.5)])
def test_swing_is_measured_at_its_level(level, unit, ratio):
    swing = groove_of(played(swung(ratio, unit, 32))).swing
    assert (swing.level, swing.count) == (level, 32)
    assert swing.ratio == pytest.approx(ratio, abs=1e-3)
    assert swing.confidence == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("late", [-25.0, -8.0, 0.0, 12.0, 30.0])
@pytest.mark.parametrize("ratio", [0.5, 0.667])
def test_an_offset_is_signed_milliseconds_from_the_swung_grid_and_leaves_the_swing_alone(late, ratio):
    groove = groove_of(played(swung(ratio) + 1.0, late_ms=late, bpm=130.0))
    assert groove.offset_ms == pytest.approx(late, abs=0.3)
    assert groove.swing.ratio == pytest.approx(ratio, abs=1e-3)


def test_the_hi_hat_keeps_the_time_that_the_others_are_late_against():
    hats, snares = played(swung(0.62), keeper=True), played(np.arange(1.0, 16.0, 2.0), late_ms=20.0)
    groove = groove_of(both(hats, snares))
    assert groove.offset_ms == pytest.approx(20.0, abs=0.3)
    assert groove.offset_count == len(snares)
    assert groove.swing.ratio == pytest.approx(0.62, abs=1e-3)


def test_jitter_moves_neither_by_much_and_is_told_as_spread():
    noise = np.random.default_rng(5).normal(0.0, 5.0 * 120 / 60e3, 128)
    groove = groove_of(played(swung(0.64, units=64) + 1.0 + noise, late_ms=15.0, bpm=120.0))
    assert groove.swing.ratio == pytest.approx(0.64, abs=0.005)
    assert groove.offset_ms == pytest.approx(15.0, abs=2.0)
    assert 4.0 < groove.offset_spread_ms < 10.0


def test_swung_sixteenths_seen_as_eighths_are_not_believed():
    groove = groove_of(played(swung(0.6, 0.5, 32)))
    assert groove.eighth.spread == pytest.approx(0.3, abs=0.01)
    assert groove.eighth.confidence == 0.0
    assert groove.sixteenth.ratio == pytest.approx(0.6, abs=1e-3)


def test_few_off_beats_are_less_sure():
    assert groove_of(played(swung(0.6, units=4))).swing.confidence == pytest.approx(0.5)


def test_without_off_beats_there_is_no_ratio():
    groove = groove_of(played(np.arange(16.0)))
    assert math.isnan(groove.swing.ratio)
    assert (groove.swing.count, groove.swing.confidence, groove.offset_ms) == (0, 0.0, 0.0)


def test_without_notes_there_is_nothing():
    groove = groove_of(Score(RESOLUTION, notes_of([])))
    assert groove.swing.count == groove.offset_count == 0
    assert math.isnan(groove.offset_ms)


def test_onsets_that_follow_no_grid_have_no_offset():
    anywhere = np.random.default_rng(3).uniform(0.0, 64.0, 200)
    groove = groove_of(played(np.sort(anywhere)))
    assert math.isnan(groove.offset_ms)
    assert groove.offset_count == 0


def test_beats_that_have_thirds_do_not_swing_but_can_be_late():
    groove = groove_of(played(np.arange(0.5, 24.0, 0.5), late_ms=18.0, meters=(Meter(0, 6, 8),)))
    assert groove.swing.count == 0
    assert groove.offset_ms == pytest.approx(18.0, abs=0.3)


def test_beats_count_from_each_time_signature_and_tempos_are_followed():
    change = 7 * RESOLUTION // 2  # a bar of 7/8, after which beats lie between the ticks of beats before
    first, then = np.arange(0.0, 3.5, 0.5), 3.5 + swung(0.7, units=12)
    score = played(np.concatenate([first, then]), meters=(Meter(0, 7, 8), Meter(change, 4, 4)))
    assert groove_of(score).swing.ratio == pytest.approx(0.7, abs=1e-3)

    quick = played(swung(0.5) + 1.0, late_ms=20.0)
    doubled = Score(quick.resolution, quick.notes, quick.parts, Tempos.steady(200.0))
    assert groove_of(doubled).offset_ms == pytest.approx(10.0, abs=0.3)
