"""Changes of a corpus stored in batches: many at once, and what was done stays however its command ends."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Self

from tonesmith.corpus.truth.database import unwritten

_OFTEN: Final = 0.5
"""Seconds after which a batch is stored."""


class Batches:
    """A context whose changes are stored now and then, and at its end, however that comes; none of a dry run.

    Args:
        connection: to the truth of a corpus that is locked.
        dry_run: whether nothing is to be changed.
        marks: whether any change is one that ``manifest.json`` and the like do not say yet.
        settle: called before a batch is stored, to let the files last that it names.
        stored: called after one is stored.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        dry_run: bool = False,
        marks: bool = False,
        settle: Callable[[], None] = lambda: None,
        stored: Callable[[], None] = lambda: None,
    ) -> None:
        self._connection, self._dry_run, self._marks = connection, dry_run, marks
        self._settle, self._stored = settle, stored

    def __enter__(self) -> Self:
        self._begin()
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection.in_transaction:  # a full disk ends it
            self._connection.execute("ROLLBACK") if self._dry_run else self._store()

    def now_and_then(self) -> None:
        """Store what was changed, if that was not done for a while."""
        if not self._dry_run and time.monotonic() - self._last > _OFTEN:
            self._store()
            self._begin()

    def _begin(self) -> None:
        self._last, self._changes = time.monotonic(), self._connection.total_changes
        self._connection.execute("BEGIN IMMEDIATE")

    def _store(self) -> None:
        self._settle()
        if self._marks and self._connection.total_changes != self._changes:
            unwritten(self._connection)
        self._connection.execute("COMMIT")
        self._stored()


@contextmanager
def whole(connection: sqlite3.Connection) -> Iterator[None]:
    """Keep all changes of an item or none, within a batch."""
    connection.execute("SAVEPOINT item")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO item")
            connection.execute("RELEASE item")
        raise
    connection.execute("RELEASE item")
