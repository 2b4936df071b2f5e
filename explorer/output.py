"""A sound of any length becomes a file: peak held, dithered, and with its recipe in its tags."""

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
from tonesmith.explorer.documents import hidden_prefix
from tonesmith.explorer.export.formats import FORMATS, Format, check_size, format_of
from tonesmith.explorer.export.peak import Peak, dithered
from tonesmith.explorer.export.rates import at_rate
from tonesmith.explorer.export.tags import SOFTWARE, write_tags

if TYPE_CHECKING:
    from tonesmith.explorer.recipe import Recipe

CEILING = -1.0
"""dBTP that the peak between samples has at most."""
_MARGIN = 0.05
"""dB that are left for the dither, and for what 8 times the rate does not see."""
_TOGETHER = 65_536
_DITHER = 24_182
_ATTEMPTS = 6


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
    check_libraries("tonesmith explore", ["safetensors", "soundfile", "mutagen"], "explore")
    format_of(path)
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
        path: whose suffix says the format.
        recipe: for the tags, and with the rate and the bits.
        advance: is called with the samples of each block, at 48 kHz.
    """
    import soundfile

    check_size(path, recipe.seconds, recipe.rate, channels, recipe.bits)
    handle, name = _temporary(path)
    aside = Path(name)
    told = _told(blocks, advance)
    try:
        with tempfile.TemporaryFile(dir=path.absolute().parent) as raw:
            peak = Peak(channels)
            samples = _keep(at_rate(told, channels, recipe.rate, round(recipe.seconds * recipe.rate)), raw, peak)
            gain = min(_level(CEILING - _MARGIN) / max(peak.value(), 1e-9), 1.0)
            gain = _Encoder(raw, handle, aside, channels, recipe, path.suffix.lower()).encoded(gain)
        if recipe.version > 1:
            write_tags(aside, path.suffix.lower(), recipe)
        nbytes = aside.stat().st_size
        aside.replace(path)
    except OSError as error:
        raise ConfigError(f"--out: cannot write {path}: {error.strerror or error}.") from None
    except soundfile.SoundFileError as error:
        raise ConfigError(f"--out: cannot write {path}. The disk may be full ({str(error).rstrip('.')}).") from None
    finally:
        with contextlib.suppress(OSError):
            os.close(handle)
        aside.unlink(missing_ok=True)
    return Written(path, nbytes, samples / recipe.rate, channels, float(20.0 * np.log10(gain)))


def _level(decibel: float) -> float:
    return float(10.0 ** (decibel / 20.0))


def _told(blocks: Iterator[NDArray[np.float32]], advance: Callable[[int], None]) -> Iterator[NDArray[np.float32]]:
    for block in blocks:
        yield block
        advance(block.shape[1])


def _temporary(path: Path) -> tuple[int, str]:
    try:
        handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=hidden_prefix(path), suffix=".part")
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
    except OSError as error:
        raise ConfigError(f"--out: cannot write {path}: {error.strerror or error}.") from None
    return handle, name


def _keep(blocks: Iterator[NDArray[np.float32]], raw: IO[bytes], peak: Peak) -> int:
    samples = 0
    for block in blocks:
        peak.add(block)
        raw.write(np.ascontiguousarray(block.T).tobytes())
        samples += block.shape[1]
    return samples


@dataclass(frozen=True, slots=True)
class _Encoder:
    """Writes what was kept as a file.

    Attributes:
        raw: float32 samples, one of each channel after the other.
        handle: of the file.
        path: of it.
        channels: of the sound.
        recipe: with rate, bits and tags.
        suffix: of the format.
    """

    raw: IO[bytes]
    handle: int
    path: Path
    channels: int
    recipe: Recipe
    suffix: str

    def encoded(self, gain: float) -> float:
        """Write the file, and return the gain, which is lower if what a lossy file gives back has a higher peak."""
        format_ = FORMATS[self.suffix]
        for _ in range(_ATTEMPTS):
            self._write(format_, gain)
            if not format_.lossy or (peak := self._peak()) <= _level(CEILING):
                break
            gain *= _level(CEILING - _MARGIN) / peak
        return gain

    def _write(self, format_: Format, gain: float) -> None:
        import soundfile

        random = np.random.default_rng([self.recipe.seed, _DITHER])
        bits = self.recipe.bits
        form: dict[str, Any] = {"samplerate": self.recipe.rate, "channels": self.channels, "closefd": False}
        form |= {"subtype": format_.subtypes[bits], "format": format_.kind, **format_.options}
        self.raw.seek(0)
        os.lseek(self.handle, 0, os.SEEK_SET)
        os.ftruncate(self.handle, 0)
        with soundfile.SoundFile(self.handle, "w", **form) as file:
            if self.recipe.version == 1:
                _tag(file, self.recipe)
            while content := self.raw.read(_TOGETHER * self.channels * 4):
                audio = np.frombuffer(content, np.float32).reshape(-1, self.channels) * np.float32(gain)
                file.write(audio if bits is None or bits == 32 else dithered(audio, random, bits))

    def _peak(self) -> float:
        """Return the peak of what the file gives back."""
        import soundfile

        peak = Peak(self.channels)
        os.lseek(self.handle, 0, os.SEEK_SET)
        with soundfile.SoundFile(self.handle, closefd=False) as file:
            for block in file.blocks(_TOGETHER, dtype="float32", always_2d=True):
                peak.add(np.ascontiguousarray(block.T))
        return peak.value()


def _tag(file: Any, recipe: Recipe) -> None:
    """Write tags as they were in the first version of recipes."""
    file.title, file.software, file.comment = recipe.title, SOFTWARE, recipe.text()
