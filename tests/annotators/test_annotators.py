"""What annotators say of made material whose answer is known, and of what they say nothing."""

from __future__ import annotations

import numpy as np
import pytest

from tonesmith import ConfigError, Recorded, Score, Subject
from tonesmith.annotators.folders import Folders
from tonesmith.annotators.groove import Groove
from tonesmith.annotators.key import Key
from tonesmith.annotators.table import Table
from tonesmith.annotators.tempo import Tempo
from tonesmith.score.score import Meter
from tonesmith.score.timing import Tempos
from tonesmith.testing import AnnotatorContract

MOODS = {"emotion": {"happy": "happy", "joyful": "happy", "sad": "sad"}, "level": {"p": "p", "pp": "pp"}}
TONICS = ["C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B"]
RATE = 11025
MAJOR, MINOR = (0, 4, 7), (0, 3, 7)


class TestFolders(AnnotatorContract):
    annotator = Folders


class TestTempo(AnnotatorContract):
    annotator = Tempo


class TestKey(AnnotatorContract):
    annotator = Key
    options = {"seconds": 0.5}


class TestGroove(AnnotatorContract):
    annotator = Groove


class TestTable(AnnotatorContract):
    annotator = Table

    @pytest.fixture(autouse=True)
    def _table(self, tmp_path, monkeypatch):
        (tmp_path / "t.csv").write_text("file,emotion\none.mid,sad\n")
        monkeypatch.setattr(type(self), "options", {"path": str(tmp_path / "t.csv")})


def said(annotator, subject, **options):
    found = annotator(annotator.Options(**options)).annotate(subject)
    return {annotation.name: annotation.value for annotation in found}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["m/happy/one.mid"], {"emotion": "happy"}),
        (["m/HAPPY/x/y/one.mid"], {"emotion": "happy"}),
        (["m/Joyful songs/one.mid"], {"emotion": "happy"}),
        (["m/sad-piano/one.mid", "other/one.mid"], {"emotion": "sad"}),
        (["m/sad/pp/one.mid"], {"emotion": "sad", "level": "pp"}),
        (["m/happy.mid"], {}),
        (["m/unhappy/one.mid"], {}),
        (["m/happy/sad/one.mid"], {}),
        (["m/happy/one.mid", "m/sad/two.mid"], {}),
        (["m/p/one.mid"], {}),
        ([], {}),
    ],
)
def test_folders_state_choices_of_the_profile(names, expected):
    assert said(Folders, Subject("i", names, choices=MOODS)) == expected


@pytest.mark.parametrize(
    ("tempos", "meters", "expected"),
    [
        ([(0, 600_000)], (), {"tempo_bpm": 100.0}),
        ([(0, 500_000)], (), {}),
        ([(0, 500_000)], ((0, 3, 4),), {"tempo_bpm": 120.0, "meter": "3/4"}),
        ([(0, 600_000), (1900, 300_000)], (), {"tempo_bpm": 100.0}),
        ([(0, 600_000), (960, 300_000)], (), {}),
        ([(0, 600_000)], ((0, 4, 4), (960, 3, 4)), {"tempo_bpm": 100.0}),
        ([(0, 600_000)], ((0, 4, 4), (9999, 3, 4)), {"tempo_bpm": 100.0, "meter": "4/4"}),
    ],
)
def test_tempo_and_meter_are_said_where_they_are_stated_and_hold(tempos, meters, expected):
    plain = Score.of([(0, 4, 60, 90)])
    score = Score(480, plain.notes, tempos=Tempos.of(tempos), meters=tuple(Meter(*m) for m in meters))
    assert said(Tempo, Subject("i", score=lambda: score)) == expected


def progression(tonic, chords):
    return [(beat, 1, 48 + tonic + root + step, 90) for beat, (root, steps) in enumerate(chords) for step in steps]


TURNS = {
    "major": [(0, MAJOR), (7, MAJOR), (9, MINOR), (5, MAJOR), (0, MAJOR)],
    "minor": [(0, MINOR), (5, MINOR), (7, MAJOR), (8, MAJOR), (0, MINOR)],
}


@pytest.mark.parametrize("mode", TURNS)
@pytest.mark.parametrize("tonic", range(12))
def test_the_key_of_a_score_is_found_in_every_key(tonic, mode):
    score = Score.of(progression(tonic, TURNS[mode]))
    assert said(Key, Subject("i", score=lambda: score)) == {"key": TONICS[tonic], "mode": mode}


def sounding(notes):
    """Return float32 (1, frames) of notes with eight partials each, half a second a beat."""
    audio = np.zeros(round(RATE * (0.5 * max(onset for onset, *_ in notes) + 0.75)))
    for onset, _, pitch, _ in notes:
        time = np.arange(round(0.7 * RATE)) / RATE
        hertz = 440 * 2 ** ((pitch - 69) / 12)
        wave = sum(np.sin(2 * np.pi * hertz * k * time) / k for k in range(1, 9) if hertz * k < RATE / 2)
        start = round(0.5 * RATE * onset)
        audio[start : start + len(time)] += wave * np.exp(-2 * time)
    return (audio[None] / 20).astype(np.float32)


@pytest.mark.parametrize(("tonic", "mode"), [(0, "major"), (5, "minor"), (8, "major"), (11, "minor")])
def test_the_key_of_a_recording_is_that_of_its_notes(tonic, mode):
    recorded = Recorded(sounding(progression(tonic, TURNS[mode] * 2)), RATE)
    assert said(Key, Subject("i", recording=lambda: recorded)) == {"key": TONICS[tonic], "mode": mode}


def hits():
    random = np.random.default_rng(1)
    audio = np.zeros(5 * RATE, np.float32)
    for start in range(0, len(audio) - 2000, RATE // 4):
        audio[start : start + 2000] += random.normal(0, 0.3, 2000) * np.exp(-np.arange(2000) / 400)
    return audio[None]


@pytest.mark.parametrize(
    "audio",
    [
        pytest.param(hits, id="drums"),
        pytest.param(lambda: np.random.default_rng(0).normal(0, 0.1, (1, 5 * RATE)).astype(np.float32), id="noise"),
        pytest.param(lambda: sounding(progression(0, TURNS["major"]))[:, : 2 * RATE], id="short"),
        pytest.param(lambda: sounding([(n, 1, 57, 90) for n in range(9)]), id="one note"),
    ],
)
def test_no_key_is_said_of_what_has_none(audio):
    assert said(Key, Subject("i", recording=lambda: Recorded(audio(), RATE))) == {}


def test_no_key_is_said_of_drums_or_few_notes():
    drums = Score.of(progression(0, TURNS["major"]), drums=True)
    few = Score.of(progression(0, TURNS["major"])[:6])
    assert said(Key, Subject("i", score=lambda: drums)) == {}
    assert said(Key, Subject("i", score=lambda: few)) == {}


@pytest.mark.parametrize("ratio", [0.5, 0.6, 2 / 3, 0.75])
def test_swing_is_the_place_of_the_off_beat(ratio):
    score = Score.of([(beat + off, 0.2, 60, 90) for beat in range(16) for off in (0, ratio)], resolution=960)
    assert said(Groove, Subject("i", score=lambda: score))["swing_ratio"] == pytest.approx(ratio, abs=0.002)


def test_no_swing_is_said_without_off_beats():
    score = Score.of([(beat, 0.2, 60, 90) for beat in range(16)])
    assert said(Groove, Subject("i", score=lambda: score)) == {}


TABLES = {
    "t.csv": "File,Emotion,valence\nsad/one.mid,sad,-0.5\n",
    "semicolon.csv": "file;emotion;valence\nsad/one;sad;-0.5\n",
    "t.tsv": "valence\tid\temotion\n-0.5\tone-1234\tsad\n",
    "t.json": '[{"file_path": "./m/sad/one.mid", "annotations": {"emotion": "sad", "valence": -0.5}}]',
    "by_id.json": '{"one-1234": {"emotion": "sad", "valence": -0.5}}',
    "stem.csv": "\ufefftrack,emotion,valence\none,sad,-0.5\n",
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_read_in_every_form(tmp_path, name):
    (tmp_path / name).write_text(TABLES[name], encoding="utf-8")
    subject = Subject("one-1234", ["m/sad/one.mid"], own=("one.mid", "one"))
    found = said(Table, subject, path=str(tmp_path / name))
    assert {key: str(value) for key, value in found.items()} == {"emotion": "sad", "valence": "-0.5"}


def test_a_stem_that_two_items_have_is_of_neither(tmp_path):
    (tmp_path / "t.csv").write_text("file,emotion\none.mid,sad\n")
    assert said(Table, Subject("one-1", ["m/a/one.mid"]), path=str(tmp_path / "t.csv")) == {}


def test_labels_of_audacity_count_by_how_long_they_hold(tmp_path):
    (tmp_path / "one.txt").write_text("0,0\t1,0\thappy\n\\\t100\t200\n1.0\t4.0\tSad\n0\t4\tkey=F#\n0\t1\tchorus\n")
    subject = Subject("i", ["m/one.wav"], choices=MOODS, own=("one.wav", "one"))
    annotations = Table(Table.Options(path=str(tmp_path))).annotate(subject)
    told = {a.name: (a.value, a.confidence) for a in annotations}
    assert told == {"emotion": ("sad", 0.75), "key": ("F#", 1.0)}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("gone.csv", None, "cannot be read: No such file"),
        ("t.csv", "emotion,valence\nsad,1\n", "none of sample_id, .* Name the column: --set table.column=NAME"),
        ("t.csv", "file,emotion\n,sad\n", "row 1 does not say which item it is of: file is empty"),
        ("t.json", "[1]", "has no list of rows"),
        ("t.json", "{", "is no JSON"),
        ("t.txt", "0\tx\n", r"t.txt:1: not a label of Audacity"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_its_place(tmp_path, name, text, words):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=words):
        Table(Table.Options(path=str(tmp_path / name)))
