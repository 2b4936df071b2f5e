"""Blocks on their way from datasets to another: read, checked, written, read back and compared."""

from __future__ import annotations

import queue
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset.reader import Dataset
from tonesmith.engine.channel import Child, Message
from tonesmith.errors import DatasetError, RunError
from tonesmith.host.computing import Computer
from tonesmith.host.feature_trust import check_feature_trusted
from tonesmith.host.registry import Host
from tonesmith.host.roles import Sink
from tonesmith.plan.block import Block, row_digests
from tonesmith.plan.feature import StoredFeature, feature_columns
from tonesmith.plan.items import MIDI
from tonesmith.plan.phrases import SCORE
from tonesmith.plan.plan import Plan
from tonesmith.plan.rejection import Rejection, is_fault
from tonesmith.plan.rows import digest_hex
from tonesmith.transfer.items import opened_as

_CHUNK = 16
"""Rows that are read back at a time, so that a block is in memory once."""


def whole_plan(dataset: Dataset) -> Plan:
    """Return the plan of a dataset, with the features that were added to it as if they had been in it."""
    return replace(dataset.plan, features=tuple(dataset.features.values()))


def block_of(dataset: Dataset, index: int) -> Block:
    """Return a committed block, read from the storage, with the digests that were stored with it.

    The digests are not compared with the rows: ``tonesmith verify`` does, and so does a :class:`Feed`.

    Raises :class:`DatasetError` if the block is not stored, or its bytes are damaged.
    """
    digests = dataset.storage.blocks().get(index)
    if digests is None:
        raise DatasetError(f"block {index} is not stored yet")
    plan, first = dataset.plan, index * dataset.plan.block_rows
    rows = range(first, first + len(digests))
    columns = {column.name: dataset.storage.read(column.name, rows) for column in plan.schema}
    return Block(index, first, columns, tuple(digests), _rejections_of(dataset, rows), plan.fingerprint)


def _rejections_of(dataset: Dataset, rows: range) -> tuple[Rejection, ...]:
    """Return the entries of the reject ledger for the patches of a run of rows."""
    ledger, notes = dataset.rejections, dataset.plan.per_patch
    ends = (rows.start // notes, -(-rows.stop // notes))
    return ledger[slice(*(bisect_left(ledger, end, key=lambda entry: entry.patch) for end in ends))]


@dataclass(frozen=True, slots=True)
class Damaged:
    """What could not be carried over, because the source is not what was written.

    Attributes:
        block: of the destination that was not written; -1 for an asset.
        what: is wrong, and where.
    """

    block: int
    what: str


@dataclass(frozen=True)
class Source:
    """A dataset that rows are taken from.

    Attributes:
        path: of it.
        dataset: opened.
        first: the number that its first patch has in the destination.
    """

    path: Path
    dataset: Dataset
    first: int

    @cached_property
    def rows(self) -> range:
        """Numbers of its rows in the destination."""
        plan = self.dataset.plan
        first = self.first * plan.per_patch
        return range(first, first + plan.rows)

    @cached_property
    def digests(self) -> Mapping[int, Sequence[bytes]]:
        """Block index -> digests of its rows, as stored."""
        return self.dataset.storage.blocks()

    def read(self, rows: range, features: Sequence[StoredFeature]) -> tuple[dict[str, NDArray[Any]], tuple[bytes, ...]]:
        """Return every column of a run of its own rows, and their digests, compared with the stored ones.

        Args:
            rows: to read.
            features: that are wanted; those that were added to it among them.

        Raises :class:`DatasetError` if the bytes are damaged, or not those that were written.
        """
        schema = self.dataset.plan.schema
        if self.dataset.storage.live:
            columns = self.dataset.read_rows([column.name for column in schema], rows)
            return columns, row_digests(schema, columns)
        names = dict.fromkeys(column.name for column in (*schema, *feature_columns(features)))
        columns = self.dataset.read_rows(list(names), rows)
        digests = row_digests(schema, columns)
        wrong = [row for row, *pair in zip(rows, digests, self._stored(rows), strict=True) if pair[0] != pair[1]]
        if wrong:
            listed = ", ".join(map(str, wrong[:3])) + (f" and {len(wrong) - 3} more" if len(wrong) > 3 else "")
            block = wrong[0] // self.dataset.plan.block_rows
            raise DatasetError(
                f"{self.path}: block {block}: the bytes of row {listed} have changed since they were written"
            )
        return columns, digests

    def _stored(self, rows: range) -> Iterator[bytes]:
        size = self.dataset.plan.block_rows
        for block in range(rows.start // size, -(-rows.stop // size)):
            first = block * size
            yield from self.digests[block][max(rows.start - first, 0) : rows.stop - first]

    def rejections(self, rows: range) -> tuple[Rejection, ...]:
        """Return the ledger's entries for a run of its own rows, with the patches' numbers in the destination."""
        return tuple(replace(r, patch=r.patch + self.first) for r in _rejections_of(self.dataset, rows))

    def faults(self) -> tuple[Rejection, ...]:
        """Return the crashes and timeouts on record, in blocks or not, as :meth:`rejections` does."""
        return tuple(replace(r, patch=r.patch + self.first) for r in self.dataset.rejections if is_fault(r))


class Feed:
    """The rows of one or several datasets, one after the other, as those of one plan.

    Args:
        paths: of the datasets.
        plan: of the destination: its patches are those of all.
        stored: returns audio as the destination will read it back; None if that is as it is.
    """

    def __init__(
        self, paths: Sequence[Path], plan: Plan, stored: Callable[[NDArray[Any]], NDArray[Any]] | None = None
    ) -> None:
        self.plan = plan
        self.sources: list[Source] = []
        self._stored = stored
        self._given: set[str] = set()
        first = 0
        for path in paths:
            self.sources.append(Source(path, opened_as(path, plan), first))
            first += self.sources[-1].dataset.plan.patches

    @property
    def live(self) -> bool:
        """Whether the rows are made as they are read: they are of a corpus."""
        return any(source.dataset.storage.live for source in self.sources)

    @property
    def paths(self) -> list[Path]:
        """Paths of the datasets."""
        return [source.path for source in self.sources]

    @cached_property
    def blocks(self) -> dict[int, int]:
        """Block index in the destination -> rows that are there for it. Several datasets are complete."""
        if len(self.sources) == 1:
            return self._checked(dict(sorted(self.sources[0].dataset.storage.committed().items())))
        return {index: self.plan.rows_of(index) for index in range(self.plan.blocks)}

    def _checked(self, there: dict[int, int]) -> dict[int, int]:
        """Return blocks of the only source. Raise :class:`DatasetError` if its plan has no place for one."""
        for index, rows in there.items():
            if not (0 <= index < self.plan.blocks and 0 < rows <= self.plan.rows_of(index)):
                raise DatasetError(
                    f"{self.paths[0]}: block {index} is marked as having {rows} rows, which do not fit its plan. "
                    "Delete that marker."
                )
        return there

    def block(self, index: int, rows: int) -> Block:
        """Return the first rows of a block of the destination, as it will read them back.

        Raises :class:`DatasetError` if a source is damaged there.
        """
        first = index * self.plan.block_rows
        pieces = [self._piece(source, own) for source, own in self._runs(range(first, first + rows))]
        columns, digests, rejections = pieces[0]
        if len(pieces) > 1:
            columns = {name: np.concatenate([piece[0][name] for piece in pieces]) for name in columns}
            digests = tuple(digest for piece in pieces for digest in piece[1])
            rejections = tuple(rejection for piece in pieces for rejection in piece[2])
        if self._stored is not None:
            columns["audio"] = self._stored(columns["audio"])
            columns |= self._computer.columns(columns)  # of what will be read back
            digests = row_digests(self.plan.schema, columns)
        assets = self._assets(columns) if self.live else {}
        return Block(index, first, columns, digests, rejections, self.plan.fingerprint, assets)

    def _assets(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, bytes]:
        """Return the assets that rows of a corpus name, but for those of blocks before."""
        stored = [row for name in (SCORE, MIDI) for row in columns.get(name, ())]
        names = {digest_hex(row) for row in stored} - {"", *self._given}
        self._given |= names
        return {name: self.sources[0].dataset.storage.asset(name) for name in sorted(names)}

    @cached_property
    def _computer(self) -> Computer:
        """The features of the plan, to be computed anew. Raises :class:`TrustError` for one that is not known."""
        host = Host.load()
        for feature in self.plan.features:
            check_feature_trusted(feature.name, feature.options, host)
        return Computer(self.plan.features, self.plan.audio, host)

    def faults(self) -> Iterator[Rejection]:
        """Yield what the destination has to record of crashes and timeouts."""
        return (fault for source in self.sources for fault in source.faults())

    def _runs(self, rows: range) -> Iterator[tuple[Source, range]]:
        """Yield each source that has some of the rows, and which of its own they are."""
        for source in self.sources:
            start, stop = max(rows.start, source.rows.start), min(rows.stop, source.rows.stop)
            if start < stop:
                yield source, range(start - source.rows.start, stop - source.rows.start)

    def _piece(
        self, source: Source, rows: range
    ) -> tuple[dict[str, NDArray[Any]], tuple[bytes, ...], tuple[Rejection, ...]]:
        columns, digests = source.read(rows, self.plan.features)
        rejections = source.rejections(rows)
        if len(self.sources) == 1:
            return columns, digests, rejections
        places = [self.plan.origins.index(origin) for origin in source.dataset.plan.origins]
        columns["patch"] = columns["patch"] + source.first
        columns["origin"] = np.array(places, np.int16)[columns["origin"]]
        for column in self.plan.schema:
            columns.setdefault(column.name, np.zeros((len(rows), *column.shape), column.dtype))
        return columns, row_digests(self.plan.schema, columns), rejections


def carry(feed: Feed, sink: Sink[Any], index: int, rows: int) -> Damaged | None:
    """Store a block of a feed, and compare what is read back with it, every bit of every column.

    Returns what is damaged in the source, of which nothing is then written. Raises :class:`DatasetError` if the block
    cannot be written, :class:`RunError` if it reads back otherwise.
    """
    try:
        block = feed.block(index, rows)
    except DatasetError as error:
        return Damaged(index, str(error))
    for content in block.assets.values():
        sink.add_asset(content)
    sink.write_block(block)
    storage = type(sink).open(sink.path)
    for start in range(0, block.rows, _CHUNK):
        places = slice(start, min(start + _CHUNK, block.rows))
        numbers = range(block.first_row + places.start, block.first_row + places.stop)
        for column in feed.plan.schema:
            again = storage.read(column.name, numbers)
            if again.tobytes() != np.ascontiguousarray(block.columns[column.name][places]).tobytes():
                raise RunError(
                    f"{sink.path}: block {index} was written, but its {column.name} reads back differently. The disk "
                    f"or "
                    f"the sink {sink.name!r} cannot be trusted: convert to another place."
                )
    return None


def transfer(
    feed: Feed, sink: Sink[Any], todo: Mapping[int, int], workers: int, told: Callable[[int], object]
) -> list[Damaged]:
    """Carry blocks over, and return what was damaged on the way.

    Args:
        feed: to read from.
        sink: to store to, with the dataset created.
        todo: block index -> its rows.
        workers: processes.
        told: hears of the rows of each block that is done with.

    Raises :class:`DatasetError` or :class:`RunError` if it cannot go on; finished blocks are kept.
    """
    if min(workers, len(todo)) > 1:
        setup = {"paths": [str(path) for path in feed.paths], "plan": feed.plan.to_json(), "path": str(sink.path)}
        return by_workers("tonesmith.transfer.worker", setup, todo, workers, told)
    damaged = []
    for index, rows in todo.items():
        damaged.append(carry(feed, sink, index, rows))
        told(rows)
    return [found for found in damaged if found is not None]


def by_workers(
    module: str, setup: Mapping[str, Any], todo: Mapping[int, int], workers: int, told: Callable[[int], object]
) -> list[Damaged]:
    """Hand blocks out to processes, and return what was damaged on the way.

    Args:
        module: that each process runs.
        setup: what it is told first.
        todo: block index -> its rows.
        workers: processes.
        told: hears of the rows of each block that is done with.

    Raises :class:`RunError` if one cannot go on; finished blocks are kept.
    """
    inbox: queue.Queue[Message] = queue.Queue()
    waiting, damaged = deque(todo.items()), []
    crew = [Child(module, inbox) for _ in range(min(workers, len(todo)))]
    try:
        for child in crew:
            child.send(dict(setup))
        working = len(crew)
        while working:
            message = inbox.get()
            body, child = message.body, message.sender
            if body is None:
                raise RunError(
                    f"a worker {child.epitaph()[1]}; finished blocks are kept.\n{child.last_words()}".rstrip()
                )
            if "failed" in body:
                raise RunError(body["failed"])
            if "block" in body:
                told(todo[body["block"]])
                damaged += [Damaged(body["block"], body["damage"])] if body["damage"] else []
            if waiting:
                index, rows = waiting.popleft()
                child.send({"block": index, "rows": rows})
            else:
                working -= 1
    finally:
        for child in crew:
            child.kill()
    return sorted(damaged, key=lambda found: found.block)


class Listener:
    """Hears how far a conversion or a merge is. This one does nothing with it."""

    def started(self, rows: int, done: int) -> None:
        """So many rows will be there, and so many are already."""

    def carried(self, rows: int) -> None:
        """The rows of a block are done with."""
