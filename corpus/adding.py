"""Files added to a corpus: each whole or not at all, each content once."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tonesmith.corpus.cleaning.removal import removed_as
from tonesmith.corpus.derive.recipe import restored, store
from tonesmith.corpus.media import Content, Kind, Unfit, content_of, kind_of
from tonesmith.corpus.origin import read_note
from tonesmith.corpus.pairing import Group, grouped
from tonesmith.corpus.truth import database
from tonesmith.corpus.truth.batches import Batches, whole
from tonesmith.corpus.truth.files import place, sha256_of
from tonesmith.corpus.truth.items import annotate, utc_now
from tonesmith.corpus.truth.provenance import store_provenance
from tonesmith.errors import ConfigError
from tonesmith.host.registry import Host
from tonesmith.host.roles import Annotation, Found, Importer, Refused
from tonesmith.terminal.progress import Progress

if TYPE_CHECKING:
    from tonesmith.corpus.corpus import Corpus

_PLACES: Final[Mapping[Kind, str]] = {"score": "raw/midi", "audio": "raw/audio"}
_SYNTHETIC: Final = "raw/synthetic"
_NAME: Final = re.compile(r"[\w][\w.+-]*")


@dataclass
class Added:
    """What became of the files.

    Attributes:
        items: names of the items that are new.
        completed: names of the items that have got a second medium.
        duplicates: name of a file -> the item that holds the same.
        removed: name of a file -> the item that held the same, and was removed by :meth:`Corpus.sanitise`.
        refused: name of a file -> why it is not taken.
        remarks: name of a file -> what was wrong in it and put right.
        known: files that had been added before.
        others: files of other kinds, which are left alone.
    """

    items: list[str] = field(default_factory=list)
    completed: list[str] = field(default_factory=list)
    duplicates: dict[str, str] = field(default_factory=dict)
    removed: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, list[str]] = field(default_factory=dict)
    known: int = 0
    others: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints of it."""
        told = {name: value for name, value in vars(self).items() if name != "items"}
        return {"added": self.items, **told}


class _Part(NamedTuple):
    """A file with what it holds, and the item that holds the same already."""

    kind: Kind
    file: Found
    sha256: str
    nbytes: int
    content: Content | None
    known: str


def importer_of(path: Path, name: str, options: Mapping[str, Mapping[str, Any]]) -> Importer[Any]:
    """Return the importer for a path: the one that is named, or the first that takes it.

    Raises :class:`ConfigError` if there is nothing at the path, or nobody takes it.
    """
    host = Host.load()
    if not path.exists():
        raise ConfigError(f"{path} does not exist.")
    known = host.importers()
    order = [name] if name else sorted(known, key=lambda other: (other == "folder", other))
    for other in order:
        cls = host.find("importer", other)
        if cls.takes(path):
            return cls(host.options_of("importer", other, options.get(other, {})))
    taken = f"the importer {name!r} does not take it" if name else "no importer takes it"
    raise ConfigError(f"{path} cannot be added: {taken}.")


class Adding:
    """Adds files to a corpus that is locked.

    Args:
        corpus: to add to.
        link: whether originals are linked instead of copied.
        dry_run: whether nothing is to be changed.
        counter: is told how many files are done.
        restoring: whether the source is this corpus itself, whose recipes are trusted and whose files stay in place.
    """

    def __init__(
        self, corpus: Corpus, counter: Progress, *, link: bool, dry_run: bool, restoring: bool = False
    ) -> None:
        self._folder, self._connection = corpus.path, corpus.connection
        self._profile = corpus.profile
        self._link, self._dry_run, self._restoring = link, dry_run, restoring
        self._counter = counter
        self._scratch = corpus.path / f".adding-{os.getpid()}"
        self._synthetic = False
        self._from: Mapping[str, Any] = {}
        self.added = Added()

    def source(self, path: Path, importer: Importer[Any], *, synthetic: bool = False) -> None:
        """Add everything that a source has.

        Args:
            path: of it.
            importer: that reads it.
            synthetic: whether a program made all of it.
        """
        self._synthetic = synthetic
        self._from = read_note(path)
        self._scratch.mkdir()
        try:
            with Batches(self._connection, dry_run=self._dry_run, marks=True, settle=self._settle) as batches:
                for group in self._groups(path, importer):
                    with whole(self._connection):
                        self._group(group)
                    self._drop(group)
                    self._counter.advance(len(group.files))
                    batches.now_and_then()
        finally:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _groups(self, path: Path, importer: Importer[Any]) -> Iterator[Group]:
        """Yield files as items: as they come where the importer knows how many there are."""
        files = self._found(importer.find(path, self._scratch))
        if count := importer.count(path):
            self._counter.begin(count)
            for _, members in groupby(files, key=lambda file: file.item):
                yield from grouped(members)
        else:
            found = list(files)
            self._counter.begin(len(found))
            yield from grouped(found)

    def _drop(self, group: Group) -> None:
        """Remove what was unpacked and not moved into the corpus."""
        for _, file in group.files:
            if file.path.is_relative_to(self._scratch):
                file.path.unlink(missing_ok=True)

    def _found(self, found: Iterable[Found | Refused]) -> Iterator[Found]:
        for file in found:
            name = _printable(file.name)
            if isinstance(file, Refused):
                if kind_of(name) or file.reason != "is a link":
                    self.added.refused[name] = file.reason
            elif kind_of(name) is None:
                self.added.others += 1
            else:
                made = file.synthetic or self._synthetic
                item, parent = _printable(file.item), _printable(file.parent)
                yield replace(file, name=name, item=item, parent=parent, synthetic=made)

    def _settle(self) -> None:
        for inner in (*_PLACES.values(), _SYNTHETIC):
            database.sync_folder(self._folder / inner)

    def _group(self, group: Group) -> None:
        parts = [part for kind, file in group.files if (part := self._part(kind, file))]
        new = [part for part in parts if not part.known]
        known = next((part.known for part in parts if part.known), "")
        for part in parts:
            if part.known:
                self._seen(part)
        if new:
            item = known if known and not self._has(known, new[0].kind) else ""
            self._take(item, new)
        elif parts:
            self._say(known, parts[0].file)

    def _part(self, kind: Kind, file: Found) -> _Part | None:
        """Return a file with what it holds; None of one that is refused."""
        try:
            sha256, nbytes = sha256_of(file.path)
            row = self._connection.execute(
                "SELECT o.item FROM origins o JOIN media m ON m.item = o.item AND m.kind = ? WHERE o.sha256 = ?",
                (kind, sha256),
            ).fetchone()
            if row:
                return _Part(kind, file, sha256, nbytes, None, row[0])
            if self._was_removed(file, removed_as(self._connection, kind, sha256=sha256)):
                return None
            content = content_of(file.path, kind)
        except Unfit as error:
            self.added.refused[file.name] = str(error)
            return None
        except OSError as error:
            self.added.refused[file.name] = f"cannot be read: {error.strerror}"
            return None
        if self._was_removed(file, removed_as(self._connection, kind, content=content.digest)):
            return None
        row = self._connection.execute(
            "SELECT item FROM media WHERE kind = ? AND content = ?", (kind, content.digest)
        ).fetchone()
        return _Part(kind, file, sha256, nbytes, content, row[0] if row else "")

    def _was_removed(self, file: Found, item: str) -> bool:
        if item:
            self.added.removed[file.name] = item
        return bool(item)

    def _seen(self, part: _Part) -> None:
        """Note that an item was found once more."""
        row = (part.known, part.file.name, part.sha256)
        if self._connection.execute("SELECT 1 FROM origins WHERE item = ? AND name = ? AND sha256 = ?", row).fetchone():
            self.added.known += 1
            return
        self.added.duplicates[part.file.name] = part.known
        self._origin(*row)

    def _origin(self, item: str, name: str, sha256: str) -> None:
        self._connection.execute("INSERT OR IGNORE INTO origins VALUES (?, ?, ?)", (item, name, sha256))
        self._connection.execute("DELETE FROM annotated WHERE item = ?", (item,))

    def _has(self, item: str, kind: Kind) -> bool:
        found = self._connection.execute("SELECT 1 FROM media WHERE item = ? AND kind = ?", (item, kind))
        return found.fetchone() is not None

    def _take(self, item: str, parts: Sequence[_Part]) -> None:
        """Make an item of files, or complete one."""
        if item:
            self.added.completed.append(item)
        else:
            item = self._free_id(parts[0])
            self._connection.execute("INSERT INTO items VALUES (?, ?)", (item, utc_now()))
            self.added.items.append(item)
        for part in parts:
            self._medium(item, part)
            self._origin(item, part.file.name, part.sha256)
        self._say(item, parts[0].file)

    def _medium(self, item: str, part: _Part) -> None:
        content = part.content
        assert content is not None
        path = self._free_path(part)
        if not self._dry_run:
            move = part.file.path.is_relative_to(self._scratch)
            place(part.file.path, self._folder / path, link=self._link and not move, move=move, sha256=part.sha256)
        row = (part.sha256, content.digest, content.near, part.nbytes, content.seconds)
        linked = (self._folder / path).is_symlink()
        self._connection.execute(
            "INSERT INTO media VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (item, part.kind, path, *row, linked, json.dumps(dict(content.facts))),
        )
        if content.remarks:
            self.added.remarks[part.file.name] = list(content.remarks)

    def _say(self, item: str, file: Found) -> None:
        """Store what a source says of an item, as far as the profile allows it."""
        told: list[Annotation] = []
        for given in file.annotations:
            if given.authority == "composer" and given.name not in self._profile.every():
                continue  # a composer says more than a profile asks for
            try:
                value = self._profile.label(given.name).accepted(given.name, given.value)
            except ConfigError as error:
                self.added.remarks.setdefault(file.name, []).append(f"not taken: {error}")
                continue
            source = given.source or "manifest"
            words = (source, given.version, given.authority, given.by, given.at)
            told.append(Annotation(given.name, value, given.confidence, *words))
        annotate(self._connection, item, told)
        if file.parent and file.parent != item:
            self._connection.execute("INSERT OR IGNORE INTO parents VALUES (?, ?)", (item, file.parent))
        store_provenance(self._connection, item, {**self._from, **file.provenance})
        recipe = restored(file.recipe) if self._restoring and file.recipe else None
        if recipe:
            store(self._connection, item, recipe)

    def _free_id(self, part: _Part) -> str:
        names = [part.file.item] if _NAME.fullmatch(part.file.item) and len(part.file.item) <= 160 else []
        names += [f"{_stem(part)}-{part.sha256[:digits]}" for digits in (8, 16, 64)]
        return next(name for name in names if not self._taken("items", "id", name))

    def _free_path(self, part: _Part) -> str:
        """Return where a file goes: named with 8 digits of its hash, or more where that name is another's."""
        suffix = PurePosixPath(part.file.name).suffix.lower()
        slug = _stem(part)
        if self._restoring and part.file.recipe:
            return part.file.name
        place = _SYNTHETIC if part.file.synthetic else _PLACES[part.kind]
        names = [f"{place}/{slug}-{part.sha256[:digits]}{suffix}" for digits in (8, 16, 64)]
        return next(name for name in names if not self._taken("media", "path", name))

    def _taken(self, table: str, column: str, name: str) -> bool:
        sql = f"SELECT 1 FROM {table} WHERE {column} = ?"  # noqa: S608 - our words
        return self._connection.execute(sql, (name,)).fetchone() is not None


def _stem(part: _Part) -> str:
    """Return what the names of an item and its file begin with: one that was named by its hash keeps its name."""
    slug = _slug(part.file.name)
    return slug.removesuffix(f"-{part.sha256[:8]}") or slug


def _slug(name: str) -> str:
    """Return the stem of a file as part of a name: letters, digits, - and _, of at most 100 bytes."""
    kept = re.sub(r"[^\w+-]+", "_", PurePosixPath(name).stem).strip("_-") or "item"
    return kept.encode()[:100].decode(errors="ignore")


def _printable(name: str) -> str:
    """Return a name of a file as text that can be stored: bytes that are no UTF-8 are marked."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\0", " ")
