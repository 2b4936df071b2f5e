"""Renders in forked copies of a pristine engine.

::

    engine            constructed once; never renders
    └── template      what patches share (a loaded preset), kept for the next patch with the same key
        └── patch     every parameter set
            └── note  rendered, and gone

Each process is forked from the one above and inherits its state, random generators included, by
copy-on-write. What a render does to the engine, or to its process, ends with its process. The last note of a
patch is rendered in the patch's own process: nothing comes after it.

An engine whose plugin runs threads is itself a copy of the one that was loaded: see
:mod:`tonesmith.engine.one_thread`.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from tonesmith.engine.fault import Fault
from tonesmith.engine.forks import fork, signal_of
from tonesmith.engine.outcome import Outcome
from tonesmith.engine.pages import LargeCopies
from tonesmith.engine.played import Played, pieces_of, received, sent
from tonesmith.engine.shared_audio import PLAYED, UNPLAYED, SharedAudio
from tonesmith.engine.wakeups import waking
from tonesmith.host.roles import Backend
from tonesmith.space.patch import Patch

_TEMPLATES = 4
"""Loaded templates kept: each holds what loading touched, about 40 MB for Vital."""


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

    def play(self, patch: Patch, notes: Sequence[Played]) -> list[Outcome]:
        """Play each note or phrase of a patch from the pristine state; the audio is in the shared memory."""
        self._shared.clear()
        if key := self._backend.template_key(patch):
            self._play_from_template(key, patch, notes)
        else:
            self._copies.settle()
            _play_patch(self._backend, self._shared, self._copies, patch, notes)
        return self._shared.outcomes(notes)

    def _play_from_template(self, key: str, patch: Patch, notes: Sequence[Played]) -> None:
        template = self._template(key, patch)
        if not template.play(patch, notes):
            del self._templates[key]
            number, index = template.ended_by(), _first_unplayed(self._shared)
            if self._shared.status[index]["state"] == UNPLAYED:
                self._shared.put_death(index, number)

    def _template(self, key: str, patch: Patch) -> _Template:
        if key not in self._templates:
            while len(self._templates) >= _TEMPLATES:
                self._templates.popitem(last=False)[1].kill()
            self._templates[key] = _Template(self._backend, self._shared, patch)
        self._templates.move_to_end(key)
        return self._templates[key]


class _Template:
    """A forked copy of the engine in which a template is loaded, and which plays patches in copies of itself."""

    def __init__(self, backend: Backend[Any], shared: SharedAudio, patch: Patch) -> None:
        ours, theirs = socket.socketpair()

        def serve() -> None:
            ours.close()
            with waking():
                backend.load_template(patch)
            copies = LargeCopies()
            with theirs, theirs.makefile("rwb") as stream:
                for line in stream:
                    request = json.loads(line)
                    notes = [received(one) for one in request["notes"]]
                    _play_patch(backend, shared, copies, Patch.from_json(request["patch"]), notes)
                    stream.write(b"played\n")
                    stream.flush()

        self._pid = fork(serve, lambda error: shared.put_fault(0, Fault.of(error, type(backend).__module__)))
        theirs.close()
        self._socket = ours
        self._stream = ours.makefile("rwb")

    def play(self, patch: Patch, notes: Sequence[Played]) -> bool:
        """Play a patch, and return whether the template lives."""
        request = {"patch": patch.to_json(), "notes": [sent(one) for one in notes]}
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
        return signal_of(self._pid)


def _play_patch(
    backend: Backend[Any], shared: SharedAudio, copies: LargeCopies, patch: Patch, notes: Sequence[Played]
) -> None:
    """Fork, and in the copy set the patch and play its notes."""

    def report(index: int, error: BaseException) -> None:
        shared.put_fault(index, Fault.of(error, type(backend).__module__))

    def render(index: int) -> None:
        copies.take()
        shared.put(index, pieces_of(backend, notes[index]))
        copies.learn()

    def play() -> None:
        backend.prepare(patch)
        if held := backend.held():
            shared.put_held(held)
            return
        for index in range(len(notes) - 1):
            if not _play_note(render, partial(report, index), shared, index):
                return
        render(len(notes) - 1)

    number = signal_of(fork(play, lambda error: report(_first_unplayed(shared), error)))
    if number:
        shared.put_death(_first_unplayed(shared), number)


def _play_note(
    render: Callable[[int], None], report: Callable[[BaseException], None], shared: SharedAudio, index: int
) -> bool:
    number = signal_of(fork(lambda: render(index), report))
    if number:
        shared.put_death(index, number)
    return bool(shared.status[index]["state"] == PLAYED)


def _first_unplayed(shared: SharedAudio) -> int:
    return int(np.argmin(shared.status["state"] == PLAYED))
