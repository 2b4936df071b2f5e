"""The parent's side of the workers: which block goes where, and what happens when one dies."""

from __future__ import annotations

import queue
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tonesmith.engine.channel import FROM_OUTSIDE, Child, Message, signal_name
from tonesmith.engine.client import LOAD_SECONDS
from tonesmith.engine.fault import caused
from tonesmith.engine.patience import AwakeClock
from tonesmith.errors import ResourceError, RunError
from tonesmith.plan.plan import Plan
from tonesmith.plan.rejection import Rejection
from tonesmith.space.patch import Candidate

_DEATHS = 10
"""Workers that may die over one block before the run stops. A candidate that takes its worker down does it twice."""
_FALSE_STARTS = 5
"""Workers that signals from outside may end before they are ready."""


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


@dataclass
class _Worker:
    child: Child
    block: int | None = None
    candidate: Candidate | None = None
    rows: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    heard: float = 0.0
    ready: bool = False


class Crew:
    """Worker processes that make blocks.

    Args:
        plan: what to make.
        path: of the dataset.
        size: number of processes.
        blocks: indices still to be made.
        heard: whether somebody listens to what engines print.
        load_seconds: how long an engine may take to load.
    """

    def __init__(
        self,
        plan: Plan,
        path: Path,
        size: int,
        blocks: Iterable[int],
        *,
        heard: bool = False,
        load_seconds: float = LOAD_SECONDS,
    ) -> None:
        self._plan = plan
        self._path = path
        self._todo = deque(blocks)
        self._heard_aloud = heard
        self._deaths: Counter[int] = Counter()
        self._suspects: Counter[Candidate] = Counter()
        self._false_starts = 0
        self._clock = AwakeClock()
        self._inbox: queue.Queue[Message] = queue.Queue()
        self._workers: dict[Child, _Worker] = {}
        self._stopping = False
        self._load_seconds = load_seconds
        self._patience = plan.timeout + load_seconds
        for _ in range(min(size, len(self._todo))):
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
                message = self._inbox.get(timeout=tick)
            except queue.Empty:
                yield None
                yield from self._overdue()
                continue
            worker = self._workers.get(message.sender)
            if worker is None:
                continue
            worker.heard = self._clock.now()
            yield from self._buried(worker) if message.body is None else self._heard(worker, message.body)

    def dismiss(self) -> None:
        """Kill every worker. Blocks in flight are dropped."""
        for child in self._workers:
            child.kill()
        self._workers.clear()

    def _hire(self) -> None:
        child = Child("tonesmith.run.worker", self._inbox)
        self._workers[child] = _Worker(child, heard=self._clock.now())
        setup = {"plan": self._plan.to_json(), "path": str(self._path), "heard": self._heard_aloud}
        child.send({**setup, "load_seconds": self._load_seconds})

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
            yield Committed(body["committed"], body["rows"])
            self._employ(worker)
        else:
            worker.ready = True
            self._employ(worker)

    def _employ(self, worker: _Worker) -> None:
        if self._todo:
            worker.block = self._todo.popleft()
            worker.child.send({"block": worker.block})
        else:
            del self._workers[worker.child]
            worker.child.end()

    def _buried(self, worker: _Worker, overdue: bool = False) -> Iterator[Event]:
        """Blame the candidate that a worker died over for the second time, and have its block made by another worker.

        A worker that was killed from outside says nothing of the candidate.
        """
        worker.child.kill()
        number, phrase = worker.child.epitaph()
        words = worker.child.last_words()
        del self._workers[worker.child]
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
        self._todo.appendleft(worker.block)
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
        """Bury workers that have been silent for longer than any candidate may take."""
        now = self._clock.now()
        for worker in list(self._workers.values()):
            if now - worker.heard > self._patience:
                yield from self._buried(worker, overdue=True)
