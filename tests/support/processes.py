"""Processes by /proc, for tests that stop and kill those of a run."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path


def descendants(pid: int) -> list[int]:
    """Return the processes that a process started, and those that they did, by /proc."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found = list(parents.get(pid, []))
    for child in found:
        found += parents.get(child, [])
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def runs(pid: int, module: str) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return (b"-m", module.encode()) in itertools.pairwise(words)


def members(role: str, root: int | None = None) -> list[int]:
    """Return the workers, engines or forks below a process: a fork is an engine's child."""
    below = descendants(root or os.getpid())
    if role == "worker":
        return [pid for pid in below if runs(pid, "tonesmith.run.worker")]
    engines = [pid for pid in below if runs(pid, "tonesmith.engine.server")]
    forks = {child for pid in engines for child in descendants(pid)}
    return [pid for pid in engines if (pid in forks) == (role == "fork")]


def send(pid: int, number: int = signal.SIGKILL) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def wait_for(condition: Callable[[], object], seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)
