"""Files and folders that appear whole or not at all: written aside, flushed to the disk, renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from tonesmith.buckets.address import BucketPath
from tonesmith.errors import DatasetError
from tonesmith.sinks.base.links import Inside

_STALE = 3600.0
"""Seconds after which what was left aside belongs to nobody: writing it takes a moment."""

_ASIDE = re.compile(r"\.tonesmith-[0-9a-f]{16}")

_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Aside:
    """Files on their way into a dataset: written in one folder, then renamed into place together.

    On their way into a bucket, they are written in a temporary folder of this machine, and sent from there.

    Leaving the ``with`` block on an error removes what was not renamed.

    Args:
        folder: to write in, on the same file system.
        root: of the dataset, in which no link is followed; None for files that are a dataset each.

    Raises :class:`DatasetError` for a link.
    """

    def __init__(self, folder: Path, root: Path | None) -> None:
        self.root = root or folder
        self._folder = str(folder)
        self._remote = isinstance(folder, BucketPath)
        self._inside = Inside(root) if root is not None and not self._remote else None
        self._check(folder)
        self._waiting: deque[tuple[str, Path]] = deque()

    def __enter__(self) -> Self:
        if self._remote:
            self._folder = tempfile.mkdtemp(prefix="tonesmith-")
        return self

    def path(self, final: Path) -> str:
        """Return where to write the content of ``final`` in the meantime. It must be a file by the commit."""
        self._check(final)
        aside = os.path.join(self._folder, _name_aside())  # noqa: PTH118 - 20 times a block
        # Not tempfile: its files are for their owner alone, and a dataset is to be shared.
        self._waiting.append((aside, final))
        return aside

    def write(self, final: Path, pieces: Iterable[bytes]) -> None:
        """Write the content of ``final`` aside."""
        aside = self.path(final)
        with open(aside, "xb") as file:  # noqa: PTH123 - 20 times a block
            file.writelines(pieces)

    def commit(self) -> None:
        """Flush what was written, rename it into place in the order that it was asked for, and flush the folders.

        To a bucket, several are sent at a time, but what was asked for last comes last.
        """
        if self._remote:
            _send(self._waiting)
            return
        for aside, _ in self._waiting:
            flush(aside)
        folders = {os.path.dirname(final) or ".": None for _, final in self._waiting}  # noqa: PTH120
        while self._waiting:
            aside, final = self._waiting[0]
            os.replace(aside, str(final))  # noqa: PTH105
            self._waiting.popleft()
        for folder in folders:
            flush(folder)

    def _check(self, place: Path) -> None:
        if self._inside is not None:
            self._inside.check(place)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for aside, _ in self._waiting:
            with contextlib.suppress(OSError):
                os.unlink(aside)  # noqa: PTH108
        self._waiting.clear()
        if self._remote:
            shutil.rmtree(self._folder, ignore_errors=True)


def _send(waiting: Iterable[tuple[str, Path]]) -> None:
    from tonesmith.buckets.sending import send

    send([(Path(aside), final) for aside, final in waiting if isinstance(final, BucketPath)])


def write_whole(aside: Path, final: Path, content: bytes, root: Path) -> None:
    """Write one file of the dataset at ``root`` so that it is there whole, and on the disk, or not at all."""
    with Aside(aside, root) as files:
        files.write(final, (content,))
        files.commit()


def flush(path: str | Path) -> None:
    """Return once a file's bytes, or a folder's names, are on the disk. Windows offers neither."""
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def folder_aside(parent: Path) -> Iterator[Path]:
    """Make a hidden folder, for as long as the ``with`` block lasts or until it is renamed.

    For what goes into a bucket, it is a temporary one of this machine.
    """
    if isinstance(parent, BucketPath):
        with tempfile.TemporaryDirectory(prefix="tonesmith-") as name:
            yield Path(name)
        return
    folder = parent / _name_aside()
    folder.mkdir()  # not by tempfile, whose folders are for their owner alone
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def place_folder(aside: Path, final: Path) -> bool:
    """Flush a folder and all in it, and rename it into place; return whether the place was free."""
    for folder, _, names in os.walk(aside):
        for name in names:
            flush(os.path.join(folder, name))  # noqa: PTH118
        flush(folder)
    try:
        os.rename(aside, final)  # noqa: PTH104
    except OSError:
        if final.exists():
            return False
        raise
    flush(final.parent)
    return True


def make_folders(folder: Path, root: Path | None = None) -> None:
    """Make a folder and those above it, and flush each name that was new. A bucket needs none.

    Args:
        folder: to make.
        root: of the dataset that it is in, if it is in one: no link below that is followed.
    """
    if isinstance(folder, BucketPath):
        return
    if root is not None:
        Inside(root).check(folder)
    if not folder.is_dir():
        make_folders(folder.parent)
        folder.mkdir(exist_ok=True)
        flush(folder.parent)


def sweep(folder: Path) -> None:
    """Remove what a killed process left aside; what a living one writes is too young to be touched."""
    if isinstance(folder, BucketPath):
        return
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if _ASIDE.fullmatch(entry.name) and time.time() - entry.stat(follow_symlinks=False).st_mtime > _STALE:
                    remove = shutil.rmtree if entry.is_dir(follow_symlinks=False) else os.unlink
                    remove(entry.path)


@contextlib.contextmanager
def telling(what: str, path: Path) -> Iterator[None]:
    """Turn an :class:`OSError` of the body into a :class:`DatasetError` that says what could not be written.

    Args:
        what: could not be, such as "block 3 to d.zarr".
        path: of the dataset.
    """
    try:
        yield
    except OSError as error:
        told = f"cannot write {what}: {error.strerror or error}."
        if error.errno in _DENIED:
            raise DatasetError(f"{told} {path} is unchanged." if path.exists() else told) from error
        cure = " Free some space and run the same command again." if error.errno in _FULL else ""
        raise DatasetError(f"{told} Nothing of it was kept.{cure}") from error


def _name_aside() -> str:
    return f".tonesmith-{secrets.token_hex(8)}"
