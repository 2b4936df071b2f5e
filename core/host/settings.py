"""Pydantic models read as settings: what each key takes, and what is wrong with a value.

The flags, the tables of ``tonesmith plugins show`` and the error messages all read a model through its
JSON schema, so they cannot disagree with what the model accepts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from tonesmith.errors import nearest, unknown_name
from tonesmith.host.toml import KeyPath

Schema = Mapping[str, Any]
M = TypeVar("M", bound=BaseModel)

_PLAIN = {"integer": "integer", "number": "number", "boolean": "true or false", "string": "text"}
_ONE = {"integer": "an integer", "number": "a number", "boolean": "true or false", "string": "text"}
_MANY = {"integer": "integers", "number": "numbers", "boolean": "booleans", "string": "strings"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of a model.

    Attributes:
        key: its name.
        schema: JSON schema of what it takes, with references resolved and without ``null``.
        default: as JSON; None where it is unset by default.
        help: one line.
    """

    key: str
    schema: Schema
    default: Any
    help: str

    @property
    def takes(self) -> str:
        """What it takes, such as "integer 1..3"."""
        return takes(self.schema)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one key."""

    path: KeyPath
    text: str


class InvalidSettings(Exception):  # noqa: N818 - it never reaches a user; the caller says where and raises
    """The problems of a table."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        super().__init__()
        self.problems = tuple(problems)


def dotted(path: KeyPath) -> str:
    """Return a key path as it is written: ``notes.pitches[1]``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def settings_of(model: type[BaseModel]) -> tuple[Setting, ...]:
    """Return the keys of a model, in its own order."""
    whole = model.model_json_schema()
    defaults = model().model_dump(mode="json")
    return tuple(
        Setting(key, _resolved(schema, whole), defaults[key], schema.get("description", ""))
        for key, schema in whole.get("properties", {}).items()
    )


def resolved_schema(model: type[BaseModel]) -> Schema:
    """Return the JSON schema of a model, with every reference resolved."""
    whole = model.model_json_schema()
    resolved: Schema = _resolved({key: value for key, value in whole.items() if key != "$defs"}, whole)
    return resolved


def validate(model: type[M], data: Mapping[str, Any], path: KeyPath = ()) -> M:
    """Return a model of plain data, taken strictly: an integer is a number, but true is no integer.

    Args:
        model: to validate with.
        data: what :mod:`tomllib` or :mod:`json` gives.
        path: of the table, for the problems.

    Raises :class:`InvalidSettings` with a problem for every key that is wrong.
    """
    try:
        return model.model_validate_json(json.dumps(data, default=_plain), strict=True)
    except ValidationError as error:
        found: dict[KeyPath, list[Mapping[str, Any]]] = {}
        for entry in error.errors(include_url=False):
            found.setdefault(_in_data(entry["loc"], data), []).append(entry)
        schema = model.model_json_schema()
        raise InvalidSettings(Problem((*path, *key), _said(key, of, schema)) for key, of in found.items()) from None


def _plain(value: Any) -> Any:
    """Return what JSON holds of a NumPy scalar or array, a path or a date."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def takes(schema: Schema) -> str:
    """Return in few words what a schema accepts, such as "list of integer 0..127", for a table."""
    if choices := choices_of(schema):
        return _one_of(choices)
    if "anyOf" in schema:
        return _either(schema, takes)
    match schema:
        case {"type": "array", "prefixItems": parts}:
            return f"[{', '.join(map(takes, parts))}]"
        case {"type": "array"}:
            words = f"list of {takes(schema.get('items', {}))}"
        case {"type": "object", "additionalProperties": Mapping() as inner}:
            words = f"table of name = {takes(inner)}"
        case {"type": "object"}:
            words = "table"
        case _:
            words = _PLAIN.get(schema.get("type", ""), "any value")
    return f"{words} {limits(schema)}".rstrip()


def expected(schema: Schema) -> str:
    """Return what a schema accepts as a sentence says it, such as "a list of integers from 0 to 127"."""
    if choices := choices_of(schema):
        return _one_of(choices)
    if "anyOf" in schema:
        return _either(schema, expected)
    match schema:
        case {"type": "array", "prefixItems": parts}:
            return f"[{', '.join(map(expected, parts))}]"
        case {"type": "array"}:
            return _list_of(schema.get("minItems", 0), _several(schema.get("items", {})))
        case {"type": "object"}:
            inner = schema.get("additionalProperties")
            return f"a table of name = {expected(inner)}" if isinstance(inner, Mapping) else "a table"
        case _:
            return f"{_ONE.get(schema.get('type', ''), 'any value')} {_bounds(schema)}".rstrip()


def _one_of(choices: Sequence[Any]) -> str:
    return f"one of {', '.join(map(str, choices))}" if len(choices) > 1 else repr(choices[0])


def _either(schema: Schema, told: Callable[[Schema], str]) -> str:
    """Return the alternatives of a schema; of a number and a pair of such numbers, the pair as [low, high]."""
    parts = alternatives(schema)
    pairs = [part for part in parts if part.get("prefixItems") and all(p in parts for p in part["prefixItems"])]
    words = dict.fromkeys("[low, high]" if part in pairs else told(part) for part in parts)
    return (", or " if pairs else " or ").join(words)


def _list_of(least: int, items: str) -> str:
    if least > 1:
        return f"a list of at least {least} {items}"
    return f"a non-empty list of {items}" if least else f"a list of {items}"


def _several(schema: Schema) -> str:
    return f"{_MANY[schema['type']]} {_bounds(schema)}".rstrip() if schema.get("type") in _MANY else expected(schema)


def _bounds(schema: Schema) -> str:
    """Return the range of a number as a sentence says it, such as "from 1 to 3"; "" if it has none."""
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"from {_grouped(low)} to {_grouped(high)}"
    return _open_range(schema, _grouped) if low is None else f"of {_open_range(schema, _grouped)}"


def limits(schema: Schema) -> str:
    """Return the range of a number, such as "1..3" or "above 0 and up to 60"; "" if it has none."""
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"{_amount(low)}..{_amount(high)}"
    return _open_range(schema, _amount)


def _open_range(schema: Schema, amount: Callable[[float], str]) -> str:
    words = (
        ("minimum", "at least"),
        ("exclusiveMinimum", "above"),
        ("maximum", "up to"),
        ("exclusiveMaximum", "below"),
    )
    return " and ".join(f"{word} {amount(schema[name])}" for name, word in words if name in schema)


def _amount(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"


def _grouped(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) and number >= 10_000 else _amount(number)


def choices_of(schema: Schema) -> tuple[Any, ...]:
    """Return the values that a schema lists, or nothing where it does not."""
    parts = alternatives(schema)
    if len(parts) > 1:
        listed = [choices_of(part) for part in parts]
        return tuple(choice for choices in listed for choice in choices) if all(listed) else ()
    return (schema["const"],) if "const" in schema else tuple(schema.get("enum", ()))


def alternatives(schema: Schema) -> tuple[Schema, ...]:
    """Return the schemas that a union is made of, or the schema itself."""
    return tuple(s for s in schema.get("anyOf", (schema,)) if s.get("type") != "null")


def _resolved(schema: Any, whole: Schema) -> Any:
    """Return a schema without references; a union of one thing and null is that thing."""
    if isinstance(schema, list):
        return [_resolved(s, whole) for s in schema]
    if not isinstance(schema, Mapping):
        return schema
    if "$ref" in schema:
        return _resolved(whole["$defs"][schema["$ref"].rsplit("/", 1)[-1]], whole)
    parts = alternatives(schema)
    if "anyOf" in schema and len(parts) == 1:
        return _resolved(parts[0], whole)
    return {key: _resolved(value, whole) for key, value in schema.items()}


def _in_data(loc: tuple[str | int, ...], data: Any) -> KeyPath:
    """Return the part of an error's location that is in the data; the rest names branches of a union."""
    path: KeyPath = ()
    for part in loc:
        inside = part in data if isinstance(data, Mapping) else isinstance(data, list) and part in range(len(data))
        if not inside:
            break
        path, data = (*path, part), data[part]
    return path


def _said(path: KeyPath, entries: list[Mapping[str, Any]], whole: Schema) -> str:
    first = entries[0]
    if first["type"] == "extra_forbidden":
        return unknown_name("key", str(path[-1]), _schema_at(path[:-1], whole).get("properties", {}))
    if first["type"] in {"value_error", "assertion_error"}:
        return str(first["msg"]).partition(", ")[2].rstrip(".") + "."
    schema = _schema_at(path, whole)
    value = first["input"]
    allowed = f"Expected {expected(schema)}" if schema else str(first["msg"])
    return f"{_short(value)} is not allowed. {allowed}.{_nearest(value, schema)}"


def _schema_at(path: KeyPath, whole: Schema) -> Schema:
    schema: Schema = _resolved({k: v for k, v in whole.items() if k != "$defs"}, whole)
    for part in path:
        schema = next((s for s in (_inside(part, s) for s in alternatives(schema)) if s), {})
    return schema


def _inside(part: str | int, schema: Schema) -> Schema:
    if isinstance(part, int):
        prefix = schema.get("prefixItems", [])
        inner = prefix[part] if part < len(prefix) else schema.get("items")
    else:
        inner = schema.get("properties", {}).get(part, schema.get("additionalProperties"))
    return inner if isinstance(inner, Mapping) else {}


def _nearest(value: Any, schema: Schema) -> str:
    near = nearest(str(value), map(str, choices_of(schema)))
    return f" Did you mean {near!r}?" if near else ""


def _short(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
