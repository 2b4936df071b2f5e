"""HDF5 files: made with the same bytes each time, on a disk that may be full, and opened without locks."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tonesmith.document import open_plain


@dataclass(frozen=True, slots=True)
class Held:
    """One array of a file: a row for each row of the dataset.

    Attributes:
        path: in the file.
        dtype: NumPy's name for it; "S64" is text of at most 64 bytes, UTF-8.
        shape: of a row.
        alone: whether each row is a chunk; else a block is.
        also: a second name of the same array, or "".
        constant: the value of every row, if it has but one: nothing of it is stored.
        doc: what it holds.
    """

    path: str
    dtype: str
    shape: tuple[int, ...]
    alone: bool = False
    also: str = ""
    constant: int | None = None
    doc: str = ""

    @property
    def empty(self) -> bool:
        """Whether a row has no entries."""
        return 0 in self.shape

    @property
    def stored(self) -> bool:
        """Whether there are chunks of it."""
        return not self.empty and self.constant is None

    @property
    def fill(self) -> float | int | bool | bytes:
        """What a row that is not there yet reads as; it is never silence."""
        if self.constant is not None:
            return self.constant
        fills: dict[str, float | int | bool | bytes] = {"f": float("nan"), "i": -1, "u": 0, "b": False, "S": b""}
        return fills[np.dtype(self.dtype).kind]

    def chunk(self, block_rows: int) -> tuple[int, ...]:
        """Return the shape of a chunk."""
        return (1 if self.alone else block_rows, *self.shape)


@dataclass(frozen=True, slots=True)
class Packing:
    """How chunks are packed: "zstd", "blosc2", "gzip" or "none", and with which effort."""

    compression: str
    level: int

    def filters(self, dtype: np.dtype[Any]) -> dict[str, Any]:
        """Return the filters of a dataset: shuffle, compression, and last a Fletcher-32 of what is in the file."""
        import hdf5plugin

        made: dict[str, Any] = {"fletcher32": True}
        shuffled = dtype.itemsize > 1 and dtype.kind != "S"
        if self.compression == "blosc2":
            shuffle = hdf5plugin.Blosc2.SHUFFLE if shuffled else hdf5plugin.Blosc2.NOFILTER
            return made | dict(hdf5plugin.Blosc2(cname="zstd", clevel=self.level, filters=shuffle))
        if self.compression == "zstd":
            made |= dict(hdf5plugin.Zstd(clevel=self.level))
        elif self.compression == "gzip":
            made |= {"compression": "gzip", "compression_opts": self.level}
        return made | ({"shuffle": True} if shuffled and self.compression != "none" else {})


class Disk(io.RawIOBase):
    """A file for HDF5 to write to, which never hears of an error: the library crashes when its last flush fails.

    Whoever writes asks :meth:`check` whether all went well.
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self._error: OSError | None = None

    def check(self) -> None:
        """Raise what went wrong."""
        if self._error is not None:
            raise self._error

    def readable(self) -> bool:
        """Return True."""
        return True

    def writable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, with zeros where there is nothing."""
        found = self._file.read(len(buffer))
        buffer[: len(found)] = found
        buffer[len(found) :] = bytes(len(buffer) - len(found))
        return len(buffer)

    def write(self, content: Any) -> int:
        """Write all of it, unless an earlier write has failed."""
        size = len(content)
        self._try(lambda: _write_all(self._file, content))
        return size

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        """Move to a place."""
        return self._file.seek(place, whence)

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell()

    def truncate(self, size: int | None = None) -> int:
        """Make the file of that size, unless an earlier write has failed."""
        self._try(lambda: self._file.truncate(size))
        return size if size is not None else self.tell()

    def _try(self, step: Callable[[], object]) -> None:
        if self._error is None:
            try:
                step()
            except OSError as error:
                self._error = error


def _write_all(file: BinaryIO, content: Any) -> None:
    view = memoryview(content)
    while view.nbytes:
        view = view[file.write(view) :]


def library() -> Any:
    """Return h5py, with the filters of hdf5plugin at hand."""
    import h5py
    import hdf5plugin  # noqa: F401 - importing it registers the filters

    return h5py


def new_file(target: Any) -> Any:
    """Return an h5py file that writes to an object with ``readinto``, ``write``, ``seek`` and ``truncate``.

    In the form of HDF5 1.10, the first that has virtual datasets: it has a checksum on all that is not a chunk. No
    time is kept, so that equal content makes equal bytes.
    """
    h5py = library()
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_libver_bounds(h5py.h5f.LIBVER_V110, h5py.h5f.LIBVER_V110)
    access.set_fileobj_driver(h5py.h5fd.fileobj_driver, target)
    access.set_cache(*access.get_cache()[:2], 0, 0.0)  # each chunk is written once
    creation = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    creation.set_obj_track_times(False)
    return h5py.File(h5py.h5f.create(b"tonesmith.h5", h5py.h5f.ACC_TRUNC, creation, access))


def changed_file(target: Any) -> Any:
    """Return an h5py file that is there, to be changed through an object as :func:`new_file` takes it."""
    h5py = library()
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_libver_bounds(h5py.h5f.LIBVER_V110, h5py.h5f.LIBVER_V110)
    access.set_fileobj_driver(h5py.h5fd.fileobj_driver, target)
    return h5py.File(h5py.h5f.open(b"tonesmith.h5", h5py.h5f.ACC_RDWR, access))


def open_file(path: Path) -> Any:
    """Return a file for reading: not locked, and without a cache of chunks, each of which is read once."""
    os.close(open_plain(path))  # the library would wait for what is no file
    return library().File(path, "r", locking=False, rdcc_nbytes=0)


def dtype_of(name: str) -> np.dtype[Any]:
    """Return the dtype in the file: little-endian, text as UTF-8."""
    plain = np.dtype(name)
    if plain.kind == "S":
        text: np.dtype[Any] = library().string_dtype("utf-8", plain.itemsize)
        return text
    return plain.newbyteorder("<")


def make_group(file: Any, path: str) -> None:
    """Make a group and those above it, unless they are there."""
    if not path or path in file:
        return
    make_group(file, path.rpartition("/")[0])
    h5py = library()
    creation = h5py.h5p.create(h5py.h5p.GROUP_CREATE)
    creation.set_obj_track_times(False)
    h5py.h5g.create(file.id, path.encode(), None, creation)


def make_dataset(file: Any, held: Held, rows: int, most: int, block_rows: int, packing: Packing) -> Any:
    """Make an array of so many rows, of which nothing is stored yet, under both of its names.

    Args:
        file: to make it in.
        held: what it is.
        rows: that it has.
        most: that it may have: whole chunks.
        block_rows: rows of a full block.
        packing: of its chunks.
    """
    make_group(file, held.path.rpartition("/")[0])
    dtype = dtype_of(held.dtype)
    form: dict[str, Any] = {}
    if held.stored:
        form = {"maxshape": (most, *held.shape), "chunks": held.chunk(block_rows), **packing.filters(dtype)}
    if dtype.kind != "S":  # h5py would read a fill value of text beyond its end; without one it is ""
        form["fillvalue"] = held.fill
    dataset = file.create_dataset(held.path, (rows, *held.shape), dtype, track_times=False, **form)
    link(file, held, dataset)
    return dataset


def make_virtual(file: Any, held: Held, rows: int, block_rows: int, name_of: Callable[[int], str]) -> None:
    """Make an array whose rows are those of the blocks' files, under both of its names.

    Args:
        file: to make it in.
        held: what it is, there and here.
        rows: of the dataset.
        block_rows: rows of a full block, which every block's file has place for.
        name_of: block -> its file, relative to this one.
    """
    h5py = library()
    make_group(file, held.path.rpartition("/")[0])
    dtype, zeros = dtype_of(held.dtype), (0,) * len(held.shape)
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_obj_track_times(False)
    if dtype.kind != "S":  # as in make_dataset
        creation.set_fill_value(np.array(held.fill, dtype))
    whole = h5py.h5s.create_simple((rows, *held.shape))
    source, once, path = h5py.h5s.create_simple((block_rows, *held.shape)), (1,) * (1 + len(held.shape)), held.path
    for block, first in enumerate(range(0, rows, block_rows)):
        size = (min(block_rows, rows - first), *held.shape)
        whole.select_hyperslab((first, *zeros), once, block=size)
        source.select_hyperslab((0, *zeros), once, block=size)
        creation.set_virtual(whole, name_of(block).encode(), f"/{path}".encode(), source)
    whole.select_all()
    kind = h5py.h5t.py_create(dtype, logical=True)
    link(file, held, h5py.Dataset(h5py.h5d.create(file.id, path.encode(), kind, whole, creation)))


def link(file: Any, held: Held, dataset: Any) -> None:
    """Give an array its second name: the same bytes, found in another place."""
    if held.also:
        make_group(file, held.also.rpartition("/")[0])
        file[held.also] = dataset


def make_bytes(file: Any, path: str, content: bytes, packing: Packing) -> None:
    """Store bytes as an array of uint8, with a checksum."""
    make_group(file, path.rpartition("/")[0])
    data = np.frombuffer(content, np.uint8)
    form = {"chunks": (len(data),), **packing.filters(data.dtype)} if len(data) else {}
    file.create_dataset(path, data=data, track_times=False, **form)


def read_bytes(file: Any, path: str) -> bytes:
    """Return what :func:`make_bytes` stored. Raise any error if it is damaged."""
    data: NDArray[np.uint8] = file[path][()]
    return data.tobytes()


def set_attributes(place: Any, attributes: Mapping[str, Any]) -> None:
    """Set attributes: numbers, arrays of them, text and lists of text."""
    h5py = library()
    for name, value in attributes.items():
        if isinstance(value, list):
            place.attrs.create(name, np.array(value, object), dtype=h5py.string_dtype())
        else:
            place.attrs[name] = value


def text_array(texts: Sequence[str], size: int = 1) -> NDArray[np.bytes_]:
    """Return texts as UTF-8, each of as many bytes as the longest needs, or ``size`` if that is more."""
    encoded = [text.encode() for text in texts]
    return np.array(encoded, f"S{max([size, *map(len, encoded)])}")


def copy_chunks(source: Any, target: Any, first: int, chunk: Sequence[int], rows: int) -> None:
    """Copy the chunks of an array as they are packed.

    Args:
        source: of the first ``rows`` rows.
        target: gets them from its row ``first`` on.
        first: row, at which a chunk begins.
        chunk: its shape, in both.
        rows: how many.
    """
    zeros = (0,) * (len(chunk) - 1)
    for row in range(0, rows, chunk[0]):
        mask, content = source.id.read_direct_chunk((row, *zeros))
        target.id.write_direct_chunk((first + row, *zeros), content, mask)
