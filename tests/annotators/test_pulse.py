"""The tempo of recordings: right where a pulse is clear, with the octave that it may be, and nothing elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pedalboard.io import AudioFile

from tonesmith.annotators.pulse import PulseAnnotator
from tonesmith.host.roles import Recorded, Subject
from tonesmith.score.score import Score
from tonesmith.testing import AnnotatorContract

RATE = 8000
LOOPS = Path("/usr/share/sonic-pi/samples")


def clicks(bpm, seconds=10.0):
    audio = np.zeros(round(seconds * RATE), np.float32)
    stroke = np.exp(-np.arange(600) / 100) * np.sin(np.arange(600))
    for start in np.arange(0, seconds - 0.2, 60 / bpm):
        audio[round(start * RATE) :][:600] += stroke.astype(np.float32)
    return audio[None]


def said(audio, rate=RATE, **options):
    annotator = PulseAnnotator(PulseAnnotator.Options(**options))
    subject = Subject("x", recording=lambda: Recorded(np.asarray(audio, np.float32), rate))
    return {one.name: (one.value, one.confidence) for one in annotator.annotate(subject)}


class TestPulse(AnnotatorContract):
    annotator = PulseAnnotator

    def make_subject(self):
        return Subject("x", ("x.wav",), recording=lambda: Recorded(clicks(100), RATE))


@pytest.mark.parametrize("bpm", [60, 73, 90, 111, 128])
def test_clicks_have_their_tempo_and_an_octave_of_it_less_surely(bpm):
    told = said(clicks(bpm))
    (tempo, sure), (other, less) = told["tempo_bpm"], told["tempo_other_bpm"]
    assert tempo == pytest.approx(bpm, abs=0.5)
    assert other / tempo == pytest.approx(0.5) or other / tempo == pytest.approx(2)
    assert 0.4 <= sure <= 1
    assert less < sure


@pytest.mark.parametrize("bpm", [160, 174])
def test_of_a_fast_pulse_one_of_both_is_right(bpm):
    told = said(clicks(bpm))
    assert any(value == pytest.approx(bpm, abs=0.5) for value, _ in told.values())


def test_what_is_longer_than_is_transformed_at_once_has_one_tempo():
    assert said(clicks(97, seconds=65))["tempo_bpm"][0] == pytest.approx(97, abs=0.2)


@pytest.mark.parametrize("kind", ["noise", "tone", "silence", "strokes at random", "too short"])
def test_nothing_is_said_without_a_clear_pulse(kind):
    draw, frames = np.random.default_rng(1), 10 * RATE
    audio = np.zeros((1, frames), np.float32)
    if kind == "noise":
        audio = draw.normal(0, 0.1, (1, frames))
    elif kind == "tone":
        audio[0] = 0.3 * np.sin(np.arange(frames) * 0.1)
    elif kind == "strokes at random":
        audio[0, draw.integers(0, frames, 30)] = 1.0
    elif kind == "too short":
        audio = clicks(120, seconds=5)
    assert said(audio) == {}


def test_an_item_with_a_score_is_left_to_the_score():
    subject = Subject("x", score=lambda: Score.of([(0, 1, 60, 80)]), recording=lambda: Recorded(clicks(100), RATE))
    assert list(PulseAnnotator(PulseAnnotator.Options()).annotate(subject)) == []


@pytest.mark.long
@pytest.mark.skipif(not LOOPS.is_dir(), reason="the Debian package sonic-pi-samples is not installed")
def test_real_loops_have_whole_beats_and_real_ambience_has_none():
    heard = {}
    for name in (
        "loop_amen_full",
        "loop_compus",
        "loop_mika",
        "loop_garzul",
        "ambi_drone",
        "ambi_lunar_land",
        "vinyl_hiss",
    ):
        with AudioFile(str(LOOPS / f"{name}.flac")) as file:
            told = said(file.read(file.frames), round(file.samplerate), seconds=4.0)
            heard[name] = told["tempo_bpm"][0] * file.duration / 60 if told else None
    assert {name for name, beats in heard.items() if beats is None} == {"ambi_drone", "ambi_lunar_land", "vinyl_hiss"}
    for beats in filter(None, heard.values()):
        assert beats == pytest.approx(round(beats), abs=0.05)
