"""Files in or beside a dataset that are not its rows, such as its card: whoever made it may have put others there."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from tonesmith.errors import DatasetError


def refuse_link(path: Path) -> None:
    """Raise :class:`DatasetError` if a file or folder that is to be written is a link: it may lead to other files."""
    if path.is_symlink():
        raise DatasetError(
            f"{path} is a link, and nothing is written through it: it may lead to anybody's files. Remove it."
        )


def read_plain(path: Path) -> bytes:
    """Return the content of a plain file. Raises :class:`OSError`, also for a pipe, which could keep us waiting."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, f"{path.name} is no file", str(path))
    with os.fdopen(descriptor, "rb") as file:
        return file.read()
