"""The composer ``dynamics``: each curve is in the velocities, and each articulation in the durations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support import amounts

from tonesmith.composers.dynamics import HELD, Dynamics
from tonesmith.score.reader import midi_reading
from tonesmith.score.writer import midi_of

METERS = ["2/4", "3/4", "4/4", "5/4", "6/8", "7/8", "9/8", "12/8"]


def dynamics(seconds: float | None = None, **options: Any) -> Dynamics:
    return Dynamics(Dynamics.Options.model_validate(options), 11, seconds)


def curve_of(velocities: np.ndarray[Any, Any]) -> str:
    """Return the curve that velocities are on, by how they change and how many different ones there are."""
    change = np.diff(velocities.astype(int))
    if not change.any():
        return "level"
    if len(set(velocities.tolist())) == 2 and velocities[0] == velocities.max():
        return "accents" if change[0] else "terraced"
    if (change >= 0).all():
        return "crescendo"
    if (change <= 0).all():
        return "diminuendo"
    return "swell" if (velocities == velocities[::-1]).all() else ""


@pytest.mark.parametrize("count", amounts(40, 1000))
def test_curve_ends_and_articulation_are_what_counting_finds(count):
    for options in ({}, {"meter": METERS, "bars": 1}):
        composer = dynamics(**options)
        for index in range(count):
            composed = composer.compose(index)
            told, score = composed.annotations, composed.score
            velocities = score.notes["velocity"]
            assert curve_of(velocities) == told["curve"], (index, velocities.tolist())
            found = [velocities[0], velocities[-1], velocities.min(), velocities.max()]
            assert found == [told[f"velocity_{name}"] for name in ("first", "last", "low", "high")]
            held = score.notes["duration"][:-1] / np.diff(score.notes["onset"])
            assert held == pytest.approx(told["articulation_ratio"])
            assert HELD[told["articulation"]] == told["articulation_ratio"]
            assert len(score.bars(score.end)) == told["bars"]


def test_accents_come_as_often_as_is_said_and_terraces_are_as_many():
    composer = dynamics(curve=["accents", "terraced"], bars=4)
    for index in range(30):
        composed = composer.compose(index)
        told, velocities = composed.annotations, composed.score.notes["velocity"].astype(int)
        loud = np.flatnonzero(velocities == velocities.max())
        if told["curve"] == "accents":
            assert set(np.diff(loud)) == {told["accent_every"]}
            assert told["terraces"] == 0
        else:
            assert np.count_nonzero(np.diff(velocities)) + 1 == told["terraces"]
            assert told["accent_every"] == 0


def test_soft_and_loud_stay_where_they_are_asked_to_be():
    composer = dynamics(curve=["crescendo", "diminuendo", "swell"], soft=[30, 40], loud=100)
    for index in range(20):
        told = composer.compose(index).annotations
        assert 30 <= told["velocity_low"] <= 40
        assert told["velocity_high"] == 100


def test_a_score_is_the_same_after_its_midi_file():
    for index in range(8):
        score = dynamics(meter=METERS).compose(index).score
        assert midi_reading(midi_of(score)).score == score


def test_a_short_score_has_notes_enough_to_tell_its_curve():
    for meter, notes in (("2/4", 8), ("7/8", 14), ("4/4", 8)):
        assert len(dynamics(meter=[meter], bars=1).compose(0).score) == notes
