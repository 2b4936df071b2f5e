"""What augmenters draw, what they do with it, and what becomes of the labels, on made material."""

from __future__ import annotations

import numpy as np
import pytest

from tonesmith import Draws, Recorded, Score, Unsuited
from tonesmith.augmenters.dropout import Dropout
from tonesmith.augmenters.gain import Gain
from tonesmith.augmenters.jitter import Jitter
from tonesmith.augmenters.noise import Noise
from tonesmith.augmenters.pitch import Pitch
from tonesmith.augmenters.stretch import Stretch
from tonesmith.augmenters.tempo import Tempo
from tonesmith.augmenters.transpose import Transpose
from tonesmith.augmenters.velocity import Velocity
from tonesmith.score.draws import bells
from tonesmith.score.reader import midi_reading
from tonesmith.score.score import Key, Part
from tonesmith.score.writer import midi_of
from tonesmith.testing import AugmenterContract

BELLS = [0.6346860553314384, -1.630837798261389, 0.603663770075853]
SCALE = [(i, 1, 60 + step, 80) for i, step in enumerate((0, 2, 4, 5, 7, 9, 11, 12))]


class TestTranspose(AugmenterContract):
    augmenter = Transpose


class TestTempo(AugmenterContract):
    augmenter = Tempo


class TestVelocity(AugmenterContract):
    augmenter = Velocity


class TestJitter(AugmenterContract):
    augmenter = Jitter


class TestDropout(AugmenterContract):
    augmenter = Dropout


class TestPitch(AugmenterContract):
    augmenter = Pitch


class TestStretch(AugmenterContract):
    augmenter = Stretch


class TestNoise(AugmenterContract):
    augmenter = Noise


class TestGain(AugmenterContract):
    augmenter = Gain


def draws_of(augmenter, music, count=64, **options):
    made = augmenter(augmenter.Options(**options))
    return [made.draw(music, Draws(0, "test", child)) for child in range(count)]


def applied(augmenter, music, **parameters):
    return augmenter(augmenter.Options()).apply(music, parameters)


def relabelled(augmenter, parameters, **labels):
    told = augmenter(augmenter.Options()).relabel(labels, parameters)
    return {name: (one.value, round(one.certainty, 3)) for name, one in told.items()}


def test_a_transposition_is_of_every_step_that_keeps_the_notes_in_range_and_no_other():
    low, high = Score.of([(0, 1, 3, 90)]), Score.of([(0, 1, 126, 90), (0, 1, 60, 90)])
    assert {d["semitones"] for d in draws_of(Transpose, low, 200)} == {-3, -2, -1, 1, 2, 3, 4, 5, 6}
    assert {d["semitones"] for d in draws_of(Transpose, high, 200)} == {-6, -5, -4, -3, -2, -1, 1}


def test_drums_are_never_transposed_and_a_score_of_nothing_else_is_told():
    notes = Score.of(SCALE[:2]).notes.copy()
    notes["part"] = [0, 1]
    score = Score(480, notes, (Part(), Part(0, True)), keys=(Key(0, 0, False),))
    moved = applied(Transpose, score, semitones=3)
    assert moved.notes["pitch"].tolist() == [63, 62]
    assert moved.keys[0].sharps == -3
    (told,) = draws_of(Transpose, Score.of(SCALE, drums=True), 1)
    assert told == Unsuited("has only drums, which are not transposed")


def test_a_score_that_would_leave_the_range_either_way_is_told():
    (told,) = draws_of(Transpose, Score.of([(0, 1, 0, 9), (0, 1, 127, 9)]), 1)
    assert "leave the range of MIDI" in told.reason


def test_keys_and_chord_symbols_follow_numerals_stay_and_emotion_is_inherited():
    told = relabelled(
        Transpose, {"semitones": 3}, key="Bb", mode="minor", chord_progression=("Bbm7", "|", "Gb/Bb"), emotion="sad"
    )
    assert told == {"key": ("Db", 1.0), "chord_progression": (("C#m7", "|", "A/C#"), 1.0), "emotion": ("sad", 0.94)}
    numerals = relabelled(Transpose, {"semitones": 3}, chord_progression=("i", "V7/V", "bVII"))
    assert numerals == {"chord_progression": (("i", "V7/V", "bVII"), 1.0)}
    assert relabelled(Transpose, {"semitones": 3}, key="?", chord_progression=("hm",)) == {
        "key": (None, 1.0),
        "chord_progression": (None, 1.0),
    }


def test_a_tempo_changes_no_tick_and_its_label_follows_exactly():
    score = Score.of(SCALE, bpm=100)
    faster = applied(Tempo, score, factor=1.05)
    assert np.array_equal(faster.notes, score.notes)
    assert faster.duration == pytest.approx(score.duration / 1.05, rel=1e-6)
    told = relabelled(Tempo, {"factor": 1.05}, tempo_bpm=100.0, offset_ms=21.0, arousal=0.5, key="C")
    assert told == {"tempo_bpm": (105.0, 1.0), "offset_ms": (20.0, 1.0), "arousal": (0.5, 0.95)}


def test_a_velocity_is_drawn_again_where_a_note_would_leave_1_to_127():
    loud = Score.of([(0, 1, 60, 120), (1, 1, 62, 40)])
    factors = [d["factor"] for d in draws_of(Velocity, loud)]
    assert max(factors) <= 127.49 / 120 < 1.2
    assert applied(Velocity, loud, factor=1.05).notes["velocity"].tolist() == [126, 42]
    assert isinstance(draws_of(Velocity, Score.of([(0, 1, 60, 127)]), 1, factor=(1.1, 1.2))[0], Unsuited)


def test_jitter_keeps_chords_together_in_order_and_within_three_deviations():
    score = Score.of([(b / 4, 0.25, p, 90) for b in range(64) for p in (60, 64)], resolution=24, bpm=120)
    moved = applied(Jitter, score, ms=5.0, key=7)
    far = moved.onsets - score.onsets
    assert np.array_equal(far[::2], far[1::2])
    assert np.all(np.abs(far) <= 0.0153)
    assert 0.003 < float(far[::2].std()) < 0.007
    assert np.all(np.diff(moved.onsets) >= 0)
    assert midi_reading(midi_of(moved)).score == moved
    low = moved.notes[moved.notes["pitch"] == 60]
    assert np.all((low["onset"] + low["duration"])[:-1] <= low["onset"][1:]), "notes overlap that did not"


def test_dropout_leaves_out_its_share_and_never_a_whole_chord():
    chords = Score.of([(b, 1, 48 + t, 90) for b in range(500) for t in (0, 4)])
    left = applied(Dropout, chords, share=0.3, key=5)
    assert 0.68 < len(left) / len(chords) < 0.8
    assert len(np.unique(left.notes["onset"])) == 500
    melody = applied(Dropout, Score.of([(b, 1, 60, 90) for b in range(500)]), share=0.3, key=5)
    assert 310 < len(melody) < 390


RATE = 22050


def tone(hertz, seconds=1.0):
    time = np.arange(round(RATE * seconds)) / RATE
    return Recorded(np.float32([0.5 * np.sin(2 * np.pi * hertz * time)]), RATE)


def hertz_of(recorded):
    spectrum = np.abs(np.fft.rfft(recorded.audio[0] * np.hanning(recorded.audio.shape[1])))
    return float(np.argmax(spectrum)) * RATE / recorded.audio.shape[1]


def test_pitch_moves_a_recording_and_not_its_length_and_stretch_the_other_way_round():
    moved, longer = applied(Pitch, tone(440), semitones=2), applied(Stretch, tone(440), factor=0.9)
    assert hertz_of(moved) == pytest.approx(440 * 2 ** (2 / 12), abs=2)
    assert moved.audio.shape == (1, RATE)
    assert hertz_of(longer) == pytest.approx(440, abs=2)
    assert longer.audio.shape[1] == pytest.approx(RATE / 0.9, abs=2)


def test_noise_has_its_level_and_is_another_in_each_channel():
    silence = Recorded(np.zeros((2, 50_000), np.float32), RATE)
    noisy = applied(Noise, silence, level=0.004, key=3).audio
    assert noisy.std(axis=1) == pytest.approx([0.004, 0.004], rel=0.02)
    assert abs(float(np.corrcoef(noisy)[0, 1])) < 0.02


def test_noise_from_a_key_has_these_bits_on_every_machine():
    assert bells(1, 3).tolist() == BELLS


def test_a_gain_over_full_scale_is_drawn_again():
    assert max(d["factor"] for d in draws_of(Gain, tone(440, 0.1), 200)) > 1.15
    full = Recorded(tone(440, 0.1).audio * 1.9, RATE)
    assert max(d["factor"] for d in draws_of(Gain, full, 200)) <= 1 / float(full.audio.max())


@pytest.mark.parametrize("augmenter", [Transpose, Pitch])
def test_a_range_that_is_none_is_refused(augmenter):
    for ends in ((3, -3), (0, 0), (-99, 0)):
        with pytest.raises(ValueError, match="two numbers"):
            augmenter.Options(semitones=ends)
