"""The progress of a run on the error stream."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tonesmith.run.watch import Watcher
from tonesmith.terminal.progress import Meter, Pace, error_console, log_line, redraws
from tonesmith.terminal.text import counted, rough, shown, size

if TYPE_CHECKING:
    from tonesmith.plan.plan import Plan
    from tonesmith.plan.promises import Determinism
    from tonesmith.plan.rejection import Rejection


class _Reporter(Watcher):
    """The counts that the live and the plain watcher share, and their text."""

    def __init__(self) -> None:
        self.determinism: Determinism | None = None
        self.meter = Meter(0, 0)
        self.accepted_rows = 0
        self.rejections: Counter[str] = Counter()
        self.name = ""
        self.halting = False
        self.share_rows = 0

    def sharing(self, blocks: int, rows: int) -> None:
        self.share_rows = rows

    def started(self, plan: Plan, path: Path, blocks_todo: int, rows_done: int) -> None:
        self.meter = Meter(self.share_rows or plan.rows, rows_done)
        self.name = shown(path.name)
        if (level := self.determinism or plan.determinism) != "exact":
            self._say(f"with isolation {plan.isolation}, the determinism of rows is {level!r}, not 'exact'")
        known = f"{rows_done} done, " if rows_done else ""
        whole = f"{counted(plan.rows, 'row')} in {counted(plan.blocks, 'block')}"
        if self.share_rows:
            whole = f"a share of {counted(self.share_rows, 'row')}, of {whole}"
        self._say(f"{path}: {whole}; {known}{counted(blocks_todo, 'block')} to go")

    def accepted(self, rows: int) -> None:
        self.accepted_rows += rows
        self.meter.add(rows, time.monotonic())

    def rejected(self, rejection: Rejection) -> None:
        self.rejections[rejection.cause] += 1

    def dropped(self, rows: int, rejections: Sequence[Rejection]) -> None:
        self.accepted_rows -= rows
        self.meter.add(-rows, time.monotonic())
        self.rejections -= Counter(rejection.cause for rejection in rejections)

    def outlook(self, seconds: float, nbytes: int, free: int | None) -> None:
        room = f", and the disk has {size(free)} free" if free is not None else ""
        self._say(f"{self.name}: about {rough(seconds)} for the rest; about {size(nbytes)} in all{room}")

    def joined(self) -> None:
        self._say(f"{self.name}: another run makes this dataset too. The blocks are shared between them.")

    def elsewhere(self, block: int, rows: int) -> None:
        self.meter.add(rows, time.monotonic())

    def waiting(self, blocks: int) -> None:
        self._say(f"{self.name}: waiting for {counted(blocks, 'block')} that another run is making")

    def stopping(self) -> None:
        self.halting = True
        self._say("stopping after the blocks in progress; press Ctrl-C again to drop them")

    def dropping(self) -> None:
        self.halting = True
        self._say("stopping at once: the blocks in progress are dropped; finished blocks are kept")

    def rejected_text(self) -> str:
        """Return how many candidates were rejected and why, or ""."""
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in self.rejections.most_common())
        return f"rejected {self.rejections.total():,} ({reasons})" if reasons else ""

    def _say(self, text: str) -> None:
        raise NotImplementedError


class _LiveProgress(_Reporter):
    """Two lines that are redrawn: bar, rows/s and time left; accepted and rejected by reason."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def _say(self, text: str) -> None:
        self._console.print(shown(text), highlight=False, markup=False, soft_wrap=True)

    def counts(self) -> str:
        rejected = self.rejected_text() or "rejected 0"
        return f"accepted {counted(self.accepted_rows, 'row')}, {rejected}"

    def speed(self, now: float) -> str:
        rate = self.meter.rate(now)
        return f"{rate:.1f} rows/s" if rate is not None else "-- rows/s"

    def __rich__(self) -> RenderableType:
        now = time.monotonic()
        meter = self.meter
        grid = Table.grid(padding=(0, 1), expand=True)
        for _ in range(5):
            grid.add_column(no_wrap=True, ratio=None)
        grid.columns[0].max_width = 20
        grid.columns[1].ratio = 1
        tail = "stopping" if self.halting else f"{meter.left(now)} left"
        bar = ProgressBar(total=max(meter.total, 1), completed=meter.done)
        grid.add_row(
            Text(self.name, overflow="ellipsis"), bar, f"{meter.done:,}/{meter.total:,}", self.speed(now), tail
        )
        return Group(grid, Text(shown(self.counts()), style="dim", overflow="ellipsis", no_wrap=True))


class _PlainProgress(_Reporter):
    """A line now and then, for logs."""

    def __init__(self) -> None:
        super().__init__()
        self._pace = Pace(time.monotonic())

    def accepted(self, rows: int) -> None:
        super().accepted(rows)
        self._show()

    def elsewhere(self, block: int, rows: int) -> None:
        super().elsewhere(block, rows)
        self._show()

    def tick(self) -> None:
        self._show()

    def _show(self) -> None:
        now = time.monotonic()
        if self._pace.is_due(now):
            log_line("; ".join(filter(None, [f"{self.name}: {self.meter.text('rows', now)}", self.rejected_text()])))

    def _say(self, text: str) -> None:
        log_line(text)


@contextmanager
def progress(*, quiet: bool = False, determinism: Determinism | None = None) -> Iterator[Watcher]:
    """Give a watcher that shows a run on the error stream: live on a terminal, in lines elsewhere.

    Args:
        quiet: whether it shows nothing.
        determinism: what is known of rows that are rendered again; None for what the plan promises.
    """
    console = error_console()
    if quiet:
        yield Watcher()
        return
    watcher = _LiveProgress(console) if redraws(console) else _PlainProgress()
    watcher.determinism = determinism
    with (
        Live(watcher, console=console, refresh_per_second=8, transient=True)
        if isinstance(watcher, _LiveProgress)
        else nullcontext()
    ):
        yield watcher
