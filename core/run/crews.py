"""Crews of workers, one after another: until every block is stored, by them or by other runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tonesmith.plan.plan import Plan
from tonesmith.run.claims import Claims
from tonesmith.run.workers import Committed, Crew, Event

_TICK = 0.2
"""Seconds between two looks at what others do."""


@dataclass(frozen=True, slots=True)
class Joined:
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
    """Makes the blocks that a run claims, and waits for those that others make. Another crew makes what those leave.

    Args:
        plan: of the blocks.
        claims: the blocks.
        done: block -> rows that were stored when the run began.
        hire: returns a crew that takes its blocks from the claims.
    """

    def __init__(self, plan: Plan, claims: Claims, done: Mapping[int, int], hire: Callable[[], Crew]) -> None:
        self._plan = plan
        self._claims = claims
        self._done = done
        self._hire = hire
        self._crew: Crew | None = None
        self._told = False

    def stop(self) -> None:
        """Start no further block; those in flight are finished."""
        self._claims.clear()
        if self._crew is not None:
            self._crew.stop()

    def dismiss(self) -> None:
        """Kill every worker. Blocks in flight are dropped."""
        if self._crew is not None:
            self._crew.dismiss()

    def events(self) -> Iterator[Event | Joined | Elsewhere | Waiting | None]:
        """Yield what happens until all blocks are stored; None several times a second.

        Raises :class:`RunError` as :meth:`Crew.events` does.
        """
        while len(self._claims):
            self._crew = self._hire()
            for event in self._crew.events():
                yield event
                if event is None or isinstance(event, Committed):
                    yield from self._seen()
            self._crew.dismiss()
            yield from self._waited()

    def _waited(self) -> Iterator[Joined | Elsewhere | Waiting | None]:
        """Wait until what others are making is stored, or some of it is free."""
        yield from self._seen()
        if self._claims.theirs and not self._claims.retake():
            yield Waiting(self._claims.theirs)
        while self._claims.theirs and not len(self._claims) and not self._claims.retake():
            time.sleep(_TICK)
            yield None
            yield from self._seen()

    def _seen(self) -> Iterator[Joined | Elsewhere]:
        if self._claims.shared and not self._told:
            self._told = True
            yield Joined()
        for block in self._claims.stored():
            yield Elsewhere(block, self._plan.rows_of(block) - self._done.get(block, 0))
