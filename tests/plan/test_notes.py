"""Which notes play each patch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tonesmith.plan.notes import Notes


def test_every_pitch_meets_every_velocity_in_order():
    notes = Notes(pitches=(48, 60), velocities=(64, 127), hold=1.0, tail=0.25)
    assert [(n.pitch, n.velocity) for n in notes.of_patch(1, 0)] == [(48, 64), (48, 127), (60, 64), (60, 127)]
    assert notes.per_patch == 4
    assert notes.of_patch(2, 99) == notes.of_patch(1, 0)


@given(
    st.tuples(st.floats(0.001, 10), st.floats(0.001, 10)).map(sorted).map(tuple),
    st.floats(0, 10),
    st.integers(0, 2**40),
)
def test_drawn_notes_are_in_range_and_all_last_exactly_as_long(hold, tail, patch):
    notes = Notes(pitches=(36, 40), velocities=(1, 127), hold=hold, tail=tail, draw=8)
    drawn = notes.of_patch(5, patch)
    assert len(drawn) == notes.per_patch == 8
    for note in drawn:
        assert 36 <= note.pitch <= 40
        assert 1 <= note.velocity <= 127
        assert hold[0] <= note.hold <= hold[1]
        assert note.hold + note.tail == note.duration == notes.duration
        assert note.tail >= tail * (1 - 1e-12)


@given(st.floats(0.001, 60), st.floats(0, 60), st.sampled_from([None, 3]))
def test_a_hold_that_is_no_range_is_kept_to_the_bit(hold, tail, draw):
    notes = Notes(pitches=(60,), hold=hold, tail=tail, draw=draw)
    assert all((n.hold, n.tail, n.duration) == (hold, tail, notes.duration) for n in notes.of_patch(1, 7))


def test_drawn_notes_reach_both_ends_and_are_a_function_of_seed_and_patch():
    notes = Notes(pitches=(60, 62), velocities=(100, 102), hold=(0.5004, 0.5033), tail=0.1, draw=40)
    drawn = notes.of_patch(3, 17)
    assert {n.pitch for n in drawn} == {60, 61, 62}
    assert {n.velocity for n in drawn} == {100, 101, 102}
    assert {n.hold * 1024 for n in drawn} == {513, 514, 515}
    assert notes.of_patch(3, 17) == drawn
    assert notes.of_patch(3, 18) != drawn
    assert notes.of_patch(4, 17) != drawn


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"hold": (0.5, 1.0)}, "needs draw"),
        ({"pitches": (60, 60)}, "pitches lists a value twice"),
        ({"pitches": (62, 60), "draw": 1}, "low first"),
        ({"velocities": (1, 2, 3), "draw": 1}, "low first"),
        ({"pitches": (60,), "hold": (1.0, 0.5), "draw": 1}, "must have low first"),
        ({"pitches": ()}, "at least 1"),
        ({"pitches": (128,)}, "127"),
        ({"velocities": (0,)}, "1"),
        ({"hold": 0.0}, "greater than 0"),
        ({"holds": 1.0}, "not permitted"),
    ],
)
def test_notes_that_make_no_sense_are_refused(settings_, message):
    with pytest.raises(ValidationError, match=message):
        Notes(**settings_)


def test_unset_wheels_and_pedal_leave_no_trace_in_a_plan():
    assert Notes().to_json().keys() == {"pitches", "velocities", "hold", "tail", "draw"}
    assert Notes().columns == ("pitch", "velocity", "hold", "tail")
    assert Notes(sustain=False, bend=0.0).columns == ("pitch", "velocity", "hold", "tail", "bend", "sustain")
    stored = Notes(draw=2, bend=(-1.0, 1.0), pitches=(60, 60))
    assert Notes.model_validate(stored.to_json()) == stored


def test_wheels_and_pedal_are_drawn_apart_from_the_notes_in_steps_of_midi():
    plain = Notes(draw=8, pitches=(40, 80))
    moved = Notes(draw=8, pitches=(40, 80), bend=(-0.5, 0.5), modwheel=(0.0, 1.0), sustain=(False, True))
    notes = moved.of_patch(7, 3)
    assert [note.pitch for note in notes] == [note.pitch for note in plain.of_patch(7, 3)]
    assert len({note.bend for note in notes}) == len({note.modwheel for note in notes}) == 8
    assert all(abs(note.bend) <= 0.5 and note.bend * 8192 == int(note.bend * 8192) for note in notes)
    assert all((note.modwheel * 127) % 1 == pytest.approx(0, abs=1e-9) for note in notes)
    assert {note.sustain for note in notes} == {False, True}
    assert notes == moved.of_patch(7, 3) != moved.of_patch(7, 4)


def test_a_fixed_wheel_is_that_of_every_note():
    assert {note.bend for note in Notes(bend=0.25, velocities=(1, 2)).of_patch(0, 0)} == {0.25}


@pytest.mark.parametrize("options", [{"bend": (0.0, 1.0)}, {"draw": 1, "modwheel": (1.0, 0.5)}, {"bend": -1.1}])
def test_wheels_out_of_range_are_refused(options):
    with pytest.raises(ValidationError):
        Notes(**options)
