"""Where made items are put: each file whole, each content once, each with its recipe."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tonesmith.corpus.cleaning.removal import removed_as
from tonesmith.corpus.derive.recipe import FOLDERS, Recipe, store
from tonesmith.corpus.media import Content, Kind, content_of
from tonesmith.corpus.truth import database
from tonesmith.corpus.truth.files import full_disk_told, sha256_of
from tonesmith.corpus.truth.items import annotate, utc_now
from tonesmith.host.roles import Annotation

if TYPE_CHECKING:
    from tonesmith.corpus.store import Store

SUFFIXES: Final = {"score": ".mid", "audio": ".wav"}
_OFTEN: Final = 0.5
"""Seconds after which what was made is stored for good."""


@dataclass(frozen=True, slots=True)
class Made:
    """A file that was made, and is not in the corpus yet.

    Attributes:
        aside: where it is.
        name: that its item and its file will have, without suffix.
        content: what it holds.
        sha256: of its bytes.
        nbytes: of the file.
        recipe: that makes it again.
    """

    aside: Path
    name: str
    content: Content
    sha256: str
    nbytes: int
    recipe: Recipe


class Shelf:
    """Puts made items into a corpus that is locked.

    Args:
        corpus: to put them into.
        dry_run: whether nothing is to be changed.
    """

    def __init__(self, corpus: Store, *, dry_run: bool) -> None:
        self._folder, self._connection = corpus.path, corpus.connection
        self._dry_run = dry_run
        self._unsynced: list[Path] = []
        self._changes = self._connection.total_changes

    def made(self, recipe: Recipe, name: str, kind: Kind, data: bytes) -> Made:
        """Write a file aside, and return it. It may be called in any thread.

        Raises :class:`Unfit` for one that no corpus takes, such as a silent one.
        """
        aside = self._folder / FOLDERS[recipe.operation] / f".{name}{SUFFIXES[kind]}.new"
        aside.parent.mkdir(parents=True, exist_ok=True)
        try:
            with full_disk_told(aside.parent):
                aside.write_bytes(data)
            return Made(aside, name, content_of(aside, kind), *sha256_of(aside), recipe)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise

    @contextmanager
    def storing(self) -> Iterator[None]:
        """Store what is put now and then, and at the end, however that comes."""
        self._last = time.monotonic()
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            if self._dry_run:
                self._connection.execute("ROLLBACK")
            elif self._connection.in_transaction:
                self._store()

    def now_and_then(self) -> None:
        """Store what was put, if that was not done for a while."""
        if not self._dry_run and time.monotonic() - self._last > _OFTEN:
            self._store()
            self._connection.execute("BEGIN IMMEDIATE")
            self._last = time.monotonic()

    def _store(self) -> None:
        for path in self._unsynced:
            with path.open("rb") as file:
                os.fsync(file.fileno())
        for folder in {path.parent for path in self._unsynced}:
            database.sync_folder(folder)
        self._unsynced = []
        if self._connection.total_changes != self._changes:
            self._connection.execute("INSERT OR REPLACE INTO settings VALUES ('written', 'no')")
            self._changes = self._connection.total_changes
        self._connection.execute("COMMIT")

    def has(self, name: str) -> bool:
        """Return whether an item has a name."""
        return self._connection.execute("SELECT 1 FROM items WHERE id = ?", (name,)).fetchone() is not None

    def same_as(self, content: Content) -> str:
        """Return the item that holds the same, or held it before it was removed; "" for none."""
        row = self._connection.execute(
            "SELECT item FROM media WHERE kind = ? AND content = ?", (content.kind, content.digest)
        ).fetchone()
        return str(row[0]) if row else removed_as(self._connection, content.kind, content=content.digest)

    def put(self, made: Made, parent: str, said: Iterable[Annotation]) -> None:
        """Put a made item into the corpus, and into the split of its parent. Its file takes its name before."""
        content, path = made.content, f"{FOLDERS[made.recipe.operation]}/{made.name}{SUFFIXES[made.content.kind]}"
        made.aside.replace(self._folder / path)
        self._unsynced.append(self._folder / path)
        with whole(self._connection):
            self._connection.execute("INSERT INTO items VALUES (?, ?)", (made.name, utc_now()))
            known = (made.sha256, content.digest, content.near, made.nbytes, content.seconds)
            self._connection.execute(
                "INSERT INTO media VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?)",
                (made.name, content.kind, path, *known, json.dumps(dict(content.facts))),
            )
            store(self._connection, made.name, made.recipe)
            annotate(self._connection, made.name, said)
            if parent:
                self._connection.execute("INSERT INTO parents VALUES (?, ?)", (made.name, parent))
                self._connection.execute(
                    "INSERT INTO splits SELECT ?, split FROM splits WHERE item = ?", (made.name, parent)
                )


@contextmanager
def whole(connection: sqlite3.Connection) -> Iterator[None]:
    """Keep all changes of an item or none, within those that are stored together."""
    connection.execute("SAVEPOINT item")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK TO item")
        connection.execute("RELEASE item")
        raise
    connection.execute("RELEASE item")
