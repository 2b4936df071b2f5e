"""Features of a corpus: computed once of each item, kept with their definition, and made again bit for bit."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from support.corpora import melody, tone, write_audio, write_midi

from tonesmith import ConfigError, PluginError
from tonesmith.cli import run
from tonesmith.corpus import Corpus, CorpusError
from tonesmith.corpus.featuring import making
from tonesmith.features.groove import Groove
from tonesmith.features.notes import Notes
from tonesmith.score.metrics import pitches_of

FOLDER = "processed/features"


@pytest.fixture(scope="module")
def added(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source") / "m"
    for number in range(3):
        write_midi(folder / f"{number}.mid", melody(number, bpm=100))
    write_audio(folder / "0.wav", tone())
    write_audio(folder / "loop.wav", tone(hertz=300, seconds=0.5))
    path = tmp_path_factory.mktemp("made") / "c"
    with Corpus.new(path) as corpus:
        corpus.add(folder)
    return path


@pytest.fixture
def corpus(added, tmp_path):
    shutil.copytree(added, tmp_path / "c")
    with Corpus(tmp_path / "c") as opened:
        yield opened


def contents(corpus):
    root = corpus.path / FOLDER
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def numbers(made):
    return {name: (one.items, one.done, one.without) for name, one in made.items()}


def test_scores_and_recordings_have_features_of_their_own(corpus):
    assert numbers(corpus.features("notes", "mel")) == {"notes": (3, 0, 1), "mel": (2, 0, 2)}
    (item,) = [item for item in corpus if len(item.media) == 2]
    found = corpus.features_of(item.id)
    assert found["notes.pitch_range"] == pitches_of(melody(0, bpm=100)).span
    assert found["mel"].dtype == np.float32
    assert found["mel"].shape[0] == 128


def test_what_is_there_is_left_alone_until_options_version_or_file_change(corpus, monkeypatch):
    corpus.features("notes", "groove")
    before = contents(corpus)
    assert numbers(corpus.features("notes", "groove")) == {"notes": (0, 3, 1), "groove": (0, 3, 1)}
    monkeypatch.setattr(Groove, "score_definition", lambda self: {"version": 2})
    assert numbers(corpus.features()) == {"groove": (3, 0, 1), "notes": (0, 3, 1)}
    monkeypatch.undo()
    corpus.features()
    assert contents(corpus) == before
    assert numbers(corpus.features("mel", options={"mel": {"bands": 20}})) == {"mel": (2, 0, 2)}
    assert numbers(corpus.features("mel")) == {"mel": (0, 2, 2)}  # with the options of the last time
    assert numbers(corpus.features("mel", seconds=0.3)) == {"mel": (2, 0, 2)}
    assert corpus.features("mel")["mel"].cut == 1


def test_a_file_that_is_lost_is_made_again_and_one_that_is_damaged_is_told(corpus):
    corpus.features("notes", "mel")
    before = contents(corpus)
    (corpus.path / FOLDER / next(name for name in before if name.startswith("notes/"))).unlink()
    assert corpus.features("notes")["notes"].items == 1
    name = next(name for name in before if name.endswith(".npz"))
    path = corpus.path / FOLDER / name
    path.write_bytes(bytes(len(before[name])))
    with pytest.raises(CorpusError, match="--again"):
        corpus.features_of(path.stem)
    assert corpus.features(again=True)["mel"].changed == []
    assert contents(corpus) == before


def test_the_definition_lies_beside_the_values_and_in_the_truth(corpus):
    corpus.features("mel", "notes")
    (told,) = corpus.known_features()["mel"]["definitions"].values()
    assert (told["options"]["bands"], told["definition"]["version"], told["seconds"]) == (128, 1, 300.0)
    item = json.loads(next((corpus.path / FOLDER / "notes").glob("*.json")).read_text())
    beside = json.loads((corpus.path / FOLDER / "definitions" / f"{item['definition']}.json").read_text())
    assert beside == next(iter(corpus.known_features()["notes"]["definitions"].values()))


def test_one_that_fails_is_told_and_the_others_go_on(corpus, monkeypatch, capsys):
    monkeypatch.setattr(Notes, "compute_score", lambda self, score: 1 / 0)
    (path,) = corpus.path.glob("raw/midi/1-*.mid")
    path.unlink()
    assert run(["corpus", "features", str(corpus.path), "--add", "notes,harmony", "-q", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)["features"]
    assert told["harmony"]["items"] == 2
    lost = f"raw/midi/{path.name} is missing: copy the original there."
    assert list(told["harmony"]["refused"].values()) == [lost]
    assert set(told["notes"]["refused"].values()) >= {
        "the feature 'notes' failed: ZeroDivisionError: division by zero."
    }


def test_values_that_change_though_nothing_else_did_are_told(corpus, monkeypatch, capsys):
    corpus.features("notes")
    real = Notes.compute_score
    monkeypatch.setattr(Notes, "compute_score", lambda self, s: real(self, s) | {"count": np.float32(7)})
    assert run(["corpus", "features", str(corpus.path), "--again", "-q"]) == 1
    assert "notes: 3 items differ from what was there" in capsys.readouterr().out


def test_features_that_cannot_be_computed_are_refused_before_anything_is_written(corpus):
    for names, options in ((["nots"], {}), (["mel"], {"mel": {"bands": 0}}), (["notes"], {"mel": {}})):
        with pytest.raises((PluginError, ConfigError)):
            corpus.features(*names, options=options)
    assert contents(corpus) == {}


def test_a_feature_that_is_removed_takes_its_files_along(corpus):
    corpus.features("notes", "mel")
    (corpus.path / FOLDER / "mel" / ".x.npz.new").write_bytes(b"left by a kill")
    assert corpus.remove_features("notes") == {"notes": 3}
    assert {name.partition("/")[0] for name in contents(corpus)} == {"definitions", "mel"}
    assert not list((corpus.path / FOLDER / "mel").glob(".*"))
    assert list(corpus.features()) == ["mel"]


@pytest.mark.parametrize("step", ["write_definitions", "sweep", "forget"])
def test_the_same_command_finishes_a_removal_that_was_interrupted(corpus, monkeypatch, step):
    corpus.features("notes", "mel")
    with monkeypatch.context() as patched:
        patched.setattr(making, step, lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            corpus.remove_features("notes")
    assert list(corpus.known_features()) == ["mel"]
    corpus.remove_features("notes")
    assert {name.partition("/")[0] for name in contents(corpus)} == {"definitions", "mel"}
    assert list(corpus.features()) == ["mel"]
    with pytest.raises(ConfigError, match="unknown feature of the corpus 'notes'"):
        corpus.remove_features("notes")


def test_a_dry_run_writes_nothing(corpus):
    assert corpus.features("notes", dry_run=True)["notes"].items == 3
    assert contents(corpus) == {}
    assert corpus.known_features() == {}


@pytest.mark.long
def test_processes_make_what_one_makes(corpus, tmp_path):
    shutil.copytree(corpus.path, tmp_path / "other")
    corpus.features("notes", "stats")
    with Corpus(tmp_path / "other") as other:
        other.features("notes", "stats", workers=2)
        assert contents(other) == contents(corpus)


FATAL = """
import os, signal
import numpy as np
from tonesmith import FeatureArray, Options, ScoreFeature, hookimpl

class Fatal(ScoreFeature[Options]):
    name, summary, Options = "fatal", "kills its process at some scores", Options

    def score_arrays(self):
        return (FeatureArray("fatal", (), (), "1", "nothing"),)

    def score_definition(self):
        return {"version": 1}

    def compute_score(self, score):
        if score.notes["pitch"][0] == 99:
            os.kill(os.getpid(), signal.SIGKILL)
        return {"fatal": np.float32(1)}

@hookimpl
def tonesmith_features():
    return [Fatal]
"""


@pytest.mark.long
def test_an_item_at_which_a_process_dies_is_told_and_the_others_go_on(added, project):
    there = project({"mine.py": FATAL}, ["mine"])
    shutil.copytree(added, there.folder / "c")
    write_midi(there.folder / "bad.mid", melody(9, up=99 - int(melody(9).notes["pitch"][0])))
    assert there.run("corpus", "add", "c", "bad.mid", "-q").status == 0
    done = there.run("corpus", "features", "c", "--add", "fatal", "-q", "--json")
    assert done.status == 1, done.stderr
    told = json.loads(done.stdout)["features"]["fatal"]
    assert told["items"] == 3
    assert list(told["refused"].values()) == ["its process ended: killed by SIGKILL"]


@pytest.mark.long
def test_interrupted_it_goes_on_where_it_was(added, tmp_path):
    whole = shutil.copytree(added, tmp_path / "whole" / "c")
    for number in range(30):
        write_audio(tmp_path / "m" / f"{number}.wav", tone(hertz=100 + number, seconds=20.0))
    with Corpus(whole) as corpus:
        corpus.add(tmp_path / "m")
    path = shutil.copytree(whole, tmp_path / "c")
    command = [sys.executable, "-m", "tonesmith", "corpus", "features", str(path), "--add", "f0", "-q", "-j", "2"]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while child.poll() is None and len(list((path / FOLDER).glob("f0/*.json"))) < 4:
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=60)
    assert (child.returncode, "interrupted" in said) == (130, True), said
    with Corpus(path) as cut, Corpus(whole) as corpus:
        had = cut.known_features()["f0"]["items"]
        assert 0 < had < 32
        assert cut.features()["f0"].items == 32 - had
        corpus.features("f0")
        assert contents(cut) == contents(corpus)
