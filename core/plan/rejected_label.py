"""The label of a rejected candidate as JSON, for the reject ledger: it stays known when the sampler has changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

from tonesmith.errors import DatasetError, SpaceError

if TYPE_CHECKING:
    from tonesmith.space.patch import Patch
    from tonesmith.space.space import Label, ParameterSpace


def label_json(label: Label, patch: Patch) -> dict[str, Any]:
    """Return a label, and where its patch came from, as JSON that keeps every bit."""
    return {
        "continuous": label.continuous.tolist(),
        "categorical": label.categorical.tolist(),
        "modulations": [list(astuple(modulation)) for modulation in label.modulations],
        "assets": dict(label.assets),
        "from": [patch.origin, patch.preset, patch.mate],
    }


def patch_of(data: Mapping[str, Any], space: ParameterSpace) -> Patch:
    """Return the patch that a label of :func:`label_json` stands for.

    Raises :class:`DatasetError` for anything else, and for a label that the space does not have.
    """
    try:
        return space.decode(_label(data, space), *_texts(data["from"], 3))
    except (LookupError, TypeError, ValueError, OverflowError, AttributeError, SpaceError) as error:
        raise DatasetError(f"a label in the reject ledger is damaged: {str(error)[:200]}") from None


def _label(data: Mapping[str, Any], space: ParameterSpace) -> Label:
    import numpy as np

    from tonesmith.space.patch import Modulation
    from tonesmith.space.space import Label

    modulations = tuple(Modulation(*fields) for fields in data["modulations"])
    for modulation in modulations:
        if modulation.source not in space.sources or modulation.destination not in space.destinations:
            raise ValueError("a modulation connects what the space does not have")
    if len(modulations) > space.modulation_slots or data["assets"].keys() != space.assets.keys():
        raise ValueError("it has other modulations or assets than the space can hold")
    return Label(
        np.array(data["continuous"], np.float32),
        np.array(data["categorical"], np.int32),
        modulations,
        dict(zip(data["assets"], _texts(list(data["assets"].values()), len(space.assets)), strict=True)),
    )


def _texts(values: Any, count: int) -> list[str]:
    if not isinstance(values, list) or len(values) != count or not all(isinstance(value, str) for value in values):
        raise ValueError(f"it has {values!r:.60} where {count} texts must be")
    return values
