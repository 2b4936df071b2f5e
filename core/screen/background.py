"""Work that nothing waits for: in a thread for each kind of it, of which only the newest piece matters."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tonesmith.errors import TonesmithError, unforeseen


class Stopped(Exception):  # noqa: N818 - nothing is wrong
    """Nobody waits any more for what is being done."""


Check = Callable[[], None]
"""Raises :class:`Stopped` where newer work waits."""
Job = Callable[[Check], Any]


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of a piece of work.

    Attributes:
        lane: the kind of work.
        result: what the job returned, or None.
        failure: why it failed, or "".
    """

    lane: str
    result: Any = None
    failure: str = ""


class Lane:
    """Does one kind of work, one piece at a time. Newer work takes the place of what waits, and ends what is under way.

    The thread is a daemon, so that a slow disk or a slow bucket keeps nobody from leaving.

    Args:
        name: of the kind of work.
        deliver: told, in the thread, what became of work that is still the newest.
    """

    def __init__(self, name: str, deliver: Callable[[Finished], object]) -> None:
        self._name = name
        self._deliver = deliver
        self._changed = threading.Condition()
        self._waiting: tuple[int, Job] | None = None
        self._newest = self._done = 0
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether any work waits or is under way."""
        with self._changed:
            return self._done < self._newest

    def submit(self, job: Job) -> None:
        """Let a job be done, as soon as the one before notices that nobody waits for it."""
        with self._changed:
            self._newest += 1
            self._waiting = (self._newest, job)
            self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=f"screen {self._name}", daemon=True)
                self._thread.start()

    def stop(self) -> bool:
        """End the work, and return whether there was any."""
        with self._changed:
            was_busy = self._done < self._newest
            self._newest += 1
            self._done = self._newest
            self._waiting = None
            return was_busy

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting is not None)
                assert self._waiting is not None
                (number, job), self._waiting = self._waiting, None
            self._finish(number, self._result(number, job))

    def _result(self, number: int, job: Job) -> Finished:
        def check() -> None:
            if number < self._newest:
                raise Stopped

        try:
            return Finished(self._name, job(check))
        except Stopped:
            return Finished(self._name)
        except TonesmithError as error:
            return Finished(self._name, failure=str(error))
        except Exception as error:  # noqa: BLE001 - a plugin's sink may fail in any way, and the screen stays
            return Finished(self._name, failure=unforeseen(error))

    def _finish(self, number: int, finished: Finished) -> None:
        with self._changed:
            if number < self._newest:
                return
            self._done = number
        self._deliver(finished)
