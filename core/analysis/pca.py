"""Which sounds are alike: the features of a dataset's rows, and their principal components."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset.reader import Dataset
from tonesmith.dsp.log_mel import log_mel
from tonesmith.errors import ConfigError, DatasetError, unknown_name

GROUPINGS = ("dataset", "origin", "pitch")
"""What makes a group of sounds."""
MOST_GROUPS = 8
"""Groups that a picture tells apart."""
_CHUNK = 16
"""Rows that are read at once."""
_CONSTANT_DB = 1e-3
"""Standard deviation below which a feature is the same in all sounds, but for rounding."""


@dataclass(frozen=True, slots=True)
class Sounds:
    """Sounds of one or several datasets, as features.

    Attributes:
        features: dB, float64 (sounds, 2 * MELS): mean over time of each log-mel band, then standard deviation.
        groups: int64 (sounds,), indices of ``names``.
        names: what each group is: a dataset, an origin, a pitch.
        by: one of :data:`GROUPINGS`.
        pitch: of the note that all of them played, or None for any.
    """

    features: NDArray[np.float64]
    groups: NDArray[np.int64]
    names: tuple[str, ...]
    by: str
    pitch: int | None


@dataclass(frozen=True, slots=True)
class Components:
    """Sounds on the axes along which they differ most.

    Attributes:
        points: float64 (sounds, 2).
        explained: share of the variance that each component explains, largest first; float64, sums to 1, or
            all zero where all sounds are the same.
        spreads: root mean square distance of each group's sounds from their centroid, over all features; 1 is
            that of all sounds together.
    """

    points: NDArray[np.float64]
    explained: NDArray[np.float64]
    spreads: tuple[float, ...]


def sounds_of(
    datasets: Mapping[str, Dataset],
    by: str = "dataset",
    rows: int = 500,
    pitch: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Sounds:
    """Return the sounds to compare: of each dataset at most ``rows``, spread evenly over it, the same each time.

    Args:
        datasets: by the name that they bear in the picture.
        by: what makes a group; one of :data:`GROUPINGS`. More than eight pitches are told apart by octave.
        rows: of one dataset at most.
        pitch: only notes of this pitch; None for the most frequent one that all datasets have, and for any where
            the groups are pitches.
        progress: told how many sounds are read, and how many there are to read.

    Raises :class:`ConfigError` if the datasets cannot be compared or have no such rows, :class:`DatasetError` if
    a stored sound is damaged.
    """
    if by not in GROUPINGS:
        raise ConfigError(unknown_name("grouping", by, GROUPINGS))
    _check_comparable(datasets)
    if pitch is None and by != "pitch":
        pitch = _shared_pitch(datasets)
    chosen = {name: _chosen(dataset, name, rows, pitch) for name, dataset in datasets.items()}
    members = [member for name, dataset in datasets.items() for member in _members(dataset, name, chosen[name], by)]
    if len(members) < 2:
        raise ConfigError("principal components need at least 2 sounds; there is 1")
    names, groups = _grouped(members, by, tuple(datasets))
    features = []
    for name, dataset in datasets.items():
        for sound in _features(dataset, name, chosen[name]):
            features.append(sound)
            if progress:
                progress(len(features), len(members))
    return Sounds(np.stack(features), groups, names, by, pitch)


def _check_comparable(datasets: Mapping[str, Dataset]) -> None:
    for name, dataset in datasets.items():
        if not len(dataset):
            raise ConfigError(f"{name} has no rows yet")
    rates = {name: dataset.plan.audio.sample_rate for name, dataset in datasets.items()}
    if len(set(rates.values())) > 1:
        told = ", ".join(f"{name} {rate} Hz" for name, rate in rates.items())
        raise ConfigError(
            f"sounds with different sample rates have different mel bands and cannot be compared: {told}."
        )


def _shared_pitch(datasets: Mapping[str, Dataset]) -> int:
    """Return the most frequent pitch of those that every dataset has; of equals, the lowest."""
    counts: list[Counter[int]] = [Counter(dataset.column("pitch").tolist()) for dataset in datasets.values()]
    shared = set.intersection(*map(set, counts))
    if not shared:
        raise ConfigError("the datasets have no pitch in common, so their sounds cannot be compared")
    return min(shared, key=lambda pitch: (-sum(count[pitch] for count in counts), pitch))


def _chosen(dataset: Dataset, name: str, rows: int, pitch: int | None) -> NDArray[np.int64]:
    """Return indices of rows: int64 (at most ``rows``,), ascending and evenly spread over those of the pitch."""
    pitches = dataset.column("pitch")
    found = np.arange(len(dataset)) if pitch is None else np.flatnonzero(pitches == pitch)
    if not len(found):
        there = ", ".join(map(str, np.unique(pitches).tolist()))
        raise ConfigError(f"{name} has no row with pitch {pitch}. Its pitches: {there}.")
    if len(found) <= rows:
        return found
    return found[np.linspace(0, len(found) - 1, rows).round().astype(np.int64)]


def _features(dataset: Dataset, name: str, chosen: NDArray[np.int64]) -> Iterator[NDArray[np.float64]]:
    rows = dataset.rows[chosen].tolist()
    for first in range(0, len(rows), _CHUNK):
        chunk = rows[first : first + _CHUNK]
        for row, audio in zip(chunk, dataset.storage.read("audio", chunk), strict=True):
            if not np.isfinite(audio).all():
                raise DatasetError(f"{name}: row {row} has samples that are not finite.")
            yield features_of(audio, dataset.plan.audio.sample_rate)


def features_of(audio: NDArray[Any], sample_rate: int) -> NDArray[np.float64]:
    """Return mean and standard deviation over time of the log-mel bands, channels averaged: float64 (2 * MELS,), dB.

    Args:
        audio: float (channels, frames), full scale 1.0, finite, of any length.
        sample_rate: Hz.
    """
    return features_of_levels(log_mel(audio, sample_rate).mean(axis=0, dtype=np.float64))


def features_of_levels(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return mean and standard deviation over time of log-mel bands, (bands, time) in dB: float64 (2 * bands,)."""
    return np.concatenate([levels.mean(axis=1), levels.std(axis=1)])


def _members(dataset: Dataset, name: str, chosen: NDArray[np.int64], by: str) -> list[Any]:
    """Return what each row's group is called, or its pitch."""
    if by == "dataset":
        return [name] * len(chosen)
    values: list[int] = dataset.column(by)[chosen].tolist()
    return values if by == "pitch" else [dataset.plan.origins[value] for value in values]


def _grouped(members: list[Any], by: str, order: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the names of the groups, and the group of each member."""
    if by == "pitch" and len(set(members)) > MOST_GROUPS:
        members = [pitch - pitch % 12 for pitch in members]
        called = {low: f"{low} to {low + 11}" for low in members}
    else:
        called = {member: str(member) for member in members}
    keys = [name for name in order if name in called] if by == "dataset" else sorted(called)
    if by != "pitch" and len(keys) > MOST_GROUPS:
        raise ConfigError(f"{len(keys)} {by}s are too many for one picture: colours distinguish at most {MOST_GROUPS}")
    places = {key: place for place, key in enumerate(keys)}
    return tuple(called[key] for key in keys), np.array([places[member] for member in members], np.int64)


def z_scored(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the features (sounds, n) with mean 0 and standard deviation 1 each; one that is constant is 0."""
    centred = features - features.mean(axis=0)
    deviation = features.std(axis=0)
    constant = deviation < _CONSTANT_DB
    return np.where(constant, 0.0, centred / np.where(constant, 1.0, deviation))


def components_of(sounds: Sounds) -> Components:
    """Return the principal components of the z-scored features, by singular value decomposition.

    The sign of a component is free: here its largest loading is positive, so that a picture is the same each
    time. Source: Jolliffe 2002, "Principal Component Analysis", sections 2.3 and 3.5.
    """
    scored = z_scored(sounds.features)
    left, values, loadings = np.linalg.svd(scored, full_matrices=False)
    largest = loadings[np.arange(len(loadings)), np.abs(loadings).argmax(axis=1)]
    points = (left * values * np.where(largest < 0, -1.0, 1.0))[:, :2]
    variance = np.square(values)
    # Far below what is drawn, and above what another order of adding changes
    points = np.round(points, 6) + 0.0
    return Components(points, variance / (variance.sum() or 1.0), _spreads(scored, sounds))


def _spreads(scored: NDArray[np.float64], sounds: Sounds) -> tuple[float, ...]:
    whole = _spread(scored) or 1.0
    return tuple(_spread(scored[sounds.groups == group]) / whole for group in range(len(sounds.names)))


def _spread(scored: NDArray[np.float64]) -> float:
    return math.sqrt(np.square(scored - scored.mean(axis=0)).sum(axis=1).mean())
