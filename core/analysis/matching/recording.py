"""A sound of somebody's, in the form of the rows of a dataset: its rate, channels and length, from its onset on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dsp.envelope import envelope_of
from tonesmith.dsp.resample import resampled
from tonesmith.errors import ConfigError
from tonesmith.media.audio_errors import audio_errors
from tonesmith.plan.plan import Plan

LONGEST_SILENCE = 60.0
"""Seconds of a file that are looked through for a sound, before those that are used."""
SHORTEST = 0.05
"""Seconds that a sound must last."""
ONSET = 10.0 ** (-50.0 / 20.0)
"""Share of the peak of the envelope at which a sound begins: above the noise of a good recording."""
_RATES = (1000, 1_000_000)
_MOST_CHANNELS = 64
_SILENT = 1e-5


@dataclass(frozen=True, eq=False)
class Recording:
    """A sound as a row would hold it.

    Attributes:
        audio: float32 (channels, frames) of the dataset's form.
        offset: seconds of silence that were trimmed at its front.
        sample_rate: Hz, of the file.
        channels: of the file.
        seconds: of the file that are in ``audio``.
        cut: whether the file goes on after that.
    """

    audio: NDArray[np.float32]
    offset: float
    sample_rate: int
    channels: int
    seconds: float
    cut: bool

    def to_json(self) -> dict[str, Any]:
        """Return what was done to the file."""
        told = ("offset", "sample_rate", "channels", "seconds", "cut")
        return {name: getattr(self, name) for name in told}


def read_recording(path: Path, plan: Plan) -> Recording:
    """Return the sound in a file, from its onset on, as a row of a plan would hold it.

    Args:
        path: of an audio file: WAV, FLAC, AIFF, MP3, Ogg Vorbis or what else pedalboard reads here.
        plan: of the dataset.

    Raises :class:`ConfigError` if there is no such file, it cannot be read, or has no sound in it.
    """
    duration = plan.notes.duration
    audio, rate, more = _read(path, LONGEST_SILENCE + duration)
    return recording_of(audio, rate, plan, str(path), more=more)


def recording_of(
    audio: NDArray[Any], sample_rate: int, plan: Plan, name: str = "the sound", *, trim: bool = True, more: bool = False
) -> Recording:
    """Return a sound as a row of a plan would hold it.

    Args:
        audio: float (channels, frames), or (frames,) of one channel, full scale 1.0.
        sample_rate: Hz.
        plan: of the dataset.
        name: of the sound, for messages.
        trim: whether silence at its front is left out.
        more: whether there is more of it than ``audio`` has.

    Raises :class:`ConfigError` if it has no samples, one that is not finite, or is silent or too short.
    """
    samples = _checked(audio, sample_rate, name)
    onset = _onset(samples, sample_rate) if trim else 0
    heard = samples[:, onset:]
    if heard.shape[1] < SHORTEST * sample_rate:
        told = f"{name} lasts {heard.shape[1] / sample_rate:.3f} s from where its sound begins"
        raise ConfigError(f"{told}; expected at least {SHORTEST:g} s.")
    wanted = int(np.ceil(plan.notes.duration * sample_rate))
    form = resampled(_channels(heard[:, :wanted], plan.audio.channels), sample_rate, plan.audio.sample_rate)
    fitted = np.zeros((plan.audio.channels, plan.audio.frames), np.float32)
    fitted[:, : form.shape[1]] = form[:, : plan.audio.frames]
    used = min(heard.shape[1], wanted) / sample_rate
    return Recording(fitted, onset / sample_rate, sample_rate, len(samples), used, more or heard.shape[1] > wanted)


def _read(path: Path, seconds: float) -> tuple[NDArray[np.float32], int, bool]:
    """Return the start of a file, its rate, and whether there is more of it."""
    from pedalboard.io import AudioFile

    if not path.exists():
        raise ConfigError(f"{path} does not exist.")
    if not path.is_file():
        raise ConfigError(f"{path} is neither an audio file nor a dataset.")
    with audio_errors(path), AudioFile(str(path)) as file:
        rate = round(file.samplerate)
        _check_rate(rate, str(path))
        _check_channels(file.num_channels, str(path))
        audio = file.read(round(seconds * rate))
        return audio, rate, file.frames > audio.shape[1]


def _checked(audio: NDArray[Any], sample_rate: int, name: str) -> NDArray[np.float32]:
    _check_rate(sample_rate, name)
    try:
        samples = np.atleast_2d(np.asarray(audio, np.float32))
    except (TypeError, ValueError):
        raise ConfigError(f"{name} is no array of numbers.") from None
    if samples.ndim != 2 or not samples.size:
        raise ConfigError(f"{name} has no samples; expected an array (channels, frames), not {np.shape(audio)}.")
    if not np.isfinite(samples).all():
        raise ConfigError(f"{name} has samples that are NaN or infinite.")
    if float(np.abs(samples).max()) < _SILENT:
        raise ConfigError(f"{name} is silent.")
    return samples


def _check_rate(sample_rate: int, name: str) -> None:
    if not _RATES[0] <= sample_rate <= _RATES[1]:
        raise ConfigError(f"{name} has {sample_rate:,} samples per second; expected 1,000 to 1,000,000.")


def _check_channels(channels: int, name: str) -> None:
    if channels > _MOST_CHANNELS:
        raise ConfigError(f"{name} has {channels:,} channels; expected at most {_MOST_CHANNELS}.")


def _onset(audio: NDArray[np.float32], sample_rate: int) -> int:
    """Return the sample at which a sound begins, to a millisecond."""
    envelope = envelope_of(audio, sample_rate, 0.002, 0.001)
    first = int(np.argmax(envelope.level >= ONSET * envelope.level.max()))
    return max(round((first - 1) * envelope.step * sample_rate), 0)


def _channels(audio: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    """Return a sound with another number of channels: the mean of all in each, where they differ."""
    if len(audio) == channels:
        return audio
    return np.repeat(audio.mean(axis=0, keepdims=True), channels, axis=0)
