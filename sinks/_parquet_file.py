"""One Parquet file: writing it, and finding the bytes of a row in it without decoding its row group.

The audio column is neither encoded nor packed, so that the file of each row lies in one piece, and its place is kept
with the block. All other bytes of the file - pages of labels, headers, the footer - have one checksum, for Parquet's
own covers nothing but pages.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tonesmith.block import Column
from tonesmith.errors import DatasetError
from tonesmith.plan import Plan
from tonesmith.sinks._audio import AudioForm, decode_audio, encode_audio
from tonesmith.sinks._block_storage import PartReader
from tonesmith.sinks._blocks import Layout, Part
from tonesmith.sinks._files import open_plain
from tonesmith.sinks._parquet_columns import (
    TableForm,
    exact_column,
    form_of,
    from_arrow,
    leaves,
    own_names,
    parameter_arrays,
    to_arrow,
)
from tonesmith.sinks._pieces import Pieces

_LEVEL = 3
"""Effort of zstd on the labels, which are a hundredth of the file."""


def write_file(place: str, layout: Layout, part: Part) -> list[int]:
    """Write a part, and return the CRC-32C of each row's audio, then the places of all of them."""
    plan = Plan.from_json(dict(layout.attributes["plan"]))
    form = form_of(layout.columns, plan.space, plan.audio.sample_rate)
    sounds: list[bytes] = []
    with _writer(place, form) as writer:
        for first in range(0, len(part.rows), layout.options["row_group"]):
            group = slice(first, first + layout.options["row_group"])
            batch, made = _batch(layout, form, plan, part, group)
            writer.write_batch(batch, row_group_size=len(made))
            sounds += made
    pieces = Pieces.found(Path(place).read_bytes(), sounds)
    return [*(google_crc32c.value(sound) for sound in sounds), *pieces.sums]


def _writer(place: str, form: TableForm) -> pq.ParquetWriter:
    packed = [*leaves(form.columns, floats=True), *leaves(form.columns, floats=False), "audio.path"]
    return pq.ParquetWriter(
        place,
        form.schema(),
        compression={**dict.fromkeys(packed, "zstd"), "audio.bytes": "none"},
        compression_level=dict.fromkeys(packed, _LEVEL),
        use_dictionary=leaves(form.columns, floats=False),
        write_statistics=packed,
        write_page_checksum=True,
        write_page_index=True,
    )


def _batch(layout: Layout, form: TableForm, plan: Plan, part: Part, group: slice) -> tuple[pa.RecordBatch, list[bytes]]:
    """Return a row group, and the audio files in it."""
    audio_form: AudioForm = layout.options["audio"]
    rows = list(part.rows[group])
    columns = {name: array[group] for name, array in part.columns.items()}
    encoded = [encode_audio(audio, audio_form, plan.audio.sample_rate) for audio in columns["audio"]]
    sounds, scales = [sound for sound, _ in encoded], [scale for _, scale in encoded]
    paths = [f"{row:09d}.{audio_form}" for row in rows]
    fields = [pa.array(sounds, pa.binary()), pa.array(paths, pa.string())]
    made = {
        form.audio.name: pa.StructArray.from_arrays(fields, ["bytes", "path"]),
        form.row.name: pa.array(rows, pa.int64()),
        form.scale.name: pa.array(scales, pa.float64()),
    }
    for placed, array in zip(form.parameters, parameter_arrays(plan.space, columns), strict=True):
        made[placed.name] = array
    for column in layout.columns:
        if column.name != "audio":
            made[column.name] = to_arrow(column, columns[column.name], plan.origins)
    return pa.RecordBatch.from_arrays([made[column.name] for column in form.columns], schema=form.schema()), sounds


class ParquetReader(PartReader):
    """Reads audio from its place, and labels, which are kept, from a file that is open all the while."""

    def __init__(self, file: Path, layout: Layout, sums: Sequence[int]) -> None:
        os.close(open_plain(file))  # the library would wait for what is no file
        self._file = pa.OSFile(str(file))
        self._form: AudioForm = layout.options["audio"]
        self._layout = layout
        rows = (len(sums) - 2) // 3
        self._checksums, self._pieces = sums[:rows], Pieces.of(sums[rows:])
        self._pieces.check(self._file.size(), self._file.read_at)
        self._lock = threading.Lock()
        self._opened: pq.ParquetFile | None = None
        self._labels: dict[str, NDArray[Any]] = {}

    def read(self, column: Column, places: Sequence[int]) -> NDArray[Any]:
        """Return (len(places), *shape) of a column."""
        if column.name != "audio":
            return self._label(column)[list(places)]
        scales = self._label(Column(own_names(self._layout.columns)[1], (), "float64", (), ""))
        out = np.empty((len(places), *column.shape), np.float32)
        for row, place in zip(out, places, strict=True):
            row[...] = decode_audio(self._sound(place), self._form, float(scales[place]), column.shape)
        return out

    def _sound(self, place: int) -> bytes:
        offset, length = self._pieces.places[place]
        sound: bytes = self._file.read_at(length, offset)
        if google_crc32c.value(sound) != self._checksums[place]:
            raise DatasetError("the checksum of a row's audio does not match")
        return sound

    def _label(self, column: Column) -> NDArray[Any]:
        """Return (rows, *shape) of a column that is no audio; the first one reads the footer."""
        with self._lock:  # a ParquetFile is for one thread
            if column.name not in self._labels:
                self._labels[column.name] = self._decoded(column)
            return self._labels[column.name]

    def _decoded(self, column: Column) -> NDArray[Any]:
        if self._opened is None:
            self._opened = pq.ParquetFile(self._file, pre_buffer=False, page_checksum_verification=True)
        rows, wanted = self._opened.metadata.num_rows, exact_column(column)
        if rows != len(self._pieces.places):
            raise DatasetError(f"it has {rows} rows")
        values = self._opened.read([column.name], use_threads=False).column(column.name)
        if values.type != wanted.type:
            raise DatasetError(f"{column.name} is {values.type}, not {wanted.type}")
        return from_arrow(column, values.combine_chunks(), self._layout.attributes["plan"]["origins"])
