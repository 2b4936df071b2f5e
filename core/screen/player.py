"""Sounds played one at a time: each starts at once, and ends the one before."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tonesmith.dsp.resample import resampled
from tonesmith.errors import TonesmithError

_BUFFER = 4096
"""Frames that the device holds, so that a busy screen is not heard: 93 ms at 44.1 kHz. pedalboard's own are 12 ms."""
_CHUNK = 0.04
"""Seconds that are handed to the output at once: so soon a sound ends that is stopped."""


class NoOutputError(TonesmithError):
    """No sound can be heard here."""


class Output(Protocol):
    """What sounds are written to."""

    sample_rate: int
    """Hz of what it takes."""

    def write(self, audio: NDArray[np.float32]) -> None:
        """Take float32 (2, frames), and return when there is room for more."""

    def close(self) -> None:
        """Let go of the device."""


class Device:
    """The default sound output of the machine, by pedalboard.

    Args:
        sample_rate: Hz that are asked for. The device may have another one.

    Raises :class:`NoOutputError` if there is no output, or it cannot be opened.
    """

    def __init__(self, sample_rate: int) -> None:
        try:
            from pedalboard.io import AudioStream
        except ImportError as error:
            raise NoOutputError(f"no sound can be played here: pedalboard has no audio output ({error})") from error
        name = AudioStream.default_output_device_name
        if not name:
            raise NoOutputError("there is no sound output on this machine")
        try:
            self._stream: Any = AudioStream(
                output_device_name=name, sample_rate=sample_rate, buffer_size=_BUFFER, num_output_channels=2
            )
            self._stream.__enter__()
        except (RuntimeError, ValueError, OSError) as error:
            raise NoOutputError(f"the sound output {name!r} cannot be opened: {error}") from error
        self.sample_rate = round(self._stream.sample_rate)

    def write(self, audio: NDArray[np.float32]) -> None:
        """Play some samples: see :meth:`Output.write`."""
        self._stream.write(audio, self.sample_rate)

    def close(self) -> None:
        """Let go of the device."""
        self._stream.__exit__(None, None, None)


@dataclass(frozen=True, eq=False, slots=True)
class _Clip:
    audio: NDArray[np.float32]
    sample_rate: int
    start: float


class Player:
    """Plays sounds in a thread of its own.

    Args:
        opened: opens the output, given a sample rate in Hz; it raises :class:`NoOutputError`.
        told: told in the thread what went wrong, or "" when a sound has ended.
    """

    def __init__(self, opened: Callable[[int], Output], told: Callable[[str], object]) -> None:
        self._opened = opened
        self._told = told
        self._changed = threading.Condition()
        self._clip: _Clip | None = None
        self._at = 0.0
        self._output: Output | None = None
        self._asked_rate = 0
        self._closed = False
        self._thread: threading.Thread | None = None

    @property
    def playing(self) -> bool:
        """Whether a sound is being played."""
        return self._clip is not None

    @property
    def position(self) -> float:
        """Seconds of the sound that were played; 0.0 if none is."""
        return self._at if self._clip is not None else 0.0

    def play(self, audio: NDArray[np.float32], sample_rate: int, start: float = 0.0) -> None:
        """Play a sound from its start, or from so many seconds behind it.

        Args:
            audio: float32 (channels, frames), full scale 1.0.
            sample_rate: Hz.
            start: seconds.
        """
        with self._changed:
            self._clip, self._at = _Clip(_stereo(audio), sample_rate, start), start
            self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="screen sound", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the sound."""
        with self._changed:
            self._clip = None

    def close(self) -> None:
        """End the sound, and let go of the output as soon as it takes no more."""
        with self._changed:
            self._clip, self._closed = None, True
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._clip is not None or self._closed)
                clip = self._clip
            if clip is None:
                self._let_go()
                return
            failure = self._played(clip)
            with self._changed:
                ended = self._clip is clip
                if ended:
                    self._clip = None
            if ended:
                self._told(failure)

    def _played(self, clip: _Clip) -> str:
        """Play a sound until it ends or another is wanted, and return what went wrong, or ""."""
        try:
            output = self._output_for(clip.sample_rate)
            audio = resampled(clip.audio, clip.sample_rate, output.sample_rate)
            size = max(1, round(_CHUNK * output.sample_rate))
            for at in range(round(clip.start * output.sample_rate), audio.shape[1], size):
                if self._clip is not clip:
                    return ""
                output.write(np.ascontiguousarray(audio[:, at : at + size]))
                self._at = (at + size) / output.sample_rate
        except NoOutputError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 - a device may be unplugged at any time
            self._let_go()
            return f"the sound output failed: {error}"
        return ""

    def _output_for(self, sample_rate: int) -> Output:
        if self._output is None or self._asked_rate != sample_rate:
            self._let_go()
            self._output, self._asked_rate = self._opened(sample_rate), sample_rate
        return self._output

    def _let_go(self) -> None:
        output, self._output = self._output, None
        if output is not None:
            output.close()


def _stereo(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the first two channels, or the only one twice."""
    samples = np.nan_to_num(np.asarray(audio, np.float32))
    return np.repeat(samples, 2, axis=0) if len(samples) == 1 else samples[:2]
