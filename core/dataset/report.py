"""What is in a dataset, in numbers: for ``tonesmith inspect`` and for cards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset.items import items_told
from tonesmith.dataset.promise import promise_of
from tonesmith.dataset.reader import Dataset
from tonesmith.errors import DatasetError
from tonesmith.plan.phrases import NOTES, SCORE, Phrases
from tonesmith.space.parameter import Parameter
from tonesmith.space.preset import credits_of

_BINS = 10


def report(dataset: Dataset) -> dict[str, Any]:
    """Return a JSON-serialisable account of a dataset: rows, notes, space, rejections, levels, versions, plan."""
    plan, space, seen = dataset.plan, dataset.space, _seen(dataset)
    origins = Counter(plan.origins[i] for i in seen.columns["origin"].tolist())
    rejections = Counter(rejection.cause for rejection in dataset.rejections)
    return {
        "rows": len(dataset),
        "rows_planned": plan.rows,
        "patches": plan.patches,
        "patches_accepted": len(np.unique(seen.columns["patch"])),
        "complete": dataset.complete,
        "nbytes": dataset.nbytes,
        "audio": {
            "sample_rate": plan.audio.sample_rate,
            "channels": plan.audio.channels,
            "frames": plan.audio.frames,
            "seconds": plan.audio.frames / plan.audio.sample_rate,
        },
        "notes": {name: _value_counts(seen.columns[name]) for name in plan.notes.columns},
        **({"phrases": _phrases(dataset, plan.phrases)} if plan.phrases else {}),
        **({"items": items_told(dataset, plan.items)} if plan.items else {}),
        "space": {
            "continuous": len(space.continuous),
            "categorical": len(space.categorical),
            "fixed": len(space.fixed),
            "modulation_slots": space.modulation_slots,
            "held": len(space.held),
            "audible": seen.audible / (len(dataset) * len(space.names)) if seen.audible else 0.0,
        },
        "splits": {name: len(rows) for name, rows in dataset.splits.items()},
        "presets": {
            "read": len(plan.presets),
            "used": len(seen.presets),
            "credits": credits_of(plan.presets),
        },
        "features": list(dataset.features),
        "origins": dict(origins.most_common()),
        "rejections": dict(rejections.most_common()),
        "levels": {m.name: {**_spread(seen.columns[m.name]), "unit": m.unit} for m in plan.measures},
        "made_with": _made_with(dataset),
        "plan": {
            key: value for key, value in plan.to_json().items() if key not in {"space", "presets", "phrases", "items"}
        },
        "measured": promise_of(dataset).measured or None,
        "fingerprint": plan.fingerprint,
        "digest": "" if dataset.storage.live else dataset.digest,
    }


def _phrases(dataset: Dataset, phrases: Phrases) -> dict[str, Any]:
    """Return what plays the rows of a plan of scores; ``played`` counts the different scores among them."""
    names, notes = np.empty((0, 32), np.uint8), np.empty(0, np.int32)
    for chunk in dataset.chunks([SCORE, NOTES]):
        names = np.unique(np.concatenate([names, chunk[SCORE]]), axis=0)
        notes = np.concatenate([notes, chunk[NOTES]])
    plain = phrases.to_json()
    told = {key: plain[key] for key in ("composer", "options", "seconds", "tail", "per_patch", "joined")}
    return {
        **told,
        "listed": len(phrases.scores),
        "played": len(names),
        "notes": _spread(notes.astype(np.float64)),
        "annotations": [field.name for field in phrases.fields],
    }


def _made_with(dataset: Dataset) -> dict[str, str]:
    told = dataset.attributes.get("made_with", {})
    if not isinstance(told, Mapping):
        raise DatasetError(
            f"{dataset.storage.path or 'the dataset'}: its attribute 'made_with' is damaged. Restore it."
        )
    return {str(name): str(version) for name, version in told.items()}


@dataclass(frozen=True)
class _Seen:
    """What a pass over all rows has found.

    Attributes:
        columns: name -> (rows,) of those that are one number.
        audible: how many parameters the gates leave audible, summed over the rows.
        presets: SHA-256 of each preset that some row came from.
    """

    columns: Mapping[str, NDArray[Any]]
    audible: int
    presets: Set[bytes]


def _seen(dataset: Dataset) -> _Seen:
    """Return what the rows tell. They are read in one pass: a block costs more to open than all that is small in it."""
    plan = dataset.plan
    numbers = [*plan.notes.columns, "patch", "origin", *(measure.name for measure in plan.measures)]
    masks, digests = ["audible"] * bool(plan.space.names), ["preset", "mate"] * bool(plan.presets)
    read = {name: [nothing] for name, nothing in dataset.get_batch([], numbers).items()}
    audible, presets = 0, set[bytes]()
    for chunk in dataset.chunks([*numbers, *masks, *digests]):
        for name in numbers:
            read[name].append(chunk[name])
        audible += sum(int(chunk[name].sum()) for name in masks)
        for name in digests:
            presets.update(sha.tobytes() for sha in np.unique(chunk[name], axis=0) if sha.any())
    return _Seen({name: np.concatenate(parts) for name, parts in read.items()}, audible, presets)


def coverage(dataset: Dataset) -> list[dict[str, Any]]:
    """Return for each varied parameter how the patches cover it.

    ``counts`` has the patches in each tenth of the drawn range, or of each choice; ``audible`` is the share of
    patches in which the gates leave the parameter audible. Each patch counts once, however many notes played it.
    """
    space, patches = dataset.space, 0
    parameters = (*space.continuous, *space.categorical)
    counts = [_counts(parameter, np.zeros(0)) for parameter in parameters]
    audible = np.zeros(len(parameters), np.int64)
    kinds = ["continuous"] * bool(space.continuous) + ["categorical"] * bool(space.categorical)
    for chunk in dataset.chunks(["patch", "audible", *kinds]) if parameters else ():
        first = np.unique(chunk["patch"], return_index=True)[1]  # all rows of a patch are in one block
        patches += len(first)
        audible += chunk["audible"][first].sum(axis=0)
        values = [space.raw(chunk[kind][first]).T if kind == "continuous" else chunk[kind][first].T for kind in kinds]
        columns = [column for of_kind in values for column in of_kind]
        counts = [told + _counts(*one) for told, *one in zip(counts, parameters, columns, strict=True)]
    return [
        {
            "name": parameter.name,
            "kind": parameter.kind,
            "drawn": _drawn(parameter),
            "audible": int(heard) / patches if patches else 0.0,
            "counts": told.tolist(),
        }
        for parameter, heard, told in zip(parameters, audible, counts, strict=True)
    ]


def _counts(parameter: Parameter, values: NDArray[Any]) -> NDArray[np.int64]:
    """Return the patches in each tenth of the drawn range, or of each choice."""
    if parameter.kind == "categorical":
        return _choice_counts(parameter, values.astype(np.int32))
    return np.histogram(values, _BINS, parameter.drawn)[0]


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
