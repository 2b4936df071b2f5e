"""What runs in the cluster: an actor, which holds a CPU, and on it one worker at a time, as a clean process."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import queue
from collections.abc import Iterator, Mapping
from typing import Any

from tonesmith.engine.local_worker import LocalWorker
from tonesmith.engine.overheard import overhearing
from tonesmith.errors import TonesmithError

_OVER: dict[str, Any] = {"body": None}


def version() -> str:
    """Return what must be the same on each machine of a run."""
    return f"tonesmith {importlib.metadata.version('tonesmith')}"


class Actor:
    """Holds a worker. Its methods run in one thread, except for :meth:`listen`; both live as long as the process.

    A worker must be started in such a thread: it is killed when the thread that started it ends.
    """

    def __init__(self) -> None:
        self._heard: dict[int, queue.SimpleQueue[dict[str, Any]]] = {}
        self._workers: dict[int, LocalWorker] = {}
        self._printed = contextlib.ExitStack()

    def hello(self) -> tuple[str, str]:
        """Return the version of tonesmith on this machine, and the machine's name."""
        return version(), platform.node()

    def begin(self, number: int, module: str, folder: str, environment: Mapping[str, str], *, aloud: bool) -> None:
        """Start a worker.

        Args:
            number: of the worker, by which it is called from now on.
            module: that it runs.
            folder: that it runs in, if there is one of this name here.
            environment: variables to set.
            aloud: whether what it prints is to be sent.
        """
        heard = self._queue(number)
        os.environ.update(environment)
        with contextlib.suppress(OSError):
            os.chdir(folder)
        self._printed.close()
        if aloud:
            self._printed.enter_context(overhearing(lambda line: heard.put({"line": line})))
        try:
            self._workers[number] = LocalWorker(module, lambda body: heard.put({"body": body}))
        except TonesmithError as error:
            heard.put({"end": [0, str(error)], "words": ""})

    def send(self, number: int, message: dict[str, Any]) -> None:
        """Send a worker a message."""
        if number in self._workers:
            self._workers[number].send(message)

    def end(self, number: int) -> None:
        """Close the stream to a worker, on which it ends itself."""
        if number in self._workers:
            self._workers[number].end()

    def kill(self, number: int) -> None:
        """Kill a worker with all that it started."""
        if number in self._workers:
            self._workers[number].kill()

    def listen(self, number: int) -> Iterator[list[dict[str, Any]]]:
        """Yield what a worker sends, as it comes, and at last how it ended."""
        heard = self._queue(number)
        while True:
            told = [heard.get(), *_waiting(heard)]
            if _OVER in told:
                end = self._buried(number)
                told = [*(item for item in (*told, *_waiting(heard)) if item != _OVER), end]
            yield told
            if "end" in told[-1]:
                return

    def _buried(self, number: int) -> dict[str, Any]:
        worker = self._workers[number]
        return {"end": list(worker.epitaph()), "words": worker.last_words()}

    def _queue(self, number: int) -> queue.SimpleQueue[dict[str, Any]]:
        return self._heard.setdefault(number, queue.SimpleQueue())


def _waiting(heard: queue.SimpleQueue[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield what is in a queue already."""
    while not heard.empty():
        yield heard.get()
