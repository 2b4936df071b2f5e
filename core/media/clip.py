"""A sound as a small file that every player takes, for pages and notebooks. What is stored stays as it is."""

from __future__ import annotations

import base64
import importlib.util
import io
import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonesmith.dsp.resample import resampled

MOST = 90_000
"""Bytes of a clip: 120 kB in a page, where each three are four letters."""
LONGEST = 20.0
"""Seconds of a clip."""
_OPUS_RATE = 48_000
_MP3_RATES = (32_000, 44_100, 48_000)


@dataclass(frozen=True, slots=True)
class Clip:
    """A sound as a file.

    Attributes:
        content: of the file.
        mime: type of it, such as "audio/ogg".
        seconds: that it plays, from the start of the sound.
        gain: that it was multiplied with, so that it does not pass full scale: 1.0 or less.
    """

    content: bytes
    mime: str
    seconds: float
    gain: float

    @property
    def uri(self) -> str:
        """The clip as a data URI."""
        return f"data:{self.mime};base64,{base64.b64encode(self.content).decode()}"


def clip_of(audio: NDArray[np.float32], sample_rate: int, most: int = MOST, seconds: float = LONGEST) -> Clip:
    """Return a sound as a clip of one channel: Opus where soundfile is installed, else MP3.

    Args:
        audio: float32 (channels, frames). What passes full scale makes the whole clip quieter; what is no number is
            silence.
        sample_rate: Hz.
        most: bytes. Of a sound that takes more, or is longer than ``seconds``, the clip is the beginning.
        seconds: at most.
    """
    mono = np.nan_to_num(audio.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0).mean(axis=0).astype(np.float32)
    mono = mono[: round(seconds * sample_rate)]
    gain = 1.0 / max(1.0, float(np.abs(mono).max(initial=0.0)))
    content, mime = _encoded(mono * np.float32(gain), sample_rate)
    frames = len(mono)
    while len(content) > most and frames > 1:
        frames = int(frames * min(0.95 * most / len(content), 0.9))
        content, mime = _encoded(mono[:frames] * np.float32(gain), sample_rate)
    return Clip(content, mime, frames / sample_rate, gain)


def _encoded(mono: NDArray[np.float32], sample_rate: int) -> tuple[bytes, str]:
    """Return float32 (frames,) as a file, and its type.

    It is made in a thread: an encoder writes through callbacks, in which a Ctrl-C of the main thread would be lost.
    """
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(_compressed, mono, sample_rate).result()


def _compressed(mono: NDArray[np.float32], sample_rate: int) -> tuple[bytes, str]:
    try:
        if importlib.util.find_spec("soundfile") is not None:
            return _opus(resampled(mono, sample_rate, _OPUS_RATE)), "audio/ogg"
        rate = sample_rate if sample_rate in _MP3_RATES else _OPUS_RATE
        return _mp3(resampled(mono, sample_rate, rate), rate), "audio/mpeg"
    except (OSError, RuntimeError, ValueError):  # a libsndfile without Opus, and whatever an encoder does not take
        return _wav(mono, sample_rate), "audio/wav"


def _opus(mono: NDArray[np.float32]) -> bytes:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, mono, _OPUS_RATE, format="OGG", subtype="OPUS", compression_level=0.9)
    return file.getvalue()


def _mp3(mono: NDArray[np.float32], sample_rate: int) -> bytes:
    from pedalboard.io import AudioFile

    file = io.BytesIO()
    with AudioFile(file, "w", samplerate=sample_rate, num_channels=1, format="mp3", quality="V5") as out:
        out.write(mono[None])
    content: bytes = file.getvalue()
    return content


def _wav(mono: NDArray[np.float32], sample_rate: int) -> bytes:
    """Return a WAV file of 16-bit integers."""
    samples: bytes = np.rint(np.clip(mono, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()
    form = struct.pack("<HHIIHH", 1, 1, sample_rate, sample_rate * 2, 2, 16)
    head: bytes = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(samples))
    return b"RIFF" + struct.pack("<I", len(head) + len(samples)) + head + samples
