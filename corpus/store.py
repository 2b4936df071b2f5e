"""A corpus that is open: what is read of its truth, and what changes it."""

from __future__ import annotations

import getpass
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Self

from tonesmith.corpus.cleaning.removal import finish_moves, write_removed
from tonesmith.corpus.making import FOLDERS, check_new, is_made
from tonesmith.corpus.truth import database
from tonesmith.corpus.truth.files import full_disk_told, remove_leftovers, write_whole
from tonesmith.corpus.truth.items import Item, annotate, items, stored_value, utc_now
from tonesmith.corpus.truth.lock import WAIT, changing
from tonesmith.corpus.truth.profile import Label, Profile
from tonesmith.corpus.truth.settings import NAME, PROFILE, Settings, read_profile, read_settings, settings_text
from tonesmith.corpus.truth.written import write_all
from tonesmith.errors import ConfigError, unknown_name
from tonesmith.host.roles.annotation import Annotation, Said

PERSON = "person"
"""The source of what a person says."""
_OLD_BACKUP = 600.0
"""Seconds from which the backup of a small corpus is renewed after a single change."""
_OLD_PER_BYTE = 1e-5
"""Seconds that this takes longer for each byte of it: copying then costs about a thousandth of the time."""


class Store:
    """A corpus without its verbs: it is opened, read, locked, changed and written.

    Args:
        path: of a corpus that is there.
        wait: seconds to wait for another command that is changing it.

    Raises :class:`CorpusNotFoundError` if there is none, :class:`CorpusDamagedError` if it cannot be read, and
    :class:`CorpusError` if a newer tonesmith changed it. It is closed with :meth:`close`, or as a context.
    """

    _repairing: ClassVar[bool] = False

    def __init__(self, path: str | os.PathLike[str], *, wait: float = WAIT) -> None:
        self.path = Path(path)
        self.wait = wait
        self.connection = database.opened(self.path, repairing=self._repairing)
        self._profile: tuple[tuple[int, int] | None, Profile] | None = None

    @classmethod
    def new(
        cls, path: str | os.PathLike[str], profile: str = "emotion", *, licence: str = "", wait: float = WAIT
    ) -> Self:
        """Make an empty corpus, and return it.

        Args:
            path: of a folder that does not exist or is empty. A corpus with the same profile that is there is returned.
            profile: name of one that comes with tonesmith, or path of a TOML file.
            licence: of the items.
            wait: seconds to wait for another command that is changing it.

        Raises :class:`ConfigError` for an unknown profile, and for a path that holds something else.
        """
        folder = Path(path)
        name, text = check_new(folder, profile, licence)
        if is_made(folder):
            there = cls(folder, wait=wait)
            if not (there.is_written and (folder / database.BACKUP).is_file()):  # it was killed while it was made
                there.write()
            return there
        with full_disk_told(folder):
            for inner in (*FOLDERS, "annotations", "splits"):
                (folder / inner).mkdir(parents=True, exist_ok=True)
        with changing(folder, wait), database.told(folder):
            write_whole(folder / PROFILE, text.encode())
            database.create(folder)
            write_whole(folder / NAME, settings_text(folder.absolute().name, name, licence).encode())
        made = cls(folder, wait=wait)
        made.write()
        return made

    @property
    def settings(self) -> Settings:
        """What ``corpus.toml`` says."""
        return read_settings(self.path)

    @property
    def profile(self) -> Profile:
        """The label schema, in ``profile.toml``."""
        path = self.path / PROFILE
        stamp = (path.stat().st_mtime_ns, path.stat().st_size) if path.is_file() else None
        if self._profile is None or self._profile[0] != stamp:
            self._profile = (stamp, read_profile(self.path))
        return self._profile[1]

    def __len__(self) -> int:
        with database.told(self.path):
            return int(self.connection.execute("SELECT count(*) FROM items").fetchone()[0])

    def __getitem__(self, item: str) -> Item:
        """Return an item by its name. Raises :class:`KeyError` for an unknown one."""
        with database.told(self.path):
            found = next(items(self.connection, [item]), None)
        if found is None:
            raise KeyError(item)
        return found

    def __iter__(self) -> Iterator[Item]:
        """Yield every item, in the order of their names."""
        with database.told(self.path):
            yield from items(self.connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        try:
            return f"<Corpus {self.path}: {len(self):,} items>"
        except sqlite3.ProgrammingError:
            return f"<Corpus {self.path}, closed>"

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def find(self, **wanted: Said | tuple[float, float]) -> list[str]:
        """Return the names of the items of which all of this is believed, in their order.

        Args:
            wanted: label -> value, or a pair of the least and the greatest number.

        Raises :class:`ConfigError` for a label that the profile does not have.
        """
        if not wanted:
            query, values = "SELECT id FROM items ORDER BY id", []
        else:
            asked = [_asked(self.profile.label(name), name, value) for name, value in wanted.items()]
            query = " INTERSECT ".join(sql for sql, _ in asked) + " ORDER BY item"
            values = [value for _, given in asked for value in given]
        with database.told(self.path):
            return [row[0] for row in self.connection.execute(query, values)]

    def label(self, item: str, by: str = "", *, dry_run: bool = False, **said: Said | None) -> int:
        """Store what a person says of an item, and return how much of it is new. A person's word is believed.

        Args:
            item: its name.
            by: who says it; by default the user of this machine.
            dry_run: whether to count only.
            said: label -> value, or None to take back what a person said.

        Raises :class:`ConfigError` for an unknown item or label, and for a value that the profile does not allow.
        """
        profile = self.profile
        given = {n: profile.label(n).accepted(n, v) for n, v in said.items() if v is not None}
        gone = {name for name, value in said.items() if value is None}
        self._check_item(item)
        who, now = by or _user(), utc_now()
        told = [Annotation(n, v, 1.0, PERSON, "1", "person", who, now) for n, v in given.items()]
        with self.change(dry_run=dry_run) as connection:
            count = annotate(connection, item, told, lambda name, source: source == PERSON and name in gone)
        if not dry_run and self._is_backup_old():
            self.back_up()
        return count

    def _is_backup_old(self) -> bool:
        age, nbytes = database.backup_age(self.path)
        return age > _OLD_BACKUP + nbytes * _OLD_PER_BYTE

    def _check_item(self, item: str) -> None:
        with database.told(self.path):
            if self.connection.execute("SELECT 1 FROM items WHERE id = ?", (item,)).fetchone():
                return
            near = [row[0] for row in self.connection.execute("SELECT id FROM items LIMIT 1000")]
        raise ConfigError(unknown_name("item", item, near))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other commands from changing it, and remove what a killed one left."""
        with changing(self.path, self.wait), database.told(self.path):
            finish_moves(self.path, self.connection)
            remove_leftovers(self.path)
            yield

    @contextmanager
    def change(self, *, dry_run: bool = False) -> Iterator[sqlite3.Connection]:
        """Make one change, whole or not at all, while no other command makes any; none of a dry run."""
        stored = database.transaction(self.connection, undo=dry_run)
        with changing(self.path, self.wait), database.told(self.path), stored:
            database.unwritten(self.connection)
            yield self.connection

    @property
    def is_written(self) -> bool:
        """Whether ``manifest.json`` and the like say what the corpus does."""
        row = self.connection.execute("SELECT value FROM settings WHERE name = 'written'").fetchone()
        return row is not None and row[0] == "yes"

    def write(self) -> None:
        """Write ``manifest.json``, ``config.json``, ``splits/*.txt`` and ``annotations/*.json``, and the backup."""
        settings, profile = self.settings, self.profile
        with self.locked():
            write_all(self.path, self.connection, settings, profile)
            write_removed(self.path, self.connection)
            self.connection.execute("INSERT OR REPLACE INTO settings VALUES ('written', 'yes')")
            database.back_up(self.path, self.connection)

    def back_up(self) -> None:
        """Copy the file to the backup beside it."""
        with self.locked():
            database.back_up(self.path, self.connection)


def _asked(label: Label, name: str, value: Said | tuple[float, float]) -> tuple[str, list[float | str | bytes]]:
    """Return the query for the items of which a value is believed, and what is asked for in it."""
    sql = "SELECT item FROM annotations WHERE believed = 1 AND name = ? AND value"
    if isinstance(value, tuple) and label.kind in {"number", "whole"}:
        return f"{sql} BETWEEN ? AND ?", [name, *(float(end) for end in value)]
    return f"{sql} = ?", [name, stored_value(label.accepted(name, value))]


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"
