"""Items that must not be parted: those of one root ancestor, and near-duplicates."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from tonesmith.corpus.cleaning.alike import known_alike


def families(connection: sqlite3.Connection, alike: Iterable[tuple[str, str]] = ()) -> dict[str, str]:
    """Return item -> its family: the smallest name among the items, and their ancestors, that belong together.

    Two items belong together if they come from one ancestor, if their scores have the same intervals and rhythm, if
    their recordings were compared and sound alike, or if each belongs with a third. An ancestor need not be in the
    corpus.

    Args:
        connection: to the truth of a corpus.
        alike: more pairs of items that sound alike.
    """
    heads: dict[str, str] = {}

    def head(name: str) -> str:
        while (above := heads.setdefault(name, name)) != name:
            heads[name] = heads[above]
            name = above
        return name

    def join(one: str, other: str) -> None:
        first, second = sorted((head(one), head(other)))
        heads[second] = first

    for item, parent in connection.execute("SELECT item, parent FROM parents"):
        join(item, parent)
    for one, other in [*known_alike(connection), *alike]:
        join(one, other)
    last = ("", "")
    for near, item in connection.execute("SELECT near, item FROM media WHERE near <> '' ORDER BY near, item"):
        if near == last[0]:
            join(last[1], item)
        last = (near, item)
    return {row[0]: head(row[0]) for row in connection.execute("SELECT id FROM items ORDER BY id")}


def leaks(connection: sqlite3.Connection) -> list[tuple[str, tuple[str, ...]]]:
    """Return family and splits of each family that is in more than one split: there should be none."""
    found: dict[str, set[str]] = {}
    splits = dict(connection.execute("SELECT item, split FROM splits"))
    if splits:
        for item, family in families(connection).items():
            if item in splits:
                found.setdefault(family, set()).add(splits[item])
    return [(family, tuple(sorted(inside))) for family, inside in found.items() if len(inside) > 1]
