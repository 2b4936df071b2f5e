"""Renders a rejected candidate again, and tells whether the same happens."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset.installed import installed
from tonesmith.dataset.reader import Dataset
from tonesmith.engine.channel import FROM_OUTSIDE, Child, Message, signal_name
from tonesmith.engine.client import LOAD_SECONDS
from tonesmith.engine.fault import caused
from tonesmith.engine.overheard import aloud, is_traced, overhearing
from tonesmith.engine.patience import awaited
from tonesmith.errors import ConfigError, DatasetError, RunError
from tonesmith.host.registry import Host
from tonesmith.host.trust import check_trusted
from tonesmith.plan.plan import Plan
from tonesmith.plan.rejection import Rejection


@dataclass(frozen=True, eq=False)
class Reproduced:
    """What became of a rejected candidate this time.

    Attributes:
        stored: the entry of the ledger.
        found: why it was rejected this time; None if it was accepted.
        label: "stored" if the ledger has the label and the sampler still draws it or cannot be asked, "changed" if the
            sampler draws another one by now, so that the stored one was played, and "drawn" if there is none stored.
        audio: what was heard, note after note: float32 (channels, frames); no frames if nothing was.
    """

    stored: Rejection
    found: Rejection | None
    label: str
    audio: NDArray[np.float32]

    @property
    def same(self) -> bool:
        """Whether it was rejected by the same judge for the same reason."""
        return self.found is not None and self.found.cause == self.stored.cause


def rejection_at(dataset: Dataset, number: int) -> Rejection:
    """Return an entry of the reject ledger. Raises :class:`ConfigError` for a number that it does not have."""
    ledger, path = dataset.rejections, dataset.storage.path or "the dataset"
    if not ledger:
        raise ConfigError(f"--reject: {path} has no rejected candidates.")
    if not 0 <= number < len(ledger):
        last = len(ledger) - 1
        raise ConfigError(
            f"--reject: {number} is not among the {len(ledger)} rejected candidates of {path}, which are numbered 0 to "
            f"{last}. List them: tonesmith inspect {path} --rejects"
        )
    return ledger[number]


def reproduce(
    dataset: Dataset,
    path: Path,
    number: int,
    host: Host,
    *,
    again: Callable[[str], object] = str,
    trust: bool = False,
) -> Reproduced:
    """Render a rejected candidate again as a run does, in a worker and an engine of its own; say what became of it.

    What both print goes to the error stream.

    Args:
        dataset: that has it in its ledger.
        path: of the dataset.
        number: of the entry.
        host: finds the plugins.
        again: told why the candidate is played again, if it is: a crash counts once it repeats.
        trust: whether to load what the plan names though this user has not used it.

    Raises :class:`TrustError` and :class:`PluginError` as ``verify --render`` does, :class:`DatasetError` if the label
    is neither stored nor can be drawn, and :class:`RunError` if it cannot be played.
    """
    stored = rejection_at(dataset, number)
    plan = installed(dataset, path, host, ("backend", "validator", "sink")).plan
    check_trusted(plan, host, trust=trust)
    if not stored.label and not host.has("sampler", plan.sampler.name):
        raise DatasetError(
            f"{path}: the ledger has no label of reject {number}, and the sampler {plan.sampler.name!r} is not here to "
            "draw it again. Reproduce it in the dataset that it was made for."
        )
    with nullcontext() if is_traced() else overhearing(aloud):
        return _tried(plan, path, stored, again)


def _tried(plan: Plan, path: Path, stored: Rejection, again: Callable[[str], object]) -> Reproduced:
    inbox: queue.Queue[Message] = queue.Queue()
    child = Child("tonesmith.run.worker", inbox)
    try:
        child.send({"plan": plan.to_json(), "path": str(path), "heard": True})
        child.send({"try": [stored.patch, stored.attempt], "label": dict(stored.label)})
        while True:
            try:
                message = awaited(inbox, plan.timeout + LOAD_SECONDS)
            except queue.Empty:
                return _by_worker(plan, stored, "timeout", "no sign of life")
            if message.body is None:
                return _ended(plan, stored, child)
            if "failed" in message.body:
                raise caused(RunError(message.body["failed"]), message.body["trace"])
            if "again" in message.body:
                again(message.body["why"])
            if "tried" in message.body:
                return _told(plan, stored, message.body, message.payload)
    finally:
        child.kill()


def _told(plan: Plan, stored: Rejection, body: Mapping[str, Any], payload: bytes) -> Reproduced:
    found = Rejection.from_json(body["tried"]) if body["tried"] else None
    audio = np.frombuffer(payload, np.float32).reshape(plan.audio.channels, -1)
    return Reproduced(stored, found, body["label"], audio)


def _ended(plan: Plan, stored: Rejection, child: Child) -> Reproduced:
    """Return what became of a candidate over which the worker itself ended."""
    child.kill()
    number, phrase = child.epitaph()
    if number in FROM_OUTSIDE:
        raise RunError(f"the worker was {phrase}, from outside. Run the same command again.")
    return _by_worker(plan, stored, "crash", signal_name(number) if number else phrase)


def _by_worker(plan: Plan, stored: Rejection, reason: str, detail: str) -> Reproduced:
    found = Rejection(stored.patch, stored.attempt, "worker", reason, detail)
    label = "stored" if stored.label else "drawn"
    return Reproduced(stored, found, label, np.zeros((plan.audio.channels, 0), np.float32))
