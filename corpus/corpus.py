"""A corpus, as a program has it: the verbs of ``tonesmith corpus``."""

from __future__ import annotations

import getpass
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tonesmith.corpus.chosen import Options, laid_over
from tonesmith.corpus.making import FOLDERS, check_new, is_made
from tonesmith.corpus.truth import database
from tonesmith.corpus.truth.files import full_disk_told, remove_leftovers, write_whole
from tonesmith.corpus.truth.items import Item, annotate, items, silence, stored_value, utc_now
from tonesmith.corpus.truth.lock import WAIT, changing
from tonesmith.corpus.truth.profile import Profile
from tonesmith.corpus.truth.settings import NAME, PROFILE, Settings, read_profile, read_settings, settings_text
from tonesmith.corpus.truth.written import write_all
from tonesmith.errors import ConfigError, unknown_name
from tonesmith.host.registry import Host
from tonesmith.host.roles.annotation import Annotation, Said
from tonesmith.terminal.progress import progress as counting

if TYPE_CHECKING:
    from tonesmith.corpus.adding import Added
    from tonesmith.corpus.annotating import Told
    from tonesmith.corpus.checking import Checked
    from tonesmith.corpus.splitting import Division
    from tonesmith.corpus.stats import Stats

PERSON = "person"
"""The source of what a person says."""
_OLD_BACKUP = 600.0
"""Seconds from which a backup is renewed after a single change."""


class Corpus:
    """Recordings and scores with what is said of them.

    ::

        corpus = Corpus.new("emotion_v1", profile="emotion")
        corpus.add("music")
        corpus.annotate("folders")
        print(corpus.check())

    Args:
        path: of a corpus that is there.
        wait: seconds to wait for another command that is changing it.

    Raises :class:`CorpusNotFoundError` if there is none, :class:`CorpusDamagedError` if it cannot be read, and
    :class:`CorpusError` if a newer tonesmith changed it. It is closed with :meth:`close`, or as a context.
    """

    def __init__(self, path: str | os.PathLike[str], *, wait: float = WAIT) -> None:
        self.path = Path(path)
        self.wait = wait
        self.connection = database.opened(self.path)
        self._profile: tuple[tuple[int, int] | None, Profile] | None = None

    @classmethod
    def new(
        cls, path: str | os.PathLike[str], profile: str = "emotion", *, licence: str = "", wait: float = WAIT
    ) -> Corpus:
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
            return cls(folder, wait=wait)
        with full_disk_told(folder):
            for inner in (*FOLDERS, "annotations", "splits"):
                (folder / inner).mkdir(parents=True, exist_ok=True)
        with changing(folder, wait):
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

    def __enter__(self) -> Corpus:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Corpus {self.path}: {len(self):,} items>"

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def add(
        self,
        *paths: str | os.PathLike[str],
        importer: str = "",
        options: Options | None = None,
        link: bool = False,
        dry_run: bool = False,
        progress: bool = False,
    ) -> Added:
        """Add scores and recordings. What is there already is left as it is, so that it can be repeated.

        Args:
            paths: of folders, files, archives, or corpora.
            importer: that reads them; by default the first that takes each.
            options: name of an importer -> its options, over those in ``corpus.toml``.
            link: whether originals are linked instead of copied. They must then stay where they are.
            dry_run: whether to say only what would be done.
            progress: whether to show it on the error stream.

        Raises :class:`ConfigError` for a path that cannot be added, before anything is. A file that cannot be taken is
        in the result, with its reason.
        """
        from tonesmith.corpus.adding import Adding, importer_of

        chosen = laid_over("importer", self.settings.importers, options or {})
        for path in map(Path, paths):
            self._check_outside(path)
        sources = [(path, importer_of(path, importer, chosen)) for path in map(Path, paths)]
        with counting(f"adding to {self.path.name}", "files", hidden=not progress) as counter, self.locked():
            adding = Adding(self, counter, link=link, dry_run=dry_run)
            for path, used in sources:
                adding.source(path, used)
        if not (dry_run or self.is_written):
            self.write()
        return adding.added

    def _check_outside(self, path: Path) -> None:
        inner = path.resolve()
        if inner == self.path.resolve() or inner.is_relative_to(self.path.resolve()):
            raise ConfigError(f"{path} is the corpus itself, or lies in it. Add something else.")

    def annotate(
        self, *names: str, options: Options | None = None, dry_run: bool = False, progress: bool = False
    ) -> dict[str, Told]:
        """Ask annotators of the items that they were not asked of, and return name -> what each said.

        Args:
            names: of annotators; by default all but ``table``, which needs a table.
            options: name of an annotator -> its options, over those in ``corpus.toml``.
            dry_run: whether to store nothing.
            progress: whether to show it on the error stream.

        Raises :class:`PluginError` for an unknown annotator, and :class:`ConfigError` for options of it.
        """
        from tonesmith.corpus.annotating import Annotating, annotators_of

        chosen = laid_over("annotator", self.settings.annotators, options or {})
        every = [name for name in sorted(Host.load().annotators()) if name != "table"]
        annotators = annotators_of(names or every, chosen)
        told: dict[str, Told] = {}
        for annotator in annotators:
            label = f"annotating {self.path.name}: {annotator.name}"
            with counting(label, "items", hidden=not progress) as counter, self.locked():
                told[annotator.name] = Annotating(self, counter, dry_run=dry_run).ask(annotator)
        if not (dry_run or self.is_written):
            self.write()
        return told

    def split(
        self,
        shares: Mapping[str, float] | None = None,
        *,
        stratify: str | None = None,
        seed: int | None = None,
        again: bool = False,
        dry_run: bool = False,
    ) -> Division:
        """Divide what is in no split yet. Items of one ancestor, and near-duplicates, stay together.

        Args:
            shares: split -> share; by default those of the last time, or 0.7, 0.15 and 0.15.
            stratify: label whose shares each split keeps; by default the classes of the profile.
            seed: of the order in which families are divided.
            again: whether to divide everything anew.
            dry_run: whether to store nothing.

        Raises :class:`ConfigError` for shares that do not sum to 1, and for other settings than those of the last time.
        """
        from tonesmith.corpus.splitting import divide, settings_of

        with database.told(self.path):
            settings = settings_of(self, shares, stratify, seed, again=again)
        division = divide(self, settings, again=again, dry_run=dry_run)
        if not dry_run:
            self.write()
        return division

    def check(self, *, deep: bool = False, progress: bool = False) -> Checked:
        """Check balance, diversity, quality, structure and leaks. Nothing is changed.

        Args:
            deep: whether every file is read and compared with its SHA-256, not only its size.
            progress: whether to show it on the error stream.
        """
        from tonesmith.corpus.checking import check

        label = f"checking {self.path.name}"
        with counting(label, "files", hidden=not progress) as counter, database.told(self.path):
            return check(self, counter, deep=deep)

    def stats(self) -> Stats:
        """Return what is in the corpus, in numbers."""
        from tonesmith.corpus.stats import stats_of

        with database.told(self.path):
            return stats_of(self)

    def find(self, **wanted: Said | tuple[float, float]) -> list[str]:
        """Return the names of the items of which all of this is believed, in their order.

        Args:
            wanted: label -> value, or a pair of the least and the greatest number.

        Raises :class:`ConfigError` for a label that the profile does not have.
        """
        profile, found = self.profile, None
        for name, value in wanted.items():
            label = profile.label(name)
            if isinstance(value, tuple) and label.kind in {"number", "whole"}:
                query = "value BETWEEN ? AND ?"
                values: list[float | str | bytes] = [float(end) for end in value]
            else:
                query, values = "value = ?", [stored_value(label.accepted(name, value))]
            sql = f"SELECT item FROM annotations WHERE believed = 1 AND name = ? AND {query}"  # noqa: S608 - our words
            with database.told(self.path):
                ids = {row[0] for row in self.connection.execute(sql, [name, *values])}
            found = ids if found is None else found & ids
        return sorted(found) if found is not None else [item.id for item in self]

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
            count = annotate(connection, item, told) + silence(connection, item, PERSON, gone)
        if count and not dry_run and database.backup_age(self.path) > _OLD_BACKUP:
            self.back_up()
        return count

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
            remove_leftovers(self.path)
            yield

    @contextmanager
    def change(self, *, dry_run: bool = False) -> Iterator[sqlite3.Connection]:
        """Make one change, whole or not at all, while no other command makes any; none of a dry run."""
        stored = database.transaction(self.connection, undo=dry_run)
        with changing(self.path, self.wait), database.told(self.path), stored:
            self.connection.execute("INSERT OR REPLACE INTO settings VALUES ('written', 'no')")
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
            self.connection.execute("INSERT OR REPLACE INTO settings VALUES ('written', 'yes')")
            database.back_up(self.path, self.connection)

    def back_up(self) -> None:
        """Copy the file to the backup beside it."""
        with self.locked():
            database.back_up(self.path, self.connection)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"
