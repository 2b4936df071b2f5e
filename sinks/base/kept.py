"""What was used last of many things, within a limit: of bytes, or of open files."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

KEPT_BYTES = 2**27
"""Of memory, for what a dataset that is open keeps of its blocks."""


class Kept(Generic[K, V]):
    """Values by key: those used last, as many as weigh no more than a limit, but always one.

    Safe to use from threads. A forked process begins with none: a lock that a thread of its parent held stays locked.

    Args:
        limit: of the sum of weights.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._begin()

    def get(self, key: K) -> V | None:
        """Return a value, which is then the one used last, or None."""
        if os.getpid() != self._process:
            self._begin()
        with self._lock:
            held = self._held.get(key)
            if held is None:
                return None
            self._held.move_to_end(key)
            return held[0]

    def put(self, key: K, value: V, weight: int, *, last: bool = True) -> list[tuple[K, V]]:
        """Keep a value as the one used last, or as the one used first, and return those that had to go."""
        if os.getpid() != self._process:
            self._begin()
        with self._lock:
            self._take(key)
            self._held[key] = value, weight
            self._held.move_to_end(key, last)
            self._weight += weight
            gone = []
            while self._weight > self._limit and len(self._held) > 1:
                oldest = next(iter(self._held))
                gone.append((oldest, self._held[oldest][0]))
                self._take(oldest)
            return gone

    def drop(self, key: K) -> bool:
        """Keep a value no longer, and return whether it was there."""
        with self._lock:
            return self._take(key)

    def _take(self, key: K) -> bool:
        held = self._held.pop(key, None)
        self._weight -= held[1] if held else 0
        return held is not None

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._weight = 0
        self._process = os.getpid()
