"""The parameters of the synth that made a sound: exact labels of rows of a dataset, kept with a model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.space.parameter import Parameter
from tonesmith.terminal.text import joined, one_line


@dataclass(frozen=True, eq=False, slots=True)
class Labelled:
    """How the synth was set for a sound.

    Attributes:
        group: int64 number of the patch: the same for all notes of one.
        values: float32 (parameters,), each in [0, 1], NaN for one that is not heard, or that its dataset has not.
    """

    group: int
    values: NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class Labels:
    """The labels of the sounds that are rows of datasets.

    Attributes:
        parameters: continuous ones, with what their display shows.
        of: SHA-256 of a sound -> how the synth was set for it.
    """

    parameters: tuple[Parameter, ...] = ()
    of: Mapping[str, Labelled] = field(default_factory=dict)

    def among(self, sounds: Iterable[str]) -> Labels:
        """Return those of some sounds, by their SHA-256, in that order."""
        return Labels(self.parameters, {name: self.of[name] for name in sounds if name in self.of})


def plain(parameter: Parameter) -> Parameter:
    """Return what is kept of a continuous parameter: its name, range and display."""
    shown = (parameter.curve, parameter.scale, parameter.offset)
    return Parameter(
        parameter.name,
        "continuous",
        parameter.low,
        parameter.high,
        parameter.low,
        unit=parameter.unit,
        curve=shown[0],
        scale=shown[1],
        offset=shown[2],
    )


def group_of(fingerprint: str, patch: int) -> int:
    """Return the number of a patch of a plan, which no other has."""
    digest = hashlib.sha256(f"{fingerprint}:{patch}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def merged(parts: Sequence[Labels]) -> tuple[Labels, list[str]]:
    """Return labels of several datasets as one, and the parameters that two of them have with another meaning.

    Parameters of one name are one if their range and display are the same; else the first is kept.
    """
    found: dict[str, Parameter] = {}
    other: dict[str, None] = {}
    for part in parts:
        for parameter in part.parameters:
            if found.setdefault(parameter.name, parameter) != parameter:
                other[parameter.name] = None
    places = {name: place for place, name in enumerate(found)}
    of: dict[str, Labelled] = {}
    for part in parts:
        kept = [at for at, parameter in enumerate(part.parameters) if found[parameter.name] == parameter]
        to = [places[part.parameters[at].name] for at in kept]
        for name, label in part.of.items():
            values = np.full(len(found), np.nan, np.float32)
            values[to] = label.values[kept]
            of[name] = Labelled(label.group, values)
    return Labels(tuple(found.values()), of), list(other)


def other_ranges(names: Sequence[str]) -> str:
    """Return a sentence about parameters that are left out of some sounds."""
    told = joined([*(one_line(name, 30) for name in names[:3]), *(["others"] if len(names) > 3 else [])])
    return f"{told}: not all sounds have such parameters with the same ranges. Those of the first are used."


def tensors_of(labels: Labels, sounds: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Return labels as arrays: for each labelled sound its place among all, its patch, and its values."""
    places = [place for place, name in enumerate(sounds) if name in labels.of]
    if not places or not labels.parameters:
        return {}
    each = [labels.of[sounds[place]] for place in places]
    return {
        "label_sounds": np.array(places, np.int32),
        "label_groups": np.array([label.group for label in each], np.int64),
        "label_values": np.stack([label.values for label in each]).astype(np.float32),
    }


def labels_from(
    tensors: Mapping[str, NDArray[Any]], parameters: Sequence[Parameter], sounds: Sequence[str]
) -> Labels | None:
    """Return labels that were stored; None if there are none. Raises :class:`ValueError` for arrays that do not fit."""
    if not parameters:
        return None
    places, groups, values = (tensors[name] for name in ("label_sounds", "label_groups", "label_values"))
    count = len(places)
    if places.dtype != np.int32 or groups.dtype != np.int64 or values.dtype != np.float32:
        raise ValueError("its labels have another form")
    if places.shape != (count,) or groups.shape != (count,) or values.shape != (count, len(parameters)):
        raise ValueError("its labels have another size")
    known = values[~np.isnan(values)]
    if not count or places.min() < 0 or places.max() >= len(sounds) or ((known < 0.0) | (known > 1.0)).any():
        raise ValueError("its labels have values that none can have")
    each = zip(places.tolist(), groups.tolist(), values, strict=True)
    return Labels(tuple(parameters), {sounds[place]: Labelled(group, row) for place, group, row in each})
