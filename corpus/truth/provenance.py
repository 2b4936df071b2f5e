"""Where an item is from: the source that it was added from, under which licence, and what finds it there again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

_OWN: Final = ("source", "licence")


def store_provenance(connection: sqlite3.Connection, item: str, told: Mapping[str, Any]) -> None:
    """Store where an item is from, unless that is known or nothing is told."""
    if told:
        own = [str(told.get(name) or "") for name in _OWN]
        facts = {name: value for name, value in told.items() if name not in _OWN}
        row = (item, *own, json.dumps(facts, sort_keys=True))
        connection.execute("INSERT OR IGNORE INTO provenance VALUES (?, ?, ?, ?)", row)


def provenance_of(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return item -> where it is from, of those of which it is known."""
    marks = ",".join("?" * len(ids))
    rows = connection.execute(
        f"SELECT item, source, licence, facts FROM provenance WHERE item IN ({marks})",  # noqa: S608 - our words
        ids,
    )
    return {item: {"source": source, "licence": licence, **json.loads(facts)} for item, source, licence, facts in rows}


def licence_counts(connection: sqlite3.Connection) -> dict[str, int]:
    """Return licence -> items, of those whose source states one; the most common first."""
    rows = connection.execute(
        "SELECT licence, count(*) FROM provenance WHERE licence <> '' GROUP BY licence ORDER BY 2 DESC, 1"
    )
    return dict(rows)
