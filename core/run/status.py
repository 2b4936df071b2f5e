"""How far a dataset is: from its blocks, and from the logs of its runs where there are any."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.reader import Dataset
from tonesmith.run.history import PastRun, past_runs

_SPENT = 0.1
"""Of the time, at most, that goes into reading the reject ledger while a dataset is watched."""


@dataclass(frozen=True, slots=True)
class Status:
    """How far a dataset is.

    Attributes:
        path: of it.
        rows, rows_planned: that are stored, and of the whole plan.
        blocks, blocks_planned: the same of blocks.
        rejections: how often in the stored blocks, by "validator: reason".
        runs: those that have a log here, oldest first.
    """

    path: Path
    rows: int
    rows_planned: int
    blocks: int
    blocks_planned: int
    rejections: Mapping[str, int]
    runs: tuple[PastRun, ...]

    @property
    def complete(self) -> bool:
        """Whether every row of the plan is stored."""
        return self.rows == self.rows_planned

    @property
    def rate(self) -> float | None:
        """Rows/s that are made now by all who are at work; None where that is not known."""
        rates = [run.rate for run in self.runs if run.state == "working" and run.rate]
        return sum(rates) or None

    @property
    def seconds_left(self) -> float | None:
        """Seconds that the rest takes at this rate; None where that is not known."""
        return (self.rows_planned - self.rows) / self.rate if self.rate else None

    @property
    def last_error(self) -> PastRun | None:
        """The run in which something went wrong last, if anything did."""
        return max((run for run in self.runs if run.error), key=lambda run: run.error_time, default=None)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        wrong = self.last_error
        return {
            "path": str(self.path),
            "rows": self.rows,
            "rows_planned": self.rows_planned,
            "blocks": self.blocks,
            "blocks_planned": self.blocks_planned,
            "complete": self.complete,
            "rate": self.rate,
            "seconds_left": self.seconds_left,
            "rejections": dict(self.rejections),
            "last_error": {"error": wrong.error, "time": wrong.error_time} if wrong else None,
            "runs": [run.to_json() for run in self.runs],
        }


class Statuses:
    """The status of a dataset, again and again. Nothing is written, and no plugin but the sink is loaded."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rejections: Mapping[str, int] = {}
        self._due = 0.0

    def now(self) -> Status:
        """Return the status.

        Raises :class:`DatasetNotFoundError` if nothing is at the path, :class:`DatasetError` if it is no dataset.
        """
        opened = open_dataset(self._path)
        committed = opened.storage.committed()
        plan = opened.plan
        return Status(
            path=self._path,
            rows=sum(committed.values()),
            rows_planned=plan.rows,
            blocks=sum(rows == plan.rows_of(block) for block, rows in committed.items() if block < plan.blocks),
            blocks_planned=plan.blocks,
            rejections=self._rejected(opened),
            runs=tuple(past_runs(self._path, str(opened.attributes.get("fingerprint", plan.fingerprint)))),
        )

    def _rejected(self, opened: Dataset) -> Mapping[str, int]:
        began = time.monotonic()
        if began >= self._due:
            self._rejections = dict(Counter(entry.cause for entry in opened.storage.rejections()).most_common())
            ended = time.monotonic()
            self._due = ended + (ended - began) / _SPENT
        return self._rejections
