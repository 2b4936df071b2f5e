"""What labels would sound like, foretold from those that were heard: a Gaussian process from labels to spectrograms.

What is foretold is the spectrogram, and the distance follows from it: that takes fewer renders than to foretell the
distance itself.

Sources: Rasmussen & Williams 2006, "Gaussian Processes for Machine Learning", chapters 2 and 5; Astudillo & Frazier
2019, "Bayesian optimization of composite functions".
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.matching.points import Heard

LEAST_HEARD = 8
"""Sounds below which nothing is foretold."""
_PATTERNS = 60
"""Patterns of levels, by principal components, that are foretold, at most."""
_FITTED, _ENTRIES = 250, 8_000_000
"""Sounds that the weights of parameters are fitted to, at most: those nearest to the target, and the last. There are
fewer where a space has so many parameters that their differences would not be few."""
_STEPS = 12
"""Steps of each fit. It goes on from the one before."""
_OUTPUTS = 4.0
"""The patterns count as so many independent ones in a fit: most move together."""
_WEIGHT, _KIND, _NOISE = (0.0, 1.5), (-1.2, 1.2), (-3.9, 1.0)
"""Means and standard deviations of what is thought of the logarithms beforehand: of the weight of a continuous
parameter over its whole range, of that of another choice, and of the noise."""
_BOUNDS, _NOISE_BOUNDS = (-8.0, 6.0), (-7.0, 0.0)
_DIGITS = 4
"""Decimals of weights and forecasts. What is beyond depends on how sums are rounded, and is no ground for a choice."""


class Surrogate:
    """Foretells how far from a target labels sound, and how sure that is.

    Two labels sound the more alike, the less they differ in each parameter that is heard, by a weight that is fitted:
    ``exp(-sum of weights times squared differences)``, with 1 for another choice.

    Args:
        target: float32 (cells,), the levels that are looked for, as :attr:`Distance.levels` is.
    """

    def __init__(self, target: NDArray[np.float32]) -> None:
        self._target = target.astype(np.float64)
        self._logs: NDArray[np.float64] | None = None
        self._basis: NDArray[np.float64] | None = None

    def learn(
        self, heard: Heard, levels: NDArray[np.float32], distances: NDArray[np.float64], *, fit: bool = True
    ) -> None:
        """Take all sounds that were heard.

        Args:
            heard: (n,) of their labels, 8 or more.
            levels: float32 (n, cells).
            distances: (n,), dB.
            fit: whether to fit the weights and patterns again, which takes longer. The first time it must be.
        """
        self._heard = heard
        if fit or self._basis is None:
            self._mean = levels.mean(axis=0, dtype=np.float64)
            self._basis = _basis(levels - self._mean)
        patterns = (levels - self._mean) @ self._basis.T
        if fit or self._logs is None:
            chosen = _fitted(distances, heard.continuous.shape[1] + heard.kinds.shape[1])
            self._logs = _fit(heard[chosen], patterns[chosen], self._logs)
        noise = float(np.exp(self._logs[-1]))
        alike = self._alike(heard, heard)
        self._inverse = np.linalg.inv(alike + noise * np.eye(len(heard)))
        self._weights = self._inverse @ patterns
        foretold = self._distances(alike @ self._weights)
        self._offset = float(np.median(distances - foretold))
        self._corrections = self._inverse @ (distances - foretold - self._offset)[:, None]

    def foretell(self, heard: Heard) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the distances of labels, (n,) in dB, and their doubts, (n,) from 0 for what was heard to 1."""
        alike = self._alike(heard, self._heard)
        distances = self._distances(alike @ self._weights) + (alike @ self._corrections)[:, 0] + self._offset
        sure = ((alike @ self._inverse) * alike).sum(axis=1)
        return distances.round(_DIGITS), np.sqrt(np.maximum(1.0 - sure, 0.0)).round(_DIGITS)

    def joint_doubts(self, heard: Heard) -> NDArray[np.float64]:
        """Return the covariance of the doubts of labels, (n, n): how much one that is heard would tell of another."""
        alike = self._alike(heard, self._heard)
        return np.asarray(self._alike(heard, heard) - alike @ self._inverse @ alike.T)

    @property
    def noise(self) -> float:
        """The variance of what is heard beside what is foretold, as a part of that of a label that is unknown."""
        assert self._logs is not None
        return float(np.exp(self._logs[-1]))

    def _alike(self, one: Heard, other: Heard) -> NDArray[np.float64]:
        assert self._logs is not None
        weights = np.exp(self._logs[:-1])
        return _likeness(one, other, weights)

    def _distances(self, patterns: NDArray[np.float64]) -> NDArray[np.float64]:
        assert self._basis is not None
        away = (patterns @ self._basis).astype(np.float32) + (self._mean - self._target).astype(np.float32)
        return np.asarray(np.abs(away).sum(axis=1, dtype=np.float64))


def _likeness(one: Heard, other: Heard, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how alike labels are, (n, m): 1 for those that differ in nothing that counts."""
    count = one.continuous.shape[1]
    scale = np.sqrt(weights[:count])
    a, b = one.continuous * scale, other.continuous * scale
    apart = np.maximum((a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None] - 2.0 * (a @ b.T), 0.0)
    for place, weight in enumerate(weights[count:]):
        apart += weight * (one.kinds[:, place, None] != other.kinds[None, :, place])
    return np.asarray(np.exp(-apart))


def _basis(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the patterns in which levels differ most from their mean: (patterns, cells), of unit length."""
    values, vectors = np.linalg.eigh(levels @ levels.T)
    kept = np.flatnonzero(values > 1e-9 * max(float(values[-1]), 1e-30))[::-1][:_PATTERNS]
    return np.asarray((vectors[:, kept] / np.sqrt(values[kept])).T @ levels)


def _fitted(distances: NDArray[np.float64], parameters: int) -> NDArray[np.int64]:
    """Return the indices of the sounds to fit to, in order: two thirds of them the nearest, the others the last."""
    most = min(_FITTED, math.isqrt(_ENTRIES // parameters))
    if len(distances) <= most:
        return np.arange(len(distances))
    nearest = np.argsort(distances, kind="stable")[: 2 * most // 3]
    others = np.setdiff1d(np.arange(len(distances)), nearest)
    return np.sort(np.concatenate([nearest, others[len(nearest) - most :]]))


def _fit(heard: Heard, patterns: NDArray[np.float64], logs: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Return the logarithms of all weights, and of the noise, under which the patterns are likeliest.

    Args:
        heard: (n,) of labels.
        patterns: (n, patterns) of their sounds.
        logs: to go on from; None at the beginning.
    """
    from scipy.optimize import minimize

    count, kinds = heard.continuous.shape[1], heard.kinds.shape[1]
    means, spreads = np.array([_WEIGHT] * count + [_KIND] * kinds + [_NOISE]).T
    centred = patterns - patterns.mean(axis=0)
    products, apart = centred @ centred.T, _squares(heard)
    bounds = [_BOUNDS] * (count + kinds) + [_NOISE_BOUNDS]

    def unlikely(logs: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, slope = _unlikelihood(np.exp(logs), apart, products, patterns.shape[1])
        away = (logs - means) / spreads
        part = _OUTPUTS / patterns.shape[1]
        return value * part + 0.5 * float((away * away).sum()), slope * part + away / spreads

    first = means if logs is None else logs
    found = minimize(unlikely, first, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _STEPS})
    return np.asarray(found.x, np.float64).round(_DIGITS)


def _squares(heard: Heard) -> NDArray[np.float64]:
    """Return the squared differences of each parameter, (parameters, n * n); of a kind 1 where it is another.

    They are float64: with float32, what is fitted would depend on how many threads add up.
    """
    parts = [(column[:, None] - column[None]) ** 2 for column in heard.continuous.T]
    parts += [column[:, None] != column[None] for column in heard.kinds.T]
    return np.array(parts, np.float64).reshape(len(parts), -1)


def _unlikelihood(
    weights: NDArray[np.float64], apart: NDArray[np.float64], products: NDArray[np.float64], outputs: int
) -> tuple[float, NDArray[np.float64]]:
    """Return the negative logarithm of the marginal likelihood, at the likeliest scale, and its slope by log weights.

    Args:
        weights: of each parameter, and the noise.
        apart: as :func:`_squares` returns it.
        products: (n, n), of the outputs of each pair of sounds, added up.
        outputs: how many there are.
    """
    count = len(products)
    alike = np.exp(-(weights[:-1] @ apart)).reshape(count, count)
    lower = np.linalg.cholesky(alike + weights[-1] * np.eye(count))
    inverse = np.linalg.inv(alike + weights[-1] * np.eye(count))
    scale = max(float((inverse * products).sum()), 1e-30) / (count * outputs)
    value = 0.5 * outputs * count * np.log(scale) + outputs * float(np.log(np.diag(lower)).sum())
    by_entry = 0.5 * (outputs * inverse - inverse @ products @ inverse / scale)
    by_weight = -(apart @ (by_entry * alike).ravel()) * weights[:-1]
    return value, np.append(by_weight, np.trace(by_entry) * weights[-1])
