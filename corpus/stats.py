"""What is in a corpus, in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tonesmith.corpus.truth.items import read_value

if TYPE_CHECKING:
    from tonesmith.corpus.corpus import Corpus

_VALUES = 12
"""Values of a label that are counted one by one."""


@dataclass(frozen=True, slots=True)
class Stats:
    """Numbers of a corpus.

    Attributes:
        items: all of them.
        media: score and audio -> ``items``, ``seconds`` and ``nbytes``.
        labels: label -> ``items`` of which it is known, ``sources`` -> items, ``disagree``: items whose sources say
            different things, and ``values``: the most common values -> items, or ``least``, ``mean`` and ``greatest``.
        splits: split -> items.
        derived: items that have a parent.
    """

    items: int
    media: Mapping[str, Mapping[str, float]]
    labels: Mapping[str, Mapping[str, Any]]
    splits: Mapping[str, int]
    derived: int

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints of it."""
        return asdict(self)


def stats_of(corpus: Corpus) -> Stats:
    """Return the numbers of a corpus."""
    ask = corpus.connection.execute
    media = {
        kind: {"items": count, "seconds": seconds, "nbytes": nbytes}
        for kind, count, seconds, nbytes in ask(
            "SELECT kind, count(*), sum(seconds), sum(nbytes) FROM media GROUP BY kind ORDER BY kind DESC"
        )
    }
    names = [row[0] for row in ask("SELECT DISTINCT name FROM annotations ORDER BY name")]
    splits = dict(ask("SELECT split, count(*) FROM splits GROUP BY split ORDER BY split"))
    derived = ask("SELECT count(*) FROM parents").fetchone()[0]
    return Stats(len(corpus), media, {name: _label(corpus, name) for name in names}, splits, derived)


def _label(corpus: Corpus, name: str) -> dict[str, Any]:
    ask = corpus.connection.execute
    believed = "FROM annotations WHERE believed = 1 AND name = ?"
    count = ask(f"SELECT count(*) {believed}", (name,)).fetchone()[0]
    sources = dict(
        ask("SELECT source, count(*) FROM annotations WHERE name = ? GROUP BY source ORDER BY 2 DESC, 1", (name,))
    )
    disagree = ask(
        "SELECT count(*) FROM (SELECT 1 FROM annotations WHERE name = ? GROUP BY item HAVING "
        "CASE WHEN typeof(min(value)) IN ('real', 'integer') AND typeof(max(value)) IN ('real', 'integer') "
        "THEN max(value) - min(value) > 0.02 * max(abs(max(value)), abs(min(value)), 1) "
        "ELSE min(value) <> max(value) END)",
        (name,),
    ).fetchone()[0]
    told: dict[str, Any] = {"items": count, "sources": sources, "disagree": disagree}
    numbers = f"SELECT min(value), avg(value), max(value) {believed} AND typeof(value) IN ('real', 'integer')"
    least, mean, greatest = ask(numbers, (name,)).fetchone()
    if mean is not None:
        return {**told, "least": least, "mean": mean, "greatest": greatest}
    common = f"SELECT value, count(*) {believed} GROUP BY value ORDER BY 2 DESC, 1 LIMIT {_VALUES}"
    return {**told, "values": {_text(value): number for value, number in ask(common, (name,))}}


def _text(stored: Any) -> str:
    value = read_value(stored)
    return (
        " ".join(value) if isinstance(value, tuple) else str(value).lower() if isinstance(value, bool) else str(value)
    )
