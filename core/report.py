"""What is in a dataset, in numbers: for ``tonesmith inspect`` and for cards."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset import Dataset
from tonesmith.parameter import Parameter
from tonesmith.preset import credits_of

_BINS = 10
_CHUNK = 8192
"""Rows whose masks are in memory at once."""


def report(dataset: Dataset) -> dict[str, Any]:
    """Return a JSON-serialisable account of a dataset: rows, notes, space, rejections, levels, versions, plan."""
    plan, space = dataset.plan, dataset.space
    origins = Counter(plan.origins[i] for i in dataset.column("origin").tolist())
    rejections = Counter(rejection.cause for rejection in dataset.rejections)
    return {
        "rows": len(dataset),
        "rows_planned": plan.rows,
        "patches": plan.patches,
        "patches_accepted": len(set(dataset.column("patch").tolist())),
        "complete": dataset.complete,
        "nbytes": dataset.nbytes,
        "audio": {
            "sample_rate": plan.audio.sample_rate,
            "channels": plan.audio.channels,
            "frames": plan.audio.frames,
            "seconds": plan.audio.frames / plan.audio.sample_rate,
        },
        "notes": {name: _value_counts(dataset.column(name)) for name in ("pitch", "velocity", "hold", "tail")},
        "space": {
            "continuous": len(space.continuous),
            "categorical": len(space.categorical),
            "fixed": len(space.fixed),
            "modulation_slots": space.modulation_slots,
            "held": len(space.held),
            "audible": _audible_share(dataset),
        },
        "splits": {name: len(rows) for name, rows in dataset.splits.items()},
        "presets": {
            "read": len(plan.presets),
            "used": len(_presets_used(dataset)) if plan.presets else 0,
            "credits": credits_of(plan.presets),
        },
        "origins": dict(origins.most_common()),
        "rejections": dict(rejections.most_common()),
        "levels": {m.name: {**_spread(dataset.column(m.name)), "unit": m.unit} for m in plan.measures},
        "made_with": dict(dataset.attributes.get("made_with", {})),
        "plan": {key: value for key, value in plan.to_json().items() if key not in {"space", "presets"}},
        "fingerprint": plan.fingerprint,
        "digest": dataset.digest,
    }


def _audible_share(dataset: Dataset) -> float:
    """Return the share of the varied parameters that the gates leave audible, over all rows."""
    if not len(dataset) or not dataset.space.names:
        return 0.0
    firsts = range(0, len(dataset), _CHUNK)
    chunks = (dataset.get_batch(slice(first, first + _CHUNK), ["audible"])["audible"] for first in firsts)
    return sum(int(chunk.sum()) for chunk in chunks) / (len(dataset) * len(dataset.space.names))


def _presets_used(dataset: Dataset) -> set[bytes]:
    """Return the SHA-256 of every preset that some row came from."""
    both = np.concatenate([dataset.column("preset"), dataset.column("mate")])
    return {sha.tobytes() for sha in np.unique(both, axis=0) if sha.any()}


def coverage(dataset: Dataset) -> list[dict[str, Any]]:
    """Return for each varied parameter how the patches cover it.

    ``counts`` has the patches in each tenth of the drawn range, or of each choice; ``audible`` is the share of
    patches in which the gates leave the parameter audible. Each patch counts once, however many notes played it.
    """
    space = dataset.space
    first = np.unique(dataset.column("patch"), return_index=True)[1]
    audible = dataset.column("audible")[first] if space.names else np.zeros((0, 0))
    places = {name: place for place, name in enumerate(space.names)}
    told = []
    if space.continuous:
        raw = np.stack([space.raw(row) for row in dataset.column("continuous")[first]]) if len(first) else None
        for column, parameter in enumerate(space.continuous):
            values = raw[:, column] if raw is not None else np.zeros(0, np.float32)
            told.append((parameter, np.histogram(values, _BINS, parameter.drawn)[0]))
    if space.categorical:
        indices = dataset.column("categorical")[first]
        for column, parameter in enumerate(space.categorical):
            told.append((parameter, _choice_counts(parameter, indices[:, column])))
    return [
        {
            "name": parameter.name,
            "kind": parameter.kind,
            "drawn": _drawn(parameter),
            "audible": float(audible[:, places[parameter.name]].mean()) if len(first) else 0.0,
            "counts": counts.tolist(),
        }
        for parameter, counts in told
    ]


def _choice_counts(parameter: Parameter, indices: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the patches of each choice that may be drawn; of very many choices, of each tenth of them."""
    first, last = (round(bound - parameter.low) for bound in parameter.drawn)
    if last - first >= 100:
        return np.histogram(indices, _BINS, (first, last + 1))[0]
    return np.bincount(np.clip(indices - first, 0, last - first), minlength=last - first + 1)


def _drawn(parameter: Parameter) -> str:
    low, high = parameter.drawn
    if parameter.kind == "categorical":
        return f"{parameter.text(low)} .. {parameter.text(high)}"
    return f"{parameter.shown(low):.4g} .. {parameter.shown(high):.4g} {parameter.unit}".rstrip()


def _value_counts(values: NDArray[Any]) -> dict[str, int]:
    found, counts = np.unique(values, return_counts=True)
    return {f"{value:g}": int(count) for value, count in zip(found.tolist(), counts.tolist(), strict=True)}


def _spread(values: NDArray[np.float32]) -> dict[str, float]:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return {}
    return {"min": float(finite.min()), "median": float(np.median(finite)), "max": float(finite.max())}
