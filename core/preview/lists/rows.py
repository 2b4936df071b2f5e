"""The rows of a dataset as a source: what each has is read block by block, and what was read is kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset.reader import Dataset
from tonesmith.errors import DatasetNotFoundError, TonesmithError
from tonesmith.preview.lists.field import Field, Values
from tonesmith.preview.lists.row_fields import row_fields
from tonesmith.preview.lists.source import Report, Source, silent
from tonesmith.preview.marks import Marks

_AT_ONCE = 8192
"""Rows of whole blocks that are read at once, as long as a block has no more."""
_KEPT = 12
"""Fields whose values are kept: each is 4 or 8 MB for a million rows."""


class RowSource(Source):
    """The rows of a dataset.

    Args:
        dataset: whose rows.
        marks: what a person said of them.
    """

    unit = "row"

    def __init__(self, dataset: Dataset, marks: Marks) -> None:
        self.dataset = dataset
        self.damaged: dict[int, str] = {}
        self.fields = row_fields(dataset, marks)
        measures = [measure.name for measure in dataset.plan.measures][:1]
        named = ["preset"] if "preset" in self.fields else []
        divided = ["split"] if "split" in self.fields else []
        self.listed = ["row", "pitch", "velocity", "origin", *named, *divided, *measures]
        names = ("origin", "preset", "mate", "author", "style")
        self.searched = [name for name in names if name in self.fields]
        self._kept: OrderedDict[str, Values] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.dataset)

    def unread(self) -> NDArray[np.bool_] | None:
        """Return bool (rows,): those of blocks that could not be read; None where all could be."""
        if not self.damaged:
            return None
        return np.isin(self.dataset.rows // self.dataset.plan.block_rows, list(self.damaged))

    def read(self, names: Sequence[str], report: Report = silent) -> Mapping[str, Values]:
        """Return field name -> values of all rows, block by block. See :meth:`Source.read`."""
        with self._lock:
            kept = {name: self._kept[name] for name in names if name in self._kept}
        missing = [self.fields[name] for name in names if name not in kept]
        found = {field.name: self._empty(field) for field in missing}
        for first, stop, columns in self._chunks(missing) if missing else ():
            for field in missing:
                found[field.name][first:stop] = field.of(columns)
            report(stop, len(self))
        with self._lock:
            self._kept.update({field.name: found[field.name] for field in missing if field.kept})
            for name in names:
                if name in self._kept:
                    self._kept.move_to_end(name)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return kept | found

    def cells(self, indices: Sequence[int], names: Sequence[str]) -> list[tuple[str, ...] | None]:
        """Return the texts of some fields of rows; None for one that cannot be read."""
        fields = [self.fields[name] for name in names]
        try:
            values = self._values(fields, self.dataset.rows[list(indices)])
        except TonesmithError:
            if len(indices) == 1:
                return [None]
            return [cell for index in indices for cell in self.cells([index], names)]
        columns = [[field.text(value) for value in values[field.name].tolist()] for field in fields]
        return list(zip(*columns, strict=True))

    def _empty(self, field: Field) -> Values:
        kind: Any = np.int32 if field.is_text else np.int64 if field.name in {"row", "patch"} else np.float32
        return np.full(len(self), 0 if kind is np.int64 else field.fill, kind)

    def _values(self, fields: Sequence[Field], rows: NDArray[np.int64]) -> dict[str, Values]:
        columns = self._columns(fields, rows)
        return {field.name: field.of(columns) for field in fields}

    def _columns(self, fields: Sequence[Field], rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        names = dict.fromkeys(name for field in fields for name in field.columns if name != "row")
        return {**self.dataset.read_rows(list(names), rows), "row": rows}

    def _chunks(self, fields: Sequence[Field]) -> Iterator[tuple[int, int, dict[str, NDArray[Any]]]]:
        """Yield the first row, the one behind the last, and the columns of some whole blocks, of those that are read.

        Raises :class:`DatasetError` if none of them can be, or the dataset is gone.
        """
        read, faults = 0, list[TonesmithError]()
        for first, stop in self._spans(0, len(self), max(1, _AT_ONCE // self.dataset.plan.block_rows)):
            for span in self._readable(fields, first, stop, faults):
                yield span
                read += 1
        if faults and not read:
            raise faults[0]

    def _spans(self, first: int, stop: int, blocks: int) -> Iterator[tuple[int, int]]:
        """Yield where each run of so many whole blocks begins and ends."""
        numbers = self.dataset.rows[first:stop] // self.dataset.plan.block_rows
        begins = (np.flatnonzero(np.diff(numbers, prepend=-1))[::blocks] + first).tolist()
        yield from pairwise([*begins, stop])

    def _readable(
        self, fields: Sequence[Field], first: int, stop: int, faults: list[TonesmithError]
    ) -> Iterator[tuple[int, int, dict[str, NDArray[Any]]]]:
        try:
            columns = self._columns(fields, self.dataset.rows[first:stop])
        except TonesmithError as error:
            check_there(self.dataset)
            apart = list(self._spans(first, stop, 1))
            if len(apart) == 1:
                self.damaged[int(self.dataset.rows[first]) // self.dataset.plan.block_rows] = str(error)
                faults.append(error)
                return
            for span in apart:
                yield from self._readable(fields, *span, faults)
            return
        yield first, stop, columns


def check_there(dataset: Dataset) -> None:
    """Raise :class:`DatasetNotFoundError` if the dataset was moved or deleted since it was opened."""
    path = dataset.storage.path
    if path is not None and not path.exists():
        raise DatasetNotFoundError(f"{path} is no longer there. Open it where it is now.")
