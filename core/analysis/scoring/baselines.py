"""What a model must beat: the mean label, a random row, the row that sounds most alike; and what none can beat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset.reader import Dataset
from tonesmith.dsp.log_mel import log_mel
from tonesmith.errors import ConfigError
from tonesmith.space.label import Label
from tonesmith.space.sampling import key_of

MEAN, RANDOM, NEAREST, FLOOR = "mean", "random", "nearest", "floor"
BASELINES = (MEAN, RANDOM, NEAREST, FLOOR)


@dataclass(frozen=True, slots=True)
class Baselines:
    """The label of each baseline for each of some targets.

    Attributes:
        origin: of the rows that they come from: "split train", "rows without a prediction" or "other patches".
        pool: how many rows those are.
        labels: baseline -> a label for each target.
    """

    origin: str
    pool: int
    labels: dict[str, tuple[Label, ...]]


def baselines_of(
    dataset: Dataset, targets: NDArray[np.int64], most: int, seed: int, heard: Callable[[int], object] = int
) -> Baselines:
    """Return the baselines of some rows.

    The mean label has the mean of each continuous parameter and the most frequent choice of each categorical one. The
    nearest row is that whose log-mel spectrogram is nearest in mean and standard deviation over time, each of 128
    bands. No row stands in for another one of its own patch. The floor is the true label, rendered again.

    Args:
        dataset: with the targets and the rows that a model may have been trained on: its split "train" if it has one,
            else the rows that are no targets, else all.
        targets: indices of the rows that are predicted.
        most: rows that are compared with the targets, chosen at random.
        seed: of the choices.
        heard: told the number of rows that were listened to.

    Raises :class:`ConfigError` if there is no row of another patch.
    """
    random = np.random.Generator(np.random.Philox(key=key_of(seed, "score baselines")))
    patches = dataset.column("patch")
    origin, pool = _pool(dataset, targets, patches)
    chosen = np.sort(random.permutation(pool)[:most])
    if len(np.unique(patches[chosen])) < 2 and set(patches[chosen]) & set(patches[targets]):
        raise ConfigError("the dataset has no row of another patch, so there is no baseline to compare with.")
    features = _features(dataset, chosen, heard)
    own = _features(dataset, targets, heard)
    drawn, nearest = [], []
    for target, feature in zip(targets, own, strict=True):
        others = np.flatnonzero(patches[chosen] != patches[target])
        drawn.append(int(chosen[others[int(random.integers(len(others)))]]))
        nearest.append(int(chosen[others[np.argmin(np.square(features[others] - feature).sum(axis=1))]]))
    mean = _mean_label(dataset, pool)
    return Baselines(
        origin,
        len(pool),
        {
            MEAN: (mean,) * len(targets),
            RANDOM: tuple(dataset[i].label for i in drawn),
            NEAREST: tuple(dataset[i].label for i in nearest),
            FLOOR: tuple(dataset[int(i)].label for i in targets),
        },
    )


def _pool(dataset: Dataset, targets: NDArray[np.int64], patches: NDArray[np.int64]) -> tuple[str, NDArray[np.int64]]:
    """Return where the rows that a model may have learnt from come from, and their indices."""
    predicted = np.isin(patches, patches[targets])
    if "train" in dataset.splits:
        train = dataset.splits["train"]
        if len(rest := train[~predicted[train]]):
            return "split train", rest
    if len(rest := np.flatnonzero(~predicted)):
        return "rows without a prediction", rest
    return "other patches", np.arange(len(dataset))


def _features(dataset: Dataset, rows: NDArray[np.int64], heard: Callable[[int], object]) -> NDArray[np.float64]:
    found = []
    for row in rows:
        level = log_mel(dataset.get_sample(int(row), ["audio"])["audio"], dataset.plan.audio.sample_rate)
        found.append(np.concatenate([level.mean(axis=(0, 2)), level.std(axis=2).mean(axis=0)]))
        heard(1)
    return np.array(found, np.float64)


def _mean_label(dataset: Dataset, rows: NDArray[np.int64]) -> Label:
    space = dataset.space
    names = [name for name in ("continuous", "categorical") if getattr(space, name)]
    batch = dataset.get_batch(rows, names)
    continuous = batch["continuous"].mean(axis=0, dtype=np.float64) if space.continuous else ()
    counted = zip(batch.get("categorical", np.zeros((0, 0))).T, space.counts, strict=False)
    categorical = [int(np.bincount(column, minlength=count).argmax()) for column, count in counted]
    return Label.from_parts(space, continuous, categorical, outside="clip")
