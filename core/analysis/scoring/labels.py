"""How near predicted labels are to the true ones, parameter by parameter, and under the best exchange of modules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.space.label import Label
from tonesmith.space.space import ParameterSpace


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels as arrays: continuous float64 (n, P) in [0, 1], categorical int64 (n, C)."""

    continuous: NDArray[np.float64]
    categorical: NDArray[np.int64]

    @classmethod
    def of(cls, labels: Sequence[Label]) -> Labels:
        """Return labels stacked."""
        return cls(
            np.array([label.continuous for label in labels], np.float64).reshape(len(labels), -1),
            np.array([label.categorical for label in labels], np.int64).reshape(len(labels), -1),
        )


@dataclass(frozen=True, eq=False)
class LabelErrors:
    """The errors of predicted labels, counted only where the target's gates leave the parameter audible.

    Attributes:
        space: of the labels.
        truth, predicted: the labels.
        audible: bool (n, P + C), of the targets.
        groups: of modules that may be exchanged, each named by what its parameters' names begin with.
    """

    space: ParameterSpace
    truth: Labels
    predicted: Labels
    audible: NDArray[np.bool_]
    groups: tuple[tuple[str, ...], ...] = ()

    @cached_property
    def _heard(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        count = len(self.space.continuous)
        return self.audible[:, :count], self.audible[:, count:]

    def summary(self) -> dict[str, float | None]:
        """Return the errors over all audible parameters of all rows; None where there are none.

        ``mse`` and ``mae`` are of the continuous labels, whose range is 0 to 1; ``accuracy`` is the share of
        categorical ones that are right; ``mse_exchanged`` and ``accuracy_exchanged`` are the same once the modules of
        each group have been exchanged for the least error, row by row.
        """
        exchanged = LabelErrors(self.space, self.truth, self.exchanged(), self.audible)
        return {
            **self._plain(),
            **{
                f"{name}_exchanged": value
                for name, value in exchanged._plain().items()
                if self.groups and name != "mae"
            },
        }

    def _plain(self) -> dict[str, float | None]:
        heard, chosen = self._heard
        error = self.predicted.continuous - self.truth.continuous
        return {
            "mse": _mean(np.square(error), heard),
            "mae": _mean(np.abs(error), heard),
            "accuracy": _mean(self.predicted.categorical == self.truth.categorical, chosen),
        }

    def parameters(self) -> dict[str, dict[str, Any]]:
        """Return name -> rows in which it is audible, and over these ``mse``, ``mae`` and ``r2``, or ``accuracy``.

        ``r2`` is 1 - (squared errors) / (squared distances of the true values from their mean): 1 for a perfect
        prediction, 0 for one that is no better than the mean; None if the true values are all equal.
        """
        heard, chosen = self._heard
        told: dict[str, dict[str, Any]] = {}
        for i, parameter in enumerate(self.space.continuous):
            told[parameter.name] = _continuous(
                self.truth.continuous[heard[:, i], i], self.predicted.continuous[heard[:, i], i]
            )
        for i, parameter in enumerate(self.space.categorical):
            right = (self.truth.categorical == self.predicted.categorical)[chosen[:, i], i]
            told[parameter.name] = {"rows": len(right), "accuracy": float(right.mean()) if len(right) else None}
        return told

    def exchanged(self) -> Labels:
        """Return the predictions with the modules of each group exchanged for the least error, row by row.

        The cost of a module in the place of another is the sum of squared errors of the continuous parameters and of
        wrong categorical ones that are audible in the target. Only values are exchanged, and not what refers to a
        module, such as a modulation.
        """
        moved: dict[str, NDArray[Any]] = {
            "continuous": self.predicted.continuous.copy(),
            "categorical": self.predicted.categorical.copy(),
        }
        given = {"continuous": self.predicted.continuous, "categorical": self.predicted.categorical}
        for places in filter(None, (_places(self.space, group) for group in self.groups)):
            for row in range(len(self.audible)):
                for into, taken in zip(places, self._best(row, places), strict=True):
                    for (kind, target), (_, source) in zip(into, places[taken], strict=True):
                        moved[kind][row, target] = given[kind][row, source]
        return Labels(moved["continuous"], moved["categorical"])

    def _best(self, row: int, places: list[list[tuple[str, int]]]) -> list[int]:
        """Return which module goes into the place of each."""
        from scipy.optimize import linear_sum_assignment

        costs = np.array([[self._cost(row, into, taken) for taken in places] for into in places])
        return [int(taken) for taken in linear_sum_assignment(costs)[1]]

    def _cost(self, row: int, into: list[tuple[str, int]], taken: list[tuple[str, int]]) -> float:
        heard, chosen = self._heard
        cost = 0.0
        for (kind, target), (_, source) in zip(into, taken, strict=True):
            if kind == "continuous":
                error = self.predicted.continuous[row, source] - self.truth.continuous[row, target]
                cost += float(error * error) * heard[row, target]
            else:
                wrong = self.predicted.categorical[row, source] != self.truth.categorical[row, target]
                cost += float(wrong) * chosen[row, target]
        return cost


def _places(space: ParameterSpace, group: tuple[str, ...]) -> list[list[tuple[str, int]]]:
    """Return (kind, column) of the parameters that the modules of a group have in common, in one order for all."""
    where = {p.name: ("continuous", i) for i, p in enumerate(space.continuous)}
    where |= {p.name: ("categorical", i) for i, p in enumerate(space.categorical)}
    suffixes = [
        {name.removeprefix(f"{module}_"): kind for name, (kind, _) in where.items() if name.startswith(f"{module}_")}
        for module in group
    ]
    shared = sorted(set.intersection(*(set(found.items()) for found in suffixes)))
    return [[where[f"{module}_{suffix}"] for suffix, _ in shared] for module in group] if shared else []


def _continuous(truth: NDArray[np.float64], predicted: NDArray[np.float64]) -> dict[str, Any]:
    if not len(truth):
        return {"rows": 0, "mse": None, "mae": None, "r2": None}
    error, spread = predicted - truth, float(np.square(truth - truth.mean()).sum())
    squared = float(np.square(error).sum())
    return {
        "rows": len(truth),
        "mse": squared / len(truth),
        "mae": float(np.abs(error).mean()),
        "r2": 1.0 - squared / spread if spread > 1e-12 else None,
    }


def _mean(values: NDArray[Any], where: NDArray[np.bool_]) -> float | None:
    return float(values[where].mean()) if where.any() else None
