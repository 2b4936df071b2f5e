"""What the rows of a packed corpus tell of its items, their labels, who said them, and how balanced they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ConfigError, DatasetError
from tonesmith.plan.annotated import AnnotationField
from tonesmith.plan.items import FRAMES, MIDI, SAID_BY, SECONDS, Items
from tonesmith.plan.plan import Plan

if TYPE_CHECKING:
    from pathlib import Path

    from tonesmith.dataset.reader import Dataset

_SPREAD: Mapping[str, Callable[[NDArray[Any]], Any]] = {"min": np.min, "median": np.median, "max": np.max}
_VALUES = 24
"""Values of a text that are counted one by one."""


def refuse_items(plan: Plan, path: Path | str, what: str) -> None:
    """Raise :class:`DatasetError` if the rows of a dataset are items of a corpus.

    Args:
        plan: of the dataset.
        path: of it.
        what: cannot be done, such as "there is nothing to render again".
    """
    if plan.items is not None:
        raise DatasetError(f"{path} has items of the corpus {plan.items.corpus}, which no synth made: {what}.")


def refuse_live(dataset: Dataset, path: Path | str, instead: str) -> None:
    """Raise :class:`ConfigError` if a dataset is a corpus itself, and not packed.

    Args:
        dataset: as it was opened.
        path: of it.
        instead: what to do, a sentence without a dot at its end.
    """
    if dataset.storage.live:
        raise ConfigError(f"{path} is a corpus. {instead}.")


def items_told(dataset: Dataset, items: Items) -> dict[str, Any]:
    """Return what is known of the items of a dataset, as JSON.

    ``labels`` has of each label ``items`` that have it, ``sources`` that said it, and ``values``, each with its items,
    or ``min``, ``median`` and ``max``. ``balance`` is the smallest class over the largest; an absent one counts 0.
    """
    read = _of_each_item(dataset, items)
    labels = {field.name: _label(field, read[field.column.name], dataset) for field in items.fields}
    classes = labels.get(items.classes, {}).get("values", {})
    return {
        "corpus": items.corpus,
        "profile": items.profile,
        "rows_are": items.told,
        "items": len(read["patch"]),
        "recordings": int(np.count_nonzero(read["recorded"])),
        "scores": int(np.count_nonzero(read[MIDI].any(axis=1))),
        "seconds": float(read[SECONDS].sum()),
        "labels": labels,
        "classes": items.classes,
        "balance": min(classes.values()) / max(classes.values()) if any(classes.values()) else None,
    }


def _of_each_item(dataset: Dataset, items: Items) -> dict[str, NDArray[Any]]:
    """Return column -> its value of each item, of which several rows may be windows."""
    names = ["patch", SECONDS, FRAMES, MIDI, *(field.column.name for field in items.fields)]
    read = dataset.get_batch(slice(None), names)
    _, first, place = np.unique(read["patch"], return_index=True, return_inverse=True)
    told = {name: array[first] for name, array in read.items()}
    return told | {
        SECONDS: np.bincount(place.reshape(-1), read[SECONDS], len(first)),
        "recorded": np.bincount(place.reshape(-1), read[FRAMES], len(first)),
    }


def _label(field: AnnotationField, stored: NDArray[Any], dataset: Dataset) -> dict[str, Any]:
    said = [field.read(value) for value in stored if field.said(value)]
    told: dict[str, Any] = {"items": len(said), "sources": sources_of(dataset.attributes, field.name)}
    if field.kind in {"number", "whole"}:
        numbers = np.array(said, np.float64)
        return told | {name: float(of(numbers)) for name, of in _SPREAD.items() if said}
    texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in said]
    counts = Counter(texts)
    names = field.choices or sorted(counts, key=lambda name: (-counts[name], name))[:_VALUES]
    return told | {"values": {name: counts[name] for name in names}}


def sources_of(attributes: Mapping[str, Any], label: str) -> dict[str, int]:
    """Return source -> items of which it said a label, as a dataset keeps it; what is not that is left out."""
    known = attributes.get(SAID_BY)
    sources = known.get(label) if isinstance(known, Mapping) else None
    pairs = sources.items() if isinstance(sources, Mapping) else ()
    return {str(name): count for name, count in pairs if isinstance(count, int) and not isinstance(count, bool)}
