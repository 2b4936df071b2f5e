"""How much room a dataset takes, and whether its disk has it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tonesmith.buckets.address import is_remote
from tonesmith.host.roles import Sink
from tonesmith.plan.plan import Plan
from tonesmith.terminal.messages import warn
from tonesmith.terminal.text import size


@dataclass(frozen=True, slots=True)
class Room:
    """What something takes on a disk, or what a disk has free.

    Attributes:
        nbytes: bytes.
        files: files and folders; None where a disk does not count them.
    """

    nbytes: int
    files: int | None


def needed_by(plan: Plan, sink: Sink[Any], rows: int, row_bytes: float | None = None) -> Room:
    """Return about how much room rows of a plan take, as its sink stores them.

    Args:
        plan: the plan.
        sink: that stores them.
        rows: how many.
        row_bytes: bytes of a row, if that was measured; else they are taken from what the sink says of itself.
    """
    told = sink.footprint(len(plan.schema))
    if row_bytes is None:
        audio = 4 * plan.audio.channels * plan.audio.frames
        labels = sum(
            np.dtype(column.dtype).itemsize * int(np.prod(column.shape, dtype=np.int64))
            for column in plan.schema
            if column.name != "audio"
        )
        row_bytes = told.share * audio + labels
    blocks = -(-rows // plan.block_rows)
    return Room(round(row_bytes * rows * told.copies), told.row_files * rows + told.block_files * blocks)


def free_at(path: Path) -> Room | None:
    """Return what the disk has free that a path is on, which need not exist; None where that cannot be known."""
    if is_remote(path):  # a bucket has no end
        return None
    try:
        above = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
        free = shutil.disk_usage(above).free
        counts = os.statvfs(above) if hasattr(os, "statvfs") else None
    except OSError:
        return None
    return Room(free, counts.f_favail if counts is not None and counts.f_files else None)


def warn_of_room(path: Path, needed: int, files: int = 0) -> None:
    """Warn if the disk that a path is on has less room than is needed. It is an estimate, so nothing is refused.

    Args:
        path: of what will be written; it need not exist.
        needed: bytes.
        files: files and folders.
    """
    free = free_at(path)
    if free is None:
        return
    if needed > free.nbytes:
        warn(f"{path} needs about {size(needed)}; its disk has {size(free.nbytes)} free.")
    if free.files is not None and files > free.files:
        warn(f"{path} needs about {files:,} files; its disk has room for {free.files:,}.")
