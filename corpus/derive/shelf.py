"""Where made items are put: each file whole, each content once, each with its recipe."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tonesmith.corpus.cleaning.removal import removed_as
from tonesmith.corpus.derive.recipe import FOLDERS, Recipe, store
from tonesmith.corpus.media import Content, Kind, content_of
from tonesmith.corpus.truth import database
from tonesmith.corpus.truth.batches import Batches, whole
from tonesmith.corpus.truth.files import full_disk_told
from tonesmith.corpus.truth.items import annotate, utc_now
from tonesmith.host.roles import Annotation

if TYPE_CHECKING:
    from tonesmith.corpus.store import Store

SUFFIXES: Final = {"score": ".mid", "audio": ".wav"}


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


def set_aside(folder: Path, recipe: Recipe, name: str, kind: Kind, data: bytes, content: Content | None = None) -> Made:
    """Write a file of a corpus aside, and return it. It may be called in any process.

    Args:
        folder: of the corpus.
        recipe: that makes it.
        name: that its item and its file will have, without suffix.
        kind: of what it holds.
        data: its bytes.
        content: what it holds, if that is known: it is read otherwise.

    Raises :class:`Unfit` for one that no corpus takes, such as a silent one.
    """
    aside = folder / FOLDERS[recipe.operation] / f".{name}{SUFFIXES[kind]}.new"
    aside.parent.mkdir(parents=True, exist_ok=True)
    try:
        with full_disk_told(aside.parent):
            aside.write_bytes(data)
        content = content or content_of(aside, kind)
        return Made(aside, name, content, hashlib.sha256(data).hexdigest(), len(data), recipe)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


class Shelf:
    """Puts made items into a corpus that is locked.

    Args:
        corpus: to put them into.
        dry_run: whether nothing is to be changed.
    """

    def __init__(self, corpus: Store, *, dry_run: bool) -> None:
        self._folder, self._connection = corpus.path, corpus.connection
        self._aside: dict[str, str] = {}
        self._batches = Batches(
            self._connection, dry_run=dry_run, marks=True, settle=self._settle, stored=self._name_files
        )

    def made(self, recipe: Recipe, name: str, kind: Kind, data: bytes) -> Made:
        """Write a file aside, and return it, as :func:`set_aside` does."""
        return set_aside(self._folder, recipe, name, kind, data)

    def storing(self) -> Batches:
        """Return the context in which items are put: they are stored now and then, and at its end."""
        return self._batches

    def now_and_then(self) -> None:
        """Store what was put, if that was not done for a while."""
        self._batches.now_and_then()

    def _settle(self) -> None:
        for aside in self._aside:
            with (self._folder / aside).open("rb") as file:
                os.fsync(file.fileno())

    def _name_files(self) -> None:
        """Give the files of stored items their names. The next command does it if this one is killed before."""
        if not self._aside:
            return
        for aside, path in self._aside.items():
            (self._folder / aside).replace(self._folder / path)
        for folder in {Path(path).parent for path in self._aside.values()}:
            database.sync_folder(self._folder / folder)
        gone = [(aside,) for aside in self._aside]
        self._aside = {}
        with database.transaction(self._connection):
            self._connection.executemany("DELETE FROM moves WHERE source = ?", gone)

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
        """Put a made item into the corpus, and into the split of its parent. Its file takes its name once it is stored.

        So no file bears a name of the corpus that no item has, whenever the command is killed.
        """
        content, folder = made.content, FOLDERS[made.recipe.operation]
        aside, path = f"{folder}/{made.aside.name}", f"{folder}/{made.name}{SUFFIXES[content.kind]}"
        with whole(self._connection):
            self._connection.execute("INSERT OR REPLACE INTO moves VALUES (?, ?)", (aside, path))
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
        self._aside[aside] = path
