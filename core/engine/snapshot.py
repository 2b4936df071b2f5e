"""Renders in forked copies of a pristine engine.

::

    engine            constructed once; never renders
    └── template      what patches share (a loaded preset), kept for the next patch with the same key
        └── patch     every parameter set
            └── note  rendered, and gone

Each process is forked from the one above and inherits its state, random generators included, by
copy-on-write. What a render does to the engine, or to its process, ends with its process. The last note of a
patch is rendered in the patch's own process: nothing comes after it.

A plugin may run threads of its own, which a fork does not have. So their descriptors lead nowhere in a fork, and
patches are forked from a template, which has one thread: none can hold a lock while it forks. The template itself may
have met a lock that was held, and then nothing plays in it; so one in which nothing has played yet is made anew before
a patch is blamed for its death.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket
import sys
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import astuple
from functools import partial
from typing import Any

import numpy as np

from tonesmith.engine.channel import die_with_parent, signal_name
from tonesmith.engine.fault import Fault, FaultError
from tonesmith.engine.outcome import Outcome
from tonesmith.engine.pages import LargeCopies
from tonesmith.engine.shared_audio import PLAYED, UNPLAYED, SharedAudio
from tonesmith.engine.wakeups import silence, threads, waking
from tonesmith.errors import EngineError
from tonesmith.host.roles import Backend
from tonesmith.space.patch import Note, Patch

_TEMPLATES = 4
"""Loaded templates kept: each holds what loading touched, about 40 MB for Vital."""
_TRIES = 6
"""Forks of a process with threads of which each must die before it counts. One in ten may meet a lock."""


class SnapshotPlayer:
    """Plays patches in forked copies of one backend."""

    def __init__(self, backend: Backend[Any], shared: SharedAudio) -> None:
        import resource  # which Windows does not have, nor the forks that would leave cores

        self._backend = backend
        self._shared = shared
        self._templates: OrderedDict[str, _Template] = OrderedDict()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        gc.collect()
        gc.freeze()  # the collector would write to, and so copy, pages of objects that never die
        self._copies = LargeCopies()
        self._threaded = threads() > 1

    def play(self, patch: Patch, notes: Sequence[Note]) -> list[Outcome]:
        """Play each note of a patch from the pristine state; the audio is in the shared memory."""
        key = self._backend.template_key(patch)
        if not (key or self._threaded):
            self._shared.clear()
            _play_patch(self._backend, self._shared, self._copies, patch, notes)
            return self._shared.outcomes(notes)
        for left in reversed(range(_TRIES if self._threaded else 1)):
            template = self._template(key, patch)
            outcomes = self._played(template, key, patch, notes)
            template.proved |= not outcomes[0].failure
            if template.proved or outcomes[-1].failure != "crash" or not left:
                break
            if self._templates.pop(key, None):
                template.kill()
        return outcomes

    def _played(self, template: _Template, key: str, patch: Patch, notes: Sequence[Note]) -> list[Outcome]:
        self._shared.clear()
        if not template.play(patch, notes):
            del self._templates[key]
            number, index = template.ended_by(), _first_unplayed(self._shared)
            if self._shared.status[index]["state"] == UNPLAYED:
                self._shared.put_death(index, number)
        return self._shared.outcomes(notes)

    def _template(self, key: str, patch: Patch) -> _Template:
        if key not in self._templates:
            while len(self._templates) >= _TEMPLATES:
                self._templates.popitem(last=False)[1].kill()
            self._templates[key] = _Template(self._backend, self._shared, patch if key else None)
        self._templates.move_to_end(key)
        return self._templates[key]


class _Template:
    """A forked copy of the engine in which a template is loaded, and which plays patches in copies of itself.

    Args:
        patch: whose template it is; None for the engine as it is.

    Attributes:
        proved: whether a note has been played in it.
    """

    def __init__(self, backend: Backend[Any], shared: SharedAudio, patch: Patch | None) -> None:
        self.proved = False
        ours, theirs = socket.socketpair()

        def serve() -> None:
            ours.close()
            if patch is not None:
                with waking():
                    backend.load_template(patch)
            copies = LargeCopies()
            with theirs, theirs.makefile("rwb") as stream:
                for line in stream:
                    request = json.loads(line)
                    notes = [Note(*fields) for fields in request["notes"]]
                    _play_patch(backend, shared, copies, Patch.from_json(request["patch"]), notes)
                    stream.write(b"played\n")
                    stream.flush()

        self._pid = _fork(serve, lambda error: shared.put_fault(0, Fault.of(error, type(backend).__module__)))
        theirs.close()
        self._socket = ours
        self._stream = ours.makefile("rwb")

    def play(self, patch: Patch, notes: Sequence[Note]) -> bool:
        """Play a patch, and return whether the template lives."""
        request = {"patch": patch.to_json(), "notes": [astuple(note) for note in notes]}
        try:
            self._stream.write(json.dumps(request).encode() + b"\n")
            self._stream.flush()
            return bool(self._stream.readline())
        except OSError:
            return False

    def kill(self) -> None:
        """End it now. It cannot be told to end itself: templates forked later hold copies of its socket."""
        os.kill(self._pid, signal.SIGKILL)
        self.ended_by()

    def ended_by(self) -> int:
        """Wait for its end, and return the signal that ended it, or 0."""
        with contextlib.suppress(OSError):
            self._stream.close()
        self._socket.close()
        return _signal_of(self._pid)


def _play_patch(
    backend: Backend[Any], shared: SharedAudio, copies: LargeCopies, patch: Patch, notes: Sequence[Note]
) -> None:
    """Fork, and in the copy set the patch and play its notes."""

    def report(index: int, error: BaseException) -> None:
        shared.put_fault(index, Fault.of(error, type(backend).__module__))

    def render(index: int) -> None:
        copies.take()
        shared.put(index, backend.render(notes[index]))
        copies.learn()

    def play() -> None:
        backend.prepare(patch)
        for index in range(len(notes) - 1):
            if not _play_note(render, partial(report, index), shared, index):
                return
        render(len(notes) - 1)

    number = _signal_of(_fork(play, lambda error: report(_first_unplayed(shared), error)))
    if number:
        shared.put_death(_first_unplayed(shared), number)


def _play_note(
    render: Callable[[int], None], report: Callable[[BaseException], None], shared: SharedAudio, index: int
) -> bool:
    number = _signal_of(_fork(lambda: render(index), report))
    if number:
        shared.put_death(index, number)
    return bool(shared.status[index]["state"] == PLAYED)


def _first_unplayed(shared: SharedAudio) -> int:
    return int(np.argmin(shared.status["state"] == PLAYED))


def _fork(act: Callable[[], None], report: Callable[[BaseException], None]) -> int:
    """Fork; in the child act, report an exception, and exit; in the parent return the child's id."""
    _flush()
    pid = os.fork()
    if pid:
        return pid
    try:
        die_with_parent()
        silence()
        act()
    except BaseException as error:  # noqa: BLE001 - nothing may escape into the parent's code
        report(error)
    finally:
        _flush()
        os._exit(0)


def _flush() -> None:
    """Send on what was printed: before a fork, lest each copy print it again; and before an end without a flush."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # a plugin may have put anything in its place
        sys.stdout.flush()


def forked(act: Callable[[], dict[str, Any]], module: str = "") -> dict[str, Any]:
    """Return the JSON-serialisable result of an act in a forked copy of this process, which ends with it.

    Args:
        act: to do there.
        module: of the plugin whose code it runs, a line of which is named if the act raises; "" for the innermost.

    Raises :class:`EngineError` with what the act raised, or the signal that ended the copy; where this process has
    threads, only if it ended so each time.
    """
    for left in reversed(range(_TRIES if threads() > 1 else 1)):
        number, text = _forked_once(act, module)
        if text or not left:
            break
    if number or not text:
        raise EngineError(f"the engine crashed on it ({signal_name(number)})")
    answer = json.loads(text)
    if "failed" in answer:
        raise FaultError(Fault.from_json(answer["failed"]))
    told: dict[str, Any] = answer["told"]
    return told


def _forked_once(act: Callable[[], dict[str, Any]], module: str) -> tuple[int, bytes]:
    """Return the signal that ended a copy, or 0, and what it told."""
    reader, writer = os.pipe()

    def tell(told: dict[str, Any]) -> None:
        with os.fdopen(writer, "wb") as stream:
            stream.write(json.dumps(told).encode())

    def report(error: BaseException) -> None:
        tell({"failed": Fault.of(error, module).to_json()})

    pid = _fork(lambda: tell({"told": act()}), report)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        text = stream.read()
    return _signal_of(pid), text


def _signal_of(pid: int) -> int:
    """Wait for a child, and return the signal that ended it; an exit that was not ours counts as SIGABRT."""
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code > 0:
        return int(signal.SIGABRT)
    return -code
