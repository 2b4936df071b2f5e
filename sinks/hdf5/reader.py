"""The rows of an HDF5 file, opened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import DatasetError
from tonesmith.plan.schema import Column
from tonesmith.sinks.base.block_storage import PartReader
from tonesmith.sinks.base.open_file import ReplacedError, identity_of
from tonesmith.sinks.hdf5.file import dtype_of, open_file
from tonesmith.sinks.hdf5.profile import path_of


class Rows:
    """The columns of an open file. The library has one lock for all threads."""

    def __init__(self, path: Path, block_rows: int) -> None:
        self.file = open_file(path)
        self._block_rows = block_rows
        self._arrays: dict[str, Any] = {}
        self._kept: dict[str, tuple[int, NDArray[Any]]] = {}

    def read(self, column: Column, rows: Sequence[int]) -> NDArray[Any]:
        """Return (len(rows), *shape) of a column. Raise any error if it is damaged."""
        array = self._array(column)
        out: NDArray[Any] = np.empty((len(rows), *column.shape), column.dtype)
        for i, row in enumerate(rows):
            if column.name == "audio":
                array.read_direct(out, np.s_[row : row + 1], np.s_[i : i + 1])
            else:
                out[i] = self._chunk(column.name, array, row // self._block_rows)[row % self._block_rows]
        return out

    def _chunk(self, name: str, array: Any, block: int) -> NDArray[Any]:
        """Return a block of a column; the last one is kept, for neighbours are often read together."""
        kept = self._kept.get(name)
        if kept is not None and kept[0] == block:
            return kept[1]
        first = block * self._block_rows
        chunk: NDArray[Any] = array[first : first + self._block_rows]
        self._kept[name] = (block, chunk)
        return chunk

    def _array(self, column: Column) -> Any:
        """Return the array of a column, which is as this sink writes it: its dtype, shape and chunks."""
        array = self._arrays.get(column.name)
        if array is None:
            array = self.file[path_of(column.name)]
            chunk = (1 if column.name == "audio" else self._block_rows, *column.shape)
            if (array.dtype, array.shape[1:], array.chunks) != (dtype_of(column.dtype), column.shape, chunk):
                raise DatasetError("it is not as tonesmith wrote it. Read it with h5py")
            self._arrays[column.name] = array
        return array


class Hdf5Part(PartReader):
    """The rows of a block. What was read of its labels is kept."""

    def __init__(self, file: Path, block_rows: int) -> None:
        self._file, self._block_rows = file, block_rows
        self._identity = identity_of(file.stat())
        self._labels: dict[str, NDArray[Any]] = {}
        self._opened: Rows | None = None
        self._rows()

    def read(self, column: Column, places: Sequence[int]) -> NDArray[Any]:
        """Return (len(places), *shape) of a column."""
        if column.name == "audio":
            return self._rows().read(column, places)
        label = self._labels.get(column.name)
        if label is None:
            label = self._rows().read(column, range(self._block_rows))
            self._labels[column.name] = label
        return label[list(places)]

    @property
    def nbytes(self) -> int:
        """Bytes of memory, about."""
        return sum(label.nbytes for label in list(self._labels.values()))

    def rest(self) -> bool:
        """Close the file, once no read of it is under way."""
        self._opened = None
        return True

    def _rows(self) -> Rows:
        """Return the columns of the file. Raise :class:`ReplacedError` for another file than the first time."""
        held = self._opened
        if held is None:
            held = Rows(self._file, self._block_rows)
            if identity_of(self._file.stat()) != self._identity:
                raise ReplacedError(f"{self._file.name} was replaced")
            self._opened = held
        return held
