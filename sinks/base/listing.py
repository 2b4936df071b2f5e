"""What is in a folder of a dataset, on a disk or in a bucket: names, sizes, and the removal of a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tonesmith.buckets.address import BucketPath
from tonesmith.errors import DatasetError, unreadable


class Entry(NamedTuple):
    """A file in a folder.

    Attributes:
        path: of it; in a bucket, with a stamp that is another once the object was written anew.
        name: of it.
        size: in bytes.
    """

    path: str
    name: str
    size: int


def listed(folder: Path) -> list[str]:
    """Return the names in a folder; none if there is no folder. Raise :class:`DatasetError` if it cannot be read."""
    if isinstance(folder, BucketPath):
        return list(folder.store.names(folder.key))
    try:
        return os.listdir(folder)  # noqa: PTH208 - there may be a million
    except FileNotFoundError:
        return []
    except NotADirectoryError:
        raise DatasetError(f"{folder} is damaged: it is no folder. Restore it from a copy.") from None
    except OSError as error:
        raise unreadable(folder, error) from None


def entries(folder: Path, prefix: str = "") -> Iterator[Entry]:
    """Yield the files of a folder whose names begin so, in no order. One that goes meanwhile is left out."""
    if isinstance(folder, BucketPath):
        yield from _objects(folder, prefix)
        return
    base = str(folder)
    for name in listed(folder):
        if name.startswith(prefix):
            path = f"{base}{os.sep}{name}"  # there may be a million, and os.path.join takes as long as lstat
            try:
                yield Entry(path, name, os.lstat(path).st_size)
            except FileNotFoundError:
                continue


def _objects(folder: BucketPath, prefix: str) -> Iterator[Entry]:
    start = len(folder.key) + 1
    for found in folder.store.list(folder.key, after=prefix):
        name = found.key[start:]
        if not name.startswith(prefix):
            return
        if "/" not in name:
            yield Entry((folder / name).stamped(found.stamp).spelled, name, found.size)


def size_of(file: Path) -> int | None:
    """Return the bytes of a plain file; None if none is there."""
    if isinstance(file, BucketPath):
        return file.store.size(file.key)
    return file.stat().st_size if file.is_file() else None


def total_size(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    if isinstance(folder, BucketPath):
        return sum(found.size for found in folder.store.list(folder.key))
    total = 0
    for inner, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(inner, name)).st_size  # noqa: PTH118 - there may be a million
            except FileNotFoundError:  # renamed by a writer meanwhile
                continue
    return total
