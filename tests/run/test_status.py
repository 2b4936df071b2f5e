"""The logs of runs beside a dataset, and what ``tonesmith status`` makes of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from support import sampled, terminal
from support.processes import send, wait_for

from tonesmith import Rejection, Watcher, open_dataset
from tonesmith.cli.commands.status import status_lines
from tonesmith.run import journal
from tonesmith.run.history import PastRun, past_runs
from tonesmith.run.journal import runs_folder
from tonesmith.run.presence import joining
from tonesmith.run.status import Status, Statuses

SINKS = [
    {"name": "folder"},
    {"name": "hdf5"},
    {"name": "hdf5", "single": True},
    {"name": "lmdb"},
    {"name": "parquet"},
    {"name": "webdataset"},
    {"name": "zarr"},
]


def _lines(path: Path) -> list[dict[str, Any]]:
    (log,) = runs_folder(path).iterdir()
    return [json.loads(line) for line in log.read_text().splitlines()]


@pytest.mark.parametrize("sink", sampled(SINKS[::-1], 7))
def test_status_tells_of_a_dataset_of_any_sink_with_logs_and_without(chaos, tmp_path, sink):
    path = tmp_path / "d"
    chaos.make(path, patches=2, block=1, sink=sink)

    told = json.loads(terminal("status", path, "--json").stdout)
    assert (told["rows"], told["rows_planned"], told["blocks"], told["complete"]) == (4, 4, 2, True)
    assert [(run["state"], run["rows"], run["pid"]) for run in told["runs"]] == [("finished", 4, os.getpid())]

    (log,) = runs_folder(path).iterdir()
    log.unlink()
    alone = json.loads(terminal("status", path, "--json").stdout)
    assert alone == told | {"runs": []}


def test_a_log_has_blocks_rejections_faults_and_the_end_and_is_no_part_of_the_dataset(chaos, tmp_path):
    path = tmp_path / "d"
    summary = chaos.make(path, ("crash",), patches=6, block=2, sampler="troublesome")

    lines = _lines(path)
    events = [line["event"] for line in lines]
    assert (events[0], events[-1], events.count("block")) == ("started", "finished", 3)
    assert lines[-1]["rejections"] == dict(summary.rejections)
    assert (lines[-1]["rows"], lines[-1]["digest"], lines[-1]["complete"]) == (12, summary.digest, True)
    assert any(line["event"] == "fault" and "crash" in line["error"] for line in lines)
    assert runs_folder(path).parent == path.parent, "it lies beside the dataset"
    status = Statuses(path).now()
    assert status.rejections == dict(summary.rejections)
    assert status.last_error is not None
    assert "crash" in status.last_error.error


def test_a_run_that_fails_tells_why_in_its_log(chaos, tmp_path):
    path = tmp_path / "d"
    with pytest.raises(Exception, match="rejected 2 times"):
        chaos.make(path, ("silent",), patches=2, max_attempts=2, backend={"mute": True})
    assert [line["event"] for line in _lines(path)][-2:] == ["finished", "failed"]
    (run,) = Statuses(path).now().runs
    assert run.state == "failed"
    assert "rejected 2 times" in run.error


@pytest.mark.long
def test_a_run_at_work_is_told_and_one_that_was_killed_too(chaos, tmp_path):
    path, script = tmp_path / "d", tmp_path / "script.py"
    settings = chaos.settings(patches=500, block=1, backend={"slow": 0.05})
    script.write_text(f"from tonesmith import generate\ngenerate({str(path)!r}, workers=1, **{settings!r})\n")
    child = subprocess.Popen([sys.executable, str(script)])
    try:
        wait_for(lambda: (path / "tonesmith" / "blocks").is_dir() and len(open_dataset(path)) > 2)
        at_work = Statuses(path).now()
        text = terminal("status", path).stdout
    finally:
        send(child.pid)
        child.wait()

    assert [(run.state, run.pid) for run in at_work.runs] == [("working", child.pid)]
    assert at_work.seconds_left is not None
    assert re.search(r"speed +[\d.,]+ rows/s, about \d+:\d\d:\d\d left", text)
    assert f"process {child.pid}, since " in text
    assert max(map(len, text.replace(str(path), "d").splitlines())) <= 80
    assert [run.state for run in Statuses(path).now().runs] == ["killed"]
    assert re.search(rf"killed +\S+, process {child.pid}", terminal("status", path).stdout)


def test_a_run_on_another_host_counts_as_killed_once_it_is_silent(chaos, tmp_path):
    path = tmp_path / "d"
    chaos.make(path, patches=1)
    (log,) = runs_folder(path).iterdir()
    first = json.loads(log.read_text().splitlines()[0])
    log.write_text(json.dumps(first | {"machine": "another", "host": "elsewhere"}) + "\n{cut sho")
    plan = open_dataset(path).attributes["fingerprint"]

    now = log.stat().st_mtime
    assert [(run.state, run.host) for run in past_runs(path, plan, now + 5)] == [("working", "elsewhere")]
    assert [run.state for run in past_runs(path, plan, now + 1000)] == ["killed"]
    assert past_runs(path, "another plan", now) == []


def test_logs_of_strangers_are_passed_over(chaos, tmp_path):
    path = tmp_path / "d"
    chaos.make(path, patches=1)
    folder = runs_folder(path)
    plan = open_dataset(path).attributes["fingerprint"]
    started = {"event": "started", "plan": plan}
    (folder / "a.jsonl").write_text("[" * 100_000)
    (folder / "b.jsonl").write_text(json.dumps(started | {"time": 7, "pid": "x", "host": None}))
    (folder / "c.jsonl").symlink_to("/dev/zero")
    os.mkfifo(folder / "d.jsonl")
    (folder / "e.jsonl").write_text(json.dumps(started | {"time": "2026-01-01", "machine": 1, "host": "\x1b[2J" * 99}))
    done = terminal("status", path)
    assert (done.returncode, "\x1b" in done.stdout) == (0, False)
    assert len(Statuses(path).now().runs) == 1


def test_a_log_stays_small_and_keeps_its_first_line_and_its_end(chaos, tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "LARGEST", 20_000)
    monkeypatch.setattr(journal, "_TAIL", 5_000)
    plan = chaos.resolved(patches=1).plan
    with joining(tmp_path) as presence, journal.journal(tmp_path / "d", plan, presence, Watcher()) as watching:
        watching.started(plan, tmp_path / "d", 1, 0)
        for block in range(1000):
            watching.rejected(Rejection(block, 0, "level", "silent"))
            watching.committed(block, 2)
    lines = _lines(tmp_path / "d")
    (log,) = runs_folder(tmp_path / "d").iterdir()
    assert log.stat().st_size < 21_000
    assert lines[0]["event"] == "started"
    assert (lines[-1]["block"], lines[-1]["rows"], lines[-1]["rejections"]) == (999, 2000, {"level: silent": 1000})


def test_old_logs_are_removed_and_a_folder_that_cannot_be_written_is_no_fault(chaos, tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "KEPT", 3)
    path, folder = tmp_path / "d", runs_folder(tmp_path / "d")
    folder.mkdir()
    for number in range(6):
        old = folder / f"{number}.jsonl"
        old.write_text("")
        os.utime(old, (number, number))
    chaos.make(path, patches=1)
    assert len(list(folder.iterdir())) == 3
    assert (folder / "5.jsonl").exists()

    runs_folder(tmp_path / "e").write_text("a file is in its place")
    assert chaos.make(tmp_path / "e", patches=1).complete


def test_status_of_what_is_no_dataset_says_so(tmp_path):
    done = terminal("status", tmp_path / "nothing")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{tmp_path / 'nothing'} does not exist." in done.stderr


def test_watching_ends_when_the_dataset_is_complete(chaos, tmp_path):
    chaos.make(tmp_path / "d", patches=1)
    assert "2 of 2 rows (100 %)" in terminal("status", tmp_path / "d", "--watch").stdout
    assert json.loads(terminal("status", tmp_path / "d", "--watch", "--json").stdout)["complete"]


def test_every_line_fits_80_columns() -> None:
    told = "worker: timeout " + "no sign of life, " * 20
    runs = [PastRun(s, "h" * 60, 2**22, 1e9, 2e9, 10**9, 1.5, told, 2e9) for s in ("working", "killed", "stopped")]
    status = Status(Path("d"), 10**9, 2 * 10**9, 10**6, 2 * 10**6, {told: 10**6}, tuple(runs))
    assert max(map(len, status_lines(status, time.time()))) <= 80
