"""What engines and workers print, line by line, for those who want to hear it.

A child process keeps its standard streams for itself: what it prints goes to the process that started it, and no
further unless somebody listens there.

Environment:
    TONESMITH_TRACE: 1 to pass all of it on to the error stream.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[str], object]

_LISTENERS: list[Listener] = []
_LONGEST = 8192
"""Bytes of a line; what is longer is told in parts."""


@contextmanager
def overhearing(listener: Listener) -> Iterator[None]:
    """Have a listener told each line that children of this process print. It is called in other threads."""
    _LISTENERS.append(listener)
    try:
        yield
    finally:
        _LISTENERS.remove(listener)


def is_heard() -> bool:
    """Return whether anybody listens."""
    return bool(_LISTENERS)


def is_traced() -> bool:
    """Return whether the environment asks for all that children print."""
    return os.environ.get("TONESMITH_TRACE") == "1"


def aloud(line: str) -> None:
    """Print a line to the error stream, in one piece."""
    if sys.stderr is not None:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def tell(line: str) -> None:
    """Tell all who listen. One that raises loses the line; the child must not wait for it."""
    for listener in (*([aloud] if is_traced() else []), *_LISTENERS):
        try:
            listener(line)
        except Exception:  # noqa: BLE001, S112 - a full disk or a closed terminal must not stop an engine
            continue


class Lines:
    """Cuts what a child prints into lines, and tells each with the child's name in front."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._rest = b""

    def feed(self, heard: bytes) -> None:
        """Take the next bytes."""
        *whole, self._rest = (self._rest + heard).split(b"\n")
        if len(self._rest) > _LONGEST:
            whole, self._rest = [*whole, self._rest], b""
        for line in whole:
            self._tell(line)

    def end(self) -> None:
        """Tell what is left: a last line without its end."""
        if self._rest:
            self._tell(self._rest)
            self._rest = b""

    def _tell(self, line: bytes) -> None:
        tell(f"{self._name}: {_visible(line.decode(errors='replace'))}".rstrip())


def _visible(text: str) -> str:
    """Return text without what a screen obeys instead of showing it; tabs stay."""
    return "".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in text.removesuffix("\r"))
