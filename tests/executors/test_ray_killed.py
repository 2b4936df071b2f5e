"""Runs on Ray that are stopped, and processes of them that are killed. Nothing is lost, and nothing stays behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from support.processes import descendants, is_alive, runs, send, wait_for

from tonesmith import open_dataset
from tonesmith.errors import DatasetError, RunError
from tonesmith.executors.ray import RayExecutor
from tonesmith.run.pipeline import run
from tonesmith.run.watch import Watcher

pytestmark = [pytest.mark.usefixtures("ray_here", "real_processes"), pytest.mark.timeout(900), pytest.mark.long]

_SLOW = {"patches": 6, "block": 2, "notes": {"pitches": [60], "hold": 0.05, "tail": 0.05}, "backend": {"slow": 0.4}}
_DROPS = "stopping at once: the blocks in progress are dropped"


def named(word: str) -> list[int]:
    """Return the processes below this one that are called something."""
    found = []
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError):
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
            found += [pid] if word in command else []
    return found


def workers() -> list[int]:
    return [pid for pid in descendants(os.getpid()) if runs(pid, "tonesmith.run.worker")]


class Assassin(Watcher):
    """Kills a process once two candidates were accepted, and keeps which there were."""

    def __init__(self, find: Any) -> None:
        self._find = find
        self.seen = 0
        self.killed: list[int] = []
        self.family: list[int] = []

    def accepted(self, rows: int) -> None:
        self.seen += 1
        if self.seen == 2:
            self.family = descendants(os.getpid())
            self.killed = self._find()[:1]
            send(self.killed[0])


@pytest.mark.parametrize("find", [workers, lambda: named("ray::Actor")], ids=["worker", "actor"])
def test_a_process_that_is_killed_in_the_cluster_costs_no_row(chaos, tmp_path, find):
    calm = chaos.make(tmp_path / "calm", **_SLOW)
    assassin = Assassin(find)
    executor = RayExecutor(RayExecutor.Options())

    summary = run(chaos.resolved(**_SLOW), tmp_path / "d", workers=1, watcher=assassin, executor=executor)

    assert len(assassin.killed) == 1
    assert summary.complete
    assert (summary.digest, summary.rejections) == (calm.digest, {})


@pytest.mark.parametrize("process", ["raylet", "gcs_server"])
def test_a_run_whose_ray_is_killed_goes_on_or_says_so_and_another_executor_ends_it(
    chaos, tmp_path, monkeypatch, process
):
    monkeypatch.delenv("RAY_ADDRESS")
    calm = chaos.make(tmp_path / "calm", **_SLOW)
    before = set(descendants(os.getpid()))
    assassin = Assassin(lambda: [pid for pid in named(process) if pid not in before])
    executor = RayExecutor(RayExecutor.Options(start_seconds=600))

    with contextlib.suppress(RunError):
        run(chaos.resolved(**_SLOW), tmp_path / "d", workers=1, watcher=assassin, executor=executor)
    assert len(assassin.killed) == 1
    wait_for(lambda: not any(is_alive(pid) for pid in set(assassin.family) - before), 60)

    assert chaos.make(tmp_path / "d", **_SLOW).digest == calm.digest


def command_for(path: Path, *words: str) -> list[str]:
    command = [sys.executable, "-P", "-m", "tonesmith", "generate", str(path), "-n", "12", "--executor", "ray"]
    command += ["--backend", "chaos", "--backend.slow", "0.1", "--block", "2", "--sample-rate", "8000"]
    return [*command, "--notes.pitches", "60", "--notes.hold", "0.1", "--validator", "level", *words]


def rows_at(path: Path) -> int:
    try:
        return len(open_dataset(path))
    except DatasetError:
        return 0


@pytest.mark.parametrize(
    ("times", "said"), [(1, "stopping after the blocks in progress"), (2, _DROPS)], ids=["once", "twice"]
)
def test_ctrl_c_at_a_terminal_stops_a_run_and_the_same_command_resumes_it(chaos, tmp_path, times, said):
    path = tmp_path / "d"
    command = command_for(path)
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    wait_for(lambda: rows_at(path) > 0, 300)

    for _ in range(times):
        os.killpg(child.pid, signal.SIGINT)
        time.sleep(0.05)
    out, err = child.communicate(timeout=120)

    assert child.returncode == 130, err
    assert 0 < len(open_dataset(path)) < 12
    assert said in err
    assert "run the same command to resume" in (out + err).lower()
    wait_for(lambda: not workers(), 60)
    here = subprocess.run([*command, "--executor", "local", "--json"], capture_output=True, text=True, check=True)
    assert '"complete": true' in here.stdout


def test_nothing_outlives_a_run_that_is_killed(chaos, tmp_path):
    child = subprocess.Popen(command_for(tmp_path / "d", "-n", "400"), stderr=subprocess.DEVNULL)
    wait_for(lambda: rows_at(tmp_path / "d") > 0, 300)
    processes = [*descendants(child.pid), *workers()]
    assert len(processes) >= 3

    child.kill()
    child.wait()

    wait_for(lambda: not any(is_alive(pid) for pid in processes), 60)
    wait_for(lambda: not named("ray::Actor"), 60)
