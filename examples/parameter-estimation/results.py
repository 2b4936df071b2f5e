"""What a model has learned: in numbers beside the mean predictor, and as a picture."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from estimator import COLUMNS, Batch, Epoch
from torch import Tensor

from tonesmith import Dataset


@dataclass(frozen=True)
class Learned:
    """How well a parameter is told, over the rows in which it is audible.

    Attributes:
        name: of the parameter.
        measure: "r2" of a continuous one: 1 is perfect, 0 no better than the mean. "accuracy" of a categorical one.
        rows: in which it is audible.
        model: the measure of the model; NaN without rows, and for an R² of values that are all the same.
        mean: the measure of the mean predictor, which always tells the mean of the training rows, or their most
            frequent choice.
        squared: squared errors of the model, summed; 0 for a categorical parameter.
        mean_squared: those of the mean predictor.
    """

    name: str
    measure: str
    rows: int
    model: float
    mean: float
    squared: float = 0.0
    mean_squared: float = 0.0


@dataclass(frozen=True)
class Result:
    """How well the parameters are told, one by one and together."""

    parameters: tuple[Learned, ...]

    @property
    def mse(self) -> float:
        """Mean squared error of the audible continuous labels."""
        return sum(one.squared for one in self.parameters) / self._count if self._count else math.nan

    @property
    def mean_mse(self) -> float:
        """That of the mean predictor."""
        return sum(one.mean_squared for one in self.parameters) / self._count if self._count else math.nan

    @property
    def ratio(self) -> float:
        """The model's error as a share of the mean predictor's."""
        return self.mse / self.mean_mse

    @property
    def _count(self) -> int:
        return sum(one.rows for one in self.parameters if one.measure == "r2")

    def to_json(self) -> dict[str, Any]:
        """Return all of this for a file; NaN, which JSON does not have, as null."""
        measured = [
            {"name": one.name, "rows": one.rows, one.measure: known(one.model), "mean": known(one.mean)}
            for one in self.parameters
        ]
        together = {"mse": self.mse, "mean_mse": self.mean_mse, "ratio": self.ratio}
        return {**{name: known(number) for name, number in together.items()}, "parameters": measured}

    def lines(self) -> Iterator[str]:
        """Yield a table of the parameters, and how all compare."""
        width = max(len(one.name) for one in self.parameters)
        yield f"{'parameter':<{width}}  rows  measure   model  mean predictor"
        yield f"{'-' * width}  ----  --------  -----  --------------"
        for one in self.parameters:
            measure = {"r2": "R²", "accuracy": "accuracy"}[one.measure]
            model, mean = hundredths(one.model), hundredths(one.mean)
            yield f"{one.name:<{width}}  {one.rows:>4}  {measure:<8}  {model:>5}  {mean:>14}"
        yield f"MSE {self.mse:.4f}: {self.ratio:.2f} of the mean predictor's {self.mean_mse:.4f}"


def result_of(dataset: Dataset, told: Sequence[Tensor], truth: Batch) -> Result:
    """Return how well labels are told, beside the mean predictor.

    Args:
        dataset: with the split "train".
        told: continuous labels, and the scores of each categorical parameter.
        truth: the columns of the same rows.
    """
    train = dataset.torch("train", COLUMNS)[:]
    found = []
    for i, parameter in enumerate([*dataset.space.continuous, *dataset.space.categorical]):
        here, known = truth["audible"][:, i], train["audible"][:, i]
        if (choice := i - told[0].shape[1]) < 0:
            labels = told[0][here, i], truth["continuous"][here, i], train["continuous"][known, i]
            found.append(continuous(parameter.name, *(tensor.double() for tensor in labels)))
        else:
            chosen = told[1 + choice].argmax(dim=1)[here]
            labels = chosen, truth["categorical"][here, choice], train["categorical"][known, choice]
            found.append(categorical(parameter.name, *labels))
    return Result(tuple(found))


def continuous(name: str, told: Tensor, truth: Tensor, train: Tensor) -> Learned:
    """Return how well a continuous parameter is told."""
    usual = float(train.mean()) if len(train) else 0.5
    model, mean, spread = (float(((truth - one) ** 2).sum()) for one in (told, usual, truth.mean()))
    r2, mean_r2 = (1.0 - squared / spread if spread else math.nan for squared in (model, mean))
    return Learned(name, "r2", len(truth), r2, mean_r2, model, mean)


def categorical(name: str, told: Tensor, truth: Tensor, train: Tensor) -> Learned:
    """Return how well a categorical parameter is told."""
    usual = int(train.mode().values) if len(train) else 0
    model, mean = (float(truth.eq(one).double().mean()) for one in (told, usual))
    return Learned(name, "accuracy", len(truth), model, mean)


def hundredths(number: float) -> str:
    """Return a number as a table shows it: without the sign of what is 0.00, and "-" for NaN."""
    return "-" if math.isnan(number) else f"{round(number, 2) + 0.0:.2f}"


def known(number: float) -> float | None:
    """Return a number, or None for NaN."""
    return None if math.isnan(number) else number


def save_predictions(path: Path, told: Sequence[Tensor], truth: Batch) -> None:
    """Write predictions as ``tonesmith score`` and ``tonesmith render`` read them: keyed by row, choices as scores."""
    scores = torch.cat([told[0][:, :0], *told[1:]], dim=1)
    np.savez(path, row=truth["row"].numpy(), continuous=told[0].numpy(), categorical=scores.numpy())


def draw(path: Path, history: Sequence[Epoch], val: Result, test: Result) -> None:
    """Draw the learning curve, and beside it what was learned of each parameter.

    Args:
        path: of the PNG.
        history: of all epochs.
        val: of the best epoch on the split "val".
        test: on the split "test".

    Raises :class:`ImportError` where matplotlib is not installed.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = [one for one in reversed(test.parameters) if one.rows]
    figure = Figure(figsize=(9, max(3.6, 0.18 * len(shown))), layout="constrained")
    curve, bars = figure.subplots(1, 2, width_ratios=(3, 2))
    numbers = [epoch.number for epoch in history]
    curve.axhline(1.0, color="0.6", linestyle=":", label="mean predictor")
    curve.plot(numbers, [epoch.train / val.mean_mse for epoch in history], marker=".", label="training")
    curve.plot(numbers, [epoch.val / val.mean_mse for epoch in history], marker=".", label="validation")
    best = min(history, key=lambda epoch: epoch.loss)
    curve.plot(best.number, best.val / val.mean_mse, "o", fillstyle="none", color="black", label="kept")
    curve.set(xlabel="epoch", ylabel="MSE / MSE of the mean predictor", ylim=(0, None))
    curve.locator_params("x", integer=True)
    curve.legend()
    colors = ["C0" if one.measure == "r2" else "C2" for one in shown]
    bars.barh([one.name for one in shown], [max(one.model, 0.0) for one in shown], color=colors)
    bars.set(xlim=(0, 1), xlabel="R² (blue) or accuracy (green), held out")
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=100)
