"""Files that appear whole or not at all: written aside, flushed to the disk, renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from tonesmith.errors import DatasetError

_STALE = 3600.0
"""Seconds after which a file left aside belongs to nobody: writing one takes a moment."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Aside:
    """Files on their way into a dataset: written in one folder, then renamed into place together.

    Leaving the ``with`` block on an error removes what was not renamed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._waiting: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        return self

    def write(self, final: Path, pieces: Iterable[bytes]) -> None:
        """Write the content of ``final`` aside."""
        aside = os.path.join(self._folder, f"{os.getpid()}.{secrets.token_hex(8)}")  # noqa: PTH118 - 20 times a block
        # Not tempfile: its files are for their owner alone, and a dataset is to be shared.
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        self._waiting.append((aside, str(final)))
        with open(descriptor, "wb") as file:  # noqa: PTH123 - there is only a descriptor
            file.writelines(pieces)

    def commit(self) -> None:
        """Flush what was written, rename all of it into place, and flush the folders."""
        for aside, _ in self._waiting:
            flush(aside)
        folders = {os.path.dirname(final): None for _, final in self._waiting}  # noqa: PTH120
        while self._waiting:
            aside, final = self._waiting[-1]
            os.replace(aside, final)  # noqa: PTH105
            self._waiting.pop()
        for folder in folders:
            flush(folder)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for aside, _ in self._waiting:
            with contextlib.suppress(OSError):
                os.unlink(aside)  # noqa: PTH108
        self._waiting.clear()


def write_whole(aside: Path, final: Path, content: bytes) -> None:
    """Write one file so that it is there whole, and on the disk, or not at all."""
    with Aside(aside) as files:
        files.write(final, (content,))
        files.commit()


def flush(path: str | Path) -> None:
    """Return once a file's bytes, or a folder's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folders(folder: Path) -> None:
    """Make a folder and those above it, and flush each name that was new."""
    if not folder.is_dir():
        make_folders(folder.parent)
        folder.mkdir(exist_ok=True)
        flush(folder.parent)


def sweep(folder: Path) -> None:
    """Remove files that a killed process left aside; those of a living one are too young to be touched."""
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if "." in entry.name and entry.name != "zarr.json" and time.time() - entry.stat().st_mtime > _STALE:
                    os.unlink(entry.path)  # noqa: PTH108


@contextlib.contextmanager
def telling(what: str) -> Iterator[None]:
    """Turn an :class:`OSError` of the body into a :class:`DatasetError` that says what could not be written."""
    try:
        yield
    except OSError as error:
        cure = " Free some space and run the same command again." if error.errno in _FULL else ""
        raise DatasetError(f"cannot write {what}: {error.strerror or error}. Nothing of it was kept.{cure}") from error
