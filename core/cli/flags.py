"""Flags made from pydantic models: one for each setting, and one for each option of the chosen plugins."""

from __future__ import annotations

import inspect
import itertools
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from tonesmith.errors import ConfigError, TonesmithError, unknown_name
from tonesmith.host.config import (
    SINGLE,
    Chosen,
    Config,
    PhraseSettings,
    PlanSettings,
    PresetSettings,
    RunSettings,
)
from tonesmith.host.registry import Host
from tonesmith.host.settings import Schema, Setting, alternatives, choices_of, expected, limits, settings_of
from tonesmith.plan.notes import Notes
from tonesmith.space.shape import SpaceShape
from tonesmith.terminal.text import sentence

_SHORT = {"patches": ("-n", "--patches"), "seed": ("--seed",), "workers": ("--workers",)}
_TYPED = {"presets.paths": ("--presets",), "presets.strict": ("--strict/--no-strict",)}
_REPEATED = ("presets.paths",)
_ONLY_TOML = {"weights", "firm"}
"""Keys of the ``[space]`` table that have no flag."""
_BY_NAME = {"space.fix": ("--space.fix", "NAME=VALUE"), "space.ranges": ("--space.range", "NAME=LOW:HIGH")}
_BOOLEANS = {"true": True, "false": False}
_METAVARS = {
    "choice": "CHOICE",
    "integer": "INT",
    "number": "NUM",
    "boolean": None,
    "string": "TEXT",
    "list": "LIST",
    "repeated": "PATH",
}


@dataclass(frozen=True, slots=True)
class Flag:
    """A command-line flag.

    Attributes:
        key: dotted key of the setting that it overrides.
        names: its spellings.
        setting: the setting that it stands for.
        default: the value if it is not given.
        panel: heading in ``--help``.
    """

    key: str
    names: tuple[str, ...]
    setting: Setting
    default: Any
    panel: str

    @property
    def spelled(self) -> str:
        """Return its long name."""
        return self.names[-1].split("/")[0]

    def parameter(self, identifier: str) -> inspect.Parameter:
        """Return it as a parameter of a Typer command; None where it is not given.

        All but switches are text to Typer: the configuration checks them, and explains more when one is wrong.
        """
        kind = _kind(self.key, self.setting.schema)
        choices = [str(choice) for choice in choices_of(self.setting.schema)]
        option = typer.Option(
            *self.names,
            help=self._help(),
            metavar=_BY_NAME[self.key][1] if kind == "by name" else _METAVARS.get(kind, "VALUE"),
            autocompletion=(lambda: choices) if choices else None,
            rich_help_panel=self.panel,
            show_default=False,
        )
        annotation: Any = list[str] if kind in {"by name", "repeated", "list"} else bool if kind == "boolean" else str
        typed = Annotated[annotation | None, option]
        return inspect.Parameter(identifier, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=typed)

    def overrides(self, value: Any) -> dict[str, Any]:
        """Return dotted key -> value of what was typed. Raises :class:`ConfigError` if it is malformed."""
        schema = self.setting.schema
        match _kind(self.key, schema):
            case "by name":
                return dict(self._by_name(entry) for entry in value)
            case "choice":
                return {self.key: {str(choice): choice for choice in choices_of(schema)}.get(value, value)}
            case "integer" | "number":
                return {self.key: _number(value)}
            case "boolean" | "repeated":
                return {self.key: value}
            case "list":
                return {self.key: self._list(schema, value)}
            case _:
                return {self.key: self._read(schema, value)}

    def _by_name(self, entry: str) -> tuple[str, Any]:
        name, equals, text = entry.rpartition("=")
        ends = text.split(":")
        if self.key == "space.ranges":
            if equals and name and len(ends) == 2 and all(isinstance(_number(end), int | float) for end in ends):
                return f"{self.key}.{name}", [_number(end) for end in ends]
        elif equals and name:
            return f"{self.key}.{name}", _number(text)
        raise ConfigError(f"{self.spelled}: {entry!r} is not of the form {_BY_NAME[self.key][1]}.")

    def _list(self, schema: Schema, texts: Sequence[str]) -> Any:
        """Return the items of all that was given: a flag may be repeated, and each may have several with commas.

        Brackets around numbers, as TOML and the help write a range, are allowed.
        """
        numbers, switches = _has(schema, {"integer", "number"}), _has(schema, {"boolean"})
        parts = [_without_brackets(text) if numbers or switches else text for text in texts]
        words = [word.strip() for part in parts for word in part.split(",") if word.strip()]
        items = [
            _BOOLEANS.get(word.lower(), word) if switches else _number(word) if numbers else word for word in words
        ]
        only_lists = {s.get("type") for s in alternatives(schema)} == {"array"}
        return items[0] if len(items) == 1 and not only_lists else items

    def _read(self, schema: Schema, text: str) -> Any:
        kinds = {s.get("type") for s in alternatives(schema)}
        if kinds <= {"string"}:
            return text
        if kinds <= {"string", "integer", "number"}:
            return _number(text)
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(
                f"{self.spelled}: {text!r} is not a TOML value: {error}. Expected {expected(schema)}."
            ) from None

    def _help(self) -> str:
        """Return the help with range and default. Typer's own range would leave no room for the flag's name."""
        schema = self.setting.schema
        notes = [" | ".join(map(str, choices_of(schema))) or limits(schema)]
        if self.default not in (None, "", [], {}):
            notes.append(f"default: {shown(self.default)}")
        told = sentence(self.setting.help)
        return f"{told} [{'; '.join(filter(None, notes))}]" if any(notes) else told


def shown(value: Any) -> str:
    """Return a value as it would be typed."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping) and "name" in value:  # a table that chooses a plugin
        return str(value["name"])
    return ",".join(map(shown, value)) if isinstance(value, list | tuple) else str(value)


def flags_of(config: Config, host: Host) -> tuple[Flag, ...]:
    """Return the flags of a composition, each with its value there as the default."""
    plain = config.model_dump(mode="json")
    flags = [
        Flag(f"plan.{s.key}", _SHORT.get(s.key, (f"--{s.key.replace('_', '-')}",)), s, plain["plan"][s.key], "Plan")
        for s in settings_of(PlanSettings)
    ]
    flags += [
        Flag(f"run.{s.key}", _SHORT.get(s.key, (f"--{s.key.replace('_', '-')}",)), s, plain["run"][s.key], "Run")
        for s in settings_of(RunSettings)
    ]
    flags += _section("notes", settings_of(Notes), plain["notes"], "Notes")
    if config.composer:
        flags += _section("phrases", settings_of(PhraseSettings), plain["phrases"], "Phrases")
    flags += _section("presets", settings_of(PresetSettings), plain["presets"], "Presets")
    flags += _section("space", (s for s in settings_of(SpaceShape) if s.key not in _ONLY_TOML), plain["space"], "Space")
    for role in SINGLE:
        chosen: Chosen | None = getattr(config, role)
        if chosen is None:
            continue
        options = settings_of(host.find(role, chosen.name).Options)
        flags += _section(role, options, chosen.options, f"{role.capitalize()}: {chosen.name}")
    for validator in config.validators:
        options = settings_of(host.find("validator", validator.name).Options)
        prefix = f"validators.{validator.name}"
        flags += _section(prefix, options, validator.options, f"Validator: {validator.name}")
    for feature in config.features:
        options = settings_of(host.find("feature", feature.name).Options)
        flags += _section(f"features.{feature.name}", options, feature.options, f"Feature: {feature.name}")
    return tuple(flags)


def flags_of_plugin(role: str, name: str, host: Host) -> tuple[Flag, ...]:
    """Return the flags of one plugin, with its own defaults. Raises :class:`PluginError` for an unknown one."""
    settings = settings_of(host.find(role, name).Options)
    return tuple(_section(role, settings, {s.key: s.default for s in settings}, f"{role.capitalize()}: {name}"))


def flags_under(
    prefix: str, overrides: Mapping[str, Any], spelled: Mapping[str, str], host: Host, *, lenient: bool
) -> tuple[Flag, ...]:
    """Return the flags of plugins that a command chooses without a composition: those whose keys begin with a prefix.

    Args:
        prefix: such as "sink.".
        overrides: dotted key -> value of the settings that choose them.
        spelled: dotted key -> the flag that a message names.
        host: where plugins are looked up.
        lenient: whether to take the defaults where these are wrong, for help and completion.

    Raises :class:`ConfigError` for an unknown plugin.
    """
    from tonesmith.host.composition import compose
    from tonesmith.host.toml import TomlSource

    try:
        config = compose(TomlSource("", {}), overrides, host=host, spelled=spelled)
    except TonesmithError:
        if not lenient:
            raise
        config = compose(TomlSource("", {}), {}, host=host)
    return tuple(flag for flag in flags_of(config, host) if flag.key.startswith(prefix))


def values_of(flag: str, arguments: Sequence[str]) -> list[str]:
    """Return the values that words give to a flag, as ``--flag value`` or ``--flag=value``."""
    words, values = iter(arguments), []
    for word in words:
        name, equals, value = word.partition("=")
        if name == flag:
            values.append(value if equals else next(words, ""))
    return values


def _section(prefix: str, settings: Iterable[Setting], values: Mapping[str, Any], panel: str) -> list[Flag]:
    return [Flag(f"{prefix}.{s.key}", _names(prefix, s), s, values[s.key], panel) for s in settings]


def _names(prefix: str, setting: Setting) -> tuple[str, ...]:
    name = f"{prefix}.{setting.key}"
    if name in _TYPED:
        return _TYPED[name]
    if _kind(name, setting.schema) == "boolean":
        return (f"--{name}/--no-{name}",)
    return (_BY_NAME[name][0],) if name in _BY_NAME else (f"--{name}",)


def flagged(
    command: Callable[..., None],
    arguments: Sequence[str],
    flags: Callable[[Sequence[str], bool], Sequence[Flag]],
    *,
    lenient: bool,
) -> Callable[..., None]:
    """Return a Typer command with the flags that its arguments call for.

    Args:
        command: as :func:`with_flags` takes it.
        arguments: those after the command's name.
        flags: returns the flags for them; told whether to take the defaults where the configuration is wrong.
        lenient: whether to do that for completion; for help it is done anyway.

    Raises :class:`ConfigError` if the configuration is wrong, or a flag belongs to no chosen plugin.
    """
    lenient = lenient or not {"-h", "--help"}.isdisjoint(arguments)
    found = flags(arguments, lenient)
    if not lenient:
        check_flags(arguments, found)
    return with_flags(command, found)


def with_flags(command: Callable[..., None], flags: Sequence[Flag]) -> Callable[..., None]:
    """Return a Typer command that takes the flags too, and hands them on as ``overrides`` and ``spelled``.

    Args:
        command: a function whose parameters Typer understands, besides ``overrides`` (dotted key -> value)
            and ``spelled`` (dotted key -> flag), which it must have.
        flags: to add.
    """
    by_identifier = {f"flag_{number}": flag for number, flag in enumerate(flags)}

    def called(**values: Any) -> None:
        overrides: dict[str, Any] = {}
        spelled: dict[str, str] = {}
        for identifier, flag in by_identifier.items():
            value = values.pop(identifier)
            if value not in (None, []):
                given = flag.overrides(value)
                overrides |= given
                spelled |= dict.fromkeys(given, flag.spelled)
        command(**values, overrides=overrides, spelled=spelled)

    own = inspect.signature(command, eval_str=True).parameters
    parameters = [
        p.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, p in own.items()
        if name not in {"overrides", "spelled"}
    ]
    parameters += [flag.parameter(identifier) for identifier, flag in by_identifier.items()]
    # Typer reads a command's parameters from these two attributes
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {p.name: p.annotation for p in parameters}
    called.__doc__ = command.__doc__
    return called


def check_flags(arguments: Sequence[str], flags: Sequence[Flag]) -> None:
    """Raise :class:`ConfigError` for an unknown flag of a plugin, naming the nearest and the known ones."""
    sections = {"notes", "phrases", "presets", "space", "validators", "features", *SINGLE}
    for argument in itertools.takewhile(lambda word: word != "--", arguments):
        name = argument.split("=", 1)[0]
        section, dot, _ = name.removeprefix("--").removeprefix("no-").partition(".")
        if not (name.startswith("--") and dot and section in sections):
            continue
        there = [flag for flag in flags if flag.key.split(".")[0] == section]
        known = [spelling for flag in there for names in flag.names for spelling in names.split("/")]
        if name not in known:
            plugins = dict.fromkeys(flag.panel.partition(": ")[2] for flag in there)
            chosen = f" Chosen here: {', '.join(plugins)}." if any(plugins) else ""
            raise ConfigError(unknown_name("option", name, known) + chosen)


def _kind(key: str, schema: Schema) -> str:
    """Return how a setting is typed: "choice", "list", "by name", one of JSON's types, or "" for a mixture."""
    if key in _BY_NAME:
        return "by name"
    if key in _REPEATED:
        return "repeated"
    if choices_of(schema):
        return "choice"
    if "array" in {s.get("type") for s in alternatives(schema)}:
        return "list"
    return str(schema.get("type", ""))


def _has(schema: Any, types: Set[str]) -> bool:
    """Return whether some part of a schema is of one of JSON's types."""
    if isinstance(schema, Mapping):
        return schema.get("type") in types or any(_has(part, types) for part in schema.values())
    return isinstance(schema, list) and any(_has(part, types) for part in schema)


def _without_brackets(text: str) -> str:
    stripped = text.strip()
    return stripped[1:-1] if stripped.startswith("[") and stripped.endswith("]") else stripped


def _number(text: str) -> int | float | str:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text.strip()
