"""How many cores the control groups of a process leave it: a container sees every core of its machine.

Files: https://docs.kernel.org/admin-guide/cgroup-v2.html (``cpu.max``) and
https://docs.kernel.org/scheduler/sched-bwc.html (version 1); proc(5) and cgroups(7) for where they are.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class _Mount:
    """A tree of control groups that is mounted.

    Attributes:
        root: the group that is at the top of what is mounted.
        place: where it is mounted.
        version: of control groups, 1 or 2.
    """

    root: PurePosixPath
    place: PurePosixPath
    version: int


def quotas(folder: Path = Path("/")) -> list[int]:
    """Return the cores that each group with a limit allows, this process's own and those above it, rounded up.

    Args:
        folder: under which the kernel's files lie. What is not there, or is no number, limits nothing.
    """
    groups = _groups(folder)
    found = []
    for mount in _mounts(folder):
        if mount.version in groups:
            found += [cores for place in _upwards(mount, groups[mount.version]) if (cores := _cores(folder, place))]
    return found


def _groups(folder: Path) -> dict[int, PurePosixPath]:
    """Return version of control groups -> the group of this process that limits its CPU."""
    found = {}
    for line in _lines(folder / "proc/self/cgroup"):
        _, controllers, group = [*line.split(":", 2), "", ""][:3]
        if not controllers:
            found[2] = PurePosixPath(group)
        elif "cpu" in controllers.split(","):
            found[1] = PurePosixPath(group)
    return found


def _mounts(folder: Path) -> Iterator[_Mount]:
    for line in _lines(folder / "proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or len(kind) < 3:
            continue
        root, place = (PurePosixPath(_ESCAPED.sub(lambda m: chr(int(m[1], 8)), text)) for text in fields[3:5])
        if kind[0] == "cgroup2":
            yield _Mount(root, place, 2)
        elif kind[0] == "cgroup" and "cpu" in kind[2].split(","):
            yield _Mount(root, place, 1)


def _upwards(mount: _Mount, group: PurePosixPath) -> Iterator[PurePosixPath]:
    """Yield where a group and those above it are mounted; the top alone, where the group is outside of the mount."""
    inside = group.relative_to(mount.root) if group.is_relative_to(mount.root) else PurePosixPath()
    while True:
        yield mount.place / inside
        if not inside.parts:
            return
        inside = inside.parent


def _cores(folder: Path, place: PurePosixPath) -> int:
    """Return the cores that a group allows, rounded up; 0 for any number."""
    group = folder / place.relative_to("/")
    words = " ".join(_lines(group / "cpu.max")).split()
    if not words:
        words = [*_lines(group / "cpu.cfs_quota_us"), *_lines(group / "cpu.cfs_period_us")]
    if len(words) != 2 or not all(word.isdecimal() for word in words):  # "max", or -1
        return 0
    quota, period = map(int, words)
    return -(-quota // period) if period else 0


def _lines(file: Path) -> list[str]:
    with contextlib.suppress(OSError, ValueError):
        return file.read_text(encoding="utf-8").splitlines()
    return []
