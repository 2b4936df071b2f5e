"""A worker on this machine, as an executor starts it."""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import Any

from tonesmith.engine.channel import Child, Message


class LocalWorker(Child):
    """A worker process that ends with the process that started it: a :class:`tonesmith.host.roles.Worker`.

    Args:
        module: that it runs.
        heard: called with each message, and with None at the end, in a thread of its own.
    """

    placed = True

    def __init__(self, module: str, heard: Callable[[dict[str, Any] | None], object]) -> None:
        super().__init__(module, _Inbox(heard))

    def epitaph(self) -> tuple[int, str]:
        """Return how it ended; what it left running in its group is killed first."""
        self.kill()
        return super().epitaph()


class _Inbox(queue.Queue[Message]):
    """Hands on what is put into it."""

    def __init__(self, heard: Callable[[dict[str, Any] | None], object]) -> None:
        super().__init__()
        self._heard = heard

    def put(self, item: Message, block: bool = True, timeout: float | None = None) -> None:
        self._heard(item.body)
