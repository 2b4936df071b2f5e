"""Sliders that are named by a synth's parameters: where in the latent the rows of a dataset lie that have much of one.

The direction of a parameter is its ridge regression on the mean latents of the rows. Its confidence is the rank
correlation of the parameter with forecasts of patches that the regression did not see. Of hundreds of parameters, some
fit by chance: a slider is shown only if its confidence is also above what the best of all reaches when the patches are
shuffled, in 98 of 100 shuffles.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonesmith.explorer.controls import Labels
from tonesmith.explorer.given import GIVEN
from tonesmith.explorer.heard import UNITS
from tonesmith.explorer.sliders import HIGH, LEADING, LOW, TRUSTED, Slider
from tonesmith.space.parameter import Parameter
from tonesmith.terminal.text import one_line

FEWEST = 40
"""Rows in which a parameter must be heard."""
MOST = 24
"""Sliders that are shown: those of the highest confidence."""
SHUFFLES = 199
_PASSED = 4
"""The confidence of a slider is above that of the shuffle of this rank: a chance of any false name of 4 in 200."""
_FOLDS = 5
_RIDGE = 0.05
_LEAST = 1e-6
_LONGEST_NAME, _LONGEST_UNIT = 31, 30


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """Rows in which the same parameters are heard.

    Attributes:
        latent: float64 (rows, leading), the mean of each row.
        patch: int64 (rows,), from 0.
        values: float64 (patches, parameters), normalised.
        places: of the parameters among all.
    """

    latent: NDArray[np.float64]
    patch: NDArray[np.int64]
    values: NDArray[np.float64]
    places: NDArray[np.int64]


def parameter_sliders(
    means: NDArray[np.float32],
    labels: Labels,
    latent: NDArray[np.float32],
    told: Callable[[str], None] = lambda _: None,
    seed: int = 0,
) -> list[Slider]:
    """Return the sliders of the parameters that are sure enough, the surest first.

    Args:
        means: float32 (rows, k), the mean latent of what is heard of each row.
        labels: of these rows, in the same order.
        latent: float32 (frames, k) of what is heard of all sounds, for the ranges.
        told: is called with a sentence if there is no slider.
        seed: of the shuffles.
    """
    groups = _grouped(means, labels)
    if not groups:
        told(f"no slider is named by a parameter of the synth: that needs {FEWEST} rows in which it is heard.")
        return []
    confidence = np.full(len(labels.parameters), -1.0)
    for rows in groups:
        confidence[rows.places] = confidences(rows, rows.values)
    best = int(confidence.argmax())
    bound = _bound(groups, seed) if confidence[best] >= TRUSTED else -1.0
    surest = np.argsort(-confidence, kind="stable").tolist()
    shown = [at for at in surest if confidence[at] >= TRUSTED and confidence[at] > bound][:MOST]
    if not shown:
        name, reached = one_line(labels.parameters[best].name, 40), confidence[best]
        needed = f"{max(TRUSTED, bound):.2f}"
        told(f"no parameter of the synth is sure enough for a slider: {name}, the best, has {reached:.2f} of {needed}.")
    return _sliders(shown, groups, confidence, labels.parameters, latent)


def _grouped(means: NDArray[np.float32], labels: Labels) -> list[Rows]:
    """Return the rows of each set of parameters that are heard in the same ones, and differ there."""
    each = list(labels.of.values())
    if not each or not labels.parameters:
        return []
    values = np.stack([label.values for label in each]).astype(np.float64)
    group = np.array([label.group for label in each], np.int64)
    latent = means[:, :LEADING].astype(np.float64)
    masks: dict[bytes, list[int]] = {}
    for place, mask in enumerate(np.isfinite(values).T):
        masks.setdefault(np.packbits(mask).tobytes(), []).append(place)
    found = []
    for places in masks.values():
        used = np.isfinite(values[:, places[0]])
        if used.sum() < FEWEST:
            continue
        _, first, patch = np.unique(group[used], return_index=True, return_inverse=True)
        own = values[used][first][:, places]
        differ = np.ptp(own, axis=0) > _LEAST
        if differ.any() and len(first) >= _FOLDS:
            found.append(Rows(latent[used], patch.ravel(), own[:, differ], np.array(places, np.int64)[differ]))
    return found


def confidences(rows: Rows, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rank correlation of parameters with forecasts from other patches: float64 (parameters,).

    Args:
        rows: to forecast from.
        values: float64 (patches, parameters), those of the rows or others.
    """
    wanted = values[rows.patch]
    forecast = np.empty_like(wanted)
    for fold in range(_FOLDS):
        inside = rows.patch % _FOLDS == fold
        middle, weight = _regressed(rows.latent[~inside], wanted[~inside])
        forecast[inside] = (rows.latent[inside] - middle) @ weight + wanted[~inside].mean(axis=0)
    return _rank_correlations(forecast, wanted)


def _regressed(
    latent: NDArray[np.float64], wanted: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean latent, and the coefficients of ridge regressions: float64 (leading, parameters)."""
    middle = latent.mean(axis=0)
    placed = latent - middle
    gram = placed.T @ placed
    gram += _RIDGE * max(float(gram.trace()) / len(gram), _LEAST) * np.eye(len(gram))
    return middle, np.asarray(np.linalg.solve(gram, placed.T @ (wanted - wanted.mean(axis=0))))


def _rank_correlations(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Spearman's rho of each column; those of one patch, which are equal, share their rank."""
    from scipy.stats import rankdata

    one, other = (rankdata(each, axis=0) - (len(each) + 1) / 2.0 for each in (first, second))
    size = np.sqrt(np.square(one).sum(axis=0) * np.square(other).sum(axis=0))
    return np.asarray((one * other).sum(axis=0) / np.maximum(size, _LEAST))


def _bound(groups: Sequence[Rows], seed: int) -> float:
    """Return what the best of all parameters reaches in one of fifty shuffles of the patches."""
    random = np.random.default_rng(seed)
    best = np.sort([max(_shuffled(rows, random) for rows in groups) for _ in range(SHUFFLES)])
    return float(best[-_PASSED])


def _shuffled(rows: Rows, random: np.random.Generator) -> float:
    return float(confidences(rows, rows.values[random.permutation(len(rows.values))]).max())


def _sliders(
    shown: Sequence[int],
    groups: Sequence[Rows],
    confidence: NDArray[np.float64],
    parameters: Sequence[Parameter],
    latent: NDArray[np.float32],
) -> list[Slider]:
    found, names = [], set[str]()
    for place in shown:
        rows = next(each for each in groups if place in each.places)
        column = rows.values[:, int(np.flatnonzero(rows.places == place)[0])][rows.patch]
        weight = _regressed(rows.latent, column[:, None])[1][:, 0]
        direction = np.zeros(latent.shape[1], np.float32)
        direction[: len(weight)] = weight / max(float(np.linalg.norm(weight)), 1e-12)
        parameter = parameters[place]
        effect = _effect(rows.latent @ direction[: len(weight)].astype(np.float64), column, parameter)
        low, high = np.percentile(latent @ direction, [LOW, HIGH])
        name = safe_name(parameter.name, names)
        names.add(name)
        unit = one_line(parameter.unit, _LONGEST_UNIT)
        ends = (float(confidence[place]), float(low), float(high))
        found.append(Slider(name, "parameter", direction, *ends, effect, unit))
    return found


def _effect(along: NDArray[np.float64], column: NDArray[np.float64], parameter: Parameter) -> float:
    """Return how much the display of a parameter differs between rows that lie one step apart."""
    raw = parameter.low + column * (parameter.high - parameter.low)
    shown = np.array([parameter.shown(float(value)) for value in raw])
    placed = along - along.mean()
    return float(placed @ shown / max(float(placed @ placed), 1e-12))


def safe_name(name: str, taken: Collection[str]) -> str:
    """Return the name of a slider for a parameter: lower case, at most 31 characters, and no other slider's.

    Args:
        name: of the parameter.
        taken: by sliders of other parameters.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    word = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    if not word or not word[0].isalpha() or word in {*UNITS, *GIVEN, "density"} or re.fullmatch(r"axis\d+", word):
        word = f"synth_{word}".rstrip("_")
    tries = (word[:_LONGEST_NAME], *(f"{word[: _LONGEST_NAME - 4]}_{number}" for number in range(2, 1000)))
    return next(each for each in tries if each not in taken)
