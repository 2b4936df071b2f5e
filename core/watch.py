"""Watching a run: what a watcher hears, and the summary at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tonesmith.block import Rejection
    from tonesmith.plan import Plan


@dataclass(frozen=True, slots=True)
class Summary:
    """How a run ended.

    Attributes:
        path: of the dataset.
        rows: stored now, from this run and those before it.
        rows_planned: of the whole plan.
        rows_added: by this run.
        patches: of the whole plan.
        seconds: that this run took.
        nbytes: that the dataset takes in storage.
        rejections: how often in this run, by "validator: reason".
        candidates: drawn in this run, accepted or not.
        digest: SHA-256 of the content of the stored rows.
        complete: whether every row of the plan is stored.
        interrupted: whether the run was asked to stop before.
    """

    path: Path
    rows: int
    rows_planned: int
    rows_added: int
    patches: int
    seconds: float
    nbytes: int
    rejections: Mapping[str, int]
    candidates: int
    digest: str
    complete: bool
    interrupted: bool

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return {**asdict(self), "path": str(self.path), "rejections": dict(self.rejections)}


class Watcher:
    """Hears what happens in a run, in the parent process and in its main thread. This one says nothing of it."""

    def started(self, plan: Plan, path: Path, blocks_todo: int, rows_done: int) -> None:
        """Hear that the run begins, with so many rows stored by runs before it."""

    def accepted(self, rows: int) -> None:
        """Hear that rows were rendered and accepted. They are stored once their block is committed."""

    def rejected(self, rejection: Rejection) -> None:
        """Hear that a candidate was rejected, and is drawn again."""

    def dropped(self, rows: int, rejections: Sequence[Rejection]) -> None:
        """Hear that a worker died: what it had accepted and rejected of its block is made again."""

    def committed(self, block: int, rows: int) -> None:
        """Hear that a block is safely stored."""

    def stopping(self) -> None:
        """Hear that the run was asked to stop, and finishes the blocks in flight."""

    def finished(self, summary: Summary) -> None:
        """Hear that the run ended, complete or not."""
