"""The page of all commands and their options, from the command line itself."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

import typer

from making.prose import code, document, inline, sentence, table
from tonesmith.cli.app import build_app
from tonesmith.host.registry import Host, PluginRecord

HEAD = """\
# Commands and options

Every command with every option, as `tonesmith COMMAND --help` lists them. [The command line](../cli.md) shows them in
use. Settings of a composition have one name as a flag and [in TOML](toml.md).
"""
HEADINGS = ("option", "value", "default", "meaning")
_OF_TYPER = {
    "--install-completion": "Install completion for the current shell.",
    "--show-completion": "Show completion for the current shell.",
}
"""Options that Typer brings, whose help may change with its version."""
_NAMES = {bool: "", int: "INT", float: "NUM", str: "TEXT"}
_PLUGIN = re.compile(r"(Backend|Sampler|Validator|Feature|Composer|Sink|Executor): (.+)")
_NOTE = re.compile(r"^(.*?)\s*\[([^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*)\]$", re.DOTALL)


def page() -> str:
    """Return the page, for the built-in plugins. The current folder must hold no ``plugins.toml``."""
    host = Host(allowed="")
    root = _command([], host)
    lines = [HEAD, "## tonesmith", "", *table(HEADINGS, map(_row, _options(root)))]
    names = root.list_commands(None)
    rows = ((f"[`{name}`](#tonesmith-{name})", inline(sentence(root.commands[name].help))) for name in names)
    lines += table(("command", "does"), rows)
    for name in names:
        lines += _described(_command([name], host).commands[name], f"tonesmith {name}", 2)
        if name == "generate":
            lines += _of_plugins(host)
    return "\n".join(lines).rstrip() + "\n"


def _command(arguments: list[str], host: Host) -> Any:
    return typer.main.get_command(build_app(arguments, host))


def _described(command: Any, name: str, level: int) -> list[str]:
    """Return a command with its arguments and options, and its subcommands below it."""
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    lines = [f"{'#' * level} {name}", ""]
    if not getattr(command, "commands", None):
        lines += ["```text", " ".join([name, "[OPTIONS]", *map(_argument, arguments)]), "```", ""]
    lines += document(command.help)
    lines += table(("argument", "meaning"), ((code(_metavar(a)), inline(a.help or "")) for a in arguments))
    lines += table(HEADINGS, map(_row, _options(command)))
    if name != "tonesmith generate" and any(_panel(p) for p in command.params):
        lines += ["The plugins that you choose add [their options](#options-of-plugins).", ""]
    for inner, subcommand in getattr(command, "commands", {}).items():
        lines += _described(subcommand, f"{name} {inner}", level + 1)
    return lines


def _of_plugins(host: Host) -> list[str]:
    """Return the options of every built-in plugin, which ``generate`` takes once it is chosen."""
    lines = ["### Options of plugins", "", "A plugin's options are there once it is chosen.", ""]
    records = sorted(host.plugins(), key=lambda record: (record.role, record.name))
    options = list(_options_of_plugins(host, records))
    for record in records:
        panel = f"{record.role.capitalize()}: {record.name}"
        rows = dict.fromkeys(_row(p) for p in options if p.rich_help_panel == panel)
        lines += [f"#### {record.role} `{record.name}`", "", _sentence(record.summary), ""]
        lines += table(HEADINGS, rows) or ["It has no options.", ""]
    return lines


def _options_of_plugins(host: Host, records: Sequence[PluginRecord]) -> Iterator[Any]:
    """Yield the options of all plugins, from a few command lines that choose one of each role."""
    for record in records:
        if record.role == "composer":
            yield from (p for p in _command(["compose", record.name], host).commands["compose"].params if _panel(p))
    roles = [[r for r in records if r.role == role] for role in dict.fromkeys(record.role for record in records)]
    for chosen in zip_longest(*roles):
        words = [word for record in chosen if record for word in (f"--{record.role}", record.name)]
        yield from (p for p in _command(["generate", *words], host).commands["generate"].params if _panel(p))


def _sentence(text: str) -> str:
    return inline(f"{text[:1].upper()}{text[1:].rstrip('.')}.")


def _options(command: Any) -> Iterator[Any]:
    """Yield the options of a command that no plugin brought."""
    for parameter in command.params:
        hidden = getattr(parameter, "hidden", False)
        if parameter.param_type_name == "option" and not hidden and not _panel(parameter):
            yield parameter


def _panel(parameter: Any) -> str:
    found = _PLUGIN.fullmatch(getattr(parameter, "rich_help_panel", None) or "")
    return found[0] if found else ""


def _argument(parameter: Any) -> str:
    text = _metavar(parameter)
    dots = "..." if parameter.nargs == -1 else ""
    return f"{text}{dots}" if parameter.required else f"[{text}]{dots}"


def _row(parameter: Any) -> tuple[str, str, str, str]:
    names = sorted([*parameter.opts, *parameter.secondary_opts], key=lambda name: name.startswith("--no-"))
    words, value, default = _noted(parameter)
    words = _OF_TYPER.get(names[0], words)
    if parameter.multiple:
        words = words if "repeat" in words.lower() else f"{words} May be repeated."
    return ", ".join(map(code, names)), value, default, inline(words)


def _noted(parameter: Any) -> tuple[str, str, str]:
    """Return the help of an option without the note at its end; what it takes; and its default."""
    text = (parameter.help or "").replace("\\[", "[")
    default = _default(parameter)
    value = code(_metavar(parameter))
    if (bounds := _bounds(parameter)) and value:
        value = f"{value}, {bounds}"
    if (note := _NOTE.match(text)) and not text.endswith("[low, high]"):
        notes = note[2].split("; ")
        text = note[1]
        for part in notes:
            if part.startswith("default: "):
                default = code(part.removeprefix("default: "))
            else:
                value = f"{value}, {part}" if value != "`CHOICE`" else ", ".join(map(code, part.split(" | ")))
    return text, value, default


def _default(parameter: Any) -> str:
    if getattr(parameter, "required", False):
        return "required"
    shown, value = getattr(parameter, "show_default", True), parameter.default
    if isinstance(shown, str):
        return inline(shown)
    if value is None or value is False or value in ((), [], "") or callable(value):
        return ""
    words = [getattr(one, "value", one) for one in (value if isinstance(value, list | tuple) else [value])]
    return code(",".join(map(str, words)))


def _annotation(parameter: Any) -> Any:
    return getattr(getattr(parameter, "type_descriptor", None), "annotation", None)


def _metavar(parameter: Any) -> str:
    if getattr(parameter, "is_flag", False):
        return ""
    if parameter.metavar:
        return str(parameter.metavar)
    annotation = _annotation(parameter)
    inner = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
    kind = inner[0] if inner else annotation
    if hasattr(kind, "__members__"):
        return "|".join(str(member.value) for member in kind)
    return _NAMES.get(kind, str(parameter.name).upper().replace("AS_", "") if kind is None else "PATH")


def _bounds(parameter: Any) -> str:
    low, high = getattr(parameter, "min", None), getattr(parameter, "max", None)
    if low is not None and high is not None:
        return f"{low}..{high}"
    return f"at least {low}" if low is not None else f"up to {high}" if high is not None else ""
