"""Scoring predictions: render them on the synth of their dataset, measure, and compare with baselines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.metrics import METRICS
from tonesmith.analysis.scoring.baselines import FLOOR, Baselines, baselines_of
from tonesmith.analysis.scoring.crew import Job, Scored, scored
from tonesmith.analysis.scoring.examples import examples_of
from tonesmith.analysis.scoring.labels import LabelErrors, Labels
from tonesmith.analysis.scoring.predictions import Predictions, read_predictions
from tonesmith.analysis.scoring.results import PREDICTION, Score, sounds_summary
from tonesmith.analysis.scoring.sounds_dataset import BLOCK, SoundsDataset
from tonesmith.dataset.installed import installed
from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.reader import Dataset
from tonesmith.engine.machine import cores
from tonesmith.errors import ConfigError
from tonesmith.host.registry import Host
from tonesmith.host.trust import check_trusted
from tonesmith.plan.notes import note_from
from tonesmith.plan.rows import modulations_from
from tonesmith.plan.schema import MODULATION_FIELDS
from tonesmith.space.label import Label, Outside
from tonesmith.space.patch import Note
from tonesmith.space.sampling import key_of

FORMAT = 1
"""Version of the JSON."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to score.

    Attributes:
        rows: predictions that are scored, chosen at random; 0 for all.
        baseline_rows: of these, targets that baselines are rendered for, chosen at random.
        pool: rows that are listened to for the nearest one.
        seed: of the choices and of the bootstrap.
        outside: what becomes of a continuous value outside [0, 1].
    """

    rows: int = 0
    baseline_rows: int = 100
    pool: int = 1000
    seed: int = 0
    outside: Outside = "refuse"

    def __post_init__(self) -> None:
        if self.rows < 0 or self.baseline_rows < 1 or self.pool < 1:
            raise ConfigError(
                "the numbers of rows, baseline rows and rows in the pool must be 1 or more; rows may be 0."
            )


class Listening(Protocol):
    """Hears how far a score is."""

    def begin(self, total: int) -> None:
        """There are so many rows to listen to and to render, at most."""

    def advance(self, count: int) -> None:
        """So many more are done."""


class _Silent:
    def begin(self, total: int) -> None: ...

    def advance(self, count: int) -> None: ...


def score(
    path: Path,
    predictions: Path,
    settings: Settings | None = None,
    *,
    out: Path | None = None,
    workers: int = 0,
    trust: bool = False,
    host: Host | None = None,
    progress: Listening | None = None,
) -> Score:
    """Score predicted labels: by the sounds that they make on the synth of a dataset, and as labels.

    The same arguments give the same result with any number of workers.

    Args:
        path: of the dataset with the targets.
        predictions: of what was predicted: see :func:`tonesmith.analysis.scoring.predictions.read_predictions`.
        settings: how to score.
        out: path of a new dataset for the predicted sounds; None for none. It is deleted if the score cannot finish.
        workers: processes; 0 for one a core.
        trust: whether to load what the dataset's plan names though this user has not used it.
        host: finds the plugins.
        progress: told how many rows there are to listen to and to render, and of each that is done.

    Raises:
        ConfigError: the predictions cannot be read, are of another space, or name rows that are not there.
        PathTakenError: something is at ``out``.
        TrustError: the dataset's plan names a plugin that this user does not know.
        RunError: a worker could not go on.
    """
    settings, host, dataset = settings or Settings(), host or Host.load(), open_dataset(path)
    progress = progress or _Silent()
    plan = installed(dataset, path, host, ("backend",)).plan
    check_trusted(plan, host, trust=trust)
    predicted = _chosen(read_predictions(predictions, dataset, settings.outside), settings)
    batch = dataset.get_batch(predicted.places, [*plan.notes.columns, "patch"])
    notes = _notes(batch)
    rows = dataset.rows[predicted.places]
    compared = _compared(len(rows), settings)
    sink = SoundsDataset(out, dataset, rows.tolist(), notes, host) if out is not None else None
    try:
        progress.begin(len(rows) + len(compared) + min(settings.pool, len(dataset)))
        baselines = baselines_of(dataset, predicted.places[compared], settings.pool, settings.seed, progress.advance)
        jobs = _jobs(dataset, predicted, compared, baselines)
        form = (plan.audio.channels, plan.audio.frames)
        with closing(scored(jobs, path, form, workers or cores(), trust=trust)) as results:
            done = _collected(results, sink, len(jobs), progress.advance)
    except BaseException:
        if sink is not None:
            sink.remove()
        raise
    found = _Found(dataset, predicted, batch["patch"], compared, baselines, done)
    groups = host.find("backend", plan.backend.name).interchangeable
    told = {"path": str(path), "predictions": str(predictions), "out": str(out) if out else None}
    return Score({"format": FORMAT, **told, **found.to_json(settings, groups)}, out)


def _notes(batch: Mapping[str, NDArray[Any]]) -> list[Note]:
    names = [name for name in batch if name != "patch"]
    return [note_from({name: batch[name][i] for name in names}) for i in range(len(batch["pitch"]))]


def _chosen(predictions: Predictions, settings: Settings) -> Predictions:
    """Return some of the predictions, chosen at random, or all."""
    count = len(predictions.labels)
    if not 0 < settings.rows < count:
        return predictions
    random = np.random.Generator(np.random.Philox(key=key_of(settings.seed, "score rows")))
    kept = np.sort(random.permutation(count)[: settings.rows])
    return Predictions(predictions.places[kept], tuple(predictions.labels[i] for i in kept))


def _compared(count: int, settings: Settings) -> NDArray[np.int64]:
    """Return which of the predictions baselines are rendered for."""
    random = np.random.Generator(np.random.Philox(key=key_of(settings.seed, "score compared")))
    return np.sort(random.permutation(count)[: settings.baseline_rows])


def _jobs(dataset: Dataset, predicted: Predictions, compared: NDArray[np.int64], baselines: Baselines) -> list[Job]:
    beside = {int(at): number for number, at in enumerate(compared)}
    jobs = []
    for at, (place, label) in enumerate(zip(predicted.places, predicted.labels, strict=True)):
        played: dict[str, Label] = {PREDICTION: label}
        if at in beside:
            played |= {name: labels[beside[at]] for name, labels in baselines.labels.items()}
        patches = {name: dataset.space.decode(one) for name, one in played.items()}
        jobs.append(Job(int(place), patches, FLOOR))
    return jobs


def _collected(
    results: Iterable[Scored], sink: SoundsDataset | None, count: int, heard: Callable[[int], object]
) -> list[Scored]:
    """Return the results in order, without their audio; each block goes into the dataset as soon as it is whole."""
    done: dict[int, Scored] = {}
    waiting: defaultdict[int, list[Scored]] = defaultdict(list)
    for one in results:
        heard(1)
        block = one.job // BLOCK
        waiting[block].append(one)
        done[one.job] = replace(one, audio=one.audio[:, :0])
        if len(waiting[block]) == min(BLOCK, count - block * BLOCK):
            whole = sorted(waiting.pop(block), key=lambda part: part.job)
            if sink is not None:
                sink.write(block, whole)
    if sink is not None:
        sink.finish()
    return [done[index] for index in range(count)]


@dataclass(frozen=True, eq=False)
class _Found:
    """All that a score found."""

    dataset: Dataset
    predicted: Predictions
    patches: NDArray[np.int64]
    compared: NDArray[np.int64]
    baselines: Baselines
    done: Sequence[Scored]

    def to_json(self, settings: Settings, groups: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
        rows = self.dataset.rows[self.predicted.places].tolist()
        errors = self._errors(groups)
        values = [one.values for one in self.done]
        own = [one[PREDICTION] for one in values]
        failures = {i: one.failures[PREDICTION] for i, one in enumerate(self.done) if PREDICTION in one.failures}
        return {
            "fingerprint": self.dataset.plan.fingerprint,
            "rows": len(rows),
            "seed": settings.seed,
            "baselines": {"origin": self.baselines.origin, "pool": self.baselines.pool, "rows": len(self.compared)},
            "metrics": {m.name: {"unit": m.unit, "doc": m.doc, "level": m.level, "best": m.best} for m in METRICS},
            "sounds": sounds_summary(values, self.patches, settings.seed),
            "labels": {name: error.summary() for name, error in errors.items()},
            "parameters": errors[PREDICTION].parameters(),
            "failures": [{"row": rows[i], "reason": reason} for i, reason in failures.items()],
            "examples": examples_of(rows, self.predicted.places, own, failures),
            "each": [{"row": row, **one} for row, one in zip(rows, own, strict=True)],
        }

    def _errors(self, groups: tuple[tuple[str, ...], ...]) -> Mapping[str, LabelErrors]:
        truth, audible = self._truth(self.predicted.places)
        space, some = self.dataset.space, self.compared
        errors = {PREDICTION: LabelErrors(space, truth, Labels.of(self.predicted.labels), audible, groups)}
        part = Labels(truth.continuous[some], truth.categorical[some], [truth.modulations[i] for i in some])
        for name, labels in self.baselines.labels.items():
            if name != FLOOR:
                errors[name] = LabelErrors(space, part, Labels.of(labels), audible[some], groups)
        return errors

    def _truth(self, places: NDArray[np.int64]) -> tuple[Labels, NDArray[np.bool_]]:
        space, count = self.dataset.space, len(places)
        names = [name for name in ("continuous", "categorical") if getattr(space, name)]
        names += ["audible"] if names else []
        slots = [f"modulation/{name}" for name in MODULATION_FIELDS] if space.modulation_slots else []
        batch = self.dataset.get_batch(places, [*names, *slots])
        empty = np.zeros((count, 0))
        truth = Labels(
            np.asarray(batch.get("continuous", empty), np.float64),
            np.asarray(batch.get("categorical", empty), np.int64),
            [modulations_from(space, batch, i) if slots else () for i in range(count)],
        )
        return truth, batch.get("audible", np.zeros((count, 0), np.bool_))
