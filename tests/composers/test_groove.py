"""The composer ``groove``: what it says of its scores is what counting their onsets finds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tonesmith.composers.groove import Groove
from tonesmith.score.groove import TIMEKEEPERS, groove_of
from tonesmith.score.reader import read_midi
from tonesmith.score.writer import midi_of

METERS = ["2/4", "3/4", "4/4", "5/4", "6/8", "7/8", "9/8", "12/8"]
CASES: list[Mapping[str, Any]] = [
    {},
    {"level": ["sixteenth"], "swing": [0.5, 0.7]},
    {"meter": METERS, "bpm": [60.0, 180.0]},
    {"feel": ["swing"], "swing": [0.5, 0.8], "bpm": [40.0, 280.0]},
    {"feel": ["laid-back", "rushed"], "offset_ms": [0.5, 24.0], "bpm": [60.0, 220.0], "bars": 2},
]


def groove(seed: int = 3, seconds: float | None = None, **options: Any) -> Groove:
    return Groove(Groove.Options.model_validate(options), seed, seconds)


def check(options: Mapping[str, Any], count: int) -> None:
    composer = groove(**options)
    for index in range(count):
        composed = composer.compose(index)
        told, found = composed.annotations, groove_of(composed.score)
        assert found.offset_ms == pytest.approx(told["offset_ms"], abs=1.0), index
        if math.isnan(float(told["swing_ratio"])):
            assert found.swing.count == 0
        else:
            assert found.swing.ratio == pytest.approx(told["swing_ratio"], abs=0.01), index
            assert found.swing.level == told["swing_level"], index


@pytest.mark.parametrize("options", CASES)
def test_swing_and_offset_are_what_is_measured(options):
    check(options, 15)


@pytest.mark.long
@pytest.mark.parametrize("options", CASES)
def test_swing_and_offset_are_what_is_measured_in_a_thousand_scores(options):
    check(options, 1000)


def test_each_feel_is_what_its_name_says():
    for feel, ratio, sign in (
        ("straight", 0.5, 0),
        ("swing", 0.667, 0),
        ("shuffle", 0.6667, 0),
        ("laid-back", 0.5, 1),
        ("rushed", 0.5, -1),
    ):
        told = groove(feel=[feel]).compose(0).annotations
        assert told["groove_type"] == feel
        assert told["swing_ratio"] == pytest.approx(ratio)
        assert np.sign(float(told["offset_ms"])) == sign


def test_swing_follows_the_tempo_if_asked():
    by_bpm = {
        bpm: groove(feel=["swing"], follow_tempo=True, bpm=bpm).compose(0).annotations["swing_ratio"]
        for bpm in (100.0, 200.0, 240.0, 300.0)
    }
    assert by_bpm == {100.0: 0.75, 200.0: pytest.approx(0.6667, abs=1e-4), 240.0: 0.6, 300.0: 0.5}


def test_the_time_keeper_is_on_the_grid_and_the_others_are_where_they_are_said_to_be():
    score = groove(feel=["laid-back"], offset_ms=20.0, bpm=120.0).compose(1).score
    keeps = np.isin(score.notes["pitch"], list(TIMEKEEPERS)) & (score.notes["part"] == 0)
    assert not (score.notes["onset"][keeps] % (score.resolution // 2)).any()
    late = score.onsets[~keeps] % 0.25
    assert late == pytest.approx(0.02, abs=1e-3)


def test_tempo_meter_and_bars_are_those_of_the_file():
    for index in range(6):
        composed = groove(meter=METERS).compose(index)
        told, score = composed.annotations, composed.score
        assert 60e6 / score.tempos.microseconds[0] == pytest.approx(told["tempo_bpm"], abs=1e-3)
        assert f"{score.meters[0].beats}/{score.meters[0].unit}" == told["meter"]
        assert len(score.bars(score.end)) == told["bars"]


def test_fewer_bars_are_written_rather_than_the_music_cut():
    bars = {groove(seconds=seconds, bpm=120.0).compose(0).annotations["bars"] for seconds in (2.0, 5.0, 8.0, 60.0)}
    assert bars == {1, 2, 4}


def test_a_score_is_the_same_after_its_midi_file(tmp_path):
    for index, options in enumerate(CASES):
        score = groove(**options).compose(index).score
        (tmp_path / "g.mid").write_bytes(midi_of(score))
        assert read_midi(tmp_path / "g.mid").score == score


def test_without_bass_there_are_drums_alone():
    assert [part.drums for part in groove(bass=False).compose(0).score.parts] == [True]
    assert [part.drums for part in groove().compose(0).score.parts] == [True, False]
