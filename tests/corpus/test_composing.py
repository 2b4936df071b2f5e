"""Scores composed into a corpus: their labels, their numbers, and the advice of a check."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import shutil

import pytest
from support.corpora import melody, write_midi

from tonesmith.cli import run
from tonesmith.corpus import Corpus
from tonesmith.score.reader import read_midi


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Six scores of all moods."""
    with Corpus.new(tmp_path_factory.mktemp("made") / "c") as corpus:
        corpus.compose("emotion", 6, options={"bars": 2})
        return corpus.path


@pytest.fixture
def corpus(made, tmp_path):
    shutil.copytree(made, tmp_path / "c")
    with Corpus(tmp_path / "c") as opened:
        yield opened


def files(corpus):
    return {path.name: path.read_bytes() for path in sorted((corpus.path / "raw" / "synthetic").iterdir())}


def test_composed_scores_are_items_with_the_composers_labels_in_words_of_the_profile(corpus):
    assert len(corpus) == len(files(corpus)) == 6
    for number, item in enumerate(corpus):
        assert item.recipe["number"] == number
        assert {a.source for a in item.annotations} == {"emotion"}
        assert {(a.authority, a.confidence) for a in item.annotations} == {("composer", 1.0)}
        score = read_midi(corpus.path / item.path).score
        assert item.values["tempo_bpm"] == pytest.approx(60e6 / score.tempos.microseconds[0], rel=1e-5)
        assert item.values["emotion"] in corpus.profile.label("emotion").choices
        assert item.values["key"] in corpus.profile.label("key").choices
        assert "|" not in item.values["chord_progression"]
        assert len(item.values["chord_progression"]) == 4
        assert "articulation" not in item.values


def test_the_same_command_adds_nothing_and_a_larger_number_goes_on_counting(corpus):
    again = corpus.compose("emotion", 6, options={"bars": 2})
    assert (again.items, again.known) == ([], 6)
    more = corpus.compose("emotion", 8, options={"bars": 2})
    assert [corpus[item].recipe["number"] for item in more.items] == [6, 7]
    assert len(corpus.compose("emotion", 8, options={"bars": 2}, dry_run=True).items) == 0


def test_a_score_that_is_there_is_not_kept_twice_and_another_is_composed_in_its_place(corpus):
    mood = next(iter(corpus)).values["emotion"]
    done = corpus.compose("emotion", 3, options={"bars": 2, "mood": [mood]})
    assert len(done.items) == 3
    assert done.duplicates >= 1
    assert corpus.check().faults == []


OWN = """
summary = "of my own"
classes = "{label}"
target = 1
needs = "{needs}"
[labels.{label}]
kind = "choice"
choices = {choices}
"""
"""A profile whose classes are those of one label."""


@pytest.mark.parametrize(
    ("label", "choices", "elsewhere"),
    [
        pytest.param("emotion", "", set(), marks=pytest.mark.long),
        pytest.param("melody", "", set(), marks=pytest.mark.long),
        pytest.param("harmony", "", set(), marks=pytest.mark.long),
        ("dynamics", "", set()),
        ("groove", "", {"funk", "latin", "halftime", "breakbeat"}),
        pytest.param("key", ["C", "Db", "Gb", "B"], set(), marks=pytest.mark.long),
        ("mode", ["dorian", "locrian"], {"locrian"}),
        pytest.param("contour", ["rising", "falling", "wave"], set(), marks=pytest.mark.long),
        ("articulation", ["legato", "staccato", "x"], {"x"}),
        pytest.param("dynamic_shape", ["decrescendo", "accents", "level"], set(), marks=pytest.mark.long),
        pytest.param("meter", ["3/4", "7/8"], set(), marks=pytest.mark.long),
        pytest.param("timbre", ["bright", "dark"], {"bright", "dark"}, marks=pytest.mark.long),
    ],
)
def test_every_command_that_a_check_advises_makes_what_is_missing(tmp_path, capsys, label, choices, elsewhere):
    """Of each profile, and of own ones; what no composer makes is told, with where it may come from."""
    (tmp_path / "own.toml").write_text(OWN.format(label=label, choices=json.dumps(choices), needs="score"))
    profile = str(tmp_path / "own.toml") if choices else label
    with Corpus.new(tmp_path / "it's c", profile=profile) as corpus:
        text = (corpus.path / "profile.toml").read_text()
        (corpus.path / "profile.toml").write_text(re.sub(r"target = \d+", "target = 2", text))
        write_midi(tmp_path / "m" / "first.mid", melody(0))
        corpus.add(tmp_path / "m")
        advised(corpus.check(), tmp_path)
        found = corpus.check()
        assert set(found.missing) == {name for name in elsewhere if len(name) == 1}
        told = [line for line in found.next if " more x: " in line]
        assert all("tonesmith corpus label" in line for line in told)
        assert len(told) == len(found.missing)


def advised(found, folder):
    """Do what a check advises of each class."""
    numbers = itertools.count(1)
    for name, missing in found.missing.items():
        (sentence,) = [line for line in found.next if line.startswith(f"{missing} more {name}: ")]
        commands = sentence.partition("tonesmith ")[2].replace("FOLDER", shlex.quote(str(folder / "own")))
        if " into a folder " in sentence:
            for number in itertools.islice(numbers, missing):
                write_midi(folder / "own" / name / f"{number}.mid", melody(number))
        if "corpus label" not in sentence:
            for command in commands.split(" && tonesmith "):
                assert run([*shlex.split(command), "-q"]) == 0


def test_recordings_are_not_composed(tmp_path):
    (tmp_path / "own.toml").write_text(OWN.format(label="emotion", choices='["sad"]', needs="audio"))
    with Corpus.new(tmp_path / "c", profile=str(tmp_path / "own.toml")) as corpus:
        write_midi(tmp_path / "m" / "first.mid", melody(0))
        corpus.add(tmp_path / "m")
        assert any("1 more sad: put recordings of it into a folder sad" in line for line in corpus.check().next)


def test_the_advice_counts_what_was_composed_before(corpus):
    """So many more, and not so many in all."""
    corpus.compose("emotion", 3, options={"mood": ["sad"]})
    had = corpus.check().classes["sad"]
    (sentence,) = [line for line in corpus.check().next if " more sad: " in line]
    assert sentence.startswith(f"{500 - had} more sad: ")
    assert f"-n {503 - had} --mood sad" in sentence


def test_composed_scores_are_made_again_bit_for_bit_and_augmented_ones_after_them(corpus):
    corpus.augment("transpose", n=1)
    before = files(corpus)
    for path in (corpus.path / "raw" / "synthetic").iterdir():
        path.unlink()
    assert len(corpus.remake().items) == 12
    assert files(corpus) == before


def test_options_of_the_composer_are_flags(corpus, capsys):
    words = ["--with", "emotion", "-n", "2", "--mood", "sad,calm", "--bars=1", "--drums", "--bpm", "[90,91]", "--json"]
    assert run(["corpus", "compose", str(corpus.path), *words]) == 0
    told = json.loads(capsys.readouterr().out)
    for item in map(corpus.__getitem__, told["added"]):
        assert item.values["emotion"] in {"sad", "calm"}
        assert 90 <= item.values["tempo_bpm"] <= 91
        assert any(part.drums for part in read_midi(corpus.path / item.path).score.parts)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--with", "emotoin"], "Did you mean 'emotion'?"),
        (["--with", "emotion", "--moodd", "sad"], "Did you mean 'mood'?"),
        (["--with", "emotion", "--mood", "bored"], "unknown mood 'bored'"),
        (["--with", "emotion", "sad"], "unexpected argument 'sad'"),
        (["--with", "emotion", "--bars", "0"], "bars"),
        (["--with", "files", "--paths", "x"], "tonesmith corpus add"),
    ],
)
def test_what_cannot_be_composed_is_refused_at_once(corpus, capsys, words, told):
    assert run(["corpus", "compose", str(corpus.path), *words]) == 2
    assert told in capsys.readouterr().err
    assert len(corpus) == 6


@pytest.mark.first
@pytest.mark.parametrize(
    ("profile", "composer", "labels"),
    [
        ("groove", "groove", {"groove_type", "swing_ratio", "offset_ms", "tempo_bpm", "meter"}),
        ("harmony", "harmony", {"key", "mode", "cadence", "chord_progression", "tempo_bpm", "meter"}),
        ("melody", "melody", {"key", "mode", "contour", "tempo_bpm", "meter"}),
        ("dynamics", "dynamics", {"dynamic_shape", "articulation", "tempo_bpm", "meter"}),
    ],
)
def test_every_profile_has_labels_of_its_composer(tmp_path, profile, composer, labels):
    with Corpus.new(tmp_path / "c", profile=profile) as corpus:
        done = corpus.compose(composer, 24)
        assert set(done.labels) == labels
        assert corpus.check().faults == []
