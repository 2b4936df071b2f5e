"""Who else writes to a dataset, and which of its blocks are theirs.

Several runs of one plan at one path share the blocks. Each holds locks on bytes of one file while it works: one byte
that says that somebody is at work, one that is its own, and one for each block that it has taken. There is no
coordinator. The system takes the locks back when a process ends, however it ends, so that nothing has to be cleared up
after one that was killed, and its blocks are free for the others.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from tonesmith.buckets.address import is_remote
from tonesmith.run.locks import ByteLocks
from tonesmith.terminal.messages import warn

_NAME = ".tonesmith.lock"
_SOMEBODY = 1 << 40
"""The byte that all who write have in common. Those before it are the blocks'."""
_TURN = _SOMEBODY + 1
"""The byte of what one run does at a time."""
_RUNS = 1 << 41
"""The first of the bytes of which each run has one."""

_WAIT = 0.05
"""Seconds between two tries to have one's turn."""


class Presence:
    """One who writes to a dataset.

    Attributes:
        number: of the run, drawn at random: 0..2**32 - 1.
        locked: whether others can tell that it is there, and which blocks it makes.
    """

    def __init__(self, locks: ByteLocks | None) -> None:
        self.number = secrets.randbits(32)
        self._locks = locks
        self.locked = locks is not None and self._entered(locks)

    def others(self) -> bool:
        """Return whether others write to the dataset, as far as that can be known."""
        try:
            return self.locked and self._locks is not None and self._is_shared(self._locks)
        except OSError:
            return False

    def claim(self, block: int) -> bool:
        """Take a block for oneself, and return whether it was free. Where there are no locks, every block is."""
        try:
            return not self.locked or self._locks is None or self._locks.take(block)
        except OSError:
            return True

    def release(self, block: int) -> None:
        """Give a block back."""
        if self.locked and self._locks is not None:
            with contextlib.suppress(OSError):
                self._locks.free(block)

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Keep others from what one run does at a time, such as to finish the dataset, and wait for who does it."""
        with contextlib.suppress(OSError):
            while self.locked and self._locks is not None and not self._locks.take(_TURN):
                time.sleep(_WAIT)
        try:
            yield
        finally:
            self.release(_TURN)

    def _entered(self, locks: ByteLocks) -> bool:
        try:
            return locks.take(_SOMEBODY, shared=True) and locks.take(_RUNS + self.number)
        except OSError:  # a file system without locks
            return False

    def _is_shared(self, locks: ByteLocks) -> bool:
        return locks.is_held(_SOMEBODY)


@contextlib.contextmanager
def joining(path: Path) -> Iterator[Presence]:
    """Be known as one who writes to a dataset for as long as the ``with`` block lasts.

    Where the platform or the file system has no such locks, nobody is known.

    Args:
        path: of the dataset. Where it is a single file, the lock lies beside it.
    """
    if is_remote(path):  # a bucket has no locks
        yield Presence(None)
        return
    file = lock_file(path)
    descriptor = _opened(file)
    locks = ByteLocks(descriptor) if descriptor is not None else None
    try:
        yield Presence(locks)
    finally:
        if descriptor is not None and locks is not None:
            _leave(descriptor, locks, file)


@contextlib.contextmanager
def present(path: Path) -> Iterator[Presence]:
    """Be known as one who writes to a dataset, as :func:`joining` does, and warn if another one is."""
    with joining(path) as presence:
        if presence.others():
            warn(
                f"{path}: another process is writing to it. Both go on, and no row is lost, but each makes every block "
                "that was missing when it began. Stop one of them."
            )
        yield presence


def is_at_work(path: Path, number: int) -> bool | None:
    """Return whether a run is still there, by its lock; None where that cannot be known.

    Args:
        path: of the dataset.
        number: of the run, as its :class:`Presence` has it.
    """
    try:
        descriptor = os.open(lock_file(path), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:  # the last one to leave has removed it
        return False
    except OSError:
        return None
    try:
        return ByteLocks(descriptor).is_held(_RUNS + number)
    except (ImportError, OSError):
        return None
    finally:
        os.close(descriptor)


def lock_file(path: Path) -> Path:
    """Return the file whose locks tell that a dataset is being written to: in its folder, or beside its file."""
    return path / _NAME if path.is_dir() else path.with_name(f".{path.name}{_NAME}")


def _opened(file: Path) -> int | None:
    """Return a descriptor of the lock's file, which is made if it is not there; None where that is not possible."""
    try:
        import fcntl  # noqa: F401 - Windows has none

        return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    except (ImportError, OSError, ValueError):  # what the run cannot write to, it tells itself
        return None


def _leave(descriptor: int, locks: ByteLocks, file: Path) -> None:
    """Give the locks back, and remove their file if nobody else has any."""
    with contextlib.suppress(OSError):
        if locks.take(_SOMEBODY):
            file.unlink()
    os.close(descriptor)
