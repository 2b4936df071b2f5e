"""The thread in which processes are started: it lasts as long as this process does.

Linux ends a process that asks for it when the *thread* that started it ends (``PR_SET_PDEATHSIG`` of prctl(2)). A
program may well start an engine in a thread that is over before the engine is: in a pool, in ``asyncio.to_thread``, in
a cell of a notebook. So no thread starts a process itself. The children cannot watch for the end of their parent
instead: that takes a second thread, and an engine that is forked for each render must not have one.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class _Starter:
    """One thread, and what it is asked to do."""

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        threading.Thread(target=self._serve, name="tonesmith-starter", daemon=True).start()

    def ask(self, act: Callable[[], None]) -> None:
        self._asked.put(act)

    def _serve(self) -> None:
        """Do what is asked. What is started here holds SIGINT back: Python would start with a traceback."""
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        while True:
            self._asked.get()()


class _Current:
    """The starter of this process, made when it is first needed, and again in a fork, which has no thread of it."""

    def __init__(self) -> None:
        self._forget()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._starter: _Starter | None = None

    def get(self) -> _Starter:
        with self._lock:
            self._starter = self._starter or _Starter()
            return self._starter


_CURRENT = _Current()


def in_lasting_thread(act: Callable[[], T]) -> T:
    """Return what a function returns, or raise what it raises, called in the thread that lasts."""
    answers: queue.SimpleQueue[tuple[bool, T | BaseException]] = queue.SimpleQueue()

    def answer() -> None:
        try:
            answers.put((True, act()))
        except BaseException as error:  # noqa: BLE001 - raised where it was asked for
            answers.put((False, error))

    _CURRENT.get().ask(answer)
    done, result = answers.get()
    if not done:
        assert isinstance(result, BaseException)
        raise result
    return result  # type: ignore[return-value]
