"""Labels tried on the synth: rendered, measured against the target, and counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.matching.distance import FAILED, Distance
from tonesmith.dataset.player import Player
from tonesmith.dataset.renderer import Rendered
from tonesmith.space.label import Label
from tonesmith.space.patch import Note, Patch
from tonesmith.space.space import ParameterSpace

Near = tuple[float, NDArray[np.float32]]
"""The distance and the levels of a sound."""


class Listening(Protocol):
    """Hears how far a match is."""

    def begin(self, total: int) -> None:
        """There are so many renders to make, at most."""

    def advance(self, count: int) -> None:
        """So many more are done. It is called in any thread."""

    def tell(self, text: str) -> None:
        """The best so far, in words."""


@dataclass(frozen=True, eq=False)
class Trial:
    """A label that was tried.

    Attributes:
        label: of it.
        distance: of its sound from the target, in dB.
        levels: of its sound, float32 (cells,): see :meth:`Distance.near`; none of what cannot be rendered.
    """

    label: Label
    distance: float
    levels: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))


@dataclass(frozen=True, eq=False)
class Heard:
    """A trial that is kept: with its sound, float32 (channels, frames), and the patch that was played."""

    trial: Trial
    audio: NDArray[np.float32]
    patch: Patch


@dataclass(frozen=True, slots=True)
class Budget:
    """What a search may spend.

    Attributes:
        renders: that it makes at most.
        seconds: after which it begins no more; None for no limit.
    """

    renders: int
    seconds: float | None = None


@dataclass(eq=False)
class Trials:
    """Renders labels and measures them, as long as the budget lasts.

    What is best does not depend on the order in which renders are done: of equals, the first that was asked for.

    Attributes:
        space: of the labels.
        player: that plays them.
        note: with which.
        distance: from the target.
        budget: that is left to spend.
        workers: threads that measure.
        stopped: returns whether somebody wants an end.
        progress: told of each render, and of the best.
    """

    space: ParameterSpace
    player: Player
    note: Note
    distance: Distance
    budget: Budget
    workers: int
    stopped: Callable[[], bool]
    progress: Listening
    best: Heard | None = None
    interrupted: bool = False
    done: int = 0
    failed: int = 0
    reason: str = ""
    history: list[tuple[int, float]] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> int:
        """Renders that may still be made; 0 when the search is to end."""
        over = self.interrupted or self._out_of_time() or (self.best is not None and self.best.trial.distance == 0.0)
        return 0 if over else self.budget.renders - self.done

    @property
    def seconds(self) -> float:
        """Since the first was asked for."""
        return time.monotonic() - self._began

    def of(self, labels: Sequence[Label]) -> list[Trial]:
        """Return the trials of labels, in order: of fewer than all when the budget ends, of none when it is over."""
        chosen = list(labels[: max(self.left, 0)])
        measured = self._measured([self.space.decode(label) for label in chosen])
        trials = []
        for index in sorted(measured):
            rendered, (distance, levels) = measured[index]
            trials.append(Trial(chosen[index], distance, levels))
            self._count(trials[-1], rendered)
        return trials

    def _measured(self, patches: Sequence[Patch]) -> dict[int, tuple[Rendered, Near]]:
        """Return index -> render and distance of each patch that was rendered before an end was wanted."""
        found: dict[int, tuple[Rendered, Future[Near]]] = {}
        renders = self.player.render(patches, [self.note] * len(patches))
        with ThreadPoolExecutor(self.workers) as pool, closing(renders):
            for index, rendered in renders if patches else ():
                found[index] = (rendered, pool.submit(self._near, rendered))
                self.interrupted = self.interrupted or self.stopped()
                if self.interrupted or self._out_of_time():
                    break
        return {index: (rendered, future.result()) for index, (rendered, future) in found.items()}

    def _near(self, rendered: Rendered) -> Near:
        found = (FAILED, np.zeros(0, np.float32)) if rendered.failure else self.distance.near(rendered.audio)
        self.progress.advance(1)
        return found

    def _count(self, trial: Trial, rendered: Rendered) -> None:
        self.done += 1
        if rendered.failure:
            self.failed += 1
            self.reason = self.reason or rendered.failure
        elif self.best is None or trial.distance < self.best.trial.distance:
            self.best = Heard(trial, rendered.audio, rendered.patch)
            self.history.append((self.done, trial.distance))
            self.progress.tell(f"distance {trial.distance:.2f} dB")

    def _out_of_time(self) -> bool:
        return self.budget.seconds is not None and self.seconds >= self.budget.seconds
