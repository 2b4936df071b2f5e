"""Formats of files, and what each can hold. Lossy ones are asked for the best they can do.

libsndfile's own defaults are low. At a compression level of 0, MP3 has 320 kbit/s, Vorbis quality 10, and Opus 510
kbit/s for two channels, which is 2 to 4 times as much.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tonesmith.errors import ConfigError

RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000, 176400, 192000)
BITS = 24
"""Of a sample, unless one asks for others."""
_WAV_BYTES = 2**32 - 2**20


@dataclass(frozen=True, slots=True)
class Format:
    """A format of files.

    Attributes:
        kind: as libsndfile calls it.
        subtypes: likewise, by bits of a sample; of a lossy format, by None.
        rates: that it can have.
        options: of its encoder.
    """

    kind: str
    subtypes: Mapping[int | None, str]
    rates: tuple[int, ...] = RATES
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def lossy(self) -> bool:
        """Whether what is read is not what was written."""
        return None in self.subtypes


_BEST = {"compression_level": 0.0}
FORMATS: Mapping[str, Format] = {
    ".wav": Format("WAV", {16: "PCM_16", 24: "PCM_24", 32: "FLOAT"}),
    ".flac": Format("FLAC", {16: "PCM_16", 24: "PCM_24"}),
    ".mp3": Format("MP3", {None: "MPEG_LAYER_III"}, RATES[:9], {**_BEST, "bitrate_mode": "CONSTANT"}),
    ".ogg": Format("OGG", {None: "VORBIS"}, RATES, _BEST),
    ".opus": Format("OGG", {None: "OPUS"}, (8000, 12000, 16000, 24000, 48000), _BEST),
}


def format_of(path: Path) -> Format:
    """Return the format of a file by its name. Raises :class:`ConfigError` if there is none of that name."""
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        raise ConfigError(f"--out: {path} must end in {_either(FORMATS)}.")
    return found


def bits_of(path: Path, rate: int, bits: int | None) -> int | None:
    """Return the bits of a sample in a file; None for a lossy one.

    Raises :class:`ConfigError` if the format has not those bits, or not that rate.
    """
    format_ = format_of(path)
    if rate not in format_.rates:
        raise ConfigError(f"--rate: {path.suffix} has {_either(format_.rates)}, not {rate}.")
    if format_.lossy:
        if bits is not None:
            raise ConfigError(f"--bits: {path.suffix} has no number of bits. Choose .wav or .flac.")
        return None
    if bits is not None and bits not in format_.subtypes:
        raise ConfigError(f"--bits: {path.suffix} has {_either(format_.subtypes)}, not {bits}.")
    return bits or BITS


def _either(values: Iterable[object]) -> str:
    *others, last = map(str, values)
    return f"{', '.join(others)} or {last}"


def check_size(path: Path, seconds: float, rate: int, channels: int, bits: int | None) -> None:
    """Raise :class:`ConfigError` for a WAV file of more than 4 GiB, which there cannot be."""
    if path.suffix.lower() == ".wav" and seconds * rate * channels * (bits or 0) / 8 > _WAV_BYTES:
        raise ConfigError("--seconds: a WAV file has at most 4 GiB. Choose .flac, or make less.")
