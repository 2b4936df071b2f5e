"""Reads rows from a folder of audio files and the labels beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tonesmith.errors import DatasetError
from tonesmith.sinks._label_reader import Label, LabelledReader, read_file

if TYPE_CHECKING:
    from tonesmith.sinks._blocks import Layout


class FolderReader(LabelledReader):
    """The rows of a folder. Its labels are read at once; a file of audio when it is asked for."""

    def __init__(self, file: Path, layout: Layout, sums: Sequence[int]) -> None:
        super().__init__(layout, sums)
        self._folder = file.parent
        lines = read_file(file, layout.block_rows * self.label_limit).split(b"\n")
        if len(lines) <= len(sums):  # the last line ends too
            raise DatasetError(f"{file.name} has {len(lines) - 1} lines for {len(sums)} rows")
        self._lines = lines[: len(sums)]

    def label_content(self, place: int) -> bytes:
        """Return the label of the row at a place."""
        return self._lines[place]

    def audio_content(self, place: int, label: Label) -> bytes:
        """Return the audio file of the row at a place: by the row's number, whatever path a label may tell."""
        return read_file(self._folder / f"{label.row:09d}.{self.form}", self.audio_limit)
