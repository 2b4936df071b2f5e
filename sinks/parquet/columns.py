"""The columns of a table: how those of a schema lie in Parquet, and what Hugging Face's libraries are told of them.

A column of the schema lies there exactly, under its own name: a number as it is, an array as (nested) lists of fixed
length. Two kinds are text, for people who query the table: a SHA-256 is hexadecimal, and empty for zeros; ``origin``
is the sampler's name. Beside them stands what a query wants and a label has only packed: one column for each
parameter that varies, with its raw value, or the text of its choice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tonesmith.errors import DatasetError
from tonesmith.plan.plan import Plan
from tonesmith.plan.schema import Column
from tonesmith.sinks.rows.labels import AUDIO, ROW, SCALE, as_text, is_digest
from tonesmith.space.space import ParameterSpace

PARAMETER = "param_"
"""Before the name of a parameter."""

_PARAMETER_DOC = "for each parameter that varies, the raw value in the engine's own units, or the text of its choice"

_SHA256 = 32


@dataclass(frozen=True)
class TableColumn:
    """A column of the table.

    Attributes:
        name: in the file.
        type: in Arrow.
        feature: what the ``datasets`` library is told of it.
    """

    name: str
    type: pa.DataType
    feature: Mapping[str, Any]

    @property
    def leaf(self) -> str:
        """The path of its values in the Parquet schema."""
        depth, inner = 0, self.type
        while pa.types.is_fixed_size_list(inner):
            depth, inner = depth + 1, inner.value_type
        return self.name + ".list.element" * depth

    @property
    def is_float(self) -> bool:
        """Whether its values are floats: a dictionary packs them no better, and may take one NaN for another."""
        inner = self.type
        while pa.types.is_fixed_size_list(inner):
            inner = inner.value_type
        return bool(pa.types.is_floating(inner))


@dataclass(frozen=True)
class TableForm:
    """All columns of a table, in order.

    Attributes:
        audio: a file, and a name for it.
        row: number of the row in the plan.
        scale: by which what the file holds is to be multiplied.
        exact: the columns of the schema.
        parameters: one for each that varies, continuous ones first.
    """

    audio: TableColumn
    row: TableColumn
    scale: TableColumn
    exact: tuple[TableColumn, ...]
    parameters: tuple[TableColumn, ...]

    @property
    def columns(self) -> tuple[TableColumn, ...]:
        """All of them: what is read most first."""
        scalars = [column for column in self.exact if not pa.types.is_fixed_size_list(column.type)]
        lists = [column for column in self.exact if pa.types.is_fixed_size_list(column.type)]
        return (self.audio, self.row, *scalars, *self.parameters, *lists, self.scale)

    def schema(self) -> pa.Schema:
        """Return Arrow's schema, with the features that ``datasets`` looks for."""
        features = {column.name: column.feature for column in self.columns}
        told = json.dumps({"info": {"features": features}})
        return pa.schema([(column.name, column.type) for column in self.columns], {"huggingface": told})


def form_of(schema: Sequence[Column], space: ParameterSpace, sample_rate: int) -> TableForm:
    """Return the table for a schema; its names come first, and others give way."""
    exact = tuple(exact_column(column) for column in schema if column.name != "audio")
    row, scale = own_names(schema)
    taken = {"audio", row, scale, *(column.name for column in exact)}
    parameters = []
    for parameter in (*space.continuous, *space.categorical):
        whole = "string" if parameter.choices else "int64"
        dtype = whole if parameter.kind == "categorical" else "float32"
        parameters.append(TableColumn(_free(PARAMETER + parameter.name, taken), _arrow_type(dtype), _value(dtype)))
    file = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    return TableForm(
        TableColumn("audio", file, {"sampling_rate": sample_rate, "_type": "Audio"}),
        TableColumn(row, pa.int64(), _value("int64")),
        TableColumn(scale, pa.float64(), _value("float64")),
        exact,
        tuple(parameters),
    )


def own_names(schema: Sequence[Column]) -> tuple[str, str]:
    """Return the names of the columns of row numbers and scales: others than a schema has."""
    taken = {column.name for column in schema}
    return _free("row", taken), _free("scale", taken)


def told_columns(schema: Sequence[Column]) -> list[Column]:
    """Return the columns as a reader finds them, in order; one stands for those of all parameters."""
    row, scale = own_names(schema)
    told = [as_text(column) for column in schema if column.name != AUDIO]
    parameter = Column(f"{PARAMETER}NAME", (), "float32, string or int64", (), _PARAMETER_DOC)
    audio = [replace(column, doc=f"a sound file: {column.doc}") for column in schema if column.name == AUDIO]
    scalars = [column for column in told if not column.shape]
    vectors = [column for column in told if column.shape]
    return [*audio, replace(ROW, name=row), *scalars, parameter, *vectors, replace(SCALE, name=scale)]


def parameter_arrays(space: ParameterSpace, columns: Mapping[str, NDArray[Any]]) -> list[pa.Array]:
    """Return the raw value of each row, or the text of its choice, for each parameter that varies."""
    arrays = []
    if space.continuous:
        raw = space.raw(columns["continuous"])
        arrays += [pa.array(np.ascontiguousarray(values)) for values in raw.T]
    for place, parameter in enumerate(space.categorical):
        indices, first = columns["categorical"][:, place].tolist(), round(parameter.low)
        if parameter.choices:
            arrays.append(pa.array([parameter.choices[index] for index in indices], pa.string()))
        else:
            arrays.append(pa.array([first + index for index in indices], pa.int64()))
    return arrays


def to_arrow(column: Column, array: NDArray[Any], origins: Sequence[str]) -> pa.Array:
    """Return a column of the schema as it lies in the table.

    Args:
        column: of the schema, any but ``audio``.
        array: (rows, *shape).
        origins: of the plan.
    """
    shape = column.shape
    if is_digest(column):
        flat = array.reshape(-1, _SHA256)
        values, shape = pa.array([row.tobytes().hex() if row.any() else "" for row in flat], pa.string()), shape[:-1]
    elif _is_origin(column):
        values = pa.array([_origin(origins, index) for index in array.tolist()], pa.string())
    else:
        values = pa.array(np.ascontiguousarray(array).reshape(-1))
    for length in reversed(shape):
        values = pa.FixedSizeListArray.from_arrays(values, length)
    return values


def from_arrow(column: Column, values: pa.Array, origins: Sequence[str]) -> NDArray[Any]:
    """Return (rows, *shape) of a column that :func:`to_arrow` made, in its dtype."""
    rows = len(values)
    while pa.types.is_fixed_size_list(values.type):
        values = values.flatten()
    if is_digest(column):
        digests = b"".join(bytes.fromhex(text) if text else bytes(_SHA256) for text in values.to_pylist())
        flat = np.frombuffer(digests, np.uint8).copy()
    elif _is_origin(column):
        places = {name: place for place, name in enumerate(origins)}
        flat = np.array([places[name] for name in values.to_pylist()], column.dtype)
    else:
        flat = values.to_numpy(zero_copy_only=False)
    return flat.reshape(rows, *column.shape)


def croissant_types(plan: Plan) -> dict[str, str]:
    """Return column of the table -> Croissant type, for all that are one value a row."""
    form = form_of(plan.schema, plan.space, plan.audio.sample_rate)
    told = {}
    for column in form.columns:
        dtype = column.feature.get("dtype", "")
        if column is form.audio:
            told[column.name] = "sc:AudioObject"
        elif dtype == "string":
            told[column.name] = "sc:Text"
        elif dtype == "bool":
            told[column.name] = "sc:Boolean"
        elif dtype:
            told[column.name] = "sc:Float" if column.is_float else "sc:Integer"
    return told


def exact_column(column: Column) -> TableColumn:
    """Return how a column of the schema, any but ``audio``, lies in the table."""
    shape = column.shape[:-1] if is_digest(column) else column.shape
    dtype = "string" if is_digest(column) or _is_origin(column) else column.dtype
    arrow, feature = _arrow_type(dtype), dict[str, Any](_value(dtype))
    for length in reversed(shape):
        arrow = pa.list_(arrow, length)
        feature = {"feature": feature, "length": length, "_type": "Sequence"}  # a name that all versions know
    return TableColumn(column.name, arrow, feature)


def _is_origin(column: Column) -> bool:
    return column.name == "origin" and column.shape == () and column.dtype == "int16"


def _origin(origins: Sequence[str], index: int) -> str:
    if not 0 <= index < len(origins):
        raise DatasetError(f"a row has origin {index}; the plan has {len(origins)}")
    return origins[index]


def _free(name: str, taken: set[str]) -> str:
    """Return a name that no other column has, and take it."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _arrow_type(dtype: str) -> pa.DataType:
    return pa.string() if dtype == "string" else pa.from_numpy_dtype(np.dtype(dtype))


def _value(dtype: str) -> dict[str, str]:
    return {"dtype": dtype, "_type": "Value"}


def leaves(columns: Iterable[TableColumn], *, floats: bool) -> list[str]:
    """Return the paths of the values of columns that are, or are not, floats."""
    return [column.leaf for column in columns if column.is_float == floats and column.name != "audio"]
