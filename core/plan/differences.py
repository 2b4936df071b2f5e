"""In which settings two plans differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tonesmith.plan.plan import Plan
from tonesmith.terminal.text import one_line

_LONGEST = 400
"""Characters of a key or a value that are told."""


def differences(old: Plan, new: Plan) -> list[str]:
    """Return a line ``key: old -> new`` for each setting in which two plans differ, rounds aside."""
    before, after = (dict(_flattened(_named(plan.to_json()))) for plan in (old, new))
    keys = [key for key in {**before, **after} if not key.startswith("rounds") and before.get(key) != after.get(key)]
    told = ([one_line(plan.get(key, "absent"), _LONGEST) for key in keys] for plan in (before, after))
    return [f"{one_line(key, _LONGEST)}: {old} -> {new}" for key, old, new in zip(keys, *told, strict=True)]


def _named(plan: dict[str, Any]) -> dict[str, Any]:
    """Return a plan's JSON with its parameters keyed by name, so that a difference is told by name."""
    space = {**plan["space"], "parameters": {p["name"]: p for p in plan["space"]["parameters"]}}
    validators = {v["name"]: v["options"] for v in plan["validators"]}
    presets = {f"{p['name']} ({p['sha256'][:8]})": p["patch"][:8] for p in plan["presets"]}
    return {**plan, "space": space, "validators": validators, "presets": presets}


def _flattened(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flattened(inner, f"{prefix}.{key}" if prefix else key)
    else:
        yield prefix, value
