"""What a corpus names lies in its folder. The file of a stranger may say otherwise, and is refused then."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from typing import Any, Final

_PATHS: Final = (("media", "path"), ("moves", "source"), ("moves", "target"), ("removed_media", "path"))
"""Tables and columns that hold paths of files, from the folder on."""
_NAMES: Final = (("items", "id"), ("removed", "item"), ("definitions", "hash"))
"""Those that hold names, of which files are called."""
_REPEATED: Final = (("splits", "split"), ("features", "name"))
"""Those that hold a few names again and again, and have an index of them."""
_ABROAD: Final = re.compile(r"[/\\]|[A-Za-z]:")
"""How a path begins that does not go on from a folder."""

_RISING: Final = """
SELECT {column} FROM {table} WHERE {column} GLOB '*/..*'
UNION ALL SELECT {column} FROM {table} WHERE {column} < 'processed/'
UNION ALL SELECT {column} FROM {table} WHERE {column} >= 'processed0' AND {column} < 'raw/'
UNION ALL SELECT {column} FROM {table} WHERE {column} >= 'raw0' AND {column} < 'removed/'
UNION ALL SELECT {column} FROM {table} WHERE {column} >= 'removed0'
"""
"""Paths that may lead out: by one pass over them, and by where an index has those that do not begin as all do."""
_SLASHED: Final = """
SELECT {column} FROM {table} WHERE {column} GLOB '*/*'
UNION ALL SELECT {column} FROM {table} WHERE {column} IN ('', '.', '..')
"""
_EACH: Final = """
WITH RECURSIVE each(found) AS (
    SELECT min({column}) FROM {table}
    UNION ALL
    SELECT (SELECT min({column}) FROM {table} WHERE {column} > each.found) FROM each WHERE each.found IS NOT NULL
) SELECT found FROM each WHERE found IS NOT NULL
"""
"""Each name once: an index steps from one to the next."""


def outside(connection: sqlite3.Connection) -> str:
    """Return a path or name that would lead out of the folder of a corpus, "" if there is none.

    SQLite picks out the few that may, so that 100,000 items cost two short passes, and they are judged here.
    """
    for path in _found(connection, _RISING, _PATHS):
        if not is_place(path):
            return repr(path)[:200]
    for query, columns in ((_SLASHED, _NAMES), (_EACH, _REPEATED)):
        for name in _found(connection, query, columns):
            if not is_name(name):
                return repr(name)[:200]
    return ""


def _found(connection: sqlite3.Connection, query: str, columns: tuple[tuple[str, str], ...]) -> Iterator[Any]:
    for table, column in columns:
        yield from (row[0] for row in connection.execute(query.format(table=table, column=column)))


def is_place(path: Any) -> bool:
    """Return whether a path goes on from a folder, and stays in it."""
    if not isinstance(path, str) or not path or "\0" in path or _ABROAD.match(path):
        return False
    return ".." not in path.split("/")


def is_name(text: Any) -> bool:
    """Return whether a file may be called so."""
    return isinstance(text, str) and text not in {"", ".", ".."} and "/" not in text and "\0" not in text
