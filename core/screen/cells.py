"""Pictures of a sound in character cells: each has two pixels, one above the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

UPPER, LOWER, FULL, EMPTY = "▀", "▄", "█", " "
SHADES = " ░▒▓█"
"""From silent to loud, where there are no colours."""
_LEAST_SCALE = 0.01
_RANGE_DB = 70.0
"""Below the loudest point of a spectrogram, down to which it is drawn."""


def waveform(audio: NDArray[np.float32], width: int, height: int) -> list[str]:
    """Return lines of text that show the highest and the lowest sample of each part of a sound.

    The scale goes to the peak of the sound, and to a hundredth of full scale at least.

    Args:
        audio: float32 (channels, frames).
        width: in cells, 1 at least.
        height: likewise.
    """
    samples = np.nan_to_num(audio)
    if not samples.size:
        return [EMPTY * width] * height
    edges = np.linspace(0, samples.shape[1], width + 1).astype(int)[:-1]
    highest = np.maximum.reduceat(samples.max(axis=0), edges)
    lowest = np.minimum.reduceat(samples.min(axis=0), edges)
    scale = max(_LEAST_SCALE, float(np.abs(samples).max()))
    rows = 2 * height
    tops, bottoms = (np.floor((0.5 - 0.5 * edge / scale) * (rows - 1) + 0.5) for edge in (highest, lowest))
    places = np.arange(rows)[:, None]
    lit = (places >= tops) & (places <= bottoms)
    return ["".join(_CELLS[upper, lower] for upper, lower in zip(*pair, strict=True)) for pair in _pairs(lit.tolist())]


_CELLS = {(True, True): FULL, (True, False): UPPER, (False, True): LOWER, (False, False): EMPTY}


def _pairs(rows: list[Any]) -> list[tuple[Any, Any]]:
    return list(zip(rows[::2], rows[1::2], strict=True))


def spectrogram(audio: NDArray[np.float32], sample_rate: int, width: int, height: int) -> NDArray[np.uint8]:
    """Return the pixels of a log-mel spectrogram: uint8 (2 * height, width), 255 at the loudest.

    Low sounds are at the bottom. It is drawn down to 70 dB below its loudest point. Of several channels, the loudest
    counts.

    Args:
        audio: float32 (channels, frames).
        sample_rate: Hz.
        width: in cells, 1 at least.
        height: likewise.
    """
    from tonesmith.dsp.log_mel import FLOOR_DB, log_mel

    samples = np.nan_to_num(audio)
    if not samples.size:
        return np.zeros((2 * height, width), np.uint8)
    level = log_mel(samples, sample_rate).max(axis=0)[::-1]
    level = _shrunk(_shrunk(level, 2 * height).T, width).T
    top = max(float(level.max()), FLOOR_DB + _RANGE_DB)
    shares = np.clip(1.0 + (level - top) / _RANGE_DB, 0.0, 1.0)
    return np.asarray(np.round(255.0 * shares), np.uint8)


def _shrunk(array: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return an array with so many rows: the maxima of equal parts of it, or repeated rows where it has fewer."""
    edges = np.linspace(0, len(array), count + 1)[:-1].astype(int)
    shrunk = array[edges] if len(array) < count else np.maximum.reduceat(array, edges, axis=0)
    return np.asarray(shrunk, np.float32)


def shaded(pixels: NDArray[np.uint8]) -> list[str]:
    """Return lines of text that show pixels without colours: the louder of two is the shade of a cell."""
    louder = np.maximum(pixels[::2], pixels[1::2]).astype(int)
    return ["".join(SHADES[place] for place in row) for row in (louder * len(SHADES) // 256).tolist()]
