"""Annotators asked of a corpus: once each, and believed by who they are."""

from __future__ import annotations

import json
import shutil
from collections import Counter

import pytest
from support.corpora import melody, tone, write_audio, write_midi

from tonesmith import Annotation, PluginError
from tonesmith.annotators.folders import Folders
from tonesmith.cli import run
from tonesmith.corpus import Corpus, annotating
from tonesmith.corpus.printed import annotated_lines


@pytest.fixture(scope="module")
def added(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source") / "m"
    for number in range(6):
        write_midi(folder / ("happy", "sad", "other")[number % 3] / f"{number}.mid", melody(number, bpm=100))
    write_audio(folder / "sad" / "loop.wav", tone())
    path = tmp_path_factory.mktemp("made") / "c"
    with Corpus.new(path) as corpus:
        corpus.add(folder)
    return path


@pytest.fixture
def corpus(added, tmp_path):
    shutil.copytree(added, tmp_path / "c")
    with Corpus(tmp_path / "c") as opened:
        yield opened


def test_each_item_is_asked_of_once_and_again_after_a_change(corpus, monkeypatch):
    first = corpus.annotate("folders", "tempo")
    assert (first["folders"].items, first["folders"].said, first["folders"].silent) == (7, {"emotion": 5}, 2)
    assert first["tempo"].said == {"tempo_bpm": 6}
    again = corpus.annotate("folders", "tempo")
    assert [told.items for told in again.values()] == [0, 0]
    monkeypatch.setattr(Folders, "version", 2)
    monkeypatch.setattr(Folders, "annotate", lambda self, subject: [])
    assert corpus.annotate("folders")["folders"].items == 7
    assert corpus.find(emotion="sad") == [], "what an older version said is gone"


def test_a_file_is_read_once_for_all_annotators(corpus, monkeypatch):
    read = Counter()

    def counted(name):
        whole = getattr(annotating, name)

        def reading(path, *more):
            read[path.name] += 1
            return whole(path, *more)

        monkeypatch.setattr(annotating, name, reading)

    counted("read_score")
    counted("read_recording")
    assert {told.items for told in corpus.annotate("key", "tempo", "groove", "chords", "pulse").values()} == {7}
    assert read == dict.fromkeys((medium.path.rpartition("/")[2] for item in corpus for medium in item.media), 1)


def test_no_annotator_changes_a_recording_for_the_next(corpus, monkeypatch):
    def deafening(_, subject):
        if subject.recording:
            subject.recording.audio[:] = 0.0
        return []

    monkeypatch.setattr(Folders, "annotate", deafening)
    (refused,) = corpus.annotate("folders")["folders"].refused.values()
    assert refused.startswith("ValueError")


def test_every_annotation_has_source_version_and_confidence_and_is_written(corpus):
    corpus.annotate("folders")
    item = corpus.find(emotion="sad")[0]
    (annotation,) = corpus[item].annotations
    assert (annotation.source, annotation.version, annotation.confidence) == ("folders", "1", 0.9)
    assert (annotation.authority, annotation.by) == ("folder", "tonesmith")
    written = json.loads((corpus.path / "annotations/emotion.json").read_text())
    assert written[item]["sources"][0]["source"] == "folders"


def test_a_table_wins_over_folders_and_a_person_over_both(corpus, tmp_path):
    corpus.annotate("folders")
    item = corpus.find(emotion="sad")[0]
    (tmp_path / "t.csv").write_text(f"id,emotion\n{item},calm\n")
    corpus.annotate("table", options={"table": {"path": str(tmp_path / "t.csv")}})
    assert corpus[item].values["emotion"] == "calm"
    corpus.label(item, emotion="tense")
    assert corpus[item].values["emotion"] == "tense"
    assert [a.value for a in corpus[item].annotations] == ["tense", "calm", "sad"]
    (tmp_path / "t.csv").write_text(f"id,emotion\n{item},angry\n")
    told = corpus.annotate("table", options={"table": {"path": str(tmp_path / "t.csv")}})
    assert told["table"].said == {"emotion": 1}, "a table that changed is read again"
    assert [a.value for a in corpus[item].annotations] == ["tense", "angry", "sad"]


def test_what_the_profile_does_not_allow_and_what_fails_is_said_and_the_rest_goes_on(corpus, monkeypatch):
    def odd(self, subject):
        if subject.item.startswith("0"):
            raise RuntimeError("a bug")
        return [Annotation("valence", 7.0), Annotation("unknown_label", 1), Annotation("arousal", 0.5)]

    monkeypatch.setattr(Folders, "annotate", odd)
    told = corpus.annotate("folders")["folders"]
    assert sorted(set(told.refused.values())) == [
        "RuntimeError: a bug",
        "valence: 7.0 is not allowed. Expected a number from -1 to 1.",
    ]
    assert told.said == {"arousal": 6}
    assert told.unknown == {"unknown_label": 6}
    lines = "\n".join(annotated_lines(corpus.path, {"folders": told}, 7))
    assert f"could say unknown_label of 6. To keep it, add these labels to {corpus.path / 'profile.toml'}." in lines


def test_a_dry_run_stores_nothing(corpus):
    assert corpus.annotate("folders", dry_run=True)["folders"].said == {"emotion": 5}
    assert corpus.find(emotion="sad") == []
    assert corpus.annotate("folders")["folders"].items == 7


def test_the_command_tells_what_each_said(added, tmp_path, capsys):
    path = str(shutil.copytree(added, tmp_path / "c"))
    assert run(["corpus", "annotate", path, "--with", "folders,tempo", "-q"]) == 0
    assert "folders    7      0       2       emotion of 5" in capsys.readouterr().out
    assert run(["corpus", "annotate", path, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["annotators"]
    assert sorted(told) == ["chords", "dynamics", "folders", "groove", "key", "pulse", "tempo"]
    assert told["folders"]["done"] == 7
    assert run(["corpus", "annotate", path, "--with", "tabel"]) == 2
    assert "unknown annotator 'tabel'. Did you mean 'table'?" in capsys.readouterr().err
    with pytest.raises(PluginError), Corpus(path) as corpus:
        corpus.annotate(options={"tabel": {}})
