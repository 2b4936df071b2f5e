"""A file for each block, and a master file that shows all of them as one.

::

    data/<block>.h5     the rows of a block, with place for a full one
    dataset.h5          the master

What is where in either: :mod:`tonesmith.sinks.hdf5.profile`.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonesmith.errors import check_libraries
from tonesmith.sinks.base.block_layout import Layout
from tonesmith.sinks.base.blocks import BlockSink, Part
from tonesmith.sinks.base.files import Aside

if TYPE_CHECKING:
    from tonesmith.sinks.base.block_storage import PartReader

MASTER = "dataset.h5"


class Hdf5Blocks(BlockSink[Any]):
    """Stores blocks in a folder; :class:`tonesmith.sinks.hdf5.Hdf5Sink` says which.

    Args:
        options: of the sink.
        path: the folder.
        target: the dataset's own path, where the folder is that of its parts.
    """

    name = "hdf5"
    summary = "a file a block under one virtual file"
    suffix = ".h5"

    def __init__(self, options: Any, path: Path, target: Path | None = None) -> None:
        super().__init__(options, path)
        self._target = target or path

    @classmethod
    def check_library(cls) -> None:
        """Raise :class:`ConfigError` if h5py or its filters are missing."""
        check_libraries("the sink 'hdf5'", ("h5py", "hdf5plugin"), "hdf5")

    def write_part(self, files: Aside, layout: Layout, part: Part) -> Sequence[int]:
        """Write a block: made in memory, for a library that meets a full disk may crash."""
        from tonesmith.sinks.hdf5.file import make_dataset, new_file, set_attributes
        from tonesmith.sinks.hdf5.profile import Form

        form, count, content = Form(layout), len(part.rows), io.BytesIO()
        values = form.values(part.columns)
        with new_file(content) as file:
            set_attributes(file, {"block": part.block, "first_row": part.rows[0], "rows": count})
            for held in form.held:
                size = layout.block_rows
                array = make_dataset(file, held, size, size, size, form.packing)
                if held.path in values:
                    array[:count] = values[held.path].view(array.dtype)  # says that text is UTF-8
                elif held.stored:
                    for row in range(count):
                        array[row] = form.matrix(part.columns, row)
        with open(files.path(part.file), "xb") as written:  # noqa: PTH123 - as Aside names files
            written.write(content.getbuffer())
        return ()

    @classmethod
    def read_part(cls, file: Path, layout: Layout, sums: Sequence[int]) -> PartReader:
        """Return the rows of a block, opened. Every byte of it that is read has a checksum."""
        from tonesmith.sinks.hdf5.reader import Hdf5Part

        return Hdf5Part(file, layout.block_rows)

    def documents(self, files: Aside, layout: Layout) -> None:
        """Write the master, unless the one that is there shows what is there."""
        from tonesmith.sinks.hdf5.master import write_master

        write_master(files, layout, self.file_of, self._target)

    @classmethod
    def check_documents(cls, path: Path, layout: Layout) -> Iterable[str]:
        """Yield what is wrong with the master."""
        from tonesmith.sinks.hdf5.master import check_master

        return () if layout.options.get("single") else check_master(path, layout)
