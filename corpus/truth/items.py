"""Items of a corpus, as they are read from its tables."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tonesmith.corpus.media import Kind
from tonesmith.corpus.truth.provenance import provenance_of
from tonesmith.host.roles.annotation import AUTHORITIES, Annotation, Said

_COLUMNS: Final = "item, name, value, confidence, source, version, authority, by, at"
_RECIPES: Final = "SELECT item, operation, version, number, parameters FROM recipes WHERE item IN ({})"
_RANK: Final = {name: place for place, name in enumerate(AUTHORITIES)}


@dataclass(frozen=True, slots=True)
class Medium:
    """A score or a recording of an item.

    Attributes:
        kind: score or audio.
        path: below the corpus, with ``/``.
        sha256: of its bytes.
        content: digest of what is heard.
        near: what a score shares with its transpositions; "" for none.
        nbytes: of the file.
        seconds: that it lasts.
        linked: whether it is a link to the original.
        facts: notes and parts, or sample rate, channels, frames and peak.
    """

    kind: Kind
    path: str
    sha256: str
    content: str
    near: str
    nbytes: int
    seconds: float
    linked: bool
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing of a corpus.

    Attributes:
        id: its name.
        media: its score, its recording, or both.
        annotations: all that is said of it, what is believed first.
        values: name -> what is believed.
        parent: the item that it was derived from; "" for an original.
        split: that it is in; "" for none.
        provenance: where it is from, as far as that is known: "source", "licence", and what finds it there again.
        recipe: operation, version, number and parameters that make it again; empty for an original.
    """

    id: str
    media: tuple[Medium, ...]
    annotations: tuple[Annotation, ...] = ()
    values: Mapping[str, Said] = field(default_factory=dict)
    parent: str = ""
    split: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Of its score, else of its recording, below the corpus."""
        return next((m.path for kind in ("score", "audio") for m in self.media if m.kind == kind), "")


def stored_value(value: Said) -> float | int | str | bytes:
    """Return a value as a table holds it: numbers and texts as such, all else as JSON."""
    return json.dumps(value).encode() if isinstance(value, (bool, tuple)) else value


def read_value(stored: float | int | str | bytes) -> Said:
    """Return the value that a table holds."""
    if not isinstance(stored, bytes):
        return stored
    value = json.loads(stored)
    return tuple(value) if isinstance(value, list) else bool(value)


def items(connection: sqlite3.Connection, ids: Sequence[str] | None = None) -> Iterator[Item]:
    """Yield items by their names: some, or all in the order of their names."""
    if ids is None:
        ids = [row[0] for row in connection.execute("SELECT id FROM items ORDER BY id")]
    for start in range(0, len(ids), 500):
        yield from _some(connection, ids[start : start + 500])


def _some(connection: sqlite3.Connection, ids: Sequence[str]) -> Iterator[Item]:
    marks = ",".join("?" * len(ids))
    media: dict[str, list[Medium]] = {}
    said: dict[str, list[tuple[bool, Annotation]]] = {}
    for item, kind, *row, facts in connection.execute(
        "SELECT item, kind, path, sha256, content, near, nbytes, seconds, linked, facts FROM media "  # noqa: S608
        f"WHERE item IN ({marks}) ORDER BY item, kind DESC",
        ids,
    ):
        media.setdefault(item, []).append(_medium(kind, row, facts))
    for believed, *row in connection.execute(
        f"SELECT believed, {_COLUMNS} FROM annotations WHERE item IN ({marks}) "  # noqa: S608
        "ORDER BY name, believed DESC, authority, source",
        ids,
    ):
        said.setdefault(row[0], []).append((bool(believed), annotation_of(row)))
    parents = dict(connection.execute(f"SELECT item, parent FROM parents WHERE item IN ({marks})", ids))  # noqa: S608
    splits = dict(connection.execute(f"SELECT item, split FROM splits WHERE item IN ({marks})", ids))  # noqa: S608
    origins = provenance_of(connection, ids)
    recipes = {item: _recipe(row) for item, *row in connection.execute(_RECIPES.format(marks), ids)}
    for name in ids:
        if name in media:
            told = said.get(name, [])
            values = {annotation.name: annotation.value for believed, annotation in told if believed}
            every = tuple(annotation for _, annotation in told)
            kin = (parents.get(name, ""), splits.get(name, ""), origins.get(name, {}), recipes.get(name, {}))
            yield Item(name, tuple(media[name]), every, values, *kin)


def _recipe(row: Sequence[Any]) -> dict[str, Any]:
    operation, version, number, parameters = row
    return {"operation": operation, "version": version, "number": number, "parameters": json.loads(parameters)}


def _medium(kind: Kind, row: Sequence[Any], facts: str) -> Medium:
    path, sha256, content, near, nbytes, seconds, linked = row
    return Medium(kind, path, sha256, content, near, nbytes, seconds, bool(linked), json.loads(facts))


def annotation_of(row: Sequence[Any]) -> Annotation:
    """Return the annotation in a row of the table."""
    _, name, value, confidence, source, version, authority, by, at = row
    return Annotation(name, read_value(value), confidence, source, version, AUTHORITIES[authority], by, at)


def utc_now() -> str:
    """Return the moment, in UTC, to the second."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def annotate(connection: sqlite3.Connection, item: str, annotations: Iterable[Annotation]) -> int:
    """Store what sources say of an item, in the place of what they said before, and return how much of it is new.

    Of several sources of one name the one with the highest authority is believed; of two of the same, the surer one.
    """
    changed = 0
    for told in annotations:
        value, rank = stored_value(told.value), _RANK[told.authority]
        row = (told.version, told.confidence, rank, told.by, told.at)
        before = connection.execute(
            "SELECT value, version, confidence FROM annotations WHERE item = ? AND name = ? AND source = ?",
            (item, told.name, told.source),
        ).fetchone()
        if before == (value, told.version, told.confidence):
            continue
        connection.execute(
            "INSERT OR REPLACE INTO annotations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
            (item, told.name, told.source, value, *row),
        )
        believe(connection, item, told.name)
        changed += 1
    return changed


def believe(connection: sqlite3.Connection, item: str, name: str) -> None:
    """Choose anew which source of a name is believed."""
    connection.execute(
        "UPDATE annotations SET believed = (source = (SELECT source FROM annotations WHERE item = :item AND "
        "name = :name ORDER BY authority, confidence DESC, source LIMIT 1)) WHERE item = :item AND name = :name",
        {"item": item, "name": name},
    )


def silence(connection: sqlite3.Connection, item: str, source: str, names: Iterable[str]) -> int:
    """Remove what a source said of an item under some names, and return how much it was."""
    gone = 0
    for name in names:
        where = (item, name, source)
        deleted = connection.execute("DELETE FROM annotations WHERE item = ? AND name = ? AND source = ?", where)
        gone += deleted.rowcount
        believe(connection, item, name)
    return gone


def names_said(connection: sqlite3.Connection, item: str, source: str) -> set[str]:
    """Return the names under which a source says something of an item."""
    rows = connection.execute("SELECT name FROM annotations WHERE item = ? AND source = ?", (item, source))
    return {row[0] for row in rows}
