"""Reads a file, or a folder of files, whose rows are an audio file and a JSON label each."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from tonesmith.document import parsed_object
from tonesmith.errors import DatasetError
from tonesmith.plan.schema import Column
from tonesmith.sinks.base.block_storage import PartReader
from tonesmith.sinks.base.open_file import OpenFile
from tonesmith.sinks.rows.audio import FORMS, AudioForm, decode_audio
from tonesmith.sinks.rows.labels import AUDIO, Labels, origins_of

if TYPE_CHECKING:
    from tonesmith.sinks.base.block_layout import Layout

_SLACK = 2**20
"""Bytes by which a file may be larger than what it holds: names, headers, what packing adds to noise."""

_ROW_BYTES, _ARRAY_BYTES = 500, 150
"""Memory of a row's checksum and the places of its files, and of an array whatever it holds."""


class Label(NamedTuple):
    """What the label of a row tells: its number, the scale of its audio, and its columns."""

    row: int
    scale: float
    columns: Mapping[str, NDArray[Any]]


class LabelledReader(PartReader):
    """Reads rows by their place in the part; each label is read once, and kept while the file is open.

    Args:
        file: that has the labels, opened.
        layout: of the dataset.
        sums: of each row, as :func:`row_sum` returned it.
    """

    def __init__(self, file: OpenFile, layout: Layout, sums: Sequence[int]) -> None:
        self._file, self._sums = file, sums
        self.form: AudioForm = layout.options["audio"]
        if self.form not in FORMS:  # it becomes part of a path
            raise DatasetError(f"unknown form of audio {self.form!r}")
        self._labels = Labels(layout.columns, origins_of(layout.attributes))
        self._read: dict[int, Label] = {}
        values = {column.name: math.prod(column.shape) for column in layout.columns}
        self.audio_limit = 4 * values.pop(AUDIO) + _SLACK
        self.label_limit = 64 * sum(values.values()) + _SLACK
        self._label_bytes = sum(_ARRAY_BYTES + 4 * count for count in values.values())

    @property
    def nbytes(self) -> int:
        """Bytes of memory, about."""
        return _ROW_BYTES * len(self._sums) + self._label_bytes * len(self._read)

    def rest(self) -> bool:
        """Close the file, and forget labels: each is read again with its audio."""
        self._read = {}
        self._file.close()
        return True

    @abstractmethod
    def label_content(self, place: int) -> bytes:
        """Return the label of the row at a place, as it was written."""

    @abstractmethod
    def audio_content(self, place: int, label: Label) -> bytes:
        """Return the audio file of the row at a place, as it was written."""

    def read(self, column: Column, places: Sequence[int]) -> NDArray[Any]:
        """Return (len(places), *shape) of a column; raise any error if it is damaged."""
        out = np.empty((len(places), *column.shape), column.dtype)
        for i, place in enumerate(places):
            label = self._label(place)
            out[i] = self._audio(place, label, column) if column.name == AUDIO else label.columns[column.name]
        return out

    def _label(self, place: int) -> Label:
        label = self._read.get(place)
        if label is None:
            content = self._checked(self.label_content(place), place, "label")
            told = parsed_object(content, "its label")
            label = Label(int(told["row"]), float(told["scale"]), self._labels.unpack(told))
            if label.row < 0 or not math.isfinite(label.scale):
                raise DatasetError("its label is not as tonesmith writes it")
            self._read[place] = label
        return label

    def _audio(self, place: int, label: Label, column: Column) -> NDArray[np.float32]:
        content = self._checked(self.audio_content(place, label), place, AUDIO)
        return decode_audio(content, self.form, label.scale, column.shape)

    def _checked(self, content: bytes, place: int, what: str) -> bytes:
        expected = self._sums[place] >> 32 if what == AUDIO else self._sums[place] & 0xFFFFFFFF
        if google_crc32c.value(content) != expected:
            raise DatasetError(f"the {what} of its row {place} has a different checksum")
        return content


def row_sum(audio: bytes, label: bytes) -> int:
    """Return the CRC-32C of an audio file and of a label, as one number: each is checked when it is read."""
    return int(google_crc32c.value(audio)) << 32 | int(google_crc32c.value(label))
