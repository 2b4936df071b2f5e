"""The part of a dataset that can be read, and what is told of it: damaged blocks are named and left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.report import report
from tonesmith.errors import DatasetError


def readable(dataset: Dataset) -> tuple[Dataset, dict[str, Any], dict[str, str]]:
    """Return the rows that can be read, what :func:`report` tells of them, and what is wrong with the other blocks.

    Raises :class:`DatasetError` if no block can be read, or something else than a block is damaged.
    """
    try:
        return dataset, report(dataset), {}
    except DatasetError:
        damaged = _damaged(dataset)
        if not damaged or damaged.keys() == dataset.storage.committed().keys():
            raise
        part = dataset.without(damaged)
        return part, report(part), {f"block {block}": what for block, what in damaged.items()}


def _damaged(dataset: Dataset) -> Mapping[int, str]:
    """Return block -> what is wrong with it, of those whose labels or digests cannot be read."""
    found: dict[int, str] = {}
    plain = [column.name for column in dataset.plan.schema if not column.shape]
    names = [*plain, *["audible"] * bool(dataset.space.names), *["preset", "mate"] * bool(dataset.plan.presets)]
    for block, rows in dataset.storage.committed().items():
        first = block * dataset.plan.block_rows
        try:
            _ = dataset.storage.blocks()[block]
            dataset.read_rows(names, range(first, first + rows))
        except (DatasetError, LookupError) as error:
            found[block] = str(error)
    return found
