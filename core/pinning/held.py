"""In a pinned process: what is held still, and from when on."""

from __future__ import annotations

import contextlib
import ctypes
import os
from functools import cache
from pathlib import Path
from typing import Any

from tonesmith.pinning.memory import level
from tonesmith.pinning.start import MARK, PRELOAD, Held

_UNRANDOMISED = 0x0040000
_STATE: dict[str, bool] = {}
"""Of this process and its forks: "pinned" if it was started so, and "level" once memory has been levelled, or not."""


def settle_in() -> None:
    """Note whether this process was started pinned, and leave no trace of it in what it starts itself."""
    _STATE["pinned"] = clear_traces()


def clear_traces() -> bool:
    """Take away what this process was started pinned with, and return whether it was."""
    if os.environ.pop(MARK, None) is None:
        return False
    first, _, others = os.environ.get(PRELOAD, "").partition(" ")
    folder, _, number = first.rpartition("/")
    if folder == "/proc/self/fd":
        os.close(int(number))
        del os.environ[PRELOAD]
        if others:
            os.environ[PRELOAD] = others
    return True


def hold_still() -> None:
    """Hold clocks, random devices and addresses still from here on, if this process was started pinned.

    A backend calls it each time right before it loads its plugin, in the thread that uses it, and after it has imported
    what it needs. Clocks and random devices begin anew. The interpreter itself goes on to see the true ones: what it
    looks at between two notes must not matter.
    """
    if not _STATE.get("pinned"):
        return
    hold, own = _hold(), tuple(map(ctypes.c_size_t, _interpreter()))
    if "level" not in _STATE:
        _STATE["level"] = _unrandomised() and level()
    if hold is not None:
        hold(1, *own)


def held() -> tuple[Held, ...]:
    """Return what this process holds still since :func:`hold_still` was called."""
    if "level" not in _STATE:
        return ()
    clocks: tuple[Held, ...] = ("clocks", "random devices") if _hold() is not None else ()
    return (*clocks, "addresses") if _STATE["level"] else clocks


def _hold() -> Any:
    return getattr(ctypes.CDLL(None), "tonesmith_hold", None)


@cache
def _interpreter() -> tuple[int, int]:
    """Return where the code of the interpreter starts, and its size."""
    place = ctypes.cast(ctypes.pythonapi.Py_GetVersion, ctypes.c_void_p).value or 0
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines():
            start, end = (int(text, 16) for text in line.split(None, 1)[0].split("-"))
            if start <= place < end:
                return start, end - start
    return 0, 0


def _unrandomised() -> bool:
    with contextlib.suppress(OSError, ValueError):
        return bool(int(Path("/proc/self/personality").read_text(encoding="ascii"), 16) & _UNRANDOMISED)
    return False
