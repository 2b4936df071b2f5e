"""A clock that does not count the time in which the machine, or this process, stood still."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from typing import TypeVar

_STEP = 0.25
"""Seconds between two looks at the clock."""
_OFTEN = 0.05
"""Seconds between two looks at something else: one at the memory of a synth takes a thousandth or less."""
_MOST = 1.0
"""Seconds that count at most from one look to the next: whoever looks every quarter of a second and finds that
more has passed was stopped, suspended or starved meanwhile, and so was most likely what it waits for."""

T = TypeVar("T")


class AwakeClock:
    """Seconds in which this process ran. It must be read a few times per second."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._looked = time.monotonic()

    def now(self) -> float:
        """Return the seconds so far."""
        moment = time.monotonic()
        self._seconds += min(moment - self._looked, _MOST)
        self._looked = moment
        return self._seconds


def awaited(inbox: queue.Queue[T], seconds: float, look: Callable[[], object] | None = None) -> T:
    """Return the next thing in a queue. Raises ``queue.Empty`` after so many seconds in which this process ran.

    Args:
        inbox: to wait at.
        seconds: how long.
        look: called every twentieth of a second meanwhile.
    """
    clock = AwakeClock()
    while (left := seconds - clock.now()) > 0.0:
        try:
            return inbox.get(timeout=min(left, _OFTEN if look else _STEP))
        except queue.Empty:
            if look:
                look()
    return inbox.get_nowait()
