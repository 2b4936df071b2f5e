"""How the patches of a dataset cover each parameter, by origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.labels import PatchLabels, labels_of
from tonesmith.dataset.reader import Dataset
from tonesmith.errors import ConfigError, unknown_name
from tonesmith.space.parameter import Parameter

MOST_PANELS = 48
"""Parameters in one picture."""
CHOICES = 32
"""Choices that have a bin each."""


@dataclass(frozen=True, slots=True)
class Panel:
    """How the patches cover one parameter.

    Attributes:
        parameter: which.
        audible: share of the patches in which the gates leave it audible.
        edges: float64 (bins + 1,), raw, or the whole numbers of the choices less one half.
        shares: float64 (origins, bins): of each origin's patches, the part in each bin; sums to 1 over the bins.
    """

    parameter: Parameter
    audible: float
    edges: NDArray[np.float64]
    shares: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cover:
    """How the patches cover the parameters that a picture has room for.

    Attributes:
        panels: of at most :data:`MOST_PANELS` parameters, in the order of the space.
        origins: origin -> number of its patches.
        left_out: names of the parameters for which there was no room.
    """

    panels: tuple[Panel, ...]
    origins: Mapping[str, int]
    left_out: tuple[str, ...]


def cover_of(dataset: Dataset, only: Sequence[str] = ()) -> Cover:
    """Return how the patches cover each parameter, each patch counted once however many notes played it.

    Bins are even in raw values, as labels are: a tenth of the range each, or a twentieth from 200 patches on. The
    range is the one that is drawn from, widened to what presets brought.

    Args:
        dataset: with rows.
        only: names, groups or globs of either; empty for all that samplers draw. What varies only because presets
            do is told of when it is named.

    Raises :class:`ConfigError` if the dataset has no rows or parameters, or a pattern matches nothing.
    """
    space = dataset.space
    if not len(dataset):
        raise ConfigError("the dataset has no rows yet")
    if not space.names:
        raise ConfigError("the dataset varies no parameters")
    named, labels = _named(dataset, only), labels_of(dataset)
    panels, origins = panels_of(dataset, labels, named[:MOST_PANELS], 10 if len(labels) < 200 else 20)
    return Cover(panels, origins, tuple(named[MOST_PANELS:]))


def panels_of(
    dataset: Dataset, labels: PatchLabels, names: Sequence[str], bins: int
) -> tuple[tuple[Panel, ...], dict[str, int]]:
    """Return how patches cover some parameters, and the number of patches of each origin.

    Args:
        dataset: whose space and origins they are of.
        labels: of the patches; at least one.
        names: of parameters that vary.
        bins: of a range.
    """
    space = dataset.space
    present = np.unique(labels.origin).tolist()
    values = _values(dataset, labels)
    audible = dict(zip(space.names, labels.audible.mean(axis=0).tolist(), strict=True))
    panels = []
    for name in names:
        edges = _edges(space[name], values[name], bins)
        counts = np.stack([np.histogram(values[name][labels.origin == origin], edges)[0] for origin in present])
        panels.append(Panel(space[name], audible[name], edges, counts / counts.sum(axis=1, keepdims=True)))
    sizes = {dataset.plan.origins[origin]: int((labels.origin == origin).sum()) for origin in present}
    return tuple(panels), sizes


def _named(dataset: Dataset, only: Sequence[str]) -> list[str]:
    """Return the names that the patterns match, or of what is drawn, in the order of the space."""
    space = dataset.space
    if not only:
        drawn = set(space.drawn.names) or set(space.names)
        return [name for name in space.names if name in drawn]
    groups = {name: space[name].group for name in space.names}
    found: set[str] = set()
    for pattern in only:
        matched = {n for n, g in groups.items() if fnmatchcase(n, pattern) or (g and fnmatchcase(g, pattern))}
        if not matched:
            raise ConfigError(unknown_name("parameter or group", pattern, {*groups, *groups.values()} - {""}))
        found |= matched
    return [name for name in space.names if name in found]


def _values(dataset: Dataset, labels: PatchLabels) -> dict[str, NDArray[np.float64]]:
    """Return name -> raw values float64 (patches,)."""
    space = dataset.space
    found: dict[str, NDArray[np.float64]] = {}
    if space.continuous:
        raw = space.raw(labels.continuous).astype(np.float64)
        found |= {p.name: raw[:, place] for place, p in enumerate(space.continuous)}
    indices = labels.categorical.astype(np.float64)
    return found | {p.name: indices[:, place] + p.low for place, p in enumerate(space.categorical)}


def _edges(parameter: Parameter, values: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    low, high = min(parameter.drawn[0], values.min()), max(parameter.drawn[1], values.max())
    if parameter.kind == "continuous":
        return np.linspace(low, high, bins + 1)
    count = round(high) - round(low) + 1
    # As many whole numbers in each bin, or a flat distribution would look like a comb
    step = 1 if count <= CHOICES else -(-count // bins)
    first, used = round(low) - 0.5, -(-count // step)
    return np.linspace(first, first + used * step, used + 1)
