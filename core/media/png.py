"""Pictures of few colours as PNG files, which zlib alone makes."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_FEW = 16
"""Colours up to which two pixels share a byte."""


def png_of(pixels: NDArray[np.uint8], colours: NDArray[np.uint8]) -> bytes:
    """Return a picture as a PNG with a palette.

    Source: "Portable Network Graphics (PNG) Specification (Third Edition)", W3C 2025, sections 5 and 11.

    Args:
        pixels: the number of each pixel's colour, uint8 (height, width).
        colours: red, green and blue of each, uint8 (colours, 3), 256 at most.
    """
    height, width = pixels.shape
    depth = 4 if len(colours) <= _FEW else 8
    packed = _in_pairs(pixels) if depth == 4 else pixels
    lines = np.concatenate([np.zeros((height, 1), np.uint8), packed], axis=1)
    head = struct.pack(">IIBBBBB", width, height, depth, 3, 0, 0, 0)
    parts = (
        (b"IHDR", head),
        (b"PLTE", colours.tobytes()),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_part(kind, content) for kind, content in parts)


def _in_pairs(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    even = np.pad(pixels, ((0, 0), (0, pixels.shape[1] % 2)))
    return np.asarray(even[:, ::2] << 4 | even[:, 1::2], np.uint8)


def _part(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
