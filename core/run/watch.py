"""Watching a run: what a watcher hears, and the summary at the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tonesmith.plan.summary import Summary

if TYPE_CHECKING:
    from tonesmith.plan.plan import Plan
    from tonesmith.plan.rejection import Rejection


class Watcher:
    """Hears what happens in a run, in the parent process and in its main thread. This one says nothing of it."""

    def started(self, plan: Plan, path: Path, blocks_todo: int, rows_done: int) -> None:
        """Hear that the run begins, with so many rows stored by runs before it."""

    def accepted(self, rows: int) -> None:
        """Hear that rows were rendered and accepted. They are stored once their block is committed."""

    def again(self, patch: int, attempt: int, why: str) -> None:
        """Hear that a candidate died or took too long, and is played once more before it is blamed for it."""

    def rejected(self, rejection: Rejection) -> None:
        """Hear that a candidate was rejected, and is drawn again."""

    def dropped(self, rows: int, rejections: Sequence[Rejection]) -> None:
        """Hear that a worker died: what it had accepted and rejected of its block is made again."""

    def committed(self, block: int, rows: int) -> None:
        """Hear that a block is safely stored."""

    def stopping(self) -> None:
        """Hear that the run was asked to stop, and finishes the blocks in flight."""

    def dropping(self) -> None:
        """Hear that the run was told to stop at once, and drops the blocks in flight."""

    def finished(self, summary: Summary) -> None:
        """Hear that the run ended, complete or not."""
