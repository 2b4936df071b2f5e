"""Work handed out to processes. One that ends before its time is told of the task it had, and replaced."""

from __future__ import annotations

import queue
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from tonesmith.engine.channel import Child, Message
from tonesmith.errors import RunError

T = TypeVar("T")


class Crew(Generic[T]):
    """Processes of a module, each with at most one task. It is a context, which ends them.

    Args:
        module: that they run. It receives the set-up, says ``ready``, and answers each request with what it ``made``.
        setup: JSON that each is sent first.
        tasks: each with the JSON that asks for it. They are begun in their order.
        count: of processes, at least one.
    """

    def __init__(
        self, module: str, setup: Mapping[str, Any], tasks: Iterable[tuple[T, Mapping[str, Any]]], count: int
    ) -> None:
        self._module, self._setup = module, dict(setup)
        self._waiting = iter(tasks)
        self._inbox: queue.Queue[Message] = queue.Queue()
        self._busy: dict[Child, tuple[T] | None] = {}
        for _ in range(count):
            self._hire()

    def _hire(self) -> None:
        child = Child(self._module, self._inbox)
        self._busy[child] = None
        child.send(self._setup)

    def __enter__(self) -> Crew[T]:
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._busy:
            child.kill()
        self._busy.clear()

    def results(self) -> Iterator[tuple[T, Any, str]]:
        """Yield each task as it is done, with what was made of it, or None and why.

        Raises :class:`RunError` if no process can be set up.
        """
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
                yield task[0], body["made"], ""
            self._next(child)

    def _next(self, child: Child) -> None:
        found = next(self._waiting, None)
        if found is None:
            del self._busy[child]
            child.end()
            return
        self._busy[child] = (found[0],)
        child.send(dict(found[1]))

    def _lost(self, child: Child, task: tuple[T] | None, body: dict[str, Any] | None) -> Iterator[tuple[T, Any, str]]:
        """Tell of the task of a process that ended, and start another one."""
        why = body["failed"] if body else f"its process ended: {child.epitaph()[1]}"
        child.kill()
        del self._busy[child]
        if task is None:
            raise RunError(f"a worker could not start: {why}. {child.last_words()}".rstrip())
        yield task[0], None, why
        self._hire()
