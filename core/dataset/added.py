"""Features that were added to a dataset after its rows were made: files of their own, beside those of the sink.

::

    <dataset>/tonesmith/features/<feature>/feature.json              its options, arrays and definition
    <dataset>/tonesmith/features/<feature>/<block>-<rows>-<of>.npz   its arrays of a block, each (rows, *shape)

Of a dataset that is one file, the folder lies beside it: ``d.h5.features/<feature>/...``. ``<of>`` is the beginning of
the SHA-256 of the digests of the rows, so that features of other rows are never taken for theirs. A file appears whole.
"""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.buckets.address import is_remote
from tonesmith.dataset.beside import refuse_link, write_beside
from tonesmith.document import open_plain, parsed_object, read_plain
from tonesmith.errors import DatasetError
from tonesmith.host.roles import Storage
from tonesmith.plan.block import dataset_digest
from tonesmith.plan.feature import PREFIX, FeatureArray, StoredFeature
from tonesmith.plan.schema import Column
from tonesmith.plan.stored import stored_feature

RECORD = "feature.json"
_BLOCK = re.compile(r"(\d{6,12})-(\d{1,9})-([0-9a-f]{16})\.npz")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_HEADER = 1024
"""Bytes by which an array may be larger in a file than in memory."""


def features_folder(path: Path) -> Path:
    """Return the folder that the added features of a dataset lie in."""
    return path / "tonesmith" / "features" if path.is_dir() else path.with_name(f"{path.name}.features")


@dataclass
class AddedFeature:
    """A feature in a folder of its own.

    Attributes:
        folder: with its files.
        stored: what it is.
        files: block -> rows of it that are there, and the beginning of the digest that they are of.
    """

    folder: Path
    stored: StoredFeature
    files: dict[int, tuple[int, str]]
    _kept: tuple[int, dict[str, NDArray[Any]]] | None = field(default=None, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": None}

    def covers(self, committed: Mapping[int, int]) -> bool:
        """Return whether there is something for every row of these blocks."""
        return all(self.files.get(block, (0, ""))[0] >= rows for block, rows in committed.items())

    def block(self, block: int, storage: Storage) -> dict[str, NDArray[Any]]:
        """Return column -> (rows, *shape) of a block, checked. The one that was read last is kept.

        Raises :class:`DatasetError`, naming the block and what to do, if it is missing, damaged or of other rows.
        """
        if self._kept is not None and self._kept[0] == block:
            return self._kept[1]
        try:
            read = self._read(block, storage)
        except (
            DatasetError,
            OSError,
            ValueError,
            KeyError,
            EOFError,
            zipfile.BadZipFile,
            NotImplementedError,
        ) as error:
            raise DatasetError(
                f"the feature {self.stored.name!r} of block {block} cannot be read: {error}. "
                f"Compute it again: tonesmith features DATASET --add {self.stored.name}"
            ) from error
        self._kept = (block, read)
        return read

    def _read(self, block: int, storage: Storage) -> dict[str, NDArray[Any]]:
        rows, tag = self.files.get(block, (0, ""))
        if not rows:
            raise DatasetError("it is not there yet")
        if tag != tag_of(storage.blocks()[block][:rows]):
            raise DatasetError("it was computed of other rows")
        return _read(self.folder / file_name(block, rows, tag), self.stored, rows)

    def write(self, block: int, digests: Sequence[bytes], columns: Mapping[str, NDArray[Any]]) -> None:
        """Store the columns of a block, and remove what was there of fewer or of other rows.

        Raises :class:`DatasetError` for a link, and if it cannot be written.
        """
        rows, tag = len(digests), tag_of(digests)
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as packed:
            for name, array in _members(self.stored, columns):
                packed.writestr(zipfile.ZipInfo(f"{name}.npy"), array)
        name = file_name(block, rows, tag)
        write_beside(self.folder / name, content.getvalue())
        self.files[block] = (rows, tag)
        for other in self.folder.glob(f"{block:06d}-*.npz"):
            if other.name != name:
                other.unlink(missing_ok=True)


class Added:
    """The added features of a dataset, as they were when it was looked at.

    Attributes:
        features: name -> feature, in the order of the names.
        faults: what is wrong with others, a sentence each.
    """

    def __init__(self, path: Path | None) -> None:
        self.features: dict[str, AddedFeature] = {}
        self.faults: list[str] = []
        for folder in [] if path is None or is_remote(path) else _folders(features_folder(path)):
            try:
                self.features[folder.name] = added_at(folder)
            except (DatasetError, OSError, ValueError) as error:
                told = "there is none" if isinstance(error, FileNotFoundError) else str(error)
                self.faults.append(f"{folder / RECORD} cannot be read: {told}. Delete the folder, and add it again.")

    def complete(self, committed: Mapping[int, int]) -> dict[str, AddedFeature]:
        """Return those that have something for every row of these blocks."""
        return {name: feature for name, feature in self.features.items() if feature.covers(committed)}


class AddedColumns:
    """The columns of added features that every row of a dataset has.

    Args:
        storage: of the dataset.
        block_rows: rows of a full block.
        features: that are complete.
    """

    def __init__(self, storage: Storage, block_rows: int, features: Mapping[str, AddedFeature]) -> None:
        self.features = dict(features)
        self.columns: tuple[Column, ...] = tuple(c for f in self.features.values() for c in f.stored.columns())
        self._of = {column.name: feature for feature in self.features.values() for column in feature.stored.columns()}
        self._specs = {column.name: column for column in self.columns}
        self._storage, self._block_rows = storage, block_rows

    def __contains__(self, name: object) -> bool:
        return name in self._of

    def read(self, name: str, rows: Sequence[int]) -> NDArray[Any]:
        """Return (len(rows), *shape) of a column. Raises :class:`DatasetError` if it is damaged."""
        column, feature = self._specs[name], self._of[name]
        out = np.empty((len(rows), *column.shape), column.dtype)
        blocks, places = np.divmod(np.asarray(rows, np.int64), self._block_rows)
        for block in np.unique(blocks).tolist():
            here = np.flatnonzero(blocks == block)
            out[here] = feature.block(block, self._storage)[name][places[here]]
        return out


def added_at(folder: Path) -> AddedFeature:
    """Return the feature in a folder. Raises :class:`DatasetError`, or :class:`OSError` if it is not there."""
    stored = stored_feature(parsed_object(read_plain(folder / RECORD), "it"))
    if stored.name != folder.name:
        raise DatasetError(f"it is of the feature {stored.name!r}")
    files: dict[int, tuple[int, str]] = {}
    for match in filter(None, map(_BLOCK.fullmatch, sorted(os.listdir(folder)))):  # noqa: PTH208 - there may be many
        block, rows = int(match[1]), int(match[2])
        files[block] = max(files.get(block, (0, "")), (rows, match[3]))
    return AddedFeature(folder, stored, files)


def begin_added(path: Path, stored: StoredFeature) -> AddedFeature:
    """Return the feature at a dataset, with its folder and its record made.

    Raises :class:`DatasetError` for a link, and if nothing can be written.
    """
    import json

    folder = features_folder(path) / stored.name
    for place in (folder.parent.parent, folder.parent, folder):
        if place != path:
            refuse_link(place)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(f"cannot create {folder}: {error.strerror}.") from None
    record = json.dumps(stored.to_json(), allow_nan=False, indent=1).encode()
    if not (folder / RECORD).is_file() or read_plain(folder / RECORD) != record:
        write_beside(folder / RECORD, record)
    return added_at(folder)


def file_name(block: int, rows: int, tag: str) -> str:
    """Return the name of the file with a feature of a block."""
    return f"{block:06d}-{rows}-{tag}.npz"


def tag_of(digests: Sequence[bytes]) -> str:
    """Return the beginning of the SHA-256 of the digests of some rows."""
    return dataset_digest(digests)[:16]


def _folders(parent: Path) -> list[Path]:
    """Return the folders of features in one, but for links."""
    try:
        found = sorted(parent.iterdir())
    except OSError:
        return []
    return [place for place in found if _NAME.fullmatch(place.name) and place.is_dir() and not place.is_symlink()]


def _members(stored: StoredFeature, columns: Mapping[str, NDArray[Any]]) -> Iterator[tuple[str, bytes]]:
    for array in stored.arrays:
        content = io.BytesIO()
        made = np.ascontiguousarray(columns[f"{PREFIX}{stored.key(array)}"])
        np.lib.format.write_array(content, made, version=(1, 0), allow_pickle=False)
        yield array.name, content.getvalue()


def _read(file: Path, stored: StoredFeature, rows: int) -> dict[str, NDArray[Any]]:
    """Return the columns in a file of anybody's: nothing in it is unpacked that is larger than it says it should be."""
    with os.fdopen(open_plain(file), "rb") as opened, zipfile.ZipFile(opened) as packed:
        return {f"{PREFIX}{stored.key(array)}": _array(packed, array, (rows, *array.shape)) for array in stored.arrays}


def _array(packed: zipfile.ZipFile, array: FeatureArray, shape: tuple[int, ...]) -> NDArray[Any]:
    dtype, member = np.dtype(array.dtype), packed.getinfo(f"{array.name}.npy")
    nbytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if member.compress_type != zipfile.ZIP_STORED or not nbytes < member.file_size <= nbytes + _HEADER:
        raise DatasetError(f"{array.name} has another size")
    content = io.BytesIO(packed.read(member))  # the library compares its CRC-32
    if np.lib.format.read_magic(content) != (1, 0):
        raise DatasetError(f"{array.name} is of another version of the format")
    found, fortran, kind = np.lib.format.read_array_header_1_0(content)
    if (found, fortran, kind) != (shape, False, dtype):
        raise DatasetError(f"{array.name} is {kind} {found}, not {dtype} {shape}")
    return np.frombuffer(content.getvalue(), dtype, offset=content.tell()).reshape(shape)
