"""Several runs of one plan at one path: each block is made by one of them, and none is lost."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from support import terminal

from tonesmith import open_dataset
from tonesmith.dataset.verify import check_integrity
from tonesmith.run.claims import Claims
from tonesmith.run.locks import ByteLocks
from tonesmith.run.pipeline import run
from tonesmith.run.presence import joining
from tonesmith.run.watch import Watcher

_CLAIMS = (
    "import sys, time; from pathlib import Path; from tonesmith.run.presence import joining\n"
    "with joining(Path(sys.argv[1])) as me:\n"
    "    print(me.claim(1) and me.claim(2), flush=True); time.sleep(120)"
)


def test_two_runs_at_once_make_about_half_each(chaos, tmp_path):
    words = ["generate", "--backend", "chaos", "--backend.slow", "0.1", "-n", "20", "--block", "1", "--workers", "1"]
    words += ["--sample-rate", "8000", "--notes.pitches", "60", "--notes.hold", "0.1", "--validator", "level"]

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: terminal(*words, tmp_path / "d", "--json"), range(2)))

    assert [done.returncode for done in both] == [0, 0], [done.stderr for done in both]
    told = [json.loads(done.stdout) for done in both]
    candidates = [one["candidates"] for one in told]
    assert sum(candidates) <= 20 + 2, "blocks were made twice"
    assert min(candidates) >= 4, candidates
    assert sum(one["rows_added"] for one in told) <= 20 + 2
    assert all(one["complete"] for one in told)
    assert all("another run makes this dataset too" in done.stderr for done in both)
    assert len({one["digest"] for one in told}) == 1


class _Heard(Watcher):
    def __init__(self, other: subprocess.Popen[str]) -> None:
        self.other = other
        self.waited: list[int] = []
        self.committed_blocks: list[int] = []

    def waiting(self, blocks: int) -> None:
        self.waited.append(blocks)
        self.other.send_signal(signal.SIGKILL)

    def committed(self, block: int, rows: int) -> None:
        self.committed_blocks.append(block)


def test_what_a_run_that_is_killed_was_making_is_made_by_the_other(chaos, tmp_path):
    path = tmp_path / "d"
    chaos.make(path, patches=1, block=1)
    with subprocess.Popen([sys.executable, "-c", _CLAIMS, str(path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        heard = _Heard(other)
        try:
            summary = run(chaos.resolved(patches=5, block=1), path, workers=1, watcher=heard)
        finally:
            other.kill()

    assert heard.waited == [2]
    assert heard.committed_blocks == [3, 4, 1, 2]
    assert (summary.complete, summary.rows_added) == (True, 8)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:Consolidated metadata")  # zarr's, ignored by a filter that threads share
def test_where_there_are_no_locks_two_runs_end_with_the_rows_of_one(chaos, tmp_path, monkeypatch):
    whole = chaos.make(tmp_path / "whole", patches=8, block=1)

    def refused(*_: Any) -> bool:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(ByteLocks, "_changed", refused)
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda _: chaos.make(tmp_path / "d", patches=8, block=1), range(2)))

    assert {summary.digest for summary in made} == {whole.digest}
    assert sum(summary.candidates for summary in made) < 2 * 8


@pytest.mark.long
@pytest.mark.parametrize("sink", [{"name": "hdf5", "single": True}, {"name": "webdataset"}])
def test_two_runs_that_end_together_finish_the_dataset_one_after_the_other(chaos, tmp_path, sink):
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda _: chaos.make(tmp_path / "d", patches=6, block=1, sink=sink), range(2)))
    dataset = open_dataset(tmp_path / "d")
    assert all(summary.complete and summary.digest == dataset.digest for summary in made)
    assert list(check_integrity(dataset)) == []


def test_one_run_has_its_turn_at_a_time(tmp_path):
    entered: list[str] = []
    with joining(tmp_path) as one, joining(tmp_path) as other, ThreadPoolExecutor(1) as pool:
        with one.turn():
            waiting = pool.submit(lambda: [entered.append("other") for _ in [other.turn().__enter__()]])
            time.sleep(0.3)
            entered.append("one")
        waiting.result(10)
    assert entered == ["one", "other"]


def test_a_block_that_another_run_stored_meanwhile_is_not_made_again(chaos, tmp_path):
    plan = chaos.resolved(patches=4, block=1).plan
    stored: dict[int, int] = {}
    with joining(tmp_path) as presence:
        share = Claims(plan, range(4), lambda: dict(stored), presence)
        assert share.take() == 0
        stored[1] = plan.rows_of(1)
        time.sleep(0.05)  # looking costs next to nothing here, but is not done at every moment
        assert share.take() == 2
        share.give_back(2)
        assert [share.take(), share.take(), share.take()] == [2, 3, None]
        assert share.stored() == [1]
        assert share.stored() == []


@pytest.mark.parametrize("folder", [True, False])
def test_two_runs_in_one_process_have_claims_of_their_own(tmp_path, folder):
    path = tmp_path / "d"
    if folder:
        path.mkdir()
    with joining(path) as one:
        assert not one.others()
        with joining(path) as other:
            assert (one.others(), other.others()) == (True, True)
            assert (one.claim(7), other.claim(7), other.claim(8)) == (True, False, True)
            one.release(7)
            assert other.claim(7)
        assert one.claim(7)
