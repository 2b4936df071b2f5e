"""Every command killed at any moment: nothing that was done is lost, nothing half-made stays, and a repeat goes on."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import time

import pytest
from support import amounts
from support.corpora import melody, tone, write_audio, write_midi
from support.corpus_state import OUTSIDE, files, truth

from tonesmith import ConfigError
from tonesmith.corpus import Corpus, CorpusDamagedError
from tonesmith.corpus.adding import Adding
from tonesmith.corpus.derive.shelf import Shelf
from tonesmith.corpus.repairing import repair
from tonesmith.corpus.truth import database


def opened(path, verb):
    with Corpus(path) as corpus:
        verb(corpus)


COMMANDS = {
    "new": lambda path: Corpus.new(path, licence="CC0-1.0").close(),
    "add": lambda path: opened(path, lambda corpus: corpus.add(path.parent / "m")),
    "annotate": lambda path: opened(path, lambda corpus: corpus.annotate("folders", "tempo", "groove")),
    "label": lambda path: opened(path, lambda corpus: corpus.label(corpus.find()[0], by="anna", emotion="calm")),
    "features": lambda path: opened(
        path, lambda corpus: corpus.features("notes", "mel", options={"mel": {"bands": 8}})
    ),
    "features --again": lambda path: opened(path, lambda corpus: corpus.features(again=True)),
    "features --remove": lambda path: opened(path, _without_notes),
    "augment": lambda path: opened(path, lambda corpus: corpus.augment("transpose", "tempo", "gain", n=2)),
    "remake": lambda path: opened(path, Corpus.remake),
    "compose": lambda path: opened(path, lambda corpus: corpus.compose("melody", 4)),
    "split": lambda path: opened(path, lambda corpus: corpus.split()),
    "write": lambda path: opened(path, Corpus.write),
    "sanitise": lambda path: opened(path, lambda corpus: corpus.sanitise()),
    "restore": lambda path: opened(path, _all_restored),
    "repair": repair,
}
BEFORE = {
    "new": [],
    "add": ["new"],
    "annotate": ["new", "add"],
    "features --again": ["new", "add", "features"],
    "features --remove": ["new", "add", "features"],
    "remake": ["new", "add", "augment"],
    "restore": ["new", "add", "sanitise"],
    "repair": ["new", "add", "annotate", "split", "write"],
}
"""Command -> those that come first, without which it has nothing to do."""


def _without_notes(corpus):
    with contextlib.suppress(ConfigError):  # it was killed when all was done
        corpus.remove_features("notes")


def _all_restored(corpus):
    if gone := [one["item"] for one in corpus.removed() if one["item"] == one["head"]]:
        corpus.restore(*gone)
    corpus.write()


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """Return what gives the folder of a command's beginning: a corpus beside its sources."""
    root = tmp_path_factory.mktemp("killed")
    for number in range(5):
        write_midi(root / "m" / ("happy", "sad")[number % 2] / f"{number}.mid", melody(number, bpm=90 + number))
    write_audio(root / "m" / "sad" / "loop.wav", tone())
    write_audio(root / "m" / "clipped.wav", tone().clip(-0.2, 0.2) * 5)
    made = {(): root}

    def prepared(commands):
        if commands not in made:
            before = prepared(commands[:-1])
            folder = shutil.copytree(before, root.with_name(f"{root.name}-{len(made)}"))
            COMMANDS[commands[-1]](folder / "c")
            made[commands] = folder
        return made[commands]

    return prepared


def damaged(path):
    """Spoil the truth and its backup, so that a repair reads the files."""
    for name in (database.NAME, database.BACKUP):
        (path / name).write_bytes(b"spoilt" * 500)
    for end in ("-wal", "-shm"):
        (path / f"{database.NAME}{end}").unlink(missing_ok=True)


def childless(path):
    """Lose the files that were made from others."""
    for file in (path / "processed/augmented").rglob("*.*"):
        file.unlink()


SPOILT = {"repair": damaged, "remake": childless}
"""Command -> what gives it something to do."""


def said(path):
    """Return what the truth holds of items, if it can be read: nothing of it may be lost."""
    try:
        return {table: set(rows) for table, rows in truth(path).items() if table in {"media", "annotations", "splits"}}
    except sqlite3.Error:
        return {}


def killed(command, path, after):
    child = multiprocessing.get_context("fork").Process(target=command, args=(path,))
    child.start()
    time.sleep(after)
    os.kill(child.pid, signal.SIGKILL)
    child.join()


OFTEN = ("new", "augment", "repair")
"""Commands that are killed for every change, the others in ``make test-long``."""


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in OFTEN else pytest.mark.long) for n in COMMANDS])
@pytest.mark.parametrize("moments", amounts(1, 30))
def test_killed_at_any_moment_it_goes_on_and_ends_as_if_nothing_was(start, tmp_path, name, moments):
    command, begun = COMMANDS[name], start(tuple(BEFORE.get(name, ["new", "add", "annotate"])))

    def copied(place):
        folder = shutil.copytree(begun, tmp_path / place)
        if name in SPOILT:
            SPOILT[name](folder / "c")
        return folder / "c"

    whole = copied("whole")
    started = time.monotonic()
    command(whole)
    lasts = time.monotonic() - started
    expected, written = truth(whole), files(whole)
    draw = random.Random(f"{name} {moments}")
    for number in range(moments):
        path = copied(str(number))
        killed(command, path, draw.uniform(0.0, lasts))
        kept = {} if name in {"label", "sanitise", "repair"} else said(path)  # they take back what was said
        command(path)
        ended = truth(path)
        assert ended == expected
        assert files(path) == written
        assert [p.name for p in path.rglob(".*") if not OUTSIDE.fullmatch(p.name)] == []
        for table, rows in kept.items():
            assert rows <= set(ended[table]), "something that was stored is gone"
        shutil.rmtree(path.parent)


@pytest.mark.parametrize("name", ["augment", "compose"])
@pytest.mark.parametrize("moment", ["now_and_then", "_name_files"])
def test_killed_before_or_after_items_are_stored_no_file_is_left_that_no_item_has(start, tmp_path, name, moment):
    """Whatever command comes next. The first moment is before a transaction ends, the other before files are named."""
    path = shutil.copytree(start(tuple(BEFORE.get(name, ["new", "add", "annotate"]))), tmp_path / "x") / "c"

    def dying(folder):
        setattr(Shelf, moment, lambda *_: os._exit(9))
        COMMANDS[name](folder)

    child = multiprocessing.get_context("fork").Process(target=dying, args=(path,))
    child.start()
    child.join()
    assert child.exitcode == 9
    with Corpus(path) as corpus:
        found = corpus.check()
        assert [line for line in found.structure if "manifest" not in line] == []
        assert any("half-made" in line for line in found.next)
        corpus.write()
        found = corpus.check(deep=True)
        assert found.structure == []
        assert not any("half-made" in line for line in found.next)
        named = {medium.path for item in corpus for medium in item.media}
    made = [p for folder in ("raw/synthetic", "processed") for p in (path / folder).rglob("*") if p.is_file()]
    assert {str(p.relative_to(path)) for p in made} <= named
    assert bool(made) == (moment == "_name_files")


def test_half_made_patches_and_definitions_go_with_the_next_command(start, tmp_path):
    path = shutil.copytree(start(("new", "add")), tmp_path / "x") / "c"
    halves = [path / "raw/synthetic/patches/.0.new", path / "processed/features/definitions/.0.json.new"]
    for half in halves:
        half.parent.mkdir(parents=True, exist_ok=True)
        half.write_bytes(b"half")
    with Corpus(path) as corpus:
        assert any("2 half-made files" in line for line in corpus.check().next)
        corpus.write()
    assert not any(half.exists() for half in halves)


def test_a_file_among_the_children_that_no_item_has_is_told(start, tmp_path):
    path = shutil.copytree(start(("new", "add")), tmp_path / "x") / "c"
    (path / "processed/augmented").mkdir(parents=True, exist_ok=True)
    (path / "processed/augmented/x.mid").write_bytes(b"mine")
    with Corpus(path) as corpus:
        assert any("processed/augmented/x.mid is no item's. Delete it" in line for line in corpus.check().structure)


def test_a_dead_command_leaves_json_that_can_be_read(start, tmp_path):
    path = shutil.copytree(start(("new", "add", "annotate")), tmp_path / "x") / "c"
    killed(COMMANDS["write"], path, 0.01)
    for file in path.rglob("*.json"):
        json.loads(file.read_text())


def test_a_repair_that_was_interrupted_must_be_finished_before_anything_else(start, tmp_path, monkeypatch):
    path = shutil.copytree(start(("new", "add", "annotate", "split", "write")), tmp_path / "x") / "c"
    expected = truth(path)["annotations"]
    damaged(path)
    monkeypatch.setattr(Adding, "source", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        repair(path)
    monkeypatch.undo()
    with pytest.raises(CorpusDamagedError, match="its repair was not finished"):
        Corpus(path)
    assert repair(path).aside.endswith("corpus.damaged-1.sqlite")
    assert len(truth(path)["annotations"]) == len(expected)
    assert [p.name for p in path.glob("corpus.damaged*")] == ["corpus.damaged-1.sqlite"]
