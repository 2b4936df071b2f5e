"""What is faulty is found, moved out with its reason, and brought back; what is not is left alone."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import signal
import time

import numpy as np
import pytest
from support.corpora import melody, tone, write_audio, write_midi

from tonesmith import ConfigError
from tonesmith.cli import run
from tonesmith.corpus import Corpus
from tonesmith.corpus.cleaning.faults import Fault
from tonesmith.corpus.cleaning.limits import Limits
from tonesmith.corpus.cleaning.near import near_pictures
from tonesmith.corpus.cleaning.removal import take_out
from tonesmith.corpus.repairing import repair
from tonesmith.dsp.resample import resampled
from tonesmith.score.score import Score
from tonesmith.score.writer import midi_of

RATE = 22050


def struck(seed, seconds=0.6, rate=RATE):
    """Return one of the takes of a drum: the same partials, struck anew."""
    random_ = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    partials = [(110, 1.0), (253, 0.6), (447, 0.5), (1130, 0.3), (2410, 0.2)]
    sound = sum(
        level * random_.uniform(0.5, 1) * np.sin(2 * np.pi * hz * t + random_.uniform(0, 6)) * np.exp(-t * hz / 80)
        for hz, level in partials
    )
    sound += 0.4 * random_.normal(size=t.size) * np.exp(-t * 30)
    return (0.25 * sound)[None].astype(np.float32)


def encoded(path, audio, rate=RATE, **options):
    from pedalboard.io import AudioFile

    with AudioFile(str(path), "w", rate, len(audio), **options) as file:
        file.write(audio)


def folder_of(folder):
    """Write sounds and scores with known faults, others without, and one sound in many forms."""
    folder.mkdir()
    good = struck(1)
    write_audio(folder / "good.wav", good, RATE)
    for take in range(2, 5):
        write_audio(folder / f"take{take}.wav", struck(take), RATE)
    encoded(folder / "as_mp3.mp3", resampled(good, RATE, 44100), 44100, quality=96)
    encoded(folder / "as_ogg.ogg", resampled(good, RATE, 44100), 44100, quality="96 kbps")
    write_audio(folder / "quieter.wav", -0.1 * good, RATE)
    write_audio(folder / "resampled.wav", resampled(good, RATE, 16000), 16000)
    write_audio(folder / "later.wav", np.pad(good, ((0, 0), (700, 0))), RATE)
    write_audio(folder / "hum.wav", 0.0005 * tone(50, 0.5, RATE) / 0.3, RATE)
    write_audio(folder / "clipped.wav", np.clip(9 * tone(311, 0.4, RATE), -1, 1), RATE)
    write_audio(folder / "loud.wav", 0.999 * tone(200, 0.5, RATE) / 0.3, RATE)
    write_audio(folder / "offset.wav", tone(500, 0.5, RATE) + 0.05, RATE)
    write_audio(folder / "blip.wav", tone(700, 0.02, RATE), RATE)
    write_midi(folder / "song.mid", melody(1))
    write_midi(folder / "drone.mid", Score.of([(0, 400, 60, 90), (1, 1, 64, 90)]))
    (folder / "stuck.mid").write_bytes(unreleased(midi_of(melody(2))))
    return folder


def unreleased(content):
    """Return a MIDI file to which a note is added that nothing ends."""
    end = content.rindex(b"\xff\x2f\x00")
    head = content.rindex(b"MTrk")
    length = int.from_bytes(content[head + 4 : head + 8], "big") + 4
    return (
        content[: head + 4] + length.to_bytes(4, "big") + content[head + 8 : end] + b"\x90\x20\x40\x00" + content[end:]
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("sanitise")
    with Corpus.new(path / "c") as corpus:
        corpus.add(folder_of(path / "m"))
        corpus.split(listen=False)
    return path / "c"


@pytest.fixture
def corpus(made, tmp_path):
    shutil.copytree(made, tmp_path / "c")
    with Corpus(tmp_path / "c") as opened:
        yield opened


def stem(item):
    return item.rsplit("-", 1)[0]


def files(corpus):
    return {str(path.relative_to(corpus.path)) for path in corpus.path.glob("r*/**/*.*") if path.suffix != ".json"}


def test_each_fault_is_found_with_its_reason_and_other_takes_are_no_duplicates(corpus):
    before = files(corpus)
    done = corpus.sanitise()
    assert {stem(item): fault.reason for item, fault in done.removed.items()} == {
        **dict.fromkeys(("as_ogg", "quieter", "later", "resampled", "good"), "duplicates"),
        "hum": "silence",
        "clipped": "clipping",
        "offset": "dc",
        "blip": "length",
        "drone": "notes",
        "stuck": "notes",
    }
    left = {stem(item.id) for item in corpus}
    assert left == {"take2", "take3", "take4", "loud", "song", "as_mp3"}, "the finest of one sound stays"
    assert len(files(corpus)) == len(before)
    told = json.loads((corpus.path / "removed/removed.json").read_text())
    assert {one["item"] for one in told} == set(done.removed)
    assert all((corpus.path / file).is_file() for one in told for file in one["files"])
    samples = json.loads((corpus.path / "manifest.json").read_text())["samples"]
    assert {one["sample_id"] for one in samples} == {item.id for item in corpus}
    listed = "".join((corpus.path / f"splits/{name}.txt").read_text() for name in ("train", "val", "test")).split()
    assert sorted(listed) == corpus.find()
    assert not corpus.check().structure


def test_a_repeat_measures_nothing_and_removed_files_are_not_added_again(corpus, made):
    assert corpus.sanitise().measured == 17
    assert corpus.sanitise().measured == 0
    again = corpus.add(made.parent / "m")
    assert again.items == []
    assert len(again.removed) == 11


@pytest.mark.parametrize(("spread", "kinds"), [(20, 90), (35, 3), (8, 1)])
@pytest.mark.parametrize("lengths", [0.0, 20.0])
def test_near_pictures_are_those_that_a_comparison_one_by_one_finds(spread, kinds, lengths):
    """More than a block of rows and of columns, with equal pictures, and ties among the nearest."""
    drawn = np.random.default_rng(kinds)
    base = drawn.integers(0, 256, (kinds, 144))[drawn.integers(0, kinds, 2200)]
    pictures = np.clip(base + drawn.normal(0, spread, base.shape), 0, 255).astype(np.uint8)
    pictures[::7] = pictures[0]
    seconds = np.sort(drawn.uniform(0, lengths, len(pictures)))
    ends = np.searchsorted(seconds, seconds * 1.02 + 0.25, side="right")
    expected = []
    for place, end in enumerate(ends.tolist()):
        apart = np.abs(pictures[place + 1 : end].astype(int) - pictures[place]).mean(axis=1)
        near = np.flatnonzero(apart <= 29.75)
        if nearest := (place + 1 + near[np.argsort(apart[near], kind="stable")][:8]).tolist():
            expected.append((place, nearest))
    assert len(expected) > 200
    assert list(near_pictures(pictures, ends, 29.75, 8)) == expected


def test_black_and_white_pictures_are_as_far_apart_as_can_be():
    pictures = np.repeat(np.array([[0], [255]], np.uint8), 144, axis=1)
    ends = np.array([2, 2])
    assert list(near_pictures(pictures, ends, 254.9, 8)) == []
    assert list(near_pictures(pictures, ends, 255.0, 8)) == [(0, [1])]


def test_limits_are_ones_own(corpus):
    limits = Limits(rates=(22050,), silence=-80, dc=0.1, clipping=1, shortest=0.01, stuck=1000)
    done = corpus.sanitise("rate", "silence", "dc", "clipping", "length", "notes", limits=limits, dry_run=True)
    assert {stem(item): fault.reason for item, fault in done.removed.items()} == {
        **dict.fromkeys(("as_mp3", "as_ogg", "resampled"), "rate"),
        "stuck": "notes",
    }
    assert len(corpus.removed()) == 0


def test_what_is_restored_is_as_it_was_and_is_kept(corpus):
    item = next(one.id for one in corpus if one.id.startswith("clipped"))
    corpus.label(item, emotion="sad")
    before, bytes_ = corpus[item], (corpus.path / corpus[item].path).read_bytes()
    corpus.sanitise("clipping")
    assert item not in corpus.find()
    assert corpus.restore(item) == [item]
    assert corpus[item] == before
    assert (corpus.path / before.path).read_bytes() == bytes_
    assert corpus.sanitise("clipping").kept == 1
    assert item in corpus.find()
    with pytest.raises(ConfigError, match="unknown removed item"):
        corpus.restore(item)


def test_children_go_with_their_parent_and_come_back_with_it(corpus):
    names = {stem(item.id): item.id for item in corpus}
    with corpus.change() as connection:
        connection.execute("INSERT INTO parents VALUES (?, ?)", (names["take2"], names["offset"]))
        for form in ("as_ogg", "quieter", "later", "resampled", "as_mp3"):
            connection.execute("INSERT INTO parents VALUES (?, ?)", (names[form], names["good"]))
    done = corpus.sanitise("dc", "duplicates")
    assert len(done.removed) == 2, "a child that sounds like its parent is no duplicate"
    assert done.removed[names["take2"]].reason == "parent"
    assert done.removed[names["take2"]].head == names["offset"]
    with pytest.raises(ConfigError, match=f"--restore {names['offset']}"):
        corpus.restore(names["take2"])
    assert set(corpus.restore(names["offset"])) == {names["take2"], names["offset"]}
    assert corpus[names["take2"]].parent == names["offset"]


def test_a_child_that_was_removed_is_not_made_again(corpus):
    song = next(item.id for item in corpus if item.id.startswith("song"))
    (child,) = corpus.augment("transpose", n=1, items=[song]).items
    with corpus.change() as connection:
        take_out(connection, child, Fault("length", "is too long", child))
    again = corpus.augment("transpose", n=1, items=[song])
    assert (again.items, list(again.duplicates.values())) == ([], [child])


def test_a_changed_file_is_corrupt_and_a_vanished_one_is_said_and_left(corpus):
    paths = {stem(item.id): corpus.path / item.path for item in corpus}
    paths["song"].write_bytes(b"junk")
    paths["loud"].unlink()
    done = corpus.sanitise("corrupt")
    assert [stem(item) for item in done.removed] == ["song"]
    assert list(done.missing) == [str(paths["loud"].relative_to(corpus.path))]


@pytest.mark.long
def test_commands_say_what_they_did_and_bad_limits_are_refused(corpus, capsys):
    path = str(corpus.path)
    assert run(["corpus", "sanitise", path, "--quiet", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["reasons"]["silence"], told["items"]) == (1, 6)
    assert run(["corpus", "sanitise", path, "--list"]) == 0
    assert "quieter than" not in (said := capsys.readouterr().out)
    assert "is silent: " in said
    assert run(["corpus", "sanitise", path, "--with", "silense"]) == 2
    assert "unknown check 'silense'. Did you mean 'silence'?" in capsys.readouterr().err
    assert run(["corpus", "sanitise", path, "--rate", "44k"]) == 2
    assert "--rate: '44k' is not a list of numbers" in capsys.readouterr().err
    assert run(["corpus", "sanitise", path, "--likeness", "2"]) == 2
    assert "Expected a number from 0.5 to 1" in capsys.readouterr().err


def test_a_backup_of_before_finds_its_files_again(corpus):
    corpus.back_up()
    backup = (corpus.path / "corpus.backup.sqlite").read_bytes()
    corpus.sanitise("dc")
    corpus.close()
    (corpus.path / "corpus.backup.sqlite").write_bytes(backup)
    (corpus.path / "corpus.sqlite").write_bytes(b"damaged")
    repair(corpus.path)
    with Corpus(corpus.path) as again:
        assert len(again) == 17
        assert not [fault for fault in again.check().structure if "cannot be read" in fault]


def _sanitise(path):
    with Corpus(path) as corpus:
        corpus.sanitise()
        for one in corpus.removed():
            if one["reason"] in {"dc", "silence"}:
                corpus.restore(one["item"])


@pytest.mark.long
@pytest.mark.parametrize("seed", range(30))
def test_killed_at_any_moment_nothing_is_lost_and_a_repeat_ends_the_same(made, tmp_path, seed):
    shutil.copytree(made, tmp_path / "c")
    child = multiprocessing.get_context("fork").Process(target=_sanitise, args=(tmp_path / "c",))
    child.start()
    time.sleep(random.Random(seed).uniform(0, 1.5))
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    _sanitise(tmp_path / "c")
    with Corpus(tmp_path / "c") as corpus:
        assert len(files(corpus)) == 17
        assert len(corpus) == 8
        assert len(corpus.removed()) == 9
        assert not corpus.check(deep=True).structure
        gone = [file for one in corpus.removed() for file in one["files"]]
        assert all((corpus.path / file).is_file() for file in gone)
