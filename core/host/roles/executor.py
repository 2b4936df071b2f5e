"""An executor starts the workers of a run, on this machine or elsewhere."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Protocol

from tonesmith.host.roles.base import O, Plugin

Heard = Callable[[dict[str, Any] | None], object]
"""Takes each message of a worker in order, and None once, when the worker has ended. Any thread may call it."""


class Worker(Protocol):
    """A worker process, as the run that started it sees it.

    :class:`tonesmith.engine.local_worker.LocalWorker` is one on the machine that it is made on.
    """

    @property
    def placed(self) -> bool:
        """Whether it runs, or did. False while it waits for a free place, as in the queue of a cluster."""

    def send(self, message: dict[str, Any]) -> None:
        """Send it a message, which is JSON. It is kept until the worker runs, and dropped if the worker is gone."""

    def end(self) -> None:
        """Close the stream to it, on which it ends itself."""

    def kill(self) -> None:
        """Kill it with all that it started, if it runs; if it still waits, have it never run."""

    def epitaph(self) -> tuple[int, str]:
        """Return how it ended: the signal that killed it, or 0, and a phrase such as "killed by SIGKILL".

        Called once it has ended or was killed. The run blames no candidate for a signal that comes from outside, so one
        that was lost with its machine was killed by SIGKILL.
        """

    def last_words(self) -> str:
        """Return the end of what it wrote to standard error, once it has ended; "" if that is lost."""


class Executor(Plugin[O]):
    """Starts workers somewhere, carries their messages, kills them, and tells how they ended.

    It is the transport, no more. The run decides which block goes where, how long a worker may be silent, what its
    death is blamed on, and what is tried again. No dataset depends on it: one that was begun on this machine may go on
    in a cluster.

    A worker is a clean process, no fork, on a machine that has tonesmith and the plugins of the plan, and that sees the
    dataset at the path that the run names. It runs ``python -P -m MODULE``, and talks over its standard streams in the
    frames of :class:`tonesmith.engine.channel.Channel`. It must not outlive the run, however that ends.
    """

    role = "executor"

    def __init__(self, options: O) -> None:
        self.options = options

    def check(self) -> None:
        """Raise :class:`tonesmith.ConfigError` if it cannot be used here, such as for want of a library.

        Called before anything else is done, so it must be quick.
        """

    @abstractmethod
    def open(self, wanted: int) -> int:
        """Get ready to start workers, and return how many there can be at a time, at least 1.

        Called before anything is written, and not at all if no block is left to make.

        Args:
            wanted: how many the user asks for; 0 for as many as fit.

        Raises :class:`tonesmith.RunError` if there can be none, and says why.
        """

    @abstractmethod
    def start(self, module: str, heard: Heard) -> Worker:
        """Start a worker, and return it at once, if it has to wait for a place too.

        Args:
            module: that it runs.
            heard: to be called with what it sends.

        Raises :class:`tonesmith.ResourceError` if the system refuses a process.
        """

    def close(self) -> None:
        """Give back what :meth:`open` took, and kill what still runs. Called after it also when :meth:`open` raised."""
