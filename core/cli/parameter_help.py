"""What a parameter of a command takes, in the words of :mod:`tonesmith.cli.flags`, whatever Typer calls it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Any, get_args

from tonesmith.host.settings import expected, limits

_WORDS: dict[type, str] = {int: "INT", float: "NUM", str: "TEXT", PurePath: "PATH"}
_NAMED = {"integer": "INT", "float": "NUM", "path": "PATH", "file": "FILE", "filename": "FILE", "directory": "DIR"}
"""Names of the types of Click, which older versions of Typer use."""


def is_argument(parameter: Any) -> bool:
    """Return whether it is named by its place, and no option."""
    return bool(parameter.param_type_name == "argument")


def has_value(parameter: Any) -> bool:
    """Return whether a value follows it."""
    return not getattr(parameter, "is_flag", False) and not getattr(parameter, "count", False)


def spelled(parameter: Any) -> str:
    """Return what a person calls a parameter: the long name of an option, a word in capitals for an argument."""
    if is_argument(parameter):
        return str(parameter.metavar or parameter.name.upper()).strip("[].{}")
    return str(max(parameter.opts, key=len))


def takes_of(parameter: Any) -> str:
    """Return one word for what an option takes, such as "INT"; "" for a switch."""
    if not has_value(parameter):
        return ""
    if parameter.metavar:
        return str(parameter.metavar)
    return "CHOICE" if choices_of(parameter) else _word(parameter)


def _word(parameter: Any) -> str:
    descriptor = getattr(parameter, "type_descriptor", None)
    if descriptor is None:
        return _NAMED.get(str(getattr(parameter.type, "name", "")).removesuffix(" range"), "TEXT")
    of = descriptor.annotation
    for kind in (of, *get_args(of)):
        for base, word in _WORDS.items():
            if isinstance(kind, type) and issubclass(kind, base):
                return word
    return "VALUE"


def choices_of(parameter: Any) -> tuple[str, ...]:
    """Return the values among which a parameter chooses; none if it takes others."""
    source = getattr(parameter, "type_descriptor", None) or parameter.type
    return tuple(str(getattr(choice, "value", choice)) for choice in getattr(source, "choices", None) or ())


def default_of(parameter: Any) -> str:
    """Return range, choices and default of a parameter in brackets, such as "[1..9; default: 3]"; "" without any."""
    notes = [" | ".join(choices_of(parameter)) or _range(parameter), _default(parameter)]
    if parameter.required and not is_argument(parameter):
        notes.append("required")
    return f"[{'; '.join(filter(None, notes))}]" if any(notes) else ""


def expected_of(parameter: Any) -> str:
    """Return what a parameter takes as a sentence says it: "an integer from 1 to 9"; "" if that is unknown."""
    if choices := choices_of(parameter):
        return expected({"enum": choices})
    kind = {"INT": "integer", "NUM": "number"}.get(_word(parameter))
    return expected({"type": kind, **_ends(parameter)}) if kind else ""


def _range(parameter: Any) -> str:
    return limits(_ends(parameter))


def _ends(parameter: Any) -> dict[str, Any]:
    source = parameter if hasattr(parameter, "min") else parameter.type
    ends = {"minimum": getattr(source, "min", None), "maximum": getattr(source, "max", None)}
    return {name: _whole(end) for name, end in ends.items() if end is not None}


def _whole(end: float) -> float:
    return int(end) if end == int(end) else end


def _default(parameter: Any) -> str:
    shown = getattr(parameter, "show_default", True)
    if isinstance(shown, str):
        return f"default: {shown}"
    value = parameter.default
    if not shown or parameter.required or callable(value) or value is None:
        return ""
    if getattr(parameter, "is_flag", False):
        named = parameter.opts if value else parameter.secondary_opts
        return f"default: {named[-1]}" if parameter.secondary_opts else ""
    if isinstance(value, Iterable) and not isinstance(value, str):
        value = ", ".join(map(str, value))
    return f"default: {getattr(value, 'value', value)}" if value != "" else ""
