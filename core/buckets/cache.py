"""Objects that were read before, kept in a folder of this machine within a limit: those used last stay.

Any number of processes share it without a lock. A file appears whole, by a rename, and is never changed; who reads one
holds it open, so that it may go meanwhile.

Environment:
    TONESMITH_BUCKET_CACHE: the folder; if it is not set, ``buckets`` in that of all that tonesmith keeps.
    TONESMITH_BUCKET_CACHE_SIZE: bytes that it may take, such as 50GB. 20GB if it is not set.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tonesmith.errors import BucketError, ConfigError
from tonesmith.kept import cache_folder

FOLDER_VARIABLE = "TONESMITH_BUCKET_CACHE"
SIZE_VARIABLE = "TONESMITH_BUCKET_CACHE_SIZE"
DEFAULT_SIZE = "20GB"

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?", re.IGNORECASE)
_SETTLED = 60
"""Seconds within which the use of a file need not be noted again."""
_STALE = 3600
"""Seconds after which what is on its way into the cache belongs to a process that was killed."""
_ROOM = 0.9
"""The share of the limit that is left once files had to go."""


class Cache:
    """A folder of files that can be fetched again.

    Args:
        folder: where they are; it need not exist.
        limit: bytes that they may take. What several processes fetch at a moment may exceed it a little.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self.limit = limit
        self._unseen = limit  # so that the first file that comes looks at what is there
        self._lock = threading.Lock()

    def opened(self, name: str, fetch: Callable[[Path], None]) -> int:
        """Return the descriptor of a file, fetched first if it is not there.

        Args:
            name: anything that is another for another content.
            fetch: writes the content to a new file.

        Raises :class:`BucketError` if the cache cannot be written, and what ``fetch`` raises.
        """
        file = self.file_of(name)
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            return _used(file)
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            aside = self.folder / f".coming-{secrets.token_hex(8)}"
            descriptor = -1
            try:
                fetch(aside)
                descriptor = os.open(aside, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
                os.fsync(descriptor)
                aside.replace(file)
            except BaseException:
                if descriptor >= 0:
                    os.close(descriptor)
                raise
            finally:
                aside.unlink(missing_ok=True)
        except OSError as error:
            if isinstance(error, FileNotFoundError) and "://" in str(error.filename):
                raise
            raise self._unwritable(error) from None
        self._grown(os.fstat(descriptor).st_size, str(file))
        return descriptor

    def forget(self, name: str) -> None:
        """Let a file go, because what it holds is damaged."""
        with contextlib.suppress(OSError):
            self.file_of(name).unlink()

    def file_of(self, name: str) -> Path:
        """Return where a file is, if it is there."""
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
        return self.folder / digest[:2] / digest[2:]

    def _grown(self, nbytes: int, come: str) -> None:
        """Let those go that were used least recently, once enough has come that the limit may be exceeded.

        Args:
            nbytes: that have come.
            come: the file that they are in, which is about to be read and stays.
        """
        with self._lock:
            self._unseen += nbytes
            if self._unseen < self.limit // 32:
                return
            self._unseen = 0
        files = sorted(self._files())
        excess = sum(size for _, size, _ in files) - self.limit
        if excess <= 0:
            return
        excess += round((1 - _ROOM) * self.limit)
        for _, size, path in files:
            if excess <= 0:
                return
            if path == come:
                continue
            with contextlib.suppress(OSError):
                os.unlink(path)  # noqa: PTH108 - there may be a million
                excess -= size

    def _files(self) -> Iterator[tuple[float, int, str]]:
        """Yield when a file was used last, its size, and its path. What killed processes left is removed."""
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = os.path.join(folder, name)  # noqa: PTH118 - there may be a million
                with contextlib.suppress(OSError):
                    status = os.lstat(path)
                    if not name.startswith(".coming-"):
                        yield status.st_atime, status.st_size, path
                    elif time.time() - status.st_mtime > _STALE:
                        os.unlink(path)  # noqa: PTH108

    def _unwritable(self, error: OSError) -> BucketError:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        cure = (
            f"Free some space, or set {SIZE_VARIABLE} lower."
            if full
            else "Name another folder: --cache DIR or {FOLDER_VARIABLE}."
        )
        return BucketError(f"the cache {self.folder} cannot be written: {error.strerror or error}. {cure}")


def _used(file: Path) -> int:
    """Return the descriptor of a file that is there, and note that it was used."""
    descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0))
    status = os.fstat(descriptor)
    if time.time() - status.st_atime > _SETTLED:
        with contextlib.suppress(OSError):
            os.utime(file, ns=(time.time_ns(), status.st_mtime_ns))
    return descriptor


_caches: dict[tuple[str, str], Cache] = {}


def user_cache() -> Cache:
    """Return the cache that the environment names. Raises :class:`ConfigError` for a size that is none."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    folder = Path(chosen).expanduser().absolute() if chosen else cache_folder("buckets")
    key = str(folder), os.environ.get(SIZE_VARIABLE) or DEFAULT_SIZE
    if key not in _caches:
        _caches[key] = Cache(Path(key[0]), bytes_of(key[1]))
    return _caches[key]


def bytes_of(text: str) -> int:
    """Return the bytes that a size such as 500MB, 20 GB or 1GiB means. Raises :class:`ConfigError`."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ConfigError(f"the size of the cache: {text!r:.40} is no size. Write it as 500MB or 20GB.")
    unit = 1024 if match[3] else 1000
    return int(float(match[1]) * float(unit) ** " KMGT".index(match[2].upper() or " "))
