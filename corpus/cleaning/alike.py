"""Recordings of a corpus that sound alike: each is measured once, and what was compared is kept."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tonesmith.corpus.cleaning.hearing import VERSION, Heard, hear
from tonesmith.corpus.cleaning.likeness import LIKENESS, Sound, candidates, compared
from tonesmith.corpus.media import Unfit
from tonesmith.corpus.truth.batches import Batches
from tonesmith.corpus.truth.items import Item, Medium, items

if TYPE_CHECKING:
    from tonesmith.corpus.store import Store
    from tonesmith.terminal.progress import Progress

_KNOWN: Final = """
SELECT one.item, other.item FROM likenesses
JOIN media AS one ON one.kind = 'audio' AND one.content = likenesses.first
JOIN media AS other ON other.kind = 'audio' AND other.content = likenesses.second
WHERE likenesses.version = ? AND likenesses.likeness >= ?
"""


def known_alike(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return pairs of items whose recordings were compared before, and found to sound alike."""
    return [(str(one), str(other)) for one, other in connection.execute(_KNOWN, (VERSION, LIKENESS))]


def compare_all(corpus: Store, hearing: Progress, comparing: Progress, *, dry_run: bool) -> list[tuple[str, str]]:
    """Compare the recordings of a corpus that is locked, as far as they were not, and return items that sound alike.

    Recordings that cannot be read are left out. What was measured is stored, unless it is a dry run.
    """
    connection, line = corpus.connection, roots(corpus.connection)
    sounds = []
    with Batches(connection, dry_run=dry_run) as batches:
        hearing.begin(connection.execute("SELECT count(*) FROM media WHERE kind = 'audio'").fetchone()[0])
        for item in _with_recordings(connection):
            medium = next(medium for medium in item.media if medium.kind == "audio")
            try:
                heard = kept_or_heard(connection, corpus.path, medium)[0]
            except (Unfit, OSError):
                continue
            finally:
                hearing.advance(1)
                batches.now_and_then()
            sounds.append(sound_of(item.id, corpus.path, medium, heard, line))
        found = list(alike(connection, sounds, LIKENESS, comparing, batches))
    return [(one.item, other.item) for _, one, other in found]


def _with_recordings(connection: sqlite3.Connection) -> Iterator[Item]:
    rows = connection.execute("SELECT item FROM media WHERE kind = 'audio' ORDER BY item").fetchall()
    yield from items(connection, [row[0] for row in rows])


def kept_or_heard(
    connection: sqlite3.Connection, folder: Path, medium: Medium, *, deep: bool = False
) -> tuple[Heard, bool]:
    """Return what was measured of a file, and whether it was measured now, as always if ``deep``.

    Raises :class:`Unfit` with the reason if it cannot be read, and :class:`OSError`.
    """
    key = (medium.kind, medium.content, VERSION)
    sql = "SELECT numbers, picture FROM heard WHERE kind = ? AND content = ? AND version = ?"
    row = connection.execute(sql, key).fetchone()
    if row and not deep:
        return Heard(json.loads(row[0]), row[1]), False
    heard = hear(folder / medium.path, medium.kind, medium.facts)
    told = (json.dumps(dict(heard.numbers)), heard.picture)
    connection.execute("INSERT OR REPLACE INTO heard VALUES (?, ?, ?, ?, ?)", (*key, *told))
    return heard, True


def sound_of(item: str, folder: Path, medium: Medium, heard: Heard, line: Mapping[str, str]) -> Sound:
    """Return a recording that can be compared. ``line`` is item -> its oldest ancestor, of those that have one."""
    return Sound(item, folder / medium.path, medium.content, medium.seconds, heard.picture, line.get(item, item))


def alike(
    connection: sqlite3.Connection, sounds: Sequence[Sound], least: float, counter: Progress, batches: Batches
) -> Iterator[tuple[float, Sound, Sound]]:
    """Yield the likeness of two sounds, and these, where it is at least so much."""
    pairs = list(candidates(sounds)) if len(sounds) > 1 else []
    counter.begin(len(pairs))
    for one, other in pairs:
        found = compared(connection, one, other)
        if found >= least:
            yield found, one, other
        counter.advance(1)
        batches.now_and_then()


def ancestors(item: str, parents: Mapping[str, str]) -> Iterator[str]:
    """Yield an item, its parent, and so on; a ring of parents, which only a damaged corpus has, ends."""
    seen: set[str] = set()
    while item and item not in seen:
        seen.add(item)
        yield item
        item = parents.get(item, "")


def roots(connection: sqlite3.Connection) -> dict[str, str]:
    """Return item -> its oldest ancestor, of those that have a parent."""
    parents = dict(connection.execute("SELECT item, parent FROM parents"))
    return {item: list(ancestors(item, parents))[-1] for item in parents}
