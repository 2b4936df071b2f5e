"""The columns that a sink is asked to store: whether it can, and how its record tells them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from tonesmith.errors import DatasetError
from tonesmith.sinks.base.records import SIDE

if TYPE_CHECKING:
    from tonesmith.plan.block import Block
    from tonesmith.plan.schema import Column

_DTYPES = frozenset(
    ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64")
)
_MOST = 2**48
_MOST_VALUES = 2**40
_MOST_AXES = 8
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")


def check_columns(columns: Iterable[Column]) -> None:
    """Raise :class:`DatasetError` for a name that is no path within a dataset, or a dtype that cannot be stored."""
    for column in columns:
        top = column.name.split("/", maxsplit=1)[0]
        if not _NAME.fullmatch(column.name) or top == SIDE:
            raise DatasetError(f"a column cannot be named {column.name!r}: use letters, digits, _, - and .")
        if column.dtype not in _DTYPES:
            raise DatasetError(f"column {column.name}: dtype {column.dtype} cannot be stored")
        if math.prod(column.shape) > _MOST_VALUES or len(column.shape) > _MOST_AXES:
            raise DatasetError(f"column {column.name}: no row has {column.shape} values")


def check_block(columns: Sequence[Column], rows: int, block_rows: int, block: Block) -> None:
    """Raise :class:`DatasetError` for a block that does not fit a dataset of so many rows, and so many a block."""
    first, count = block.index * block_rows, block.rows
    if block.index < 0 or block.first_row != first or not 1 <= count <= block_rows or first + count > rows:
        raise DatasetError(
            f"block {block.index} with {count} rows from row {block.first_row} on does not fit a dataset "
            f"of {rows} rows, {block_rows} per block"
        )
    if set(block.columns) != {c.name for c in columns}:
        odd = sorted(set(block.columns) ^ {c.name for c in columns})
        raise DatasetError(f"block {block.index} has different columns from the dataset: {', '.join(odd)}")
    for column in columns:
        array = block.columns[column.name]
        if array.shape != (count, *column.shape) or array.dtype != column.dtype:
            raise DatasetError(
                f"block {block.index}: {column.name} is {array.dtype} {array.shape}, "
                f"not {column.dtype} {(count, *column.shape)}"
            )


def difference(old: Sequence[Column], new: Sequence[Column]) -> str:
    """Return in which columns two schemas differ, for a message."""
    before, after = ({c.name: c for c in one} for one in (old, new))
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return f"other columns ({', '.join(names) or 'in another order'})"


def column_of(columns: Iterable[Column], name: str) -> Column:
    """Return the column of that name; raise :class:`DatasetError` if there is none."""
    known = {column.name: column for column in columns}
    if name not in known:
        raise DatasetError(f"there is no column {name!r}. Columns: {', '.join(known)}.")
    return known[name]


def columns_json(columns: Iterable[Column]) -> list[list[Any]]:
    """Return columns as JSON."""
    return [[c.name, list(c.shape), c.dtype, list(c.dims), c.doc, c.content] for c in columns]


def columns_from_json(data: Iterable[Sequence[Any]]) -> tuple[Column, ...]:
    """Return the columns that :func:`columns_json` wrote."""
    from tonesmith.plan.schema import Column

    return tuple(
        Column(str(name), tuple(map(whole, shape)), str(dtype), tuple(map(str, dims)), str(doc), bool(content))
        for name, shape, dtype, dims, doc, content in data
    )


def whole(value: Any) -> int:
    """Return a count that a record has; raise :class:`ValueError` for what is none."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST:
        raise ValueError(f"{value!r:.40} is no count")
    return value
