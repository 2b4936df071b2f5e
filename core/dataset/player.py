"""Any label as sound: engines of a dataset that stay loaded while labels come."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset.given import Given, One, patches_of
from tonesmith.dataset.notes import check_note, first_note, phrase_of
from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.renderer import Rendered, Renderer
from tonesmith.engine.machine import cores
from tonesmith.errors import ConfigError, EngineError
from tonesmith.host.registry import Host
from tonesmith.score.phrase import Phrase
from tonesmith.score.score import Score
from tonesmith.space.label import Outside
from tonesmith.space.patch import Note, Patch

Plays = Note | Phrase | Score
"""What can play a label."""

Failed = Literal["raise"] | Callable[[int, str], object]
"""What becomes of a label that cannot be rendered: an error at the end, or silence that is told of by its index."""

_PATIENCE = 5.0
"""Seconds that closing waits for the renders in flight."""
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class _Job:
    index: int
    patch: Patch
    note: Note | Phrase
    patch_id: int


class Player:
    """Plays labels on engines of a dataset, which stay loaded between calls.

    ::

        with ds.player() as play:
            audio = play({"continuous": model(x), "categorical": logits})

    Args:
        dataset: whose synth plays, in the form of whose rows, with whose assets.
        workers: engines, each in a process of its own; 0 for one a core. Each starts when there is work for it.
        trust: whether to load what the dataset's plan names though this user has not used it.
        host: finds its plugins.

    Raises :class:`PluginError` if its backend is not installed, :class:`TrustError` if its plan names a plugin that
    this user does not know.
    """

    def __init__(self, dataset: Dataset, workers: int = 1, *, trust: bool = False, host: Host | None = None) -> None:
        if workers < 0:
            raise ConfigError(f"workers is {workers}; expected 0, for one a core, or more.")
        host, path = host or Host.load(), dataset.storage.path or Path()
        self._dataset = dataset
        self._size = workers or cores()
        self._new = partial(Renderer, dataset, path, host, trust=trust)
        self._renderers = [self._new()]  # what cannot be played is told now, and not by a thread
        self._todo: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[int, Rendered | BaseException]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(
        self,
        labels: Given,
        notes: Plays | Sequence[Plays] | None = None,
        *,
        outside: Outside = "refuse",
        failed: Failed = "raise",
    ) -> NDArray[np.float32]:
        """Return what labels sound like: float32 (n, channels, frames), full scale 1.0, as the dataset stores audio.

        Args:
            labels: one or several: see :meth:`tonesmith.Dataset.render`.
            notes: one for all, or one for each: a note, a phrase, or a score, which is played as a phrase; None for
                the first note of the dataset's plan. Each lasts as long as the rows of the dataset.
            outside: "clip" for the nearest end in place of a continuous value outside [0, 1].
            failed: "raise" for an error that names what could not be rendered, once all others are; or what is called
                with the index and the reason of each of those, which are silence then.

        Raises:
            SpaceError: a label is not of the dataset's space; the message has its index and the parameter.
            ConfigError: a note cannot be played, or lasts longer or shorter than the rows.
            EngineError: a label could not be rendered, or no engine can be loaded.
        """
        patches = patches_of(self._dataset, labels, outside)
        played = self._notes(notes, len(patches))
        plan = self._dataset.plan
        audio = np.zeros((len(patches), plan.audio.channels, plan.audio.frames), np.float32)
        failures: dict[int, str] = {}
        for index, rendered in self.render(patches, played):
            audio[index] = rendered.audio
            if rendered.failure:
                failures[index] = rendered.failure
        if failures and failed == "raise":
            raise EngineError(_told(failures, len(patches)))
        for index in sorted(failures):
            if callable(failed):
                failed(index, failures[index])
        return audio

    def play_one(self, label: One, note: Note | Phrase, patch_id: int = -1) -> Rendered:
        """Return what became of one label: its audio, the patch that was played, and why it failed if it did.

        Args:
            label: to play.
            note: that plays it.
            patch_id: index of its patch in the plan, of a stored one.
        """
        patches = patches_of(self._dataset, [label])
        return next(rendered for _, rendered in list(self.render(patches, [note], [patch_id])))

    def render(
        self, patches: Sequence[Patch], notes: Sequence[Note | Phrase], patch_ids: Sequence[int] | None = None
    ) -> Generator[tuple[int, Rendered], None, None]:
        """Yield (index, what became of it) of each patch as it is done, in any order.

        Args:
            patches: with a value for every parameter of the synth.
            notes: one for each.
            patch_ids: index of each in the plan, where they are stored ones.

        Raises :class:`EngineError` if no engine can be loaded.
        """
        if self._closed:
            raise ConfigError("the player is closed. Make a new one: with ds.player() as play:")
        ids = patch_ids if patch_ids is not None else [-1] * len(patches)
        for job in map(_Job, range(len(patches)), patches, notes, ids):
            self._todo.put(job)
        self._hire(len(patches))
        try:
            for _ in patches:
                yield self._next()
        except BaseException:
            self.close()  # results that are still to come would be taken for those of the next call
            raise

    def close(self) -> None:
        """End the engines. What is in flight is dropped."""
        self._closed = True
        while not self._todo.empty():
            self._todo.get()
        for _ in self._threads:
            self._todo.put(None)
        for thread in self._threads:
            thread.join(_PATIENCE)

    def _notes(self, notes: Plays | Sequence[Plays] | None, count: int) -> list[Note | Phrase]:
        plan = self._dataset.plan
        if notes is None:
            return [first_note(plan)] * count
        told = [notes] * count if isinstance(notes, Note | Phrase | Score) else list(notes)
        given = [phrase_of(plan, one) if isinstance(one, Score) else one for one in told]
        if len(given) != count:
            raise ConfigError(f"there are {len(given)} notes for {count} labels; give one for all, or one for each.")
        for note in set(given):
            check_note(plan, note)
        return given

    def _hire(self, jobs: int) -> None:
        """Start threads, one for each engine: that starts and ends there, for it dies with its thread."""
        while len(self._threads) < min(self._size, jobs):
            renderer = self._renderers.pop() if self._renderers else self._new()
            thread = threading.Thread(target=self._work, args=(renderer,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _next(self) -> tuple[int, Rendered]:
        index, rendered = self._done.get()
        if isinstance(rendered, BaseException):
            raise rendered
        return index, rendered

    def _work(self, renderer: Renderer) -> None:
        with renderer:
            while (job := self._todo.get()) is not None:
                try:
                    result: Any = renderer.render(job.patch, job.note, job.patch_id)
                except BaseException as error:  # noqa: BLE001 - it is raised again in the calling thread
                    result = error
                self._done.put((job.index, result))


def _told(failures: dict[int, str], count: int) -> str:
    shown = "\n".join(f"  label {index}: {failures[index]}" for index in sorted(failures)[:_SHOWN])
    more = f"\n  and {len(failures) - _SHOWN} more" if len(failures) > _SHOWN else ""
    return f"{len(failures)} of {count} labels cannot be rendered:\n{shown}{more}"
