"""A phrase as MIDI messages, and as single notes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from support.scores import scores

from tonesmith.errors import ScoreError
from tonesmith.score.controllers import BEND, MODWHEEL, PRESSURE, SUSTAIN
from tonesmith.score.courses import courses_of
from tonesmith.score.messages import messages, note_messages
from tonesmith.score.phrase import Phrase
from tonesmith.score.score import Part, Score, controls_of, notes_of
from tonesmith.score.single_notes import single_notes
from tonesmith.space.patch import Note

RATE = 1000
"""At 120 beats a minute and 480 ticks a beat, 0.96 ticks are a frame."""


def phrase(*notes: tuple[float, float, int, int], controls=(), hold: float = 2.0, tail: float = 1.0) -> Phrase:
    """Return a phrase of one part: onset and duration in beats of half a second, pitch, velocity of each note."""
    return Phrase(replace(Score.of(notes), controls=controls_of(controls)), hold, tail)


def told(played: Phrase) -> list[tuple[int, list[int]]]:
    return [(frame, list(message)) for frame, message in messages(played, RATE)]


def test_each_note_is_struck_at_its_frame_and_let_go_at_the_hold_at_the_latest():
    assert told(phrase((0.5, 1, 60, 100), (3, 9, 64, 90), (4, 1, 67, 80))) == [
        (250, [0x90, 60, 100]),
        (750, [0x80, 60, 0]),
        (1500, [0x90, 64, 90]),
        (2000, [0x80, 64, 0]),
    ]


def test_a_key_is_let_go_before_it_is_struck_again():
    assert told(phrase((0, 2, 60, 100), (1, 1, 60, 90), (1, 2, 60, 110))) == [
        (0, [0x90, 60, 100]),
        (500, [0x80, 60, 0]),
        (500, [0x90, 60, 110]),
        (1500, [0x80, 60, 0]),
    ]


def test_controllers_move_between_release_and_strike_and_a_pedal_is_lifted_at_the_hold():
    controls = [(480, 0, BEND, -8192), (480, 0, PRESSURE, 5), (480, 0, MODWHEEL, 7), (0, 0, SUSTAIN, 127)]
    assert told(phrase((0, 1, 60, 100), (1, 1, 62, 100), controls=controls)) == [
        (0, [0xB0, 64, 127]),
        (0, [0x90, 60, 100]),
        (500, [0x80, 60, 0]),
        (500, [0xB0, 1, 7]),
        (500, [0xE0, 0, 0]),
        (500, [0xD0, 5]),
        (500, [0x90, 62, 100]),
        (1000, [0x80, 62, 0]),
        (2000, [0xB0, 64, 0]),
    ]


def test_what_chooses_a_sound_and_what_comes_after_the_hold_is_not_sent():
    chosen = [(0, 0, 0, 3), (0, 0, 32, 1), (0, 0, 121, 0), (1920, 0, 7, 9)]
    assert told(phrase((0, 1, 60, 100), controls=chosen)) == told(phrase((0, 1, 60, 100)))


def test_each_part_has_a_channel_and_drums_have_the_tenth():
    notes = notes_of([(0, 480, 60 + part, 100, part) for part in range(18)])
    parts = tuple(Part(drums=part == 2) for part in range(18))
    struck = [m[0] & 15 for _, m in messages(Phrase(Score(480, notes, parts), 2.0, 0.0), RATE) if m[0] >> 4 == 9]
    assert struck == [0, 1, 9, *range(2, 9), *range(10, 16), 0, 1]


@given(scores())
def test_every_key_that_is_struck_is_let_go_once_and_by_the_hold(score):
    down = set()
    last = 0
    for frame, message in messages(Phrase(score, 3.0, 1.0), 48000):
        assert last <= frame <= 144000
        last, place = frame, (message[0] & 15, message[1])
        if message[0] >> 4 == 9:
            assert place not in down
            down.add(place)
        elif message[0] >> 4 == 8:
            down.remove(place)
    assert not down


def test_a_note_moves_wheels_and_pedal_first_and_the_pedal_stays_down():
    assert [list(message) for _, message in note_messages(Note(60, 100, 1.0, 1.0, 1.0, 0.5, sustain=True), 10)] == [
        [0xB0, 1, 64],
        [0xB0, 64, 127],
        [0xE0, 127, 127],
        [0x90, 60, 100],
        [0x80, 60, 0],
    ]


def test_single_notes_last_to_the_end_of_the_phrase():
    first, second = single_notes(phrase((0, 4, 60, 100), (1, 1, 64, 90), (4, 1, 67, 80)), RATE)
    assert (first.frame, first.note) == (0, Note(60, 100, 2.0, 1.0))
    assert (second.frame, second.note.hold) == (500, 0.5)
    assert int(second.note.duration * RATE) == round(second.note.duration * RATE) == 2500


def test_the_pedal_holds_single_notes_until_it_is_lifted_or_the_phrase_is_over():
    pedal = [(0, 0, SUSTAIN, 127), (960, 0, SUSTAIN, 0), (1200, 0, SUSTAIN, 64)]
    notes = single_notes(phrase((0, 1, 60, 100), (2.2, 0.4, 64, 90), controls=pedal), RATE)
    assert [round(place.note.hold, 6) for place in notes] == [1.0, 0.9]


def test_a_single_note_keeps_the_wheels_with_which_it_begins_and_refuses_those_that_move():
    wheels = [(0, 0, BEND, 4096), (0, 0, MODWHEEL, 127), (480, 0, BEND, 0)]
    (place,) = single_notes(phrase((0, 1, 60, 100), controls=wheels), RATE)
    assert (place.note.bend, place.note.modwheel) == (0.5, 1.0)
    with pytest.raises(ScoreError, match=r"the pitch bend moves while a note is held, 0\.00 s"):
        single_notes(phrase((0, 1.1, 60, 100), controls=wheels), RATE)
    assert single_notes(phrase((0, 1.1, 60, 100), controls=wheels), RATE, moving=True)[0].note.bend == 0.0


def test_a_course_is_sampled_from_any_moment():
    course = courses_of(phrase((0, 1, 60, 100), controls=[(480, 0, BEND, 10), (960, 0, BEND, 20)]))[0, BEND]
    assert np.flatnonzero(np.diff(course.sampled(0.25, 1000, RATE))).tolist() == [249, 749]
    assert course.sampled(0.75, 2, RATE).tolist() == [10.0, 10.0]
