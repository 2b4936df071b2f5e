"""The memory that an engine and its client share."""

from __future__ import annotations

import contextlib
import mmap
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.engine.channel import signal_name
from tonesmith.engine.outcome import Outcome
from tonesmith.space.patch import Note

UNPLAYED, PLAYED, _ERROR, _KILLED = range(4)

_TEXT = 1024

_STATUS = np.dtype([("state", "i4"), ("signal", "i4"), ("channels", "i4"), ("frames", "i4"), ("text", f"S{_TEXT}")])


class SharedAudio:
    """Memory that processes share by mapping one file: a status and the audio of each note."""

    def __init__(self, path: Path, notes: int, channels: int, frames: int) -> None:
        size = self.size(notes, channels, frames)
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), size)
        header = notes * _STATUS.itemsize
        self.status: NDArray[Any] = np.frombuffer(self._memory, _STATUS, notes)
        self.audio: NDArray[np.float32] = np.frombuffer(
            self._memory, np.float32, notes * channels * frames, header
        ).reshape(notes, channels, frames)

    @staticmethod
    def size(notes: int, channels: int, frames: int) -> int:
        """Return the bytes that the file must have."""
        return notes * (_STATUS.itemsize + 4 * channels * frames)

    def clear(self) -> None:
        """Forget the statuses of the patch before."""
        self.status["state"] = UNPLAYED
        self.status["signal"] = 0

    def put(self, index: int, audio: NDArray[np.float32]) -> None:
        """Store a note's audio; one of another shape than the plan's is noted and not stored."""
        if audio.ndim != 2:
            raise TypeError(f"the backend returned an array of shape {audio.shape}; expected (channels, frames)")
        status = self.status[index]
        status["channels"], status["frames"] = audio.shape
        if audio.shape == self.audio.shape[1:]:
            self.audio[index] = audio
        status["state"] = PLAYED

    def put_error(self, index: int, error: BaseException) -> None:
        """Store why a note was not played."""
        text = str(error) if type(error).__module__.startswith("tonesmith") else f"{type(error).__name__}: {error}"
        self.status[index]["text"] = text.encode()[:_TEXT]
        self.status[index]["state"] = _ERROR

    def put_death(self, index: int, number: int) -> None:
        """Store which signal ended the process that played a note."""
        self.status[index]["signal"] = number
        self.status[index]["state"] = _KILLED

    def outcomes(self, notes: Sequence[Note]) -> list[Outcome]:
        """Return what became of each note, up to the first that was not played."""
        return [self._outcome(i, note) for i, note in enumerate(notes) if self._reached(i)]

    def _reached(self, index: int) -> bool:
        return index == 0 or bool(np.all(self.status["state"][:index] == PLAYED))

    def _outcome(self, index: int, note: Note) -> Outcome:
        status = self.status[index]
        if status["state"] == PLAYED:
            return Outcome(note.pitch, shape=(int(status["channels"]), int(status["frames"])))
        if status["state"] == _ERROR:
            return Outcome(note.pitch, "error", status["text"].decode(errors="replace"))
        number = int(status["signal"])
        return Outcome(note.pitch, "crash", signal_name(number), signal=number)


@contextlib.contextmanager
def shared_file(size: int) -> Iterator[Path]:
    """Give a file of that size for as long as it takes to map it.

    On Linux it is memory without a name: nobody has to remove it, not even when this process is killed.
    """
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("tonesmith")
        try:
            os.truncate(handle, size)
            yield Path(f"/proc/{os.getpid()}/fd/{handle}")
        finally:
            os.close(handle)
        return
    handle, name = tempfile.mkstemp(prefix="tonesmith-")
    os.close(handle)
    try:
        os.truncate(name, size)
        yield Path(name)
    finally:
        with contextlib.suppress(OSError):  # Windows removes no file that is mapped
            Path(name).unlink()
