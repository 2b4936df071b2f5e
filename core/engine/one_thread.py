"""A copy with one thread of an engine that has more, for forks to be made of.

A plugin may run threads of its own, as every JUCE plugin does. A fork has none of them: a lock that one of them held at
that moment is held for ever in the copy. So such an engine forks once, and the copy serves in its place: it has one
thread, so nothing holds a lock when it forks. The copy itself may have met a lock that was held; so it is believed only
once a note has been played in a fork of it, and made anew until then.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable
from typing import NoReturn

from tonesmith.engine.channel import die_with_parent
from tonesmith.engine.forks import flush, fork, signal_of
from tonesmith.engine.wakeups import silence, threads

_TRIES = 200
"""Copies made before one is used that no note was played in: then it is the plugin that plays none."""
_SECONDS = 20.0
"""That the note may take: a lock may also be waited for without end."""
_HANGS = 3
"""Copies that may hang before one is used."""
_PLAYED, _DIED, _HANGS_ON = b"played", b"died", b"hangs"


def one_threaded(proof: Callable[[], object], let_go: Callable[[], object]) -> None:
    """Go on in a copy with one thread, and return there; a process that has one thread goes on as it is.

    The process itself waits for the end of its copy, and ends as that did.

    Args:
        proof: plays a note. What it raises proves as much: only a death or a hang does not.
        let_go: closes what the process shares with its parent.
    """
    if threads() == 1:
        return
    hangs = 0
    for left in reversed(range(_TRIES)):
        pid, verdict = _copied(proof if left and hangs < _HANGS else None)
        if not pid:
            return
        if verdict == _PLAYED:
            let_go()
            _end_as(pid)
        hangs += verdict == _HANGS_ON
        os.waitpid(pid, 0)


def _copied(proof: Callable[[], object] | None) -> tuple[int, bytes]:
    """Fork, and return the id of a copy and its verdict on itself; in a copy that may be used, 0."""
    reader, writer = os.pipe()
    flush()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        os.close(writer)
        with os.fdopen(reader, "rb") as stream:
            return pid, stream.read()
    try:
        os.close(reader)
        die_with_parent(parent)
        silence()
        verdict = _played(proof) if proof else _PLAYED
        os.write(writer, verdict)
        os.close(writer)
    except BaseException:  # noqa: BLE001 - two processes would go on
        os._exit(1)
    if verdict != _PLAYED:
        os._exit(0)
    return 0, verdict


def _played(proof: Callable[[], object]) -> bytes:
    """Return what became of a note that was played in a fork: played, hangs or died."""
    reader, writer = os.pipe()
    pid = fork(proof, lambda _: None)
    os.close(writer)
    ended = bool(select.select([reader], [], [], _SECONDS)[0])  # its end closes the pipe
    os.close(reader)
    if not ended:
        os.kill(pid, signal.SIGKILL)
    died = signal_of(pid)
    return _HANGS_ON if not ended else _DIED if died else _PLAYED


def _end_as(pid: int) -> NoReturn:
    """Wait for the end of a copy, and end as it did."""
    import resource  # which Windows does not have, nor forks

    number = signal_of(pid)
    if number:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(0)
