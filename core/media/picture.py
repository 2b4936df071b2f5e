"""A sound as a picture: its mel spectrogram as a PNG, which zlib alone makes."""

from __future__ import annotations

import base64
import struct
import zlib
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dsp.mel import mel_bank
from tonesmith.dsp.spectrum import powers, window_near

BANDS = 80
COLUMNS = 160
"""Pixels of a picture at most: columns of time, and a row for each band."""
_SECONDS = 0.046
_RANGE = 80.0
"""dB between black and the brightest colour, which a sine of full scale has."""
_SHADES = 64
_COLOURS = ((0, 0, 4), (40, 17, 89), (114, 31, 129), (183, 55, 121), (241, 96, 93), (254, 176, 120), (252, 253, 191))
"""Dark to bright, evenly lighter, so that it is read without colours too: matplotlib's magma at seven places."""


def spectrogram(audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.uint8]:
    """Return the shade of each pixel, uint8 (bands, columns), the low bands last.

    Args:
        audio: float32 (channels, frames), full scale 1.0. What is no number is silence.
        sample_rate: Hz.
    """
    mono = np.nan_to_num(audio, nan=0.0, posinf=0.0, neginf=0.0).mean(axis=0, keepdims=True)
    window = window_near(_SECONDS, sample_rate)
    hop = max(-(-mono.shape[1] // (COLUMNS - 1)), 1)
    levels = mel_bank(BANDS, sample_rate, window).levels(powers(mono, window, hop), -_RANGE)[0]
    shades = (levels / _RANGE + 1.0) * (_SHADES - 1)
    return np.asarray(np.clip(np.rint(shades), 0, _SHADES - 1), np.uint8)[::-1]


def png_of(pixels: NDArray[np.uint8]) -> bytes:
    """Return shades uint8 (height, width) as a PNG of a palette (ISO/IEC 15948)."""
    height, width = pixels.shape
    rows = np.zeros((height, width + 1), np.uint8)
    rows[:, 1:] = pixels
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = [(b"IHDR", head), (b"PLTE", _palette()), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in parts)


def picture_uri(audio: NDArray[Any], sample_rate: int) -> str:
    """Return the spectrogram of a sound as a data URI. Arguments as for :func:`spectrogram`."""
    content = png_of(spectrogram(audio, sample_rate))
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


@lru_cache(maxsize=1)
def _palette() -> bytes:
    stops = np.linspace(0.0, 1.0, len(_COLOURS))
    places = np.linspace(0.0, 1.0, _SHADES)
    channels = [np.interp(places, stops, channel) for channel in np.array(_COLOURS, np.float64).T]
    colours: bytes = np.rint(np.stack(channels, axis=1)).astype(np.uint8).tobytes()
    return colours
