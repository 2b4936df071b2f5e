"""What a run will take is told before it starts: room, files, time."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support import sampled, terminal

from tonesmith import Watcher, open_dataset
from tonesmith.cli import ahead as asked
from tonesmith.cli import run as run_command
from tonesmith.host.registry import Host
from tonesmith.plan.plan import PluginRef
from tonesmith.run import ahead, outlook, room
from tonesmith.run.outlook import Outlook
from tonesmith.run.pipeline import run
from tonesmith.run.room import Room, needed_by
from tonesmith.run.trial import try_out
from tonesmith.transfer.convert import convert

SHORT = ["--backend", "chaos", "--sample-rate", "8000", "--notes.hold", "0.1", "--notes.tail", "0.1"]
SINKS = [
    {"name": "zarr", "level": 0},
    {"name": "folder"},
    {"name": "webdataset", "audio": "npy"},
    {"name": "parquet", "audio": "wav"},
    {"name": "lmdb", "audio": "raw"},
    {"name": "hdf5", "compression": "none"},
]


def test_a_run_and_a_conversion_warn_of_a_disk_that_is_too_small(chaos, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: SimpleNamespace(free=2048))
    chaos.make(tmp_path / "d", patches=1)
    told = capsys.readouterr().err
    assert re.fullmatch(
        rf"tonesmith: warning: {tmp_path / 'd'} needs about [\d.]+ KiB; its disk has 2.0 KiB free.\n", told
    )
    convert(tmp_path / "d", tmp_path / "c", PluginRef("zarr"), workers=1)
    assert f"{tmp_path / 'c'} needs about " in capsys.readouterr().err


def test_a_disk_with_room_is_not_spoken_of(chaos, tmp_path, capsys):
    chaos.make(tmp_path / "d", patches=1)
    chaos.make(tmp_path / "d", patches=1)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("sink", sampled(SINKS, 6))
def test_the_estimate_is_near_what_a_sink_stores(chaos, tmp_path, sink):
    path, settings = tmp_path / "d", {"block": 8, "patches": 16, "notes": {"pitches": [60], "hold": 1.5, "tail": 0.5}}
    chaos.make(path, sink=sink, sample_rate=44100, **settings)
    before = _files(path)
    chaos.make(path, sink=sink, sample_rate=44100, **settings | {"patches": 32})
    sizes = [size for file, size in _files(path).items() if file not in before]
    plan = open_dataset(path).plan
    needed = needed_by(plan, Host.load().sink_at(plan.sink.name, plan.sink.options, path), 16)
    assert needed.nbytes == pytest.approx(sum(sizes), rel=0.1)
    assert needed.files == len(sizes)


def _files(path: Path) -> dict[Path, int]:
    return {file: file.stat().st_size for file in path.rglob("*") if not (file.parent == path and file.is_dir())}


@pytest.mark.long
def test_a_trial_stores_rows_as_small_as_those_of_the_run(chaos, tmp_path):
    resolved = chaos.resolved(("silent",), patches=8, sampler="troublesome")
    summary = run(resolved, tmp_path / "d", workers=1)
    audio = sum(file.stat().st_size for file in (tmp_path / "d" / "audio").iterdir())
    tried = try_out(resolved, Host.load())
    assert tried.rows == 10
    assert tried.row_seconds > 0
    assert audio / summary.rows < tried.row_bytes < audio / summary.rows + 3000


@pytest.mark.long
def test_a_dry_run_tells_size_and_time_and_writes_nothing(chaos, tmp_path):
    words = ["generate", *SHORT, "--backend.slow", "0.05", "-n", "600", "--dry-run", "--workers", "1"]
    text = terminal(*words, "d", cwd=tmp_path).stdout
    told = json.loads(terminal(*words, "--json", "d", cwd=tmp_path).stdout)["estimate"]
    assert list(tmp_path.iterdir()) == []
    assert re.search(r"^  size +about [\d.]+ MiB in [\d,]+ files$", text, re.MULTILINE)
    assert re.search(r"^  disk +[\d.]+ [GT]iB free", text, re.MULTILINE)
    assert re.search(r"^  time +about [\d.]+ (s|min|h), by the first patches$", text, re.MULTILINE)
    assert told["rows"] == 1800
    assert told["seconds"] > 1800 * 0.05
    assert told["nbytes"] > 1800 * 1000


def _answered(monkeypatch: pytest.MonkeyPatch, answer: bool | None) -> list[str]:
    """Let there be a terminal with somebody who answers, or none; return what is asked."""
    questions: list[str] = []
    monkeypatch.setattr(asked, "_can_ask", lambda: answer is not None)
    monkeypatch.setattr(asked.typer, "confirm", lambda text, **_: questions.append(text) or answer)
    return questions


@pytest.mark.parametrize(("answer", "status"), [(None, 2), (False, 130), (True, 0)])
def test_a_run_that_is_larger_than_its_disk_is_asked_about(chaos, tmp_path, monkeypatch, capsys, answer, status):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: SimpleNamespace(free=2048))
    questions = _answered(monkeypatch, answer)
    assert run_command(["generate", *SHORT, "-n", "1", "d", "--workers", "1"]) == status
    told = capsys.readouterr().err + "".join(questions)
    assert re.search(r"it needs about [\d.]+ KiB, and the disk has 2.0 KiB free", told)
    assert ("--yes" in told) == (answer is None)
    assert (tmp_path / "d").exists() == (status == 0)
    assert status == 0 or list(tmp_path.iterdir()) == []
    assert len(questions) == (answer is not None)


def test_yes_starts_it_without_a_question(chaos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ahead, "MOST_ROWS", 1)
    assert run_command(["generate", *SHORT, "-n", "1", "d", "--workers", "1"]) == 2
    assert run_command(["generate", *SHORT, "-n", "1", "d", "--workers", "1", "--yes"]) == 0


@pytest.mark.long
def test_a_run_of_many_days_is_tried_out_and_refused(chaos, tmp_path):
    words = ["generate", *SHORT, "--backend.slow", "0.1", "-n", "3000000", "--workers", "1", "d"]
    done = terminal(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert re.search(r"it takes about \d\d+ days", done.stderr)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("free", "said"), [(Room(10**9, 10), "room for 10"), (Room(10**9, None), "")])
def test_files_that_a_disk_has_no_room_for_are_an_objection(free, said):
    found = list(ahead.Ahead(100, Room(1000, 100), free, 1.0, 1).objections())
    assert (len(found), said in "".join(found)) == (bool(said), True)


def test_time_and_size_are_told_after_the_first_block_of_a_long_run(chaos, tmp_path, monkeypatch, capsys):
    told: list[Any] = []

    class Heard(Watcher):
        def outlook(self, seconds: float, nbytes: int, free: int | None) -> None:
            told.append((seconds, nbytes, free))

    chaos.make(tmp_path / "d", patches=4, block=4)
    dataset = open_dataset(tmp_path / "d")
    sink = Host.load().sink_at("zarr", {}, tmp_path / "d")
    monkeypatch.setattr(outlook, "time", SimpleNamespace(monotonic=iter([0.0, 0.0, 40.0]).__next__))
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: SimpleNamespace(free=dataset.nbytes * 5))
    watcher = Outlook(Heard(), sink)
    plan = chaos.resolved(patches=40, block=4).plan
    watcher.started(plan, tmp_path / "d", 10, 0)
    watcher.accepted(8)
    watcher.accepted(8)
    watcher.committed(0, 8)
    watcher.committed(1, 8)
    assert told == [(40.0 * (80 - 16) / 16, dataset.nbytes * 10, dataset.nbytes * 5)]
    assert "its disk has" in capsys.readouterr().err
