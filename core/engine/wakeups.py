"""What threads of an engine are woken by: sockets, pipes and event counters, which a fork must not share.

A plugin's toolkit may run threads of its own. JUCE's waits at a socketpair, and whoever posts a message writes a byte
into it. A fork has the descriptors but not the thread: its bytes wake the thread of the engine, which finds no message
and looks again, for ever; and once the socket is full, every fork that writes into it hangs.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

_LISTED, _TASKS = Path("/proc/self/fd"), Path("/proc/self/task")
_KINDS = ("socket:", "pipe:", "anon_inode:[eventfd]")
_OPENED: set[int] = set()


@contextlib.contextmanager
def waking() -> Iterator[None]:
    """Keep in mind the descriptors that a plugin opens meanwhile, for threads of its own to wait at."""
    before = _wakeups()
    yield
    _OPENED.update(number for number, _ in _wakeups() - before)


def silence() -> None:
    """Have what was opened lead nowhere, in this process alone: what is written is gone, and nothing is read."""
    if not _OPENED:
        return
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in _OPENED:
        os.dup2(nothing, number)
    os.close(nothing)
    _OPENED.clear()


def _wakeups() -> frozenset[tuple[int, str]]:
    """Return the number and the identity of each descriptor that may wake a thread; none where there is no /proc."""
    found = set()
    with contextlib.suppress(OSError):
        for entry in _LISTED.iterdir():
            with contextlib.suppress(OSError):  # that of the listing is closed by now
                if (target := str(entry.readlink())).startswith(_KINDS):
                    found.add((int(entry.name), target))
    return frozenset(found)


def threads() -> int:
    """Return how many threads this process has; 1 where that cannot be told."""
    try:
        return len(list(_TASKS.iterdir()))
    except OSError:
        return 1
