"""Items taken out of a corpus with all that is known of them, and brought back.

What is known moves from its tables to ``removed``, and the files move to ``removed/``. Both are one change: the
moves of the files are noted in the same transaction, and done after it, or by the next command if this one was killed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tonesmith.corpus.cleaning.faults import Fault
from tonesmith.corpus.errors import CorpusError
from tonesmith.corpus.truth.database import sync_folder
from tonesmith.corpus.truth.files import full_disk_told, write_whole
from tonesmith.corpus.truth.items import utc_now
from tonesmith.errors import ConfigError, unknown_name

FOLDER: Final = "removed"
LIST: Final = "removed/removed.json"
_OWN: Final = {"removed", "removed_media"}

Rows = dict[str, list[dict[str, Any]]]


def take_out(connection: sqlite3.Connection, item: str, fault: Fault) -> None:
    """Take an item out, within a transaction. :func:`finish_moves` then moves its files."""
    known = _known(connection, item)
    row = (item, fault.reason, fault.told, fault.head, utc_now(), json.dumps(known))
    connection.execute("INSERT INTO removed VALUES (?, ?, ?, ?, ?, ?)", row)
    connection.execute(
        "INSERT OR REPLACE INTO removed_media SELECT kind, content, sha256, path, item FROM media WHERE item = ?",
        (item,),
    )
    for path in _paths(known):
        connection.execute("INSERT OR REPLACE INTO moves VALUES (?, ?)", (path, f"{FOLDER}/{path}"))
    for table in _tables(connection):
        connection.execute(f"DELETE FROM {table} WHERE item = ?", (item,))  # noqa: S608 - our words
    connection.execute("DELETE FROM items WHERE id = ?", (item,))


def _tables(connection: sqlite3.Connection) -> list[str]:
    """Return the tables that say something of an item, whoever made them."""
    every = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return [
        table
        for table in every
        if table not in _OWN and any(row[1] == "item" for row in connection.execute(f"PRAGMA table_info({table})"))
    ]


def _known(connection: sqlite3.Connection, item: str) -> Rows:
    places = [("items", "id"), *((table, "item") for table in _tables(connection))]
    return {table: list(_rows(connection, table, column, item)) for table, column in places}


def _rows(connection: sqlite3.Connection, table: str, column: str, item: str) -> Iterator[dict[str, Any]]:
    found = connection.execute(f"SELECT * FROM {table} WHERE {column} = ?", (item,))  # noqa: S608 - our words
    names = [part[0] for part in found.description]
    for row in found:
        yield {n: {"hex": v.hex()} if isinstance(v, bytes) else v for n, v in zip(names, row, strict=True)}


def _paths(known: Rows) -> list[str]:
    return [row["path"] for rows in known.values() for row in rows if isinstance(row.get("path"), str)]


def bring_back(connection: sqlite3.Connection, item: str) -> list[str]:
    """Bring an item back with those that went with it, within a transaction, and return their names.

    It is kept from then on, whatever :func:`sanitise` finds. Raises :class:`ConfigError` for one that was not removed,
    or went with another, and :class:`CorpusError` if something else has its place.
    """
    row = connection.execute("SELECT head FROM removed WHERE item = ?", (item,)).fetchone()
    if row is None:
        known = [name for (name,) in connection.execute("SELECT item FROM removed")]
        raise ConfigError(unknown_name("removed item", item, known))
    if row[0] != item:
        raise ConfigError(f"{item} was removed with {row[0]}. Restore that: --restore {row[0]}")
    every = connection.execute("SELECT item, known FROM removed WHERE head = ? ORDER BY item", (item,)).fetchall()
    for name, known in sorted(every, key=lambda one: one[0] != item):
        _put_back(connection, name, json.loads(known))
    connection.execute("INSERT OR IGNORE INTO kept VALUES (?)", (item,))
    return [name for name, _ in every]


def _put_back(connection: sqlite3.Connection, item: str, known: Rows) -> None:
    try:
        for table, rows in known.items():
            for row in rows:
                values = [bytes.fromhex(v["hex"]) if isinstance(v, dict) else v for v in row.values()]
                marks = ",".join("?" * len(row))
                connection.execute(f"INSERT INTO {table}({','.join(row)}) VALUES ({marks})", values)  # noqa: S608
    except sqlite3.IntegrityError as error:
        raise CorpusError(f"{item} cannot be restored: another item has its name, path or content ({error}).") from None
    for path in _paths(known):
        connection.execute("INSERT OR REPLACE INTO moves VALUES (?, ?)", (f"{FOLDER}/{path}", path))
    for table in sorted(_OWN):
        connection.execute(f"DELETE FROM {table} WHERE item = ?", (item,))  # noqa: S608 - our words


def finish_moves(folder: Path, connection: sqlite3.Connection) -> None:
    """Move the files that are to be moved. The corpus is locked, and no transaction is open."""
    moves = connection.execute("SELECT source, target FROM moves ORDER BY source").fetchall()
    touched: set[Path] = set()
    for source, target in moves:
        given, place = folder / source, folder / target
        if given.is_symlink() or given.exists():
            with full_disk_told(place.parent):
                place.parent.mkdir(parents=True, exist_ok=True)
                given.replace(place)
            touched |= {given.parent, place.parent}
    for parent in sorted(touched):
        sync_folder(parent)
    connection.executemany("DELETE FROM moves WHERE source = ?", [(source,) for source, _ in moves])


def find_moved(folder: Path, connection: sqlite3.Connection) -> None:
    """Note files of items that lie in ``removed/`` as files to be moved back: the truth is that of an older backup."""
    for (path,) in connection.execute("SELECT path FROM media").fetchall():
        if not (folder / path).exists() and (folder / FOLDER / path).exists():
            connection.execute("INSERT OR REPLACE INTO moves VALUES (?, ?)", (f"{FOLDER}/{path}", path))


def removed_as(connection: sqlite3.Connection, kind: str, *, sha256: str = "", content: str = "") -> str:
    """Return the removed item that a file was of, by its bytes or by what is heard; "" if it was of none."""
    column, value = ("content", content) if content else ("sha256", sha256)
    sql = f"SELECT item FROM removed_media WHERE kind = ? AND {column} = ?"  # noqa: S608 - our words
    row = connection.execute(sql, (kind, value)).fetchone()
    return str(row[0]) if row else ""


def removed_items(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Return what was taken out: ``item``, ``reason``, ``told``, ``head``, ``at`` and ``files``."""
    files: dict[str, list[str]] = {}
    for item, path in connection.execute("SELECT item, path FROM removed_media ORDER BY path"):
        files.setdefault(item, []).append(f"{FOLDER}/{path}")
    names = ("item", "reason", "told", "head", "at")
    rows: Sequence[Sequence[str]] = connection.execute(
        "SELECT item, reason, told, head, at FROM removed ORDER BY item"
    ).fetchall()
    return [{**dict(zip(names, row, strict=True)), "files": files.get(row[0], [])} for row in rows]


def write_removed(folder: Path, connection: sqlite3.Connection) -> None:
    """Write ``removed/removed.json`` from the truth, if anything was ever taken out."""
    every: Sequence[Mapping[str, Any]] = removed_items(connection)
    if every or (folder / LIST).exists():
        lines = ",\n".join(json.dumps(one, ensure_ascii=False) for one in every)
        write_whole(folder / LIST, f"[\n{lines}\n]\n".encode())
