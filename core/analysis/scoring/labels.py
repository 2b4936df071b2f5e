"""How near predicted labels are to the true ones, parameter by parameter, and under the best exchange of modules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.scoring.routings import Routings, agreement, renamed
from tonesmith.space.label import Label
from tonesmith.space.parameter import Parameter
from tonesmith.space.space import ParameterSpace

_SAME = 1e-6
_FORBIDDEN = 1e9
"""More than any labels differ by: each module in its own place costs less."""


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels as arrays: continuous float64 (n, P) in [0, 1], categorical int64 (n, C), and modulations, if any."""

    continuous: NDArray[np.float64]
    categorical: NDArray[np.int64]
    modulations: Routings = ()

    def put(self, row: int, slot: _Slot, value: float) -> None:
        """Set the label of a parameter in a row."""
        (self.continuous if slot.continuous else self.categorical)[row, slot.column] = value

    @classmethod
    def of(cls, labels: Sequence[Label]) -> Labels:
        """Return labels stacked."""
        return cls(
            np.array([label.continuous for label in labels], np.float64).reshape(len(labels), -1),
            np.array([label.categorical for label in labels], np.int64).reshape(len(labels), -1),
            [label.modulations for label in labels],
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
        categorical ones that are right. Where the space has modulations, ``modulations`` is how many of them agree: see
        :func:`tonesmith.analysis.scoring.routings.agreement`. The same with ``_exchanged`` is what they are once the
        modules of each group have been exchanged for the least error, row by row.
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
        found = {
            "mse": _mean(np.square(error), heard),
            "mae": _mean(np.abs(error), heard),
            "accuracy": _mean(self.predicted.categorical == self.truth.categorical, chosen),
        }
        if self.space.modulation_slots:
            found["modulations"] = agreement(self.truth.modulations, self.predicted.modulations)
        return found

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
        wrong categorical ones that are audible in the target. A module does not go where the space fixes a parameter at
        another value than the module has. Modulations that refer to a module go with it, but count for nothing here.
        """
        routings = list(self.predicted.modulations)
        moved = Labels(self.predicted.continuous.copy(), self.predicted.categorical.copy(), routings)
        for group in self.groups:
            modules = _modules(self.space, group)
            for row in range(len(self.audible)) if modules else ():
                best = self._best(row, modules)
                for into, taken in enumerate(best):
                    for target, source in zip(modules[into], modules[taken], strict=True):
                        if target.varies and into != taken:
                            moved.put(row, target, source.value(self.predicted, row))
                if routings:
                    names = {group[taken]: group[into] for into, taken in enumerate(best)}
                    routings[row] = renamed(routings[row], names)
        return moved

    def _best(self, row: int, modules: list[list[_Slot]]) -> list[int]:
        """Return which module goes into the place of each."""
        from scipy.optimize import linear_sum_assignment

        costs = np.array([[self._cost(row, into, taken) for taken in modules] for into in modules])
        return [int(taken) for taken in linear_sum_assignment(costs)[1]]

    def _cost(self, row: int, into: list[_Slot], taken: list[_Slot]) -> float:
        cost = 0.0
        for target, source in zip(into, taken, strict=True):
            value = source.value(self.predicted, row)
            if not target.varies:
                cost += 0.0 if abs(value - target.fixed) < _SAME else _FORBIDDEN
            elif self.audible[row, target.place]:
                error = value - target.value(self.truth, row)
                cost += error * error if target.continuous else float(error != 0.0)
        return cost


@dataclass(frozen=True, slots=True)
class _Slot:
    """A parameter of a module: its column in the labels, or the label of the value that the space fixes it at.

    Attributes:
        continuous: whether it is.
        column: among the parameters of its kind; -1 if it is fixed.
        place: among all that varies, continuous ones first; -1 if it is fixed.
        fixed: as a label, if it is.
    """

    continuous: bool
    column: int
    place: int
    fixed: float

    @property
    def varies(self) -> bool:
        return self.column >= 0

    def value(self, labels: Labels, row: int) -> float:
        """Return the label of a row, or that of the fixed value."""
        if not self.varies:
            return self.fixed
        return float((labels.continuous if self.continuous else labels.categorical)[row, self.column])


def _modules(space: ParameterSpace, group: tuple[str, ...]) -> list[list[_Slot]]:
    """Return the parameters that the modules of a group have in common, in one order; nothing if none varies."""
    named = [
        {p.name.removeprefix(f"{module}_"): p for p in space.parameters if p.name.startswith(f"{module}_")}
        for module in group
    ]
    forms = [{suffix: (p.kind, p.low, p.high) for suffix, p in parameters.items()} for parameters in named]
    shared = sorted(suffix for suffix in forms[0] if all(form.get(suffix) == forms[0][suffix] for form in forms))
    places = {name: place for place, name in enumerate(space.names)}
    modules = [[_slot(space, places, parameters[suffix]) for suffix in shared] for parameters in named]
    return modules if any(slot.varies for module in modules for slot in module) else []


def _slot(space: ParameterSpace, places: Mapping[str, int], parameter: Parameter) -> _Slot:
    continuous = parameter.kind == "continuous"
    if parameter.name in places:
        place = places[parameter.name]
        return _Slot(continuous, place - (0 if continuous else len(space.continuous)), place, 0.0)
    distance = space.fixed[parameter.name] - parameter.low
    return _Slot(continuous, -1, -1, distance / (parameter.high - parameter.low) if continuous else round(distance))


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
