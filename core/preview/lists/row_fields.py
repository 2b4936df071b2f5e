"""The fields of a dataset's rows: note, origin, split, presets, measures, marks, and each parameter that varies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.splits import KEYS, distinct, splits_of
from tonesmith.plan.schema import Measure
from tonesmith.preview.lists.field import NONE, Field, Values, plain, texts_of
from tonesmith.preview.marks import Marks
from tonesmith.space.parameter import Parameter
from tonesmith.space.preset import PresetRef

_LONGEST_HASH = 8
"""Digits of the SHA-256 of a preset that has no name."""

_LEVELS = ("dB", "dBFS", "LUFS", "LKFS")
"""Units in which a tenth is as much as is told apart."""
_WHOLE = "{:.0f}".format

Columns = Mapping[str, NDArray[Any]]


def row_fields(dataset: Dataset, marks: Marks) -> dict[str, Field]:
    """Return the fields of a dataset's rows by name. A parameter named like another field has an underscore behind."""
    fields = {field.name: field for field in _told(dataset, marks)}
    for field, parameter in _parameters(dataset):
        name = parameter.name
        while name in fields:
            name = f"{name}_"
        fields[name] = Field(**{**vars_of(field), "name": name})
    return fields


def vars_of(field: Field) -> dict[str, Any]:
    """Return what a field was made of."""
    return {name: getattr(field, name) for name in Field.__dataclass_fields__}


def _told(dataset: Dataset, marks: Marks) -> Iterator[Field]:
    plan = dataset.plan
    yield Field("row", "number of the row in the plan", ("row",), lambda c: c["row"], shown=_WHOLE, width=8)
    yield plain("pitch", "MIDI pitch", width=5)
    yield plain("velocity", "MIDI velocity", width=3, head="vel")
    yield plain("hold", "seconds from note on to note off")
    yield plain("tail", "seconds after the note off")
    yield plain("patch", "number of the patch in the plan", shown=_WHOLE, width=8)
    yield plain("attempt", "which draw of the patch was accepted, 0 first", width=7)
    yield Field("origin", "sampler that made the patch", ("origin",), _codes("origin", len(plan.origins)),
                texts_of(*plan.origins), width=8)  # fmt: skip
    yield from _split(dataset)
    yield from _presets(dataset)
    if dataset.space.modulation_slots:
        column = "modulation/source"
        doc = "number of modulations"
        yield Field("modulations", doc, (column,), lambda c: (c[column] >= 0).sum(axis=1), width=4)
    yield from map(_measure, plan.measures)
    yield Field("rating", "1 to 5, as you gave it", ("row",), lambda c: marks.ratings(c["row"]), kept=False, width=6)
    yield Field("marked", "whether you marked it", ("row",), lambda c: marks.marked(c["row"]), ("no", "yes"),
                kept=False, width=6)  # fmt: skip


def _codes(column: str, count: int) -> Any:
    """Return what makes places among texts of a column that has them; one that is out of range is none."""

    def of(columns: Columns) -> Values:
        codes = columns[column].astype(np.int32)
        return np.where((codes >= 0) & (codes < count), codes, NONE)

    return of


def _split(dataset: Dataset) -> Iterator[Field]:
    splits = splits_of(dataset.attributes, dataset.storage.path)
    if splits is None:
        return
    known = {column.name for column in dataset.plan.schema}
    keys = tuple(key for key in KEYS if key in known)
    doc = "split that the row is in"
    yield Field("split", doc, keys, lambda c: splits.of(c).astype(np.int32), texts_of(*splits.names), width=6)


def _presets(dataset: Dataset) -> Iterator[Field]:
    presets = dataset.plan.presets
    if not presets:
        return
    places = {preset.sha256: place for place, preset in enumerate(presets)}
    names = texts_of(*(_named(preset) for preset in presets))

    def of(column: str) -> Any:
        return lambda columns: _places(columns[column], places)

    yield Field("preset", "name of the preset that it came from", ("preset",), of("preset"), names, False, width=16)
    if any(column.name == "mate" for column in dataset.plan.schema):
        yield Field("mate", "name of the second preset that it was bred from", ("mate",), of("mate"), names, False)
    for name in ("author", "style", "licence"):
        texts = texts_of(*(getattr(preset, name) for preset in presets))
        yield Field(name, f"{name} of the preset", ("preset",), of("preset"), texts, False)


def _named(preset: PresetRef) -> str:
    return preset.name or preset.sha256[:_LONGEST_HASH]


def _places(digests: NDArray[np.uint8], places: Mapping[str, int]) -> Values:
    found, each = distinct(digests)
    return np.array([places.get(sha, NONE) for sha in found], np.int32)[each]


def _measure(measure: Measure) -> Field:
    doc = f"{measure.doc}, {measure.unit}"
    return plain(measure.name, doc, shown="{:.1f}".format if measure.unit in _LEVELS else "{:.4g}".format)


def _parameters(dataset: Dataset) -> Iterator[tuple[Field, Parameter]]:
    for place, parameter in enumerate(dataset.space.continuous):
        yield _continuous(parameter, place), parameter
    for place, parameter in enumerate(dataset.space.categorical):
        yield _categorical(parameter, place), parameter


def _continuous(parameter: Parameter, place: int) -> Field:
    low, span = parameter.low, parameter.high - parameter.low

    def of(columns: Columns) -> Values:
        raw = (low + columns["continuous"][:, place].astype(np.float64) * span).astype(np.float32)
        if parameter.curve == "linear":
            return parameter.scale * (raw.astype(np.float64) + parameter.offset)
        return np.array([parameter.shown(value) for value in raw.tolist()])

    return Field(parameter.name, _doc(parameter), ("continuous",), of)


def _categorical(parameter: Parameter, place: int) -> Field:
    def of(columns: Columns) -> Values:
        return columns["categorical"][:, place].astype(np.int32)

    if not parameter.choices:
        return Field(parameter.name, _doc(parameter), ("categorical",), lambda c: of(c) + round(parameter.low))
    texts = texts_of(*parameter.choices)
    column = _codes("of", len(texts))
    return Field(parameter.name, _doc(parameter), ("categorical",), lambda c: column({"of": of(c)}), texts)


def _doc(parameter: Parameter) -> str:
    return " ".join(filter(None, (parameter.group, parameter.unit and f"in {parameter.unit}"))) or parameter.kind
