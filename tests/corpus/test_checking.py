"""Splits that do not leak, and what a corpus is checked for."""

from __future__ import annotations

import json
import shutil
from collections import Counter

import numpy as np
import pytest
from support.corpora import melody, write_audio, write_midi

from tonesmith import ConfigError
from tonesmith.cli import run
from tonesmith.corpus import Corpus
from tonesmith.corpus.checking import entropy
from tonesmith.corpus.families import families
from tonesmith.corpus.media import near_of
from tonesmith.dsp.resample import resampled
from tonesmith.score.score import Score

MOODS = ("happy", "sad", "calm")


def add(corpus, folder, numbers, changes=()):
    for number in numbers:
        write_midi(folder / MOODS[number % 3] / f"{number}.mid", melody(number))
    for number, up, bpm in changes:
        score = melody(number, up=up, bpm=bpm)
        write_midi(folder / MOODS[number % 3] / f"{number}_{up}_{bpm}.mid", score)
    corpus.add(folder)
    corpus.annotate("folders")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Thirty scores of three moods; of the first ten also a transposition, and another in another tempo."""
    path = tmp_path_factory.mktemp("made")
    with Corpus.new(path / "c") as corpus:
        changes = [(n, up, bpm) for n in range(10) for up, bpm in ((3, 120), (-2, 90))]
        add(corpus, path / "m", range(30), changes)
    return path / "c"


@pytest.fixture
def corpus(made, tmp_path):
    shutil.copytree(made, tmp_path / "c")
    with Corpus(tmp_path / "c") as opened:
        yield opened


def splits(corpus):
    return {item.id: item.split for item in corpus}


def test_near_duplicates_are_what_is_transposed_faster_louder_or_a_little_off():
    notes = [(i / 2, 0.5, 50 + 7 * i % 12, 90) for i in range(12)]
    first = near_of(Score.of(notes))
    assert len(first) == 32
    assert near_of(Score.of([(on + 0.02, long, pitch + 5, 60) for on, long, pitch, _ in notes], bpm=77)) == first
    other = [*notes[:-1], (*notes[-1][:2], notes[-1][2] + 1, 90)]
    assert near_of(Score.of(other)) != first
    assert near_of(Score.of([(2 * on, long, pitch, 90) for on, long, pitch, _ in notes])) != first
    assert near_of(Score.of(notes[:7])) == "", "few notes agree by chance"
    drums = [near_of(Score.of([(i, 1, 36 + up, 90) for i in range(9)], drums=True)) for up in (0, 2)]
    assert drums[0] != drums[1], "drums are never transposed"


def test_families_stay_together_and_classes_keep_their_shares(corpus):
    division = corpus.split()
    kin, inside = families(corpus.connection), splits(corpus)
    assert len(set(kin.values())) == 30
    assert len({(family, inside[item]) for item, family in kin.items()}) == 30
    assert sum(part["items"] for part in division.splits.values()) == 50
    assert division.splits["train"]["items"] == pytest.approx(35, abs=2)
    for part in division.splits.values():
        assert set(part["classes"]) == set(MOODS)
    written = [(corpus.path / f"splits/{name}.txt").read_text().split() for name in ("train", "val", "test")]
    assert sorted(item for part in written for item in part) == corpus.find()


def test_children_stay_with_their_parents_even_one_that_is_not_there(corpus):
    with corpus.change() as connection:
        first, second, third, *_ = corpus.find()
        connection.executemany("INSERT INTO parents VALUES (?, ?)", [(second, first), (third, "gone"), (first, "gone")])
    corpus.split()
    assert len({splits(corpus)[item] for item in (first, second, third)}) == 1
    assert corpus.check().leaks == 0


def test_a_corpus_that_grows_keeps_what_is_divided(corpus, tmp_path):
    corpus.split()
    before = splits(corpus)
    add(corpus, tmp_path / "more", range(30, 60), [(1, 5, 120)])
    division = corpus.split()
    after = splits(corpus)
    assert {item: after[item] for item in before} == before
    assert (division.added, division.moved) == (31, 0)
    new = next(item for item in after if item.startswith("1_5_120"))
    kin = families(corpus.connection)
    assert {after[item] for item in kin if kin[item] == kin[new]} == {after[new]}
    assert Counter(after.values())["train"] == pytest.approx(0.7 * 81, abs=2)
    assert corpus.split().added == 0


def test_a_family_that_was_parted_is_put_together_and_said(corpus):
    corpus.split()
    kin, inside = families(corpus.connection), splits(corpus)
    family = next(f for f, count in Counter(kin.values()).items() if count == 3 and inside[f] == "train")
    members = [item for item in kin if kin[item] == family]
    with corpus.change() as connection:
        connection.execute("UPDATE splits SET split = 'test' WHERE item = ?", (members[0],))
    found = corpus.check()
    assert found.leaks == 1
    assert f"{family} and its kin are in test and train" in found.faults
    assert corpus.split().moved == 1
    assert splits(corpus) == inside
    assert corpus.check().leaks == 0


@pytest.fixture
def recordings(tmp_path):
    """A corpus of 12 recordings, and of 12 of the same at another rate and gain."""
    generator = np.random.default_rng(5)
    for number in range(12):
        sound = np.cumsum(generator.normal(size=(1, 4000)), axis=1) * np.hanning(4000)
        sound = (0.5 * sound / np.abs(sound).max()).astype(np.float32)
        write_audio(tmp_path / "m" / f"a{number}.wav", sound, 8000)
        write_audio(tmp_path / "m" / f"b{number}.wav", -0.3 * resampled(sound, 8000, 11025), 11025)
    with Corpus.new(tmp_path / "c") as made:
        made.add(tmp_path / "m")
        yield made


def twins_parted(corpus):
    inside = splits(corpus)
    twins = Counter(item.split("-")[0][1:] + inside[item] for item in inside)
    return sum(count == 1 for count in twins.values()) // 2


def test_recordings_that_sound_alike_stay_together(recordings):
    first = recordings.split(dry_run=True)
    assert [part["families"] for part in first.splits.values()] == [8, 2, 2], "a dry run hears them too"
    assert recordings.connection.execute("SELECT count(*) FROM heard").fetchone() == (0,), "and stores nothing"
    assert recordings.split().splits == first.splits
    assert twins_parted(recordings) == 0
    assert recordings.check().leaks == 0
    with recordings.change() as connection:
        connection.execute("UPDATE splits SET split = 'test' WHERE item GLOB 'a*'")
    assert recordings.check().leaks == 10, "what was heard is known from then on"


def test_recordings_need_not_be_heard(recordings, capsys):
    assert run(["corpus", "split", str(recordings.path), "--no-listen", "--json"]) == 0
    assert sum(part["families"] for part in json.loads(capsys.readouterr().out)["splits"].values()) == 24
    assert twins_parted(recordings) > 0
    next((recordings.path / "raw" / "audio").glob("a3-*")).write_bytes(b"damaged")
    assert run(["corpus", "split", str(recordings.path), "--again", "--json"]) == 0
    assert sum(part["families"] for part in json.loads(capsys.readouterr().out)["splits"].values()) == 13


def test_other_settings_are_refused_until_all_is_divided_again(corpus):
    first = corpus.split(seed=1)
    with pytest.raises(ConfigError, match=r"other settings: train 0.7, val 0.15, test 0.15, by emotion, seed 1"):
        corpus.split(seed=2)
    with pytest.raises(ConfigError, match="their sum 1"):
        corpus.split({"train": 0.5, "val": 0.1, "test": 0.1}, again=True)
    before = splits(corpus)
    assert corpus.split(again=True).splits == first.splits, "the same seed gives the same"
    assert splits(corpus) == before
    corpus.split(seed=2, again=True)
    assert splits(corpus) != before


def test_one_class_and_five_files_can_be_divided(tmp_path):
    with Corpus.new(tmp_path / "c") as corpus:
        add(corpus, tmp_path / "m", range(0, 15, 3))
        division = corpus.split()
    assert [part["items"] for part in division.splits.values()] == [3, 1, 1]


def test_balance_counts_a_class_that_is_absent_as_none(corpus):
    found = corpus.check()
    assert found.balance == 0.0
    assert found.classes["happy"] + found.classes["sad"] + found.classes["calm"] == 50
    assert found.missing["angry"] == 500
    assert found.missing["happy"] == 500 - found.classes["happy"]
    assert "500 more angry" in found.next[0]


def test_entropy_is_that_of_equal_counts_at_most():
    assert entropy([3, 3, 3, 3], 4) == 1.0
    assert entropy([3, 3, 0, 0], 4) == 0.5
    assert entropy([7], 24) == 0.0


def test_diversity_is_of_what_is_known(corpus):
    first, second, *_ = corpus.find()
    assert corpus.check().diversity == {}
    for item, key in ((first, "C"), (second, "D")):
        corpus.label(item, key=key, mode="major", tempo_bpm=100)
    found = corpus.check().diversity
    assert found["mode"] == found["tempo"] == 0.0
    assert found["key"] == pytest.approx(1 / 4.585, abs=1e-3)
    assert found["mean"] == pytest.approx(found["key"] / 3)


def test_files_that_are_not_as_they_were_added_are_found(corpus):
    first, second, third, *_ = corpus.find()
    (corpus.path / corpus[first].path).unlink()
    path = corpus.path / corpus[second].path
    path.write_bytes(path.read_bytes() + b"x")
    same = corpus.path / corpus[third].path
    same.write_bytes(same.read_bytes()[:-1] + b"x")
    write_midi(corpus.path / "raw/midi/stray.mid", melody(99))
    quick, deep = corpus.check(), corpus.check(deep=True)
    assert quick.quality["opens"] == 48 / 50
    assert deep.quality["opens"] == 47 / 50
    assert sum("stray.mid is no item's" in fault for fault in quick.faults) == 1


def test_annotations_that_an_edited_profile_does_not_allow_are_found(corpus):
    corpus.label(corpus.find()[0], arousal=0.9)
    profile = corpus.path / "profile.toml"
    profile.write_text(profile.read_text() + '\n[labels.arousal]\nkind = "number"\nlow = 0\nhigh = 0.5\n')
    found = corpus.check()
    assert found.quality["in_range"] == 49 / 50
    assert any("arousal: 0.9 is not allowed. Expected a number from 0 to 0.5" in fault for fault in found.faults)


def test_stats_count_media_labels_sources_and_disagreement(corpus):
    item = corpus.find(emotion="happy")[0]
    corpus.label(item, emotion="sad", valence=-0.5)
    found = corpus.stats()
    assert found.items == found.media["score"]["items"] == 50
    assert found.labels["emotion"]["sources"] == {"folders": 50, "person": 1}
    assert found.labels["emotion"]["disagree"] == 1
    assert found.labels["emotion"]["values"]["sad"] == len(corpus.find(emotion="sad"))
    assert found.labels["valence"]["mean"] == -0.5


def test_the_commands_say_it_and_their_status_is_for_scripts(made, tmp_path, capsys):
    path = str(shutil.copytree(made, tmp_path / "c"))
    assert run(["corpus", "split", path, "--dry-run"]) == 0
    assert "50 items would be divided, by emotion, seed 0" in capsys.readouterr().out
    assert run(["corpus", "split", path, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["added"] == 50
    assert run(["corpus", "split", path, "--train", "0.5"]) == 2
    assert "divided with other settings" in capsys.readouterr().err
    assert run(["corpus", "stats", path]) == 0
    assert "splits test" in capsys.readouterr().out
    assert run(["corpus", "check", path, "-q"]) == 0
    assert "leaks      0" in capsys.readouterr().out
    shutil.rmtree(tmp_path / "c" / "raw")
    assert run(["corpus", "check", path, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["quality"]["opens"] == 0
