"""Files beside a dataset: whole or not there, and nothing of a writer that was killed stays for ever."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tonesmith.dataset import beside
from tonesmith.dataset.beside import write_beside

HELD = """\
import os, sys
from pathlib import Path
from tonesmith.dataset.beside import write_beside

flush = os.fsync
os.fsync = lambda descriptor: (print("written", flush=True), sys.stdin.readline(), flush(descriptor))
write_beside(Path(sys.argv[1]), b"theirs")
"""


@contextmanager
def writer(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Give another process that has written a file aside, and holds on before it is in its place."""
    command = [sys.executable, "-c", HELD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        yield process


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def test_what_a_killed_writer_left_aside_is_removed_by_the_next_writer_of_the_same_file_alone(tmp_path: Path) -> None:
    path, other = tmp_path / "README.md", tmp_path / "croissant.json"
    with writer(path) as process:
        process.kill()
    (left,) = names(tmp_path)
    assert left.startswith(beside.ASIDE)

    write_beside(other, b"{}")
    assert names(tmp_path) == {left, other.name}
    write_beside(path, b"ours")
    assert names(tmp_path) == {path.name, other.name}
    assert path.read_bytes() == b"ours"


def test_of_two_writers_at_once_none_loses_what_it_writes_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    with writer(path) as process:
        write_beside(path, b"ours")
        assert path.read_bytes() == b"ours"
        assert len(names(tmp_path)) == 2
        process.communicate(b"go on\n")
    assert (process.returncode, path.read_bytes()) == (0, b"theirs")
    assert names(tmp_path) == {path.name}


def test_an_aside_that_is_swept_before_it_is_locked_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, swept, lock = tmp_path / "README.md", [], beside._lock

    def late(descriptor: int, *, wait: bool) -> bool:
        if wait and not swept:
            swept.extend(names(tmp_path))
            beside._sweep(path)
            assert not names(tmp_path)
        return lock(descriptor, wait=wait)

    monkeypatch.setattr(beside, "_lock", late)
    write_beside(path, b"ours")
    assert len(swept) == 1
    assert (names(tmp_path), path.read_bytes()) == ({path.name}, b"ours")


def test_a_pipe_that_is_named_like_an_aside_keeps_nobody_waiting(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    pipe = tmp_path / f"{beside._stem(path)}{'0' * 16}"
    os.mkfifo(pipe)
    write_beside(path, b"ours")
    assert names(tmp_path) == {path.name, pipe.name}


def test_the_longest_name_that_a_file_can_have_is_not_too_long(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 255)
    write_beside(path, b"ours")
    assert names(tmp_path) == {path.name}
