"""What this machine lets a process do."""

from __future__ import annotations

import os
import sys


def can_fork() -> bool:
    """Return whether engines may be forked here. On macOS their frameworks do not survive it."""
    return hasattr(os, "fork") and sys.platform != "darwin"


def cores() -> int:
    """Return the processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
