"""The table ``[limits]``: what a synth may take, all in one place. Each key stands for a key of another table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tonesmith.host.settings import Problem
from tonesmith.host.toml import KeyPath, TomlSource

LIMITS: Mapping[str, tuple[str, str]] = {
    "seconds": ("plan", "timeout"),
    "memory": ("plan", "memory"),
    "load_seconds": ("run", "load_seconds"),
    "load_memory": ("run", "load_memory"),
}
"""Key of ``[limits]`` -> table and key that it stands for."""


def unfolded(source: TomlSource) -> tuple[TomlSource, list[Problem]]:
    """Return a document with the keys of ``[limits]`` where they belong, and what is wrong with them.

    Args:
        source: the document; one without such a table is returned as it is.
    """
    table = source.data.get("limits")
    if table is None:
        return source, []
    if not isinstance(table, Mapping):
        return source, [Problem(("limits",), "must be a table.")]
    data: dict[str, Any] = {name: value for name, value in source.data.items() if name != "limits"}
    lines, problems = dict(source.lines), []
    for key, value in table.items():
        if fault := _fault(key, data):
            problems.append(Problem(("limits", key), fault))
            continue
        home, name = LIMITS[key]
        data[home] = {**data.get(home, {}), name: value}
        if line := source.lines.get(("limits", key)):
            lines[home, name] = line
    return replace(source, data=data, lines=lines), problems


def home_of(path: KeyPath) -> KeyPath:
    """Return the path that a path in ``[limits]`` stands for; any other as it is."""
    if len(path) == 2 and path[0] == "limits" and path[1] in LIMITS:
        return LIMITS[str(path[1])]
    return path


def _fault(key: str, data: Mapping[str, Any]) -> str:
    if key not in LIMITS:
        return f"is unknown. The keys of [limits] are {', '.join(LIMITS)}."
    home, name = LIMITS[key]
    there = data.get(home, {})
    if not isinstance(there, Mapping):
        return f"stands for {home}.{name}, but {home} is no table."
    return f"is {home}.{name}, which is given too. Leave one of them out." if name in there else ""
