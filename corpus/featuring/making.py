"""Features made of the items of a corpus that is locked: those that are missing, or all of them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from tonesmith.corpus.featuring.asked import Asked, forget, remember
from tonesmith.corpus.featuring.computed import Subject
from tonesmith.corpus.featuring.crew import Task, worked
from tonesmith.corpus.featuring.kept import note, size_of, sweep, write_definitions
from tonesmith.corpus.truth.batches import Batches
from tonesmith.corpus.truth.files import full_disk_told
from tonesmith.terminal.progress import Progress

if TYPE_CHECKING:
    from tonesmith.corpus.store import Store


@dataclass
class Featured:
    """What became of one feature.

    Attributes:
        of: what it is computed of, score or audio.
        items: that it was computed of now, or would be.
        done: items that had it before.
        without: items that have no such medium.
        cut: items of which only the beginning was heard, as their recording is longer.
        changed: items that had it before, of the same file and definition, and have other bytes now. It should be none.
        refused: item -> why it has none.
    """

    of: str
    items: int = 0
    done: int = 0
    without: int = 0
    cut: int = 0
    changed: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints of it."""
        return asdict(self)


class Featuring:
    """Makes features of the items of a corpus that is locked.

    Args:
        corpus: whose items.
        counter: is told how many files are done.
        again: whether those are made again that are there, and compared.
        workers: processes; 0 for one a core.
        dry_run: whether to count only.
    """

    def __init__(self, corpus: Store, counter: Progress, *, again: bool, workers: int, dry_run: bool) -> None:
        self._corpus, self._connection = corpus, corpus.connection
        self._counter, self._again, self._workers, self._dry_run = counter, again, workers, dry_run
        self._before: dict[tuple[str, str], tuple[str, str, str, int]] = {}

    def make(self, asked: Sequence[Asked]) -> dict[str, Featured]:
        """Make features, and return name -> what became of each."""
        told = {one.name: Featured(one.kind) for one in asked}
        tasks = self._tasks(asked, told)
        if self._dry_run:
            for _, names in tasks:
                for name in names:
                    told[name].items += 1
            return told
        keys = {one.name: one.key for one in asked}
        self._counter.begin(len(tasks))
        with full_disk_told(self._corpus.path), Batches(self._connection) as batches:
            remember(self._connection, asked)
            for (subject, names), made in worked(self._corpus.path, asked, tasks, self._workers):
                for name in names:
                    self._one(subject, name, keys[name], made[name], told[name])
                self._counter.advance(1)
                batches.now_and_then()
        with full_disk_told(self._corpus.path):
            write_definitions(self._corpus)
            sweep(self._corpus)
        return told

    def _tasks(self, asked: Sequence[Asked], told: Mapping[str, Featured]) -> list[Task]:
        """Return the media of which something is to be computed, and which features of each."""
        rows = self._connection.execute("SELECT item, name, key, of, sha256, nbytes FROM features")
        self._before = {(item, name): (key, of, sha256, size) for item, name, key, of, sha256, size in rows}
        tasks: list[Task] = []
        for item, kind, path, sha256, seconds in self._connection.execute(
            "SELECT item, kind, path, sha256, seconds FROM media ORDER BY item, kind"
        ):
            missing = []
            for one in asked:
                if one.kind == kind:
                    is_done = not self._again and self._has(item, one, sha256)
                    told[one.name].done += is_done
                    told[one.name].cut += kind == "audio" and seconds > one.seconds
                    missing += [] if is_done else [one.name]
            if missing:
                tasks.append((Subject(item, kind, path, sha256), tuple(missing)))
        every = self._connection.execute("SELECT count(*) FROM items").fetchone()[0]
        counts = dict(self._connection.execute("SELECT kind, count(*) FROM media GROUP BY kind"))
        for one in asked:
            told[one.name].without = every - counts.get(one.kind, 0)
        return tasks

    def _has(self, item: str, one: Asked, sha256: str) -> bool:
        key, of, _, size = self._before.get((item, one.name), ("", "", "", 0))
        return (key, of) == (one.key, sha256) and size_of(self._corpus.path, one.name, item) == size

    def _one(self, subject: Subject, name: str, key: str, made: Mapping[str, Any], told: Featured) -> None:
        if "refused" in made:
            told.refused[subject.item] = made["refused"]
            return
        told.items += 1
        before = self._before.get((subject.item, name), ("", "", "", 0))
        if before[:2] == (key, subject.sha256) and before[2] != made["sha256"]:
            told.changed.append(subject.item)
        note(self._connection, subject.item, name, key, subject.sha256, made)


def removed(corpus: Store, name: str, *, dry_run: bool = False) -> int:
    """Remove a feature from a corpus that is locked, and return how many items had it.

    Its name is forgotten last, so that the same command finishes one that was interrupted.
    """
    connection = corpus.connection
    count = int(connection.execute("SELECT count(*) FROM features WHERE name = ?", (name,)).fetchone()[0])
    if not dry_run:
        connection.execute("DELETE FROM features WHERE name = ?", (name,))
        write_definitions(corpus)
        sweep(corpus)
        forget(connection, name)
    return count


def listed(corpus: Store) -> dict[str, Any]:
    """Return name -> options, items, bytes and definitions of the features that items have."""
    import json

    found: dict[str, Any] = {}
    rows = corpus.connection.execute(
        "SELECT name, definition, told, count(*), sum(nbytes) FROM features JOIN definitions ON hash = definition "
        "GROUP BY name, definition ORDER BY name, 4 DESC"
    )
    for name, definition, told, items, nbytes in rows:
        one = found.setdefault(name, {"items": 0, "nbytes": 0, "definitions": {}})
        one["items"] += items
        one["nbytes"] += nbytes
        with suppress(ValueError):
            one["definitions"][definition] = json.loads(told)
    return found
