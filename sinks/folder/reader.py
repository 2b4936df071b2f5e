"""Reads rows from a folder of audio files and the labels beside them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from tonesmith.errors import DatasetError
from tonesmith.sinks.base.open_file import OpenFile, read_file, read_range
from tonesmith.sinks.rows.reader import Label, LabelledReader

if TYPE_CHECKING:
    from tonesmith.sinks.base.block_layout import Layout


class FolderReader(LabelledReader):
    """The rows of a folder. Where its labels lie is found at once; a file of audio is read when it is asked for."""

    def __init__(self, file: Path, layout: Layout, sums: Sequence[int]) -> None:
        super().__init__(OpenFile(file), layout, sums)
        self._folder, held = file.parent, self._file.opened()
        lines = read_range(held.number, 0, self._file.size, layout.block_rows * self.label_limit).split(b"\n")
        if len(lines) <= len(sums):  # the last line ends too
            raise DatasetError(f"{file.name} has {len(lines) - 1} lines for {len(sums)} rows")
        self._lengths = [len(line) for line in lines[: len(sums)]]
        self._starts = list(accumulate((length + 1 for length in self._lengths), initial=0))

    def label_content(self, place: int) -> bytes:
        """Return the label of the row at a place."""
        held = self._file.opened()
        return read_range(held.number, self._starts[place], self._lengths[place], self.label_limit)

    def audio_content(self, place: int, label: Label) -> bytes:
        """Return the audio file of the row at a place: by the row's number, whatever path a label may tell."""
        return read_file(self._folder / f"{label.row:09d}.{self.form}", self.audio_limit)
