"""In which settings two plans differ."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from tonesmith.errors import DatasetError, OtherPlanError
from tonesmith.plan.plan import Plan
from tonesmith.terminal.text import joined, one_line

_LONGEST = 400
"""Characters of a key or a value that are told."""

_SHOWN = 20
_GROUPED = 4
"""Settings of one table that differ, from which the table is told in one line."""


def differences(old: Plan, new: Plan) -> list[str]:
    """Return a line ``key: old -> new`` for each setting in which two plans differ, rounds aside."""
    return [f"{key}: {before} -> {after}" for key, before, after in compared(old, new)]


def compared(old: Plan, new: Plan) -> list[tuple[str, str, str]]:
    """Return key, old and new value, each on a line, of each setting in which two plans differ, rounds aside."""
    before, after = (dict(_flattened(_named(plan.to_json()))) for plan in (old, new))
    keys = [key for key in {**before, **after} if not key.startswith("rounds") and before.get(key) != after.get(key)]
    told = ([one_line(plan.get(key, "absent"), _LONGEST) for key in keys] for plan in (before, after))
    return [(one_line(key, _LONGEST), old, new) for key, old, new in zip(keys, *told, strict=True)]


def difference_lines(old: Plan, new: Plan) -> str:
    """Return the differences as lines of a message: many in one table as their number, and what is left out counted."""
    tables: dict[str, list[str]] = {}
    for line in differences(old, new):
        key = line.partition(":")[0]
        tables.setdefault(".".join(key.split(".")[:2]), []).append(line)
    lines = [
        told
        for table, some in tables.items()
        for told in (some if len(some) < _GROUPED else [f"{table}: {len(some):,} settings, such as {some[0]}"])
    ]
    more = [f"and {len(lines) - _SHOWN:,} more"] if len(lines) > _SHOWN else []
    return "\n".join(f"  {line}" for line in [*lines[:_SHOWN], *more])


def cure_of(old: Plan, new: Plan, path: object) -> str:
    """Return what to do about the difference between the plan of a dataset at a path and one that is asked for."""
    before = [f"{name} {version}" for name, version in old.versions.items() if new.versions.get(name) != version]
    if before:
        return f"Install {joined(before)} to continue it, or choose another path."
    return f"Choose another path, or use the settings that are there: --config {shlex.quote(str(path))}"


def check_same_plan(path: object, there: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Raise :class:`OtherPlanError`, with the differences, if the dataset at a path is of another plan.

    Plans of older formats are compared as this version reads them. Attributes without a fingerprint tell nothing.

    Args:
        path: of the dataset, for the message.
        there: the attributes that it has.
        asked: the attributes that it is to have.
    """
    own, other = there.get("fingerprint"), asked.get("fingerprint")
    if own == other or own is None or other is None:
        return
    listed = ""
    with contextlib.suppress(DatasetError):
        before, after = (Plan.from_json(attributes.get("plan", {})) for attributes in (there, asked))
        if before.fingerprint == after.fingerprint:
            return
        listed = f"\n{difference_lines(before, after)}"
    raise OtherPlanError(
        f"{path} holds a dataset of another plan (there -> asked for):{listed}\n"
        "Name another path, or take these settings back."
    )


def _named(plan: dict[str, Any]) -> dict[str, Any]:
    """Return a plan's JSON with its parameters keyed by name, so that a difference is told by name."""
    space = {**plan["space"], "parameters": {p["name"]: p for p in plan["space"]["parameters"]}}
    validators = {v["name"]: v["options"] for v in plan["validators"]}
    presets = {f"{p['name']} ({p['sha256'][:8]})": p["patch"][:8] for p in plan["presets"]}
    features = {f["name"]: {**f, "arrays": {a["name"]: a for a in f["arrays"]}} for f in plan.get("features", ())}
    named = {**plan, "space": space, "validators": validators, "presets": presets}
    return {**named, "features": features} if features else named


def _flattened(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flattened(inner, f"{prefix}.{key}" if prefix else key)
    else:
        yield prefix, value
