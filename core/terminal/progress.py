"""How far a command is, on the error stream: a bar on a terminal, and a line now and then elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO, cast

from tonesmith.terminal.messages import mention
from tonesmith.terminal.text import clock, shown

if TYPE_CHECKING:
    from rich.console import Console

_WINDOW = 30.0
"""Seconds of the past that the rate is taken from."""
_EVERY = 10.0
"""Seconds before the first line, and between two of them in the first minutes."""
_SHARE = 0.1
"""Of the time that has gone by, later on."""
_RAREST = 600.0
"""Seconds between two lines at most."""


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

    def text(self, unit: str, now: float) -> str:
        """Return how much of it is done, and as soon as that is known how fast and how long yet."""
        whole = f"{self.done:,} of {self.total:,} {unit}" if self.total else f"{self.done:,} {unit}"
        rate = self.rate(now)
        return f"{whole}, {rate:.1f} {unit}/s, {self.left(now)} left" if rate and self.total else whole


class Pace:
    """Decides when a log gets a line: every ten seconds at first, and less and less often in a long run."""

    def __init__(self, now: float) -> None:
        self._started = self._last = now

    def is_due(self, now: float) -> bool:
        """Return whether a line is to be written at ``now``, in seconds of any steady clock."""
        if now - self._last < min(max(_EVERY, _SHARE * (self._last - self._started)), _RAREST):
            return False
        self._last = now
        return True


class Progress:
    """Counts how far a command is. This one shows nothing."""

    def __init__(self) -> None:
        self.meter = Meter(0, 0)
        self.said = ""
        self._lock = threading.Lock()

    def begin(self, total: int, done: int = 0) -> None:
        """Start to count: what there is to do, and what was done before."""
        self.meter = Meter(total, done)
        self.advance(0)

    def advance(self, count: int) -> None:
        """Count what was done now, in any thread."""
        with self._lock:
            now = time.monotonic()
            self.meter.add(count, now)
            self.show(now)

    def tell(self, text: str) -> None:
        """Show a few words from now on, such as the best result so far."""
        self.said = text

    def reach(self, done: int, total: int) -> None:
        """Count up to what is done in all."""
        if total != self.meter.total:
            self.begin(total)
        self.advance(done - self.meter.done)

    def show(self, now: float) -> None:
        """Show it."""


class _Lines(Progress):
    def __init__(self, what: str, unit: str) -> None:
        super().__init__()
        self._what, self._unit, self._pace = what, unit, Pace(time.monotonic())

    def show(self, now: float) -> None:
        if self._pace.is_due(now):
            said = f", {self.said}" if self.said else ""
            log_line(f"{self._what}: {self.meter.text(self._unit, now)}{said}")


class _Bar(Progress):
    def __init__(self, bar: Any, task: Any, unit: str) -> None:
        super().__init__()
        self._bar, self._task, self._unit = bar, task, unit

    def show(self, now: float) -> None:
        rate = self.meter.rate(now)
        speed = f"{rate:.1f}" if rate else "--"
        told = f"{speed} {self._unit}/s, {self.meter.left(now)} left"
        told = f"{self.said}, {self.meter.left(now)} left" if self.said else told
        total = self.meter.total or None
        self._bar.update(self._task, total=total, completed=self.meter.done, told=told, visible=True)


@contextmanager
def progress(what: str, unit: str = "rows", *, hidden: bool = False) -> Iterator[Progress]:
    """Give a counter that shows on the error stream how far it is, how fast and how long yet.

    Args:
        what: what is being done with what, such as "reading d.zarr".
        unit: of what is counted, in the plural.
        hidden: whether to show nothing.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bars

    if hidden:
        yield Progress()
        return
    console = error_console()
    if not redraws(console):
        yield _Lines(shown(what), unit)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Bars(*columns, TextColumn("{task.fields[told]}"), console=console, transient=True) as bar:
        yield _Bar(bar, bar.add_task(shown(what), total=None, told="", visible=False), unit)


@contextmanager
def spinner(name: str, *, hidden: bool) -> Iterator[Callable[[str], None]]:
    """Give a function that shows the current step on the error stream."""
    from rich.text import Text

    console = error_console()
    if hidden:
        yield lambda _: None
    elif redraws(console):
        with console.status(Text(name)) as status:
            yield lambda what: status.update(Text(shown(f"{name}: {what}")))
    else:
        pace = Pace(time.monotonic())
        yield lambda what: log_line(f"{name}: {what}") if pace.is_due(time.monotonic()) else None


class _Unfailing:
    """A stream that takes everything: what cannot be written is lost. Progress never ends what it is of."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text, if that is possible."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, if that is possible."""
        with suppress(OSError):
            self._stream.flush()


def error_console() -> Console:
    """Return a console on the error stream that never fails: its terminal may be gone, or its disk full."""
    from rich.console import Console

    return Console(file=cast("TextIO", _Unfailing(sys.stderr)))


def redraws(console: Console) -> bool:
    """Return whether what is shown on a console can be drawn anew: on a terminal that can do more than print."""
    return console.is_jupyter or (console.is_terminal and not console.is_dumb_terminal)


def log_line(text: str) -> None:
    """Print a line with the time in front to the error stream."""
    mention(f"{time.strftime('%H:%M:%S')} {text}")
