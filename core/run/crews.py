"""Crews of workers, one after another: until every block is stored, by them or by other runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tonesmith.plan.plan import Plan
from tonesmith.run.share import Share
from tonesmith.run.workers import Committed, Crew, Event

_TICK = 0.2
"""Seconds between two looks at what others do."""


@dataclass(frozen=True, slots=True)
class Shared:
    """Another run makes the same dataset."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another run stored a block, with the rows in it that were missing when this run began."""

    block: int
    rows: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Only blocks are left that others are making."""

    blocks: int


class Crews:
    """Makes the blocks of a share, and waits for those that others make. What those leave is made by another crew.

    Args:
        plan: of the blocks.
        share: the blocks.
        done: block -> rows that were stored when the run began.
        hire: returns a crew that takes its blocks from the share.
    """

    def __init__(self, plan: Plan, share: Share, done: Mapping[int, int], hire: Callable[[], Crew]) -> None:
        self._plan = plan
        self._share = share
        self._done = done
        self._hire = hire
        self._crew: Crew | None = None
        self._told = False

    def stop(self) -> None:
        """Start no further block; those in flight are finished."""
        self._share.clear()
        if self._crew is not None:
            self._crew.stop()

    def dismiss(self) -> None:
        """Kill every worker. Blocks in flight are dropped."""
        if self._crew is not None:
            self._crew.dismiss()

    def events(self) -> Iterator[Event | Shared | Elsewhere | Waiting | None]:
        """Yield what happens until all blocks are stored; None several times a second.

        Raises :class:`RunError` as :meth:`Crew.events` does.
        """
        while len(self._share):
            self._crew = self._hire()
            for event in self._crew.events():
                yield event
                if event is None or isinstance(event, Committed):
                    yield from self._seen()
            self._crew.dismiss()
            yield from self._waited()

    def _waited(self) -> Iterator[Shared | Elsewhere | Waiting | None]:
        """Wait until what others are making is stored, or some of it is free."""
        yield from self._seen()
        if self._share.theirs and not self._share.retake():
            yield Waiting(self._share.theirs)
        while self._share.theirs and not len(self._share) and not self._share.retake():
            time.sleep(_TICK)
            yield None
            yield from self._seen()

    def _seen(self) -> Iterator[Shared | Elsewhere]:
        if self._share.shared and not self._told:
            self._told = True
            yield Shared()
        for block in self._share.stored():
            yield Elsewhere(block, self._plan.rows_of(block) - self._done.get(block, 0))
