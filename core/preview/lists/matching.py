"""What a filter lets through: its names and values are checked once, and then it is asked of many rows at a time."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import nearest, unknown_name
from tonesmith.preview.lists.field import Field, Values
from tonesmith.preview.lists.query import Compared, Every, Not, Query, QueryError, Text, compared, has_text
from tonesmith.terminal.text import one_line

Mask = NDArray[np.bool_]
Matcher = Callable[[Mapping[str, Values]], Mask]
"""Field name -> (rows,) to bool (rows,)."""

_FIRST = 8
"""Names that are listed where none is near; a synth has hundreds."""
_WITHIN = 5e-6
"""Relative: a value is shown with six digits, and equals what was typed of it."""
_ORDERS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def needed(query: Query, searched: Sequence[str]) -> list[str]:
    """Return the names of the fields that a filter asks for.

    Args:
        query: that :func:`matcher` has checked.
        searched: fields in which a text alone is looked for.
    """
    return list(dict.fromkeys([*(one.name for one in compared(query)), *(searched if has_text(query) else ())]))


def matcher(query: Query, fields: Mapping[str, Field], searched: Sequence[str], rows: int = 0) -> Matcher:
    """Return what tells of rows whether a filter lets them through.

    Args:
        query: as it was parsed.
        fields: by name.
        searched: those in which a text alone is looked for.
        rows: how many there are, for a filter that asks for no field.

    Raises :class:`QueryError` for a name or a value that there is not.
    """
    match query:
        case Text(text):
            tests = [_has(fields[name], text) for name in searched]
            return lambda values: np.any([test(values) for test in tests], axis=0)
        case Compared():
            return _comparison(query, fields)
        case Not(of):
            inner = matcher(of, fields, searched, rows)
            return lambda values: ~inner(values)
    parts = [matcher(part, fields, searched, rows) for part in query.parts]
    if not parts:
        return lambda _: np.ones(rows, np.bool_)
    together = np.all if isinstance(query, Every) else np.any
    return lambda values: np.asarray(together([part(values) for part in parts], axis=0), np.bool_)


def _comparison(asked: Compared, fields: Mapping[str, Field]) -> Matcher:
    field = fields.get(asked.name)
    if field is None:
        raise QueryError(unknown(asked.name, fields), asked.place)
    if asked.operator == "~":
        if not field.is_text:
            raise QueryError(f"{one_line(field.name)} is a number, and ~ looks for a text. Use =, < or >", asked.place)
        return _has(field, asked.value)
    if field.is_text and asked.operator in {"=", "!="}:
        return _equal_text(field, asked)
    if field.is_text and field.numbers is None:
        raise QueryError(f"{one_line(field.name)} is a text. Use =, != or ~", asked.place)
    return _number(field, asked)


def unknown(name: str, fields: Mapping[str, Field]) -> str:
    """Return the sentence for a name that is no field's, without a full stop: with the nearest, or the first ones."""
    near = nearest(name, map(one_line, fields))
    first, more = [one_line(known) for known in fields][:_FIRST], len(fields) - _FIRST
    known = f"Known: {', '.join(first)}" + (f" and {more} more" if more > 0 else "")
    return f"unknown name {one_line(name, 40)!r}. {f'Did you mean {near!r}?' if near else known}"


def _has(field: Field, text: str) -> Matcher:
    wanted = text.casefold()
    return _among(field, [wanted in one for one in field.lowered])


def _equal_text(field: Field, asked: Compared) -> Matcher:
    wanted = one_line(asked.value).casefold()
    found = [one == wanted for one in field.lowered]
    if field.closed and not any(found):
        told = unknown_name(f"value of {one_line(field.name)}", asked.value, filter(None, field.texts or ()), shown=6)
        raise QueryError(told.rstrip("."), asked.value_place)
    test = _among(field, found)
    return test if asked.operator == "=" else lambda values: ~test(values)


def _among(field: Field, chosen: Sequence[bool]) -> Matcher:
    table = np.array([*chosen, False], np.bool_)  # a row without a text has the last place
    return lambda values: table[values[field.name]]


def _number(field: Field, asked: Compared) -> Matcher:
    try:
        wanted = float(asked.value)
    except ValueError:
        wanted = math.nan
    if not math.isfinite(wanted):
        told = f"{one_line(field.name)} is a number, and {one_line(asked.value, 40)!r} is none"
        raise QueryError(told, asked.value_place)
    within = _WITHIN * abs(wanted)

    def test(values: Mapping[str, Values]) -> Mask:
        own = values[field.name]
        numbers = field.numbers[own] if field.numbers is not None else own.astype(np.float64)
        if asked.operator in _ORDERS:
            near = np.abs(numbers - wanted) <= within
            beyond = _ORDERS[asked.operator](numbers, wanted)
            return np.asarray(beyond | near if asked.operator.endswith("=") else beyond & ~near)
        equal = np.abs(numbers - wanted) <= within
        return np.asarray(equal if asked.operator == "=" else ~equal)

    return test
