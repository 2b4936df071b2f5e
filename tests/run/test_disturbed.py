"""Runs that are disturbed from outside: their rows are those of a run that was not."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest
from support.processes import members, send, wait_for

from tonesmith import open_dataset
from tonesmith.errors import ResourceError
from tonesmith.run.pipeline import run
from tonesmith.run.watch import Watcher


@pytest.fixture
def chaos(chaos_in_processes: Any) -> Any:
    """Processes are found by what they run."""
    return chaos_in_processes


class _Striker(Watcher):
    """Sends a signal to a process of the run after so many acceptances, once for each; keeps what it hears."""

    def __init__(self, strikes: dict[int, tuple[str, int]]) -> None:
        self.strikes = strikes
        self.seen = 0
        self.retried: list[str] = []

    def accepted(self, rows: int) -> None:
        self.seen += 1
        if self.seen in self.strikes:
            role, number = self.strikes.pop(self.seen)
            wait_for(lambda: members(role))
            send(members(role)[0], number)

    def again(self, patch: int, attempt: int, why: str) -> None:
        self.retried.append(why)


_SLOW = {"patches": 4, "block": 2, "notes": {"pitches": [60], "hold": 0.05, "tail": 0.05}, "backend": {"slow": 0.4}}


@pytest.mark.long
def test_signals_from_outside_to_worker_engine_and_fork_leave_the_rows_as_they_are(chaos, tmp_path):
    undisturbed = chaos.make(tmp_path / "calm", **_SLOW)
    striker = _Striker({1: ("fork", signal.SIGHUP), 2: ("engine", signal.SIGINT), 3: ("worker", signal.SIGTERM)})

    summary = run(chaos.resolved(**_SLOW), tmp_path / "d", workers=1, watcher=striker)

    assert not striker.strikes
    assert len(striker.retried) >= 2
    assert summary.rejections == {}
    assert summary.digest == undisturbed.digest
    assert list(open_dataset(tmp_path / "d").rejections) == []


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("role", ["worker", "engine", "fork"])
def test_no_signal_from_outside_changes_a_row(chaos, tmp_path, role, number):
    undisturbed = chaos.make(tmp_path / "calm", **_SLOW)
    striker = _Striker({1: (role, number), 3: (role, number)})

    summary = run(chaos.resolved(**_SLOW), tmp_path / "d", workers=1, watcher=striker)

    assert not striker.strikes
    assert (summary.digest, summary.rejections) == (undisturbed.digest, {})


@pytest.mark.long
def test_a_run_that_stood_still_for_longer_than_the_timeout_goes_on_as_if_nothing_was(chaos, tmp_path):
    settings = {**_SLOW, "timeout": 2.0}
    undisturbed = chaos.make(tmp_path / "calm", **settings)

    class Sleeper(_Striker):
        def accepted(self, rows: int) -> None:
            self.seen += 1
            if self.seen == 1:
                wait_for(lambda: members("fork"))
                tree = [*members("worker"), *members("engine"), *members("fork")]
                for pid in tree:
                    send(pid, signal.SIGSTOP)
                time.sleep(3.5)
                for pid in tree:
                    send(pid, signal.SIGCONT)

    sleeper = Sleeper({})
    summary = run(chaos.resolved(**settings), tmp_path / "d", workers=1, watcher=sleeper)

    assert sleeper.seen == 4
    assert sleeper.retried == []
    assert (summary.digest, summary.rejections) == (undisturbed.digest, {})


def test_a_machine_that_starts_no_further_process_ends_the_run_and_blames_nobody(chaos, tmp_path):
    with pytest.raises(ResourceError, match=r"no further process may be started.*run the same command again"):
        chaos.make(tmp_path / "d", patches=2, backend={"trouble": "no fork"})

    dataset = open_dataset(tmp_path / "d")
    assert len(dataset) == 0
    assert list(dataset.rejections) == []
