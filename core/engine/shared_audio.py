"""The memory that an engine and its client share."""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.engine.channel import signal_name
from tonesmith.engine.fault import Fault
from tonesmith.engine.outcome import Outcome
from tonesmith.engine.played import Played
from tonesmith.engine.refusal import advice, refusal
from tonesmith.errors import EngineError, ResourceError

UNPLAYED, PLAYED, _ERROR, _KILLED, _HELD = range(5)


_STATUS = np.dtype([("state", "i4"), ("signal", "i4"), ("channels", "i4"), ("frames", "i4")])

_TOLD = 1 << 16
"""Bytes for what was raised: one place for all notes, as nothing is played after the first that fails. No render
touches it. Or the values that the engine holds otherwise than it was told, after which nothing is played either."""


class SharedAudio:
    """Memory that processes share by mapping one file: a status and the audio of each note, and what was raised."""

    def __init__(self, path: Path, notes: int, channels: int, frames: int) -> None:
        size = self.size(notes, channels, frames)
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), size)
            self._file = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._file)
        header = notes * _STATUS.itemsize
        self.status: NDArray[Any] = np.frombuffer(self._memory, _STATUS, notes)
        self.audio: NDArray[np.float32] = np.frombuffer(
            self._memory, np.float32, notes * channels * frames, header
        ).reshape(notes, channels, frames)
        self._told_at = size - _TOLD

    @staticmethod
    def size(notes: int, channels: int, frames: int) -> int:
        """Return the bytes that the file must have."""
        return notes * (_STATUS.itemsize + 4 * channels * frames) + _TOLD

    def clear(self) -> None:
        """Forget the statuses of the patch before."""
        self.status["state"] = UNPLAYED
        self.status["signal"] = 0

    def put(self, index: int, pieces: Iterable[NDArray[np.float32]]) -> None:
        """Store a note's audio; one of another shape than the plan's is noted and not stored.

        Args:
            index: of the note.
            pieces: of its audio that follow each other in time, each float32 (channels, frames).

        Raises :class:`EngineError` for a piece that is no such array, or has other channels than the one before.
        """
        form, done = self.audio.shape[1:], [0, 0]
        for piece in pieces:
            check_form(piece)
            if done[1] and piece.shape[0] != done[0]:
                raise EngineError(f"render returned {done[0]} channels and then {piece.shape[0]}")
            if piece.shape[0] == form[0] and done[1] + piece.shape[1] <= form[1]:
                self._write(index, done[1], piece)
            done = [piece.shape[0], done[1] + piece.shape[1]]
        status = self.status[index]
        status["channels"], status["frames"] = done
        status["state"] = PLAYED

    def _write(self, index: int, first: int, piece: NDArray[np.float32]) -> None:
        """Store a piece at a frame: by the file, as a fork would have to map each page of the memory first."""
        if not hasattr(os, "pwrite"):
            self.audio[index, :, first : first + piece.shape[1]] = piece
            return
        for channel, samples in enumerate(piece):
            place = len(self.status) * _STATUS.itemsize + self.audio[:index].nbytes + self.audio[0, :channel].nbytes
            os.pwrite(self._file, np.ascontiguousarray(samples).data, place + first * samples.itemsize)

    def put_held(self, held: Mapping[str, float]) -> None:
        """Store the values that the engine holds otherwise than it was told, so that no note was played.

        Raises :class:`EngineError` if they are more than there is room for.
        """
        if not self._tell({name: float(value) for name, value in held.items()}):
            raise EngineError(f"the engine holds {len(held)} values otherwise than it was told; these are too many")
        self.status[0]["state"] = _HELD

    def put_fault(self, index: int, fault: Fault) -> None:
        """Store why a note was not played."""
        if not self._tell(fault.to_json()):
            self._tell(replace(fault, trace="").to_json())
        self.status[index]["state"] = _ERROR

    def _tell(self, what: Mapping[str, Any]) -> bool:
        """Store what can be written as JSON, and return whether there is room for it."""
        content = json.dumps(what).encode()
        if len(content) > _TOLD - 4:
            return False
        self._memory[self._told_at : self._told_at + 4 + len(content)] = len(content).to_bytes(4, "little") + content
        return True

    def put_death(self, index: int, number: int) -> None:
        """Store which signal ended the process that played a note."""
        self.status[index]["signal"] = number
        self.status[index]["state"] = _KILLED

    def outcomes(self, notes: Sequence[Played]) -> list[Outcome]:
        """Return what became of each note, up to the first that was not played."""
        return [self._outcome(i, note) for i, note in enumerate(notes) if self._reached(i)]

    def _reached(self, index: int) -> bool:
        return index == 0 or bool(np.all(self.status["state"][:index] == PLAYED))

    def _outcome(self, index: int, note: Played) -> Outcome:
        status = self.status[index]
        if status["state"] == PLAYED:
            return Outcome(note.pitch, shape=(int(status["channels"]), int(status["frames"])))
        if status["state"] == _HELD:
            return Outcome(note.pitch, "held", held=self._told())
        if status["state"] == _ERROR:
            return Outcome.of_fault(note.pitch, Fault.from_json(self._told()))
        number = int(status["signal"])
        return Outcome(note.pitch, "crash", signal_name(number) if number else "it ended itself", signal=number)

    def _told(self) -> dict[str, Any]:
        start = self._told_at + 4
        length = int.from_bytes(self._memory[self._told_at : start], "little")
        told: dict[str, Any] = json.loads(self._memory[start : start + length])
        return told


def check_form(audio: object) -> None:
    """Raise :class:`EngineError` unless a render is a float32 array of (channels, frames)."""
    if not isinstance(audio, np.ndarray):
        raise EngineError(f"render returned {type(audio).__name__}; it must be an array, float32 (channels, frames)")
    if audio.dtype != np.float32 or audio.ndim != 2:
        raise EngineError(f"render returned {form_of(audio)}; it must be float32 (channels, frames)")


def form_of(audio: NDArray[Any]) -> str:
    """Return the type and shape of an array, such as "float64 (2, 13230)"."""
    return f"{audio.dtype} {audio.shape}"


@contextlib.contextmanager
def shared_file(size: int) -> Iterator[Path]:
    """Give a file of that size for as long as it takes to map it.

    On Linux it is memory without a name: nobody has to remove it, not even when this process is killed.

    Raises :class:`ResourceError` if there is no room for it: later, its lack would kill the engine in mid-render.
    """
    if hasattr(os, "memfd_create"):
        with _told("no memory can be shared with the engine"):
            handle = os.memfd_create("tonesmith")
        try:
            _reserve(handle, size)
            yield Path(f"/proc/{os.getpid()}/fd/{handle}")
        finally:
            os.close(handle)
        return
    with _told("no memory can be shared with the engine"):
        handle, name = tempfile.mkstemp(prefix="tonesmith-")
    try:
        try:
            _reserve(handle, size)
        finally:
            os.close(handle)
        yield Path(name)
    finally:
        with contextlib.suppress(OSError):  # Windows removes no file that is mapped
            Path(name).unlink()


def _reserve(handle: int, size: int) -> None:
    with _told(f"{size} bytes to share with the engine cannot be had"):
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(handle, 0, size)
        else:
            os.truncate(handle, size)


@contextlib.contextmanager
def _told(trouble: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if what := refusal(error):
            raise ResourceError(advice(f"{trouble}: {what}")) from error
        raise
