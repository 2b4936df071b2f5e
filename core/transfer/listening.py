"""How far a conversion or a merge is, on the error stream or in a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tonesmith.terminal.progress import progress
from tonesmith.transfer.blocks import Listener


@contextmanager
def listening(what: str, *, hidden: bool) -> Iterator[Listener]:
    """Give a listener that shows on the error stream how far it is, how fast and how long yet."""

    class Shown(Listener):
        def started(self, rows: int, done: int) -> None:
            counter.begin(rows, done)

        def carried(self, rows: int) -> None:
            counter.advance(rows)

    with progress(what, hidden=hidden) as counter:
        yield Shown()
