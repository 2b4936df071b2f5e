"""Where the rows of a conversion or a merge go, and what that came to."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tonesmith.card.card import renew_card
from tonesmith.dataset.importance import Importance, importance_path
from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.splits import UNFINISHED, splits_of
from tonesmith.dataset.verify import plan_fault
from tonesmith.engine.machine import cores
from tonesmith.errors import ConfigError, DatasetError, OtherPlanError
from tonesmith.host.registry import Host
from tonesmith.host.roles import Sink
from tonesmith.plan.differences import check_same_plan, difference_lines
from tonesmith.plan.plan import Plan
from tonesmith.run.presence import present
from tonesmith.run.room import warn_of_room
from tonesmith.terminal.text import joined
from tonesmith.transfer.blocks import Damaged, Feed, Listener, transfer
from tonesmith.transfer.split import store

THROUGH = "stored_through"
"""The attribute that tells which lossy sinks, in order, the audio went through before that of the plan."""


@dataclass(frozen=True, slots=True)
class Transferred:
    """What a conversion or a merge came to.

    Attributes:
        path: of the new dataset.
        rows: that it has.
        rows_planned: that it is to have.
        rows_added: by this call.
        blocks: that it has.
        seconds: that this call took.
        nbytes_before: bytes of the datasets that the rows came from.
        nbytes: of the new dataset.
        digest: of the new dataset.
        source_digest: of the dataset that was converted; "" after a merge.
        lossy: whether the sink stores audio with loss.
        damaged: what could not be carried over.
        form: of a corpus, how its rows were made: ``window``, ``hop``, ``sample_rate`` and ``channels``;
            None of a dataset.
    """

    path: Path
    rows: int
    rows_planned: int
    rows_added: int
    blocks: int
    seconds: float
    nbytes_before: int
    nbytes: int
    digest: str
    source_digest: str
    lossy: bool
    damaged: tuple[Damaged, ...]
    form: Mapping[str, Any] | None = None

    @property
    def complete(self) -> bool:
        """Whether every row of the plan is there."""
        return self.rows == self.rows_planned

    @property
    def same(self) -> bool:
        """Whether the rows are those of the dataset that was converted, to the bit."""
        return self.digest == self.source_digest

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        told = asdict(self)
        if self.form is None:
            del told["form"]
        return {**told, "path": str(self.path), "complete": self.complete, "same": self.same}


def check_plan(path: Path, dataset: Dataset) -> None:
    """Raise :class:`DatasetError` if the plan of a dataset that is to be read is not the one it was made by."""
    if fault := plan_fault(dataset):
        raise DatasetError(f"{path}: its plan is damaged: {fault}. Restore it from a copy.")


def encodings(dataset: Dataset, path: Path, host: Host) -> list[dict[str, Any]]:
    """Return the lossy sinks that a dataset's audio went through, its own last, as JSON."""
    if dataset.storage.live:
        return []
    sink = dataset.plan.sink
    own = [sink.to_json()] if host.sink_at(sink.name, sink.options, path).lossy else []
    return [*dataset.attributes.get(THROUGH, ()), *own]


class Destination:
    """Where rows go, and what is there already.

    Args:
        plan: of the new dataset.
        path: of it.
        host: finds its sink.

    Raises :class:`OtherPlanError` if a dataset of other rows, or of another sink, is there.
    """

    def __init__(self, plan: Plan, path: Path, host: Host) -> None:
        self.plan = plan
        self.path = path
        self.host = host
        self.sink: Sink[Any] = host.sink_at(plan.sink.name, plan.sink.options, path)
        self._check_audio()
        self.there: Dataset | None = None
        if type(self.sink).recognises(path):
            self.there = Dataset(type(self.sink).open(path), path)
            self._check_plan(self.there.plan)
            return
        other = [name for name, cls in host.sinks().items() if cls.recognises(path)]
        if other:
            raise OtherPlanError(
                f"{path} was stored by the sink {other[0]!r}, not {plan.sink.name!r}. Choose another path."
            )

    def feed(self, paths: list[Path]) -> Feed:
        """Return the rows of datasets as this one will read them back."""
        return Feed(paths, self.plan, self.sink.stored if self.sink.lossy else None)

    def todo(self, feed: Feed) -> dict[int, int]:
        """Return block index -> rows of what a feed has and this dataset has not."""
        done = self.sink.committed() if self.there is not None else {}
        return {index: rows for index, rows in feed.blocks.items() if done.get(index, 0) < rows}

    def check_same(self, feed: Feed, attributes: Mapping[str, Any], *, compared: bool) -> None:
        """Raise :class:`OtherPlanError` unless what is there began as what is to be written now.

        Args:
            feed: of what is to be written.
            attributes: of it.
            compared: whether to compare digests of the rows, as far as those are known beforehand.
        """
        if self.there is None:
            return
        for name in (THROUGH, "merged"):
            if self.there.attributes.get(name) != attributes.get(name):
                raise self._other(f"its {name.replace('_', ' ')} differs")
        if not compared:
            return
        there = self.there.storage.blocks()
        if self.sink.lossy or feed.live:
            self._check_encoded(feed, there)
            return
        source = feed.sources[0].digests
        for index in set(there) & set(source):
            try:
                digests = source[index]
            except DatasetError:  # it is damaged now: what was taken from it before stays
                continue
            shared = min(len(there[index]), len(digests))
            if there[index][:shared] != digests[:shared]:
                raise self._other(f"block {index} has different rows")

    def with_own_splits(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Return attributes, with the splits of the dataset that is there in place of theirs."""
        if self.there is None:
            return {key: value for key, value in attributes.items() if key != UNFINISHED}
        kept = {key: value for key, value in attributes.items() if key not in {"splits", UNFINISHED}}
        return kept | {key: value for key, value in self.there.attributes.items() if key in {"splits", UNFINISHED}}

    def split_as(self, attributes: Mapping[str, Any]) -> None:
        """Split what was there before as its source is, unless it has splits of its own; or go on with doing so."""
        if self.there is None or "splits" not in attributes:
            return
        own = self.there.attributes
        if "splits" not in own or (UNFINISHED in own and own["splits"] == attributes["splits"]):
            made = Dataset(type(self.sink).open(self.path), self.path)
            store(self.path, made, splits_of(attributes), self.host)

    def _check_audio(self) -> None:
        """Raise :class:`ConfigError` if the rows have no audio, and the sink stores none without."""
        if not self.plan.audio.frames and self.sink.needs_audio:
            able = joined([name for name, cls in self.host.sinks().items() if not cls.needs_audio])
            raise ConfigError(
                f"the corpus has no recordings, and the sink {self.plan.sink.name!r} stores sounds. The sinks {able} "
                "do without: --sink NAME."
            )

    def _check_encoded(self, feed: Feed, there: Mapping[int, tuple[bytes, ...]]) -> None:
        """Compare one block that is there with what would be written: to encode all would be to convert again."""
        index = min(set(there) & set(feed.blocks), default=None)
        if index is None:
            return
        rows = min(len(there[index]), feed.blocks[index])
        try:
            digests = feed.block(index, rows).digests
        except DatasetError:  # the source is damaged now: what was taken from it before stays
            return
        if digests != there[index][:rows]:
            raise self._other(f"block {index} has different rows")

    def _check_plan(self, old: Plan) -> None:
        if old.items and self.plan.items and old.items.truth != self.plan.items.truth:
            raise OtherPlanError(
                f"{self.path} was packed before the corpus changed. Pack it to another path, or remove {self.path}."
            )
        if old.fingerprint != self.plan.fingerprint:
            raise self._other(f"there -> asked for\n{difference_lines(old, self.plan)}")
        if old.rounds != self.plan.rounds[: len(old.rounds)]:
            rounds = [" + ".join(map(str, plan.rounds)) for plan in (old, self.plan)]
            raise self._other(f"it has {rounds[0]} patches, not {rounds[1]}; a dataset can grow but not shrink")

    def _other(self, difference: str) -> OtherPlanError:
        return OtherPlanError(f"{self.path} holds another dataset: {difference}\nChoose another path.")


def transferred(
    destination: Destination,
    feed: Feed,
    attributes: Mapping[str, Any],
    workers: int,
    listener: Listener,
    *,
    compared: bool,
    importance: Importance | None = None,
) -> Transferred:
    """Bring a destination up to what a feed has, and return what that came to.

    Args:
        destination: to write to.
        feed: to read from.
        attributes: of the new dataset. One that is there keeps the splits that it has, if it has any.
        workers: processes; 0 for one a core.
        listener: hears how far it is.
        compared: as :meth:`Destination.check_same` takes it.
        importance: to lie beside the new dataset, unless one does.
    """
    started, sink, plan = time.monotonic(), destination.sink, destination.plan
    destination.check_same(feed, attributes, compared=compared)
    todo = destination.todo(feed)
    share = sum(todo.values()) / max(sum(feed.blocks.values()), 1)
    warn_of_room(sink.path, round(share * sum(_size_of(source.dataset) for source in feed.sources)))
    sink.create(destination.with_own_splits(attributes), plan.schema, plan.rows, plan.block_rows)
    check_same_plan(sink.path, type(sink).open(sink.path).attributes, attributes)
    with present(sink.path):
        damaged, before = _carried(destination, feed, attributes, todo, workers, listener, importance)
    made = Dataset(type(sink).open(destination.path), destination.path)
    return Transferred(
        path=destination.path,
        rows=len(made),
        rows_planned=plan.rows,
        rows_added=len(made) - before,
        blocks=len(made.storage.committed()),
        seconds=time.monotonic() - started,
        nbytes_before=sum(source.dataset.nbytes for source in feed.sources),
        nbytes=made.nbytes,
        digest=made.digest,
        source_digest="",
        lossy=sink.lossy,
        damaged=tuple(damaged),
    )


def _size_of(dataset: Dataset) -> int:
    """Return about how many bytes a dataset takes; of a corpus, what its rows will."""
    audio = dataset.plan.audio
    return 4 * audio.channels * audio.frames * len(dataset) if dataset.storage.live else dataset.nbytes


def _carried(
    destination: Destination,
    feed: Feed,
    attributes: Mapping[str, Any],
    todo: Mapping[int, int],
    workers: int,
    listener: Listener,
    importance: Importance | None,
) -> tuple[list[Damaged], int]:
    """Write what is to do, and what lies beside it; return what is damaged, and the rows that were there before."""
    sink, plan = destination.sink, destination.plan
    before = sum(sink.committed().values())
    listener.started(sum(feed.blocks.values()), sum(feed.blocks.values()) - sum(todo.values()))
    damaged = _assets(feed, sink)
    _faults(feed, sink)
    damaged += transfer(feed, sink, todo, workers or cores(), listener.carried)
    if importance is not None and not importance_path(destination.path).exists():
        importance.save(importance_path(destination.path))
    if not damaged and sum(sink.committed().values()) == plan.rows:
        sink.finish()  # not before all is there: what is finished may be final
    destination.split_as(attributes)
    renew_card(destination.path, Dataset(type(sink).open(destination.path), destination.path))
    return damaged, before


def _assets(feed: Feed, sink: Sink[Any]) -> list[Damaged]:
    """Copy the assets that are not there yet, and return which are damaged."""
    damaged = []
    known = set(type(sink).open(sink.path).assets())
    for source in feed.sources:
        for name in () if feed.live else source.dataset.storage.assets():
            if name in known:
                continue
            try:
                content = source.dataset.storage.asset(name)
            except DatasetError as error:
                damaged.append(Damaged(-1, str(error)))
            else:
                known.add(sink.add_asset(content))
    return damaged


def _faults(feed: Feed, sink: Sink[Any]) -> None:
    known = {(fault.patch, fault.attempt) for fault in sink.faults()}
    for fault in feed.faults():
        if (fault.patch, fault.attempt) not in known:
            sink.record_fault(fault)
