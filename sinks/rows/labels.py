"""The JSON label of a row: every column but the audio, exact to the bit, in a form that people and other programs read.

::

    {"row": 7, "split": "train", "scale": 1.0, "patch": 3, "origin": "lhs", "preset": "", "pitch": 60, ...,
     "continuous": [0.25, 0.3], "categorical": [1], "audible": [true, false, true], "asset": ["9f86..."]}

A column has its name and its shape: a number, or nested lists. Three differ: ``origin`` is the name of the sampler, a
SHA-256 is 64 hexadecimal digits or "" for none, and NaN is null. A column has one JSON type in every row, so that
tables can be made of labels. Numbers are the shortest that give the same bits in the column's dtype. JSON has no
infinity: in float32 and shorter it is the largest double, which is infinite in the column's dtype; in float64, which no
column of ours that may be infinite has, it is the text "inf".
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.plan.schema import Column

AUDIO = "audio"
TEXT = "string"

ROW = Column("row", (), "int64", (), "number of the row in the plan")
SCALE = Column(
    "scale", (), "float64", (), "what to multiply the samples of the audio file by; 1 but for loud rows of FLAC"
)
_SPLIT = Column("split", (), TEXT, (), "the split of the row")

_OURS = frozenset(("row", "split", "scale", "file_name", "file_names"))
"""Keys of a label that are no columns."""

_INFINITE = {math.inf: sys.float_info.max, -math.inf: -sys.float_info.max}
"""Readers take no larger number: pyarrow refuses 1e999."""


@dataclass(frozen=True, slots=True)
class _Field:
    """One column in a label.

    Attributes:
        column: that it holds.
        key: of it in the label.
        pack: (n, *shape) -> a value of JSON for each of n rows.
        unpack: a value of JSON -> an array of the column's shape and dtype.
    """

    column: Column
    key: str
    pack: Callable[[NDArray[Any]], list[Any]]
    unpack: Callable[[Any], NDArray[Any]]


class Labels:
    """Makes the labels of a dataset's rows, and reads them.

    Args:
        columns: the schema.
        origins: names of the samplers, which the column ``origin`` counts.
    """

    def __init__(self, columns: Sequence[Column], origins: Sequence[str]) -> None:
        fields = [_field(column, origins) for column in columns if column.name != AUDIO]
        self._fields = sorted(fields, key=lambda field: len(field.column.shape))  # what is short comes first

    def pack(self, rows: Sequence[int], columns: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
        """Return the label of each of some rows: its number, and every column but the audio."""
        packed = [(field.key, field.pack(columns[field.column.name])) for field in self._fields]
        return [{"row": row} | {key: values[i] for key, values in packed} for i, row in enumerate(rows)]

    def unpack(self, label: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """Return column -> array of its shape, as :meth:`pack` took it. Raise any error if the label is damaged."""
        return {field.column.name: field.unpack(label[field.key]) for field in self._fields}


def origins_of(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the plan's samplers, or () if there is no plan."""
    try:
        return tuple(map(str, attributes["plan"]["origins"]))
    except (LookupError, TypeError):
        return ()


def label_bytes(label: Mapping[str, Any]) -> bytes:
    """Return a label as strict JSON in one line."""
    return json.dumps(label, allow_nan=False).encode()


def key_of(name: str) -> str:
    """Return the key of a column: its name, unless the label, or a reader of metadata.jsonl, means another thing."""
    return f"column:{name}" if name in _OURS or name.endswith(("_file_name", "_file_names")) else name


def label_columns(columns: Sequence[Column], *, split: bool) -> list[Column]:
    """Return what a label has, in order: what is ours, then each column but the audio, as it is written there.

    Args:
        columns: the schema.
        split: whether the dataset is split.
    """
    told = [replace(as_text(column), name=key_of(column.name)) for column in columns if column.name != AUDIO]
    return [ROW, *([_SPLIT] if split else []), SCALE, *sorted(told, key=lambda column: len(column.shape))]


def as_text(column: Column) -> Column:
    """Return a column as formats have it in which a SHA-256 is text, and ``origin`` the sampler's name."""
    if is_origin(column):
        return replace(column, dtype=TEXT, doc="the sampler that made the patch")
    if is_digest(column):
        doc = column.doc.removesuffix(", or zeros")
        return replace(column, dtype=TEXT, shape=column.shape[:-1], dims=column.dims[:-1], doc=f'{doc}; "" for none')
    return column


def is_origin(column: Column) -> bool:
    """Return whether a column holds the number of a sampler."""
    return column.name == "origin" and not column.shape and np.dtype(column.dtype).kind in "iu"


def is_digest(column: Column) -> bool:
    """Return whether a column holds one SHA-256 or several."""
    return column.dtype == "uint8" and column.dims[-1:] == ("sha256",) and column.shape[-1:] == (32,)


def _field(column: Column, origins: Sequence[str]) -> _Field:
    dtype, shape = np.dtype(column.dtype), column.shape

    def array(value: Any) -> NDArray[Any]:
        with np.errstate(over="ignore"):  # what is infinite
            return np.array(value, dtype).reshape(shape)

    if is_origin(column) and len(set(origins)) == len(origins):
        places = {name: place for place, name in enumerate(origins)}
        names = dict(enumerate(origins))
        return _Field(
            column,
            "origin",
            lambda stored: [names.get(place, place) for place in stored.tolist()],
            lambda value: array(places[value] if isinstance(value, str) else value),
        )
    if is_digest(column):
        return _Field(column, key_of(column.name), _hex, lambda value: _digests(value).reshape(shape))
    pack = _floats if dtype.kind == "f" else lambda stored: stored.tolist()
    return _Field(column, key_of(column.name), pack, array)


def _floats(array: NDArray[Any]) -> list[Any]:
    """Return nested lists of the shortest numbers that give the same bits; NaN as null, infinity as a number beyond."""
    flat = array.reshape(-1)
    exact = flat.tolist()
    values: list[Any] = [float(text) for text in flat.astype("U32").tolist()] if array.dtype.itemsize < 8 else exact
    # The shortest decimal is read as a double and rounded again: should that ever end elsewhere, take the longer one.
    wrong = np.array(values, array.dtype) != flat
    if wrong.any():
        for place in np.flatnonzero(wrong).tolist():
            values[place] = None if math.isnan(exact[place]) else exact[place]
    for place in np.flatnonzero(np.isinf(flat)).tolist():
        values[place] = _INFINITE[exact[place]] if array.dtype.itemsize < 8 else str(exact[place])
    return _nested(values, array.shape)


def _nested(values: Sequence[Any], shape: tuple[int, ...]) -> list[Any]:
    held = np.empty(len(values), object)
    held[:] = values
    nested: list[Any] = held.reshape(shape).tolist()
    return nested


def _hex(array: NDArray[np.uint8]) -> list[Any]:
    """Return nested lists of digests in hexadecimal: of (n, ..., 32) one for each 32 bytes, "" for zeros."""
    digests = [row.tobytes().hex() if row.any() else "" for row in array.reshape(-1, 32)]
    return _nested(digests, array.shape[:-1])


def _digests(value: Any) -> NDArray[np.uint8]:
    """Return uint8 (n, 32) of nested lists of n digests."""
    texts = np.array(value, object).reshape(-1)
    return np.frombuffer(b"".join(bytes.fromhex(text) or bytes(32) for text in texts), np.uint8).reshape(-1, 32)
