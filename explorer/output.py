"""A sound of any length becomes a file: peak held, dithered to 24 bits, and with its recipe in a tag."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ConfigError, check_libraries
from tonesmith.explorer.frames import RATE

if TYPE_CHECKING:
    from tonesmith.explorer.recipe import Recipe

FORMATS = {".wav": "WAV", ".flac": "FLAC"}
CEILING = -1.0
"""dBTP that the peak between samples has at most."""
_MARGIN = 0.05
"""dB that are left for the dither, and for what 8 times the rate does not see."""
_OVER, _EDGE, _STRETCH = 8, 512, 64_512
_BITS = 24
_TOGETHER = 65_536
_DITHER = 24_182


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was made.

    Attributes:
        path: of it.
        nbytes: of it.
        seconds: that it lasts.
        channels: of it.
        gain: dB by which it was made quieter, so that its peak is -1 dBTP at most: 0 or less.
    """

    path: Path
    nbytes: int
    seconds: float
    channels: int
    gain: float


def check_output(path: Path, *, force: bool) -> None:
    """Raise :class:`ConfigError` if a file cannot be written there, or a library is missing."""
    check_libraries("tonesmith explore", ["safetensors", "soundfile"], "explore")
    if path.suffix.lower() not in FORMATS:
        raise ConfigError(f"--out: {path} must end in .wav or .flac.")
    if path.exists() and not (force and path.is_file()):
        raise ConfigError(f"--out: {path} exists. Name another file, or overwrite it with --force.")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"--out: the folder {path.parent} does not exist.")


def write_sound(
    blocks: Iterator[NDArray[np.float32]], channels: int, path: Path, recipe: Recipe, advance: Callable[[int], None]
) -> Written:
    """Write a sound, whole or not at all. It is kept in an unnamed file beside its place until its peak is known.

    Args:
        blocks: float32 (channels, samples) each, at 48 kHz.
        channels: 1 or 2.
        path: ends in .wav or .flac.
        recipe: for the tag, with the title.
        advance: is called with the samples of each block.
    """
    handle, name = _temporary(path)
    aside = Path(name)
    try:
        with tempfile.TemporaryFile(dir=path.absolute().parent) as raw:
            peak = Peak(channels)
            samples = _keep(blocks, raw, peak, advance)
            gain = min(10.0 ** ((CEILING - _MARGIN) / 20.0) / max(peak.value(), 1e-9), 1.0)
            _encode(raw, handle, channels, gain, recipe, FORMATS[path.suffix.lower()])
        nbytes = aside.stat().st_size
        aside.replace(path)
    except OSError as error:
        raise ConfigError(f"--out: cannot write {path}: {error.strerror or error}.") from None
    finally:
        with contextlib.suppress(OSError):
            os.close(handle)
        aside.unlink(missing_ok=True)
    return Written(path, nbytes, samples / RATE, channels, float(20.0 * np.log10(gain)))


def _temporary(path: Path) -> tuple[int, str]:
    try:
        handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.", suffix=".part")
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
    except OSError as error:
        raise ConfigError(f"--out: cannot write {path}: {error.strerror or error}.") from None
    return handle, name


def _keep(blocks: Iterator[NDArray[np.float32]], raw: IO[bytes], peak: Peak, advance: Callable[[int], None]) -> int:
    samples = 0
    for block in blocks:
        peak.add(block)
        raw.write(np.ascontiguousarray(block.T).tobytes())
        samples += block.shape[1]
        advance(block.shape[1])
    raw.seek(0)
    return samples


def _encode(raw: IO[bytes], handle: int, channels: int, gain: float, recipe: Recipe, kind: str) -> None:
    import soundfile

    random = np.random.default_rng([recipe.seed, _DITHER])
    form = {"samplerate": RATE, "channels": channels, "subtype": f"PCM_{_BITS}", "format": kind, "closefd": False}
    os.lseek(handle, 0, os.SEEK_SET)
    with soundfile.SoundFile(handle, "w", **form) as file:
        _tag(file, recipe)
        while content := raw.read(_TOGETHER * channels * 4):
            file.write(dithered(np.frombuffer(content, np.float32).reshape(-1, channels) * np.float32(gain), random))


def _tag(file: Any, recipe: Recipe) -> None:
    """Write what players show, and the recipe as the comment."""
    file.title = recipe.title
    file.software = "tonesmith explore"
    file.comment = recipe.model_dump_json()


def dithered(audio: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.int32]:
    """Return samples of 24 bits, in the upper bits of int32, with triangular dither of two steps.

    Source: Lipshitz, Wannamaker & Vanderkooy 1992, "Quantization and dither: a theoretical survey".
    """
    full = 2.0 ** (_BITS - 1)
    noise = random.random(audio.shape) - random.random(audio.shape)
    steps = np.rint(audio * full + noise)
    return (np.clip(steps, -full, full - 1.0).astype(np.int64) << (32 - _BITS)).astype(np.int32)


class Peak:
    """The highest point of a sound between its samples, at eight times the rate.

    BS.1770-5, annex 2, asks for four times. The spectrum of a stretch is continued with zeros, which is the longest
    filter there is; its ends fade, and are looked at in the stretch before or after.

    Args:
        channels: of the sound.
    """

    def __init__(self, channels: int) -> None:
        self._last = np.zeros((channels, 2 * _EDGE), np.float32)
        self._highest = 0.0

    def add(self, block: NDArray[np.float32]) -> None:
        """Look at the next samples (channels, samples)."""
        held = np.concatenate([self._last, block], axis=1)
        self._last = held[:, -2 * _EDGE :]
        for first in range(0, block.shape[1], _STRETCH):
            self._look(held[:, first : first + _STRETCH + 2 * _EDGE])

    def _look(self, held: NDArray[np.float32]) -> None:
        import scipy.fft

        length = held.shape[1]
        fade = np.minimum(np.minimum(np.arange(1, length + 1), np.arange(length, 0, -1)) * np.float32(2.0 / _EDGE), 1.0)
        count = scipy.fft.next_fast_len(length, real=True)
        spectrum = scipy.fft.rfft(held * fade.astype(np.float32), count, workers=1)
        over = scipy.fft.irfft(spectrum, count * _OVER, workers=1)[:, _EDGE * _OVER : (length - _EDGE) * _OVER]
        self._highest = max(self._highest, _OVER * max(float(over.max(initial=0.0)), -float(over.min(initial=0.0))))

    def value(self) -> float:
        """Return the peak of all that was added, full scale 1.0."""
        self.add(np.zeros_like(self._last))
        return self._highest


def recipe_text(path: Path) -> str:
    """Return the comment of an audio file. Raises :class:`ConfigError` if it cannot be read."""
    import soundfile

    check_libraries("tonesmith explore", ["soundfile"], "explore")
    if not path.is_file():
        raise ConfigError(f"{path} is not a file." if path.exists() else f"{path} does not exist.")
    try:
        with soundfile.SoundFile(path) as file:
            return str(file.comment)
    except (soundfile.LibsndfileError, OSError, UnicodeDecodeError):
        raise ConfigError(f"{path} cannot be read as audio.") from None
