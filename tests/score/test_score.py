"""Scores: what they hold, when it sounds, and which of them say the same."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from support.scores import scores

from tonesmith.errors import ScoreError
from tonesmith.score.score import BEND, SUSTAIN, Key, Meter, Part, Score, controls_of, notes_of
from tonesmith.score.stored import stored_score
from tonesmith.score.timing import Tempos


def test_seconds_follow_every_tempo_and_no_error_adds_up():
    tempos = Tempos.of([(0, 500_000), (480, 250_000), (960, 333_333)])
    score = Score(480, notes_of([(0, 480, 60, 100, 0), (480, 480, 62, 100, 0), (960, 480, 64, 100, 0)]), tempos=tempos)
    np.testing.assert_array_equal(score.onsets, [0.0, 0.5, 0.75])
    assert score.duration == 1.083333
    long = Score(480, notes_of([(480 * 10**6, 1, 60, 1, 0)]), tempos=Tempos.of((480 * n, 333_333) for n in range(1000)))
    assert long.onsets[0] == pytest.approx(10**6 * 0.333333 + (0.5 - 0.333333) * 0, abs=1e-9)


def test_a_position_is_an_exact_fraction_of_a_beat():
    score = Score.of([(Fraction(1, 3), Fraction(1, 3), 60, 100)], resolution=480)
    assert (score.notes["onset"].tolist(), score.beats) == ([160], Fraction(2, 3))
    assert repr(score) == "<Score: 1 note in 1 part, 0.666667 beats, 0.333 s>"


def test_scores_are_equal_if_they_say_the_same_whatever_the_order_or_the_resolution():
    chord = [(0, 480, 60, 100, 0), (0, 480, 64, 90, 0), (480, 240, 67, 80, 0)]
    controls = [(0, 0, 7, 100), (0, 0, 1, 30), (240, 0, BEND, -100)]
    one = Score(480, notes_of(chord), controls=controls_of(controls))
    other = Score(480, notes_of(chord[::-1]), controls=controls_of(controls[::-1]))
    finer = Score(
        960,
        notes_of((2 * a, 2 * b, *rest) for a, b, *rest in chord),
        controls=controls_of((2 * time, *rest) for time, *rest in controls),
    )
    assert one == other == finer
    assert hash(one) == hash(finer)
    assert one != Score(480, notes_of(chord[:2]), controls=controls_of(controls))
    assert one != Score(480, notes_of(chord), tempos=Tempos.steady(121), controls=controls_of(controls))
    assert one != "a score"


def test_of_several_values_of_a_controller_at_one_tick_the_last_counts():
    pedals = controls_of([(5, 0, SUSTAIN, 127), (5, 0, SUSTAIN, 0), (5, 0, 7, 9), (4, 0, SUSTAIN, 64)])
    score = Score(480, notes_of([]), controls=pedals)
    assert score.controls.tolist() == [(4, 0, 64, 64), (5, 0, 7, 9), (5, 0, 64, 0)]


def test_a_score_cannot_be_written_to():
    score = Score.of([(0, 1, 60, 100)])
    with pytest.raises(ValueError, match="read-only"):
        score.notes["pitch"] = 61


def test_transposing_spares_drums_moves_the_key_and_refuses_to_leave_the_range():
    parts = (Part(0), Part(0, drums=True))
    score = Score(480, notes_of([(0, 1, 60, 1, 0), (0, 1, 36, 1, 1)]), parts, keys=(Key(0, 0, False), Key(9, -3, True)))
    moved = score.transposed(2)
    assert moved.notes["pitch"].tolist() == [62, 36]
    assert [key.sharps for key in moved.keys] == [2, -1]
    assert score.transposed(1).keys[0].sharps == -5, "D flat, not C sharp"
    with pytest.raises(ScoreError, match=r"by 70 semitones, a note would have the pitch 130: outside 0 to 127"):
        score.transposed(70)


def test_bars_follow_the_meters_and_begin_anew_with_each():
    score = Score(480, notes_of([]), meters=(Meter(0, 3, 4), Meter(2000, 7, 8)))
    assert score.bars(6000).tolist() == [0, 1440, 2000, 3680, 5360]
    assert Score(480, notes_of([])).bars(1921).tolist() == [0, 1920]
    late = Score(480, notes_of([]), meters=(Meter(960, 2, 4),))
    assert late.bars(2000).tolist() == [0, 960, 1920], "4/4 before the first, cut short by it"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"notes": [[-1, 1, 60, 1, 0]]}, "a note's onset is -1: it must be 0 to"),
        ({"notes": [[0, 1, 128, 1, 0]]}, "a pitch is 128: it must be 0 to 127"),
        ({"notes": [[0, 1, 60, 0, 0]]}, "a velocity is 0: it must be 1 to 127"),
        ({"notes": [[0, 1, 60, 1, 3]]}, "the part of a note is 3: it must be 0 to 0"),
        ({"notes": [[0, 1, 600, 1, 0]]}, "out of its range"),
        ({"notes": [[0, 1, 60, 1]]}, r"notes\[0\] is no list of 5 whole numbers"),
        ({"notes": [[0, 1.5, 60, 1, 0]]}, r"notes\[0\] is no list of 5 whole numbers"),
        ({"notes": [[2**36, 2**36, 60, 1, 0]]}, "the end of a note is"),
        ({"notes": [[2**70, 1, 60, 1, 0]]}, "out of its range"),
        ({"controls": [[0, 0, 7, 128]]}, "the value of a controller is 128: it must be 0 to 127"),
        ({"controls": [[0, 0, 128, -8193]]}, "a pitch bend is -8,193: it must be -8,192 to 8,191"),
        ({"controls": [[0, 0, 130, 0]]}, "the kind of a controller is 130"),
        ({"meters": [[0, 4, 3]]}, "a time signature of 4/3 at tick 0"),
        ({"keys": [[0, 8, False]]}, "a key signature of 8 sharps: 7 at most"),
        ({"keys": [[0, 1, 0]]}, "a key that is no tick, sharps and whether it is minor"),
        ({"tempos": [[0, 0]]}, "a tempo must be 1 to 16,777,215"),
        ({"tempos": [[0, 5], [0, 6]]}, "tempos do not rise"),
        ({"tempos": [[2**70, 5]]}, "out of its range"),
        ({"texts": [[0, "lyric", "xx"]]}, "hexadecimal"),
        ({"texts": [[0, "poem", ""]]}, "a text that is no tick, kind and content"),
        ({"parts": [{"program": 0}]}, "a part that has no program, drums and name"),
        ({"parts": [{"program": 128, "drums": False, "name": ""}]}, "a program 128"),
        ({"resolution": 0}, "a resolution of 0 ticks per beat"),
        ({"resolution": True}, "resolution is no whole number"),
        ({"format": 2}, "a score of format 2; this version of tonesmith reads 1"),
        ({"extra": 1}, "an unknown, 'extra'"),
        ({"notes": {}}, "whose notes are no list"),
    ],
)
def test_a_stored_score_that_is_none_is_refused_by_name(change, message):
    stored = Score.of([(0, 1, 60, 100)]).to_json()
    with pytest.raises(ScoreError, match=message):
        stored_score({**stored, **change})


@given(scores())
def test_a_score_is_read_back_from_json(score):
    assert stored_score(json.loads(json.dumps(score.to_json()))) == score
