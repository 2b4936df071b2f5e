"""Work handed out to processes. One that ends before its time is told of the item it had, and replaced."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tonesmith.corpus.featuring.asked import Asked
from tonesmith.corpus.featuring.computed import Computing, Subject
from tonesmith.engine.channel import Child, Message
from tonesmith.engine.machine import cores
from tonesmith.errors import RunError
from tonesmith.host.registry import Host

Task = tuple[Subject, tuple[str, ...]]
"""A medium, and the names of the features that are to be computed of it."""
_FEW: Final = 8
"""Tasks for which a process more is worth its start."""
_MODULE: Final = "tonesmith.corpus.featuring.worker"


def worked(folder: Path, asked: Sequence[Asked], tasks: Sequence[Task], workers: int) -> Iterator[tuple[Task, Any]]:
    """Yield tasks with name -> what was made of them, as they are done.

    Args:
        folder: of the corpus.
        asked: features.
        tasks: to do.
        workers: processes; 0 for one a core, or none for a few tasks of built-in features.

    Raises :class:`RunError` if no process can be set up.
    """
    count = min(workers or cores(), -(-len(tasks) // _FEW))
    foreign = any(Host.load().third_party("feature", one.name) for one in asked)  # which may end their process
    if count < 2 and workers < 2 and not foreign:
        computing = Computing(folder, asked)
        yield from ((task, computing.of(*task)) for task in tasks)
        return
    setup = {"path": str(folder.absolute()), "asked": [asdict(one) for one in asked]}
    crew = _Crew(setup, deque(tasks), min(max(count, workers, 1), len(tasks)))
    try:
        yield from crew.results()
    finally:
        crew.end()


class _Crew:
    """Processes, each with at most one task."""

    def __init__(self, setup: dict[str, Any], waiting: deque[Task], count: int) -> None:
        self._setup, self._waiting = setup, waiting
        self._inbox: queue.Queue[Message] = queue.Queue()
        self._busy: dict[Child, Task | None] = {}
        for _ in range(count):
            self._hire()

    def _hire(self) -> None:
        child = Child(_MODULE, self._inbox)
        self._busy[child] = None
        child.send(self._setup)

    def results(self) -> Iterator[tuple[Task, Any]]:
        """Yield what is made, until nothing is left to do."""
        while self._busy:
            message = self._inbox.get()
            child, body = message.sender, message.body
            if child not in self._busy:
                continue
            task = self._busy[child]
            if body is None or "failed" in body:
                yield from self._lost(child, task, body)
                continue
            if task is not None:
                yield task, body["made"]
            self._next(child)

    def _next(self, child: Child) -> None:
        if not self._waiting:
            del self._busy[child]
            child.end()
            return
        task = self._waiting.popleft()
        self._busy[child] = task
        child.send({"subject": asdict(task[0]), "names": list(task[1])})

    def _lost(self, child: Child, task: Task | None, body: dict[str, Any] | None) -> Iterator[tuple[Task, Any]]:
        """Tell of the task of a process that ended, and start another one."""
        why = body["failed"] if body else f"its process ended: {child.epitaph()[1]}"
        child.kill()
        del self._busy[child]
        if task is None:
            raise RunError(f"a worker could not start: {why}. {child.last_words()}".rstrip())
        yield task, {name: {"refused": why} for name in task[1]}
        if self._waiting:
            self._hire()

    def end(self) -> None:
        """End all processes."""
        for child in self._busy:
            child.kill()
        self._busy.clear()
