"""Reading the logs of a dataset's runs: who made what, who is at work, and how those ended who are not."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from tonesmith.buckets.address import is_remote
from tonesmith.run.journal import LARGEST, SILENT, runs_folder
from tonesmith.run.presence import is_at_work
from tonesmith.run.process import born, machine

State = Literal["working", "finished", "stopped", "failed", "killed"]
_RECENT = 600.0
"""Seconds of the past that the rate of a run is taken from."""
_READ = 200
"""Logs that are read, the newest."""


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run, as its log tells.

    Attributes:
        state: what became of it. One that is "killed" left no last word.
        host, pid: where it is, or was.
        started, seen: seconds since 1970: when it began, and its last sign of life.
        rows: that it stored.
        rate: rows/s of the last minutes, None while that is not known.
        error, error_time: the last thing that went wrong, "" for nothing; and when, seconds since 1970.
    """

    state: State
    host: str
    pid: int
    started: float
    seen: float
    rows: int
    rate: float | None
    error: str
    error_time: float

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return asdict(self)


def past_runs(path: Path, plan: str, now: float | None = None) -> list[PastRun]:
    """Return the runs of a dataset that have a log, oldest first. What is no log is passed over.

    Args:
        path: of the dataset.
        plan: its fingerprint. Runs of another plan, at a dataset that was here before, do not count.
        now: seconds since 1970.
    """
    if is_remote(path):
        return []
    folder = runs_folder(path)
    if folder.is_symlink() or not folder.is_dir():
        return []
    logs = sorted(folder.glob("*.jsonl"))[-_READ:]
    found = [_run_of(log, path, plan, now if now is not None else time.time()) for log in logs]
    return sorted((run for run in found if run is not None), key=lambda run: run.started)


def _run_of(log: Path, path: Path, plan: str, now: float) -> PastRun | None:
    lines, seen = _lines_of(log)
    first = lines[0] if lines else {}
    if first.get("event") != "started" or first.get("plan") != plan:
        return None
    try:
        return _told(lines, seen, path, now)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _lines_of(log: Path) -> tuple[list[dict[str, Any]], float]:
    """Return the lines of a log and the time of its file. The last line may be cut short."""
    try:
        descriptor = os.open(log, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            content, seen = file.read(2 * LARGEST), os.fstat(descriptor).st_mtime
    except OSError:
        return [], 0.0
    lines = []
    for line in content.splitlines():
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(told, dict):
            lines.append(told)
    return lines, seen


def _told(lines: list[dict[str, Any]], seen: float, path: Path, now: float) -> PastRun:
    first = lines[0]
    last_total: Mapping[str, Any] = next((line for line in reversed(lines) if "rows" in line), {})
    wrong: Mapping[str, Any] = next((line for line in reversed(lines) if "error" in line), {})
    state = _state(lines, seen, path, now)
    return PastRun(
        state=state,
        host=str(first["host"])[:64],
        pid=int(first["pid"]),
        started=_moment(first),
        seen=seen,
        rows=int(last_total.get("rows", 0)),
        rate=_rate(lines, now) if state == "working" else None,
        error=str(wrong.get("error", ""))[:500],
        error_time=_moment(wrong) if wrong else 0.0,
    )


def _state(lines: list[dict[str, Any]], seen: float, path: Path, now: float) -> State:
    events = {line.get("event"): line for line in lines}
    if "failed" in events:
        return "failed"
    if (last := events.get("finished")) is not None:
        return "finished" if last.get("done", last.get("complete")) else "stopped"
    first = lines[0]
    if first.get("locked") and is_at_work(path, int(first["run"])):
        return "working"
    if first["machine"] == machine():
        return "working" if first["born"] and born(int(first["pid"])) == first["born"] else "killed"
    return "working" if now - seen < SILENT else "killed"


def _moment(line: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(line["time"]).timestamp()


def _rate(lines: list[dict[str, Any]], now: float) -> float | None:
    """Return rows/s of the last minutes, or since the start while those are fewer; None before a block is stored."""
    counts = [(_moment(lines[0]), 0)]
    counts += [(_moment(line), int(line["rows"])) for line in lines if line["event"] == "block"]
    before = max((place for place, (moment, _) in enumerate(counts) if moment <= now - _RECENT), default=0)
    (since, had), (last, has) = counts[before], counts[-1]
    if has <= had:
        return None
    gap = (last - since) / (len(counts) - 1 - before)
    rate = (has - had) / max((last if now - last < 2 * gap else now) - since, 1e-3)
    return rate if math.isfinite(rate) and rate > 0 else None
