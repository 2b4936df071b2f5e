"""A log of a run in a file: what happened when, why candidates were rejected, and what engines and workers wrote."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from tonesmith.engine.overheard import overhearing
from tonesmith.errors import ConfigError
from tonesmith.plan.plan import Plan
from tonesmith.plan.rejection import Rejection
from tonesmith.plan.summary import Summary
from tonesmith.run.watch import Relay, Watcher
from tonesmith.terminal.messages import warn
from tonesmith.terminal.text import WHOLE, counted, one_line


class RunLog:
    """A file to which lines with the time in front are added; each is in it at once."""

    def __init__(self, path: Path, stream: IO[str]) -> None:
        self._path = path
        self._stream = stream
        self._lock = threading.Lock()
        self._broken = False

    def write(self, text: str) -> None:
        """Add a line. One that cannot be written is the last, with a warning: the run goes on."""
        moment = datetime.now().astimezone().isoformat(timespec="milliseconds")
        with self._lock:
            if self._broken:
                return
            try:
                self._stream.write(f"{moment} {text}\n")
            except OSError as error:
                self._broken = True
                warn(f"--log: {self._path} cannot be written any further: {error.strerror}. The run goes on.")

    def watching(self, watcher: Watcher) -> Watcher:
        """Return a watcher that logs what it hears, and passes it on to another."""
        return _LoggingWatcher(self, watcher)


@contextmanager
def logging_to(path: Path) -> Iterator[RunLog]:
    """Give the log in a file, to which it is added, and have all that engines and workers write go to it too.

    Raises :class:`ConfigError` if the file cannot be written.
    """
    try:
        stream = path.open("a", encoding="utf-8", errors="backslashreplace", buffering=1)
    except OSError as error:
        raise ConfigError(f"--log: {path} cannot be written: {error.strerror}") from None
    log = RunLog(path, stream)
    try:
        with overhearing(log.write):
            yield log
    except BaseException as error:
        log.write(f"failed: {one_line(error, WHOLE) or type(error).__name__}")
        raise
    finally:
        _close(stream)


def _close(stream: IO[str]) -> None:
    try:
        stream.close()
    except OSError:  # a full disk, of which the log has warned
        return


class _LoggingWatcher(Relay):
    def __init__(self, log: RunLog, watcher: Watcher) -> None:
        super().__init__(watcher)
        self._log = log

    def started(self, plan: Plan, path: Path, blocks_todo: int, rows_done: int) -> None:
        self._log.write(
            f"started {path}: plan {plan.fingerprint[:12]}, {counted(plan.rows, 'row')}, {rows_done:,} of them there, "
            f"{counted(blocks_todo, 'block')} to do"
        )
        super().started(plan, path, blocks_todo, rows_done)

    def sharing(self, blocks: int, rows: int) -> None:
        self._log.write(f"makes a share of {counted(blocks, 'block')}, {counted(rows, 'row')}")
        super().sharing(blocks, rows)

    def again(self, patch: int, attempt: int, why: str) -> None:
        self._log.write(f"played again: patch {patch}, attempt {attempt}: {one_line(why, WHOLE)}")
        super().again(patch, attempt, why)

    def rejected(self, rejection: Rejection) -> None:
        self._log.write(f"rejected {_described(rejection)}")
        super().rejected(rejection)

    def dropped(self, rows: int, rejections: Sequence[Rejection]) -> None:
        self._log.write(
            f"dropped {counted(rows, 'row')} and {counted(len(rejections), 'rejection')} of a block whose worker ended"
        )
        super().dropped(rows, rejections)

    def committed(self, block: int, rows: int) -> None:
        self._log.write(f"committed block {block}, {counted(rows, 'row')}")
        super().committed(block, rows)

    def joined(self) -> None:
        self._log.write("another run makes this dataset too: the blocks are shared")
        super().joined()

    def elsewhere(self, block: int, rows: int) -> None:
        self._log.write(f"another run committed block {block}, {counted(rows, 'row')}")
        super().elsewhere(block, rows)

    def waiting(self, blocks: int) -> None:
        self._log.write(f"waiting for {counted(blocks, 'block')} that another run is making")
        super().waiting(blocks)

    def stopping(self) -> None:
        self._log.write("stopping: the blocks in flight are finished first")
        super().stopping()

    def dropping(self) -> None:
        self._log.write("stopping at once: the blocks in flight are dropped")
        super().dropping()

    def finished(self, summary: Summary) -> None:
        self._log.write(
            f"finished: {summary.rows:,} of {counted(summary.rows_planned, 'row')}, {summary.rows_added:,} of them new,"
            f" in {summary.seconds:.1f} s" + (f", digest {summary.digest}" if summary.digest else "")
        )
        super().finished(summary)


def _described(rejection: Rejection) -> str:
    note = f", pitch {rejection.pitch}" if rejection.pitch >= 0 else ""
    measured = ", ".join(f"{name} {value:.6g}" for name, value in rejection.measured.items())
    detail = one_line("; ".join(filter(None, (rejection.detail, measured))), WHOLE)
    where = f"patch {rejection.patch}, attempt {rejection.attempt}{note}"
    return f"{where}, by {rejection.cause}" + (f" ({detail})" if detail else "")
