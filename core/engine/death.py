"""An engine's process that ends before it has answered, and another try where that was none of its doing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tonesmith.engine.channel import FROM_OUTSIDE
from tonesmith.errors import EngineError

T = TypeVar("T")

_LOADS = 3
"""How often an engine is loaded, if signals from outside end it while it loads."""


class DiedError(EngineError):
    """The process of an engine ended before it had answered."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.signal = number


def undisturbed(load: Callable[[], T]) -> T:
    """Return what an engine tells that is loaded for it. A signal from outside while it loads does not count."""
    for _ in range(_LOADS - 1):
        try:
            return load()
        except DiedError as death:
            if death.signal not in FROM_OUTSIDE:
                raise
    return load()
