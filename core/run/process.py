"""Telling a process of this machine from others, and whether it is still there."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path


def machine() -> str:
    """Return what tells processes apart that see each other by number: the boot of the system, and the container."""
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    return socket.gethostname()


def born(pid: int) -> str:
    """Return when a process of this machine began, in a form of the system's own; "" if it is not there."""
    with contextlib.suppress(OSError, IndexError):
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        state, *fields = told.rpartition(")")[2].split()
        return fields[18] if state not in {"Z", "X"} else ""
    if Path("/proc/self/stat").exists():
        return ""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return "some time"
    except (OSError, OverflowError):
        return ""
    return "some time"
