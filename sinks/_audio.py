"""The sound of a row as a file: FLAC of 24 bits, WAV of 32-bit floats, or a NumPy array.

FLAC holds whole numbers, and a synth may exceed full scale: a row whose peak does not fit is divided by the least power
of two that makes it fit, its ``scale``, so that nothing clips. Most rows have scale 1 and sound as they are.
"""

from __future__ import annotations

import io
import math
import struct
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import check_libraries
from tonesmith.wav import IEEE_FLOAT, wav_of

AudioForm = Literal["flac", "wav", "npy"]

_TOP = 2**23 - 1
"""The largest whole number of 24 bits."""
_UNIT = 2.0**-23
_LARGEST = float(np.finfo(np.float32).max)
_LARGEST_SCALE = 2.0**127


def check_flac(what: str, extra: str) -> None:
    """Raise :class:`ConfigError` if the library that packs FLAC is missing; ``what`` needs it."""
    check_libraries(what, ("soundfile",), extra)


def is_lossy(form: AudioForm) -> bool:
    """Return whether audio comes back other than it was: by up to 6e-8 times the scale of its row."""
    return form == "flac"


def stored_audio(audio: NDArray[Any], form: AudioForm) -> NDArray[Any]:
    """Return float32 (..., channels, frames) as it will be read back. Idempotent.

    In FLAC, what is no number becomes 0, and what is infinite the largest number that a scale of 2^127 holds.
    """
    if form != "flac":
        return audio
    if audio.ndim > 2:
        return np.stack([stored_audio(row, form) for row in audio]) if len(audio) else audio
    whole, scale = _whole(audio)
    return _sound(whole, scale)


def encode_audio(audio: NDArray[np.float32], form: AudioForm, sample_rate: int) -> tuple[bytes, float]:
    """Return a file of float32 (channels, frames), and the scale by which what it holds is to be multiplied."""
    if form == "wav":
        return wav_of(audio, sample_rate), 1.0
    if form == "npy":
        content = io.BytesIO()
        np.save(content, np.ascontiguousarray(audio, "<f4"), allow_pickle=False)
        return content.getvalue(), 1.0
    import soundfile

    whole, scale = _whole(audio)
    content = io.BytesIO()
    soundfile.write(content, (whole << 8).T, sample_rate, format="FLAC", subtype="PCM_24")
    return content.getvalue(), scale


def decode_audio(content: bytes, form: AudioForm, scale: float) -> NDArray[np.float32]:
    """Return float32 (channels, frames) of what :func:`encode_audio` made. Raise any error if it is damaged."""
    if form == "wav":
        return _read_wav(content)
    if form == "npy":
        array: NDArray[np.float32] = np.load(io.BytesIO(content), allow_pickle=False)
        return array
    import soundfile

    whole, _ = soundfile.read(io.BytesIO(content), dtype="int32", always_2d=True)
    return _sound(np.ascontiguousarray(whole.T) >> 8, scale)


def _read_wav(content: bytes) -> NDArray[np.float32]:
    """Return float32 (channels, frames) of a file that :func:`wav_of` made."""
    head = struct.unpack_from("<4sI4s4sIHH", content)
    if (head[0], head[2], head[3], head[5]) != (b"RIFF", b"WAVE", b"fmt ", IEEE_FLOAT):
        raise ValueError("it is no WAV file of 32-bit floats")
    place = content.index(b"data", 36)
    (size,) = struct.unpack_from("<I", content, place + 4)
    samples = np.frombuffer(content, "<f4", size // 4, place + 8)
    return np.ascontiguousarray(samples.reshape(-1, head[6]).T, np.float32)


def _whole(audio: NDArray[Any]) -> tuple[NDArray[np.int32], float]:
    """Return int32 (channels, frames) within 24 bits, and the least power of two, from 1, that lets them fit."""
    finite = np.nan_to_num(np.asarray(audio, np.float64), nan=0.0, posinf=_LARGEST, neginf=-_LARGEST)
    peak = float(np.abs(finite).max(initial=0.0))
    scale = 2.0 ** max(0, math.frexp(peak)[1] - 1)
    while np.rint(peak / scale / _UNIT) > _TOP and scale < _LARGEST_SCALE:
        scale *= 2.0
    whole = np.clip(np.rint(finite * (1.0 / scale / _UNIT)), -_TOP, _TOP)
    return whole.astype(np.int32), scale


def _sound(whole: NDArray[np.int32], scale: float) -> NDArray[np.float32]:
    """Return the float32 audio that whole numbers of 24 bits and a scale stand for: exact, for both are short."""
    return np.multiply(whole, np.float32(scale * _UNIT), dtype=np.float32)
