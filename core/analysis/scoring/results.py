"""What a score comes to: medians, quartiles and intervals, as JSON and as a table of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.metrics import METRICS
from tonesmith.analysis.scoring.examples import line_of
from tonesmith.space.sampling import key_of
from tonesmith.terminal.text import counted, one_line

PREDICTION = "prediction"
_RESAMPLES = 1000
_HELD = 2**22
"""Values of resamples that are in memory at once."""
_SHOWN = 3
_ENOUGH = 10
"""Rows in which a parameter must be audible to be shown among the best and the worst."""


@dataclass(frozen=True, slots=True)
class Score:
    """The result of a score.

    Attributes:
        data: all of it, as JSON.
        out: path of the dataset of predicted sounds; None if there is none.
    """

    data: Mapping[str, Any]
    out: Path | None

    def lines(self) -> list[str]:
        """Return the table."""
        return list(_lines(self.data))


def statistics(values: NDArray[np.float64], patches: NDArray[np.int64], seed: int, name: str) -> dict[str, Any]:
    """Return median, quartiles, mean and the 95 % bootstrap interval of the median of some rows.

    The bootstrap draws patches, with all their rows, and not rows: the notes of a patch are siblings.

    Args:
        values: float64 (n,).
        patches: the patch of each, int64 (n,).
        seed: of the draws.
        name: of the values: other ones are drawn for others.
    """
    random = np.random.Generator(np.random.Philox(key=key_of(seed, "score bootstrap", name)))
    medians = _medians(values, patches, random)
    low, high = np.quantile(medians, [0.025, 0.975])
    q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75])
    return {
        "rows": len(values),
        "median": float(median),
        "q1": float(q1),
        "q3": float(q3),
        "mean": float(values.mean()),
        "interval": [float(low), float(high)],
    }


def _medians(
    values: NDArray[np.float64], patches: NDArray[np.int64], random: np.random.Generator
) -> NDArray[np.float64]:
    """Return the median of each resample: float64 (resamples,)."""
    order = np.argsort(values, kind="stable")
    _, group = np.unique(patches, return_inverse=True)
    groups, ascending, found = int(group.max()) + 1, values[order], []
    step = max(_HELD // len(values), 1)
    for first in range(0, _RESAMPLES, step):
        drawn = random.integers(groups, size=(min(step, _RESAMPLES - first), groups))
        numbered = drawn + groups * np.arange(len(drawn))[:, None]
        times = np.bincount(numbered.ravel(), minlength=drawn.size).reshape(drawn.shape)
        passed = np.cumsum(times[:, group[order]], axis=1)
        ends = ((passed[:, -1:] - 1) // 2, passed[:, -1:] // 2)
        found.append(np.mean([ascending[(passed <= end).sum(axis=1)] for end in ends], axis=0))
    return np.concatenate(found)


def sounds_summary(
    values: Sequence[Mapping[str, Mapping[str, float]]], patches: NDArray[np.int64], seed: int
) -> dict[str, dict[str, Any]]:
    """Return sound -> metric -> statistics, over the targets that the sound was played for."""
    names = list(dict.fromkeys(name for one in values for name in one))
    told: dict[str, dict[str, Any]] = {}
    for name in names:
        there = [i for i, one in enumerate(values) if name in one]
        told[name] = {
            metric.name: statistics(
                np.array([values[i][name][metric.name] for i in there]), patches[there], seed, f"{name} {metric.name}"
            )
            for metric in METRICS
        }
    return told


def _lines(data: Mapping[str, Any]) -> Iterator[str]:
    sounds, labels = data["sounds"], data["labels"]
    others = [name for name in sounds if name != PREDICTION]
    compared = min((sounds[name]["mss"]["rows"] for name in others), default=0)
    yield f"{one_line(data['path'])}: {counted(data['rows'], 'prediction')} of {one_line(data['predictions'])}"
    pool = f"{data['baselines']['origin']} ({data['baselines']['pool']:,})"
    yield f"  baselines from {pool}, for {counted(compared, 'row')}"
    for failed in list(data["failures"])[:_SHOWN]:
        yield f"  row {failed['row']} counts as silence: {one_line(failed['reason'], 50)}"
    if len(data["failures"]) > _SHOWN:
        yield f"  and {len(data['failures']) - _SHOWN} more, which --json lists"
    yield ""
    heads = "".join(f"{name:>9}" for name in others)
    yield f"{'sound':<10}{'':<3}{'median':>6} {'quartiles':>12} {'interval':>11}{heads}"
    for metric in METRICS:
        found = sounds[PREDICTION][metric.name]
        beside = "".join(f"{_number(sounds[name][metric.name]['median']):>9}" for name in others)
        yield (
            f"{metric.name:<10}{metric.unit:<3}{_number(found['median']):>6} {_pair(found['q1'], found['q3']):>12} "
            f"{_pair(*found['interval']):>11}{beside}"
        ).rstrip()
    yield from line_of(data["examples"])
    yield "  0 is best, except rms, where 1 is. mss, sot, rms, f0 and voicing ignore level."
    yield ""
    yield f"{'label':<22}{'prediction':>12}{''.join(f'{n:>9}' for n in labels if n != PREDICTION)}"
    for key in labels[PREDICTION]:
        cells = [f"{_number(labels[name][key]):>{12 if name == PREDICTION else 9}}" for name in labels]
        yield f"{key.replace('_', ' '):<22}{''.join(cells)}"
    yield from _parameter_lines(data["parameters"])


def _parameter_lines(parameters: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield the parameters that are predicted best and worst."""
    for key, better in (("r2", "R2"), ("accuracy", "accuracy")):
        known = sorted(
            (
                (told[key], name)
                for name, told in parameters.items()
                if told.get(key) is not None and told["rows"] >= _ENOUGH
            ),
            reverse=True,
        )
        if not known:
            continue
        yield ""
        for word, some in (("best", known[:_SHOWN]), ("worst", known[_SHOWN:][-_SHOWN:])):
            if some:
                listed = ", ".join(f"{one_line(name, 18)} {value:.2f}" for value, name in some)
                yield one_line(f"{word} {better}: {listed}", 80)


def _pair(low: float, high: float) -> str:
    return f"{_number(low)} {_number(high)}"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    if value and abs(value) < 0.0005:
        return f"{value:.0e}"
    return f"{value:.4g}" if abs(value) >= 1.0 else f"{value:.3f}"
