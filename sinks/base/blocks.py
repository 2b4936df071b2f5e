"""Sinks that keep the rows of a block in a file of its own: all that they share but the bytes of that file.

::

    tonesmith/dataset.json          the record: sink, options, columns, attributes
    tonesmith/blocks/<block>-<rows>-<bytes>.json    marker: the block is committed
    tonesmith/ledger/<patch>-<attempt>.json         a candidate that crashed or timed out
    tonesmith/assets/<sha256>
    tonesmith/plan/<fingerprint>    empty: whose dataset it is
    tonesmith/aside/                what is being written
    data/<block>.<suffix>           the rows of a block
    data/<split>-<block>.<suffix>   of a format whose splits are files, once the dataset is split
"""

from __future__ import annotations

import json
import re
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from tonesmith.buckets.address import is_remote
from tonesmith.errors import DatasetError, DatasetNotFoundError
from tonesmith.host.roles import Options
from tonesmith.sinks.base import claims, records
from tonesmith.sinks.base.block_layout import RECORD, Layout, read_layout
from tonesmith.sinks.base.columns import check_block
from tonesmith.sinks.base.files import (
    Aside,
    folder_aside,
    make_folders,
    place_folder,
    sweep,
    telling,
    write_whole,
)
from tonesmith.sinks.base.folder import FolderSink
from tonesmith.sinks.base.links import check_links
from tonesmith.sinks.base.listing import listed
from tonesmith.sinks.base.records import SIDE, SIDES, WHOLE, Parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.dataset.splits import Splits
    from tonesmith.plan.block import Block
    from tonesmith.plan.schema import Column
    from tonesmith.sinks.base.block_storage import BlockStorage, PartReader

O = TypeVar("O", bound=Options)  # noqa: E741 - the options type of a plugin

SPLIT = "[a-z][a-z0-9_]{0,31}"
"""What the name of a split is like."""


@dataclass(frozen=True)
class Part:
    """The rows of a block that one file holds: all of them, or those of one split.

    Attributes:
        file: where the file will be.
        block: index of the block.
        rows: numbers of the rows in the plan.
        columns: column name -> (len(rows), *shape).
        split: that the rows belong to, "" where a block is not divided.
    """

    file: Path
    block: int
    rows: Sequence[int]
    columns: Mapping[str, NDArray[Any]]
    split: str = ""


class BlockSink(FolderSink[O]):
    """A sink whose subclass says how the rows of a block are written to one file, and read from it."""

    version: ClassVar[int] = 1
    """Of the form of its files."""
    suffix: ClassVar[str]
    """Of the file of a block, such as ".tar"."""
    record = f"{SIDE}/{RECORD}"
    buckets = True

    def __init__(self, options: O, path: Path) -> None:
        super().__init__(options, path)
        self.check_library()

    @classmethod
    def check_library(cls) -> None:
        """Raise :class:`ConfigError` if a library that the format needs is missing, with the pip command."""

    @abstractmethod
    def write_part(self, files: Aside, layout: Layout, part: Part) -> Sequence[int]:
        """Write a part aside, and return a checksum for each of its rows where the format has none, else ().

        Args:
            files: gives ``files.path(part.file)`` to write to; further files may be written too.
            layout: of the dataset.
            part: what to write.
        """

    @classmethod
    @abstractmethod
    def read_part(cls, file: Path, layout: Layout, sums: Sequence[int]) -> PartReader:
        """Return the rows of a file, opened. Raise any error if it is damaged.

        Args:
            file: that :meth:`write_part` wrote.
            layout: of the dataset.
            sums: what :meth:`write_part` returned.
        """

    def check_audio(self, layout: Layout) -> None:
        """Raise :class:`ConfigError` if the form that the audio is to have cannot hold it."""

    @classmethod
    def file_of(cls, block: int, split: str) -> str:
        """Return the path, inside the dataset, of the file with the rows of a block, or with those of one split."""
        return f"data/{split}-{block:06d}{cls.suffix}" if split else f"data/{block:06d}{cls.suffix}"

    def documents(self, files: Aside, layout: Layout) -> None:
        """Write what tells other programs of the blocks, if the format has such a thing."""

    @classmethod
    def check_documents(cls, path: Path, layout: Layout) -> Iterable[str]:
        """Yield what is wrong with what :meth:`documents` wrote, and what to do, a sentence each."""
        return ()

    def settle_part(self, part: Part) -> None:
        """Remove what an earlier part of the same file had, and this one has not. The block is committed."""

    def remove_part(self, file: Path) -> None:
        """Remove a part that no block has any longer."""
        file.unlink(missing_ok=True)

    @classmethod
    def splits_in(cls, data: Path) -> set[str]:
        """Return the splits that some file in the folder of the blocks is of."""
        named = re.compile(rf"({SPLIT})-\d{{6,}}{re.escape(cls.suffix)}")
        return {match[1] for name in listed(data) if (match := named.fullmatch(name))}

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Return whether a dataset of this sink is at the path, of this or a newer layout."""
        try:
            return read_layout(path, cls.name, cls.version) is not None
        except DatasetError:
            return True

    @classmethod
    def open(cls, path: Path) -> BlockStorage:
        """Return the dataset at a path, for reading, while others may be writing to it."""
        from tonesmith.sinks.base.block_storage import BlockStorage

        cls.check_library()
        return BlockStorage(path, cls)

    @classmethod
    def required_layout(cls, path: Path) -> Layout:
        """Return the layout of the dataset at a path.

        Raises :class:`DatasetNotFoundError` if nothing is there, :class:`DatasetError` if it is something else.
        """
        layout = read_layout(path, cls.name, cls.version)
        if layout is None:
            if not path.exists():
                raise DatasetNotFoundError(f"there is no dataset at {path}")
            raise DatasetError(f"{path} is not a tonesmith dataset of the sink {cls.name!r}")
        return layout

    def create(self, attributes: Mapping[str, Any], schema: Sequence[Column], rows: int, block_rows: int) -> None:
        """Make the dataset, or bring one that is there up to these attributes and this many rows.

        A new dataset appears whole. No step touches a block. Of several runs that begin one, the plan of the first
        counts, and those of other plans are refused.

        Raises :class:`OtherPlanError` if the dataset is of another plan; :class:`DatasetError`, having written nothing,
        if something else is at the path, if the dataset has other columns or options, or if more rows than these are
        stored; :class:`ConfigError` if the form of the audio cannot hold it.
        """
        options = self.options.model_dump(mode="json")
        layout = Layout(self.name, self.version, options, block_rows, rows, tuple(schema), attributes)
        self.check_audio(layout)
        self._check(layout)
        with telling(str(self.path), self.path):
            if not (is_remote(self.path) or self.path.exists()):
                make_folders(self.path.parent)
                sweep(self.path.parent)
                with folder_aside(self.path.parent) as folder:
                    self._bring_up(folder, layout)
                    if place_folder(folder, self.path):
                        return
                self._check(layout)  # another process was faster
            self._bring_up(self.path, layout)

    def write_block(self, block: Block) -> None:
        """Store a block: its files first, then the marker that commits it.

        Raises :class:`DatasetError` if the block does not fit the dataset, or if the disk is full: then
        nothing of it is left.
        """
        layout = self.required_layout(self.path)
        check_block(layout.columns, layout.rows, layout.block_rows, block)
        claims.check_plan(self.path, block)
        splits = self._splits(layout)
        parts: Parts = splits.parts(block.columns) if splits is not None else WHOLE
        made = [self._part(block, split, places) for split, places in (parts or {"": range(block.rows)}).items()]
        with telling(f"block {block.index} to {self.path}", self.path):
            earlier = self._splits_left.union(
                *(_splits_of(marker) for marker in records.markers(self.path, block.index))
            )
            left = [self.path / self.file_of(block.index, split) for split in earlier - {part.split for part in made}]
            records.check_side(self.path)
            check_links(self.path, *(part.file for part in made), *left)
            sums: dict[str, Sequence[int]] = {}
            with Aside(self.path / SIDE / "aside", self.path) as files:
                for part in made:
                    make_folders(part.file.parent, self.path)
                    if values := self.write_part(files, layout, part):
                        sums[part.split] = values
                records.withdraw(self.path, block, parts, sums)
                files.commit()
            records.mark(self.path, block, parts, sums)
            for part in made:
                self.settle_part(part)
            for file in left:
                self.remove_part(file)

    def finish(self) -> None:
        """Bring the documents up to date, and remove what killed processes left aside."""
        layout = self.required_layout(self.path)
        with telling(str(self.path), self.path):
            records.check_side(self.path)
            sweep(self.path / SIDE / "aside")
            self._write_documents(self.path, layout)

    def _check(self, layout: Layout) -> None:
        free, there = self._is_free, read_layout(self.path, self.name, self.version)
        unlike, rows = (layout.unlike(there), there.rows) if there is not None else (None, 0)
        self._check_place(unlike, free, layout.rows, layout.block_rows, rows)
        if there is not None:
            from tonesmith.plan.differences import check_same_plan

            check_same_plan(self.path, there.attributes, layout.attributes)

    def _bring_up(self, folder: Path, layout: Layout) -> None:
        records.check_side(folder)
        make_folders(folder / SIDE / "aside", folder)
        sweep(folder / SIDE / "aside")
        self._claim(folder, layout.attributes)
        for side in SIDES:
            make_folders(folder / SIDE / side, folder)
        content = json.dumps(layout.to_json(), allow_nan=False).encode()
        write_whole(folder / SIDE / "aside", folder / SIDE / RECORD, content, folder)
        self._write_documents(folder, layout)

    def _write_documents(self, folder: Path, layout: Layout) -> None:
        with Aside(folder / SIDE / "aside", folder) as files:
            self.documents(files, layout)
            files.commit()

    def _splits(self, layout: Layout) -> Splits | None:
        """Return the splits whose rows the format keeps apart, if it does and the dataset is split."""
        from tonesmith.dataset.splits import splits_of

        return splits_of(layout.attributes) if self.divides else None

    @cached_property
    def _splits_left(self) -> set[str]:
        """The splits whose files of a block a killed writer may have left, "" for that of a whole block.

        Listed once: what this process adds, its markers tell. A format that does not divide has left none.
        """
        data = self.path / "data"
        return {"", *self.splits_in(data)} if self.divides and data.is_dir() else {""}

    def _part(self, block: Block, split: str, places: Sequence[int]) -> Part:
        rows = [block.first_row + place for place in places]
        whole = len(places) == block.rows
        columns = {name: array if whole else array[list(places)] for name, array in block.columns.items()}
        return Part(self.path / self.file_of(block.index, split), block.index, rows, columns, split)


def _splits_of(marker: records.Marker) -> list[str]:
    """Return the splits whose files a committed block has; "" for one that is not divided."""
    try:
        return list(marker.read()["parts"]) or [""]
    except DatasetError:
        return []
