"""What a run will take, before it starts: rows, room, time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tonesmith.engine.machine import cores
from tonesmith.host.registry import Host
from tonesmith.run.pipeline import Work
from tonesmith.run.resolve import Resolved
from tonesmith.run.room import Room, free_at, needed_by
from tonesmith.run.trial import Trial, try_out
from tonesmith.terminal.text import rough, size

MOST_ROWS = 10_000_000
"""That are made without asking."""
LONGEST = 7 * 86400.0
"""Seconds that a run takes without asking."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is left of a dataset, and what it will take.

    Attributes:
        rows: to make.
        needed: on the disk.
        free: of the disk; None where that cannot be known.
        seconds: that it takes here; None if nothing was tried out.
        workers: processes that this is reckoned for; 0 if that is not known.
    """

    rows: int
    needed: Room
    free: Room | None
    seconds: float | None
    workers: int

    def objections(self) -> Iterator[str]:
        """Yield why a person should think twice, a clause each."""
        if self.rows > MOST_ROWS:
            yield f"it makes {self.rows:,} rows"
        if self.seconds is not None and self.seconds > LONGEST:
            yield f"it takes about {rough(self.seconds)}"
        if self.free is None:
            return
        if self.needed.nbytes > self.free.nbytes:
            yield f"it needs about {size(self.needed.nbytes)}, and the disk has {size(self.free.nbytes)} free"
        if self.free.files is not None and (self.needed.files or 0) > self.free.files:
            yield f"it needs about {self.needed.files:,} files, and the disk has room for {self.free.files:,}"

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return {
            "rows": self.rows,
            "nbytes": self.needed.nbytes,
            "files": self.needed.files,
            "free": self.free.nbytes if self.free else None,
            "free_files": self.free.files if self.free else None,
            "seconds": self.seconds,
            "workers": self.workers,
        }


def look_ahead(resolved: Resolved, work: Work, path: Path | None, host: Host, workers: int, *, here: bool) -> Ahead:
    """Return what is left to do, with the time and the size of rows that are made on trial, if there are any to make.

    Args:
        resolved: the plan and its assets.
        work: what is left of it.
        path: of the dataset; None if it is not known.
        host: finds the plugins.
        workers: processes; 0 for one a core.
        here: whether it makes its blocks on this machine. Of others nothing is known.
    """
    return ahead_of(work, path, host, workers, try_out(resolved, host) if work.todo else None, here=here)


def look_ahead_quickly(resolved: Resolved, work: Work, path: Path, host: Host, workers: int, *, here: bool) -> Ahead:
    """Return what :func:`look_ahead` does; rows are made on trial only where a run of many days cannot be ruled out."""
    patches = work.rows_todo // work.plan.per_patch
    slowest = patches * work.plan.timeout / _busy(workers)
    tried = try_out(resolved, host) if here and slowest > LONGEST and not work.done else None
    return ahead_of(work, path, host, workers, tried, here=here)


def ahead_of(work: Work, path: Path | None, host: Host, workers: int, tried: Trial | None, *, here: bool) -> Ahead:
    """Return what is left to do, by rows that were made on trial, if any were. Arguments as for :func:`look_ahead`."""
    plan, rows = work.plan, work.rows_todo
    sink = host.sink_at(plan.sink.name, plan.sink.options, path or Path("dataset"))
    needed = needed_by(plan, sink, rows, tried.row_bytes if tried else None)
    seconds = tried.row_seconds * rows / _busy(workers) if tried and here else None
    free = free_at(path) if path is not None else None
    return Ahead(rows, needed, free, seconds if rows else 0.0, workers or (cores() if here else 0))


def _busy(workers: int) -> int:
    """Return how many workers this machine has cores for."""
    return min(workers or cores(), cores())
