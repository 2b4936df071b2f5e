"""Every command killed at any moment: nothing that was done is lost, nothing half-made stays, and a repeat goes on."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import re
import shutil
import signal
import sqlite3
import time
from pathlib import Path

import pytest
from support import amounts
from support.corpora import melody, tone, write_audio, write_midi

from tonesmith.corpus import Corpus
from tonesmith.corpus.repairing import repair
from tonesmith.corpus.truth import database

MOMENTS = {"at", "added"}
"""Columns with the time of day."""
OUTSIDE = re.compile(r"corpus\.((backup|damaged-\d+)\.)?sqlite.*|corpus\.lock")
"""Files that say nothing by themselves: the truth is compared as rows."""


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
    "restore": ["new", "add", "sanitise"],
    "repair": ["new", "add", "annotate", "split", "write"],
}
"""Command -> those that come first, without which it has nothing to do."""


def _without_notes(corpus):
    if "notes" in corpus.known_features():
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


def truth(path):
    """Return the rows of every table, without the time of day."""
    with sqlite3.connect(path / database.NAME) as connection:
        tables = [
            row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
        ]
        found = {}
        for table in tables:
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] not in MOMENTS]
            rows = connection.execute(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608 - our words
            found[table] = sorted(map(str, rows))
    connection.close()
    found["removed"] = [timeless(row) for row in found.get("removed", [])]
    return found


def timeless(text):
    return re.sub(r'"(at|added)": "[^"]*"', "", text)


def files(path):
    """Return name -> bytes of every file but the truth itself, without the time of day."""
    found = {}
    for file in sorted(path.rglob("*")):
        name = str(file.relative_to(path))
        if file.is_file() and not OUTSIDE.fullmatch(name):
            content = file.read_bytes()
            found[name] = timeless(content.decode()) if file.suffix == ".json" else content
    return found


def damaged(path):
    """Spoil the truth and its backup, so that a repair reads the files."""
    for name in (database.NAME, database.BACKUP):
        (path / name).write_bytes(b"spoilt" * 500)
    for end in ("-wal", "-shm"):
        (path / f"{database.NAME}{end}").unlink(missing_ok=True)


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


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("moments", amounts(1, 30))
def test_killed_at_any_moment_it_goes_on_and_ends_as_if_nothing_was(start, tmp_path, name, moments):
    command, begun = COMMANDS[name], start(tuple(BEFORE.get(name, ["new", "add", "annotate"])))

    def copied(place):
        folder = shutil.copytree(begun, tmp_path / place)
        if name == "repair":
            damaged(folder / "c")
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
        kept = {} if name in {"sanitise", "repair"} else said(path)
        command(path)
        ended = truth(path)
        assert ended == expected
        assert files(path) == written
        assert [p.name for p in path.rglob(".*") if not OUTSIDE.fullmatch(p.name)] == []
        for table, rows in kept.items():
            assert rows <= set(ended[table]), "something that was stored is gone"
        shutil.rmtree(path.parent)


def test_a_dead_command_leaves_json_that_can_be_read(start, tmp_path):
    path = shutil.copytree(start(("new", "add", "annotate")), tmp_path / "x") / "c"
    killed(COMMANDS["write"], path, 0.01)
    for file in Path(path).rglob("*.json"):
        json.loads(file.read_text())
