"""WAV files of 32-bit floats: the RIFF/WAVE form that every audio program opens, and that loses no sample."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

IEEE_FLOAT = 3
"""WAVE_FORMAT_IEEE_FLOAT of the RIFF/WAVE specification."""


def wav_of(audio: NDArray[np.float32], sample_rate: int) -> bytes:
    """Return a WAV file of float32 (channels, frames), which keeps every sample, those above 1.0 too."""
    channels, frames = audio.shape
    samples = np.ascontiguousarray(audio.T, "<f4").tobytes()
    form = struct.pack("<HHIIHHH", IEEE_FLOAT, channels, sample_rate, sample_rate * channels * 4, channels * 4, 32, 0)
    chunks = _chunk(b"fmt ", form) + _chunk(b"fact", struct.pack("<I", frames)) + _chunk(b"data", samples)
    return _chunk(b"RIFF", b"WAVE" + chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content
