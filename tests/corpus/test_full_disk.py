"""A disk that is full: the command says so, what was done stays, and the same command finishes it with more space."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from support import ROOT
from support.corpora import melody, tone, write_audio, write_midi
from support.corpus_state import files, truth

from tonesmith.cli import run
from tonesmith.corpus import Corpus

COMMANDS = {
    "new": ["new", "c"],
    "add": ["add", "c", "m", "-q"],
    "annotate": ["annotate", "c", "-q"],
    "features": ["features", "c", "--add", "notes,mel", "-q"],
    "augment": ["augment", "c", "--with", "transpose,gain", "-n", "2", "-q"],
    "compose": ["compose", "c", "--with", "melody", "-n", "4", "-q"],
    "split": ["split", "c"],
    "write": ["write", "c"],
    "sanitise": ["sanitise", "c", "-q"],
}
FREE = [0, 8, 40, 120, 250, 400, 600, 900, 1300]
"""KiB that are left of the disk."""
SCRIPT = """
import contextlib, io, os, shutil, subprocess, sys
from pathlib import Path

begun, disk, end, free = (Path(word) for word in sys.argv[1:5])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", disk], check=True)
shutil.copytree(begun, disk, dirs_exist_ok=True)
os.chdir(disk)
from tonesmith.cli import run

def fill():
    room = os.statvfs(".")
    with open("ballast", "wb") as file:
        file.write(bytes(max(0, room.f_bavail * room.f_frsize - 1024 * int(str(free)))))

fill()
said = io.StringIO()
with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
    first = run(["corpus", *sys.argv[5:]])
os.unlink("ballast")
print(first, said.getvalue().replace("\\n", " "))
with contextlib.redirect_stdout(io.StringIO()):
    second = run(["corpus", *sys.argv[5:]])
print(second)
shutil.copytree("c", end)
"""


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """Return a folder with a corpus of a few items, and what may be added to it."""
    root = tmp_path_factory.mktemp("full") / "begun"
    for number in range(4):
        write_midi(root / "m" / f"{number}.mid", melody(number, 64))
        write_audio(root / "m" / f"a{number}.wav", tone(hertz=200 + 10 * number, seconds=3.0))
    with Corpus.new(root / "c") as corpus:
        corpus.add(root / "m" / "0.mid", root / "m" / "a0.wav")
    return root


def can_mount() -> bool:
    tried = (
        subprocess.run(["unshare", "-Urm", "true"], capture_output=True, check=False)
        if shutil.which("unshare")
        else None
    )
    return tried is not None and tried.returncode == 0


CASES = [
    pytest.param(name, free, marks=() if (name, free) == ("add", 120) else pytest.mark.long)
    for name in COMMANDS
    for free in FREE
]


@pytest.mark.parametrize(("name", "free"), CASES)
def test_a_full_disk_is_told_and_more_space_is_all_that_it_takes(begun, tmp_path, monkeypatch, name, free):
    if not can_mount():
        pytest.skip("a disk of its own needs user namespaces: unshare -Urm")
    start = shutil.copytree(begun, tmp_path / "start")
    if name == "new":
        shutil.rmtree(start / "c")
    whole = shutil.copytree(start, tmp_path / "whole")
    monkeypatch.chdir(whole)
    assert run(["corpus", *COMMANDS[name]]) == 0
    (tmp_path / "disk").mkdir()
    words = [start, tmp_path / "disk", tmp_path / "end", str(free), *COMMANDS[name]]
    done = subprocess.run(
        ["unshare", "-Urm", sys.executable, "-c", SCRIPT, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    if not first.startswith("0"):
        assert first.startswith("1 tonesmith: error: ")
        assert "the disk is full. Free some space" in first
    assert second == "0"
    assert truth(tmp_path / "end") == truth(whole / "c")
    assert files(tmp_path / "end") == files(whole / "c")
