"""One command at a time changes a corpus. The system gives the lock back when its process ends, however it ends."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tonesmith.corpus.errors import CorpusBusyError, CorpusError
from tonesmith.terminal.messages import say

NAME: Final = "corpus.lock"
WAIT: Final = 60.0
"""Seconds that a command waits for another, unless it is told otherwise."""
_EVERY: Final = 0.05
_DIGITS: Final = 20
"""Bytes of the number of a process, so that the file keeps its length."""


@contextmanager
def changing(folder: Path, wait: float = WAIT) -> Iterator[None]:
    """Keep other commands from changing a corpus.

    Args:
        folder: of the corpus.
        wait: seconds to wait for another command.

    Raises :class:`CorpusBusyError` if another is still at work then.
    """
    path = folder / NAME
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
    except OSError as error:
        raise CorpusError(f"{folder} cannot be changed: {path.name}: {error.strerror}.") from None
    try:
        _take(descriptor, folder, wait)
        with contextlib.suppress(OSError):  # a full disk: the number is only for whoever waits
            _sign(descriptor)
        yield
    finally:
        os.close(descriptor)


def _sign(descriptor: int) -> None:
    """Write who holds the lock, unless it says so: what changes the file makes the next commit ten times as slow."""
    mine = f"{os.getpid():<{_DIGITS}}".encode()
    if os.pread(descriptor, _DIGITS, 0) != mine:
        os.pwrite(descriptor, mine, 0)


def _take(descriptor: int, folder: Path, wait: float) -> None:
    import fcntl

    started, told = time.monotonic(), False
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        gone = time.monotonic() - started
        if gone >= wait:
            raise CorpusBusyError(f"{folder} is being changed by {_holder(descriptor)}. Try again when it has ended.")
        if gone > 1.0 and not told:
            say(f"waiting for {_holder(descriptor)}, which is changing {folder}")
            told = True
        time.sleep(_EVERY)


def _holder(descriptor: int) -> str:
    number = os.pread(descriptor, _DIGITS, 0).strip()
    return f"another command (process {int(number)})" if number.isdigit() else "another command"
