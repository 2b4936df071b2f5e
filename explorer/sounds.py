"""Sounds of somebody's: files that are found in folders, and read as mid and side at 48 kHz."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tonesmith.document import open_plain
from tonesmith.dsp.resample import resampled
from tonesmith.errors import ConfigError
from tonesmith.explorer.documents import as_text
from tonesmith.explorer.frames import RATE
from tonesmith.media.audio_errors import audio_errors

SUFFIXES = (".aif", ".aiff", ".flac", ".mp3", ".ogg", ".wav")
LONGEST = 180.0
"""Seconds of a file that are used; what follows is told and left out."""
SHORTEST = 0.05
MOST_FILES = 10_000
"""Of a folder."""
_SILENT = 1e-4
_RATES = (1000, 768_000)
_MOST_CHANNELS = 64


@dataclass(frozen=True, eq=False, slots=True)
class Recorded:
    """A sound as the model hears it.

    Attributes:
        name: of its file.
        digest: SHA-256 of the file.
        mid: float32 (samples,), the mean of its channels.
        side: float32 (samples,), half the difference of left and right; None for one channel.
        cut: whether the file goes on after that.
    """

    name: str
    digest: str
    mid: NDArray[np.float32]
    side: NDArray[np.float32] | None
    cut: bool

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.mid) / RATE


def found_sounds(places: Iterable[Path]) -> list[Path]:
    """Return the audio files at places, those of a folder and all below it in the order of their names, none twice.

    Raises :class:`ConfigError` for a place that is not there, and one with too many files or none.
    """
    found: dict[Path, None] = {}
    for place in places:
        if not place.exists():
            raise ConfigError(f"{place} does not exist.")
        files = _within(place) if place.is_dir() else [place]
        if not files:
            raise ConfigError(f"{place} has no audio files. Expected {', '.join(SUFFIXES)}.")
        found.update(dict.fromkeys(files))
    return list(found)


def _within(folder: Path) -> list[Path]:
    inside = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    files = sorted(path for path in inside if not path.name.startswith("."))
    if len(files) > MOST_FILES:
        raise ConfigError(f"{folder} has {len(files):,} audio files; at most {MOST_FILES:,} can be used.")
    return files


def read_sound(path: Path) -> Recorded:
    """Return the sound in a file.

    Raises :class:`ConfigError` if it cannot be read, is silent, or is shorter than 0.05 s.
    """
    audio, rate, cut = _read(path)
    return recorded(audio, rate, str(path), as_text(path.name), lambda: digest_of(path), cut=cut)


def recorded(
    audio: NDArray[np.float32], rate: int, where: str, name: str, digest: Callable[[], str], *, cut: bool
) -> Recorded:
    """Return samples as a sound.

    Args:
        audio: float32 (channels, samples).
        rate: samples per second.
        where: they are from, for messages.
        name: of the sound.
        digest: returns its SHA-256, and is called if the sound can be used.
        cut: whether it goes on after that.

    Raises :class:`ConfigError` if it is silent, shorter than 0.05 s, or has samples that are no numbers.
    """
    if not np.isfinite(audio).all():
        raise ConfigError(f"{where} has samples that are NaN or infinite.")
    if audio.shape[1] < SHORTEST * rate:
        raise ConfigError(f"{where} lasts {audio.shape[1] / rate:.3f} s; expected at least {SHORTEST:g} s.")
    if float(np.abs(audio).max()) < _SILENT:
        raise ConfigError(f"{where} is silent: nothing in it is louder than -80 dBFS.")
    mid, side = _folded(audio)
    at_rate = [resampled(part, rate, RATE) for part in (mid, side) if part is not None]
    return Recorded(name, digest(), at_rate[0], at_rate[1] if side is not None else None, cut)


def readable(paths: Sequence[Path], refused: list[str]) -> Iterator[Recorded]:
    """Yield the sounds that can be used, one by one; the reasons for the others go to ``refused``."""
    for path in paths:
        try:
            sound = read_sound(path)
        except ConfigError as error:
            refused.append(str(error))
        else:
            yield sound


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file. Raises :class:`ConfigError` if it cannot be read."""
    try:
        with os.fdopen(open_plain(path), "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.") from None


def _folded(audio: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Return mid, and side if there is one: of more than two channels, the first two are left and right."""
    if len(audio) == 1:
        return audio[0], None
    mid, side = 0.5 * (audio[0] + audio[1]), 0.5 * (audio[0] - audio[1])
    if float(np.abs(side).max()) < _SILENT:
        return mid, None
    return mid, side


def _read(path: Path) -> tuple[NDArray[np.float32], int, bool]:
    """Return the start of a file, its rate, and whether there is more of it."""
    from pedalboard.io import AudioFile

    with audio_errors(path), os.fdopen(open_plain(path), "rb") as plain, AudioFile(plain) as file:
        rate = round(file.samplerate)
        _check_form(path, rate, file.num_channels)
        audio = np.asarray(file.read(round(LONGEST * rate)), np.float32)
        return audio, rate, file.frames > audio.shape[1]


def _check_form(path: Path, rate: int, channels: int) -> None:
    if not _RATES[0] <= rate <= _RATES[1]:
        raise ConfigError(f"{path} has {rate:,} samples per second; expected 1,000 to 768,000.")
    if channels > _MOST_CHANNELS:
        raise ConfigError(f"{path} has {channels:,} channels; expected at most {_MOST_CHANNELS}.")
