"""Reads rows from a tar archive, in any order: only headers are read to open it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tonesmith.errors import DatasetError
from tonesmith.sinks.base.open_file import OpenFile, read_range
from tonesmith.sinks.rows.reader import Label, LabelledReader
from tonesmith.sinks.webdataset.tar import Member, tar_members

if TYPE_CHECKING:
    from tonesmith.sinks.base.block_layout import Layout


class TarReader(LabelledReader):
    """The rows of an archive. While it has the file open, one that is replaced is read to the end as it was."""

    def __init__(self, file: Path, layout: Layout, sums: Sequence[int]) -> None:
        super().__init__(OpenFile(file), layout, sums)
        held = self._file.opened()
        members = tar_members(held.number, 2 * len(sums))
        self._audio_files, self._label_files = members[::2], members[1::2]

    def label_content(self, place: int) -> bytes:
        """Return the label of the row at a place."""
        return self._content(self._label_files[place], self.label_limit)

    def audio_content(self, place: int, label: Label) -> bytes:
        """Return the audio file of the row at a place."""
        member = self._audio_files[place]
        if member.name.partition(".")[0] != f"{label.row:09d}":
            raise DatasetError(f"{member.name} is beside the label of row {label.row}")
        return self._content(member, self.audio_limit)

    def _content(self, member: Member, limit: int) -> bytes:
        held = self._file.opened()
        return read_range(held.number, member.start, member.size, limit)
