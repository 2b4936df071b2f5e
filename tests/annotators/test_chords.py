"""The chords of scores: named where they sound, whole or broken, and nothing where notes are no chords."""

from __future__ import annotations

import numpy as np
import pytest

from tonesmith.annotators.chords import Chords
from tonesmith.host.roles import Subject
from tonesmith.score.score import Score
from tonesmith.testing import AnnotatorContract

TRIADS = {"C": (48, 64, 67, 72), "Am": (45, 64, 69, 72), "F": (41, 65, 69, 72), "G": (43, 62, 67, 71)}


def block(names, beats=4):
    return [(beats * i, beats, pitch, 80) for i, name in enumerate(names) for pitch in TRIADS[name]]


def broken(names):
    order = (0, 2, 1, 2, 3, 2, 1, 2)
    return [
        (4 * i + step / 2, 0.5, TRIADS[name][place], 80)
        for i, name in enumerate(names)
        for step, place in enumerate(order)
    ]


def said(notes, drums=False, **options):
    found = list(Chords(Chords.Options(**options)).annotate(Subject("x", score=lambda: Score.of(notes, drums=drums))))
    return (found[0].value, found[0].confidence) if found else None


class TestChords(AnnotatorContract):
    annotator = Chords

    def make_subject(self):
        return Subject("x", ("x.mid",), score=lambda: Score.of(block(["C", "Am", "F", "G"])))


@pytest.mark.parametrize("notes", [block(["C", "Am", "F", "G"] * 2), broken(["C", "Am", "F", "G"] * 2)])
def test_chords_are_named_whole_and_broken(notes):
    assert said(notes) == (("C", "Am", "F", "G") * 2, 1.0)


def test_numerals_are_those_of_the_key():
    names = ["C", "F", "G", "C", "Am", "F", "G", "C"]
    chords, sure = said(block(names), write="numerals")
    assert chords == ("I", "IV", "V", "I", "vi", "IV", "V", "I")
    assert 0.5 < sure < 1


def test_a_bar_of_two_chords_has_both_and_one_that_lasts_is_said_once():
    assert said(block(["C", "G", "C", "C"], beats=2))[0] == ("C", "G", "C")
    assert said(block(["C", "Am", "F", "G"], beats=2))[0] == ("C", "Am", "F", "G")


def test_passing_notes_do_not_change_a_chord():
    notes = [*block(["C", "F"]), (3.75, 0.25, 74, 80)]
    assert said(notes)[0] == ("C", "F")


@pytest.mark.parametrize(
    "notes",
    [
        [(i / 2, 0.5, pitch, 80) for i, pitch in enumerate((60, 62, 64, 65, 67, 69, 71, 72) * 4)],
        [(i / 2, 0.5, int(p), 80) for i, p in enumerate(np.random.default_rng(1).integers(48, 84, 64))],
        [(i, 1, p, 80) for i in range(16) for p in (60 + i, 61 + i, 62 + i)],
        [(i, 1, p, 80) for i in range(16) for p in (60, 67)],
        block(["C"] * 4),
        [],
    ],
    ids=["scale", "random melody", "clusters", "fifths", "one chord", "empty"],
)
def test_nothing_is_said_where_notes_are_no_progression(notes):
    assert said(notes) is None


def test_drums_have_no_chords():
    assert said(block(["C", "F"]), drums=True) is None


def test_a_note_that_a_million_beats_hear_is_answered_at_once():
    assert said([(0, 1_000_000, p, 80) for p in (60, 64, 67)]) is None
