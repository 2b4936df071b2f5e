"""One Parquet file: writing it, and finding the bytes of a row in it without decoding its row group.

The audio column is neither encoded nor packed, so that the file of each row lies in one piece, and its place is kept
with the block. All other bytes of the file - pages of labels, headers, the footer - have one checksum, for Parquet's
own covers nothing but pages.
"""

from __future__ import annotations

import math
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

from tonesmith.errors import DatasetError
from tonesmith.plan.plan import Plan
from tonesmith.plan.schema import Column
from tonesmith.sinks.base.block_layout import Layout
from tonesmith.sinks.base.block_storage import PartReader
from tonesmith.sinks.base.blocks import Part
from tonesmith.sinks.base.open_file import OpenFile
from tonesmith.sinks.base.pieces import Pieces
from tonesmith.sinks.parquet.columns import (
    TableForm,
    exact_column,
    form_of,
    from_arrow,
    leaves,
    own_names,
    parameter_arrays,
    to_arrow,
)
from tonesmith.sinks.rows.audio import AudioForm, decode_audio, encode_audio

_LEVEL = 3
"""Effort of zstd on the labels, which are a hundredth of the file."""

_CHECKSUM = 0xFFFFFFFF
"""The bits of a row's sum that are the CRC-32C of its audio. Above them stands the logarithm of its scale, plus one."""


def write_file(place: str, layout: Layout, part: Part) -> list[int]:
    """Write a part, and return the CRC-32C of each row's audio, with its scale, then the places of all of them."""
    plan = Plan.from_json(dict(layout.attributes["plan"]))
    form = form_of(layout.columns, plan.space, plan.audio.sample_rate)
    sounds: list[bytes] = []
    scales: list[float] = []
    with _writer(place, form) as writer:
        for first in range(0, len(part.rows), layout.options["row_group"]):
            group = slice(first, first + layout.options["row_group"])
            batch, made = _batch(layout, form, plan, part, group)
            writer.write_batch(batch, row_group_size=len(made))
            sounds += made
            scales += batch.column(form.scale.name).to_pylist()
    pieces = Pieces.found(Path(place).read_bytes(), sounds)
    return [*map(_sum_of, sounds, scales), *pieces.sums]


def _sum_of(sound: bytes, scale: float) -> int:
    """Return the checksum of a row's audio, and its scale, which is a power of two, so that audio is read alone."""
    return (math.frexp(scale)[1] << _CHECKSUM.bit_length()) | int(google_crc32c.value(sound))


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
    """Reads audio from its place. Labels are read all at once and kept: the footer costs more than they do."""

    def __init__(self, file: Path, layout: Layout, sums: Sequence[int]) -> None:
        self._file = OpenFile(file)
        self._form: AudioForm = layout.options["audio"]
        self._layout = layout
        rows = (len(sums) - 2) // 3
        self._sounds, self._pieces = sums[:rows], Pieces.of(sums[rows:])
        self._pieces.check(self._file.size, self._file.read_at)
        self._lock = threading.Lock()
        self._table: pa.Table | None = None
        self._labels: dict[str, NDArray[Any]] = {}

    def read(self, column: Column, places: Sequence[int]) -> NDArray[Any]:
        """Return (len(places), *shape) of a column."""
        if column.name != "audio":
            return self._label(column)[list(places)]
        out = np.empty((len(places), *column.shape), np.float32)
        for row, place in zip(out, places, strict=True):
            row[...] = decode_audio(self._sound(place), self._form, self._scale(place), column.shape)
        return out

    @property
    def nbytes(self) -> int:
        """Bytes of memory, about."""
        table = self._table
        return self._pieces.nbytes + (2 * int(table.nbytes) if table is not None else 0)

    def rest(self) -> bool:
        """Close the file, once no read of it is under way."""
        self._file.close()
        return True

    def _sound(self, place: int) -> bytes:
        offset, length = self._pieces.places[place]
        sound = self._file.read_at(length, offset)
        if google_crc32c.value(sound) != self._sounds[place] & _CHECKSUM:
            raise DatasetError("the checksum of a row's audio does not match")
        return sound

    def _scale(self, place: int) -> float:
        """Return by what a sound is to be multiplied: as its sum tells, or as its label does in an earlier file."""
        told = self._sounds[place] >> _CHECKSUM.bit_length()
        if told:
            return 2.0 ** (told - 1)
        return float(self._label(Column(own_names(self._layout.columns)[1], (), "float64", (), ""))[place])

    def _label(self, column: Column) -> NDArray[Any]:
        """Return (rows, *shape) of a column that is no audio."""
        with self._lock:
            if self._table is None:
                self._table = self._read_table()
            if column.name not in self._labels:
                self._labels[column.name] = self._decoded(column, self._table)
            return self._labels[column.name]

    def _decoded(self, column: Column, table: pa.Table) -> NDArray[Any]:
        values, wanted = table.column(column.name), exact_column(column)
        if values.type != wanted.type:
            raise DatasetError(f"{column.name} is {values.type}, not {wanted.type}")
        return from_arrow(column, values.combine_chunks(), self._layout.attributes["plan"]["origins"])

    def _read_table(self) -> pa.Table:
        """Return what there is of the columns of the schema and the scale."""
        columns, held = self._layout.columns, self._file.opened()
        names = [own_names(columns)[1], *(column.name for column in columns if column.name != "audio")]
        with os.fdopen(os.dup(held.number), "rb", buffering=0) as file:
            opened = pq.ParquetFile(file, pre_buffer=False, page_checksum_verification=True)
            table = opened.read(names, use_threads=False)
        if table.num_rows != len(self._pieces.places):
            raise DatasetError(f"it has {table.num_rows} rows")
        return table
