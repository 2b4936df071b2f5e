"""The parent's side of the workers of a score: which target goes where, and what comes back."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.engine.channel import Child, Message
from tonesmith.errors import RunError
from tonesmith.space.patch import Patch


@dataclass(frozen=True, slots=True)
class Job:
    """A target, and what is played against it.

    Attributes:
        target: index of its row in the dataset.
        patches: name -> patch; the prediction first.
        own: name of the one that is the target's own patch, or "".
    """

    target: int
    patches: Mapping[str, Patch]
    own: str = ""


@dataclass(frozen=True, eq=False)
class Scored:
    """What became of a job.

    Attributes:
        job: its index among the jobs.
        values: name -> metric -> value of each sound; one that could not be rendered counts as silence.
        failures: name -> why a patch could not be rendered.
        audio: of the prediction: float32 (channels, frames).
        played: the patch of that: with the values that the synth held, where it holds others.
    """

    job: int
    values: Mapping[str, Mapping[str, float]]
    failures: Mapping[str, str]
    audio: NDArray[np.float32]
    played: Patch


def scored(
    jobs: Sequence[Job], path: Path, form: tuple[int, int], workers: int, *, trust: bool
) -> Generator[Scored, None, None]:
    """Yield what became of each job as it is done, in any order.

    Args:
        jobs: to do.
        path: of the dataset.
        form: (channels, frames) of a sound.
        workers: processes, each with an engine of its own below it.
        trust: whether to load what the dataset's plan names though this user has not used it.

    Raises :class:`RunError` when a worker cannot go on.
    """
    todo, inbox = deque(enumerate(jobs)), queue.Queue[Message]()
    children: list[Child] = []
    try:
        for _ in range(min(workers, len(jobs))):
            children.append(Child("tonesmith.analysis.scoring.worker", inbox))
            children[-1].send({"path": str(path), "trust": trust})
        left = len(jobs)
        while left:
            message = inbox.get()
            body = _sound_body(message)
            if "job" in body:
                left -= 1
                yield _scored(body, message.payload, form)
            if todo:
                message.sender.send(_told(*todo.popleft()))
    finally:
        for child in children:
            child.kill()


def _sound_body(message: Message) -> dict[str, Any]:
    """Return what a worker sent. Raises :class:`RunError` if it ended or says that it cannot go on."""
    if message.body is None:
        _, phrase = message.sender.epitaph()
        raise RunError(f"a worker stopped ({phrase}). {message.sender.last_words()}".rstrip())
    if "failed" in message.body:
        raise RunError(message.body["failed"])
    return message.body


def _told(index: int, job: Job) -> dict[str, Any]:
    patches = {name: patch.to_json() for name, patch in job.patches.items()}
    return {"job": index, "target": job.target, "patches": patches, "own": job.own}


def _scored(body: Mapping[str, Any], payload: bytes, form: tuple[int, int]) -> Scored:
    audio = np.frombuffer(payload, "<f4").reshape(form)
    return Scored(body["job"], body["values"], body["failures"], audio, Patch.from_json(body["played"]))
