"""``corpus.sqlite``: opened, changed, and copied to the backup beside it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tonesmith.corpus.errors import CorpusDamagedError, CorpusError, CorpusNotFoundError
from tonesmith.corpus.truth.inside import outside
from tonesmith.corpus.truth.lock import changing
from tonesmith.corpus.truth.schema import APPLICATION, MIGRATIONS, migrate, version_of

NAME: Final = "corpus.sqlite"
BACKUP: Final = "corpus.backup.sqlite"
REPAIRING: Final = "corpus.repairing"
"""The file that says from what a corpus is being repaired. While it is there, the truth may lack what is known."""
_BUSY: Final = 10.0
"""Seconds that SQLite waits where a reader is in the way."""
_FULL: Final = {"SQLITE_FULL", "SQLITE_IOERR_WRITE"}
_LEAST: Final = 256 * 1024
"""Bytes of a disk without which an error of it is taken for a full one: the index of a WAL needs 32 KiB at once."""
_JSON: Final = (
    ("annotations", "CAST(value AS TEXT)", "typeof(value) = 'blob'"),
    ("definitions", "told", "1"),
    ("heard", "numbers", "1"),
    ("media", "facts", "1"),
    ("provenance", "facts", "1"),
    ("recipes", "parameters", "1"),
    ("removed", "known", "1"),
)
"""Tables and what of them is JSON, and in which rows."""
_REFUSED: Final = {"SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_READONLY_DIRECTORY", "SQLITE_PERM"}


def create(folder: Path) -> None:
    """Make the file of an empty corpus."""
    with contextlib.closing(_connected(folder / NAME, new=True)) as connection:
        migrate(connection)


def opened(folder: Path, *, repairing: bool = False) -> sqlite3.Connection:
    """Return a connection to the file of a corpus, in the newest version.

    Args:
        folder: of the corpus.
        repairing: whether it is opened to finish its repair.

    Raises :class:`CorpusNotFoundError` where there is none, :class:`CorpusDamagedError` where it cannot be read, and
    :class:`CorpusError` for one of a newer tonesmith.
    """
    path = folder / NAME
    if not path.is_file():
        raise _absent(folder)
    if (folder / REPAIRING).exists() and not repairing:
        raise damaged(folder, "its repair was not finished")
    with told(folder):
        connection = _connected(path)
        version = version_of(connection)
        known = int(connection.execute("PRAGMA application_id").fetchone()[0])
        if known != APPLICATION or version < 1:
            raise damaged(folder, "it is not the file of a corpus")
        if version > len(MIGRATIONS):
            raise CorpusError(
                f"{folder} was changed by a newer tonesmith: its tables have version {version}, and this one knows "
                f"{len(MIGRATIONS)}. Update tonesmith: pip install --upgrade tonesmith"
            )
        if version < len(MIGRATIONS):
            _bring_up_to_date(folder, connection)
        if found := outside(connection):
            raise CorpusError(
                f"{folder} names {found}, which is no place in its folder: whoever made it may want to change other "
                "files of yours. It was not used."
            )
        return connection


def _bring_up_to_date(folder: Path, connection: sqlite3.Connection) -> None:
    with changing(folder):
        if version_of(connection) < len(MIGRATIONS):  # another program may have been first
            back_up(folder, connection)
            migrate(connection)


def _absent(folder: Path) -> CorpusError:
    if (folder / BACKUP).is_file() or (folder / "corpus.toml").is_file():
        return damaged(folder, "it is missing")
    if not folder.exists():
        return CorpusNotFoundError(f"{folder} does not exist. Make a corpus: tonesmith corpus new {folder}")
    return CorpusNotFoundError(f"{folder} is not a corpus: it has no {NAME}.")


def _connected(path: Path, *, new: bool = False) -> sqlite3.Connection:
    mode = "rwc" if new else "rw" if os.access(path, os.W_OK) else "ro"
    address = f"{path.absolute().as_uri()}?mode={mode}"
    if mode == "ro" and not os.access(path.parent, os.W_OK):
        address += "&immutable=1"  # a file in WAL mode needs two more beside it, which cannot be made there
    connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=_BUSY)
    if mode != "ro":
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """Turn what SQLite raises into errors that say what to do."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        if name in _FULL or (name.startswith("SQLITE_IOERR") and _is_full(folder)):
            raise CorpusError(f"{folder}: the disk is full. Free some space, and run the same command again.") from None
        if name.startswith("SQLITE_BUSY"):
            raise CorpusError(f"{folder} is being read by another program. Try again when it has ended.") from None
        if name in _REFUSED:
            raise CorpusError(f"{folder} cannot be changed: {NAME}: {error}.") from None
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR")) or "no such table" in str(error):
            raise damaged(folder, str(error)) from None
        raise
    except json.JSONDecodeError as error:
        raise damaged(folder, f"a value in it is not JSON: {error}") from None


def _is_full(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        return shutil.disk_usage(folder).free < _LEAST
    return False


def damaged(folder: Path, what: str) -> CorpusDamagedError:
    """Return the error for a file that cannot be read."""
    return CorpusDamagedError(f"{folder / NAME} is damaged: {what}. Repair it: tonesmith corpus repair {folder}")


@contextmanager
def transaction(connection: sqlite3.Connection, *, undo: bool = False) -> Iterator[None]:
    """Make all changes within it at once or not at all.

    Args:
        connection: to the file.
        undo: whether none is to stay: a dry run.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("ROLLBACK" if undo else "COMMIT")


def unwritten(connection: sqlite3.Connection) -> None:
    """Note that ``manifest.json`` and the like do not say any more what the truth does."""
    connection.execute("INSERT OR REPLACE INTO settings VALUES ('written', 'no')")


def back_up(folder: Path, connection: sqlite3.Connection) -> None:
    """Copy the file to the backup beside it, whole or not at all."""
    aside = folder / f".{BACKUP}.new"
    aside.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(aside)) as copy:
        connection.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
    with aside.open("rb") as file:
        os.fsync(file.fileno())
    aside.replace(folder / BACKUP)
    sync_folder(folder)


def backup_age(folder: Path) -> tuple[float, int]:
    """Return the seconds since the backup was made, and its size in bytes; infinity and 0 without one."""
    try:
        told = (folder / BACKUP).stat()
    except OSError:
        return float("inf"), 0
    return time.time() - told.st_mtime, told.st_size


def is_whole(path: Path) -> bool:
    """Return whether a file is that of a corpus, and nothing in it is damaged."""
    if not path.is_file():
        return False
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            known = connection.execute("PRAGMA application_id").fetchone()[0]
            found = connection.execute("PRAGMA integrity_check").fetchone()[0]
            return bool(known == APPLICATION and found == "ok" and _is_json(connection))
    except sqlite3.Error:
        return False


def _is_json(connection: sqlite3.Connection) -> bool:
    """Return whether all is JSON that is read as such, in the tables that there are."""
    there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    asked = (f"SELECT 1 FROM {t} WHERE {rows} AND NOT json_valid({what})" for t, what, rows in _JSON if t in there)  # noqa: S608
    return not any(connection.execute(sql).fetchone() for sql in asked)


def sync_folder(folder: Path) -> None:
    """Let the names in a folder survive a loss of power."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
