"""Objects as open files, which is what all that reads a dataset asks for."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tonesmith.buckets.address import BucketPath
from tonesmith.buckets.cache import user_cache


def opened(path: BucketPath) -> int:
    """Return the descriptor of a local copy of an object.

    By a stamped path, the copy is kept in the cache, and found there the next time, without the network.

    Raises :class:`FileNotFoundError` if there is no such object, and :class:`tonesmith.errors.BucketError`.
    """
    if path.stamp:
        return user_cache().opened(_name(path), lambda to: path.store.get(path.key, to))
    with tempfile.TemporaryDirectory(prefix="tonesmith-") as folder:
        file = Path(folder) / "object"
        path.store.get(path.key, file)
        return os.open(file, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))


def forget(path: Path) -> None:
    """Let the copy of an object go, if that is what the path reads: it is damaged, on its way or in the bucket."""
    if isinstance(path, BucketPath) and path.stamp:
        user_cache().forget(_name(path))


def _name(path: BucketPath) -> str:
    return f"{path} {path.stamp}"
