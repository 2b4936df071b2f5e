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

    def stopping(self) -> None:
        """Called when the run was asked to stop. It finishes the blocks in progress."""

    def dropping(self) -> None:
        """Hear that the run was told to stop at once, and drops the blocks in flight."""

    def finished(self, summary: Summary) -> None:
        """Called when the run ended, complete or not."""
