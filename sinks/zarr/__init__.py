"""Storage as one Zarr v3 group that zarr-python, xarray and every other Zarr reader can open."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from tonesmith.buckets.address import is_remote
from tonesmith.errors import DatasetError
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import FileSet, Footprint, Options
from tonesmith.sinks.base import claims, records
from tonesmith.sinks.base.columns import check_block, difference
from tonesmith.sinks.base.files import Aside, folder_aside, make_folders, place_folder, sweep, telling
from tonesmith.sinks.base.folder import FolderSink
from tonesmith.sinks.base.links import check_links
from tonesmith.sinks.base.records import SIDE
from tonesmith.sinks.base.shares import PACKED
from tonesmith.sinks.zarr.layout import Layout, attributes_of, read_layout, required_layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.plan.block import Block
    from tonesmith.plan.plan import Plan
    from tonesmith.plan.schema import Column
    from tonesmith.sinks.zarr.storage import ZarrStorage


class ZarrOptions(Options):
    """Options of :class:`ZarrSink`."""

    encoding: Literal["float32", "int24", "float16"] = Field(
        "float32",
        description="Format of the audio. float32: exact. int24: integer multiples of 2^-22, off by at most 1.2e-7 "
        "up to "
        "full scale 512. float16: off by at most 4.9e-4 of the sample's value, or 3e-8 below 6e-5.",
    )
    level: int = Field(1, ge=0, le=9, description="Compression level of the audio. 0 does not compress, 9 is slow.")


class ZarrSink(FolderSink[ZarrOptions]):
    """One chunk a row, one shard a block: a row is read alone, a block is written whole.

    ::

        [sink]
        name = "zarr"
        encoding = "float32"
        level = 1
    """

    name = "zarr"
    buckets = True
    record = "zarr.json"
    summary = "one Zarr v3 group, sharded and packed; opens in zarr-python and xarray"
    Options = ZarrOptions

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Return whether a Zarr dataset of tonesmith is at the path, of this or a newer layout."""
        if not (path / "zarr.json").is_file():
            return False
        try:
            return read_layout(path) is not None
        except DatasetError:
            return True

    @classmethod
    def open(cls, path: Path) -> ZarrStorage:
        """Return the dataset at a path, for reading, while others may be writing to it."""
        from tonesmith.sinks.zarr.storage import ZarrStorage

        return ZarrStorage(path)

    @classmethod
    def loading(cls, path: str) -> str:
        """Return lines that read a row with zarr-python; an encoding in whole numbers has its unit beside it."""
        return (
            "import zarr\n\n"
            f'group = zarr.open_group({path!r}, mode="r")\n'
            'audio = group["audio"][0] * group["audio"].attrs.get("scale_factor", 1.0)  # (channels, frames)\n'
            'label = group["continuous"][0]  # in [0, 1], as group.attrs["plan"]["space"] tells\n'
        )

    @classmethod
    def file_sets(cls, plan: Plan, splits: Sequence[str]) -> Sequence[FileSet]:
        """Return the chunks of the audio, and those of the other arrays."""
        stored = "application/octet-stream"
        return (
            FileSet("shards", "audio/c.*", stored, "Zarr shards of the array audio, one a block, one chunk a row"),
            FileSet("chunks", "pitch/c.*", stored, "Zarr chunks of the array pitch, one a block; others likewise"),
        )

    def create(self, attributes: Mapping[str, Any], schema: Sequence[Column], rows: int, block_rows: int) -> None:
        """Make the dataset, or bring one that is there up to these attributes and this many rows.

        A new dataset appears whole. A change is made document by document: killed half-way and run again, it
        goes on. The root's document, by which a dataset is recognised, is written last, and no step touches a block.

        Of several runs that begin one, the plan of the first counts, and those of other plans are refused.

        Raises :class:`OtherPlanError` if the dataset is of another plan; :class:`DatasetError`, having written nothing,
        if something else is at the path, if the dataset has other columns, or if more rows than these are stored.
        """
        from tonesmith.sinks.zarr.hierarchy import bring_up

        layout = Layout(self.options.encoding, self.options.level, block_rows, rows, tuple(schema))
        self._check(layout, attributes)
        with telling(str(self.path), self.path):
            if not (is_remote(self.path) or self.path.exists()):
                parent = self.path.parent
                make_folders(parent)
                sweep(parent)
                with folder_aside(parent) as folder:
                    bring_up(folder, layout, attributes)
                    self._claim(folder, attributes)
                    if place_folder(folder, self.path):
                        return
                self._check(layout, attributes)  # another process was faster
            make_folders(self.path / SIDE / "aside")
            self._claim(self.path, attributes)
            with self._changing() as folder:
                bring_up(folder, layout, attributes)

    def write_block(self, block: Block) -> None:
        """Store a block: its columns first, then the marker that commits it.

        Raises :class:`DatasetError` if the block does not fit the dataset, or if the disk is full: then
        nothing of it is left.
        """
        layout = required_layout(self.path)
        check_block(layout.columns, layout.rows, layout.block_rows, block)
        claims.check_plan(self.path, block)
        with telling(f"block {block.index} to {self.path}", self.path):
            check_links(self.path, *(self.path / layout.chunk_file(c, block.index) for c in layout.columns))
            records.withdraw(self.path, block)
            with Aside(self.path / SIDE / "aside", self.path) as files:
                for column in layout.columns:
                    content = _content(layout, column, block.columns[column.name])
                    files.write(self.path / layout.chunk_file(column, block.index), content)
                files.commit()
            records.mark(self.path, block)

    def finish(self) -> None:
        """Gather the metadata anew from every array, and remove what killed processes left aside."""
        from tonesmith.sinks.zarr.hierarchy import consolidate

        required_layout(self.path)
        with telling(str(self.path), self.path), self._changing() as folder:
            consolidate(folder)

    def footprint(self, columns: int) -> Footprint:
        """Return about what a dataset takes: a file a block of each column, and a marker."""
        packed = {"float32": PACKED, "int24": 0.55, "float16": 0.37}
        plain = {"float32": 1.0, "int24": 1.0, "float16": 0.5}
        shares = packed if self.options.level else plain
        return Footprint(shares[self.options.encoding], block_files=columns + 1)

    @property
    def lossy(self) -> bool:
        """Whether the encoding leaves the audio other than it was."""
        return self.options.encoding != "float32"

    def stored(self, audio: NDArray[Any]) -> NDArray[Any]:
        """Return float32 audio as it will be read back, in the same shape."""
        from tonesmith.sinks.zarr.chunks import decode_audio, encode_audio

        return decode_audio(encode_audio(audio, self.options.encoding), self.options.encoding)

    def _check(self, layout: Layout, attributes: Mapping[str, Any]) -> None:
        free, there = self._is_free, read_layout(self.path)
        unlike = None
        if there is not None:
            unlike = _difference(there, layout) if replace(there, rows=layout.rows) != layout else ""
        self._check_place(unlike, free, layout.rows, layout.block_rows, there.rows if there is not None else 0)
        if there is not None and (self.path / "zarr.json").exists():  # else its attributes are made anew
            from tonesmith.plan.differences import check_same_plan

            check_same_plan(self.path, attributes_of(self.path), attributes)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[Path]:
        """Give a copy of the dataset's documents, to be changed by zarr; then bring those that differ into place."""
        from tonesmith.sinks.zarr.hierarchy import copy_documents, documents

        aside = self.path / SIDE / "aside"
        records.check_side(self.path)
        make_folders(aside)
        sweep(aside)
        with folder_aside(aside) as folder:
            try:
                copy_documents(self.path, folder)
            except (DatasetError, OSError) as error:
                raise DatasetError(f"{self.path}: its zarr.json files are damaged ({error}). Restore them.") from error
            before = {document: document.read_bytes() for document in documents(folder)}
            try:
                yield folder
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                raise DatasetError(
                    f"{self.path}: its zarr.json files are damaged ({error}). Restore them from a copy."
                ) from error
            every = documents(folder)
            for part in (every[:1], every[1:]):  # the record first: by it, a later run knows the folders beside it
                with Aside(aside, self.path) as files:
                    for document in part:
                        final, content = self.path / document.relative_to(folder), document.read_bytes()
                        if before.get(document) != content:
                            make_folders(final.parent, self.path)
                            files.write(final, (content,))
                    files.commit()


def _difference(there: Layout, layout: Layout) -> str:
    if there.encoding != layout.encoding:
        return f"its audio is {there.encoding}, not {layout.encoding}"
    if there.level != layout.level:
        return f"its level is {there.level}, not {layout.level}"
    if there.block_rows != layout.block_rows:
        return f"its blocks have {there.block_rows} rows, not {layout.block_rows}"
    return difference(there.columns, layout.columns)


def _content(layout: Layout, column: Column, array: NDArray[Any]) -> list[bytes]:
    """Return the bytes of a block's file of one column."""
    import numpy as np

    from tonesmith.sinks.zarr.chunks import encode_audio, packed, shard

    level = layout.level_of(column)
    if column.name == "audio":
        return list(shard((encode_audio(row, layout.encoding) for row in array), layout.block_rows, level))
    if len(array) < layout.block_rows:
        whole = np.full((layout.block_rows, *column.shape), layout.fill(column), column.dtype)
        whole[: len(array)] = array
        array = whole
    return [packed(array, level)]


@hookimpl
def tonesmith_sinks() -> list[type[ZarrSink]]:
    """Return the sink of this module."""
    return [ZarrSink]
