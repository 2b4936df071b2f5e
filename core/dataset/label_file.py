"""A label in a file: the JSON that ``tonesmith export --label`` writes, or the arrays of a model in a ``.npz``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tonesmith.dataset.given import labels_of
from tonesmith.dataset.notes import check_note, first_note, is_as_long, phrase_of
from tonesmith.dataset.npz import read_npz
from tonesmith.dataset.reader import Dataset
from tonesmith.document import parsed_object, read_plain
from tonesmith.errors import ConfigError, DatasetError, SpaceError, TonesmithError
from tonesmith.plan.notes import EXPRESSION, replace_expression
from tonesmith.plan.rows import label_from
from tonesmith.plan.schema import MODULATION_FIELDS
from tonesmith.score.phrase import Phrase
from tonesmith.score.stored import stored_score
from tonesmith.space.label import Label, Outside
from tonesmith.space.patch import Modulation, Note, Patch
from tonesmith.space.space import ParameterSpace
from tonesmith.terminal.text import one_line

LABEL_ARRAYS = ("continuous", "categorical", *(f"modulation/{name}" for name in MODULATION_FIELDS), "asset")
"""Arrays that a label may have in a file, with the names, shapes and dtypes of a dataset's columns."""
NOTE_ARRAYS = ("pitch", "velocity", "hold", *EXPRESSION)

_MOST_BITS = 64
"""Of an integer in a file: larger ones are no number of any parameter, and may be none of a float."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A label, and what plays it; the index of its patch in the plan if it is a stored one, else -1."""

    label: Label
    note: Note | Phrase
    patch_id: int = -1


def read_label(path: Path, dataset: Dataset, index: int | None = None, outside: Outside = "refuse") -> Labelled:
    """Return the label in a file, and its note or phrase: the first note of the dataset's plan if the file has none.

    Args:
        path: of a ``.json`` or ``.npz`` file.
        dataset: whose space it is of.
        index: which, where the file has several.
        outside: what becomes of a continuous value outside [0, 1].

    Raises :class:`ConfigError` if the file cannot be read, or is of another space; the message names what is wrong.
    """
    try:
        if path.suffix.lower() == ".npz":
            return _of_arrays(read_npz(path, (*LABEL_ARRAYS, *NOTE_ARRAYS, "row")), dataset, index, outside)
        if index not in {None, 0}:
            raise ConfigError("it has one label, with the index 0.")
        return _of_json(parsed_object(read_plain(path), str(path)), dataset)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.") from None
    except TonesmithError as error:
        told = str(error)
        raise ConfigError(told if told.startswith(str(path)) else f"{path}: {told}") from None


def arrays_to_labels(space: ParameterSpace, arrays: Mapping[str, Any], outside: Outside = "refuse") -> list[Label]:
    """Return the labels of arrays with the names of a dataset's columns, each (n, *shape of the column).

    ``categorical`` may have scores of each choice: see :meth:`Label.from_parts`. Modulations that are left out are
    none, assets are the defaults. Raises :class:`SpaceError` with the index of a bad label.
    """
    given = {name: arrays[name] for name in ("continuous", "categorical") if name in arrays}
    count = len(next(iter(given.values()), ()))
    for name in arrays:
        if name in LABEL_ARRAYS and len(arrays[name]) != count:
            raise SpaceError(f"{name} has {len(arrays[name])} labels, where the others have {count}.")
    others = _routed(space, arrays, count)
    return labels_of(space, {**given, **others} if given else [{}] * count, outside)


def _routed(space: ParameterSpace, arrays: Mapping[str, Any], count: int) -> dict[str, Any]:
    """Return the modulations and assets of labels that columns hold, read as those of a dataset are."""
    told: dict[str, Any] = {}
    routing = [f"modulation/{name}" for name in MODULATION_FIELDS]
    parts = [("modulations", routing, (space.modulation_slots,)), ("assets", ["asset"], (len(space.assets), 32))]
    for part, names, shape in parts:
        there = [name for name in names if name in arrays]
        if not there:
            continue
        for name in names:
            found = arrays[name].shape[1:] if name in arrays else None
            if found != shape:
                raise SpaceError(f"{name} has {found or 'nothing'} in each label; this space has {shape}.")
        bare = replace(space, parameters=(), fixed={}, held={})
        bare = replace(bare, assets={}) if part == "modulations" else replace(bare, modulation_slots=0)
        try:
            told[part] = [getattr(label_from(bare, arrays, i), part) for i in range(count)]
        except DatasetError as error:
            raise SpaceError(str(error)) from None
    return told


def _of_arrays(arrays: Mapping[str, Any], dataset: Dataset, index: int | None, outside: Outside) -> Labelled:
    name = next((name for name in ("continuous", "categorical") if name in arrays), None)
    if name is None:
        raise ConfigError("it has neither an array 'continuous' nor 'categorical'.")
    if arrays[name].ndim == 1:  # one label, not stacked
        arrays = {key: array[None] for key, array in arrays.items()}
    count = len(arrays[name])
    if index is None and count != 1:
        raise ConfigError(f"it has {count} labels. Choose one with --index, from 0 to {count - 1}.")
    if index is not None and not -count <= index < count:
        raise ConfigError(f"it has {count} labels, so there is no index {index}.")
    place = (index or 0) % count
    one = {key: array[place : place + 1] for key, array in arrays.items()}
    label = arrays_to_labels(dataset.space, one, outside)[0]
    told = {key: arrays[key][place].item() for key in NOTE_ARRAYS if key in arrays}
    return Labelled(label, _note(dataset, told))


def _of_json(data: Mapping[str, Any], dataset: Dataset) -> Labelled:
    space, parameters = dataset.space, data.get("parameters")
    if not isinstance(parameters, Mapping):
        raise ConfigError("it has no object 'parameters', as tonesmith export --label writes it.")
    if missing := [name for name in space.names if name not in parameters]:
        raise SpaceError(
            f"it has no {one_line(missing[0])}; {len(missing)} of {len(space.names)} parameters are missing."
        )
    if space.assets and "assets" not in data:
        raise SpaceError('it does not name its assets. Export it again, or add "assets": {} for the defaults.')
    values = {name: _raw(space, name, told) for name, told in parameters.items()}
    routed = [_read("modulations", _Modulation, part) for part in _list(data.get("modulations", []))]
    modulations = tuple(Modulation(**one.model_dump()) for one in routed)
    assets = _read("assets", _Assets, {"names": data.get("assets") or {}}).names
    label = space.encode(Patch(values, modulations, assets))
    told = _read("note", _Note, data.get("note") or {}).model_dump(exclude_none=True)
    if told:
        told = {**dict.fromkeys(EXPRESSION, 0), **told}  # what a written note does not tell is at rest
    return Labelled(label, _phrase(dataset, data["score"]) if "score" in data else _note(dataset, told))


def _phrase(dataset: Dataset, told: Any) -> Phrase:
    if not isinstance(told, Mapping):
        raise ConfigError("score: expected an object, as tonesmith export --label writes it.")
    return phrase_of(dataset.plan, stored_score(told))


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Note(_Strict):
    pitch: int | None = None
    velocity: int | None = None
    hold: float | None = None
    tail: float | None = None
    bend: float | None = None
    modwheel: float | None = None
    sustain: bool | None = None


class _Modulation(_Strict):
    source: str
    destination: str
    amount: float = 0.0
    power: float = 0.0
    bipolar: bool = False
    stereo: bool = False
    bypass: bool = False


class _Assets(_Strict):
    names: dict[str, str] = Field(max_length=2**16)


def _read(what: str, model: Callable[..., T], data: Any) -> T:
    try:
        return model(**data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise ConfigError(f"{'.'.join(map(str, (what, *first['loc'])))}: {first['msg']}.") from None
    except TypeError as error:
        raise ConfigError(f"{what}: {error!s:.200}.") from None


def _list(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise ConfigError("modulations: expected a list.")
    return data


def _raw(space: ParameterSpace, name: str, told: Any) -> float:
    """Return the raw value of a parameter: a number, the text of a choice, or what export writes of it."""
    value = told.get("raw") if isinstance(told, Mapping) else told
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise SpaceError(f"{one_line(name)} is {one_line(value)}; expected a number, or the text of a choice.")
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise SpaceError(f"{one_line(name)} has {value.bit_length()} bits; expected a number in its range.")
    if isinstance(value, float) and not math.isfinite(value):
        raise SpaceError(f"{one_line(name)} is {value}; expected a number.")
    return space[name].raw_of(value)


def _note(dataset: Dataset, told: Mapping[str, Any]) -> Note:
    """Return the note of a label. If it is not as long as the rows of the dataset, its tail is what the hold leaves."""
    plain = {name: value for name, value in told.items() if name not in EXPRESSION}
    note, plan = replace_expression(replace(first_note(dataset.plan), **plain), told), dataset.plan
    if not is_as_long(plan, note):
        note = replace(note, tail=plan.notes.duration - note.hold)
    check_note(plan, note)
    return note
