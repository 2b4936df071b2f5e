"""The bytes of chunks and shards, as Zarr v3 defines them: Blosc, a CRC-32C after it, an index at the end.

Formats: https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/index.html and
.../codecs/blosc, .../codecs/crc32c.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import google_crc32c
import numpy as np
from numcodecs import blosc  # type: ignore[import-untyped,unused-ignore]
from numpy.typing import NDArray

from tonesmith.document import open_plain, read_plain
from tonesmith.sinks.zarr.layout import INT24_NAN, INT24_UNIT

_ABSENT = 2**64 - 1
_BLOSC_HEADER = 16
_INT24_TOP = np.float32(2**31 - 128)  # the largest float32 that an int32 holds
_FLOAT16_TOP = np.float32(65504.0)


class DamagedError(Exception):
    """Stored bytes are not what was written."""


def encode_audio(audio: NDArray[Any], encoding: str) -> NDArray[Any]:
    """Return float32 audio of any shape as it is held in the file: float32, int32 or float16.

    ``int24`` is ``round(x * 2**22)`` for x within -512..512, saturated beyond; NaN keeps a number of its own.
    ``float16`` saturates at 65504.
    """
    audio = np.asarray(audio, np.float32)
    if encoding == "float16":
        half: NDArray[np.float16] = np.clip(audio, -_FLOAT16_TOP, _FLOAT16_TOP).astype(np.float16)
        return half
    if encoding == "int24":
        top = _INT24_TOP * np.float32(INT24_UNIT)
        scaled: NDArray[np.float32] = np.clip(audio, -top, top)
        scaled *= np.float32(1.0 / INT24_UNIT)
        np.rint(scaled, out=scaled)
        absent = np.isnan(scaled)
        if not absent.any():
            return scaled.astype(np.int32)
        return np.where(absent, INT24_NAN, np.nan_to_num(scaled).astype(np.int32)).astype(np.int32)
    return audio


def decode_audio(stored: NDArray[Any], encoding: str) -> NDArray[np.float32]:
    """Return the float32 audio that :func:`encode_audio` left."""
    audio = stored.astype(np.float32, copy=False)
    if encoding == "int24":
        audio *= np.float32(INT24_UNIT)  # exact: a power of two
        audio[stored == INT24_NAN] = np.nan
    return audio


def packed(chunk: NDArray[Any], level: int) -> bytes:
    """Return the bytes of one chunk: byte-shuffled Blosc zstd, then its CRC-32C."""
    chunk = np.ascontiguousarray(chunk, chunk.dtype.newbyteorder("<"))
    content: bytes = blosc.compress(chunk, b"zstd", level, blosc.SHUFFLE, chunk.nbytes)
    return content + _checksum(content)


def unpacked(content: bytes, checksum: bytes, out: NDArray[Any]) -> None:
    """Fill ``out``, C-contiguous, with the chunk whose bytes these are; raise :class:`DamagedError`."""
    if len(content) < _BLOSC_HEADER or _checksum(content) != checksum:
        raise DamagedError("its checksum does not match")
    nbytes, _, cbytes = struct.unpack_from("<III", content, 4)
    if nbytes != out.nbytes or cbytes != len(content):
        raise DamagedError("its size does not match")
    try:
        blosc.decompress(content, out)
    except RuntimeError as error:
        raise DamagedError(str(error)) from None


def shard(rows: Iterable[NDArray[Any]], block_rows: int, level: int) -> Iterator[bytes]:
    """Yield the bytes of a shard of ``block_rows`` places, one chunk a row; places beyond ``rows`` stay empty."""
    index = np.full((block_rows, 2), _ABSENT, "<u8")
    offset = 0
    for place, row in enumerate(rows):
        content = packed(row, level)
        index[place] = offset, len(content)
        offset += len(content)
        yield content
    table = index.tobytes()
    yield table + _checksum(table)


def read_shard(path: Path, places: list[int], block_rows: int, out: list[NDArray[Any]]) -> None:
    """Fill ``out[i]`` with the row at ``places[i]`` of a shard; raise :class:`DamagedError`."""
    with os.fdopen(open_plain(path), "rb") as file:
        end = file.seek(0, os.SEEK_END) - (16 * block_rows + 4)
        if end < 0:
            raise DamagedError("it is cut short")
        table = _part(file, end, 16 * block_rows + 4)
        if _checksum(table[:-4]) != table[-4:]:
            raise DamagedError("the checksum of its index does not match")
        for place, row in zip(places, out, strict=True):
            offset, length = struct.unpack_from("<QQ", table, 16 * place)
            if offset == _ABSENT:
                raise DamagedError(f"it has no row {place}")
            if offset + length > end or length < 4:
                raise DamagedError("its index does not match")
            content = _part(file, offset, length)
            unpacked(content[:-4], content[-4:], row)


def read_chunk(path: Path, out: NDArray[Any]) -> None:
    """Fill ``out`` with the one chunk of a file; raise :class:`DamagedError`."""
    content = read_plain(path)
    unpacked(content[:-4], content[-4:], out)


def _part(file: IO[bytes], offset: int, length: int) -> bytes:
    file.seek(offset)
    return file.read(length)


def _checksum(content: bytes) -> bytes:
    return int(google_crc32c.value(content)).to_bytes(4, "little")
