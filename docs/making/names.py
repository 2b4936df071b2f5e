"""The page of the public names of ``tonesmith``, from their signatures and docstrings."""

from __future__ import annotations

import enum
import inspect
import types
from typing import Any

import tonesmith
from making.prose import document, inline, sentence, table
from making.signatures import attributes, members, signature
from tonesmith.host.conformance import ROLES

HEAD = """\
# Public names

Every name that `from tonesmith import ...` gives, with its signature and its docstring. [From Python](../python.md) is
the guide to them. What is not here may change without notice.
"""
_PARTS = {
    "api": "Functions",
    "run": "Runs",
    "transfer": "Runs",
    "dataset": "Datasets",
    "plan": "Plans and renders",
    "space": "Spaces, patches and labels",
    "host": "Plugins and settings",
    "errors": "Errors",
}
_ORDER = [*dict.fromkeys(_PARTS.values()), "Others", "Modules"]


def page() -> str:
    """Return the page."""
    groups: dict[str, list[str]] = {part: [] for part in _ORDER}
    for name in sorted(tonesmith.__all__, key=str.lower):
        if name != "__version__":
            groups[_part_of(getattr(tonesmith, name))].append(name)
    lines = [HEAD]
    for part, names in groups.items():
        lines += [f"## {part}", ""] if names else []
        for name in names:
            lines += described(getattr(tonesmith, name), name, 3)
    return "\n".join(lines).rstrip() + "\n"


def _part_of(value: Any) -> str:
    if isinstance(value, types.ModuleType):
        return "Modules"
    if inspect.isfunction(value):
        return "Functions"
    home = getattr(value, "__module__", "").split(".")
    return _PARTS.get(home[1], "Others") if len(home) > 1 else "Others"


def described(value: Any, name: str, level: int) -> list[str]:
    """Return a public name with its signature, its docstring, and, of a class or a module, what is in it."""
    title = [f"{'#' * level} {name}", ""]
    if isinstance(value, types.ModuleType):
        return [*title, *document(value.__doc__), *_module(value, level)]
    if inspect.isfunction(value):
        return [*title, *signature(value, name), *document(value.__doc__)]
    if not inspect.isclass(value):
        return [*title, "A decorator that marks the hooks of a plugin.", ""]
    if issubclass(value, Exception):
        bases = ", ".join(f"`{base.__name__}`" for base in value.__bases__)
        return [*title, f"Bases: {bases}.", "", *document(value.__doc__)]
    if role := next((role for role, kind in ROLES.items() if kind is value), ""):
        return [*title, inline(sentence(value.__doc__)), "", f"See [the role {role}](hooks.md#the-role-{role}).", ""]
    shown = [] if issubclass(value, enum.Enum) else signature(value, name)
    rows = [(attribute, inline(text)) for attribute, text in attributes(value)]
    lines = [*title, *shown, *document(value.__doc__), *table(("attribute", "meaning"), rows)]
    return lines + members(value, level + 1)


def _module(module: types.ModuleType, level: int) -> list[str]:
    names = getattr(module, "__all__", None) or [
        name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__
    ]
    lines: list[str] = []
    for name in sorted(names, key=str.lower):
        value = getattr(module, name)
        if name.startswith("_") or name in tonesmith.__all__ or not callable(value):
            continue
        lines += described(value, f"{module.__name__.rpartition('.')[2]}.{name}", level + 1)
    return lines
