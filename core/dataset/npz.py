"""Arrays of a ``.npz`` file that anybody wrote: nothing is unpickled, no header is believed unchecked."""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.document import open_plain
from tonesmith.errors import ConfigError, unknown_name

MOST_BYTES = 2**31
"""Of one array: 2 GiB hold the labels of a million rows."""


def read_npz(path: Path, known: Sequence[str], *, others: bool = False) -> dict[str, NDArray[Any]]:
    """Return the arrays of a ``.npz`` file by name.

    Args:
        path: of the file.
        known: names that it may have.
        others: whether others are left unread, and not an error.

    Raises :class:`ConfigError` if it is no such file, or has an array that is not read.
    """
    try:
        with os.fdopen(open_plain(path), "rb") as file, zipfile.ZipFile(file) as archive:
            names = [entry.removesuffix(".npy") for entry in archive.namelist()]
            for name in names:
                if name not in known and not others:
                    raise ConfigError(f"{path}: {unknown_name('array', name, known)}")
            return {name: _member(archive, f"{name}.npy") for name in names if name in known}
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.") from None
    except (zipfile.BadZipFile, ValueError, EOFError, KeyError, NotImplementedError, MemoryError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{path} is not a .npz file that can be read: {error!s:.200}") from None


def _member(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    size = archive.getinfo(name).file_size
    with archive.open(name) as member:
        shape, fortran, dtype = _header(member)
        if dtype.hasobject:
            raise ValueError(f"{name} has Python objects, which are not read")
        expected = math.prod(shape) * dtype.itemsize
        if min(shape, default=0) < 0 or expected > MOST_BYTES or member.tell() + expected != size:
            raise ValueError(f"{name} is damaged, or larger than {MOST_BYTES} bytes")
        content = member.read(expected)
    if len(content) != expected:
        raise ValueError(f"{name} is cut short")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(member)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(member)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(member)
    raise ValueError(f"version {version} of its format is not read")
