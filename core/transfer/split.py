"""Splitting a dataset: from what was asked for to the splits that are stored with it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tonesmith.dataset.splits import (
    UNFINISHED,
    Splits,
    splits_of,
)
from tonesmith.errors import DatasetError, OtherPlanError, TonesmithError
from tonesmith.transfer.divide import divide, key_columns

if TYPE_CHECKING:
    from tonesmith.dataset.reader import Dataset
    from tonesmith.host.registry import Host
    from tonesmith.host.roles import Sink
    from tonesmith.transfer.blocks import Damaged, Listener

T = TypeVar("T")


def decided(
    path: Path, dataset: Dataset, asked: Splits, *, force: bool = False, refuse: bool = True
) -> tuple[Splits, bool]:
    """Return the splits that a dataset is to have, and whether it has them already.

    Args:
        path: of the dataset, for messages.
        dataset: to split.
        asked: what is wanted, without bounds and kin.
        force: whether to divide anew what is split.
        refuse: whether to raise :class:`OtherPlanError`, with the differences, where it is split otherwise.
    """
    there = None if force else splits_of(dataset.attributes, path)
    if there is not None and there.settings == asked.settings:
        return there, UNFINISHED not in dataset.attributes
    if there is not None and refuse:
        pairs = [(key, there.settings[key], asked.settings[key]) for key in asked.settings]
        listed = "\n".join(f"  {key}: {old} -> {new}" for key, old, new in pairs if old != new)
        raise OtherPlanError(
            f"{path} is already split differently (there -> asked for):\n{listed}\nRows would move between splits, "
            f"and what was "
            "trained on them would have seen test rows. To split it again anyway: --force"
        )
    return divide(
        dataset, asked.shares, by=asked.by, stratify=asked.stratify, seed=asked.seed, crossing=asked.crossing
    ), False


def of_sound_rows(dataset: Dataset, work: Callable[[Dataset], T]) -> tuple[T, dict[int, Damaged]]:
    """Return what some work makes of a dataset, and which blocks it has left out because they cannot be read.

    Raises what the work raises, unless damaged blocks are at fault.
    """
    try:
        return work(dataset), {}
    except DatasetError:
        damaged = _unreadable(dataset)
        if not damaged or damaged.keys() == dataset.storage.committed().keys():
            raise
        return work(dataset.without(damaged)), damaged


def _unreadable(dataset: Dataset) -> dict[int, Damaged]:
    """Return block index -> what is wrong with it, of those whose rows cannot be told apart."""
    from tonesmith.transfer.blocks import Damaged

    plan, found = dataset.plan, {}
    for index, count in dataset.storage.committed().items():
        first = index * plan.block_rows
        try:
            for name in key_columns(dataset):
                dataset.storage.read(name, range(first, first + count))
        except DatasetError as error:
            found[index] = Damaged(index, str(error))
    return found


def store(
    path: Path, dataset: Dataset, splits: Splits | None, host: Host, listener: Listener | None = None
) -> dict[int, Damaged]:
    """Store splits with a dataset, or forget those that it has; where files are by split, write them again.

    Killed half-way, the dataset has every row that it had, and the same call completes it. For that, files by other
    splits are first put together: no file is then replaced by one with other rows. A damaged block stays as it is, and
    the dataset unfinished, until the block is made anew and the same call completes that.

    Args:
        path: of the dataset.
        dataset: at that path, all of it.
        splits: to store; None to forget.
        host: finds the sink.
        listener: hears how far it is, if anything is written again.

    Returns block index -> what is wrong with it, of those that could not be read.
    """
    plan = dataset.plan
    sink = host.sink_at(plan.sink.name, plan.sink.options, path)
    rounds = _rounds(dataset.attributes, splits) if sink.divides else []
    damaged: dict[int, Damaged] = {}
    if rounds:
        _ = dataset.rejections  # what cannot be read of any block is told before one is touched
        if listener is not None:
            listener.started(len(rounds) * sum(dataset.storage.committed().values()), 0)
    for number, attributes in enumerate(rounds):
        sink.create({**attributes, UNFINISHED: True}, plan.schema, plan.rows, plan.block_rows)
        if number == 0:
            _show_unfinished(sink)
        damaged |= _write_again(sink, dataset, listener)
    if not damaged:
        sink.create(_attributes(dataset.attributes, splits), plan.schema, plan.rows, plan.block_rows)
    return damaged


def _rounds(there: Mapping[str, Any], splits: Splits | None) -> list[dict[str, Any]]:
    """Return the attributes with which all blocks are written again, one after the other."""
    plain, wanted = _attributes(there, None), _attributes(there, splits)
    before = there.get("splits")
    apart = before is not None and before != wanted.get("splits")
    together = [plain] if splits is None or apart or (UNFINISHED in there and before is None) else []
    return together if splits is None else [*together, wanted]


def _attributes(there: Mapping[str, Any], splits: Splits | None) -> dict[str, Any]:
    """Return the attributes of a dataset that is split so, or not at all."""
    plain = {key: value for key, value in there.items() if key not in {"splits", UNFINISHED}}
    return plain if splits is None else {**plain, "splits": splits.to_json()}


def _show_unfinished(sink: Sink[Any]) -> None:
    """Let the card say that files are on the move, before one is: it tells other readers which are of which split."""
    from tonesmith.card.card import write_card
    from tonesmith.dataset.reader import Dataset

    with contextlib.suppress(TonesmithError):  # whoever stores splits renews the card, and warns if that fails
        write_card(sink.path, Dataset(type(sink).open(sink.path), sink.path))


def _write_again(sink: Sink[Any], dataset: Dataset, listener: Listener | None) -> dict[int, Damaged]:
    """Write every block into the files that the sink's attributes ask for, and return those that cannot be read."""
    from tonesmith.transfer.blocks import Damaged, block_of

    damaged = {}
    for index, rows in dataset.storage.committed().items():
        try:
            block = block_of(dataset, index)
        except DatasetError as error:
            damaged[index] = Damaged(index, str(error))
        else:
            sink.write_block(block)
        if listener is not None:
            listener.carried(rows)
    return damaged
