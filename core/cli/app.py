"""The Typer app: the built-in commands, and those that plugins add."""

from __future__ import annotations

import copy
import os
import shlex
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.models import CommandInfo, TyperInfo

from tonesmith.cli.help_page import with_pages
from tonesmith.cli.options import addressed, listed
from tonesmith.host.registry import Host
from tonesmith.terminal.messages import echo, say

_ORDER = (
    "generate",
    "audition",
    "compose",
    "status",
    "finish",
    "inspect",
    "preview",
    "plot",
    "report",
    "compare",
    "export",
    "render",
    "score",
    "match",
    "verify",
    "reproduce",
    "features",
    "convert",
    "merge",
    "split",
    "presets",
    "importance",
    "doctor",
    "plugins",
    "config",
)
_VALUED = ("--cache", "--cache-size")
"""Options before the command that are followed by a value."""


class _Ordered(TyperGroup):
    """The commands in the order in which they are used, and those of plugins after them, each with a page of help."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        with_pages(self)

    def list_commands(self, ctx: Any) -> list[str]:
        names = super().list_commands(ctx)
        return [n for n in _ORDER if n in names] + [n for n in names if n not in _ORDER]

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was typed. A Ctrl-C that it has nothing to say of ends it with a word and 130."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            say("stopped.")
            raise typer.Exit(130) from None


def build_app(arguments: Sequence[str], host: Host | None = None) -> typer.Typer:
    """Return the app for these arguments.

    Which flags ``generate``, ``doctor``, ``compose``, ``convert``, ``merge`` and ``features`` have depends on the
    plugins that the arguments and the configuration choose, so they are known only here; any other command is spared
    the work.
    """
    from tonesmith.cli.commands import config, plot, plugins, presets
    from tonesmith.cli.commands.compose import compose_command
    from tonesmith.cli.commands.convert import convert_command
    from tonesmith.cli.commands.doctor import doctor_command
    from tonesmith.cli.commands.features import features_command
    from tonesmith.cli.commands.generate import generate_command
    from tonesmith.cli.commands.merge import merge_command

    host = host or Host.load()
    completed = _completed_words()
    words = completed or list(arguments)
    app = typer.Typer(
        name="tonesmith",
        cls=_Ordered,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    place = _place_of_command(words)
    chosen = words[place] if place is not None else ""
    rest = words[place + 1 :] if place is not None else []
    with_flags = {"generate": generate_command, "doctor": doctor_command}
    with_flags["compose"] = compose_command
    with_flags |= {"convert": convert_command, "merge": merge_command, "features": features_command}
    groups: dict[str, tuple[str, Callable[[], typer.Typer]]] = {
        "plot": (plot.HELP, plot.plot_app),
        "config": (config.HELP, partial(config.config_app, host)),
        "plugins": (plugins.HELP, partial(plugins.plugins_app, host)),
        "presets": (presets.HELP, partial(presets.presets_app, rest, host, lenient=bool(completed))),
    }
    plain = [name for name in _ORDER if name not in {**with_flags, **groups}]
    commands: dict[str, Callable[..., Any]] = {name: _reader(name) for name in plain}
    for name, flags in with_flags.items():
        flagged = rest if chosen == name else None
        commands[name] = flags(flagged, host, lenient=bool(completed))
    for name, command in commands.items():
        app.command(name)(addressed(command) if name == chosen else listed(command.__doc__))
    for name, (text, group) in groups.items():
        if name == chosen:
            app.add_typer(group(), name=name)
        else:
            app.command(name)(listed(text))
    host.commands(app)
    return _with_one_command(app, chosen) if chosen else app


def _with_one_command(app: typer.Typer, chosen: str) -> typer.Typer:
    """Return the app with the command or group that was typed, and of all others names and a line of help alone.

    So it is with those of plugins: the options of all take Typer 0.1 s. A group that was typed stays whole, for a
    command of it may run the others.
    """
    narrowed = copy.copy(app)
    narrowed.registered_commands = [
        info if info.name in {None, chosen} else _listed_command(info) for info in app.registered_commands
    ]
    narrowed.registered_groups = [
        _listed_group(info) if isinstance(info.name, str) and info.name != chosen else info
        for info in app.registered_groups
    ]
    return narrowed


def _listed_command(info: CommandInfo) -> CommandInfo:
    named = copy.copy(info)
    named.callback = listed(info.callback.__doc__ if info.callback else None)
    return named


def _listed_group(info: TyperInfo) -> TyperInfo:
    named = copy.copy(info)
    named.typer_instance = copy.copy(info.typer_instance)
    if named.typer_instance is not None:
        named.typer_instance.registered_commands, named.typer_instance.registered_groups = [], []
    return named


def _reader(name: str) -> Callable[..., Any]:
    command: Callable[..., Any] = getattr(import_module(f"tonesmith.cli.commands.{name}"), name)
    return command


def _completed_words() -> list[str]:
    """Return the words of the command line that a shell wants completed, or none outside of that."""
    if "_TONESMITH_COMPLETE" not in os.environ:
        return []
    line = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS") or ""
    try:
        return shlex.split(line)[1:]
    except ValueError:  # a quote that is not closed yet
        return line.split()[1:]


def _place_of_command(words: Sequence[str]) -> int | None:
    """Return where the command is among the words, behind options that have a value; None if there is none."""
    place = 0
    while place < len(words) and words[place].startswith("-"):
        place += 2 if words[place] in _VALUED else 1
    return place if place < len(words) else None


def _show_version(wanted: bool) -> None:
    if wanted:
        from tonesmith import __version__

        echo(f"tonesmith {__version__}")
        raise typer.Exit


def _keep_in(folder: Path | None) -> None:
    """Let this process, and its workers, keep objects of buckets in a folder."""
    if folder is not None:
        from tonesmith.buckets.cache import FOLDER_VARIABLE

        os.environ[FOLDER_VARIABLE] = str(folder.absolute())


def _keep_up_to(size: str | None) -> None:
    """Let this process, and its workers, keep so much of buckets. Raises :class:`ConfigError` for no size."""
    if size is not None:
        from tonesmith.buckets.cache import SIZE_VARIABLE, bytes_of

        bytes_of(size)
        os.environ[SIZE_VARIABLE] = size


def _root(
    version: Annotated[
        bool, typer.Option("--version", "-V", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
    cache: Annotated[
        Path | None,
        typer.Option("--cache", metavar="DIR", help="Keep here what is read from buckets.", callback=_keep_in),
    ] = None,
    cache_size: Annotated[
        str | None,
        typer.Option(
            "--cache-size",
            metavar="SIZE",
            help="Keep at most this much of it.",
            show_default="20GB",
            callback=_keep_up_to,
        ),
    ] = None,
) -> None:
    """Render labelled sound datasets from synthesizers. Every row can be rendered again from its label."""
