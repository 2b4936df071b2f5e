"""Between rows and columns: what a row holds, packed into the arrays of a schema, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ConfigError, DatasetError, unknown_name
from tonesmith.plan.phrases import RowPhrase
from tonesmith.plan.plan import Plan
from tonesmith.plan.schema import MODULATION_FIELDS
from tonesmith.score.phrase import Phrase
from tonesmith.space.patch import Modulation, Note, Patch
from tonesmith.space.space import Label, ParameterSpace

_SHA256_BYTES = 32
_EMPTY = {"amount": 0.0, "power": 0.0}
"""What an empty modulation slot holds, where it is not -1: nothing is added to anything."""


@dataclass(frozen=True, slots=True)
class RowContent:
    """What one row of a dataset holds.

    Attributes:
        audio: float32 (channels, frames), as the sink will read it back.
        label: the stored form of the patch.
        patch: the patch that the label decodes to, with its origin and preset.
        note: the note or the phrase that was played.
        patch_id: index of the patch in the plan.
        attempt: which draw of the patch was accepted, 0 first.
        measured: a number for each measure; one left out is stored as NaN.
        played: the phrase with what is said of it, in a plan of scores.
    """

    audio: NDArray[np.float32]
    label: Label
    patch: Patch
    note: Note | Phrase
    patch_id: int
    attempt: int
    measured: Mapping[str, float] = field(default_factory=dict)
    played: RowPhrase | None = None


def pack_rows(
    plan: Plan, rows: Sequence[RowContent], audio: NDArray[np.float32] | None = None
) -> dict[str, NDArray[Any]]:
    """Return the columns of the plan's schema but its features, each (len(rows), *shape) of the column's dtype.

    Args:
        plan: whose schema it is.
        rows: to pack.
        audio: that of all rows, where it is stacked already: it is taken as it is.

    Raises :class:`ConfigError` if a patch comes from a sampler that is none of the plan's origins, or a
    modulation connects what the space does not have; :class:`ValueError` if a shape is not the schema's.
    """
    made = _modulation_columns(plan.space, rows) | _asset_columns(plan.space, rows)
    made |= {
        "audio": audio if audio is not None else [row.audio for row in rows],
        "continuous": [row.label.continuous for row in rows],
        "categorical": [row.label.categorical for row in rows],
        "audible": _audible(plan.space, rows),
        "pitch": [row.note.pitch for row in rows],
        "velocity": [row.note.velocity for row in rows],
        "hold": [row.note.hold for row in rows],
        "tail": [row.note.tail for row in rows],
        "patch": [row.patch_id for row in rows],
        "attempt": [row.attempt for row in rows],
        "origin": _indices("origin", plan.origins, [row.patch.origin for row in rows]),
        "preset": [_digest_bytes(row.patch.preset) for row in rows],
        "mate": [_digest_bytes(row.patch.mate) for row in rows],
    }
    if plan.phrases:
        made |= plan.phrases.packed([row.played for row in rows if row.played])
    made |= {name: [getattr(row.note, name) for row in rows] for name in plan.notes.expressed}
    for measure in plan.measures:
        made[measure.name] = [row.measured.get(measure.name, np.nan) for row in rows]
    return {
        column.name: np.asarray(made[column.name], column.dtype).reshape(len(rows), *column.shape)
        for column in plan.schema
        if column.name in made  # features are computed of these
    }


def label_from(space: ParameterSpace, columns: Mapping[str, NDArray[Any]], i: int) -> Label:
    """Return the label of the i-th row of some columns: what :func:`pack_rows` packed.

    Raises :class:`DatasetError` if a stored value lies outside its range, or a modulation points outside the space.
    """
    continuous = columns["continuous"][i] if space.continuous else np.zeros(0, np.float32)
    categorical = columns["categorical"][i] if space.categorical else np.zeros(0, np.int32)
    _check_label(space, continuous, categorical)
    return Label(
        continuous=continuous,
        categorical=categorical,
        modulations=modulations_from(space, columns, i) if space.modulation_slots else (),
        assets={slot: digest_hex(columns["asset"][i, place]) for place, slot in enumerate(space.assets)},
    )


def _check_label(space: ParameterSpace, continuous: NDArray[np.float32], categorical: NDArray[np.int32]) -> None:
    outside = [
        *np.flatnonzero(~((continuous >= 0.0) & (continuous <= 1.0))).tolist(),
        *(len(continuous) + np.flatnonzero((categorical < 0) | (categorical >= space.counts))).tolist(),
    ]
    if outside:
        value = [*continuous.tolist(), *categorical.tolist()][outside[0]]
        raise DatasetError(
            f"a stored label has {space.names[outside[0]]} = {value}, outside the range of the parameter"
        )


def digest_hex(stored: NDArray[np.uint8]) -> str:
    """Return a stored SHA-256, uint8 (32,), as 64 hexadecimal digits; "" for zeros, which stand for none."""
    return stored.tobytes().hex() if stored.any() else ""


def _digest_bytes(name: str) -> NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex(name) if name else bytes(_SHA256_BYTES), np.uint8)


def _audible(space: ParameterSpace, rows: Sequence[RowContent]) -> list[NDArray[np.bool_]]:
    patches = {row.patch_id: row.patch for row in rows}  # a patch is played with many notes, and costs a walk of gates
    audible = {patch_id: space.audible(patch) for patch_id, patch in patches.items()}
    return [audible[row.patch_id] for row in rows]


def _modulation_columns(space: ParameterSpace, rows: Sequence[RowContent]) -> dict[str, Any]:
    if not space.modulation_slots:
        return {}
    slots = {name: np.full((len(rows), space.modulation_slots), _EMPTY.get(name, -1.0)) for name in MODULATION_FIELDS}
    for i, row in enumerate(rows):
        held = row.label.modulations
        if len(held) > space.modulation_slots:
            raise ConfigError(f"a label has {len(held)} modulations; the space holds {space.modulation_slots}")
        for name in MODULATION_FIELDS:
            slots[name][i, : len(held)] = _field_of(space, name, held)
    return {f"modulation/{name}": values for name, values in slots.items()}


def _field_of(space: ParameterSpace, name: str, held: tuple[Modulation, ...]) -> list[Any]:
    values = [getattr(modulation, name) for modulation in held]
    if name == "source":
        return _indices("modulation source", space.sources, values)
    if name == "destination":
        return _indices("modulation destination", space.destinations, values)
    return values


def modulations_from(space: ParameterSpace, columns: Mapping[str, NDArray[Any]], i: int) -> tuple[Modulation, ...]:
    """Return the modulations of the i-th row of some columns, in slot order. The space has slots for some.

    Raises :class:`DatasetError` if one points outside the space.
    """
    fields = [columns[f"modulation/{name}"][i].tolist() for name in MODULATION_FIELDS]
    found = []
    for source, destination, amount, power, *switches in zip(*fields, strict=True):
        if source < 0:
            break
        if source >= len(space.sources) or not 0 <= destination < len(space.destinations):
            raise DatasetError(f"a stored modulation connects {source} to {destination}, which the space does not have")
        bipolar, stereo, bypass = (switch == 1 for switch in switches)
        found.append(
            Modulation(space.sources[source], space.destinations[destination], amount, power, bipolar, stereo, bypass)
        )
    return tuple(found)


def _asset_columns(space: ParameterSpace, rows: Sequence[RowContent]) -> dict[str, Any]:
    if not space.assets:
        return {}
    return {"asset": [[_digest_bytes(row.label.assets[slot]) for slot in space.assets] for row in rows]}


def _indices(kind: str, known: Sequence[str], names: Sequence[str]) -> list[int]:
    if not names:
        return []
    place = {name: index for index, name in enumerate(known)}
    for name in names:
        if name not in place:
            raise ConfigError(unknown_name(kind, name, known))
    return [place[name] for name in names]
