"""Items of a corpus, as they are read from its tables."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tonesmith.corpus.media import Kind
from tonesmith.corpus.truth.provenance import provenance_of
from tonesmith.host.roles.annotation import AUTHORITIES, Annotation, Said

_COLUMNS: Final = "item, name, value, confidence, source, version, authority, by, at"
_TOLD: Final = "name, source, value, version, confidence, authority"
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


def annotate(
    connection: sqlite3.Connection,
    item: str,
    annotations: Iterable[Annotation],
    takes_back: Callable[[str, str], bool] = lambda *_: False,
) -> int:
    """Store what sources say of an item, in the place of what they said before, and return how much of it changes.

    Of several sources of one name the one with the highest authority is believed; of two of the same, the surer one.

    Args:
        connection: to the truth.
        item: its name.
        annotations: what is said.
        takes_back: whether what was said under a name by a source, and is not said now, is removed.
    """
    rows = connection.execute(f"SELECT {_TOLD} FROM annotations WHERE item = ?", (item,))  # noqa: S608
    before = {(name, source): told for name, source, *told in rows}
    given = {(one.name, one.source): one for one in annotations}
    now = {key: [stored_value(a.value), a.version, a.confidence, _RANK[a.authority]] for key, a in given.items()}
    new = {key: told for key, told in now.items() if before.get(key, [])[:3] != told[:3]}
    gone = [key for key in before if key not in now and takes_back(*key)]
    after = {key: told for key, told in {**before, **new}.items() if key not in gone}
    best = _believed(after, {name for name, _ in (*new, *gone)})
    connection.executemany(
        "DELETE FROM annotations WHERE item = ? AND name = ? AND source = ?", [(item, *key) for key in gone]
    )
    connection.executemany(
        "INSERT OR REPLACE INTO annotations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(item, *key, *told, given[key].by, given[key].at, key[1] == best[key[0]]) for key, told in new.items()],
    )
    others = {name for name, source in after if name in best and (name, source) not in new}
    connection.executemany(
        "UPDATE annotations SET believed = (source = ?) WHERE item = ? AND name = ?",
        [(best[name], item, name) for name in others],
    )
    return len(new) + len(gone)


def _believed(said: Mapping[tuple[str, str], Sequence[Any]], names: Collection[str]) -> dict[str, str]:
    """Return name -> the source that is believed, of those names of which something is said."""
    ranked: dict[str, list[tuple[int, float, str]]] = {}
    for (name, source), (_, _, confidence, rank) in said.items():
        if name in names:
            ranked.setdefault(name, []).append((rank, -confidence, source))
    return {name: min(sources)[2] for name, sources in ranked.items()}
