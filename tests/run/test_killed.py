"""Runs that are stopped, and processes of them that are killed: these are real processes, as a user has them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from support import amounts
from support.processes import descendants, is_alive, runs, send, wait_for

from tonesmith import open_dataset
from tonesmith.errors import DatasetError
from tonesmith.run.pipeline import run
from tonesmith.run.watch import Watcher


@pytest.fixture
def chaos(chaos_in_processes: Any) -> Any:
    return chaos_in_processes


@pytest.mark.parametrize("times", amounts(1, 20))
@pytest.mark.long
def test_a_run_killed_at_random_moments_ends_with_the_rows_of_one_that_was_not(chaos, tmp_path, times):
    settings = {"patches": 16, "block": 2, "sampler": "troublesome", "backend": {"slow": 0.03}}
    whole = chaos.make(tmp_path / "whole", ("crash", "silent"), workers=2, **settings)
    path, script = tmp_path / "killed", tmp_path / "script.py"
    script.write_text(
        f"from tonesmith import generate\ngenerate({str(path)!r}, workers=2, "
        f"**{chaos.settings(('crash', 'silent'), **settings)!r})\n"
    )
    moments = random.Random(7)

    for _ in range(times):
        child = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0.3, 2.5))
        if moments.random() < 0.5:  # a worker or an engine first, then the parent
            for pid in descendants(child.pid)[: moments.randrange(1, 4)]:
                send(pid)
        child.kill()
        child.wait()
    summary = chaos.make(path, ("crash", "silent"), workers=2, **settings)

    assert summary.complete
    assert summary.digest == whole.digest


@pytest.mark.long
def test_workers_and_engines_do_not_outlive_a_parent_that_is_killed(chaos, tmp_path):
    script = tmp_path / "script.py"
    settings = chaos.settings(patches=400, backend={"slow": 0.05})
    script.write_text(f"from tonesmith import generate\ngenerate({str(tmp_path / 'd')!r}, workers=2, **{settings!r})\n")
    child = subprocess.Popen([sys.executable, str(script)])
    wait_for(lambda: len(descendants(child.pid)) >= 6)
    processes = descendants(child.pid)

    child.kill()
    child.wait()

    wait_for(lambda: not any(is_alive(pid) for pid in processes))


_DROPS = "stopping at once: the blocks in progress are dropped"


@pytest.mark.parametrize(
    ("signals", "said"),
    [
        ([signal.SIGINT], "stopping after the blocks in progress"),
        pytest.param([signal.SIGTERM], _DROPS, marks=pytest.mark.long),
        pytest.param([signal.SIGINT, signal.SIGINT], _DROPS, marks=pytest.mark.long),
        pytest.param([signal.SIGHUP], _DROPS, marks=pytest.mark.long),
    ],
)
@pytest.mark.long
def test_a_run_that_is_told_to_stop_says_what_becomes_of_the_blocks_in_flight(chaos, tmp_path, signals, said):
    path = tmp_path / "d"
    command = [sys.executable, "-P", "-m", "tonesmith", "generate", str(path), "-n", "12", "--workers", "2"]
    command += ["--backend", "chaos", "--backend.slow", "0.1", "--block", "2", "--sample-rate", "8000"]
    command += ["--notes.pitches", "60", "--notes.hold", "0.1", "--validator", "level"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: _rows_at(path) > 0)

    for number in signals:
        child.send_signal(number)
        time.sleep(0.05)
    out, err = child.communicate(timeout=30)

    rows = len(open_dataset(path))
    assert child.returncode == 130
    assert 0 < rows < 12
    assert said in err
    assert "run the same command to resume" in (out + err).lower()
    finished = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True, timeout=120)
    assert '"complete": true' in finished.stdout


def _rows_at(path: Path) -> int:
    try:
        return len(open_dataset(path))
    except DatasetError:
        return 0


@pytest.mark.long
def test_a_worker_that_is_killed_from_outside_is_replaced_and_nothing_counts_twice(chaos, tmp_path):
    whole = chaos.make(tmp_path / "whole", ("crash",), patches=8, sampler="troublesome", block=8)
    settings = {"patches": 8, "sampler": "troublesome", "block": 8, "backend": {"slow": 0.1}}
    path, killed = tmp_path / "d", []

    class Assassin(Watcher):
        seen = 0

        def accepted(self, rows: int) -> None:
            self.seen += 1
            if self.seen == 5 and not killed:
                killed.extend(pid for pid in descendants(os.getpid()) if runs(pid, "tonesmith.run.worker"))
                send(killed[0])

    summary = run(chaos.resolved(("crash",), **settings), path, workers=1, watcher=Assassin())

    assert len(killed) == 1
    assert summary.rejections == whole.rejections == {"engine: crash": 3}
    assert (summary.candidates, summary.rows) == (whole.candidates, whole.rows) == (11, 16)
    same = [(r.audio.tobytes(), r.attempt) for r in open_dataset(path)]
    assert same == [(r.audio.tobytes(), r.attempt) for r in open_dataset(tmp_path / "whole")]
