"""The tables of ``corpus.sqlite``, and how those of an older version become those of this one."""

from __future__ import annotations

import sqlite3
from typing import Final

APPLICATION: Final = 0x746F6E65
"""The number by which the file is known: "tone"."""

_FIRST: Final = """
CREATE TABLE items(
    id TEXT PRIMARY KEY,
    added TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE media(
    item TEXT NOT NULL REFERENCES items(id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('score', 'audio')),
    path TEXT NOT NULL UNIQUE,
    sha256 TEXT NOT NULL,
    content TEXT NOT NULL,
    near TEXT NOT NULL,
    nbytes INTEGER NOT NULL,
    seconds REAL NOT NULL,
    linked INTEGER NOT NULL,
    facts TEXT NOT NULL,
    PRIMARY KEY (item, kind)
) WITHOUT ROWID;
CREATE UNIQUE INDEX media_by_content ON media(kind, content);
CREATE INDEX media_by_near ON media(near) WHERE near <> '';
CREATE TABLE origins(
    item TEXT NOT NULL REFERENCES items(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (item, name, sha256)
) WITHOUT ROWID;
CREATE INDEX origins_by_sha256 ON origins(sha256);
CREATE TABLE annotations(
    item TEXT NOT NULL REFERENCES items(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    source TEXT NOT NULL,
    value BLOB NOT NULL,
    version TEXT NOT NULL,
    confidence REAL NOT NULL,
    authority INTEGER NOT NULL,
    by TEXT NOT NULL,
    at TEXT NOT NULL,
    believed INTEGER NOT NULL,
    PRIMARY KEY (item, name, source)
) WITHOUT ROWID;
CREATE INDEX annotations_believed ON annotations(name, value) WHERE believed = 1;
CREATE TABLE annotated(
    item TEXT NOT NULL REFERENCES items(id) ON DELETE CASCADE,
    source TEXT NOT NULL,
    version TEXT NOT NULL,
    PRIMARY KEY (item, source)
) WITHOUT ROWID;
CREATE TABLE parents(
    item TEXT PRIMARY KEY REFERENCES items(id) ON DELETE CASCADE,
    parent TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX parents_by_parent ON parents(parent);
CREATE TABLE recipes(
    item TEXT PRIMARY KEY REFERENCES items(id) ON DELETE CASCADE,
    operation TEXT NOT NULL,
    version TEXT NOT NULL,
    parameters TEXT NOT NULL,
    number INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE splits(
    item TEXT PRIMARY KEY REFERENCES items(id) ON DELETE CASCADE,
    split TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE settings(
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
"""

_REMOVED: Final = """
CREATE TABLE removed(
    item TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    told TEXT NOT NULL,
    head TEXT NOT NULL,
    at TEXT NOT NULL,
    known TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE removed_media(
    kind TEXT NOT NULL,
    content TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    path TEXT NOT NULL,
    item TEXT NOT NULL,
    PRIMARY KEY (kind, content)
) WITHOUT ROWID;
CREATE TABLE kept(
    item TEXT PRIMARY KEY REFERENCES items(id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE TABLE moves(
    source TEXT PRIMARY KEY,
    target TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE heard(
    kind TEXT NOT NULL,
    content TEXT NOT NULL,
    version INTEGER NOT NULL,
    numbers TEXT NOT NULL,
    picture BLOB NOT NULL,
    PRIMARY KEY (kind, content)
) WITHOUT ROWID;
CREATE TABLE likenesses(
    first TEXT NOT NULL,
    second TEXT NOT NULL,
    version INTEGER NOT NULL,
    likeness REAL NOT NULL,
    PRIMARY KEY (first, second)
) WITHOUT ROWID;
"""

_FEATURES: Final = """
CREATE TABLE features(
    item TEXT NOT NULL REFERENCES items(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    of TEXT NOT NULL,
    definition TEXT NOT NULL,
    nbytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (item, name)
) WITHOUT ROWID;
CREATE INDEX features_by_name ON features(name, definition);
CREATE TABLE definitions(
    hash TEXT PRIMARY KEY,
    told TEXT NOT NULL
) WITHOUT ROWID;
"""

_PROVENANCE: Final = """
DROP INDEX annotations_believed;
CREATE INDEX annotations_believed ON annotations(name, value, believed) WHERE believed = 1;
CREATE TABLE provenance(
    item TEXT PRIMARY KEY REFERENCES items(id) ON DELETE CASCADE,
    source TEXT NOT NULL,
    licence TEXT NOT NULL,
    facts TEXT NOT NULL
) WITHOUT ROWID;
"""
# With "believed" in it the index answers a query alone: SQLite reads the table for every item otherwise

_SPLITS: Final = """
CREATE INDEX splits_by_split ON splits(split);
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _REMOVED, _FEATURES, _PROVENANCE, _SPLITS)
"""What makes each version of the one before. The version of a file is the number of those it has been through."""


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of a file's tables; 0 of a new one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a file to the newest version, all steps at once or none."""
    version = version_of(connection)
    if version >= len(MIGRATIONS):
        return
    steps = "".join(MIGRATIONS[version:])
    head = f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION}; "
    try:
        connection.executescript(f"{head}{steps} PRAGMA user_version = {len(MIGRATIONS)}; COMMIT;")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.rollback()
        raise
