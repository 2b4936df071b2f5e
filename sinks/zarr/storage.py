"""A Zarr dataset opened for reading."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.buckets.address import BucketPath, is_remote
from tonesmith.buckets.sending import fetch
from tonesmith.errors import DatasetError, unreadable
from tonesmith.plan.schema import Column
from tonesmith.sinks.base.kept import KEPT_BYTES, Kept
from tonesmith.sinks.base.open_file import identity_of
from tonesmith.sinks.base.storage import FolderStorage
from tonesmith.sinks.zarr.chunks import DamagedError, decode_audio, read_chunk, read_shard
from tonesmith.sinks.zarr.layout import attributes_of, json_of, required_layout

_Identity = tuple[int, int, int, int] | str

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
        self._fetched: set[str] = set()
        self._documents: dict[str, dict[str, Any]] = {}

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
                self._read_block(spec, block, places[here], here, out)
            except (DamagedError, OSError) as error:
                if not self._distrust(block, self._layout.chunk_file(spec, block)):
                    raise self._unreadable(column, block, error) from error
                return self.read(column, rows)
        return out

    def _read_block(
        self, spec: Column, block: int, places: NDArray[np.int64], here: NDArray[np.int64], out: NDArray[Any]
    ) -> None:
        """Fill ``out[here]`` with some rows of a block."""
        if spec.name == "audio":
            self._read_audio(spec, block, places.tolist(), [out[i] for i in here.tolist()])
        else:
            out[here] = self._chunk(spec, block)[places]

    def _read_audio(self, spec: Column, block: int, places: list[int], out: list[NDArray[np.float32]]) -> None:
        path = self._root(block) / self._layout.chunk_file(spec, block)
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
        path = self._root(block) / self._layout.chunk_file(spec, block)
        # of a block that grew meanwhile, it is another
        identity = path.stamp if isinstance(path, BucketPath) else identity_of(path.stat())
        kept = self._chunks.get((spec.name, block))
        if kept is not None and kept[0] == identity:
            return kept[1]
        if isinstance(path, BucketPath):
            self._fetch_labels(block)
        chunk = np.empty((self._layout.block_rows, *spec.shape), spec.dtype)
        read_chunk(path, chunk)
        self._chunks.put((spec.name, block), (identity, chunk), _CHUNK_BYTES + chunk.nbytes)
        return chunk

    def _fetch_labels(self, block: int) -> None:
        """Bring all columns of a block but its audio to this machine, once: they are small, and are read together."""
        root = self._root(block)
        if isinstance(root, BucketPath) and root.stamp not in self._fetched:
            columns = [column for column in self._layout.columns if column.name != "audio"]
            fetch([root / self._layout.chunk_file(column, block) for column in columns])
            self._fetched.add(root.stamp)

    def _document(self, name: str) -> dict[str, Any]:
        """Return the document of an array; in a bucket, as the root's document has it, which is one for all."""
        if is_remote(self._path) and not self._documents:
            self._documents = json_of(self._path / "zarr.json")["consolidated_metadata"]["metadata"]
        return self._documents[name] if self._documents else json_of(self._path / name / "zarr.json")

    def _checked_column(self, name: str) -> Column:
        """Return a column whose array is as this sink writes it: not re-encoded, and of no other dtype."""
        spec = self._layout.column(name)
        if name not in self._checked:
            try:
                same = self._layout.describes(spec, self._document(name))
            except PermissionError as error:
                raise unreadable(self._path / name / "zarr.json", error) from None
            except (OSError, DatasetError, ValueError, LookupError, TypeError, AttributeError):
                same = False
            if not same:
                raise DatasetError(f"{self._path}: the array {name} is not as tonesmith wrote it. Read it with zarr.")
            self._checked.add(name)
        return spec
