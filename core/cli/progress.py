"""The progress of a run on the error stream, and the summary at its end."""

from __future__ import annotations

import shlex
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tonesmith.plan.summary import Summary
from tonesmith.run.watch import Watcher
from tonesmith.terminal.text import clock, counted, shown, size

if TYPE_CHECKING:
    from tonesmith.plan.plan import Plan
    from tonesmith.plan.rejection import Rejection

_WINDOW = 30.0
"""Seconds of the past that the rate is taken from."""
_EVERY = 10.0
"""Seconds between lines where there is no terminal to redraw."""


class Meter:
    """Counts rows, and measures their rate over the last half minute."""

    def __init__(self, total: int, done: int) -> None:
        self.total = total
        self.done = done
        self._recent: deque[tuple[float, int]] = deque()

    def add(self, rows: int, now: float) -> None:
        """Count rows that arrive at ``now``, in seconds of any steady clock."""
        self.done += rows
        self._recent.append((now, self.done))
        while len(self._recent) > 2 and self._recent[1][0] < now - _WINDOW:
            self._recent.popleft()

    def rate(self, now: float) -> float | None:
        """Return rows per second up to ``now``; None until two arrivals have shown it."""
        if len(self._recent) < 2:
            return None
        (since, before), (_, after) = self._recent[0], self._recent[-1]
        return (after - before) / (now - since) if now > since else None

    def left(self, now: float) -> str:
        """Return the time left as h:mm:ss, or "--:--" while it is unknown."""
        rate = self.rate(now)
        return clock((self.total - self.done) / rate) if rate else "--:--"


class _Reporter(Watcher):
    """The counts that the live and the plain watcher share, and their text."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.meter = Meter(0, 0)
        self.accepted_rows = 0
        self.rejections: Counter[str] = Counter()
        self.name = ""
        self.halting = False

    def started(self, plan: Plan, path: Path, blocks_todo: int, rows_done: int) -> None:
        self.meter = Meter(plan.rows, rows_done)
        self.name = shown(path.name)
        if plan.determinism != "exact":
            self._say(f"with isolation {plan.isolation}, the determinism of rows is {plan.determinism!r}, not 'exact'")
        known = f"{rows_done} done, " if rows_done else ""
        whole = f"{counted(plan.rows, 'row')} in {counted(plan.blocks, 'block')}"
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

    def stopping(self) -> None:
        self.halting = True
        self._say("stopping after the blocks in progress; press Ctrl-C again to drop them")

    def dropping(self) -> None:
        self.halting = True
        self._say("stopping at once: the blocks in progress are dropped; finished blocks are kept")

    def counts(self) -> str:
        rejected = self.rejections.total()
        reasons = ", ".join(f"{reason} {count}" for reason, count in self.rejections.most_common())
        return f"accepted {counted(self.accepted_rows, 'row')}, rejected {rejected}" + (
            f" ({reasons})" if reasons else ""
        )

    def speed(self, now: float) -> str:
        rate = self.meter.rate(now)
        return f"{rate:.1f} rows/s" if rate is not None else "-- rows/s"

    def _say(self, text: str) -> None:
        with suppress(OSError):  # the terminal may be gone: that is what SIGHUP says
            self.console.print(shown(text), highlight=False, markup=False, soft_wrap=True)


class _LiveProgress(_Reporter):
    """Two lines that are redrawn: bar, rows/s and time left; accepted and rejected by reason."""

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
        grid.add_row(Text(self.name, overflow="ellipsis"), bar, f"{meter.done}/{meter.total}", self.speed(now), tail)
        return Group(grid, Text(shown(self.counts()), style="dim", overflow="ellipsis", no_wrap=True))


class _PlainProgress(_Reporter):
    """A line every few seconds, for logs."""

    _last = 0.0

    def accepted(self, rows: int) -> None:
        super().accepted(rows)
        now = time.monotonic()
        if now - self._last >= _EVERY:
            self._last = now
            meter = self.meter
            self._say(f"{meter.done}/{meter.total} rows, {self.speed(now)}, {meter.left(now)} left; {self.counts()}")


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Watcher]:
    """Give a watcher that shows a run on the error stream: live on a terminal, in lines elsewhere."""
    console = Console(stderr=True)
    if quiet:
        yield Watcher()
    elif console.is_terminal:
        watcher = _LiveProgress(console)
        with Live(watcher, console=console, refresh_per_second=8, transient=True):
            yield watcher
    else:
        yield _PlainProgress(console)


@contextmanager
def spinner(name: str, *, hidden: bool) -> Iterator[Callable[[str], None]]:
    """Give a function that shows the current step on the error stream, if that is a terminal."""
    console = Console(stderr=True)
    if hidden or not console.is_terminal:
        yield lambda _: None
        return
    with console.status(Text(name)) as status:
        yield lambda what: status.update(Text(shown(f"{name}: {what}")))


def summary_lines(summary: Summary) -> list[str]:
    """Return the closing summary: the rows there are now, the rejections, and commands to try next."""
    path = shlex.quote(str(summary.path))
    rows = f"{counted(summary.rows, 'row')} of {counted(summary.patches, 'patch', 'patches')}"
    if not summary.complete:
        rows = f"{summary.rows} of {summary.rows_planned} rows"
    speed = f", {summary.rows_added / summary.seconds:.1f} rows/s" if summary.rows_added and summary.seconds else ""
    rejected = sum(summary.rejections.values())
    lines = [
        f"{summary.path}: {rows}",
        f"  added     {summary.rows_added} rows in {clock(summary.seconds)}{speed}",
        f"  size      {size(summary.nbytes)}",
        f"  rejected  {rejected} of {counted(summary.candidates, 'candidate')}",
        *(f"            {count:>6}  {reason}" for reason, count in _by_count(summary)),
        f"  digest    {summary.digest}",
    ]
    if not summary.complete:
        return [*lines, "Incomplete. Run the same command to resume."]
    return [
        *lines,
        "Next:",
        f"  tonesmith inspect {path}",
        f"  tonesmith verify {path} --render 50",
        f"  tonesmith export {path} --row 0 --audio row0.wav",
    ]


def _by_count(summary: Summary) -> list[tuple[str, int]]:
    return sorted(summary.rejections.items(), key=lambda item: (-item[1], item[0]))
