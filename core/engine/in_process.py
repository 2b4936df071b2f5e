"""Plays in the process of the engine itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from tonesmith.engine.fault import Fault
from tonesmith.engine.outcome import Outcome
from tonesmith.engine.played import Played, pieces_of
from tonesmith.engine.shared_audio import SharedAudio
from tonesmith.host.roles import Backend
from tonesmith.space.patch import Patch


class Player(Protocol):
    """Plays the notes of a patch into shared memory."""

    def play(self, patch: Patch, notes: Sequence[Played]) -> list[Outcome]:
        """Play each note; the list ends with the first that could not be played."""


class InProcessPlayer:
    """Plays in this process: in a new engine for each note, or in one for all.

    A crash takes the process with it, on which the other side blames the candidate.
    """

    def __init__(self, load: Callable[[], Backend[Any]], shared: SharedAudio, reuse: bool, module: str) -> None:
        self._load = load
        self._module = module
        self._shared = shared
        self._reuse = reuse
        self._backend: Backend[Any] | None = None
        self._key: str | None = None

    def play(self, patch: Patch, notes: Sequence[Played]) -> list[Outcome]:
        """Play each note in an engine that no other note has used, or that promises not to remember."""
        self._shared.clear()
        for index, note in enumerate(notes):
            try:
                backend = self._prepared(patch)
                if held := backend.held():
                    self._shared.put_held(held)
                    break
                self._shared.put(index, pieces_of(backend, note))
            except Exception as error:  # noqa: BLE001 - a plugin may raise anything; the candidate bears it
                self._shared.put_fault(index, Fault.of(error, self._module))
                break
        return self._shared.outcomes(notes)

    def _prepared(self, patch: Patch) -> Backend[Any]:
        if self._backend is None or not self._reuse:
            self._backend, self._key = self._load(), None
        key = self._backend.template_key(patch)
        if key != self._key:
            if key:
                self._backend.load_template(patch)
            self._key = key
        self._backend.prepare(patch)
        return self._backend
