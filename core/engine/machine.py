"""What this machine lets a process do."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from tonesmith.engine.quota import quotas

_SLURM = "SLURM_CPUS_PER_TASK"
"""The variable that has the cores of a Slurm task, where its script asks for a number."""


def can_fork() -> bool:
    """Return whether engines may be forked here. On macOS their frameworks do not survive it."""
    return hasattr(os, "fork") and sys.platform != "darwin"


def cores(folder: Path = Path("/"), variables: Mapping[str, str] = os.environ) -> int:
    """Return the processor cores that this process may use: the least that anything grants it.

    That is what the scheduler lets it run on, what Slurm gave to its task (which does not bind it to cores without a
    plugin), and what a container may have: a limit of its control group or of one above, rounded up.

    Args:
        folder: under which the kernel's files lie.
        variables: of the environment.
    """
    granted = [len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1]
    task = variables.get(_SLURM, "")
    if task.isdecimal():
        granted.append(int(task))
    return max(1, min([*granted, *quotas(folder)]))
