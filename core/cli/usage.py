"""What is said of a command line that cannot be read: the errors of Typer, in the words of tonesmith."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from tonesmith.cli.parameter_help import choices_of, expected_of, spelled
from tonesmith.errors import nearest

_HELP_ALONE = "NoArgsIsHelpError"
_EXTRA = re.compile(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)")
_OF_A_LIBRARY = re.compile(r"^Input should be |^Value error|is not one of|is not a valid|is not in the range")
_QUOTED = re.compile(r"(?:Value error, )?'([^']*)' is not one of")
_COMMAND = re.compile(r"No such command '([^']*)'")


def is_usage_error(error: Exception) -> bool:
    """Return whether Typer, or the Click that it brings or finds, raised an error for the person who typed."""
    return hasattr(error, "format_message") and hasattr(error, "exit_code")


def help_alone(error: Any) -> str:
    """Return the help, where that is all there is to say: a group of commands was typed alone. Else ""."""
    return str(error.format_message()) if type(error).__name__ == _HELP_ALONE else ""


def usage_text(error: Any) -> str:
    """Return what to say of it in a line."""
    context = getattr(error, "ctx", None)
    text = _text(error, context)
    if context is None:
        return text
    return f"{text} {context.command_path} --help shows what there is."


def _text(error: Any, context: Any) -> str:
    whole = str(error.format_message())
    if (option := getattr(error, "option_name", None)) is not None and hasattr(error, "possibilities"):
        return f"unknown option {option!r}.{_hint(option, _options(context))}"
    if command := _COMMAND.match(whole):
        return f"unknown command {command[1]!r}.{_hint(command[1], getattr(context.command, 'commands', ()))}"
    if extra := _EXTRA.match(whole):
        return f"unexpected argument: {extra[1]}."
    if getattr(error, "param", None) is not None and error.message:
        told = f"{spelled(error.param)}: {_wrong(error.param, str(error.message))}"
        return told if told.endswith("?") else f"{told}."
    if getattr(error, "param", None) is not None:
        return f"{spelled(error.param)} is missing."
    return f"{whole[:1].lower()}{whole[1:].rstrip('.')}."


def _wrong(parameter: Any, message: str) -> str:
    """Return what is wrong with a value. Where a library says it, it is said in the words of all other values."""
    if not _OF_A_LIBRARY.search(message):
        return message.rstrip(".")
    wanted = expected_of(parameter)
    quoted = _QUOTED.match(message)
    near = nearest(quoted[1], choices_of(parameter)) if quoted else ""
    refused = f"{quoted[1]!r} is not allowed. Expected" if quoted else "expected"
    hint = f". Did you mean {near!r}?" if near else ""
    return f"{refused} {wanted or 'another value'}{hint}"


def _options(context: Any) -> list[str]:
    parameters = context.command.params if context is not None else ()
    return [name for parameter in parameters for name in (*parameter.opts, *parameter.secondary_opts)]


def _hint(name: str, known: Iterable[str]) -> str:
    near = nearest(name, known)
    return f" Did you mean {near!r}?" if near else ""
