"""A sound as a picture: its mel spectrogram as a PNG."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dsp.mel import mel_bank
from tonesmith.dsp.spectrum import powers, window_near
from tonesmith.media.colours import magma
from tonesmith.media.png import png_of

BANDS = 80
COLUMNS = 160
"""Pixels of a picture at most: columns of time, and a row for each band."""
_SECONDS = 0.046
_RANGE = 80.0
"""dB between black and the brightest colour, which a sine of full scale has."""
_SHADES = 64


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


def picture_uri(audio: NDArray[Any], sample_rate: int) -> str:
    """Return the spectrogram of a sound as a data URI. Arguments as for :func:`spectrogram`."""
    content = png_of(spectrogram(audio, sample_rate), magma(_SHADES))
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"
