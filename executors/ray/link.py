"""The run's side of a Ray cluster: a process that speaks with Ray, and the workers that are reached through it."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonesmith.engine.local_worker import LocalWorker
from tonesmith.engine.overheard import is_heard, is_traced, tell
from tonesmith.errors import RunError

if TYPE_CHECKING:
    from tonesmith.host.roles.executor import Heard

_PASSED = ("TONESMITH_", "PYTHONPATH")
"""Beginnings of the names of the variables that workers get from here."""
_KILLED_IN = 5.0
_LEFT_IN = 30.0


class Link:
    """A process that speaks with Ray, while it lives."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._workers: dict[int, RayWorker] = {}
        self._changed = threading.Event()
        self._cpus = 0
        self._failed = ""
        self._is_open = False
        self._driver = LocalWorker("tonesmith.executors.ray.driver", self._hear)

    def open(self, address: str, seconds: float) -> int:
        """Return the number of CPUs of a cluster, once one of them is ours.

        Args:
            address: of the cluster; "" for the one that this program has joined, or that the environment names, else
                for one of its own.
            seconds: that it may take.

        Raises :class:`RunError` if it cannot be reached or started, or has no free CPU in time.
        """
        self._driver.send({"address": address or _joined_here()})
        deadline = time.monotonic() + seconds
        while not self._is_open and not self._failed:
            if time.monotonic() > deadline:
                raise RunError(self._too_late(address or "this machine", seconds))
            self._changed.wait(0.2)
            self._changed.clear()
        if self._failed:
            raise RunError(self._failed)
        return self._cpus

    def worker(self, module: str, heard: Heard) -> RayWorker:
        """Start a worker. Raises :class:`RunError` if the cluster is lost."""
        if self._failed:
            raise RunError(f"{self._failed} Finished blocks are kept. Run the same command to resume.")
        number = next(self._numbers)
        self._workers[number] = RayWorker(self, number, heard)
        passed = {name: value for name, value in os.environ.items() if name.startswith(_PASSED)}
        start = {"module": module, "folder": str(Path.cwd()), "environment": passed, "aloud": is_heard() or is_traced()}
        self.ask(number, start=start)
        return self._workers[number]

    def ask(self, number: int, **request: Any) -> None:
        """Ask for something to be done with a worker."""
        self._driver.send({"worker": number, **request})

    def close(self) -> None:
        """Leave the cluster. What still runs is killed, and so is a cluster that is only being joined."""
        if self._is_open:
            self._driver.end(_LEFT_IN)
        else:
            self._driver.kill()

    def _hear(self, body: dict[str, Any] | None) -> None:
        if body is None:
            words = self._driver.last_words(300)
            self._failed = self._failed or f"the Ray cluster was lost. {words}".rstrip()
            for worker in tuple(self._workers.values()):
                worker.hear({"end": [int(signal.SIGKILL), "the Ray cluster was lost"], "words": words})
        elif "worker" in body:
            self._workers[body.pop("worker")].hear(body)
        else:
            self._cpus = body.get("cpus", self._cpus)
            self._failed = body.get("failed", "")
            self._is_open = "open" in body
        self._changed.set()

    def _too_late(self, where: str, seconds: float) -> str:
        if not self._cpus:
            return f"Ray at {where} did not answer within {seconds:g} s. Wait longer with executor.start_seconds."
        return (
            f"no CPU of the Ray cluster at {where} became free within {seconds:g} s: other work has its {self._cpus}. "
            "Run the same command when that has ended, or wait longer with executor.start_seconds."
        )


class RayWorker:
    """A worker in the cluster.

    Args:
        link: that it is reached by.
        number: of it.
        heard: called with what it sends.
    """

    def __init__(self, link: Link, number: int, heard: Heard) -> None:
        self._link = link
        self._number = number
        self._heard = heard
        self._end = (0, "")
        self._words = ""
        self._ended = threading.Event()
        self.placed = False

    def send(self, message: dict[str, Any]) -> None:
        """Send it a message."""
        self._link.ask(self._number, send=message)

    def end(self) -> None:
        """Have it end itself. Nobody waits for it but the end of the run."""
        self._link.ask(self._number, end=True)

    def kill(self) -> None:
        """Kill it, unless it has ended; together with its actor where that waits for a CPU or does not obey."""
        for request in ("kill", "drop") if self.placed else ("drop",):
            if not self._ended.is_set():
                self._link.ask(self._number, **{request: True})
                self._ended.wait(_KILLED_IN)

    def epitaph(self) -> tuple[int, str]:
        """Return how it ended. What was lost with its machine was killed from outside."""
        return self._end

    def last_words(self) -> str:
        """Return the end of what it wrote to standard error, or what Ray says of its loss."""
        return self._words

    def hear(self, told: dict[str, Any]) -> None:
        """Take in what became of it, and hand on what it says. After its end, nothing is heard of it."""
        if self._ended.is_set():
            return
        if "end" in told:
            number, phrase = told["end"]
            self._end, self._words = (number, phrase), told["words"]
            self._ended.set()
            self._heard(None)
        elif "line" in told:
            tell(told["line"])
        elif "body" in told:
            self._heard(told["body"])
        else:
            self.placed = True


def _joined_here() -> str:
    """Return the address of the cluster that this program has joined by itself; "" if it has not."""
    ray: Any = sys.modules.get("ray")
    return ray.get_runtime_context().gcs_address if ray is not None and ray.is_initialized() else ""
