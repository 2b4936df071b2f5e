"""The executor local: workers on this machine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Executor, Options

if TYPE_CHECKING:
    from tonesmith.engine.local_worker import LocalWorker
    from tonesmith.host.roles.executor import Heard


class LocalOptions(Options):
    """It has none: how many workers there are is a setting of every run."""


class LocalExecutor(Executor[LocalOptions]):
    """A process for each core that this process may use, or as many as are asked for."""

    name = "local"
    summary = "workers on this machine, one per CPU core"
    Options = LocalOptions

    def __init__(self, options: LocalOptions) -> None:
        super().__init__(options)
        self._workers: list[LocalWorker] = []

    def open(self, wanted: int) -> int:
        """Return how many are wanted, or one per core."""
        from tonesmith.engine.machine import cores

        return wanted or cores()

    def start(self, module: str, heard: Heard) -> LocalWorker:
        """Start a process."""
        from tonesmith.engine.local_worker import LocalWorker

        self._workers.append(LocalWorker(module, heard))
        return self._workers[-1]

    def close(self) -> None:
        """Kill the processes that still run."""
        for worker in self._workers:
            worker.kill()
        self._workers.clear()


@hookimpl
def tonesmith_executors() -> Iterable[type[Executor[Any]]]:
    """Return the executor."""
    return [LocalExecutor]
