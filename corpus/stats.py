"""What is in a corpus, in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tonesmith.corpus.truth.items import read_value
from tonesmith.corpus.truth.provenance import licence_counts

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
        licences: licence -> items whose source states it.
    """

    items: int
    media: Mapping[str, Mapping[str, float]]
    labels: Mapping[str, Mapping[str, Any]]
    splits: Mapping[str, int]
    derived: int
    licences: Mapping[str, int]

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
    splits = dict(ask("SELECT split, count(*) FROM splits GROUP BY split ORDER BY split"))
    derived = ask("SELECT count(*) FROM parents").fetchone()[0]
    sources: dict[str, dict[str, int]] = {}
    for name, source, count in ask(
        "SELECT name, source, count(*) FROM annotations GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2"
    ):
        sources.setdefault(name, {})[source] = count
    disagree = _disagreeing(corpus)
    labels = {
        name: {"items": 0, "sources": said, "disagree": disagree.get(name, 0), **_values(corpus, name)}
        for name, said in sources.items()
    }
    for name, count in ask("SELECT name, count(*) FROM annotations WHERE believed = 1 GROUP BY name"):
        labels[name]["items"] = count
    return Stats(len(corpus), media, labels, splits, derived, licence_counts(corpus.connection))


def _disagreeing(corpus: Corpus) -> dict[str, int]:
    """Return label -> items whose sources differ: numbers by more than 2 in 100."""
    rows = corpus.connection.execute(
        "SELECT name, count(*) FROM (SELECT name FROM annotations GROUP BY item, name HAVING count(*) > 1 AND "
        "CASE WHEN typeof(min(value)) IN ('real', 'integer') AND typeof(max(value)) IN ('real', 'integer') "
        "THEN max(value) - min(value) > 0.02 * max(abs(max(value)), abs(min(value)), 1) "
        "ELSE min(value) <> max(value) END) GROUP BY name"
    )
    return dict(rows)


def _values(corpus: Corpus, name: str) -> dict[str, Any]:
    ask = corpus.connection.execute
    believed = "FROM annotations WHERE believed = 1 AND name = ?"
    numbers = f"SELECT min(value), avg(value), max(value) {believed} AND typeof(value) IN ('real', 'integer')"
    least, mean, greatest = ask(numbers, (name,)).fetchone()
    if mean is not None:
        return {"least": least, "mean": mean, "greatest": greatest}
    common = f"SELECT value, count(*) {believed} GROUP BY value ORDER BY 2 DESC, 1 LIMIT {_VALUES}"
    return {"values": {_text(value): number for value, number in ask(common, (name,))}}


def _text(stored: Any) -> str:
    value = read_value(stored)
    return (
        " ".join(value) if isinstance(value, tuple) else str(value).lower() if isinstance(value, bool) else str(value)
    )
