"""Forked copies of an engine's process, and what became of them."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tonesmith.engine.channel import die_with_parent, signal_name
from tonesmith.engine.fault import Fault, FaultError
from tonesmith.engine.wakeups import silence, threads
from tonesmith.errors import EngineError

_LIBC = ctypes.PyDLL(None, use_errno=True) if sys.platform == "linux" else None
_TASKS = Path("/proc/self/task")
_LINKS = 2
"""Of an empty folder."""
_DEATHS = 3
"""Copies that may be ended by signals, no two of them alike, before the act is blamed."""
_ABORTS = 200
"""Copies of a process with threads that may abort before it is blamed: a lock that a thread held may be the cause."""
_HANGS, _SECONDS = 3, 20.0
"""Copies that may take longer than so many seconds there, because a lock may also be waited for without end."""


def fork(act: Callable[[], object], report: Callable[[BaseException], object]) -> int:
    """Fork; in the child act, report an exception, and exit; in the parent return the child's id."""
    flush()
    parent = os.getpid()
    pid = _split()
    if pid:
        return pid
    try:
        die_with_parent(parent)
        silence()
        act()
    except BaseException as error:  # noqa: BLE001 - nothing may escape into the parent's code
        report(error)
    finally:
        flush()
        os._exit(0)


def _split() -> int:
    """Fork, and return the child's id, and 0 in the child.

    With one thread it is the C library's fork. Python's runs hooks of modules in the child, for locks that other
    threads may hold, and for random numbers of its own: they write to, and so copy, a hundred pages, and a child is to
    be as its parent was.

    Raises ``OSError`` if the system refuses.
    """
    if _LIBC is None or not _alone():
        return os.fork()
    pid: int = _LIBC.fork()
    if pid < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return pid


def _alone() -> bool:
    """Return whether this process is known to have one thread: Linux counts them as links of a folder."""
    try:
        return _TASKS.stat().st_nlink == _LINKS + 1
    except OSError:
        return False


def flush() -> None:
    """Send on what was printed: before a fork, lest each copy print it again; and before an end without a flush."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # a plugin may have put anything in its place
        sys.stdout.flush()


def signal_of(pid: int) -> int:
    """Wait for a child, and return the signal that ended it; an exit that was not ours counts as SIGABRT."""
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code > 0:
        return int(signal.SIGABRT)
    return -code


def forked(act: Callable[[], dict[str, Any]], module: str = "") -> dict[str, Any]:
    """Return the JSON-serialisable result of an act in a forked copy of this process, which ends with it.

    Args:
        act: to do there.
        module: of the plugin whose code it runs, a line of which is named if the act raises; "" for the innermost.

    Raises :class:`EngineError` with what the act raised, or the signal that ended the copy, once it ended a second one
    too: a signal may also come from outside. Where this process has threads, a copy may have met a lock that one of
    them held, so more copies are tried.
    """
    alone = threads() == 1
    deaths: list[int] = []
    hangs = 0
    while True:
        number, text = _forked_once(act, module, None if alone or hangs == _HANGS else _SECONDS)
        if text and not number:
            break
        if number is None:
            hangs += 1
            continue
        if _is_its_own_doing(number, deaths, alone):
            raise EngineError(f"the engine crashed on it ({signal_name(number)})")
        deaths.append(number)
    answer = json.loads(text)
    if "failed" in answer:
        raise FaultError(Fault.from_json(answer["failed"]))
    told: dict[str, Any] = answer["told"]
    return told


def _is_its_own_doing(number: int, deaths: Sequence[int], alone: bool) -> bool:
    """Return whether a copy that ended, after others that signals ended, ended by what it did."""
    if number == signal.SIGABRT and not alone:
        return deaths.count(number) == _ABORTS - 1
    return not number or number in deaths or len(set(deaths)) == _DEATHS - 1


def _forked_once(act: Callable[[], dict[str, Any]], module: str, seconds: float | None) -> tuple[int | None, bytes]:
    """Return the signal that ended a copy, or 0, and what it told; None for one that took longer than it may."""
    reader, writer = os.pipe()

    def tell(told: dict[str, Any]) -> None:
        with os.fdopen(writer, "wb") as stream:
            stream.write(json.dumps(told).encode())

    def report(error: BaseException) -> None:
        tell({"failed": Fault.of(error, module).to_json()})

    pid = fork(lambda: tell({"told": act()}), report)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        if not select.select([stream], [], [], seconds)[0]:  # its end closes the pipe
            os.kill(pid, signal.SIGKILL)
            signal_of(pid)
            return None, b""
        text = stream.read()
    return signal_of(pid), text
