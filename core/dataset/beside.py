"""Files in or beside a dataset that are not its rows, such as its card: whoever made it may have put others there."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from tonesmith.buckets.address import is_remote
from tonesmith.document import open_plain
from tonesmith.errors import DatasetError

ASIDE = ".tonesmith-"
"""What the names of files begin with while they are written."""


def named(path: Path) -> Path:
    """Return a path whose last part is a name: that of the folder for ``.`` and ``..``."""
    return path.resolve() if path.name in {"", ".."} else path


def beside(path: Path, ending: str) -> Path:
    """Return the path beside a dataset that has its name and an ending, such as ``d.zarr.report.html``."""
    whole = named(path)
    return whole.with_name(f"{whole.name}{ending}")


def refuse_link(path: Path) -> None:
    """Raise :class:`DatasetError` if a file or folder that is to be written is a link: it may lead to other files."""
    if path.is_symlink():
        raise DatasetError(
            f"{path} is a link, and nothing is written through it: it may lead to anybody's files. Remove it."
        )


def write_beside(path: Path, content: bytes) -> None:
    """Write a file aside, flush it to the disk and rename it, so that it is there whole or not at all.

    What a process that was killed left aside of the same file is removed first. In a bucket, an object appears whole.

    Raises :class:`DatasetError` if that fails, or a link is there.
    """
    refuse_link(path)
    if is_remote(path):
        path.write_bytes(content)
        return
    try:
        _sweep(path)
        with _aside(path) as (aside, file):
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            aside.replace(path)
    except OSError as error:
        raise DatasetError(f"cannot write {path}: {error.strerror or error}.") from error


@contextlib.contextmanager
def _aside(path: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Give a new file beside another one. It is locked as long as it is open, and gone afterwards unless renamed."""
    aside, file = _opened(path)
    try:
        with file:
            yield aside, file
    finally:
        with contextlib.suppress(OSError):
            aside.unlink()


def _opened(path: Path) -> tuple[Path, BinaryIO]:
    while True:
        aside = path.with_name(f"{_stem(path)}{secrets.token_hex(8)}")
        file = aside.open("xb")
        _lock(file.fileno(), wait=True)
        if os.fstat(file.fileno()).st_nlink:
            return aside, file
        file.close()  # before it was locked, another writer took it for what a dead one left


def _sweep(path: Path) -> None:
    """Remove what writers of a file left aside that are no more: what nobody has locked."""
    ours = re.compile(re.escape(_stem(path)) + "[0-9a-f]{16}")
    for name in filter(ours.fullmatch, os.listdir(path.parent)):  # noqa: PTH208 - there may be many
        aside = path.with_name(name)
        with contextlib.suppress(OSError), os.fdopen(open_plain(aside), "rb") as file:
            if _lock(file.fileno(), wait=False):
                aside.unlink()


def _stem(path: Path) -> str:
    """Return what the names of all asides of a file begin with: of one length, so that no name becomes too long."""
    return f"{ASIDE}{sha256(os.fsencode(path.name)).hexdigest()[:16]}-"


def _lock(descriptor: int, *, wait: bool) -> bool:
    """Lock an open file until it is closed, and return whether it is: not all file systems can, and others may have."""
    if sys.platform == "win32":
        return False
    import fcntl

    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
