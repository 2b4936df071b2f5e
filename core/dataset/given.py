"""Labels in the forms in which a program has them: arrays of a network, labels, patches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tonesmith.dataset.reader import Dataset
from tonesmith.errors import SpaceError, unknown_name
from tonesmith.space.label import Label, Outside
from tonesmith.space.patch import Patch
from tonesmith.space.space import ParameterSpace

One = Label | Patch | Mapping[str, Any]
Given = One | Sequence[One]
"""One label or several: as :class:`Label`, as :class:`Patch`, or as arrays by name, stacked where there are several."""

_PARTS = ("continuous", "categorical", "modulations", "assets")


def labels_of(space: ParameterSpace, given: Given, outside: Outside = "refuse") -> list[Label]:
    """Return the labels of a space that were given in any form. Raises :class:`SpaceError` with the index of a bad one.

    Args:
        space: of the dataset.
        given: see :data:`Given`.
        outside: what becomes of a continuous value outside [0, 1].
    """
    labels = []
    for index, one in enumerate(singles := _singles(space, given)):
        try:
            labels.append(_label(space, one, outside))
        except SpaceError as error:
            raise SpaceError(f"label {index}: {error}" if len(singles) > 1 else str(error)) from None
    return labels


def patches_of(dataset: Dataset, given: Given, outside: Outside = "refuse") -> list[Patch]:
    """Return the patches that labels stand for, each with a value for every parameter of the synth.

    Raises :class:`SpaceError` for one that is not of the dataset's space, or names an asset that is not in the dataset.
    """
    labels = labels_of(dataset.space, given, outside)
    there = set(dataset.storage.assets()) if dataset.space.assets else set()
    for index, label in enumerate(labels):
        for slot, name in label.assets.items():
            if name and name not in there:
                raise SpaceError(f"label {index}: the asset {name[:12]} of the slot {slot!r} is not in the dataset.")
    return [dataset.space.decode(label) for label in labels]


def _singles(space: ParameterSpace, given: Given) -> list[One]:
    if isinstance(given, Label | Patch):
        return [given]
    if isinstance(given, Mapping):
        return _unstacked(space, given)
    if isinstance(given, list | tuple):
        return [one for part in given for one in _singles(space, part)]
    raise TypeError(
        f"expected a Label, a Patch, a mapping of arrays such as {{'continuous': ...}}, or a list of these, "
        f"not {type(given).__name__}"
    )


def _unstacked(space: ParameterSpace, given: Mapping[str, Any]) -> list[One]:
    """Return the labels of arrays by name, each (n, parameters), or (parameters,) of one."""
    for name in given:
        if name not in _PARTS:
            raise SpaceError(unknown_name("part of a label", name, _PARTS))
    arrays = {name: _array(given[name], name) for name in _PARTS[:2] if name in given}
    for name, parameters in (("continuous", space.continuous), ("categorical", space.categorical)):
        if parameters and name not in arrays:
            raise SpaceError(f"the label has no {name} values; this space has {len(parameters)} {name} parameters.")
    if all(array.ndim == 1 for array in arrays.values()):
        return [given]
    lengths = {name: len(array) for name, array in arrays.items()}
    if any(array.ndim != 2 for array in arrays.values()) or len(set(lengths.values())) != 1:
        told = " and ".join(f"{name} of shape {array.shape}" for name, array in arrays.items())
        raise SpaceError(f"the labels have {told}; expected (labels, parameters), as many labels in each.")
    count = next(iter(lengths.values()))
    others = {name: _each(given[name], name, count) for name in _PARTS[2:] if name in given}
    return [
        {name: array[i] for name, array in arrays.items()} | {name: parts[i] for name, parts in others.items()}
        for i in range(count)
    ]


def _array(given: Any, name: str) -> Any:
    try:
        return np.asarray(given)
    except ValueError as error:
        raise SpaceError(f"the {name} values of the labels are no array: {error!s:.100}") from None


def _each(given: Any, name: str, count: int) -> Sequence[Any]:
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) != count:
        raise SpaceError(f"{name} of {count} labels is a list with an entry for each.")
    return given


def _label(space: ParameterSpace, one: One, outside: Outside) -> Label:
    if isinstance(one, Patch):
        return space.encode(one)
    if isinstance(one, Label):
        return Label.from_parts(space, one.continuous, one.categorical, one.modulations, one.assets, outside=outside)
    return Label.from_parts(
        space,
        one.get("continuous", ()),
        one.get("categorical", ()),
        one.get("modulations", ()),
        one.get("assets"),
        outside=outside,
    )
