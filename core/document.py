"""Files that others wrote: plain ones, and JSON within bounds of size and depth, so that every walk comes to an end."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

from tonesmith.buckets.address import BucketPath
from tonesmith.errors import DatasetError

MOST_BYTES = 2**28
"""Of a document: 256 MiB hold the labels of a million rows."""
DEEPEST = 64
"""Levels of lists and objects in each other. What tonesmith writes has fewer than twenty."""


def open_plain(path: Path) -> int:
    """Return the descriptor of a plain file, or of a local copy of an object in a bucket, opened to read.

    Raises :class:`OSError`, also for a pipe or a device in its place: those could keep us waiting for ever.
    """
    if isinstance(path, BucketPath):
        from tonesmith.buckets.reading import opened

        return opened(path)
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, f"{path.name} is not a file", str(path))
    return descriptor


def read_plain(path: Path) -> bytes:
    """Return the content of a plain file. Raises :class:`OSError`, also if it is something else."""
    with os.fdopen(open_plain(path), "rb") as file:
        return file.read()


def parsed(content: bytes | str, what: str) -> Any:
    """Return the value of a JSON document. As Python writes and reads it, it may have NaN and infinities.

    Args:
        content: of the document.
        what: it is, such as its path, for the message.

    Raises :class:`DatasetError`, which begins with ``what``, if it is no JSON, too large or too deep.
    """
    if len(content) > MOST_BYTES:
        raise DatasetError(f"{what} is damaged: it has {len(content)} bytes, more than the {MOST_BYTES} that are read")
    try:
        value = json.loads(content)
    except (ValueError, RecursionError, MemoryError) as error:
        raise DatasetError(f"{what} is damaged: {_told(error)}") from None
    if _brackets(content) > DEEPEST and _is_deeper(value, DEEPEST):
        raise DatasetError(f"{what} is damaged: its lists and objects are more than {DEEPEST} levels deep")
    return value


def parsed_object(content: bytes | str, what: str) -> dict[str, Any]:
    """Return the object that a JSON document is, as :func:`parsed` does; raise :class:`DatasetError` if it is none."""
    value = parsed(content, what)
    if not isinstance(value, dict):
        raise DatasetError(f"{what} is damaged: it is {_kind(value)}, not a JSON object")
    return value


def _told(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return f"its lists and objects are more than {DEEPEST} levels deep"
    return "it does not fit into memory" if isinstance(error, MemoryError) else f"it is no JSON ({error!s:.200})"


def _kind(value: Any) -> str:
    return {list: "a list", str: "text", bool: "true or false", type(None): "null"}.get(type(value), "a number")


def _brackets(content: bytes | str) -> int:
    """Return how many lists and objects there are at most: so few can be in each other at all."""
    if isinstance(content, str):
        return content.count("[") + content.count("{")
    return content.count(b"[") + content.count(b"{")


def _is_deeper(value: Any, levels: int) -> bool:
    """Return whether a value has lists and objects in each other beyond some levels. It is walked without recursion."""
    layer = [value]
    for _ in range(levels + 1):
        layer = [
            inner
            for one in layer
            if isinstance(one, (dict, list))
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not layer:
            return False
    return True
