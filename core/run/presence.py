"""Whether another process of this machine is writing to a dataset: it goes on all the same, but the user is told.

Two runs of one plan at one path do no harm: every block is whole, whichever of them wrote it last. But both make every
block, and nobody starts two for that. So each holds a lock while it works. The system takes it back when the process
ends, however it ends, so that nothing has to be cleared up after one that was killed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from tonesmith.terminal.messages import warn

_NAME = ".tonesmith.lock"


@contextlib.contextmanager
def present(path: Path) -> Iterator[None]:
    """Be known as one who writes to a dataset for as long as the ``with`` block lasts; warn if another one is.

    Where the platform or the file system has no such locks, nobody is known.

    Args:
        path: of the dataset. Where it is a single file, the lock lies beside it.
    """
    file = lock_file(path)
    descriptor = _opened(file)
    if descriptor is None:
        yield
        return
    try:
        if _is_shared(descriptor):
            warn(
                f"{path}: another process is writing to it. Both go on, and no row is lost, but each makes every block "
                "that was missing when it began. Stop one of them."
            )
        yield
    finally:
        _leave(descriptor, file)


def lock_file(path: Path) -> Path:
    """Return the file whose lock tells that a dataset is being written to: in its folder, or beside its file."""
    return path / _NAME if path.is_dir() else path.with_name(f".{path.name}{_NAME}")


def _opened(file: Path) -> int | None:
    try:
        import fcntl  # noqa: F401 - Windows has none

        return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    except (ImportError, OSError, ValueError):  # what the run cannot write to, it tells itself
        return None


def _is_shared(descriptor: int) -> bool:
    """Take the lock together with all who write to the dataset, and return whether there are others."""
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        shared = True
    except OSError:  # a file system without locks
        return False
    else:
        shared = False
    with contextlib.suppress(OSError):  # another is just entering or leaving
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return shared


def _leave(descriptor: int, file: Path) -> None:
    """Give the lock back, and remove its file if nobody else has it."""
    import fcntl

    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.unlink()
    os.close(descriptor)
