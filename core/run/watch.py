"""Watching a run: the events that a watcher receives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tonesmith.plan.summary import Summary

if TYPE_CHECKING:
    from tonesmith.plan.plan import Plan
    from tonesmith.plan.rejection import Rejection


class Watcher:
    """Receives the events of a run, in the main thread of the parent process. This one ignores them."""

    def started(self, plan: Plan, path: Path, blocks_todo: int, rows_done: int) -> None:
        """Called when the run begins, with the number of rows that earlier runs stored."""

    def sharing(self, blocks: int, rows: int) -> None:
        """Hear, before :meth:`started`, that only so many blocks and rows of the plan are the run's to make."""

    def accepted(self, rows: int) -> None:
        """Called when rows were rendered and accepted. They are stored once their block is committed."""

    def again(self, patch: int, attempt: int, why: str) -> None:
        """Hear that a candidate died or took too long, and is played once more before it is blamed for it."""

    def rejected(self, rejection: Rejection) -> None:
        """Called when a candidate was rejected and will be drawn again."""

    def dropped(self, rows: int, rejections: Sequence[Rejection]) -> None:
        """Called when a worker died. The rows and rejections of its block are made again."""

    def committed(self, block: int, rows: int) -> None:
        """Called when a block is safely stored."""

    def outlook(self, seconds: float, nbytes: int, free: int | None) -> None:
        """Hear, after the first block of a new dataset, how long the rest will take and how large all will be.

        Args:
            seconds: that the rest takes at the speed until now.
            nbytes: that the whole dataset takes at the size of what is stored.
            free: bytes that its disk has free; None if that is not known.
        """

    def joined(self) -> None:
        """Hear that another run makes the same dataset: each makes the blocks that the other does not."""

    def elsewhere(self, block: int, rows: int) -> None:
        """Hear that another run stored a block, with the rows in it that were missing when this run began."""

    def waiting(self, blocks: int) -> None:
        """Hear that only blocks are left that other runs are making. What one that is killed leaves is made here."""

    def tick(self) -> None:
        """Called several times a second for as long as the run goes on, also when nothing happens."""

    def stopping(self) -> None:
        """Called when the run was asked to stop. It finishes the blocks in progress."""

    def dropping(self) -> None:
        """Hear that the run was told to stop at once, and drops the blocks in flight."""

    def finished(self, summary: Summary) -> None:
        """Called when the run ended, complete or not."""


class Relay(Watcher):
    """Passes everything on to another watcher. A subclass does something beside."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def started(self, plan: Plan, path: Path, blocks_todo: int, rows_done: int) -> None:
        """Pass it on."""
        self._watcher.started(plan, path, blocks_todo, rows_done)

    def sharing(self, blocks: int, rows: int) -> None:
        """Pass it on."""
        self._watcher.sharing(blocks, rows)

    def accepted(self, rows: int) -> None:
        """Pass it on."""
        self._watcher.accepted(rows)

    def again(self, patch: int, attempt: int, why: str) -> None:
        """Pass it on."""
        self._watcher.again(patch, attempt, why)

    def rejected(self, rejection: Rejection) -> None:
        """Pass it on."""
        self._watcher.rejected(rejection)

    def dropped(self, rows: int, rejections: Sequence[Rejection]) -> None:
        """Pass it on."""
        self._watcher.dropped(rows, rejections)

    def committed(self, block: int, rows: int) -> None:
        """Pass it on."""
        self._watcher.committed(block, rows)

    def outlook(self, seconds: float, nbytes: int, free: int | None) -> None:
        """Pass it on."""
        self._watcher.outlook(seconds, nbytes, free)

    def joined(self) -> None:
        """Pass it on."""
        self._watcher.joined()

    def elsewhere(self, block: int, rows: int) -> None:
        """Pass it on."""
        self._watcher.elsewhere(block, rows)

    def waiting(self, blocks: int) -> None:
        """Pass it on."""
        self._watcher.waiting(blocks)

    def tick(self) -> None:
        """Pass it on."""
        self._watcher.tick()

    def stopping(self) -> None:
        """Pass it on."""
        self._watcher.stopping()

    def dropping(self) -> None:
        """Pass it on."""
        self._watcher.dropping()

    def finished(self, summary: Summary) -> None:
        """Pass it on."""
        self._watcher.finished(summary)
