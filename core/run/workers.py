"""The parent's side of the workers: which block goes where, and what happens when one dies.

Where they run and how their messages travel is the executor's (:class:`tonesmith.host.roles.Executor`).
"""

from __future__ import annotations

import queue
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tonesmith.engine.channel import FROM_OUTSIDE, signal_name
from tonesmith.engine.client import LOAD_SECONDS
from tonesmith.engine.fault import caused
from tonesmith.engine.patience import AwakeClock
from tonesmith.errors import ResourceError, RunError
from tonesmith.host.roles.executor import Worker
from tonesmith.plan.plan import Plan
from tonesmith.plan.rejection import Rejection
from tonesmith.run.claims import Claims
from tonesmith.run.staff import Staff
from tonesmith.space.patch import Candidate

_DEATHS = 10
"""Workers that may die over one block before the run stops. A candidate that takes its worker down does it twice."""
_FALSE_STARTS = 5
"""Workers that signals from outside may end before they are ready, from one stored block to the next."""
_MODULE = "tonesmith.run.worker"
"""What a worker runs."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A candidate's rows were accepted; they are not stored yet."""

    rows: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """A candidate was rejected."""

    rejection: Rejection


@dataclass(frozen=True, slots=True)
class Again:
    """A candidate failed in a way that may not be its own doing, and is rendered once more."""

    candidate: Candidate
    why: str


@dataclass(frozen=True, slots=True)
class Fatal:
    """A worker died of a candidate: nobody has recorded it yet, and its block is made again."""

    rejection: Rejection


@dataclass(frozen=True, slots=True)
class Dropped:
    """A worker died, and with it what it had accepted and rejected of its block."""

    rows: int
    rejections: tuple[Rejection, ...]


@dataclass(frozen=True, slots=True)
class Committed:
    """A block is stored."""

    block: int
    rows: int


Event = Accepted | Rejected | Again | Fatal | Dropped | Committed


@dataclass(eq=False)
class _Worker:
    """A worker: what it is at, when it was heard last, and whether it had no place yet when it was looked at last."""

    process: Worker = field(init=False)
    block: int | None = None
    candidate: Candidate | None = None
    rows: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    heard: float = 0.0
    ready: bool = False
    waiting: bool = True


class Crew:
    """Workers that make blocks.

    Args:
        plan: what to make.
        path: of the dataset.
        staff: who starts the workers, and how many there can be.
        blocks: that are still to be made.
        heard: whether somebody listens to what engines print.
        load_seconds: how long an engine may take to load.
    """

    def __init__(
        self,
        plan: Plan,
        path: Path,
        staff: Staff,
        blocks: Claims,
        *,
        heard: bool = False,
        load_seconds: float = LOAD_SECONDS,
    ) -> None:
        self._plan = plan
        self._path = path
        self._executor = staff.executor
        self._todo = blocks
        self._heard_aloud = heard
        self._deaths: Counter[int] = Counter()
        self._suspects: Counter[Candidate] = Counter()
        self._false_starts = 0
        self._clock = AwakeClock()
        self._inbox: queue.Queue[tuple[_Worker, dict[str, Any] | None]] = queue.Queue()
        self._workers: list[_Worker] = []
        self._stopping = False
        self._load_seconds = load_seconds
        self._patience = plan.timeout + load_seconds
        for _ in range(min(staff.size, len(self._todo))):
            self._hire()

    def stop(self) -> None:
        """Start no further block; those in flight are finished."""
        self._stopping = True
        self._todo.clear()

    def events(self, tick: float = 0.2) -> Iterator[Event | None]:
        """Yield what happens until all blocks are made; None every ``tick`` seconds in which nothing does.

        Raises :class:`RunError` when a worker says that the run cannot go on, or too many die.
        """
        while self._workers:
            try:
                worker, body = self._inbox.get(timeout=tick)
            except queue.Empty:
                yield None
                yield from self._overdue()
                continue
            if worker not in self._workers:
                continue
            worker.heard = self._clock.now()
            yield from self._buried(worker) if body is None else self._heard(worker, body)
            if not self._todo:
                self._dismiss(worker for worker in self._workers if not worker.ready)

    def dismiss(self) -> None:
        """Kill every worker. Blocks in flight are dropped."""
        self._dismiss(self._workers)

    def _dismiss(self, workers: Iterable[_Worker]) -> None:
        for worker in list(workers):
            self._workers.remove(worker)
            worker.process.kill()

    def _hire(self) -> None:
        worker = _Worker(heard=self._clock.now())
        worker.process = self._executor.start(_MODULE, lambda body: self._inbox.put((worker, body)))
        self._workers.append(worker)
        setup = {"plan": self._plan.to_json(), "path": str(self._path.absolute()), "heard": self._heard_aloud}
        worker.process.send({**setup, "load_seconds": self._load_seconds})

    def _heard(self, worker: _Worker, body: dict[str, Any]) -> Iterator[Event]:
        if "failed" in body:
            kind = ResourceError if body["refused"] else RunError
            told = body["failed"] if body["expected"] else f"a worker failed: {body['failed']}"
            raise caused(kind(told), body["trace"])
        if "trying" in body:
            worker.candidate = Candidate(*body["trying"])
        elif "again" in body:
            yield Again(Candidate(*body["again"]), body["why"])
        elif "accepted" in body:
            worker.rows += body["accepted"]
            yield Accepted(body["accepted"])
        elif "rejected" in body:
            worker.rejections.append(Rejection.from_json(body["rejected"]))
            yield Rejected(worker.rejections[-1])
        elif "committed" in body:
            worker.block, worker.candidate, worker.rows, worker.rejections = None, None, 0, []
            self._false_starts = 0
            yield Committed(body["committed"], body["rows"])
            self._employ(worker)
        else:
            worker.ready = True
            self._employ(worker)

    def _employ(self, worker: _Worker) -> None:
        worker.block = self._todo.take()
        if worker.block is not None:
            worker.process.send({"block": worker.block})
        else:
            self._workers.remove(worker)
            worker.process.end()

    def _buried(self, worker: _Worker, overdue: bool = False) -> Iterator[Event]:
        """Blame the candidate that a worker died over for the second time, and have its block made by another worker.

        A worker that was killed from outside says nothing of the candidate.
        """
        self._dismiss([worker])
        number, phrase = worker.process.epitaph()
        words = worker.process.last_words()
        if not worker.ready and not overdue and self._is_forgiven(number):
            self._hire()
            return
        if not worker.ready:
            raise RunError(f"a worker could not start ({phrase}).\n{words}".rstrip())
        yield Dropped(worker.rows, tuple(worker.rejections))
        if worker.candidate is not None and (overdue or number not in FROM_OUTSIDE):
            reason, detail = ("timeout", "no sign of life") if overdue else ("crash", signal_name(number))
            yield self._blamed(worker.candidate, reason, detail)
        if worker.block is None or self._stopping:
            if self._todo:
                self._hire()
            return
        self._deaths[worker.block] += 1
        if self._deaths[worker.block] > _DEATHS:
            raise RunError(
                f"{_DEATHS + 1} workers died over block {worker.block}; the last one: {phrase}.\n{words}".rstrip()
            )
        self._todo.give_back(worker.block)
        self._hire()

    def _is_forgiven(self, number: int) -> bool:
        """Return whether a worker that was not ready yet may be replaced: a signal from outside ended it."""
        self._false_starts += 1
        return number in FROM_OUTSIDE and self._false_starts <= _FALSE_STARTS

    def _blamed(self, candidate: Candidate, reason: str, detail: str) -> Event:
        """Return what to make of a candidate that a worker died over: once is no proof, twice is."""
        self._suspects[candidate] += 1
        if self._suspects[candidate] == 1:
            return Again(candidate, f"its worker ended: {reason} {detail}".rstrip())
        return Fatal(Rejection(candidate.patch, candidate.attempt, "worker", reason, detail))

    def _overdue(self) -> Iterator[Event]:
        """Bury workers that have been silent for longer than any candidate may take.

        One that waits for a place may wait for as long as others make blocks.
        """
        now = self._clock.now()
        at_work = any(worker.ready for worker in self._workers)
        for worker in list(self._workers):
            waits = not worker.process.placed
            if (waits and at_work) or (worker.waiting and not waits):
                worker.heard = now
            worker.waiting = waits
            if now - worker.heard > self._patience:
                yield from self._buried(worker, overdue=True)
