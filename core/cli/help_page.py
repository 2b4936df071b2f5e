"""The page that ``--help`` prints, the same for every command, those of plugins included.

Text as it is, without frames: what it does, how it is called, examples, then arguments and options with what they take,
their range and their default in brackets.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tonesmith.cli.examples import documentation_of, examples_of
from tonesmith.cli.parameter_help import default_of, has_value, is_argument, spelled, takes_of
from tonesmith.terminal.table import width_of_terminal

_NARROW = 60
"""Columns under which the help of an option stands below it."""
_INDENT = 2
_WIDEST = 26
"""Columns of the names of options, unless all are shorter; the help of a longer one starts on the next line."""
_NOTE = re.compile(r"\[[^\]]{1,32}\]$")
"""A range and a default that stay on one line."""
_HARD = "\N{NO-BREAK SPACE}"


def with_pages(command: Any) -> None:
    """Let a command, and all below it, print this page for ``--help``."""
    command.format_help = lambda context, formatter: formatter.write(page_of(context))
    for inner in getattr(command, "commands", {}).values():
        with_pages(inner)


def page_of(context: Any) -> str:
    """Return the page of the command of a context, as wide as the terminal."""
    command, width = context.command, width_of_terminal()
    parts = [*_paragraphs(command.help or "", width), _usage(context, width)]
    parts += [_section("Examples", [f"  {line}" for line in examples_of(command, context.command_path)])]
    for heading, entries in _entries(context).items():
        parts.append(_section(heading, _lines(entries, width)))
    parts.append(f"{_bold('Documentation:')} {documentation_of(context.command_path)}")
    return "\n\n".join(filter(None, parts)) + "\n"


def _paragraphs(text: str, width: int) -> Iterator[str]:
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        yield textwrap.fill(" ".join(paragraph.split()), width, break_on_hyphens=False)


def _usage(context: Any, width: int) -> str:
    shown = [p for p in context.command.params if not getattr(p, "hidden", False)]
    needed = [f"{max(p.opts, key=len)} {takes_of(p)}".strip() for p in shown if p.required and not is_argument(p)]
    arguments = [_called(p) for p in shown if is_argument(p)]
    words = [context.command_path, "[OPTIONS]", *needed, *arguments]
    if getattr(context.command, "commands", None) is not None:
        words.append("COMMAND")
    text = textwrap.fill(" ".join(words), width - 7, subsequent_indent="  ", break_on_hyphens=False)
    return f"{_bold('Usage:')} " + textwrap.indent(text, "       ").lstrip()


def _called(argument: Any) -> str:
    name = spelled(argument) if argument.required else f"[{spelled(argument)}]"
    return name if argument.nargs == 1 else f"{name}..."


def _section(heading: str, lines: Iterable[str]) -> str:
    body = "\n".join(lines)
    return f"{_bold(f'{heading}:')}\n{body}" if body else ""


def _entries(context: Any) -> Mapping[str, list[tuple[str, str]]]:
    """Return heading -> names and help of what stands under it, arguments first and commands last."""
    found: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
    for parameter in context.command.get_params(context):
        if getattr(parameter, "hidden", False):
            continue
        usual = "Arguments" if is_argument(parameter) else "Options"
        heading = getattr(parameter, "rich_help_panel", None) or usual
        found.setdefault(heading, []).append((_names(parameter), _help(parameter)))
    if getattr(context.command, "commands", None) is not None:
        found["Commands"] = [_listed(context, name) for name in context.command.list_commands(context)]
    return found


def _listed(context: Any, name: str) -> tuple[str, str]:
    command = context.command.get_command(context, name)
    first = inspect.cleandoc(command.short_help or command.help or "").split("\n\n", 1)[0]
    return name, " ".join(first.split())


def _names(parameter: Any) -> str:
    if is_argument(parameter):
        return spelled(parameter)
    short = [name for name in parameter.opts if not name.startswith("--")]
    long = [name for name in (*parameter.opts, *parameter.secondary_opts) if name.startswith("--")]
    names = ", ".join([*(short or ["  "]), *long]).replace("  , ", "    ")
    return f"{names} {takes_of(parameter)}" if has_value(parameter) else names


def _help(parameter: Any) -> str:
    text = " ".join((parameter.help or "").split())
    return f"{text} {note}" if (note := default_of(parameter)) else text


def _lines(entries: list[tuple[str, str]], width: int) -> Iterator[str]:
    longest = max((len(names) for names, _ in entries), default=0)
    column = _INDENT + min(longest, _WIDEST) + 2
    if width < _NARROW:
        column, entries = 3 * _INDENT, [(names.lstrip(), text) for names, text in entries]
    for names, text in entries:
        whole = _NOTE.sub(lambda note: note[0].replace(" ", _HARD), text)
        wrapped = [line.replace(_HARD, " ") for line in textwrap.wrap(whole, width - column, break_on_hyphens=False)]
        head = " " * _INDENT + _coloured(names)
        if _INDENT + len(names) + 2 <= column and wrapped:
            head += " " * (column - _INDENT - len(names)) + wrapped.pop(0)
        yield head.rstrip()
        yield from (" " * column + line for line in wrapped)


def _bold(text: str) -> str:
    return f"\033[1m{text}\033[0m" if _colours() else text


def _coloured(names: str) -> str:
    return re.sub(r"(?<![\w.-])(--?[\w.-]+)", "\033[36m\\1\033[0m", names) if _colours() else names


def _colours() -> bool:
    """Return whether standard output is a terminal that shows colours, and the user wants them."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
