"""How much memory a synth takes, watched from outside, and its end where that is more than it may.

The system's own limits (``RLIMIT_AS``, ``RLIMIT_DATA``) would not do. An allocation that they refuse shows as whatever
the synth makes of it: an abort, a segmentation fault, a sound without the effect that found no room. So nobody could
say that it was the memory, and a sound could depend on the limit. Watching tells whom to blame, changes no sound,
counts what is used and not what is reserved, and holds for every isolation alike. What a look every
twentieth of a second may miss is how far beyond its limit a synth gets before it is ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from tonesmith.engine.channel import Child
from tonesmith.engine.outcome import Outcome
from tonesmith.engine.refusal import is_memory
from tonesmith.errors import ConfigError, EngineError
from tonesmith.terminal.memory import memory_text

_COUNTED = ("RssAnon:", "RssShmem:", "VmSwap:")
"""What a process alone has, in proc_pid_status(5). The files that it maps are counted by none."""
_PROC = Path("/proc")
_GO_FIRST = 500
"""Of proc(5)'s oom_score_adj, -1000 to 1000: as if it had half of the memory more."""


def check_watchable(name: str, limit: int) -> None:
    """Raise :class:`ConfigError` if a limit is set where memory cannot be watched.

    Args:
        name: of the setting.
        limit: bytes, or 0.
    """
    here = os.getpid()
    if limit and not (_PROC / f"{here}/task/{here}/children").exists():
        raise ConfigError(f"{name}: memory is watched through /proc, as Linux has it. Leave the limit out here.")


def go_first() -> None:
    """Have a system that is out of memory end this process and its forks before others: they are easily replaced."""
    with contextlib.suppress(OSError):  # no Linux, or a score that only root may change
        (_PROC / "self" / "oom_score_adj").write_text(str(_GO_FIRST))


class MemoryWatch:
    """Watches what a process and its forks take from now on, each beyond what it was forked with.

    Args:
        child: the process. A fork is ended alone; the process itself if it is no fork that takes too much.
        limit: bytes; 0 for none.
        whole: whether what it has taken before counts too.

    Attributes:
        over: whether it took more, and was ended for that.
    """

    def __init__(self, child: Child, limit: int, *, whole: bool = False) -> None:
        self._child = child
        self._limit = limit
        self.over = False
        before = {} if whole or not limit else dict(_grown(child.pid))
        self._known = set(before)
        self._before = sum(before.values())

    @property
    def looking(self) -> Callable[[], None] | None:
        """What to call every now and then, or None without a limit."""
        return self.look if self._limit else None

    @property
    def told(self) -> str:
        """What is wrong, in words."""
        return f"over {memory_text(self._limit)}"

    def look(self) -> None:
        """End what takes too much: the forks made since, or all of it where there are none or their end was no help."""
        now = dict(_grown(self._child.pid))
        if sum(now.values()) - self._before <= self._limit:
            return
        forks = now.keys() - self._known
        if self.over or not forks or not self._known:
            self._child.kill()
        for pid in forks:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        self.over = True

    def judged(self, outcomes: list[Outcome]) -> list[Outcome]:
        """Return what became of the notes, with the blame where it belongs.

        Memory that the machine refuses, while more than the limit is there, was a request for more than that.
        """
        last = outcomes[-1]
        asked = last.failure == "refused" and is_memory(last.detail) and 0 < self._limit < _available()
        if not self.over and not asked:
            return outcomes
        return [*outcomes[:-1], replace(last, failure="memory", detail=self.told, signal=0)]


@contextlib.contextmanager
def loading(name: str, child: Child, limit: int) -> Iterator[Callable[[], None] | None]:
    """Give what to call every now and then while an engine loads.

    Args:
        name: of the backend.
        child: its process.
        limit: bytes that it may have; 0 for no limit.

    Raises :class:`EngineError` if it was ended for taking more.
    """
    watch = MemoryWatch(child, limit, whole=True)
    try:
        yield watch.looking
    except EngineError:
        if not watch.over:
            raise
        told = f"{name}: the engine was ended while it loaded, because its memory was {watch.told}."
        raise EngineError(f"{told} Raise run.load_memory.") from None


def taken(pid: int) -> int:
    """Return the bytes of memory that a process alone has; 0 where that cannot be told."""
    return sum(_status(_PROC / str(pid) / "status", _COUNTED))


def _grown(root: int) -> Iterator[tuple[int, int]]:
    """Yield each process of a tree, with the bytes that it has beyond what its parent has; of the root, all."""
    waiting = [(root, 0)]
    for pid, parents in waiting:
        own = taken(pid)
        yield pid, max(0, own - parents)
        waiting += [(child, own) for child in _children(pid)]


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in (_PROC / str(pid) / "task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, (task / "children").read_text().split())
    return found


def _available() -> int:
    """Return the bytes of memory that the machine has left."""
    return sum(_status(_PROC / "meminfo", ("MemAvailable:",)))


def _status(file: Path, names: tuple[str, ...]) -> list[int]:
    """Return the bytes of some lines of a file of /proc, which has kB; none where it is not there."""
    with contextlib.suppress(OSError):
        lines = file.read_text().splitlines()
        return [1024 * int(line.split()[1]) for line in lines if line.startswith(names)]
    return []
