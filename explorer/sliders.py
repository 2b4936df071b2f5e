"""Sliders: directions of the latent, named by what they change or found by how the sounds differ.

A named slider is the regression of a feature on the latent, over frames of the sounds that were moved at random. Its
confidence is judged on sounds that the regression did not see, and is the lower of two rank correlations: of the
feature with its forecast, and of a move along the slider with what it changes. The first alone is high for features
that only go along with a direction, and that no move along it changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonesmith.explorer.code import Code
from tonesmith.explorer.frames import magnitudes_of
from tonesmith.explorer.heard import UNITS, feature_of

TRUSTED = 0.5
"""Confidence from which a named slider is shown."""
SHARE, STABLE = 0.02, 0.7
"""Of the variance, what a discovered slider has at least; and its likeness in nine of ten resamples of the sounds."""
LOW, HIGH = 5.0, 95.0
"""Percentiles of the sounds between which a slider is on known ground."""
DRAWS = 400
"""Frames that are moved."""
FEWEST = 40
"""Of them that must have a value, for a slider to be named by a feature."""
LEADING = 16
"""Components that named sliders are made of: those that follow change details, which no feature tells apart."""
_MOVE = 0.8
"""Deviation of a random move along each."""
_FARTHEST = 1.3
"""Steps that a slider is moved at most to be judged, either way: the 10th to the 90th percentile of normal data."""
_RIDGE = 0.05
_RESAMPLES = 20
_FEWEST_RANKS = 10
_HINT = 0.3


@dataclass(frozen=True, eq=False, slots=True)
class Slider:
    """A direction of a model.

    Attributes:
        name: of the feature, or "axis1".
        kind: "named", "discovered", or "parameter" for one of a synth.
        direction: float32 (k,), of length 1. A step is one deviation of the sounds.
        confidence: of a discovered one, its stability; of the others, the held-out rank correlation.
        low: 5th percentile of the sounds along it, in steps from their mean.
        high: 95th percentile.
        effect: how much a step changes the feature, or how much rows a step apart differ in the parameter, in
            ``unit``; of a discovered one, its share of the variance in %.
        unit: of the effect, "" for a number without one.
        hint: of a discovered one, the feature that follows it most, with its sign, such as "+brightness"; else "".
    """

    name: str
    kind: str
    direction: NDArray[np.float32]
    confidence: float
    low: float
    high: float
    effect: float
    unit: str = ""
    hint: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class Moved:
    """Frames of the sounds that were moved at random, and what is heard of them.

    Attributes:
        levels: float32 (draws, bins), the frames before, in dB.
        origin: float32 (draws, k), where they are before.
        latent: float64 (draws, leading), where they are after.
        move: float64 (draws, leading), how they got there.
        before: feature -> float64 (draws,), NaN where it has no value.
        after: likewise.
        fold: int64 (draws,), the group of sounds that the frame is of.
    """

    levels: NDArray[np.float32]
    origin: NDArray[np.float32]
    latent: NDArray[np.float64]
    move: NDArray[np.float64]
    before: Mapping[str, NDArray[np.float64]]
    after: Mapping[str, NDArray[np.float64]]
    fold: NDArray[np.int64]


def moved(
    levels: NDArray[np.float32],
    fold: NDArray[np.int64],
    code: Code,
    seed: int = 0,
    origin: NDArray[np.float32] | None = None,
) -> Moved:
    """Move frames of the sounds at random.

    Args:
        levels: float32 (draws, bins) in dB.
        fold: int64 (draws,).
        code: of the model.
        seed: of the moves.
        origin: float32 (draws, k), where they are; None where no neighbours decide that.
    """
    origin = code.encode(levels) if origin is None else origin
    leading = min(LEADING, origin.shape[1])
    move = np.random.default_rng(seed).normal(0.0, _MOVE, (len(levels), leading))
    latent = origin[:, :leading] + move
    old, new = magnitudes_of(levels), magnitudes_of(code.shifted(levels, origin, move))
    before, after = ({name: feature_of(name, each) for name in UNITS} for each in (old, new))
    return Moved(levels, origin, latent, move, before, after, fold)


def named(
    draws: Moved, code: Code, latent: NDArray[np.float32], seed: int = 0
) -> tuple[list[Slider], dict[str, float]]:
    """Return the sliders that do what their names say, and the confidence of every feature.

    Each direction is made independent of those before it, in the order of :data:`tonesmith.explorer.heard.UNITS`.

    Args:
        draws: as :func:`moved` makes them.
        code: of the model.
        latent: float32 (frames, k) of what is heard, for the ranges.
        seed: of the moves that judge them.
    """
    directions = _directions(draws, np.ones(len(draws.fold), bool))
    confidences = _confidences(draws, code, np.random.default_rng([seed, 1]))
    found = []
    for name, direction in directions.items():
        if confidences[name] < TRUSTED:
            continue
        whole = np.zeros(latent.shape[1], np.float32)
        whole[: len(direction)] = direction
        low, high = np.percentile(latent @ whole, [LOW, HIGH])
        effect = _slope(draws.move @ direction, draws.after[name] - draws.before[name])
        found.append(Slider(name, "named", whole, confidences[name], float(low), float(high), effect, UNITS[name]))
    return found, confidences


def _directions(draws: Moved, rows: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
    """Return a direction of length 1 for each feature, at right angles to those before it."""
    found: dict[str, NDArray[np.float64]] = {}
    for name, value in draws.after.items():
        used = rows & np.isfinite(value)
        if used.sum() < FEWEST:
            continue
        direction = _regressed(draws.latent[used], value[used])
        for other in found.values():
            direction = direction - (direction @ other) * other
        length = float(np.linalg.norm(direction))
        if length > 1e-9:
            found[name] = direction / length
    return found


def _regressed(latent: NDArray[np.float64], value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the coefficients of a ridge regression; values beyond three deviations count as three."""
    spread = 3.0 * float(value.std())
    centred = np.clip(value - value.mean(), -spread, spread)
    placed = latent - latent.mean(axis=0)
    gram = placed.T @ placed + _RIDGE * len(placed) * np.eye(placed.shape[1])
    return np.asarray(np.linalg.solve(gram, placed.T @ centred))


def _confidences(draws: Moved, code: Code, random: np.random.Generator) -> dict[str, float]:
    """Return the lower rank correlation of each feature, over sounds that its direction is not made from."""
    steps = random.uniform(-_FARTHEST, _FARTHEST, len(draws.fold))
    empty = np.full(len(draws.fold), np.nan)
    forecast = {name: empty.copy() for name in draws.after}
    change = {name: empty.copy() for name in draws.after}
    for fold in np.unique(draws.fold):
        inside = np.flatnonzero(draws.fold == fold)
        for name, direction in _directions(draws, draws.fold != fold).items():
            forecast[name][inside] = draws.latent[inside] @ direction
            after = code.shifted(draws.levels[inside], draws.origin[inside], steps[inside, None] * direction)
            change[name][inside] = feature_of(name, magnitudes_of(after)) - draws.before[name][inside]
    return {
        name: min(
            _within_folds(forecast[name], value, draws.fold),
            _within_folds(steps, change[name], draws.fold),
        )
        for name, value in draws.after.items()
    }


def _within_folds(first: NDArray[np.float64], second: NDArray[np.float64], fold: NDArray[np.int64]) -> float:
    """Return the mean rank correlation within a fold: forecasts of two folds have no common zero."""
    return float(np.mean([rank_correlation(first[fold == one], second[fold == one]) for one in np.unique(fold)]))


def rank_correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return Spearman's rho of the places where both have a value; 0 for fewer than ten."""
    used = np.isfinite(first) & np.isfinite(second)
    if used.sum() < _FEWEST_RANKS:
        return 0.0
    ranks = [np.argsort(np.argsort(each[used], kind="stable"), kind="stable") for each in (first, second)]
    rho = float(np.corrcoef(ranks[0], ranks[1])[0, 1])
    return rho if np.isfinite(rho) else 0.0


def _slope(move: NDArray[np.float64], change: NDArray[np.float64]) -> float:
    used = np.isfinite(change)
    return float((move[used] @ change[used]) / max(float(move[used] @ move[used]), 1e-12))


def discovered(
    parts: Sequence[NDArray[np.float32]],
    code: Code,
    draws: Moved,
    latent: NDArray[np.float32],
    *,
    carried: bool = False,
) -> list[Slider]:
    """Return the axes of the components that have enough of the variance, and stay when sounds are drawn again.

    Args:
        parts: float32 (frames, k) of each sound, or of each stretch of the only one.
        code: of the model.
        draws: for the hints.
        latent: float32 (frames, k) of all that is heard.
        carried: whether the axes are those of an earlier model, so that each is compared with the component that is
            most like it.
    """
    stable = _stability([part for part in parts if len(part)], code, carried=carried)
    found = []
    for place, (share, likeness) in enumerate(zip(code.share, stable, strict=True)):
        if share < SHARE or likeness < STABLE or place >= LEADING:
            continue
        direction = np.zeros(len(code.deviation), np.float32)
        direction[place] = 1.0
        low, high = np.percentile(latent[:, place], [LOW, HIGH])
        values = (f"axis{place + 1}", "discovered", direction, float(likeness), float(low), float(high))
        found.append(Slider(*values, 100.0 * float(share), "% of variance", _hint(draws, place)))
    return found


def _hint(draws: Moved, place: int) -> str:
    move = draws.move[:, place]
    rhos = {name: rank_correlation(move, draws.after[name] - draws.before[name]) for name in draws.after}
    best = max(rhos, key=lambda name: abs(rhos[name]))
    return f"{'+' if rhos[best] > 0 else '-'}{best}" if abs(rhos[best]) >= _HINT else ""


def _stability(parts: Sequence[NDArray[np.float32]], code: Code, *, carried: bool) -> NDArray[np.float64]:
    """Return the 10th percentile of the likeness of each axis to that of resampled sounds: float64 (k,), 0 to 1."""
    scaled = [(part * code.deviation).astype(np.float64) for part in parts]
    counts = np.array([len(part) for part in scaled])
    totals = np.stack([part.sum(axis=0) for part in scaled])
    products = np.stack([part.T @ part for part in scaled])
    random = np.random.default_rng(0)

    def likeness_of(drawn: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how much each axis (rows) is like each component of drawn sounds (columns)."""
        mean = totals[drawn].sum(axis=0) / counts[drawn].sum()
        spread = products[drawn].sum(axis=0) / counts[drawn].sum() - np.outer(mean, mean)
        return np.asarray(np.abs(np.linalg.eigh(spread)[1][:, ::-1]), np.float64)

    axes = np.arange(len(code.deviation))
    same = likeness_of(np.arange(len(scaled))).argmax(axis=1) if carried else axes
    draws = (random.integers(0, len(scaled), len(scaled)) for _ in range(_RESAMPLES))
    likeness = [likeness_of(drawn)[axes, same] for drawn in draws]
    return np.asarray(np.percentile(likeness, 10.0, axis=0))
