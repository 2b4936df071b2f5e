"""How often rows are drawn: by where they came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonesmith.errors import ConfigError, unknown_name

if TYPE_CHECKING:
    from tonesmith.dataset.reader import Dataset

Weights = str | Mapping[str, float] | ArrayLike
"""What rows are weighed by: "origin" or "preset" for an equal share of each, origin -> its share, or a number a row."""

_BY = ("origin", "preset")


def weights_of(dataset: Dataset, weights: Weights) -> NDArray[np.float64]:
    """Return how often each row is drawn: float64 (rows,), of any sum.

    Args:
        dataset: whose rows they are.
        weights: "origin" or "preset": all origins, or all presets, have the same share, however many rows each has;
            rows without a preset count as of one. Origin -> share: origins that are not named have none. Or a number
            for each row.

    Raises :class:`ConfigError` for an unknown word or origin, and numbers that are no weights.
    """
    if isinstance(weights, str):
        if weights not in _BY:
            raise ConfigError(unknown_name("weights", weights, _BY))
        return _level(_groups(dataset, weights))
    if isinstance(weights, Mapping):
        return _of_origins(dataset, weights)
    return checked(np.asarray(weights, np.float64), len(dataset))


def checked(weights: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    """Return weights that are some; raise :class:`ConfigError` otherwise."""
    if weights.shape != (rows,):
        raise ConfigError(f"weights have the shape {weights.shape}; they must be one for each of {rows} rows")
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise ConfigError("weights must be finite and not below 0, and one of them above 0")
    return weights


def _of_origins(dataset: Dataset, shares: Mapping[str, float]) -> NDArray[np.float64]:
    origins = dataset.plan.origins
    for name in shares:
        if name not in origins:
            raise ConfigError(unknown_name("origin", name, origins))
    share = np.array([float(shares.get(name, 0.0)) for name in origins])
    codes = dataset.column("origin").astype(np.int64)
    return checked(_level(codes) * share[codes], len(dataset))


def _groups(dataset: Dataset, by: str) -> NDArray[np.int64]:
    column = dataset.column(by)
    _, groups = np.unique(column, axis=0, return_inverse=True)
    return groups.reshape(-1).astype(np.int64)


def _level(groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return weights by which all groups have the same share."""
    counts = np.bincount(groups)
    return 1.0 / counts[groups]
