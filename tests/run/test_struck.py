"""Signals to any process of a run, at any moment: the same command again ends with the rows of an undisturbed run."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from support import sampled, terminal
from support.processes import is_alive, members, send

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes by /proc")

SINKS = ("zarr", "hdf5", "webdataset", "parquet", "folder", "lmdb")
ROLES = ("parent", "worker", "fork", "group")
STRIKES = (
    (signal.SIGKILL, 1),
    (signal.SIGTERM, 1),
    (signal.SIGINT, 1),
    (signal.SIGINT, 2),
    (signal.SIGHUP, 1),
)
_MARK = "TONESMITH_TESTS_STRUCK"
_WHOLE: dict[str, tuple[str, set[str]]] = {}


def _arguments(path: Path, sink: str) -> list[str]:
    flags = ["-n", "8", "--block", "2", "--workers", "2", "--seed", "5", "--sink", sink, "--json", "-q"]
    flags += ["--backend", "chaos", "--backend.slow", "0.2", "--sampler", "misplaced", "--sampler.fault", "silent"]
    flags += ["--sampler.at", "3", "--validator", "level", "--sample-rate", "8000"]
    return ["generate", str(path), *flags, "--notes.pitches", "60", "--notes.hold", "0.1", "--notes.tail", "0.1"]


def _files(path: Path) -> set[str]:
    """Return the files of a dataset, and those that lie beside it with its name."""
    below = {str(file.relative_to(path)) for file in path.rglob("*")}
    return below | {f"../{file.name}" for file in path.parent.glob(f"*{path.name}*")}


def _whole(sink: str, folder: Path) -> tuple[str, set[str]]:
    """Return the digest and the files of a run that nobody disturbed."""
    if sink not in _WHOLE:
        path = folder / "whole"
        told = terminal(*_arguments(path, sink))
        assert told.returncode == 0, told.stderr
        _WHOLE[sink] = _digest(told.stdout), _files(path)
    return _WHOLE[sink]


def _digest(out: str) -> str:
    return out.partition('"digest": "')[2][:64]


def _target(role: str, parent: int, chance: random.Random) -> int:
    """Return a process of a run, 0 if there is none of that role at this moment."""
    if role == "parent":
        return parent
    found = members("engine" if role == "group" else role, parent)
    return chance.choice(sorted(found)) if found else 0


def _struck(child: subprocess.Popen[bytes], role: str, strike: tuple[int, int], chance: random.Random) -> bool:
    """Wait for a random moment, send the signal, and return whether there was anybody to get it."""
    time.sleep(chance.uniform(0.2, 3.0))
    number, times = strike
    hit = False
    while not hit and child.poll() is None:
        for _ in range(times):
            if (pid := _target(role, child.pid, chance)) and child.poll() is None:
                if role == "group":
                    os.killpg(os.getpgid(pid), number)
                else:
                    send(pid, number)
                hit = True
                time.sleep(chance.uniform(0.0, 0.1))
        time.sleep(0.02)
    return hit


def _marked(mark: str) -> list[int]:
    """Return the processes that were started with a variable of this value."""
    entry, found = f"{_MARK}={mark}".encode(), []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if entry in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
        except OSError:
            continue
    return [pid for pid in found if is_alive(pid)]


def _gone(mark: str, seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while _marked(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not _marked(mark)


@pytest.mark.parametrize(("sink", "role", "strike"), sampled(product(SINKS, ROLES, STRIKES), 67))
@pytest.mark.first
def test_the_same_command_again_ends_with_the_rows_of_a_run_that_nobody_struck(
    chaos_in_processes: Any, tmp_path, sink, role, strike
):
    digest, files = _whole(sink, tmp_path)
    chance = random.Random(f"{sink} {role} {strike}")
    path, mark = tmp_path / "struck", uuid.uuid4().hex
    command = [sys.executable, "-P", "-m", "tonesmith", *_arguments(path, sink)]
    said = tmp_path / "output.txt"

    with (
        said.open("wb") as stream,
        subprocess.Popen(command, env={**os.environ, _MARK: mark}, stdout=stream, stderr=stream) as child,
    ):
        hit = _struck(child, role, strike, chance)
        status = child.wait(120)
    assert hit, f"no {role} was met: {said.read_text()}"
    assert _gone(mark), f"left behind: {_marked(mark)}"
    if role == "parent":
        assert status in {0, 1, 130, -strike[0]}
    else:
        assert status == 0, said.read_text()
    again = terminal(*_arguments(path, sink))

    assert again.returncode == 0, again.stderr
    assert _digest(again.stdout) == digest
    assert _files(path) == {name.replace("whole", "struck") for name in files}
