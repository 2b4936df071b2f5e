"""The record of a row: its labels at fixed offsets, then its audio. ``docs/lmdb.md`` describes it for others.

::

    offset 0    uint32   CRC-32C of all from offset 4 to the end of the labels
    offset 4    uint32   CRC-32C of the audio
    offset 8    float64  scale, by which decoded audio is to be multiplied; 1 but for some FLAC
    offset 16   labels   little-endian, in the order of the schema, nothing between them
    then        audio    to the end of the record

Under the key ``columns`` lies JSON: ``label`` describes the labels so that ``numpy.dtype`` takes it as it is, ``audio``
has the form of the audio, and ``shape`` that of a row of it.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import google_crc32c
import numpy as np
from numcodecs import blosc  # type: ignore[import-untyped,unused-ignore]
from numpy.typing import NDArray

from tonesmith.errors import DatasetError
from tonesmith.plan.schema import Column
from tonesmith.sinks.rows.audio import decode_audio, encode_audio

Form = Literal["blosc", "raw", "flac"]

_HEAD = struct.Struct("<IId")
_CHECKED = 4
"""Offset from which the first checksum counts."""
_BLOSC_HEADER = 16


def label_form(schema: Sequence[Column]) -> dict[str, Any]:
    """Return what ``numpy.dtype`` takes for the labels of a record, from its first byte on."""
    labels = [column for column in schema if column.name != "audio"]
    offsets, end = [], _HEAD.size
    for column in labels:
        offsets.append(end)
        end += np.dtype(_format(column)).itemsize
    return {
        "names": [column.name for column in labels],
        "formats": [_format(column) for column in labels],
        "offsets": offsets,
        "itemsize": end,
    }


def label_dtype(schema: Sequence[Column]) -> np.dtype[Any]:
    """Return the dtype of the labels of a record, from its first byte on."""
    form: Any = label_form(schema)
    dtype: np.dtype[Any] = np.dtype(form)
    return dtype


def columns_record(schema: Sequence[Column], form: Form) -> bytes:
    """Return the value of the key ``columns``."""
    shape = [size for column in schema if column.name == "audio" for size in column.shape]
    return json.dumps({"label": label_form(schema), "audio": form, "shape": shape}).encode()


def packed(
    schema: Sequence[Column], columns: Mapping[str, NDArray[Any]], form: Form, level: int, sample_rate: int
) -> Iterator[bytes]:
    """Yield the record of each row.

    Args:
        schema: of the dataset.
        columns: name -> (rows, *shape).
        form: of the audio.
        level: of zstd, for Blosc.
        sample_rate: Hz, which FLAC wants to know.
    """
    dtype = label_dtype(schema)
    labels = np.zeros(len(columns["audio"]), dtype)
    for name in dtype.names or ():
        labels[name] = columns[name]
    for label, audio in zip(labels, columns["audio"], strict=True):
        sound, scale = _encoded(audio, form, level, sample_rate)
        head = _HEAD.pack(0, google_crc32c.value(sound), scale)[_CHECKED:] + label.tobytes()[_HEAD.size :]
        yield struct.pack("<I", google_crc32c.value(head)) + head + sound


def checked_labels(record: bytes) -> bytes:
    """Return the head and the labels of a record, if they are as they were written."""
    (checksum,) = struct.unpack_from("<I", record)
    if google_crc32c.value(record[_CHECKED:]) != checksum:
        raise DatasetError("the checksum of a row's labels does not match")
    return record


def unpacked_audio(head: bytes, sound: bytes, form: Form, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return float32 audio of a shape.

    Args:
        head: of the record, checked.
        sound: the rest of the record.
        form: of the audio.
        shape: (channels, frames).
    """
    _, checksum, scale = _HEAD.unpack_from(head)
    if google_crc32c.value(sound) != checksum:
        raise DatasetError("the checksum of a row's audio does not match")
    return decode_audio(sound, "flac", scale, shape) if form == "flac" else _decoded(sound, form, shape)


def _format(column: Column) -> str:
    """Return a dtype and shape in NumPy's short form, such as ``(56,)<f4``."""
    kind = np.dtype(column.dtype).newbyteorder("<").str
    return f"({','.join(map(str, column.shape))},){kind}" if column.shape else kind


def _encoded(audio: NDArray[Any], form: Form, level: int, sample_rate: int) -> tuple[bytes, float]:
    if form == "flac":
        return encode_audio(audio, "flac", sample_rate)
    audio = np.ascontiguousarray(audio, "<f4")
    if form == "raw":
        return audio.tobytes(), 1.0
    # One Blosc block a row packs best, and starts none of Blosc's threads.
    return blosc.compress(audio, b"zstd", level, blosc.SHUFFLE, audio.nbytes), 1.0


def _decoded(sound: bytes, form: Form, shape: tuple[int, ...]) -> NDArray[np.float32]:
    out = np.empty(shape, "<f4")
    if form == "blosc":
        if len(sound) < _BLOSC_HEADER:
            raise DatasetError("the audio of a row is cut short")
        nbytes, _, packed_bytes = struct.unpack_from("<III", sound, 4)
        if (nbytes, packed_bytes) != (out.nbytes, len(sound)):  # blosc itself believes what a header says
            raise DatasetError("the audio of a row is of another size")
        blosc.decompress(sound, out)
        return out
    if len(sound) != out.nbytes:
        raise DatasetError("the audio of a row is of another size")
    return np.frombuffer(sound, "<f4").reshape(shape)
