"""A dataset as a single HDF5 file: joined from its parts, and read.

Beside what :mod:`tonesmith.sinks.hdf5.profile` lists, it holds the record::

    record/dataset          layout and attributes, JSON
    record/digests          uint8 (rows, 32)
    record/ledger           what was rejected, JSON
    record/faults           crashes and timeouts, JSON
    record/assets/<sha256>  uint8
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tonesmith.document import parsed, parsed_object
from tonesmith.errors import ConfigError, DatasetError, DatasetNotFoundError
from tonesmith.host.roles import Storage
from tonesmith.plan.rejection import Rejection
from tonesmith.sinks.base import records
from tonesmith.sinks.base.block_layout import layout_of
from tonesmith.sinks.base.block_storage import BlockStorage
from tonesmith.sinks.base.columns import column_of
from tonesmith.sinks.base.files import Aside, telling
from tonesmith.sinks.hdf5.blocks import Hdf5Blocks
from tonesmith.sinks.hdf5.file import Disk, Held, changed_file, open_file, read_bytes
from tonesmith.sinks.hdf5.master import (
    RECORD,
    WEIGHTS,
    weights_of,
    write_record,
    write_weights,
)
from tonesmith.sinks.hdf5.profile import Form
from tonesmith.sinks.hdf5.reader import Rows
from tonesmith.space.patch import sha256_hex

T = TypeVar("T")

DIGESTS = Held("record/digests", "uint8", (32,), doc="SHA-256 of each row")
LEDGER = "record/ledger"
FAULTS = "record/faults"
ASSETS = "record/assets"


def is_single(path: Path) -> bool:
    """Return whether an HDF5 file is a dataset of tonesmith, damaged or not, of this or a newer layout.

    Where the library is missing, each may be one: opening it tells what to install.
    """
    try:
        Hdf5Blocks.check_library()
    except ConfigError:
        return True
    try:
        with open_file(path) as file:
            if RECORD not in file or DIGESTS.path not in file:
                return False
            try:
                return bool(parsed_object(read_bytes(file, RECORD), RECORD)["sink"] == Hdf5Blocks.name)
            except OSError:
                return True
    except Exception:  # noqa: BLE001 - the file is anybody's
        return False


class SingleStorage(Storage):
    """Reads a single file. It is opened anew in each process, so that it may be forked."""

    def __init__(self, path: Path) -> None:
        Hdf5Blocks.check_library()
        self._path = path
        with self._reading("record"), open_file(path) as file:
            record = parsed_object(read_bytes(file, RECORD), "its record")
            self.layout = layout_of(path, record, Hdf5Blocks.version)
        self.attributes = self.layout.attributes
        self._opened: tuple[int, Rows] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return (SingleStorage, (self._path,))

    def blocks(self) -> Mapping[int, tuple[bytes, ...]]:
        """Return block index -> digests of its rows."""
        with self._reading("digests"):
            digests = self._rows().file[DIGESTS.path][()]
        size = self.layout.block_rows
        return {
            block: tuple(bytes(digest) for digest in digests[block * size : block * size + rows])
            for block, rows in self.committed().items()
        }

    def plan_of(self, block: int) -> str:
        """Return the fingerprint of the plan that a block was made by: the file was joined of blocks of one."""
        return str(self.attributes.get("fingerprint", "")) if block in self.committed() else ""

    def committed(self) -> Mapping[int, int]:
        """Return block index -> number of its rows: all are there."""
        size, rows = self.layout.block_rows, self.layout.rows
        return {block: min(size, rows - first) for block, first in enumerate(range(0, rows, size))}

    def read(self, column: str, rows: Sequence[int]) -> NDArray[Any]:
        """Return (len(rows), *shape) of a column, in the column's dtype."""
        spec = column_of(self.layout.columns, column)
        wanted = np.asarray(rows, np.int64).reshape(-1)
        out: NDArray[Any] = np.empty((len(wanted), *spec.shape), spec.dtype)
        blocks = wanted // self.layout.block_rows
        if len(outside := blocks[(wanted < 0) | (wanted >= self.layout.rows)]):
            raise DatasetError(f"{self._path}: block {outside[0]} is not stored")
        for block in np.unique(blocks).tolist():
            here = np.flatnonzero(blocks == block)
            with self._reading(column, block):
                out[here] = self._rows().read(spec, wanted[here].tolist())
        return out

    def rejections(self) -> Iterable[Rejection]:
        """Return the reject ledger, by patch and attempt."""
        return self._rejections(LEDGER)

    def faults(self) -> list[Rejection]:
        """Return the crashes and timeouts, by patch and attempt."""
        return self._rejections(FAULTS)

    def _rejections(self, place: str) -> list[Rejection]:
        with self._reading("ledger"):
            found = parsed(read_bytes(self._rows().file, place), place)
            return [
                Rejection.from_json({**r, "measured": {k: float(v) for k, v in r["measured"].items()}}) for r in found
            ]

    def asset(self, name: str) -> bytes:
        """Return the content with that SHA-256, checked against it."""
        with self._reading(f"asset {name}"):
            file, place = self._rows().file, f"{ASSETS}/{name}"
            if not records.is_asset_name(name) or place not in file:
                raise DatasetError(f"{self._path}: there is no asset {name!r}")
            content = read_bytes(file, place)
        if sha256_hex(content) != name:
            raise DatasetError(f"{self._path}: the asset {name} is damaged: its SHA-256 does not match")
        return content

    def assets(self) -> Sequence[str]:
        """Return the SHA-256 of every asset that is stored, in order."""
        with self._reading("assets"):
            return sorted(self._rows().file.get(ASSETS, ()))

    def nbytes(self) -> int:
        """Return the bytes of the file."""
        return self._path.stat().st_size

    def revise(self, attributes: Mapping[str, Any]) -> None:
        """Bring attributes and importance up to date if they have changed: in a copy, which takes the file's place."""
        form = Form(replace(self.layout, attributes=attributes))
        weights = weights_of(form, self._path)
        if attributes == self.attributes and (weights is None or np.array_equal(weights, self._weights())):
            return
        final = self._path.resolve()  # where a link at the path leads, its user has chosen
        with telling(str(self._path), self._path), Aside(final.parent, None) as files:
            aside = files.path(final)
            shutil.copyfile(self._path, aside)
            with open(aside, "rb+", buffering=0) as raw:  # noqa: PTH123 - as Aside names files
                disk = Disk(raw)
                with changed_file(disk) as file:
                    write_record(file, form)
                    if weights is not None:
                        write_weights(file, weights)
                disk.check()
            files.commit()

    def _weights(self) -> Any:
        with self._reading("weights"):
            file = self._rows().file
            return file[WEIGHTS][()] if WEIGHTS in file else None

    def _rows(self) -> Rows:
        if self._opened is None or self._opened[0] != os.getpid():
            self._opened = (os.getpid(), Rows(self._path, self.layout.block_rows))
        return self._opened[1]

    @contextlib.contextmanager
    def _reading(self, what: str, block: int | None = None) -> Iterator[None]:
        """Turn what the library raises for a damaged file into an error that names the block."""
        try:
            yield
        except (MemoryError, DatasetError):
            raise
        except FileNotFoundError:
            raise DatasetNotFoundError(f"there is no dataset at {self._path}") from None
        except Exception as error:
            where = f"block {block}" if block is not None else "the record"
            raise DatasetError(
                f"{self._path}: {where} is damaged ({what}: {error}). Restore the file from a copy, or make it again."
            ) from error


class SingleOrParts(Storage):
    """A single file that is finished, or its parts until it is."""

    def __init__(self, path: Path, parts: Path) -> None:
        self._path, self._parts = path, parts
        self._now: Storage = SingleStorage(path) if path.is_file() else BlockStorage(parts, Hdf5Blocks)
        self.attributes = self._now.attributes

    def __reduce__(self) -> tuple[Any, ...]:
        return (SingleOrParts, (self._path, self._parts))

    def blocks(self) -> Mapping[int, tuple[bytes, ...]]:
        """Return block index -> digests of its rows."""
        return self._ask(lambda storage: storage.blocks())

    def committed(self) -> Mapping[int, int]:
        """Return block index -> number of its rows."""
        return self._ask(lambda storage: storage.committed())

    def plan_of(self, block: int) -> str:
        """Return the fingerprint of the plan that a block was made by."""
        return self._ask(lambda storage: storage.plan_of(block))

    def read(self, column: str, rows: Sequence[int]) -> NDArray[Any]:
        """Return (len(rows), *shape) of a column, in the column's dtype."""
        return self._ask(lambda storage: storage.read(column, rows))

    def rejections(self) -> Iterable[Rejection]:
        """Return the reject ledger, by patch and attempt."""
        return self._ask(lambda storage: storage.rejections())

    def asset(self, name: str) -> bytes:
        """Return the content with that SHA-256, checked against it."""
        return self._ask(lambda storage: storage.asset(name))

    def assets(self) -> Sequence[str]:
        """Return the SHA-256 of every asset that is stored, in order."""
        return self._ask(lambda storage: storage.assets())

    def nbytes(self) -> int:
        """Return the bytes that the dataset takes in storage."""
        return self._ask(lambda storage: storage.nbytes())

    def _ask(self, question: Callable[[Storage], T]) -> T:
        """Return the answer of the parts, or of the file once it has taken their place, be it meanwhile."""
        self._look()
        try:
            return question(self._now)
        except (DatasetError, OSError):
            if not self._look():
                raise
            return question(self._now)

    def _look(self) -> bool:
        """Turn to the file if it is there; return whether that was news."""
        if isinstance(self._now, SingleStorage) or not self._path.is_file():
            return False
        self._now = SingleStorage(self._path)
        return True
