"""Files of a corpus: written whole or not at all, copied byte for byte, and never rewritten."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tonesmith.corpus.errors import CorpusError
from tonesmith.corpus.truth.database import sync_folder
from tonesmith.document import open_plain

_CHUNK = 1 << 20
_HALF_MADE = (
    ".adding-*",
    ".*.new*",
    "*/.*.new",
    "raw/*/.*.new",
    "raw/synthetic/patches/.*.new",
    "processed/*/.*.new",
    "processed/features/*/.*.new",
)


@contextmanager
def full_disk_told(folder: Path) -> Iterator[None]:
    """Turn the error of a disk without space into one that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES}:
            raise
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        what = "the disk is full. Free some space, and run" if full else f"{error.strerror}. Make it writable, and run"
        raise CorpusError(f"{folder}: {what} the same command again.") from None


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, unless it holds that already."""
    with contextlib.suppress(OSError):
        if path.stat().st_size == len(content) and path.read_bytes() == content:
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.new")
    with full_disk_told(path.parent):
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        sync_folder(path.parent)


class WholeFile:
    """A JSON list or object that is written line by line, and takes its name once it is whole.

    Args:
        path: of it. One that holds the same already is left as it is.
        head: the first line.
        tail: the last line.
    """

    def __init__(self, path: Path, head: str, tail: str) -> None:
        self._path, self._tail = path, tail
        self._aside = path.with_name(f".{path.name}.new")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._aside.open("w", encoding="utf-8")
        self._file.write(head)
        self._comma = ""

    def __enter__(self) -> WholeFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with full_disk_told(self._path.parent):
            if kind is None:
                self._file.write(f"\n{self._tail}\n")
                self._file.flush()
                os.fsync(self._file.fileno())
            self._file.close()
            if kind is not None or (self._path.is_file() and sha256_of(self._path) == sha256_of(self._aside)):
                self._aside.unlink()
            else:
                self._aside.replace(self._path)

    def add(self, line: str) -> None:
        """Write one more member."""
        self._file.write(f"{self._comma}\n{line}")
        self._comma = ","


def sha256_of(path: Path) -> tuple[str, int]:
    """Return the SHA-256 and the size of a plain file. Raises :class:`OSError`, also for a pipe or a device."""
    digest, count = hashlib.sha256(), 0
    with os.fdopen(open_plain(path), "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            count += len(chunk)
    return digest.hexdigest(), count


def place(source: Path, target: Path, *, link: bool, move: bool, sha256: str) -> None:
    """Put a file at its place in the corpus, unless it is there already.

    Args:
        source: plain file.
        target: its place. What is half-made there never bears this name.
        link: whether to make a symbolic link to the source instead of a copy.
        move: whether the source is the corpus's own and may be moved.
        sha256: of the source.

    Raises :class:`CorpusError` if the source changed meanwhile, or the disk is full.
    """
    if os.path.lexists(target):
        with contextlib.suppress(OSError):
            if sha256_of(target)[0] == sha256:
                return
        target.unlink()
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.new")
    aside.unlink(missing_ok=True)
    with full_disk_told(target.parent):
        if link:
            aside.symlink_to(source.resolve())
        elif move:
            _synced(source)
            source.replace(aside)
        else:
            _copied(source, aside, sha256)
        aside.replace(target)


def _copied(source: Path, aside: Path, sha256: str) -> None:
    with os.fdopen(open_plain(source), "rb") as given, aside.open("wb") as copy:
        shutil.copyfileobj(given, copy, _CHUNK)
        copy.flush()
        os.fsync(copy.fileno())
    if sha256_of(aside)[0] != sha256:
        aside.unlink()
        raise CorpusError(f"{source} changed while it was copied. Run the same command again.")


def _synced(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed command left: half-made files, and folders of unpacked archives."""
    for path in leftovers(folder):
        if path.name.startswith(".adding-"):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def leftovers(folder: Path) -> list[Path]:
    """Return the half-made files of a corpus, and folders of unpacked archives: of a command at work, or killed."""
    return [path for pattern in _HALF_MADE for path in folder.glob(pattern)]
