"""A dataset of files, one a block, opened for reading."""

from __future__ import annotations

import hashlib
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.buckets.address import is_remote
from tonesmith.document import read_plain
from tonesmith.errors import BucketError, DatasetError
from tonesmith.plan.schema import Column
from tonesmith.sinks.base import records
from tonesmith.sinks.base.columns import column_of
from tonesmith.sinks.base.kept import KEPT_BYTES, Kept
from tonesmith.sinks.base.open_file import ReplacedError
from tonesmith.sinks.base.records import Marker, Parts
from tonesmith.sinks.base.storage import FolderStorage, last_marker

if TYPE_CHECKING:
    from tonesmith.sinks.base.blocks import BlockSink

_KEPT_FILES = 256
"""Files that stay open, or a quarter of what the process may have, if that is less."""

_BLOCK_BYTES = 2**11
"""Memory that a block takes that is opened, whatever it holds."""

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

    @property
    def nbytes(self) -> int:
        """Bytes of memory, about, that it takes while its file is closed."""
        return 0

    def rest(self) -> bool:
        """Close the file and keep what is small; return False if that cannot be, so that all of it has to go.

        The next read opens the file again, and raises :class:`ReplacedError` if another one is there.
        """
        return False


class BlockStorage(FolderStorage):
    """Reads rows from the files of their blocks. Files are opened anew in each process, so that it may be forked.

    What is small is kept of the blocks used last, within :data:`KEPT_BYTES`: where rows lie, checksums, labels. Fewer
    have their files open; that of another is opened again, but its marker and its index are not read again.
    """

    def __init__(self, path: Path, sink: type[BlockSink[Any]]) -> None:
        super().__init__(path)
        self._sink = sink
        self._layout = sink.required_layout(path)
        self.attributes = self._layout.attributes
        self._markers: dict[int, Marker] = {}
        self._listed = False
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
                opened = self._opened(block, int(places.max()))
                opened.read(spec, places, here, out)
            except (MemoryError, BucketError):
                raise
            except ReplacedError:
                self._drop(block)
            except Exception as error:  # each format's library has errors of its own for damaged files
                kept = self._kept.get(block)
                self._drop(block)
                if self._distrust(block, *self._files_of(block, kept)):
                    self._markers.pop(block, None)
                elif kept is None or kept.is_current(self._path):
                    raise self._unreadable(spec.name, block, error) from error
            else:
                self._keep(block, opened)  # it may have labels now, and its file open again
                return
        raise self._unreadable(spec.name, block, DatasetError("it keeps being replaced"))

    def _opened(self, block: int, place: int) -> _OpenedBlock:
        """Return a block, opened; one that has grown meanwhile is opened again for a place that it had not."""
        kept = self._kept.get(block)
        if kept is None or place >= kept.rows:
            kept = self._open(block, place)
            self._keep(block, kept)
        return kept

    def _keep(self, block: int, opened: _OpenedBlock) -> None:
        """Keep a block as the one used last: of others, some may have to close their files, or to go.

        One that takes less with its files closed does that first: to read a label again is less than to find it again.
        """
        leaving = self._kept.put(block, opened, opened.nbytes)
        for other, gone in leaving:
            if self._awake.drop(other) and gone.rest():
                leaving += self._kept.put(other, gone, gone.nbytes, last=False)
        for other, resting in self._awake.put(block, opened, opened.files):
            if not resting.rest():
                self._kept.drop(other)

    def _drop(self, block: int) -> None:
        self._kept.drop(block)
        self._awake.drop(block)

    def _open(self, block: int, place: int) -> _OpenedBlock:
        """Return a block that has such a place, opened.

        A marker is withdrawn before its files are replaced by others: one that is still there once they are open
        has told the truth of them. Where it is gone, or has too few rows, it is looked for anew.
        """
        for attempt in range(_TRIES):
            marker = self._marker(block, place, again=attempt > 0)
            if marker is None:
                break
            try:
                stamp, content = _stamp(marker), marker.read()
                parts, sums = content["parts"], content["sums"]
                self._last_seen[block] = marker
                root = self._root(block)
                readers = {
                    split: self._sink.read_part(
                        root / self._sink.file_of(block, split), self._layout, sums.get(split, ())
                    )
                    for split in (parts or ("",))
                }
            except (OSError, DatasetError):
                if attempt and marker.file.exists():
                    raise
                continue
            try:
                if _stamp(marker) == stamp:
                    return _OpenedBlock(marker, stamp, parts, readers)
            except OSError:
                continue
        raise DatasetError("it is not stored yet")

    def _marker(self, block: int, place: int, *, again: bool) -> Marker | None:
        """Return the marker that counts for a block, or None; as last seen, if that has such a place.

        The first block is looked up alone, for whoever reads back what was written reads no other; then all are listed.
        """
        if self._markers and not self._listed:
            self._markers, self._listed = records.committed(self._path), True
        known = self._markers.get(block)
        if known is not None and place < known.rows and not again:
            return known
        found = last_marker(self._path, block)
        if found is not None:
            self._markers[block] = found
        return found

    def _files_of(self, block: int, opened: _OpenedBlock | None) -> list[str]:
        """Return the files of a block, as far as they are known, as paths in the dataset."""
        return [self._sink.file_of(block, split) for split in (opened.splits if opened is not None else [""])]

    def _forget(self) -> None:
        self._process = os.getpid()
        self._kept: Kept[int, _OpenedBlock] = Kept(KEPT_BYTES)
        self._awake: Kept[int, _OpenedBlock] = Kept(_file_limit())


class _OpenedBlock:
    """The files of a block, opened, and which of them has which row."""

    def __init__(self, marker: Marker, stamp: bytes, parts: Parts, readers: Mapping[str, PartReader]) -> None:
        self.rows = rows = marker.rows
        self._marker, self._stamp = marker, stamp
        self._readers, self._splits = list(readers.values()), tuple(readers)
        self._part = np.zeros(rows, np.int64)
        self._place = np.arange(rows)
        for number, places in enumerate(parts.values()):
            self._part[list(places)] = number
            self._place[list(places)] = np.arange(len(places))

    @property
    def splits(self) -> list[str]:
        """The splits that its files are of; "" for the file of a whole block."""
        return list(self._splits)

    @property
    def files(self) -> int:
        """Number of its files."""
        return len(self._readers)

    @property
    def nbytes(self) -> int:
        """Bytes of memory, about, that it takes while its files are closed."""
        own = _BLOCK_BYTES + self._part.nbytes + self._place.nbytes
        return own + sum(reader.nbytes for reader in self._readers)

    def rest(self) -> bool:
        """Close its files; return False if a reader cannot go on from there."""
        return all(reader.rest() for reader in self._readers)

    def is_current(self, path: Path) -> bool:
        """Return whether the block is still what it was when it was opened."""
        try:
            return last_marker(path, self._marker.block) == self._marker and _stamp(self._marker) == self._stamp
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


def _stamp(marker: Marker) -> bytes:
    """Return what tells a marker from another of the same name."""
    if is_remote(marker.file):  # its path tells; and each file's rows are compared with what the marker has of them
        return marker.path.encode()
    return hashlib.sha256(read_plain(marker.file)).digest()


def _file_limit() -> int:
    """Return how many files may stay open."""
    if sys.platform == "win32":
        return _KEPT_FILES
    import resource

    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _KEPT_FILES if most == resource.RLIM_INFINITY else min(_KEPT_FILES, most // 4)
