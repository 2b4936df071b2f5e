"""The points of the sound map as the page stores them: where each lies, how it sounds, and its values."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.pca import Sounds, components_of
from tonesmith.analysis.report.chart import short
from tonesmith.analysis.report.sample import Sample
from tonesmith.analysis.report.scored import Extra
from tonesmith.dataset.reader import Dataset
from tonesmith.plan.rows import digest_hex

_MOST_VALUES = 200_000
"""Values of parameters that a page holds: of a synth with thousands, those that come first in its space."""
MEASURED = (
    ("peak", "dBFS", "level"),
    ("loudness", "LKFS", "loudness"),
    ("centroid", "Hz", "centroid"),
    ("attack", "s", "attack"),
)
"""Attribute of a sound, its unit, and what the page calls it."""


def heard_values(samples: Sequence[Sample], name: str) -> NDArray[np.float64]:
    """Return a measure of all sounds, float64 (sounds,)."""
    return np.array([getattr(sound, name) for sample in samples for sound in sample.sounds], np.float64)


def features_of_samples(samples: Sequence[Sample]) -> NDArray[np.float64]:
    """Return the features of all sounds, float64 (sounds, features)."""
    found = [sound.features for sample in samples for sound in sample.sounds]
    return np.stack(found) if found else np.zeros((0, 1))


def places_of(features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where sounds lie on their first two principal components, (n, 2), and what share each explains, (2,)."""
    count = len(features)
    points, explained = np.zeros((count, 2)), np.zeros(2)
    if count > 1:
        found = components_of(Sounds(features, np.zeros(count, np.int64), ("all",), "dataset", None))
        points[:, : found.points.shape[1]] = found.points
        explained[: len(found.explained[:2])] = found.explained[:2]
    return points, explained


def points_of(
    datasets: Mapping[str, Dataset], samples: Sequence[Sample], extras: Sequence[Extra] = ()
) -> dict[str, Any]:
    """Return the points as JSON.

    Args:
        datasets: by the name that they have on the page.
        samples: of each.
        extras: sounds that are no points: their numbers follow.
    """
    places, explained = places_of(features_of_samples(samples))
    sounds = [sound for sample in samples for sound in sample.sounds] + [extra.sound for extra in extras]
    return {
        "x": numbers(places[:, 0]),
        "y": numbers(places[:, 1]),
        "explained": numbers(explained),
        "rows": [int(row) for sample in samples for row in sample.rows],
        "divided": numbers(np.array([sound.divided for sound in sounds])),
        "pictures": [base64.b64encode(sound.picture).decode() for sound in sounds],
        "clips": [sound.clip.uri if sound.clip else "" for sound in sounds],
        "extras": [extra.name for extra in extras],
        "fields": list(_fields(datasets, samples)),
    }


def _fields(datasets: Mapping[str, Dataset], samples: Sequence[Sample]) -> Iterator[dict[str, Any]]:
    """Yield what a point can be coloured by, what tells of the row first."""
    if len(datasets) > 1:
        held = [place for place, sample in enumerate(samples) for _ in range(len(sample))]
        yield _choice("dataset", "row", list(datasets), held)
    yield from _of_rows(datasets, samples)
    for attribute, unit, title in MEASURED:
        yield {
            "name": title,
            "group": "sound",
            "unit": unit,
            "log": attribute == "centroid",
            "values": numbers(heard_values(samples, attribute)),
        }
    for name, unit in _measures(datasets):
        values = [sample.columns.get(name, np.full(len(sample), np.nan)) for sample in samples]
        yield {"name": short(name), "group": "measure", "unit": short(unit), "values": numbers(np.concatenate(values))}
    yield from _parameters(datasets, samples)


def _of_rows(datasets: Mapping[str, Dataset], samples: Sequence[Sample]) -> Iterator[dict[str, Any]]:
    pairs = list(zip(datasets.values(), samples, strict=True))
    origins = [dataset.plan.origins[i] for dataset, sample in pairs for i in sample.columns["origin"].tolist()]
    yield _named("origin", origins)
    if any(sample.split for sample in samples):
        splits = [name for sample in samples for name in (sample.split or ("",) * len(sample))]
        yield _named("split", splits)
    for name in ("pitch", "velocity", "patch"):
        values = np.concatenate([sample.columns[name] for sample in samples])
        yield {"name": name, "group": "row", "unit": "", "values": values.tolist()}
    if any(dataset.plan.presets for dataset in datasets.values()):
        presets = [
            preset.name if (preset := dataset.presets.get(digest_hex(sha))) else ""
            for dataset, sample in pairs
            for sha in sample.columns["preset"]
        ]
        yield {**_named("preset", presets), "many": True}


def _measures(datasets: Mapping[str, Dataset]) -> list[tuple[str, str]]:
    found = {m.name: m.unit for dataset in datasets.values() for m in dataset.plan.measures}
    return [(name, unit) for name, unit in found.items() if name not in {title for *_, title in MEASURED}]


def _parameters(datasets: Mapping[str, Dataset], samples: Sequence[Sample]) -> Iterator[dict[str, Any]]:
    """Yield the parameters that all datasets have alike, as the synth shows them."""
    first = next(iter(datasets.values())).space
    others = [dataset.space for dataset in datasets.values()]
    count = max(sum(map(len, samples)), 1)
    for number, name in enumerate(first.names):
        parameter = first[name]
        if number >= _MOST_VALUES // count:
            return
        if any(name not in space.names or space[name] != parameter for space in others):
            continue
        if parameter.kind == "continuous":
            raw = [_raw(dataset, sample, name) for dataset, sample in zip(datasets.values(), samples, strict=True)]
            shown = np.array([parameter.shown(value) for value in np.concatenate(raw).tolist()], np.float64)
            yield {"name": short(name), "group": "parameter", "unit": short(parameter.unit), "values": numbers(shown)}
        else:
            chosen = [
                index
                for dataset, sample in zip(datasets.values(), samples, strict=True)
                for index in _index(dataset, sample, name).tolist()
            ]
            yield {**_named(name, [parameter.text(parameter.low + i) for i in chosen]), "group": "parameter"}


def _raw(dataset: Dataset, sample: Sample, name: str) -> NDArray[np.float64]:
    place = [p.name for p in dataset.space.continuous].index(name)
    return dataset.space.raw(sample.columns["continuous"])[:, place].astype(np.float64)


def _index(dataset: Dataset, sample: Sample, name: str) -> NDArray[np.int64]:
    place = [p.name for p in dataset.space.categorical].index(name)
    return sample.columns["categorical"][:, place].astype(np.int64)


def _named(name: str, texts: Sequence[str]) -> dict[str, Any]:
    """Return a field of texts, the most frequent first."""
    known = sorted(set(texts), key=lambda text: (-texts.count(text), text)) if len(texts) < 5000 else sorted(set(texts))
    place = {text: i for i, text in enumerate(known)}
    return _choice(name, "row", known, [place[text] for text in texts])


def _choice(name: str, group: str, choices: Sequence[str], values: Sequence[int]) -> dict[str, Any]:
    return {
        "name": short(name),
        "group": group,
        "choices": [short(c) or "none" for c in choices],
        "values": list(values),
    }


def numbers(values: NDArray[Any]) -> list[float | None]:
    """Return numbers to five digits, None for what is not finite: JSON has no other."""
    return [
        float(f"{value:.5g}") if math.isfinite(value) else None for value in np.asarray(values, np.float64).tolist()
    ]
