"""Archives: zip and tar, unpacked within bounds, and nothing of them outside the folder that they are unpacked to."""

from __future__ import annotations

import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

from pydantic import Field

from tonesmith.errors import ConfigError
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Found, Importer, Options, Refused

_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_CHUNK = 1 << 20
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError)
_NAMED = 255
"""Bytes that a part of a name may have."""


class ArchiveOptions(Options):
    """Options of :class:`Archive`."""

    most_files: int = Field(default=500_000, ge=1, le=5_000_000, description="Files that an archive may hold.")
    most_gigabytes: float = Field(default=64.0, gt=0, le=100_000, description="Size of all of them, in 10^9 bytes.")
    most_ratio: float = Field(
        default=200.0, ge=1, le=10_000, description="Times that the unpacked size may be that of the archive."
    )


class Archive(Importer[ArchiveOptions]):
    """Unpacks a zip or tar archive, and finds the files in it.

    An archive is a stranger's. What leaves its folder, is a link or a device, or has a password is refused by name; one
    that unpacks to far more than it has is refused as a whole. Sizes are those that come out, not those that it states.
    """

    name = "archive"
    summary = "files of a zip or tar archive"
    Options = ArchiveOptions

    @classmethod
    def takes(cls, path: Path) -> bool:
        """Return whether the name is that of an archive."""
        return path.is_file() and path.name.lower().endswith(_SUFFIXES)

    def find(self, path: Path, scratch: Path) -> Iterator[Found | Refused]:
        """Yield every file, in the order of the archive. Raises :class:`ConfigError` for one that is a bomb."""
        room = _Room(path, self.options)
        try:
            members = _zip(path) if zipfile.is_zipfile(path) else _tar(path)
            for number, (name, refused, content) in enumerate(members):
                room.check_count(number + 1)
                reason = refused or _name_fault(name)
                if reason:
                    yield Refused(_told(name), reason)
                elif not _is_hidden(name):
                    yield self._unpacked(number, name, content, scratch, room)
        except _BROKEN as error:
            told = str(error).split("\n", maxsplit=1)[0][:120].rstrip(".") or type(error).__name__
            raise ConfigError(f"{path} cannot be unpacked: {told}.") from None

    def _unpacked(
        self, number: int, name: str, content: IO[bytes] | None, scratch: Path, room: _Room
    ) -> Found | Refused:
        # A number as its name: two members may have one name, and a name may be anything
        target = scratch / f"{number}{PurePosixPath(name).suffix[:8]}"
        if content is None:
            return Refused(name, "cannot be read")
        with content, target.open("xb") as file:
            try:
                while chunk := content.read(_CHUNK):
                    room.take(len(chunk))
                    file.write(chunk)
            except (zipfile.BadZipFile, zlib.error, EOFError) as error:
                file.truncate(0)
                return Refused(name, f"is damaged: {str(error)[:120] or type(error).__name__}")
        return Found(target, name)


class _Room:
    """Counts what comes out of an archive."""

    def __init__(self, path: Path, options: ArchiveOptions) -> None:
        self._path, self._options = path, options
        ratio = options.most_ratio * max(path.stat().st_size, 1 << 16)
        self._ratio = ratio < options.most_gigabytes * 1e9
        self._left = int(min(ratio, options.most_gigabytes * 1e9))

    def check_count(self, count: int) -> None:
        if count > self._options.most_files:
            raise ConfigError(
                f"{self._path} has more than {self._options.most_files:,} files. Raise archive.most_files."
            )

    def take(self, nbytes: int) -> None:
        self._left -= nbytes
        if self._left < 0:
            limit = f"{self._options.most_ratio:g} times its size" if self._ratio else "its limit of size"
            option = "most_ratio" if self._ratio else "most_gigabytes"
            raise ConfigError(f"{self._path} unpacks to more than {limit}. If you trust it, raise archive.{option}.")


def _zip(path: Path) -> Iterator[tuple[str, str, IO[bytes] | None]]:
    """Yield name, what is wrong with it, and content of each file."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            mode = entry.external_attr >> 16
            kind = mode & 0o170000
            if kind not in {0, 0o100000}:
                yield entry.filename, "is a link" if kind == 0o120000 else "is not a file", None
            elif entry.flag_bits & 1:
                yield entry.filename, "has a password", None
            else:
                try:
                    yield entry.filename, "", archive.open(entry)
                except (zipfile.BadZipFile, NotImplementedError) as error:
                    yield entry.filename, f"is damaged: {str(error)[:120]}", None


def _tar(path: Path) -> Iterator[tuple[str, str, IO[bytes] | None]]:
    with tarfile.open(path) as archive:
        for entry in archive:
            if entry.isdir():
                continue
            if entry.issym() or entry.islnk():
                yield entry.name, "is a link", None
            elif not entry.isreg():
                yield entry.name, "is not a file", None
            else:
                yield entry.name, "", archive.extractfile(entry)


def _name_fault(name: str) -> str:
    """Return what is wrong with the name of a member, or ""."""
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or (len(name) > 1 and name[1] == ":"):
        return "has a name that leaves the folder"
    if "\0" in name or any(len(os.fsencode(part)) > _NAMED for part in parts):
        return "has a name that no file can have"
    return ""


def _is_hidden(name: str) -> bool:
    return any((part.startswith(".") and part != ".") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def _told(name: str) -> str:
    return name.replace("\0", " ")[:200]


@hookimpl
def tonesmith_importers() -> Iterable[type[Importer[Any]]]:
    """Return the importer of this module."""
    return [Archive]
