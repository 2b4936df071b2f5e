"""Whether a disk has room for what is to be written."""

from __future__ import annotations

import shutil
from pathlib import Path

from tonesmith.buckets.address import is_remote
from tonesmith.terminal.messages import warn
from tonesmith.terminal.text import size


def warn_of_room(path: Path, needed: int) -> None:
    """Warn if the disk that a path is on has less room than is needed. It is an estimate, so nothing is refused.

    Args:
        path: of what will be written; it need not exist.
        needed: bytes.
    """
    if is_remote(path):  # a bucket has no end
        return
    try:
        above = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
        free = shutil.disk_usage(above).free
    except OSError:
        return
    if needed > free:
        warn(f"{path} needs about {size(needed)}; its disk has {size(free)} free.")
