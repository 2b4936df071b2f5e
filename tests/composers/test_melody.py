"""The composer ``melody``: key, contour, form and range are those of the notes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from support import amounts

from tonesmith.composers.melody import Melody
from tonesmith.score.reader import midi_reading
from tonesmith.score.score import Score
from tonesmith.score.theory import find_key, pitch_class, scale
from tonesmith.score.writer import midi_of

METERS = ["2/4", "3/4", "4/4", "5/4", "6/8", "7/8", "9/8", "12/8"]
LETTERS = {"phrase": "A", "question-answer": "AA", "AAB": "AAB", "AABA": "AABA", "ABAC": "ABAC"}
SCALES = [
    "harmonic minor",
    "dorian",
    "phrygian",
    "lydian",
    "mixolydian",
    "major pentatonic",
    "minor pentatonic",
    "blues",
]


def melody(seconds: float | None = None, **options: Any) -> Melody:
    return Melody(Melody.Options.model_validate(options), 5, seconds)


def phrases(score: Score, told: Mapping[str, Any]) -> list[Any]:
    """Return the notes of each phrase, with onsets from its beginning on."""
    count = len(LETTERS[told["form"]])
    beats, unit = map(int, told["meter"].split("/"))
    length = told["bars"] * beats * 4 * score.resolution // unit // count
    found = []
    for number in range(count):
        notes = score.notes[score.notes["onset"] // length == number].copy()
        notes["onset"] -= number * length
        found.append(notes)
    return found


def goes(pitches: np.ndarray[Any, Any], onsets: np.ndarray[Any, Any]) -> str:
    """Return the contour by where in the phrase it is high: in four parts of its time, of equal length."""
    part = np.minimum(onsets * 4 // max(1, onsets[-1]), 3)
    if np.ptp(pitches.astype(int)) <= 7:
        return "level"
    first, last, middle = float(pitches[0]), float(pitches[-1]), pitches[(part == 1) | (part == 2)].astype(float)
    if len(middle) and middle.mean() > max(first, last) + 1:
        return "arch"
    if len(middle) and middle.mean() < min(first, last) - 1:
        return "valley"
    return "rise" if last > first else "fall"


@pytest.mark.parametrize("count", amounts(25, 1000))
def test_the_key_is_found_in_ninety_five_of_a_hundred(count):
    composer = melody()
    found = 0
    for index in range(count):
        composed = composer.compose(index)
        told, key = composed.annotations, find_key(composed.score)
        tonic = pitch_class(str(told["tonic"]))
        found += key is not None and (key.tonality.tonic, key.tonality.mode) == (tonic, told["scale"])
    assert found >= 0.95 * count


@pytest.mark.parametrize("count", amounts(25, 1000))
def test_scale_range_form_and_bars_are_those_of_the_notes(count):
    composer = melody(scale=["major", "minor", *SCALES], meter=METERS, low=50, high=70)
    for index in range(count):
        composed = composer.compose(index)
        told, score = composed.annotations, composed.score
        pitches = score.notes["pitch"]
        assert set((pitches % 12).tolist()) <= set(scale(str(told["scale"]), str(told["tonic"])))
        assert (pitches.min(), pitches.max()) == (told["pitch_low"], told["pitch_high"])
        assert 50 <= pitches.min() <= pitches.max() <= 70
        assert len(score.bars(score.end)) == told["bars"]
        parts = phrases(score, told)
        for letter, notes in zip(LETTERS[str(told["form"])], parts, strict=True):
            like = parts[LETTERS[str(told["form"])].index(letter)]
            assert (notes["onset"] == like["onset"]).all()
            assert (notes["pitch"][:-1] == like["pitch"][:-1]).all()
        tonic = pitch_class(str(told["tonic"]))
        assert pitches[-1] % 12 == tonic


@pytest.mark.parametrize("count", amounts(25, 1000))
def test_contours_go_where_they_are_said_to(count):
    """By another rule than the composer's own: where the middle of a phrase lies beside its ends."""
    composer = melody(contour=["arch", "valley", "rise", "fall", "level"])
    right = total = 0
    for index in range(count):
        composed = composer.compose(index)
        for notes in phrases(composed.score, composed.annotations):
            right += goes(notes["pitch"], notes["onset"]) == composed.annotations["contour"]
            total += 1
    assert right >= 0.95 * total


def test_a_wave_rises_and_falls_twice():
    composed = melody(contour=["wave"], form=["phrase"], phrase_bars=4, low=48, high=84).compose(0)
    pitches, onsets = composed.score.notes["pitch"].astype(float), composed.score.notes["onset"]
    place = onsets / onsets[-1]
    high = pitches[(np.abs(place - 0.25) < 0.1) | (np.abs(place - 0.75) < 0.1)].mean()
    low = pitches[(place < 0.08) | (np.abs(place - 0.5) < 0.08) | (place > 0.92)].mean()
    assert high > low + 7


@pytest.mark.parametrize(("contour", "end"), [("fall", "min"), ("arch", "min"), ("rise", "max"), ("valley", "max")])
def test_a_phrase_ends_on_the_tonic_where_its_contour_ends(contour, end):
    composer = melody(contour=[contour], form=["phrase"], scale=["major"], tonic=["F"])
    for index in range(8):
        pitches = composer.compose(index).score.notes["pitch"].astype(int)
        assert pitches[-1] % 12 == 5
        assert abs(pitches[-1] - getattr(pitches, end)()) <= 2


def test_a_question_ends_on_the_fifth_and_its_answer_on_the_tonic():
    composed = melody(form=["question-answer"], tonic=["D"], scale=["major"]).compose(0)
    question, answer = phrases(composed.score, composed.annotations)
    assert (question["pitch"][-1] % 12, answer["pitch"][-1] % 12) == (9, 2)


def test_the_key_signature_is_that_of_the_scale():
    for name, tonic, expected in (("major", "Bb", (-2, False)), ("dorian", "D", (0, True)), ("blues", "A", (0, True))):
        key = melody(scale=[name], tonic=[tonic]).compose(0).score.keys[0]
        assert key[1:] == expected


def test_a_shorter_form_is_taken_where_a_long_one_does_not_fit():
    composer = melody(seconds=4.0, bpm=100.0)
    told = [composer.compose(index).annotations for index in range(20)]
    assert {entry["form"] for entry in told} == {"phrase"}
    assert {entry["bars"] for entry in told} == {1}
    assert {entry["form"] for entry in (melody(bpm=100.0).compose(i).annotations for i in range(40))} == set(LETTERS)


def test_a_score_is_the_same_after_its_midi_file():
    for index in range(8):
        score = melody(meter=METERS).compose(index).score
        assert midi_reading(midi_of(score)).score == score
