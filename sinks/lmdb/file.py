"""One LMDB file: written by the library in one transaction, and read from the places of its records.

To read, the library maps a file and trusts its tree: one that was cut short ends the process, and a bit turned in a
tree may give the data of another row. It also refuses to open a file twice in a process. Reading the records where they
lie has neither fault, and is as quick: 0.2 ms for 500 kB, either way.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import lmdb
import numpy as np
from numpy.typing import NDArray

from tonesmith.plan.schema import Column
from tonesmith.sinks.base.block_layout import Layout
from tonesmith.sinks.base.block_storage import PartReader
from tonesmith.sinks.base.blocks import Part
from tonesmith.sinks.base.open_file import OpenFile
from tonesmith.sinks.base.pieces import Pieces
from tonesmith.sinks.lmdb.records import Form, checked_labels, columns_record, label_dtype, packed, unpacked_audio

_PAGE_HEADER = 16
_SPARE_PAGES = 16
"""For the two meta pages and the roots of trees."""

_label_dtype = lru_cache(8)(label_dtype)
"""NumPy takes a millisecond to make one, and every block has the same."""


def write_file(place: str, layout: Layout, part: Part) -> list[int]:
    """Write a part; return the places of its records, and the checksum of the rest."""
    form: Form = layout.options["audio"]
    records = list(packed(layout.columns, part.columns, form, layout.options["level"], layout.sample_rate))
    content = {b"%09d" % row: record for row, record in zip(part.rows, records, strict=True)}
    content[b"columns"] = columns_record(layout.columns, form)
    try:
        _write(place, content)
    except lmdb.Error as error:
        _raise_as_the_system_does(place, error)
    return Pieces.found(Path(place).read_bytes(), records).sums


def _write(place: str, content: dict[bytes, bytes]) -> None:
    """Write a file with these keys and values in one transaction. Whoever calls flushes it."""
    environment = lmdb.open(
        place,
        subdir=False,
        map_size=_room(content),
        mode=0o666,  # less what the user's umask takes, as for every other file
        lock=False,
        sync=False,
        metasync=False,
    )
    try:
        with environment.begin(write=True) as transaction:
            for key in sorted(content):
                transaction.put(key, content[key], append=True)
    finally:
        environment.close()


def _room(content: dict[bytes, bytes]) -> int:
    """Return bytes that are enough for a tree of these values: each has pages of its own, and a share of a leaf."""
    pages = [1 - (_PAGE_HEADER + len(value)) // -mmap.PAGESIZE for value in content.values()]
    return mmap.PAGESIZE * (_SPARE_PAGES + sum(pages))


def _raise_as_the_system_does(place: str, error: lmdb.Error) -> None:
    """Raise the :class:`OSError` behind an error of LMDB: to it, a write that was cut short is a failed disk."""
    with open(place, "ab") as file:  # noqa: PTH123 - a name that Aside gave
        file.write(bytes(1 << 20))
    raise OSError(getattr(error, "code", 0), str(error)) from error


class LmdbReader(PartReader):
    """Reads records from their places. Labels that were read are kept while the file is open."""

    def __init__(self, file: Path, layout: Layout, sums: Sequence[int]) -> None:
        self._form: Form = layout.options["audio"]
        self._label = _label_dtype(layout.columns)
        self._heads: dict[int, bytes] = {}
        self._pieces = Pieces.of(sums)
        self._file = OpenFile(file)
        self._pieces.check(self._file.size, self._file.read_at)

    @property
    def nbytes(self) -> int:
        """Bytes of memory, about."""
        return self._pieces.nbytes + self._label.itemsize * len(self._heads)

    def rest(self) -> bool:
        """Close the file, and forget labels: each is read as quickly as audio."""
        self._heads = {}
        self._file.close()
        return True

    def read(self, column: Column, places: Sequence[int]) -> NDArray[Any]:
        """Return (len(places), *shape) of a column."""
        if column.name != "audio":
            labels = np.frombuffer(b"".join(map(self._head, places)), self._label)
            return labels[column.name].astype(column.dtype)
        out = np.empty((len(places), *column.shape), np.float32)
        for row, place in zip(out, places, strict=True):
            offset, length = self._pieces.places[place]
            record = self._file.read_at(length, offset)
            size = self._label.itemsize
            row[...] = unpacked_audio(checked_labels(record[:size]), record[size:], self._form, column.shape)
        return out

    def _head(self, place: int) -> bytes:
        head = self._heads.get(place)
        if head is None:
            offset, length = self._pieces.places[place]
            head = checked_labels(self._file.read_at(min(length, self._label.itemsize), offset))
            self._heads[place] = head
        return head
