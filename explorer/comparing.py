"""Two sounds side by side: at the same loudness, with what is heard of each, and how far they are from each other."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ConfigError, check_libraries
from tonesmith.explorer.documents import write_whole
from tonesmith.explorer.export.peak import dithered
from tonesmith.explorer.frames import RATE, spectrum
from tonesmith.explorer.heard import UNITS, feature_of, heard_of
from tonesmith.explorer.measured import log_error
from tonesmith.explorer.sounds import Recorded, read_sound

if TYPE_CHECKING:
    from tonesmith.explorer.atlas import Atlas

PAUSE = 0.4
"""Seconds of silence between two sounds in one file."""
_FADE = 0.01
_SHORTEST = 0.4
"""Seconds that loudness is measured over at least; a shorter sound is heard again and again for it."""
_QUIETEST = -70.0


@dataclass(frozen=True, eq=False, slots=True)
class Side:
    """One of two sounds.

    Attributes:
        name: of its file.
        seconds: that it lasts.
        lufs: its integrated loudness, as ITU-R BS.1770-4 has it.
        gain: dB by which it is made quieter, so that both are as loud: 0 or less.
        features: median of what is heard of its frames, by name; None where there is none.
    """

    name: str
    seconds: float
    lufs: float
    gain: float
    features: Mapping[str, float | None]


@dataclass(frozen=True, eq=False, slots=True)
class Compared:
    """Two sounds.

    Attributes:
        sides: of them.
        spectral: mean difference of their log-magnitudes at the same loudness, in dB, over the shorter one.
        latent: distance of the means of their frames in a model, in deviations of its sounds; None without one.
    """

    sides: tuple[Side, Side]
    spectral: float
    latent: float | None


class Pair:
    """Two sounds that are compared.

    Args:
        first: audio file.
        second: likewise.

    Raises :class:`ConfigError` if one cannot be read, is silent, or too short.
    """

    def __init__(self, first: Path, second: Path) -> None:
        check_libraries("tonesmith explore", ["soundfile"], "explore")
        self.sounds = read_sound(first), read_sound(second)
        self.loudness = [lufs_of(channels_of(sound)) for sound in self.sounds]
        target = min(self.loudness)
        self.gains = [target - each for each in self.loudness]

    def compared(self, atlas: Atlas | None = None) -> Compared:
        """Return the figures of both.

        Args:
            atlas: a model, for the distance in it.
        """
        sides = [
            Side(sound.name, sound.seconds, lufs, gain, _features(sound))
            for sound, lufs, gain in zip(self.sounds, self.loudness, self.gains, strict=True)
        ]
        first, second = (sound.mid * _factor(gain) for sound, gain in zip(self.sounds, self.gains, strict=True))
        shorter = max(min(len(first), len(second)), 1)
        spectral = log_error(first[:shorter], second[:shorter])
        return Compared((sides[0], sides[1]), spectral, None if atlas is None else self._latent(atlas))

    def _latent(self, atlas: Atlas) -> float:
        means = [atlas.encode(sound).latent.astype(np.float32).mean(axis=0) for sound in self.sounds]
        return float(np.sqrt(np.square(means[0] - means[1]).mean()))

    def in_turn(self) -> NDArray[np.float32]:
        """Return one after the other, as loud, with a pause between: float32 (channels, samples), at 48 kHz."""
        first, second = self.matched()
        wide = max(len(first), len(second))
        parts = [np.broadcast_to(each, (wide, each.shape[1])) for each in (first, second)]
        pause = np.zeros((wide, round(PAUSE * RATE)), np.float32)
        return np.concatenate([parts[0], pause, parts[1]], axis=1)

    def matched(self) -> list[NDArray[np.float32]]:
        """Return both, the louder one made as quiet as the other: float32 (channels, samples) each, at 48 kHz."""
        return [_faded(channels_of(s) * _factor(gain)) for s, gain in zip(self.sounds, self.gains, strict=True)]


def channels_of(sound: Recorded) -> NDArray[np.float32]:
    """Return left and right, or the only channel: float32 (channels, samples)."""
    if sound.side is None:
        return sound.mid[None]
    return np.stack([sound.mid + sound.side, sound.mid - sound.side])


def lufs_of(audio: NDArray[np.float32]) -> float:
    """Return the integrated loudness of a sound (channels, samples) at 48 kHz in LUFS, -70 at least.

    Source: ITU-R BS.1770-4. A sound that is shorter than its blocks of 0.4 s is measured as if it were repeated.
    """
    from loudness import integrated_loudness

    times = -(-round(_SHORTEST * RATE) // audio.shape[1])
    whole = np.tile(audio, (1, times)) if times > 1 else audio
    interleaved = np.ascontiguousarray(whole.T if len(whole) > 1 else whole[0][:, None], np.float32)
    found = float(integrated_loudness(interleaved, RATE))
    return max(found, _QUIETEST) if np.isfinite(found) else _QUIETEST


def _features(sound: Recorded) -> dict[str, float | None]:
    magnitude = np.abs(spectrum(sound.mid))
    magnitude = magnitude[heard_of(magnitude)]
    values = {name: feature_of(name, magnitude) for name in UNITS}
    used = {name: value[np.isfinite(value)] for name, value in values.items()}
    return {name: float(np.median(value)) if len(value) else None for name, value in used.items()}


def _factor(gain: float) -> np.float32:
    return np.float32(10.0 ** (gain / 20.0))


def _faded(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a sound whose ends do not click where it is cut."""
    count = min(round(_FADE * RATE), audio.shape[1] // 2)
    ramp = np.linspace(0.0, 1.0, count, dtype=np.float32)
    made = audio.copy()
    made[:, :count] *= ramp
    made[:, audio.shape[1] - count :] *= ramp[::-1]
    return made


def write_matched(audio: NDArray[np.float32], path: Path, *, force: bool = False) -> int:
    """Write a sound (channels, samples) as 48 kHz and 24 bit, whole or not at all, and return its bytes.

    Args:
        audio: at most full scale.
        path: ends in .wav or .flac.
        force: whether a file that is there is overwritten.

    Raises :class:`ConfigError` if it cannot be written.
    """
    import io

    import soundfile

    check_place(path, force=force)
    peak = float(np.abs(audio).max(initial=0.0))
    held = audio if peak <= 1.0 else audio / np.float32(peak)
    steps = dithered(np.ascontiguousarray(held.T), np.random.default_rng(0))
    content = io.BytesIO()
    soundfile.write(content, steps, RATE, subtype="PCM_24", format=path.suffix[1:].upper())
    try:
        write_whole(path, content.getvalue())
    except OSError as error:
        raise ConfigError(f"--out: cannot write {path}: {error.strerror or error}.") from None
    return len(content.getvalue())


def check_place(path: Path, *, force: bool) -> None:
    """Raise :class:`ConfigError` if a file of two sounds cannot be written there."""
    if path.suffix.lower() not in {".wav", ".flac"}:
        raise ConfigError(f"--out: {path} must end in .wav or .flac.")
    with contextlib.suppress(OSError):
        if path.exists() and not (force and path.is_file()):
            raise ConfigError(f"--out: {path} exists. Name another file, or overwrite it with --force.")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"--out: the folder {path.parent} does not exist.")
