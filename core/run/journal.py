"""The run log: what each run of a dataset did, in lines of JSON beside the dataset.

::

    .d.zarr.tonesmith.runs/20261128T150312-host-4711-1a2b3c4d.jsonl    one file per run, which only that run writes

It lies beside the dataset and not in it: it names hosts and processes, which are nobody's business where a dataset is
published, and no sink counts it, lists it or converts it. A run never fails over its log. Each line has ``time`` and
``event``; all but the first and the last have what was made until then, so that a log that was cut short tells no less.
The time of the file is the last sign of life.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from tonesmith.buckets.address import is_remote
from tonesmith.plan.plan import Plan
from tonesmith.plan.rejection import Rejection, is_fault
from tonesmith.plan.summary import Summary
from tonesmith.run.presence import Presence
from tonesmith.run.process import born, machine
from tonesmith.run.watch import Relay, Watcher
from tonesmith.terminal.text import one_line

KEPT = 50
"""Logs that are kept, and those of all that are at work."""
LARGEST = 1 << 20
"""Bytes of a log. A longer one loses what is in its middle."""
_TAIL = LARGEST // 4
"""Bytes at its end that are kept then."""
_BEAT = 5.0
"""Seconds between two signs of life."""
SILENT = 120.0
"""Seconds without a sign of life after which a run on another machine counts as ended."""
_SHOWN = 500
"""Characters of a message."""


def runs_folder(path: Path) -> Path:
    """Return the folder with the logs of the runs of a dataset."""
    whole = path.resolve()
    return whole.with_name(f".{whole.name}.tonesmith.runs")


@contextlib.contextmanager
def journal(path: Path, plan: Plan, presence: Presence, watcher: Watcher) -> Iterator[Watcher]:
    """Give a watcher that keeps the log of a run, and passes all on to another.

    Args:
        path: of the dataset.
        plan: of it.
        presence: of the run.
        watcher: hears what happens too.
    """
    if is_remote(path):  # to whose objects nothing can be added
        yield watcher
        return
    file = _RunFile(_file_of(path, presence.number))
    watching = _Journal(file, plan, presence, watcher)
    try:
        yield watching
    except BaseException as error:
        watching.write("failed", error=one_line(error, _SHOWN) or type(error).__name__)
        raise
    finally:
        file.close()


def _file_of(path: Path, number: int) -> Path:
    host = re.sub(r"[^A-Za-z0-9.-]", "_", socket.gethostname())[:64]
    began = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    return runs_folder(path) / f"{began}-{host}-{os.getpid()}-{number:08x}.jsonl"


class _RunFile:
    """A file to which whole lines are added; one that cannot be written is given up."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._descriptor = -1
        self._size = 0
        self._beaten = time.monotonic()
        with contextlib.suppress(OSError, ValueError):
            file.parent.mkdir(exist_ok=True)
            if not file.parent.is_symlink():
                self._descriptor = self._opened(os.O_EXCL)
        with contextlib.suppress(OSError):
            _thin(file.parent)

    def add(self, line: str) -> None:
        """Add a line."""
        content = f"{line}\n".encode()
        self._size += len(content)
        self._try(lambda: os.write(self._descriptor, content))
        if self._size > LARGEST:
            self._try(self._shorten)
        self._beaten = time.monotonic()

    def beat(self) -> None:
        """Give a sign of life, now and then."""
        if time.monotonic() - self._beaten > _BEAT:
            self._beaten = time.monotonic()
            self._try(lambda: os.utime(self._descriptor))

    def close(self) -> None:
        """Close the file."""
        self._try(lambda: os.close(self._descriptor))
        self._descriptor = -1

    def _try(self, step: Any) -> None:
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                step()

    def _opened(self, flag: int) -> int:
        return os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | flag, 0o666)

    def _shorten(self) -> None:
        """Keep the first line, and as many of the last as there is room for."""
        lines = self._file.read_bytes().splitlines(keepends=True)
        kept, size = [lines[0]], 0
        for line in reversed(lines[1:]):
            size += len(line)
            if size > _TAIL:
                break
            kept.insert(1, line)
        aside = self._file.with_suffix(".part")
        aside.write_bytes(b"".join(kept))
        aside.replace(self._file)
        os.close(self._descriptor)
        self._descriptor = self._opened(0)
        self._size = sum(map(len, kept))


def _thin(folder: Path) -> None:
    """Remove the oldest logs, if there are many. One at work gives signs of life, and so is none of them."""
    logs = sorted(folder.glob("*.jsonl"), key=lambda file: file.lstat().st_mtime)
    for log in logs[:-KEPT]:
        if time.time() - log.lstat().st_mtime > SILENT:
            log.unlink(missing_ok=True)


class _Journal(Relay):
    def __init__(self, file: _RunFile, plan: Plan, presence: Presence, watcher: Watcher) -> None:
        super().__init__(watcher)
        self._file = file
        self._plan = plan
        self._presence = presence
        self._rows = 0
        self._rejections: Counter[str] = Counter()
        self._began = self._committed = time.monotonic()

    def write(self, event: str, **told: Any) -> None:
        """Add a line."""
        moment = datetime.now().astimezone().isoformat(timespec="milliseconds")
        self._file.add(json.dumps({"time": moment, "event": event, **told}))

    def started(self, plan: Plan, path: Path, blocks_todo: int, rows_done: int) -> None:
        self.write(
            "started",
            path=str(path.absolute()),
            plan=self._plan.fingerprint,
            host=socket.gethostname(),
            machine=machine(),
            pid=os.getpid(),
            born=born(os.getpid()),
            run=self._presence.number,
            locked=self._presence.locked,
            rows_planned=plan.rows,
            rows_done=rows_done,
            blocks_todo=blocks_todo,
        )
        super().started(plan, path, blocks_todo, rows_done)

    def again(self, patch: int, attempt: int, why: str) -> None:
        self.write("again", patch=patch, attempt=attempt, error=one_line(why, _SHOWN), **self._totals())
        super().again(patch, attempt, why)

    def rejected(self, rejection: Rejection) -> None:
        self._rejections[one_line(rejection.cause)] += 1
        if is_fault(rejection):
            told = one_line(f"{rejection.cause} {rejection.detail}", _SHOWN)
            self.write("fault", patch=rejection.patch, attempt=rejection.attempt, error=told, **self._totals())
        super().rejected(rejection)

    def dropped(self, rows: int, rejections: Sequence[Rejection]) -> None:
        self._rejections -= Counter(one_line(rejection.cause) for rejection in rejections)
        self.write("worker died", rows_dropped=rows, **self._totals())
        super().dropped(rows, rejections)

    def committed(self, block: int, rows: int) -> None:
        now = time.monotonic()
        self._rows += rows
        self.write("block", block=block, seconds=round(now - self._committed, 3), **self._totals())
        self._committed = now
        super().committed(block, rows)

    def joined(self) -> None:
        self.write("shared", **self._totals())
        super().joined()

    def waiting(self, blocks: int) -> None:
        self.write("waiting", blocks=blocks, **self._totals())
        super().waiting(blocks)

    def tick(self) -> None:
        self._file.beat()
        super().tick()

    def stopping(self) -> None:
        self.write("stopping", **self._totals())
        super().stopping()

    def dropping(self) -> None:
        self.write("dropping", **self._totals())
        super().dropping()

    def finished(self, summary: Summary) -> None:
        ended = {
            "rows_there": summary.rows,
            "complete": summary.complete,
            "done": summary.done,
            "interrupted": summary.interrupted,
        }
        self.write("finished", **ended, digest=summary.digest, **self._totals())
        super().finished(summary)

    def _totals(self) -> dict[str, Any]:
        seconds = round(time.monotonic() - self._began, 3)
        return {"rows": self._rows, "rejections": dict(self._rejections.most_common(50)), "after": seconds}
