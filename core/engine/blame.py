"""When a patch is blamed for a death or a timeout: if it comes again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from tonesmith.engine.outcome import Outcome

_TIMEOUTS = 2
_FAILURES = 3
"""A patch is blamed for a timeout or a death only if it comes again: after so many timeouts, or failures in all."""


def judged(
    play: Callable[[], list[Outcome]], again: Callable[[Outcome], object], renew: Callable[[], object]
) -> list[Outcome]:
    """Return what becomes of a patch that is played again after a death or a timeout.

    Args:
        play: plays it once.
        again: told of a failure after which it is played again.
        renew: has a new engine loaded, for the last time that it is played.
    """
    failures: Counter[str] = Counter()
    while True:
        outcomes = play()
        last = outcomes[-1]
        if last.failure not in {"crash", "timeout"}:
            return outcomes
        failures[last.failure] += 1
        if failures["timeout"] == _TIMEOUTS or failures.total() == _FAILURES:
            return outcomes
        again(last)
        if failures.total() == _FAILURES - 1:
            renew()
