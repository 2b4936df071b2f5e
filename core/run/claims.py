"""The blocks that a run has still to make, some of which other runs of the same plan make.

A run takes a block by locking it, and looks once more whether it is stored before it is made. What others have taken is
left to them until it is stored, or free again because their process has ended. Where there are no locks, each run takes
the blocks in an order of its own and looks before each: then a few are made twice, and the rows are the same.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence

from tonesmith.plan.plan import Plan
from tonesmith.run.presence import Presence

_SPENT = 0.05
"""Of the time, at most, that goes into looking what is stored once others were at work."""
_ALONE = 0.01
"""The same, as long as nobody else was."""


class Claims:
    """The blocks that a run has still to make, which it takes one at a time.

    Args:
        plan: that they are of.
        blocks: indices.
        committed: returns block -> rows of what is stored.
        presence: of the run.
    """

    def __init__(
        self, plan: Plan, blocks: Sequence[int], committed: Callable[[], Mapping[int, int]], presence: Presence
    ) -> None:
        self._plan = plan
        self._committed = committed
        self._presence = presence
        self._todo = deque(blocks if presence.locked else random.sample(blocks, len(blocks)))
        self._mine: set[int] = set()
        self._theirs: set[int] = set()
        self._stored: list[int] = []
        self._looked = self._cost = 0.0
        self._there: Mapping[int, int] = {}
        self._shared = False

    def __len__(self) -> int:
        return len(self._todo)

    def __iter__(self) -> Iterator[int]:
        return iter(self._todo)

    @property
    def shared(self) -> bool:
        """Whether another run was seen while this one goes on."""
        return self._shared

    @property
    def theirs(self) -> int:
        """How many blocks are left to other runs that are not known to be stored."""
        return len(self._theirs)

    def take(self) -> int | None:
        """Return a block that is to be made now; None if all that are left are made by others."""
        while self._todo:
            block = self._todo.popleft()
            if block in self._mine:  # its worker died
                return block
            if not self._presence.claim(block):
                self._shared = True
                self._theirs.add(block)
            elif self._is_stored(block):
                self._presence.release(block)
                self._stored.append(block)
            else:
                self._mine.add(block)
                return block
        return None

    def give_back(self, block: int) -> None:
        """Put a block first that was taken and could not be made."""
        self._todo.appendleft(block)

    def clear(self) -> None:
        """Take no further block."""
        self._todo.clear()
        self._theirs.clear()

    def stored(self) -> list[int]:
        """Return the blocks that others turned out to have stored since this was last asked."""
        if self._theirs:
            self._look()
        found = [block for block in self._theirs if self._there.get(block) == self._plan.rows_of(block)]
        self._theirs.difference_update(found)
        found, self._stored = [*self._stored, *found], []
        return found

    def retake(self) -> bool:
        """Have blocks that were left to others taken again, if any is free; return whether there is one."""
        free = [block for block in sorted(self._theirs) if self._presence.claim(block)]
        for block in free:
            self._presence.release(block)
        self._theirs.difference_update(free)
        self._todo.extend(free)
        return bool(free)

    def _is_stored(self, block: int) -> bool:
        self._look()
        return self._there.get(block) == self._plan.rows_of(block)

    def _look(self) -> None:
        """See what is stored, unless that would take too much of the time."""
        self._shared = self._shared or self._presence.others()
        began = time.monotonic()
        share = _SPENT if self._shared or not self._presence.locked else _ALONE
        if began < self._looked + self._cost / share:
            return
        self._there = self._committed()
        self._looked = time.monotonic()
        self._cost = self._looked - began
