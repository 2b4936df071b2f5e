"""The executor of a run: found, opened before anything is written, and closed whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tonesmith.host.config import DEFAULT_NAMES, Chosen
from tonesmith.host.registry import Host
from tonesmith.host.roles import Executor


@dataclass(frozen=True, slots=True)
class Staff:
    """Who makes the blocks of a run.

    Attributes:
        executor: starts the workers; it is open.
        size: how many of them there can be at a time.
    """

    executor: Executor[Any]
    size: int


def executor_of(chosen: Chosen | None, host: Host) -> Executor[Any]:
    """Return the executor of a composition; None for the default one.

    Raises :class:`ConfigError` if it cannot be used here, and :class:`PluginError` if there is none of its name.
    """
    name, options = (chosen.name, chosen.options) if chosen else (DEFAULT_NAMES["executor"], {})
    found = host.find("executor", name)
    executor = found(found.Options.model_validate(options))
    executor.check()
    return executor


@contextmanager
def staffed(executor: Executor[Any], workers: int, blocks: int) -> Iterator[Staff]:
    """Give the staff for so many blocks, as long as the ``with`` block lasts. Without a block, nothing is opened.

    Args:
        executor: starts the workers.
        workers: how many are wanted; 0 for as many as fit.
        blocks: that are to be made.

    Raises :class:`RunError` if there can be no worker.
    """
    if not blocks:
        yield Staff(executor, 0)
        return
    try:
        yield Staff(executor, executor.open(workers))
    finally:
        executor.close()
