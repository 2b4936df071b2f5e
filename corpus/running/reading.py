"""A file of steps: read and checked as a whole, before any step is done."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import typer

from tonesmith.corpus.running.words import own_text, parameters, words_of
from tonesmith.errors import ConfigError, PluginError, unknown_name
from tonesmith.host.registry import Host
from tonesmith.host.toml import TomlSource, read_toml

_NEVER: Final = frozenset({"run", "browse", "label", "repair", "download", "sources", "remake"})
"""Commands that are no step: they ask a person, or mend what no plan foresees."""
CONVERT: Final = "convert"
"""The command of the top level that is a step: it is done in a process of its own, since its flags are its sink's."""
_PACKING: Final = ("workers", "window", "hop", "sample_rate", "channels")
"""Options of ``convert`` that are not its sink's."""
_ROLES: Final = {"annotate": "annotator", "augment": "augmenter", "features": "feature", "compose": "composer"}
"""Command -> the role whose plugins its ``with`` or ``add`` names."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command of the file.

    Attributes:
        name: of the command.
        words: that would be typed behind ``tonesmith``.
        command: that is called; None of ``convert``.
        where: of its table: "file:line: ".
    """

    name: str
    words: tuple[str, ...]
    command: Any
    where: str

    def __str__(self) -> str:
        return shlex.join(("tonesmith", *self.words))

    def arguments(self, *more: str) -> list[str]:
        """Return the words behind the command, and more of those flags that it takes."""
        params = self.command.params if self.command else ()
        known = {flag for parameter in params for flag in parameter.opts} if self.command else {"--json", "--quiet"}
        own = self.words[self.words.index(self.name) + 1 :]
        return [*own, *(flag for flag in more if flag in known)]


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of a file.

    Attributes:
        corpus: its folder.
        every: steps, in their order.
    """

    corpus: Path
    every: Sequence[Step]

    @property
    def digest(self) -> str:
        """Of what is done: a run goes on where it stopped only if it is the same."""
        return hashlib.sha256(json.dumps([step.words for step in self.every]).encode()).hexdigest()


def read_steps(path: Path, context: typer.Context) -> Steps:
    """Return the steps of a file.

    Args:
        path: of the file: TOML, with ``path`` of the corpus, and a table for each step.
        context: of the command that asks, which knows all commands.

    Raises :class:`ConfigError` with file and line of everything that is wrong.
    """
    source = read_toml(path)
    corpus = source.data.get("path")
    if not isinstance(corpus, str) or not corpus:
        raise ConfigError(f'{path}: path is missing. Name the folder of the corpus: path = "emotion_v1"')
    commands = commands_of(context)
    wrong: list[str] = []
    steps: list[Step] = []
    for key, table in _tables(source, commands, wrong):
        try:
            steps.append(_step(source, corpus, key, table, commands[str(key[0])], context))
        except ConfigError as error:
            wrong.append(str(error))
    if not (steps or wrong):
        wrong.append(f"{path}: there are no steps. Write a table for each, such as [new] and [add].")
    if wrong:
        raise ConfigError("\n".join(wrong))
    return Steps(Path(corpus), steps)


def commands_of(context: typer.Context) -> dict[str, Any]:
    """Return name -> command of all that can be a step."""
    parent = context.parent
    own: dict[str, Any] = dict(getattr(parent.command, "commands", {})) if parent else {}
    return {name: command for name, command in own.items() if name not in _NEVER} | {CONVERT: None}


def _tables(
    source: TomlSource, commands: Mapping[str, Any], wrong: list[str]
) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    """Yield key and table of each step, in the order that ``steps`` states, or else that of the file."""
    found = {name: value for name, value in source.data.items() if name not in {"path", "steps"}}
    order = source.data.get("steps", list(found))
    if not isinstance(order, list):
        wrong.append(f"{source.where(('steps',))}steps: expected a list of names.")
        order = list(found)
    for name in [*order, *(name for name in found if name not in order)]:
        where = source.where((name if name in found else "steps",))
        if name not in commands:
            wrong.append(f"{where}{unknown_name('step', str(name), commands, 20)}")
        elif name not in order:
            wrong.append(f"{where}[{name}] is not among steps. Add it there, or leave it out.")
        else:
            value = found.get(name, {})
            tables = (
                [((name, n), one) for n, one in enumerate(value)] if isinstance(value, list) else [((name,), value)]
            )
            for key, table in tables:
                if isinstance(table, dict):
                    yield key, table
                else:
                    wrong.append(f"{where}{name}: expected a table, [{name}].")


def _step(
    source: TomlSource, corpus: str, key: tuple[str | int, ...], table: Mapping[str, Any], command: Any, context: Any
) -> Step:
    name = str(key[0])
    if command is None:
        return _convert(source, corpus, key, table)
    flags: list[str] = []
    values: list[str] = []
    known = parameters(command)
    own = _own_options(command, table, source.where(key))
    for option, value in table.items():
        where = source.where((*key, option))
        if option in own and option not in known:
            flags.append(f"--{option.replace('_', '-')}={own_text(value)}")
            continue
        if option not in known:
            known |= dict.fromkeys(own)
            raise ConfigError(f"{where}{name}: {unknown_name('option', option, known, 30)}")
        try:
            words = words_of(known[option], value)
        except ValueError as error:
            raise ConfigError(f"{where}{name}: {option}: {error}") from None
        (values if known[option].param_type_name == "argument" else flags).extend(words)
        _check_names(name, option, value, where)
    step = Step(name, ("corpus", name, corpus, *values, *flags), command, source.where(key))
    _check_parsed(step, context)
    return step


def _own_options(command: Any, table: Mapping[str, Any], where: str) -> Collection[str]:
    """Return the names of options of the plugin that a command's ``with`` names, if its flags are the plugin's too.

    Raises :class:`ConfigError` for a value that the plugin does not take.
    """
    role, name = _ROLES.get(command.name), table.get("with")
    if not command.context_settings.get("ignore_unknown_options") or role is None or not isinstance(name, str):
        return ()
    try:
        known = Host.load().find(role, name).Options.model_fields
        Host.load().options_of(role, name, {option: value for option, value in table.items() if option in known})
    except (PluginError, ConfigError) as error:
        raise ConfigError(f"{where}{command.name}: {error}") from None
    return known


def _convert(source: TomlSource, corpus: str, key: tuple[str | int, ...], table: Mapping[str, Any]) -> Step:
    """Return the step that packs the corpus. Its options are checked as those of its sink."""
    where, out, sink = source.where(key), table.get("out"), table.get("sink")
    if not (isinstance(out, str) and out and isinstance(sink, str)):
        raise ConfigError(f'{where}convert: out and sink are missing, such as out = "packed.zarr" and sink = "zarr".')
    options = {name: value for name, value in table.items() if name not in {"out", "sink"}}
    host = Host.load()
    try:
        known = host.find("sink", sink).Options.model_fields
        host.options_of("sink", sink, {name: value for name, value in options.items() if name in known})
    except (PluginError, ConfigError) as error:
        raise ConfigError(f"{where}convert: {error}") from None
    flags: list[str] = []
    for name, value in options.items():
        if name not in known and name not in _PACKING:
            told = unknown_name("option", name, [*known, *_PACKING])
            raise ConfigError(f"{source.where((*key, name))}convert: {told}")
        flag = f"--{name.replace('_', '-')}"
        flags += [flag] if value is True else [] if value is False else [flag, str(value)]
    return Step(CONVERT, (CONVERT, corpus, out, "--sink", sink, *flags), None, where)


def _check_names(step: str, option: str, value: Any, where: str) -> None:
    """Raise :class:`ConfigError` for a plugin that there is not, and for a source or a profile that is not there."""
    texts = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    names = [str(one).strip() for one in texts]
    if step in _ROLES and option in {"with", "add"}:
        for name in names:
            try:
                Host.load().find(_ROLES[step], name)
            except PluginError as error:
                raise ConfigError(f"{where}{step}: {error}") from None
    if step == "add" and option == "sources":
        for name in [value] if isinstance(value, str) else names:
            if not Path(name).exists():
                raise ConfigError(f"{where}add: {name} does not exist.")
    if step == "new" and option == "profile" and isinstance(value, str):
        from tonesmith.corpus.truth.profile import profile_text

        try:
            profile_text(value)
        except ConfigError as error:
            raise ConfigError(f"{where}new: {error}") from None


def _check_parsed(step: Step, context: Any) -> None:
    """Raise :class:`ConfigError` for what the command itself would refuse to be typed."""
    try:
        step.command.make_context(step.name, step.arguments(), parent=context)
    except Exception as error:
        told = getattr(error, "format_message", None)
        if told is None:
            raise
        raise ConfigError(f"{step.where}{step.name}: {told()}") from None
