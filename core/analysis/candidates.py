"""The candidates of a dataset, accepted and rejected, with what each parameter of each was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset.reader import Dataset
from tonesmith.errors import DatasetError
from tonesmith.host.registry import Host
from tonesmith.plan.rejected_label import patch_of
from tonesmith.plan.rejection import Rejection
from tonesmith.run.produce import sampler_of
from tonesmith.space.label import Label
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Candidate
from tonesmith.space.space import ParameterSpace

MOST = 20_000
"""Candidates that are looked at, of whole patches that are drawn at random."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """What was drawn, and what became of it.

    Attributes:
        parameters: that vary, continuous ones first.
        values: float64 (n, parameters), raw.
        causes: by whom and why each was rejected, such as "level: silent"; "" if it was accepted.
    """

    parameters: tuple[Parameter, ...]
    values: NDArray[np.float64]
    causes: tuple[str, ...]

    @property
    def distinct(self) -> Candidates:
        """The candidates without those that are another over again: a preset that is drawn twice is rejected twice."""
        numbers = {cause: place for place, cause in enumerate(dict.fromkeys(self.causes))}
        coded = np.array([numbers[cause] for cause in self.causes], np.float64)
        first = np.unique(np.column_stack([self.values, coded]), axis=0, return_index=True)[1]
        kept = np.sort(first)
        return Candidates(self.parameters, self.values[kept], tuple(self.causes[place] for place in kept.tolist()))


def candidates_of_labels(space: ParameterSpace, labels: Sequence[Label], causes: Sequence[str]) -> Candidates:
    """Return candidates by their labels, and what became of each."""
    continuous = [label.continuous for label in labels]
    categorical = [label.categorical for label in labels]
    return _candidates(space, continuous, categorical, causes)


def candidates_of(dataset: Dataset, host: Host | None = None) -> Candidates:
    """Return the candidates of the patches of a dataset, each once however many notes played it.

    The sampler draws again what a validator rejected: the ledger has labels only of what an engine rejected.

    Args:
        dataset: whose they are. Of more than :data:`MOST` candidates it is those of a random part of the patches, the
            same each time.
        host: finds the sampler.

    Raises :class:`DatasetError` if labels are neither stored nor can be drawn.
    """
    chosen = _chosen_patches(dataset)
    rejected = [one for one in dataset.rejections if one.patch in chosen]
    _check_drawable(dataset, rejected, host or Host.load())
    labels = list(_rejected_labels(dataset, rejected, host or Host.load()))
    continuous, categorical = _accepted(dataset, chosen)
    return _candidates(
        dataset.space,
        [*continuous, *(label.continuous for label in labels)],
        [*categorical, *(label.categorical for label in labels)],
        [*[""] * len(continuous), *(one.cause for one in rejected)],
    )


def _candidates(
    space: ParameterSpace, continuous: Sequence[Any], categorical: Sequence[Any], causes: Sequence[str]
) -> Candidates:
    parts = [np.zeros((len(causes), 0))]
    if space.continuous and causes:
        parts.append(space.raw(np.stack(continuous)).astype(np.float64))
    if space.categorical and causes:
        lows = np.array([parameter.low for parameter in space.categorical])
        parts.append(np.stack(categorical).astype(np.float64) + lows)
    return Candidates((*space.continuous, *space.categorical), np.concatenate(parts, axis=1), tuple(causes))


def _chosen_patches(dataset: Dataset) -> set[int]:
    """Return the patches to look at: all, or some at random. Each so-many-th of a Sobol sequence is no fair part."""
    parts = [np.unique(chunk["patch"]) for chunk in dataset.chunks(["patch"])]
    patches = np.concatenate(parts) if parts else np.zeros(0, np.int64)
    whole = len(patches) + len(dataset.rejections)
    if whole <= MOST:
        return set(patches.tolist())
    return set(np.random.default_rng(0).choice(patches, len(patches) * MOST // whole, replace=False).tolist())


def _accepted(dataset: Dataset, chosen: set[int]) -> tuple[list[Any], list[Any]]:
    """Return the arrays of the labels of the chosen patches, continuous and categorical, a row each."""
    space = dataset.space
    kinds = ["continuous"] * bool(space.continuous) + ["categorical"] * bool(space.categorical)
    found: dict[str, list[Any]] = {"continuous": [], "categorical": []}
    patches = 0
    for chunk in dataset.chunks(["patch", *kinds]):
        numbers, first = np.unique(chunk["patch"], return_index=True)  # all rows of a patch are in one block
        kept = first[[number in chosen for number in numbers.tolist()]]
        patches += len(kept)
        for kind in kinds:
            found[kind] += list(chunk[kind][kept])
    return found["continuous"] or [np.zeros(0)] * patches, found["categorical"] or [np.zeros(0)] * patches


def _check_drawable(dataset: Dataset, rejected: Sequence[Rejection], host: Host) -> None:
    """Raise :class:`DatasetError` unless the label of each is stored, or its sampler is here."""
    name = dataset.plan.sampler.name
    if all(one.label for one in rejected) or host.has("sampler", name):
        return
    raise DatasetError(
        f"{dataset.storage.path or 'the dataset'}: the ledger has no labels of what validators rejected, and the "
        f"sampler {name!r} is not here to draw them again. Look at the dataset that it was made for."
    )


def _rejected_labels(dataset: Dataset, rejected: Sequence[Rejection], host: Host) -> Iterator[Label]:
    space = dataset.space
    draw = partial(sampler_of, dataset.plan, host, dataset.storage.asset)
    sampler = draw() if not all(one.label for one in rejected) else None
    for one in rejected:
        if one.label:
            yield space.encode(patch_of(one.label, space))
        elif sampler is not None:
            yield space.encode(sampler.draw(Candidate(one.patch, one.attempt)))
