"""CPU and memory of a process and all that it started, read from Linux's ``/proc``."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """One line of ``/proc/<pid>/stat``: CPU seconds, user and system, with those of children that were waited for."""

    pid: int
    parent: int
    seconds: float


def process(pid: int) -> Process | None:
    """Return what the kernel says of a process, or None once it is gone."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return Process(pid, int(fields[1]), sum(map(int, fields[11:15])) / _TICK)


def tree(root: int) -> list[Process]:
    """Return a process and its descendants that live, the root first."""
    every = [p for entry in _PROC.iterdir() if entry.name.isdigit() and (p := process(int(entry.name)))]
    found = [p for p in every if p.pid == root]
    for one in found:  # grows while it is walked
        found += [p for p in every if p.parent == one.pid]
    return found


def cpu_seconds(root: int) -> float:
    """Return the CPU seconds of a process, of its living descendants, and of those that ended and were waited for."""
    return sum(p.seconds for p in tree(root))


def memory_mb(pid: int) -> float:
    """Return a process's share of memory in MB: PSS, which counts a shared page once in all, or else RSS."""
    with contextlib.suppress(OSError):
        return _kilobytes(pid, "smaps_rollup", "Pss:") / 1024
    with contextlib.suppress(OSError):
        return _kilobytes(pid, "status", "VmRSS:") / 1024
    return 0.0


def has_pss() -> bool:
    """Return whether the kernel tells PSS."""
    return (_PROC / "self" / "smaps_rollup").exists()


def command(pid: int) -> str:
    """Return the command line of a process, or "" once it is gone."""
    with contextlib.suppress(OSError):
        return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return ""


def _kilobytes(pid: int, file: str, key: str) -> int:
    for line in (_PROC / str(pid) / file).read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1])
    return 0
