"""Predictions that ``tonesmith score`` rendered, beside their targets: the best, the median and the worst, by ear."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.metrics import METRICS
from tonesmith.analysis.report.chart import Cards, Section
from tonesmith.analysis.report.sounds import Heard, heard
from tonesmith.analysis.scoring.predictions import SCORED
from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.reader import Dataset
from tonesmith.errors import ConfigError, DatasetError

_EACH = 3


@dataclass(frozen=True, slots=True, eq=False)
class Extra:
    """A sound of a page that is no point of its map: what it is called, and what was heard."""

    name: str
    sound: Heard


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A prediction and its target: why they are shown, their distance, and both sounds."""

    why: str
    told: str
    target: Extra
    prediction: Extra


def compared_of(dataset: Dataset, path: Path, targets: Path) -> list[Compared]:
    """Return the best, the median and the worst predictions with their targets.

    Args:
        dataset: of predicted sounds, as ``tonesmith score`` wrote it.
        path: of it, for messages.
        targets: path of the dataset that the predictions are of.

    Raises :class:`ConfigError` if it is no such dataset, or the targets are another's; :class:`DatasetError` if one of
    the sounds cannot be read.
    """
    scored = dataset.attributes.get(SCORED)
    if not isinstance(scored, dict) or not isinstance(scored.get("rows"), list):
        raise ConfigError(f"--targets: {path} has no predictions of `tonesmith score`. Leave --targets out.")
    others = open_dataset(targets)
    if scored.get("fingerprint") not in {others.plan.fingerprint, others.attributes.get("fingerprint")}:
        raise ConfigError(f"--targets: {targets} is not the dataset that the predictions in {path} are of.")
    metric = next((m for m in METRICS if m.name in {measure.name for measure in dataset.plan.measures}), None)
    if metric is None or not len(dataset):
        return []
    values = dataset.column(metric.name).astype(np.float64)
    found = []
    for why, place in _chosen(values * (1.0 if metric.best == 0.0 else -1.0)):
        told = f"{why}, {metric.name} {values[place]:.3g} {metric.unit}".strip()
        row = _target_row(scored["rows"], int(dataset.rows[place]), others, targets)
        pair = (_heard(others, row, f"target, row {others.rows[row]}"), _heard(dataset, place, "prediction"))
        found.append(Compared(why, told, *pair))
    return found


def compared_section(pairs: list[Compared], first: int) -> tuple[Section, list[Extra]]:
    """Return the section with the pairs, and their sounds, which have the numbers from ``first`` on."""
    extras = [extra for pair in pairs for extra in (pair.target, pair.prediction)]
    rows = [
        [(first + 2 * number, pair.told), (first + 2 * number + 1, "prediction")] for number, pair in enumerate(pairs)
    ]
    note = "The target is on the left and what was predicted on the right. Play one after the other."
    return Section("predictions", "Predictions beside their targets", note, (Cards("", "", rows),)), extras


def _chosen(values: NDArray[np.float64]) -> list[tuple[str, int]]:
    """Return the places of the best, the median and the worst values, each once; less is better."""
    order = [int(place) for place in np.argsort(values, kind="stable") if np.isfinite(values[place])]
    middle = max((len(order) - _EACH) // 2, 0)
    parts = {"best": order[:_EACH], "median": order[middle : middle + _EACH], "worst": order[::-1][:_EACH]}
    found: dict[int, str] = {}
    for why, places in parts.items():
        for place in places:
            found.setdefault(place, why)
    return [(why, place) for place, why in found.items()]


def _target_row(rows: list[object], row: int, targets: Dataset, path: Path) -> int:
    """Return the index in the dataset of targets of the row that a prediction is of."""
    number = rows[row] if row < len(rows) else None
    place = int(np.searchsorted(targets.rows, number)) if isinstance(number, int) and 0 <= number < 2**62 else -1
    if not 0 <= place < len(targets) or targets.rows[place] != number:
        raise DatasetError(f"{path} has no row {number!r:.40}, which a prediction is of.")
    return place


def _heard(dataset: Dataset, place: int, name: str) -> Extra:
    audio = dataset.get_batch([place], ["audio"])["audio"][0]
    if not np.isfinite(audio).all():
        raise DatasetError(f"row {dataset.rows[place]} has samples that are not finite.")
    return Extra(name, heard(audio, dataset.plan.audio.sample_rate))
