"""Storage as HDF5: one file per block under one virtual file, or a single file."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from tonesmith.errors import DatasetError, PathTakenError
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import FileSet, Footprint, Options, Sink, Storage
from tonesmith.sinks.base.block_layout import Layout, read_layout
from tonesmith.sinks.base.links import check_links
from tonesmith.sinks.base.shares import PACKED
from tonesmith.sinks.hdf5.blocks import MASTER, Hdf5Blocks

if TYPE_CHECKING:
    from tonesmith.plan.block import Block
    from tonesmith.plan.plan import Plan
    from tonesmith.plan.rejection import Rejection
    from tonesmith.plan.schema import Column
    from tonesmith.sinks.hdf5.single import SingleStorage

_MAGIC = b"\x89HDF\r\n\x1a\n"
"""The first bytes of an HDF5 file."""
_PARTS = ".parts"
_HELD = 900
"""Blocks from which on code that holds an array of audio may meet the limit of open files, which usually is 1024."""
_WARNING = "    # Take the array anew for each row: one that is held shows rows of too many files as NaN.\n"
_SUFFIXES = frozenset((".h5", ".hdf5"))
_HIGHEST = {"zstd": 22, "blosc2": 9, "gzip": 9, "none": 22}


class Hdf5Options(Options):
    """Options of :class:`Hdf5Sink`."""

    compression: Literal["zstd", "blosc2", "gzip", "none"] = Field(
        "zstd",
        description="Compression of the audio, with shuffle. Reading zstd and blosc2 needs hdf5plugin; gzip needs "
        "nothing.",
    )
    level: int = Field(1, ge=1, le=22, description="Compression level, at most 9 for blosc2 and gzip.")
    modulation_t3: bool = Field(
        False,
        description="Also store params/modulation_t3, the modulations as a dense matrix (4, sources, destinations).",
    )
    single: bool = Field(
        False,
        description="Write a single file at the path. Blocks are collected in PATH.parts until the dataset is "
        "complete.",
    )

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.level > _HIGHEST[self.compression]:
            raise ValueError(f"level {self.level}: {self.compression} has levels 1 to {_HIGHEST[self.compression]}")
        return self


class Hdf5Sink(Sink[Hdf5Options]):
    """One chunk a row of audio, one a block of what is small, each with a checksum.

    ::

        [sink]
        name = "hdf5"
        compression = "zstd"
        level = 1
        modulation_t3 = false
        single = false
    """

    name = "hdf5"
    record = "record/dataset"
    summary = "HDF5: one file per block under one virtual file, or a single file; with the schema of Vital trainers"
    Options = Hdf5Options

    def __init__(self, options: Hdf5Options, path: Path) -> None:
        super().__init__(options, path)
        self._blocks = Hdf5Blocks(options, parts_of(path) if options.single else path, path)

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Return whether a dataset of this sink is at the path: a folder, a file, or the parts of a file to be."""
        if path.is_file():
            return _is_single(path)
        return _folder_at(path) is not None

    @classmethod
    def open(cls, path: Path) -> Storage:
        """Return the dataset at a path, for reading, while others may be writing to it."""
        Hdf5Blocks.check_library()
        if path.is_file() and not _is_single(path):
            raise DatasetError(f"{path} is not a dataset of tonesmith's sink 'hdf5'")
        folder = _folder_at(path)
        if path.is_file() or folder == parts_of(path):
            from tonesmith.sinks.hdf5.single import SingleOrParts

            return SingleOrParts(path, parts_of(path))
        return Hdf5Blocks.open(path)

    def create(self, attributes: Mapping[str, Any], schema: Sequence[Column], rows: int, block_rows: int) -> None:
        """Make the dataset, or bring one that is there up to these attributes and this many rows.

        Of a finished single file only the attributes can change: it is then written anew, aside.

        Raises :class:`DatasetError`, having written nothing, if something else is at the path, if the dataset has other
        columns or options, if more rows than these are stored, or if a finished single file is to get more.
        """
        single = self._single()
        if single is not None:
            self._check_single(single, schema, rows, block_rows)
            self._clear(single)
            single.revise(json.loads(json.dumps(attributes)))
            return
        self._refuse_linked_parts()
        if self.options.single and self.path.exists():
            with contextlib.suppress(OSError):
                self.path.rmdir()  # an empty folder, in whose place the file will be
            if self.path.exists():
                raise PathTakenError(f"{self.path} exists and is not a tonesmith dataset. Choose another path.")
        self._blocks.create(attributes, schema, rows, block_rows)

    def write_block(self, block: Block) -> None:
        """Store a block: its file first, then the marker that commits it.

        Raises :class:`DatasetError` if the block does not fit the dataset, if the disk is full, or if the dataset is a
        single file that is finished.
        """
        self._refuse_if_finished("no block can be added")
        self._blocks.write_block(block)

    def committed(self) -> Mapping[int, int]:
        """Return block index -> number of its rows, for each block that is stored."""
        single = self._single()
        return single.committed() if single is not None else self._blocks.committed()

    def add_asset(self, content: bytes) -> str:
        """Store a content under its SHA-256, and return that."""
        single = self._single()
        if single is not None:
            from tonesmith.space.patch import sha256_hex

            if (name := sha256_hex(content)) in single.assets():
                return name
        self._refuse_if_finished("no asset can be added")
        return self._blocks.add_asset(content)

    def record_fault(self, rejection: Rejection) -> None:
        """Store at once that a candidate crashed or timed out."""
        self._refuse_if_finished("no fault can be added")
        self._blocks.record_fault(rejection)

    def faults(self) -> Sequence[Rejection]:
        """Return what :meth:`record_fault` stored, by patch and attempt."""
        single = self._single()
        return single.faults() if single is not None else self._blocks.faults()

    def footprint(self, columns: int) -> Footprint:
        """Return about what a dataset takes: a file and a marker a block, joined at the end to a single file."""
        share = 1.0 if self.options.compression == "none" else PACKED
        return Footprint(share, copies=2 if self.options.single else 1)

    def finish(self) -> None:
        """Bring the master up to date; or join the parts to the single file, if every block is there."""
        if not self.options.single:
            self._blocks.finish()
            return
        from tonesmith.sinks.hdf5.join import join
        from tonesmith.sinks.hdf5.single import SingleStorage

        self._refuse_linked_parts()
        if self._single() is None and not join(self._blocks.path, self.path):
            self._blocks.finish()
            return
        single = SingleStorage(self.path)
        self._clear(single)
        single.revise(single.attributes)

    @classmethod
    def loading(cls, path: str) -> str:
        """Return a few lines of h5py that read a row of a dataset at a path."""
        place = Path(path)
        single = place.is_file() or (place.suffix in _SUFFIXES and not place.is_dir())
        many = not single and sum(1 for _ in place.glob("data/*.h5")) > _HELD
        return (
            "import h5py, hdf5plugin\n\n"
            f"with h5py.File({path if single else str(place / MASTER)!r}) as file:\n"
            f"{_WARNING if many else ''}"
            '    audio = file["audio/waveforms"][0]\n'
            '    knobs, choices = file["params/continuous"][0], file["params/categorical"][0]\n'
        )

    @classmethod
    def file_sets(cls, plan: Plan, splits: Sequence[str]) -> Sequence[FileSet]:
        """Return the files that hold the rows. A single file is the dataset itself."""
        if plan.sink.options.get("single"):
            return ()
        return (FileSet("hdf5-blocks", "data/*.h5", "application/x-hdf5", "an HDF5 file with the rows of a block"),)

    def _single(self) -> SingleStorage | None:
        """Return the single file, if it is finished."""
        if not (self.path.is_file() and _is_single(self.path)):
            return None
        from tonesmith.sinks.hdf5.single import SingleStorage

        return SingleStorage(self.path)

    def _check_single(self, single: SingleStorage, schema: Sequence[Column], rows: int, block_rows: int) -> None:
        there = single.layout
        options = self.options.model_dump(mode="json")
        difference = Layout(self.name, there.version, options, block_rows, rows, tuple(schema), {}).unlike(there)
        if difference:
            raise DatasetError(f"{self.path} holds a dataset stored differently: {difference}.")
        if rows < there.rows:
            raise DatasetError(f"{self.path} already holds {there.rows} rows and cannot shrink to {rows}.")
        if rows > there.rows:
            raise DatasetError(_finished(self.path, f"it cannot grow from {there.rows} to {rows} rows"))

    def _refuse_linked_parts(self) -> None:
        """Raise :class:`DatasetError` if the folder of the parts is a link: no user has named it."""
        if self.options.single:
            check_links(self.path.parent, self._blocks.path)

    def _refuse_if_finished(self, what: str) -> None:
        self._refuse_linked_parts()
        if self.options.single and self._single() is not None:
            raise DatasetError(_finished(self.path, what))

    def _clear(self, single: SingleStorage) -> None:
        """Remove the parts of a file that is finished, if they are its own: the same rows of the same plan."""
        from tonesmith.sinks.hdf5.join import discard, holds

        if _is_parts(self._blocks.path) and holds(single, self._blocks.path):
            discard(self._blocks.path)


def parts_of(path: Path) -> Path:
    """Return the folder in which the blocks of a single file gather."""
    return path.parent / f"{path.name}{_PARTS}"


def _folder_at(path: Path) -> Path | None:
    """Return the folder of the dataset at a path, or of the parts of the single file that is to be there; else None."""
    if path.exists():
        return path if Hdf5Blocks.recognises(path) else None
    parts = parts_of(path)
    return parts if _is_parts(parts) else None


def _is_parts(folder: Path) -> bool:
    """Return whether the blocks of a single file gather in a folder. Another dataset may bear such a name."""
    try:
        layout = read_layout(folder, Hdf5Blocks.name, Hdf5Blocks.version)
    except DatasetError:  # of a newer layout: whoever opens it is told so
        return True
    return layout is not None and bool(layout.options.get("single"))


def _is_single(path: Path) -> bool:
    """Return whether a file is a dataset of tonesmith; that of another format is told without a library."""
    try:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                return False
    except OSError:
        return False
    from tonesmith.sinks.hdf5.single import is_single

    return is_single(path)


def _finished(path: Path, what: str) -> str:
    return (
        f"{path} is finished, and a single HDF5 file cannot change: {what}. Convert it to a file per block and "
        f"continue that one: tonesmith convert {path} OTHER --sink hdf5"
    )


@hookimpl
def tonesmith_sinks() -> list[type[Hdf5Sink]]:
    """Return the sink of this module."""
    return [Hdf5Sink]
