"""The files of a folder, in an order that is always the same, and nothing that lies elsewhere."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tonesmith.errors import ConfigError
from tonesmith.host.roles import Found, Refused

MOST = 2_000_000
"""Files that are found in one source."""


def walk(folder: Path, top: str) -> Iterator[Found | Refused]:
    """Yield the plain files of a folder and of all below it, by name. Hidden ones are left out, links are refused.

    Args:
        folder: to look through.
        top: name that every file's name begins with.

    Raises :class:`ConfigError` if the folder itself cannot be read.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be read: {error.strerror}.") from None
    for entry in entries:
        if entry.name.startswith(".") or entry.name == "__MACOSX":
            continue
        name = str(PurePosixPath(top, entry.name))
        if entry.is_symlink():
            yield Refused(name, "is a link")
        elif entry.is_dir():
            yield from _below(Path(entry.path), name)
        elif stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
            yield Found(Path(entry.path), name)
        else:
            yield Refused(name, "is not a file")


def _below(folder: Path, name: str) -> Iterator[Found | Refused]:
    try:
        yield from walk(folder, name)
    except ConfigError as error:
        yield Refused(name, f"cannot be read: {str(error).rpartition(': ')[2].removesuffix('.')}")
