"""One sound of a report: what is measured of it, its spectrogram as a small picture, and a clip to listen to."""

from __future__ import annotations

import io
import math
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.pca import features_of_levels
from tonesmith.analysis.spectra import log_mel, windows_at
from tonesmith.errors import ConfigError

CLIP_RATE = 48000
"""Hz of a clip: Opus knows no 44.1 kHz."""
CLIP_SECONDS = 10.0
"""Of a clip at most."""
_COMPRESSION = 0.9
_BANDS, _TIMES, _RANGE_DB, _GREYS = 64, 160, 80.0, 16
"""Of a picture: its size at most, and its range below the strongest band."""
_STEP = 0.001
"""Seconds between two points of the envelope whose attack is told, as in the feature ``stats``."""


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What a report tells of one sound.

    Attributes:
        features: as :func:`tonesmith.analysis.pca.features_of` has them.
        peak: highest sample in dBFS; -inf for silence.
        loudness: in LKFS, ungated; see :attr:`tonesmith.analysis.metrics.sound.Sound.level`.
        centroid: mean frequency in Hz weighted with the magnitude; NaN of silence.
        attack: seconds from a tenth to nine tenths of the peak of the envelope; NaN of silence.
        picture: log-mel spectrogram as a PNG, dark where it is loud, over 80 dB.
        clip: Opus in Ogg, mono, the first 10 s at most; empty if none was asked for.
        divided: what the clip was divided by, lest it pass full scale; 1.0 for nothing.
    """

    features: NDArray[np.float64]
    peak: float
    loudness: float
    centroid: float
    attack: float
    picture: bytes
    clip: bytes
    divided: float


def heard(audio: NDArray[np.float32], sample_rate: int, at: int = 0, *, clip: bool = True) -> Heard:
    """Return what a report tells of a sound.

    Args:
        audio: float32 (channels, frames), full scale 1.0, finite.
        sample_rate: Hz.
        at: Hz at which spectra are compared with those of other sounds; 0 for the sample rate.
        clip: whether to make a clip.
    """
    from tonesmith.analysis.metrics.sound import sound_of
    from tonesmith.dsp.envelope import envelope_of, onset_and_attack

    compared = resampled(audio, sample_rate, at or sample_rate)
    levels = log_mel(compared, at or sample_rate).mean(axis=0, dtype=np.float64)
    peak = float(np.abs(audio).max(initial=0.0))
    mono = audio.mean(axis=0)
    made, divided = clip_of(mono, sample_rate) if clip else (b"", 1.0)
    return Heard(
        features=features_of_levels(levels),
        peak=20.0 * math.log10(peak) if peak > 0.0 else -math.inf,
        loudness=sound_of(audio, sample_rate).level,
        centroid=_centroid(mono, sample_rate),
        attack=onset_and_attack(envelope_of(audio, sample_rate, 0.01, _STEP))[1],
        picture=picture_of(levels),
        clip=made,
        divided=divided,
    )


def resampled(audio: NDArray[np.float32], sample_rate: int, to: int) -> NDArray[np.float32]:
    """Return a sound (..., frames) at another sample rate in Hz; itself at its own."""
    if to == sample_rate:
        return audio
    import scipy.signal

    common = math.gcd(sample_rate, to)
    made = scipy.signal.resample_poly(audio.astype(np.float64), to // common, sample_rate // common, axis=-1)
    return np.asarray(made, np.float32)


def clip_of(mono: NDArray[np.float32], sample_rate: int) -> tuple[bytes, float]:
    """Return a sound (frames,) as Opus in Ogg, and what it was divided by to stay within full scale."""
    soundfile = _soundfile()
    short = resampled(mono[: round(CLIP_SECONDS * sample_rate)], sample_rate, CLIP_RATE)
    divided = max(1.0, float(np.abs(short).max(initial=0.0)))
    file = io.BytesIO()
    soundfile.write(file, short / divided, CLIP_RATE, format="OGG", subtype="OPUS", compression_level=_COMPRESSION)
    return file.getvalue(), divided


def check_libraries() -> None:
    """Raise :class:`ConfigError` unless the libraries of a report can be used, before anything is read."""
    _soundfile()
    try:
        import altair as alt  # noqa: F401
        import vl_convert  # noqa: F401
    except ImportError as error:
        raise missing(error) from error


def missing(error: ImportError) -> ConfigError:
    """Return the error that names a library of the extra."""
    told = f"a report needs altair, vl-convert-python and soundfile, which cannot be used here ({error})."
    return ConfigError(f"{told} Install them: pip install 'tonesmith[report]'")


def _soundfile() -> Any:
    try:
        import soundfile
    except (ImportError, OSError) as error:  # the library beneath it may be missing
        raise missing(ImportError(str(error))) from error
    return soundfile


def _centroid(mono: NDArray[np.float32], sample_rate: int) -> float:
    from tonesmith.dsp.moments import centroid_and_spread, weighted_mean
    from tonesmith.dsp.spectrum import bin_hertz, powers

    window = windows_at(sample_rate)[-1]
    power = powers(mono[None], window, window // 4)[0]
    centroid, _ = centroid_and_spread(np.sqrt(power), bin_hertz(window, sample_rate))
    return weighted_mean(centroid, power.sum(axis=1))


def picture_of(levels: NDArray[np.float64]) -> bytes:
    """Return the levels (bands, time) in dB as a PNG of 16 greys: black is the strongest, white 80 dB below it."""
    small = _shrunk(_shrunk(levels, _BANDS).T, _TIMES).T
    depth = np.clip((small.max(initial=-_RANGE_DB) - small) / _RANGE_DB, 0.0, 1.0)
    return png_of(np.round(depth[::-1] * (_GREYS - 1)).astype(np.uint8))


def _shrunk(levels: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Return the strongest of the neighbours along the first axis, so that at most so many are left."""
    step = -(-len(levels) // most)
    return np.maximum.reduceat(levels, np.arange(0, len(levels), step), axis=0)


def png_of(greys: NDArray[np.uint8]) -> bytes:
    """Return a PNG of a picture (height, width) of greys from 0, which is black, to 15.

    Source: "Portable Network Graphics (PNG) Specification (Third Edition)", W3C 2025, sections 5 and 11.
    """
    height, width = greys.shape
    even = np.pad(greys, ((0, 0), (0, width % 2)))
    packed = even[:, ::2] << 4 | even[:, 1::2]
    lines = np.concatenate([np.zeros((height, 1), np.uint8), packed], axis=1)
    head = struct.pack(">IIBBBBB", width, height, 4, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_part, *zip(*parts, strict=True)))


def _part(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
