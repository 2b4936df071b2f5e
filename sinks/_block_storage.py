"""A dataset of files, one a block, opened for reading."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.block import Column
from tonesmith.errors import DatasetError
from tonesmith.sinks import _records as records
from tonesmith.sinks._columns import column_of
from tonesmith.sinks._records import Marker
from tonesmith.sinks._storage import FolderStorage

if TYPE_CHECKING:
    from tonesmith.sinks._blocks import BlockSink

_KEPT = 64
"""Blocks that stay open: enough for neighbours and for shuffled reads of a small dataset, few enough for any limit."""

_KEPT_FILES = 256
"""Files of them that stay open: a system lets a process have 1024."""

_TRIES = 8
"""How often a block is opened anew that others are replacing."""


class PartReader(ABC):
    """The rows of one file, opened. Safe to use from threads."""

    @abstractmethod
    def read(self, column: Column, places: Sequence[int]) -> NDArray[Any]:
        """Return (len(places), *shape) of a column in its dtype, audio as float32; raise any error if it is damaged.

        Args:
            column: to read.
            places: of the rows in the file.
        """


class BlockStorage(FolderStorage):
    """Reads rows from the files of their blocks. Files are opened anew in each process, so that it may be forked."""

    def __init__(self, path: Path, sink: type[BlockSink[Any]]) -> None:
        super().__init__(path)
        self._sink = sink
        self._layout = sink.required_layout(path)
        self.attributes = self._layout.attributes
        self._markers: Mapping[int, Marker] = {}
        self._forget()

    def __reduce__(self) -> tuple[Any, ...]:
        return (BlockStorage, (self._path, self._sink))

    def read(self, column: str, rows: Sequence[int]) -> NDArray[Any]:
        """Return (len(rows), *shape) of a column, in the column's dtype; audio is float32."""
        if os.getpid() != self._process:
            self._forget()
        spec = column_of(self._layout.columns, column)
        wanted = np.asarray(rows, np.int64).reshape(-1)
        out = np.empty((len(wanted), *spec.shape), spec.dtype)
        blocks, places = np.divmod(wanted, self._layout.block_rows)
        for block in np.unique(blocks).tolist():
            here = np.flatnonzero(blocks == block)
            self._read_block(spec, block, places[here], here, out)
        return out

    def check(self) -> Iterable[str]:
        """Yield what is wrong with markers, with the ledger, and with the documents of the format."""
        yield from super().check()
        yield from self._sink.check_documents(self._path, self._sink.required_layout(self._path))

    def _read_block(
        self, spec: Column, block: int, places: NDArray[np.int64], here: NDArray[np.int64], out: NDArray[Any]
    ) -> None:
        """Fill ``out[here]`` with some rows of a block. One that was replaced since it was opened is opened again."""
        for _ in range(_TRIES):
            try:
                self._opened(block, int(places.max())).read(spec, places, here, out)
            except MemoryError:
                raise
            except Exception as error:  # each format's library has errors of its own for damaged files
                kept = self._kept.pop(block, None)
                if kept is None or kept.is_current(self._path):
                    raise self._unreadable(spec.name, block, error) from error
            else:
                return
        raise self._unreadable(spec.name, block, DatasetError("it is replaced again and again"))

    def _opened(self, block: int, place: int) -> _OpenedBlock:
        """Return a block, opened; one that has grown meanwhile is opened again for a place that it had not."""
        kept = self._kept.get(block)
        if kept is None or place >= kept.rows:
            kept = self._open(block, place)
            while (held := list(self._kept.items())) and (
                len(held) >= _KEPT or kept.files + sum(other.files for _, other in held) > _KEPT_FILES
            ):
                self._kept.pop(held[0][0], None)
            self._kept[block] = kept
        return kept

    def _open(self, block: int, place: int) -> _OpenedBlock:
        """Return a block that has such a place, opened.

        A marker is withdrawn before its files are replaced by others: one that is still there once they are open
        has told the truth of them. Where it is gone, or has too few rows, the folder is listed anew.
        """
        for attempt in range(_TRIES):
            marker = self._marker(block, place, listed=attempt > 0)
            if marker is None:
                break
            try:
                content = marker.read()
                parts, sums = content["parts"], content["sums"]
                readers = {
                    split: self._sink.read_part(
                        self._path / self._sink.file_of(block, split), self._layout, sums.get(split, ())
                    )
                    for split in (parts or ("",))
                }
            except (OSError, DatasetError):
                if attempt and Path(marker.path).exists():
                    raise
                continue
            try:
                if marker.read() == content:
                    return _OpenedBlock(marker, content, readers)
            except OSError:
                continue
        raise DatasetError("it is not stored (yet)")

    def _marker(self, block: int, place: int, *, listed: bool) -> Marker | None:
        """Return the marker that counts for a block, or None; as last listed, if that has such a place."""
        known = self._markers.get(block)
        if listed or known is None or place >= known.rows:
            self._markers = records.committed(self._path)
        return self._markers.get(block)

    def _forget(self) -> None:
        self._process = os.getpid()
        self._kept: dict[int, _OpenedBlock] = {}


class _OpenedBlock:
    """The files of a block, opened, and which of them has which row."""

    def __init__(self, marker: Marker, content: Mapping[str, Any], readers: Mapping[str, PartReader]) -> None:
        self.rows = rows = marker.rows
        parts: Mapping[str, Sequence[int]] = content["parts"]
        self._marker, self._content = marker, content
        self._readers = list(readers.values())
        self._part = np.zeros(rows, np.int64)
        self._place = np.arange(rows)
        for number, places in enumerate(parts.values()):
            self._part[list(places)] = number
            self._place[list(places)] = np.arange(len(places))

    @property
    def files(self) -> int:
        """Number of its files."""
        return len(self._readers)

    def is_current(self, path: Path) -> bool:
        """Return whether the block is still what it was when it was opened."""
        try:
            return _last_marker(path, self._marker.block) == self._marker and self._marker.read() == self._content
        except (OSError, DatasetError):
            return False

    def read(self, column: Column, places: NDArray[np.int64], here: NDArray[np.int64], out: NDArray[Any]) -> None:
        """Fill ``out[here]`` with the rows at some places of the block."""
        if (places >= self.rows).any():
            raise DatasetError(f"it has {self.rows} rows")
        parts = self._part[places]
        for number in np.unique(parts).tolist():
            of_part = parts == number
            out[here[of_part]] = self._readers[number].read(column, self._place[places[of_part]].tolist())


def _last_marker(path: Path, block: int) -> Marker | None:
    """Return the marker that counts for a block. Only the names of the others are looked at."""
    return max(records.markers(path, block), key=lambda marker: marker.rows, default=None)
