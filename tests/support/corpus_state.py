"""What a corpus is, compared: the rows of its truth, and the bytes of its files, without the time of day."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from tonesmith.corpus.truth import database

MOMENTS = {"at", "added"}
"""Columns with the time of day."""
OUTSIDE = re.compile(r"corpus\.((backup|damaged-\d+)\.)?sqlite.*|corpus\.lock")
"""Files that say nothing by themselves: the truth is compared as rows."""


def truth(path: Path) -> dict[str, list[str]]:
    """Return the rows of every table, without the time of day."""
    with closing(sqlite3.connect(path / database.NAME)) as connection:
        names = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1"
        found = {table: _rows(connection, table) for (table,) in connection.execute(names).fetchall()}
    found["removed"] = [timeless(row) for row in found.get("removed", [])]
    return found


def _rows(connection: sqlite3.Connection, table: str) -> list[str]:
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] not in MOMENTS]
    return sorted(map(str, connection.execute(f"SELECT {', '.join(columns)} FROM {table}")))  # noqa: S608


def timeless(text: str) -> str:
    """Return JSON without the time of day."""
    return re.sub(r'"(at|added)": "[^"]*"', "", text)


def files(path: Path) -> dict[str, str | bytes]:
    """Return name -> bytes of every file but the truth itself, without the time of day."""
    found: dict[str, str | bytes] = {}
    for file in sorted(path.rglob("*")):
        name = str(file.relative_to(path))
        if file.is_file() and not OUTSIDE.fullmatch(name):
            content = file.read_bytes()
            found[name] = timeless(content.decode()) if file.suffix == ".json" else content
    return found
