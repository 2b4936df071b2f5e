"""How long a run will take and how large its dataset will be, from the first block that is stored."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tonesmith.host.roles import Sink
from tonesmith.plan.plan import Plan
from tonesmith.plan.rejection import Rejection
from tonesmith.run.room import free_at, warn_of_room
from tonesmith.run.watch import Relay, Watcher

WORTH = 60.0
"""Seconds that are left at least, for it to be worth a word."""


class Outlook(Relay):
    """Tells another watcher of it, once, if the dataset is new and the run is not short.

    Args:
        watcher: that is told.
        sink: that stores the dataset.
    """

    def __init__(self, watcher: Watcher, sink: Sink[Any]) -> None:
        super().__init__(watcher)
        self._sink = sink
        self._plan: Plan | None = None
        self._began = time.monotonic()
        self._accepted = 0

    def started(self, plan: Plan, path: Path, blocks_todo: int, rows_done: int) -> None:
        """Begin to count."""
        super().started(plan, path, blocks_todo, rows_done)
        self._plan = plan if not rows_done else None
        self._began = time.monotonic()

    def accepted(self, rows: int) -> None:
        """Count rows, those of blocks that are not stored yet too."""
        self._accepted += rows
        super().accepted(rows)

    def dropped(self, rows: int, rejections: Sequence[Rejection]) -> None:
        """Count no longer what was lost."""
        self._accepted -= rows
        super().dropped(rows, rejections)

    def committed(self, block: int, rows: int) -> None:
        """Tell of the rest."""
        super().committed(block, rows)
        plan, self._plan = self._plan, None
        if plan is None or not self._accepted:
            return
        seconds = (plan.rows - self._accepted) * (time.monotonic() - self._began) / self._accepted
        if seconds > WORTH:
            self._tell(plan, seconds)

    def _tell(self, plan: Plan, seconds: float) -> None:
        with contextlib.suppress(OSError):
            there = type(self._sink).open(self._sink.path)
            copies = self._sink.footprint(len(plan.schema)).copies
            stored, rows = there.nbytes(), max(sum(there.committed().values()), 1)
            free = free_at(self._sink.path)
            super().outlook(seconds, stored * plan.rows // rows, free.nbytes if free else None)
            warn_of_room(self._sink.path, (copies * plan.rows - rows) * stored // rows)
