"""A file that is read by places, and that may be closed between reads."""

from __future__ import annotations

import os
from pathlib import Path

from tonesmith.document import open_plain
from tonesmith.errors import DatasetError


class ReplacedError(DatasetError):
    """Another file is there than the one that was opened first."""


class OpenFile:
    """A plain file. Once it is closed, the next read opens it again, if it is still the same.

    Safe to use from threads: a read that is under way holds what it reads from.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: Descriptor | None = Descriptor(path)
        self._identity = self._opened.identity

    @property
    def size(self) -> int:
        """Of the file, in bytes."""
        return self._identity[-1]

    def opened(self) -> Descriptor:
        """Return what to read from, for as long as it is held. Raise :class:`ReplacedError` for another file."""
        held = self._opened
        if held is None:
            held = Descriptor(self._path)
            if held.identity != self._identity:
                raise ReplacedError(f"{self._path.name} was replaced")
            self._opened = held
        return held

    def read_at(self, length: int, offset: int) -> bytes:
        """Return so many bytes, or fewer at the end, from an offset on."""
        held = self.opened()
        return os.pread(held.number, length, offset)

    def close(self) -> None:
        """Close the file, once no read of it is under way."""
        self._opened = None


class Descriptor:
    """A descriptor that is closed when nobody holds it."""

    number = -1

    def __init__(self, path: Path) -> None:
        self.number = open_plain(path)
        self.identity = identity_of(os.fstat(self.number))

    def __del__(self) -> None:
        if self.number >= 0:
            os.close(self.number)


def identity_of(status: os.stat_result) -> tuple[int, int, int, int]:
    """Return what tells a file from one that replaced it, its size last."""
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size


def read_file(path: Path, limit: int) -> bytes:
    """Return the content of a plain file of so many bytes at most."""
    descriptor = open_plain(path)
    try:
        return read_range(descriptor, 0, os.fstat(descriptor).st_size, limit)
    finally:
        os.close(descriptor)


def read_range(descriptor: int, start: int, size: int, limit: int) -> bytes:
    """Return some bytes of a file, of which there may not be more than a limit."""
    if size > limit:
        raise DatasetError(f"it has {size} bytes, and at most {limit} are possible")
    pieces, end = [], start + size
    while start < end:
        piece = os.pread(descriptor, end - start, start)
        if not piece:
            raise DatasetError("it is cut short")
        pieces.append(piece)
        start += len(piece)
    return b"".join(pieces)
