"""Scores cut into phrases: where, and what is in force there."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.scores import scores

from tonesmith.errors import ScoreError
from tonesmith.score import cutting
from tonesmith.score.cutting import Window, bar_windows, first_window, pieces, time_windows, with_parts
from tonesmith.score.score import BEND, SUSTAIN, Key, Meter, Part, Score, Text, controls_of, notes_of
from tonesmith.score.timing import Tempos


def quarters(count, **changes):
    """A score of quarter notes at 120 BPM, each with a pitch of its own."""
    return Score(480, notes_of((480 * n, 480, 40 + n % 80, 100, 0) for n in range(count)), **changes)


def cut(score, *windows):
    return list(pieces(score, [Window(*window, 1) for window in windows]))


def test_a_phrase_takes_as_many_whole_bars_as_fit_to_the_microsecond():
    score = quarters(20)
    assert bar_windows(score, 4.0).found == ((0, 3840, 1), (3840, 7680, 3), (7680, 9600, 5))
    assert bar_windows(score, 3.999999).found[:2] == ((0, 1920, 1), (1920, 3840, 2))
    assert bar_windows(score, None).found == ((0, 9600, 1),)
    odd = quarters(12, tempos=Tempos.steady(60e6 / 333_333))
    assert bar_windows(odd, 4 * 0.333333).found[0].end == 1920, "0.1 s have no exact form; whole microseconds do"


def test_phrases_follow_each_other_or_hop_by_bars_until_one_takes_in_the_end():
    assert [w.bar for w in bar_windows(quarters(24), 4.0, hop=1).found] == [1, 2, 3, 4, 5]
    assert [w.bar for w in bar_windows(quarters(24), 4.0, hop=3).found] == [1, 4]


def test_bars_follow_the_meter_and_the_tempo_and_begin_with_the_first_note():
    score = Score(
        480,
        notes_of([(4 * 480, 480, 60, 1, 0), (10 * 480, 480, 62, 1, 0)]),
        tempos=Tempos.of([(0, 500_000), (7 * 480, 250_000)]),
        meters=(Meter(0, 3, 4), Meter(7 * 480, 2, 4)),
    )
    windows = bar_windows(score, 1.5)
    starts = [(w.start // 480, w.end // 480, w.bar) for w in windows.found]
    assert starts == [(3, 6, 2), (6, 11, 3)], "a bar of 3/4; one that the new meter cuts to a beat, and two of 2/4"


def test_a_bar_that_is_too_long_is_counted_and_those_after_it_are_found():
    score = quarters(9, tempos=Tempos.of([(0, 1_000_000), (1920, 500_000)]))
    windows = bar_windows(score, 2.0)
    assert ([w.bar for w in windows.found], windows.too_long, windows.shortest) == ([2, 3], 1, 4.0)


def test_windows_of_a_time_are_that_long_to_a_tick_whatever_the_tempo():
    score = quarters(16, tempos=Tempos.of([(0, 500_000), (1000, 370_001)]))
    windows = time_windows(score, 1.3, hop=0.65)
    starts, ends = (score.seconds(np.array(each)) for each in zip(*[w[:2] for w in windows.found], strict=True))
    tick = 500_000e-6 / 480
    assert (ends - starts <= 1.3 + 1e-12).all()
    assert (ends - starts > 1.3 - tick).all()
    np.testing.assert_allclose(starts, 0.65 * np.arange(len(starts)), atol=tick)
    assert ends[-1] >= score.duration > ends[-2]


def test_the_whole_is_the_beginning_from_the_bar_of_the_first_note():
    late = Score(480, notes_of([(2400, 480, 60, 1, 0), (9600, 480, 62, 1, 0)]))
    assert first_window(late, 2.0).found == ((1920, 3840, 2),)
    assert first_window(late, None).found == ((1920, 11520, 2),)
    assert first_window(quarters(0), 2.0).found == ()


def test_a_note_belongs_to_the_window_in_which_it_begins_and_is_let_go_at_its_end():
    long = Score(480, notes_of([(0, 2000, 60, 1, 0), (960, 960, 62, 1, 0)]))
    first, second = cut(long, (0, 1000), (1000, 2000))
    assert first.notes.tolist() == [(0, 1000, 60, 1, 0), (960, 40, 62, 1, 0)]
    assert len(second) == 0


def test_what_is_in_force_at_the_cut_is_stated_at_its_beginning():
    score = quarters(
        12,
        parts=(Part(5),),
        tempos=Tempos.of([(0, 500_000), (480, 400_000), (2400, 300_000)]),
        meters=(Meter(0, 3, 4), Meter(2500, 4, 4)),
        keys=(Key(0, 2, False), Key(1920, -3, True)),
        controls=controls_of(
            [(0, 0, SUSTAIN, 127), (10, 0, BEND, 99), (20, 0, 7, 80), (1920, 0, 7, 90), (2000, 0, 1, 3)]
        ),
        texts=(Text(0, "text", b"a"), Text(1930, "lyric", b"la")),
    )
    (piece,) = cut(score, (1920, 2880))
    assert piece.tempos.to_json() == [[0, 400_000], [480, 300_000]]
    assert piece.meters == (Meter(0, 3, 4), Meter(580, 4, 4))
    assert piece.keys == (Key(0, -3, True),)
    assert piece.controls.tolist() == [(0, 0, 7, 90), (0, 0, SUSTAIN, 127), (0, 0, BEND, 99), (80, 0, 1, 3)]
    assert piece.texts == (Text(10, "lyric", b"la"),)
    assert piece.parts == (Part(5),)


def test_reset_all_controllers_is_heard_and_what_happens_once_is_not_carried():
    controls = [(0, 0, SUSTAIN, 127), (0, 0, 7, 80), (0, 0, BEND, 5), (0, 0, 120, 0), (9, 0, 121, 0), (9, 0, 96, 1)]
    (piece,) = cut(quarters(4, controls=controls_of(controls)), (480, 960))
    assert piece.controls.tolist() == [(0, 0, 7, 80)]


def test_a_part_that_plays_no_note_in_a_window_is_left_out_with_its_controllers():
    parts = (Part(1), Part(2), Part(3))
    notes = notes_of([(0, 10, 60, 1, 0), (100, 10, 61, 1, 2), (100, 10, 62, 1, 1)])
    score = Score(480, notes, parts, controls=controls_of([(0, 0, 7, 1), (0, 2, 7, 3)]))
    first, second = cut(score, (0, 100), (100, 200))
    assert (first.parts, second.parts) == ((Part(1),), (Part(2), Part(3)))
    assert second.notes.tolist() == [(0, 10, 62, 1, 0), (0, 10, 61, 1, 1)]
    assert second.controls.tolist() == [(0, 1, 7, 3)]
    alone = with_parts(score, [False, False, True])
    assert (alone.parts, alone.notes.tolist(), alone.controls.tolist()) == (
        (Part(3),),
        [(100, 10, 61, 1, 0)],
        [(0, 0, 7, 3)],
    )


@settings(max_examples=40)
@given(scores(), st.floats(0.5, 9.0))
def test_every_note_is_in_one_phrase_and_sounds_when_it_did(score, share):
    seconds = max(score.duration, 0.01) / share
    windows = time_windows(score, seconds)
    onsets, told = [], []
    for window, piece in zip(windows.found, pieces(score, windows.found), strict=True):
        assert piece.duration <= seconds + 1e-9
        onsets += [window.start + onset for onset in piece.notes["onset"].tolist()]
        told += (piece.onsets + score.seconds(window.start)).tolist()
    if not windows.too_long:
        assert onsets == score.notes["onset"].tolist()
        np.testing.assert_allclose(told, score.onsets)


def test_a_note_in_the_last_part_of_a_tick_before_a_window_is_in_the_window_before():
    notes = [(i, 1, 0, 1, 0) for i in range(10)] + [(83, 999, 2, 1, 0), (379, 1, 1, 1, 0)]
    score = Score(96, notes_of(notes))
    windows = time_windows(score, score.duration / 8.5625).found

    assert [one.end for one in windows[:-1]] == [one.start for one in windows[1:]]
    assert sum(len(piece) for piece in pieces(score, windows)) == len(score)


@given(st.lists(st.tuples(st.integers(0, 99_999), st.integers(1, 0xFFFFFF)), max_size=5), st.integers(0, 10**12))
def test_the_first_tick_at_which_a_time_has_passed_is_found_exactly(events, passed):
    tempos = Tempos.of(events)
    tick = int(tempos.reached(passed))
    assert int(tempos.passed(tick)) >= passed
    assert tick == 0 or int(tempos.passed(tick - 1)) < passed


def test_a_score_of_bars_or_phrases_without_end_is_refused_at_once(monkeypatch):
    endless = Score(1, notes_of([(0, 1 << 31, 60, 1, 0)]), tempos=Tempos.of([(0, 1)]), meters=(Meter(0, 1, 64),))
    with pytest.raises(ScoreError, match="more than 1,000,000 bars"):
        bar_windows(endless, 1.0)
    monkeypatch.setattr(cutting, "MOST_WINDOWS", 10)
    for windows in (bar_windows, time_windows):
        with pytest.raises(ScoreError, match="more than 10 phrases"):
            windows(quarters(100), 2.0)


@pytest.mark.parametrize("meters", [(), (Meter(0, 3, 4), Meter(2000, 7, 8)), (Meter(960, 2, 4),)])
def test_a_bar_ends_where_the_next_begins(meters):
    score = quarters(0, meters=meters)
    bars = score.bars(9000).tolist()
    assert [score.bar_end(bar) for bar in bars[:-1]] == bars[1:]
    assert [score.bar_end(end - 1) for _, end in itertools.pairwise(bars)] == bars[1:]
