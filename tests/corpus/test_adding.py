"""Files that become items: pairs, duplicates, what is refused, and what a kill leaves."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile

import pytest
from support.corpora import melody, music, tone, write_audio, write_midi

from tonesmith import ConfigError
from tonesmith.cli import run
from tonesmith.corpus import Corpus
from tonesmith.corpus.repairing import repair


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return music(tmp_path_factory.mktemp("source") / "music")


@pytest.fixture(scope="module")
def made(folder, tmp_path_factory):
    with Corpus.new(tmp_path_factory.mktemp("made") / "c") as corpus:
        corpus.result = corpus.add(folder)
        yield corpus


@pytest.fixture
def empty(tmp_path):
    with Corpus.new(tmp_path / "c") as corpus:
        yield corpus


def check_files(corpus):
    """Every file of an item is whole, and every whole file is an item's."""
    known = {medium.path: medium for item in corpus for medium in item.media}
    for path, medium in known.items():
        content = (corpus.path / path).read_bytes()
        assert hashlib.sha256(content).hexdigest() == medium.sha256, path
        assert medium.sha256[:8] in path
    return known


def test_originals_are_copied_byte_for_byte_and_named_with_their_hash(made, folder):
    known = check_files(made)
    assert len(known) == 7
    originals = {path.read_bytes() for path in folder.rglob("song*")}
    assert {(made.path / path).read_bytes() for path in known} == originals


def test_a_score_and_a_recording_of_one_name_are_one_item(made):
    (item,) = [item for item in made if len(item.media) == 2]
    assert [medium.kind for medium in item.media] == ["score", "audio"]
    assert item.media[1].facts["sample_rate"] == 8000
    assert item.path.startswith("raw/midi/song1-")
    assert len(made) == len(made.result.items) == 6


def test_what_cannot_be_taken_is_said_with_its_reason(made):
    assert made.result.refused == {
        "music/link.mid": "is a link",
        "music/broken.mid": "cannot be read as MIDI: it is not a MIDI file: it has no header",
        "music/cut.wav": made.result.refused["music/cut.wav"],
        "music/empty.mid": "has no notes",
        "music/sad/silent.wav": "is silent",
    }
    assert made.result.refused["music/cut.wav"].startswith("cannot be read as audio: ")
    assert made.result.others == 1


def test_the_same_notes_are_kept_once_and_said(made, empty, tmp_path):
    (name, item), *_ = made.result.duplicates.items()
    assert name == "music/sad/copy.mid"
    assert made[item].path.startswith("raw/midi/song0-")
    first = write_midi(tmp_path / "one.mid", melody(1))
    other = tmp_path / "two.mid"
    other.write_bytes(b"junk" + first.read_bytes())  # other bytes, which say the same
    write_audio(tmp_path / "one.wav", tone(300))
    write_audio(tmp_path / "again.flac", tone(300))
    assert len(empty.add(first, tmp_path / "one.wav").items) == 2
    told = empty.add(other, tmp_path / "again.flac")
    assert sorted(told.duplicates) == ["again.flac", "two.mid"]
    assert len(empty) == 2


def test_adding_again_changes_nothing(made, folder):
    before = {path: path.stat().st_mtime_ns for path in made.path.rglob("*") if path.suffix in {".json", ".mid"}}
    again = made.add(folder)
    assert (again.items, again.duplicates, again.known) == ([], {}, 8)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_recording_that_comes_later_completes_its_item(empty, tmp_path):
    for number in (1, 2):
        write_midi(tmp_path / f"midi/{number}.mid", melody(number))
        write_audio(tmp_path / f"audio/{number}.wav", tone(100 * number))
    (first,) = empty.add(tmp_path / "midi" / "1.mid").items
    told = empty.add(tmp_path / "midi", tmp_path / "audio")
    assert len(empty) == 4, "what lies in two sources is no pair"
    shutil.rmtree(empty.path)
    with Corpus.new(empty.path) as again:
        both = tmp_path / "both"
        shutil.copytree(tmp_path / "midi", both / "midi")
        again.add(both)
        shutil.copytree(tmp_path / "audio", both / "audio")
        told = again.add(both)
        assert (len(told.completed), told.items, len(again)) == (2, [], 2)
        assert first in told.completed


def test_files_of_one_stem_in_folders_that_differ_are_no_pair(empty, tmp_path):
    write_midi(tmp_path / "m/drums/01.mid", melody(1))
    write_audio(tmp_path / "m/vocals/01.wav", tone())
    assert len(empty.add(tmp_path / "m").items) == 2


def test_links_stay_links_and_are_said_when_wanted(empty, folder):
    empty.add(folder / "happy", link=True)
    known = check_files(empty)
    assert all((empty.path / path).is_symlink() for path in known)
    assert all(medium.linked for medium in known.values())


def test_an_archive_is_added_like_a_folder_and_leaves_nothing(empty, folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        for path in folder.rglob("song*"):
            archive.write(path, f"music/{path.relative_to(folder)}")
    assert len(empty.add(tmp_path / "m.zip").items) == 6
    assert len(check_files(empty)) == 7
    assert not list(empty.path.glob(".*"))


def test_a_manifest_brings_everything_back(made, tmp_path):
    item = made.find()[0]
    made.label(item, by="anna", emotion="sad", tempo_bpm=90.5, is_verified=True, chord_progression="I V vi IV")
    made.write()
    with Corpus.new(tmp_path / "again") as again:
        again.add(made.path)
        for name in ("manifest.json", "annotations/emotion.json", "annotations/chord_progression.json"):
            first = json.loads((made.path / name).read_text()), json.loads((again.path / name).read_text())
            for data in first:
                data.pop("name", None)
            assert first[0] == first[1], name
        assert again[item].annotations == made[item].annotations


def test_a_foreign_manifest_is_taken_as_far_as_the_profile_allows(empty, tmp_path):
    write_midi(tmp_path / "m" / "one.mid", melody(1))
    said = {"emotion": "Happy", "valence": 7, "loudness": 3, "notes": None, "key": "F#"}
    sample = {"sample_id": "one", "file_path": "one.mid", "annotations": said}
    (tmp_path / "m" / "manifest.json").write_text(json.dumps([sample]))
    told = empty.add(tmp_path / "m" / "manifest.json")
    assert told.items == ["one"]
    assert empty["one"].values == {"emotion": "happy", "key": "Gb"}
    assert [line.partition(":")[0] for line in told.remarks["one.mid"]] == ["not taken", "not taken"]


def test_a_strange_name_is_stored_and_stays_in_its_folder(empty, tmp_path):
    folder = tmp_path / "m"
    names = [b"a\xffb.mid", "\u96ea\n;'--.mid".encode(), b"-rf.mid", b"." * 3 + b"x.mid", b"x" * 240 + b".mid"]
    for number, name in enumerate(names):
        write_midi(folder / os.fsdecode(name), melody(number))
    told = empty.add(folder)
    assert len(told.items) == len(names) - 1, "a hidden one is left out"
    assert len(check_files(empty)) == len(names) - 1


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("nowhere", "nowhere does not exist"),
        ("c", "is the corpus itself, or lies in it"),
        ("pipe", "no importer takes"),
    ],
)
def test_a_source_that_is_none_is_refused_before_anything_is_added(empty, folder, tmp_path, source, said):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match=said):
        empty.add(folder, tmp_path / source)
    assert len(empty) == 0


def test_a_dry_run_says_what_would_be_and_does_nothing(empty, folder):
    before = sorted(empty.path.rglob("*"))
    assert len(empty.add(folder, dry_run=True).items) == 6
    assert len(empty) == 0
    assert sorted(empty.path.rglob("*")) == before


def test_the_command_says_what_was_done_and_fails_if_a_file_was_refused(tmp_path, folder, capsys):
    path = str(tmp_path / "c")
    assert run(["corpus", "new", path]) == 0
    assert run(["corpus", "add", path, str(folder), "-q"]) == 1
    said = capsys.readouterr().out
    assert "6 items added, 6 items in all" in said
    assert "music/sad/silent.wav: is silent" in said
    assert run(["corpus", "add", path, str(folder / "happy"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["known"] == 0
    assert run(["corpus", "add", path, str(folder), "--set", "archive.most_flies=3"]) == 2
    assert "Did you mean 'most_files'" in capsys.readouterr().err
    assert run(["corpus", "add", path, str(folder), "--set", "archiv.most_files=3"]) == 2
    assert "unknown importer 'archiv'" in capsys.readouterr().err
    assert run(["corpus", "add", path, str(folder), "--set", "most_files=3"]) == 2
    assert "is not NAME.OPTION=VALUE" in capsys.readouterr().err


@pytest.mark.parametrize("source", ["backup", "files"])
def test_a_damaged_corpus_is_repaired_from_its_backup_or_its_files(made, folder, tmp_path, source, capsys):
    path = tmp_path / "c"
    made.label(made.find()[0], emotion="calm")
    made.write()
    shutil.copytree(made.path, path)
    before = (path / "manifest.json").read_bytes(), (path / "annotations/emotion.json").read_bytes()
    (path / "corpus.sqlite").write_bytes(b"broken" * 999)
    if source == "files":
        (path / "corpus.backup.sqlite").write_bytes(b"")
        (path / "corpus.toml").unlink()
    assert run(["corpus", "repair", str(path), "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["source"] == source
    done = repair(path)
    assert (done.source, done.items, done.adopted, done.refused) == (source, 6, 0, {})
    assert (path / "corpus.damaged-1.sqlite").read_bytes() == b"broken" * 999
    assert ((path / "manifest.json").read_bytes(), (path / "annotations/emotion.json").read_bytes()) == before
    assert repair(path).source == "whole"


def test_files_that_no_item_has_become_items_again(made, tmp_path):
    path = tmp_path / "c"
    shutil.copytree(made.path, path)
    with Corpus(path) as corpus, corpus.change() as connection:
        connection.execute("DELETE FROM items WHERE id LIKE 'song2-%'")
    assert repair(path).adopted == 2
    with Corpus(path) as corpus:
        assert corpus.find() == made.find()
