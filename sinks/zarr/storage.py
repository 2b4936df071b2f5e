"""A Zarr dataset opened for reading."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import DatasetError, unreadable
from tonesmith.plan.schema import Column
from tonesmith.sinks.base.kept import KEPT_BYTES, Kept
from tonesmith.sinks.base.open_file import identity_of
from tonesmith.sinks.base.storage import FolderStorage
from tonesmith.sinks.zarr.chunks import DamagedError, decode_audio, read_chunk, read_shard
from tonesmith.sinks.zarr.layout import attributes_of, json_of, required_layout

_Identity = tuple[int, int, int, int]

_CHUNK_BYTES = 500
"""Memory of a chunk that is kept, whatever it holds."""


class ZarrStorage(FolderStorage):
    """Reads rows straight from their chunks: no threads, no open files, nothing that a fork or pickle could break.

    Chunks of labels are kept, within :data:`KEPT_BYTES`; each is used for as long as its file is the same.

    Going through zarr-python would cost about half a millisecond for each of a row's twenty columns.
    """

    column_files = True

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._layout = required_layout(path)
        self.attributes = attributes_of(path)
        self._chunks: Kept[tuple[str, int], tuple[_Identity, NDArray[Any]]] = Kept(KEPT_BYTES)
        self._checked: set[str] = set()

    def __reduce__(self) -> tuple[Any, ...]:
        return (ZarrStorage, (self._path,))

    def read(self, column: str, rows: Sequence[int]) -> NDArray[Any]:
        """Return (len(rows), *shape) of a column, in the column's dtype; audio is float32."""
        spec = self._checked_column(column)
        wanted = np.asarray(rows, np.int64).reshape(-1)
        out = np.empty((len(wanted), *spec.shape), spec.dtype)
        blocks, places = np.divmod(wanted, self._layout.block_rows)
        for block in np.unique(blocks).tolist():
            here = np.flatnonzero(blocks == block)
            try:
                if column == "audio":
                    self._read_audio(spec, block, places[here].tolist(), [out[i] for i in here.tolist()])
                else:
                    out[here] = self._chunk(spec, block)[places[here]]
            except (DamagedError, OSError) as error:
                raise self._unreadable(column, block, error) from error
        return out

    def _read_audio(self, spec: Column, block: int, places: list[int], out: list[NDArray[np.float32]]) -> None:
        path = self._path / self._layout.chunk_file(spec, block)
        encoding = self._layout.encoding
        if encoding == "float32":
            read_shard(path, places, self._layout.block_rows, out)
            return
        stored = np.empty((len(places), *spec.shape), self._layout.stored_dtype(spec))
        read_shard(path, places, self._layout.block_rows, list(stored))
        for held, row in zip(stored, out, strict=True):
            row[...] = decode_audio(held, encoding)

    def _chunk(self, spec: Column, block: int) -> NDArray[Any]:
        """Return a block of a column. Those read last are kept, for neighbours, and for epochs in any order."""
        path = self._path / self._layout.chunk_file(spec, block)
        identity = identity_of(path.stat())  # of a block that grew meanwhile, it is another
        kept = self._chunks.get((spec.name, block))
        if kept is not None and kept[0] == identity:
            return kept[1]
        chunk = np.empty((self._layout.block_rows, *spec.shape), spec.dtype)
        read_chunk(path, chunk)
        self._chunks.put((spec.name, block), (identity, chunk), _CHUNK_BYTES + chunk.nbytes)
        return chunk

    def _checked_column(self, name: str) -> Column:
        """Return a column whose array is as this sink writes it: not re-encoded, and of no other dtype."""
        spec = self._layout.column(name)
        if name not in self._checked:
            try:
                same = self._layout.describes(spec, json_of(self._path / name / "zarr.json"))
            except PermissionError as error:
                raise unreadable(self._path / name / "zarr.json", error) from None
            except (OSError, DatasetError, ValueError, LookupError, TypeError, AttributeError):
                same = False
            if not same:
                raise DatasetError(f"{self._path}: the array {name} is not as tonesmith wrote it. Read it with zarr.")
            self._checked.add(name)
        return spec
