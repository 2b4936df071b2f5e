"""What a corpus names lies in its folder. The file of a stranger may say otherwise, and is refused then."""

from __future__ import annotations

import sqlite3
from typing import Final

_PATHS: Final = (("media", "path"), ("moves", "source"), ("moves", "target"), ("removed_media", "path"))
"""Tables and columns that hold paths of files, from the folder on."""
_NAMES: Final = (
    ("items", "id"),
    ("removed", "item"),
    ("splits", "split"),
    ("features", "name"),
    ("definitions", "hash"),
)
"""Those that hold names, of which files are called."""


def outside(connection: sqlite3.Connection) -> str:
    """Return a path or name that would lead out of the folder of a corpus, "" if there is none."""
    parts = [
        *(f"SELECT {name} AS found FROM {table} WHERE {_leads_out(name)}" for table, name in _PATHS),  # noqa: S608
        *(f"SELECT {name} FROM {table} WHERE {_is_no_name(name)}" for table, name in _NAMES),  # noqa: S608
    ]
    found = connection.execute(f"SELECT found FROM ({' UNION ALL '.join(parts)}) LIMIT 1").fetchone()  # noqa: S608
    return "" if found is None else repr(found[0])[:200]


def is_name(text: str) -> bool:
    """Return whether a file may be called so."""
    return text not in {"", ".", ".."} and "/" not in text and "\0" not in text


def _leads_out(column: str) -> str:
    return f"({column} = '' OR {column} GLOB '/*' OR instr('/' || {column} || '/', '/../') OR instr({column}, char(0)))"


def _is_no_name(column: str) -> str:
    return f"({column} IN ('', '.', '..') OR instr({column}, '/') OR instr({column}, char(0)))"
