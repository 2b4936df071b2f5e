"""Metrics of scores, on made music whose answers are known."""

from __future__ import annotations

import math
from dataclasses import asdict
from itertools import pairwise

import numpy as np
import pytest

from tonesmith.score.metrics import entropy_bits, harmony_of, pitches_of, rhythm_of, texture_of
from tonesmith.score.score import Meter, Part, Score, notes_of
from tonesmith.score.theory import chord_of

SCALE = (60, 62, 64, 65, 67, 69, 71, 72)


def played(pitches, step=1.0, held=1.0, velocity=80, **how):
    return Score.of([(n * step, held, pitch, velocity) for n, pitch in enumerate(pitches)], **how)


def drum(onsets, pitch=36):
    return Score.of([(onset, 0.1, pitch, 100) for onset in onsets], drums=True)


def test_pitches_of_a_scale_are_those_of_its_notes():
    found = pitches_of(played(SCALE))
    assert (found.low, found.high, found.span, found.used, found.classes_used) == (60, 72, 12, 8, 7)
    assert found.entropy_bits == pytest.approx(3.0)
    assert found.class_entropy_bits == pytest.approx(2.75)  # two of eight notes are C
    assert found.scale_consistency == 1.0


def test_the_best_scale_leaves_out_what_is_foreign_to_it():
    assert pitches_of(played((*SCALE, 61, 63))).scale_consistency == pytest.approx(0.8)
    assert pitches_of(played(range(60, 72))).scale_consistency == pytest.approx(7 / 12)
    assert pitches_of(played([pitch + 2 for pitch in SCALE])).scale_consistency == 1.0  # D major
    assert pitches_of(played([61, 63, 64, 66, 68, 69, 71])).scale_consistency == 1.0  # C sharp minor


def test_drums_are_notes_and_have_no_pitch():
    found, texture = pitches_of(drum(range(4))), texture_of(drum(range(4)))
    assert found.count == 0
    assert all(math.isnan(value) for name, value in asdict(found).items() if name != "count")
    assert math.isnan(texture.polyphony)
    assert texture.notes_per_beat == pytest.approx(4 / 3.1)


def test_polyphony_counts_where_anything_sounds_and_its_rate_over_the_whole():
    # C for 4 beats, E over its second half, silence for 4, and G for 2
    found = texture_of(Score.of([(0, 4, 60, 80), (2, 2, 64, 80), (8, 2, 67, 80)]))
    assert found.polyphony == pytest.approx((2 + 2 * 2 + 2) / 6)
    assert found.polyphony_rate == pytest.approx(2 / 10)


def test_one_pitch_on_top_of_itself_sounds_once():
    found = texture_of(Score.of([(0, 4, 60, 80), (1, 4, 60, 80), (5, 1, 60, 80)]))
    assert (found.polyphony, found.polyphony_rate) == (1.0, 0.0)


def test_density_is_of_the_tempo_in_seconds_and_not_in_beats():
    slow, fast = (texture_of(played(SCALE, bpm=bpm)) for bpm in (60, 240))
    assert (slow.duration_s, slow.duration_beats, slow.notes_per_s) == (8.0, 8.0, 1.0)
    assert (fast.notes_per_s, fast.notes_per_beat) == (4.0, 1.0)


def test_a_beat_is_empty_where_nothing_is_held():
    found = texture_of(Score.of([(0.5, 0.25, 60, 80), (3.75, 1.25, 60, 80)]))
    assert found.empty_beat_rate == pytest.approx(2 / 5)  # beats 1 and 2; the last note ends where beat 5 begins


def test_velocities_are_told_by_mean_spread_and_range():
    found = texture_of(Score.of([(0, 1, 60, 40), (1, 1, 60, 80)]))
    assert (found.velocity_mean, found.velocity_spread, found.velocity_range) == (60.0, 20.0, 40.0)


def test_intervals_between_onsets_have_no_entropy_if_they_are_equal_and_one_bit_of_two():
    assert rhythm_of(played(SCALE)).ioi_entropy_bits == 0.0
    onsets = [0, 1, 1.5, 2.5, 3, 4, 4.5]
    assert rhythm_of(Score.of([(onset, 0.2, 60, 80) for onset in onsets])).ioi_entropy_bits == pytest.approx(1.0)
    spread = [(bar + late / 100, 0.2, 60 + late, 80) for bar in range(5) for late in range(3)]
    assert rhythm_of(Score.of(spread)).ioi_entropy_bits == 0.0  # chords that are not quite together


def test_articulation_is_what_is_held_of_the_time_until_the_next_onset_of_the_part():
    assert rhythm_of(played(SCALE, held=1.0)).articulation == 1.0
    assert rhythm_of(played(SCALE, held=0.25)).articulation == 0.25
    two = notes_of([(480 * n, 240, 60, 80, 0) for n in range(8)] + [(240 + 480 * n, 60, 70, 80, 1) for n in range(8)])
    assert rhythm_of(Score(480, two, (Part(), Part()))).articulation == pytest.approx((0.5 + 0.125) / 2)


@pytest.mark.parametrize("swing", [0.5, 0.58, 2 / 3])
def test_swing_is_the_place_of_the_off_beat(swing):
    onsets = [beat + off for beat in range(16) for off in (0, swing)]
    score = Score.of([(onset, 0.2, 60, 80) for onset in onsets])
    assert rhythm_of(score).swing_ratio == pytest.approx(swing, abs=0.005)


def test_the_offset_is_in_seconds_behind_the_beat():
    laid_back = [(beat + 0.04, 0.2, 60, 80) for beat in range(16)]
    assert rhythm_of(Score.of(laid_back, bpm=120)).offset_s == pytest.approx(0.02, abs=0.001)
    assert rhythm_of(Score.of(laid_back, bpm=60)).offset_s == pytest.approx(0.04, abs=0.001)


def test_groove_is_consistent_where_bars_are_alike_however_they_are_timed():
    straight = [bar * 4 + beat for bar in range(6) for beat in (0, 1, 2.5, 3)]
    assert rhythm_of(drum(straight)).groove_consistency == 1.0
    late = [onset + 0.03 * (n % 3) for n, onset in enumerate(straight)]
    assert rhythm_of(drum(late)).groove_consistency == 1.0
    halves = [bar * 4 + beat for bar in range(4) for beat in ((0, 1) if bar % 2 else (2, 3))]
    assert rhythm_of(drum(halves)).groove_consistency == pytest.approx(1 - 4 / 16)
    assert math.isnan(rhythm_of(drum([0, 1, 2])).groove_consistency)  # one bar


def test_places_are_those_of_the_meter_and_an_onset_before_the_bar_line_is_the_next_ones():
    waltz = Score(480, notes_of([(1440 * bar, 100, 60, 80, 0) for bar in range(4)]), meters=(Meter(0, 3, 4),))
    assert rhythm_of(waltz).places[0] == 1.0
    early = Score(480, notes_of([(1920 * bar - 20 * (bar > 0), 100, 60, 80, 0) for bar in range(4)]))
    assert rhythm_of(early).places[0] == 1.0


def test_a_clear_key_is_told_by_its_margin_and_chromatic_music_has_none():
    tonal = harmony_of(played((60, 64, 67, 65, 69, 72, 67, 71, 74, 60, 64, 67, 60)))
    assert tonal.in_key == 1.0
    assert tonal.key_confidence > 0.5
    assert tonal.pitch_classes[0] == pytest.approx(4 / 13)
    assert math.isnan(harmony_of(played(range(60, 72))).key_margin)


def test_chords_that_are_known_are_counted_where_they_change():
    triads = [(0, 4, 7), (0, 4, 7), (5, 9, 12), (7, 11, 14)]
    notes = [(2 * n, 2, 60 + step, 80) for n, triad in enumerate(triads) for step in triad]
    found = harmony_of(Score.of(notes))
    assert found.chord_share == 1.0
    assert found.chords_per_beat == pytest.approx(3 / 8)
    cluster = [(8, 2, pitch, 80) for pitch in (60, 61, 62)]
    assert harmony_of(Score.of(notes + cluster)).chord_share == pytest.approx(0.8)


def test_entropy_is_of_shares():
    assert entropy_bits(np.array([2, 2, 0, 4])) == pytest.approx(1.5)
    assert math.isnan(entropy_bits(np.array([0])))


@pytest.mark.long
def test_they_agree_with_muspy_where_the_conventions_do():
    muspy = pytest.importorskip("muspy", reason="pip install muspy")
    draw = np.random.default_rng(7)
    names = {
        "span": muspy.pitch_range,
        "used": muspy.n_pitches_used,
        "classes_used": muspy.n_pitch_classes_used,
        "entropy_bits": muspy.pitch_entropy,
        "class_entropy_bits": muspy.pitch_class_entropy,
        "scale_consistency": muspy.scale_consistency,
        "polyphony": muspy.polyphony,
        "polyphony_rate": lambda music: muspy.polyphony_rate(music, threshold=1),  # more than one
    }
    for _ in range(20):
        rows = [(int(draw.integers(0, 400)), int(draw.integers(1, 60)), int(draw.integers(40, 80))) for _ in range(60)]
        score = Score(24, notes_of([(*row, 80, 0) for row in rows]))
        track = muspy.Track(notes=[muspy.Note(onset, pitch, held, 80) for onset, held, pitch in rows])
        music = muspy.Music(resolution=24, tracks=[track])
        ours = {**asdict(pitches_of(score)), **asdict(texture_of(score))}
        for name, theirs in names.items():
            assert ours[name] == pytest.approx(theirs(music)), name


def test_chords_of_many_notes_are_those_of_each_moment_alone():
    draw = np.random.default_rng(5)
    rows = [
        (int(onset), int(draw.integers(0, 900)), int(draw.integers(40, 90)), 80, 0)
        for onset in draw.integers(0, 40_000, 900)
    ]
    score = Score(480, notes_of(rows))
    begins, ends = score.notes["onset"], score.notes["onset"] + score.notes["duration"]
    asked = known = count = 0
    last = None
    for start, stop in pairwise(np.unique([begins, ends]).tolist()):
        sounding = score.notes["pitch"][(begins <= start) & (ends >= stop)].tolist()
        if len({pitch % 12 for pitch in sounding}) >= 3:
            asked += stop - start
            if chord := chord_of(sounding):
                known += stop - start
                count += (chord.root, chord.tones) != last
                last = chord.root, chord.tones
    found = harmony_of(score)
    assert known > 0
    assert found.chord_share == known / asked
    assert found.chords_per_beat == count / float(score.beats)
