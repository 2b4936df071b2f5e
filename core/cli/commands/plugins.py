"""``tonesmith plugins``: the plugins that are installed, and the options of each."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from typing import Annotated, Any

import tomli_w
import typer

from tonesmith.cli.options import Json
from tonesmith.cli.scaffold import add_new
from tonesmith.errors import PluginError, unknown_name
from tonesmith.host.config import SEVERAL
from tonesmith.host.conformance import ROLES
from tonesmith.host.records import PluginRecord
from tonesmith.host.registry import Host
from tonesmith.host.roles import Backend, Validator
from tonesmith.host.settings import Setting, settings_of
from tonesmith.space.shape import SpaceShape
from tonesmith.terminal.messages import echo
from tonesmith.terminal.table import table, width_of_terminal
from tonesmith.terminal.text import json_text, sentence

HELP = "List the plugins, show the options of one, or start your own."
_OF_CORPORA = {"importer": "importers", "annotator": "annotators", "augmenter": "augmenters"}
"""Role -> its table in the corpus.toml of a corpus: no composition names these plugins."""
_FITTED = "model"
"""The role of what the explorer fits, which a flag chooses."""


def plugins_app(host: Host) -> typer.Typer:
    """Return the sub-app: ``plugins`` alone lists, ``show`` shows one in full, ``new`` starts another."""
    app = typer.Typer(
        help=HELP,
        invoke_without_command=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )

    @app.callback()
    def plugins(context: typer.Context, as_json: Json = False) -> None:
        if context.invoked_subcommand is None:
            _list(host, as_json=as_json)

    @app.command("list")
    def listed(as_json: Json = False) -> None:
        """List every plugin: role, name, summary, distribution and version."""
        _list(host, as_json=as_json)

    @app.command("show")
    def show(
        name: Annotated[
            str,
            typer.Argument(metavar="NAME", help="Plugin name, or role:name.", autocompletion=_all_names),
        ],
        as_json: Json = False,
    ) -> None:
        """Show the options of a plugin, with an example for plugins.toml."""
        records = find_records(host, name)
        if as_json:
            echo(json_text([_described(record) for record in records]))
        else:
            echo("\n\n".join("\n".join(_shown(record)) for record in records))

    add_new(app, host)
    return app


def find_records(host: Host, name: str) -> list[PluginRecord]:
    """Return the plugins of a name in any role, or the one of ``role:name``.

    Raises :class:`PluginError` if there is none.
    """
    role, colon, bare = name.rpartition(":")
    if colon and role not in ROLES:
        raise PluginError(unknown_name("role", role, ROLES))
    found = [r for r in host.plugins() if r.name == bare and role in {"", r.role}]
    if found:
        return found
    for of, broken in [(role, bare)] if role else host.broken():
        if broken == bare:
            host.find(of, bare)  # raises, and says why
    raise PluginError(unknown_name("plugin", bare, {r.name for r in host.plugins()}))


def _all_names() -> list[str]:
    return sorted({record.name for record in Host.load().plugins()})


def _list(host: Host, *, as_json: bool) -> None:
    records = host.plugins()
    if as_json:
        keys = ("role", "name", "summary", "distribution", "version")
        echo(json_text([{key: getattr(r, key) for key in keys} for r in records]))
    else:
        rows = [(r.role, r.name, f"{r.distribution} {r.version}", sentence(r.summary)) for r in records]
        echo("\n".join(table(("role", "name", "from", "summary"), rows)))


def _shown(record: PluginRecord) -> list[str]:
    lines = [f"{record.role} {record.name}, from {record.distribution} {record.version}"]
    lines += [*textwrap.wrap(sentence(record.summary), width_of_terminal()), ""]
    settings = settings_of(record.plugin.Options)
    if settings:
        rows = [(s.key, s.takes, _default(s), sentence(s.help)) for s in settings]
        lines += [*table(("option", "takes", "default", "meaning"), rows), ""]
    else:
        lines += ["It has no options.", ""]
    if issubclass(record.plugin, Validator) and record.plugin.measures:
        rows_measured = [(m.name, m.unit, sentence(m.doc)) for m in record.plugin.measures]
        lines += [*table(("measures", "unit", "meaning"), rows_measured), ""]
    where = f"In {'corpus' if record.role in _OF_CORPORA else 'plugins'}.toml"
    lines += [
        f"{'At the terminal' if record.role == _FITTED else where}:",
        "",
        *textwrap.indent(example(record), "    ").rstrip().split("\n"),
    ]
    if issubclass(record.plugin, Backend):
        for name, shape in record.plugin.shapes(record.plugin.Options()).items():
            lines += ["", *_shape_lines(name, shape)]
    return lines


def example(record: PluginRecord) -> str:
    """Return the TOML table that chooses a plugin with its defaults, or the command. What is unset is a comment."""
    if record.role == _FITTED:
        return f"tonesmith explore fit MODEL SOUNDS --model {record.name}\n"
    values = {s.key: s.default for s in settings_of(record.plugin.Options)}
    given = {key: value for key, value in values.items() if value is not None}
    tables = {role: table for table, (role, _) in SEVERAL.items()} | _OF_CORPORA
    if record.role in tables:
        text = tomli_w.dumps({tables[record.role]: {record.name: given}})
    else:
        text = tomli_w.dumps({record.role: {"name": record.name, **given}})
    unset = "".join(f"# {key} = ...\n" for key, value in values.items() if value is None)
    head, newline, rest = text.partition("\n")
    return head + newline + unset + rest


def _described(record: PluginRecord) -> dict[str, Any]:
    plugin = record.plugin
    described: dict[str, Any] = {
        "role": record.role,
        "name": record.name,
        "summary": record.summary,
        "distribution": record.distribution,
        "version": record.version,
        "options": [
            {"name": s.key, "takes": s.takes, "default": s.default, "help": s.help, "schema": s.schema}
            for s in settings_of(plugin.Options)
        ],
        "toml": "" if record.role == _FITTED else example(record),
    }
    if issubclass(plugin, Validator):
        described["measures"] = [{"name": m.name, "unit": m.unit, "doc": m.doc} for m in plugin.measures]
    if issubclass(plugin, Backend):
        described["shapes"] = {
            name: shape.model_dump(mode="json") for name, shape in plugin.shapes(plugin.Options()).items()
        }
    return described


def _default(setting: Setting) -> str:
    return "" if setting.default is None else json.dumps(setting.default)


def _shape_lines(name: str, shape: SpaceShape) -> list[str]:
    lines = [f"Shape {name}:"]
    varies = ", ".join(shape.include) if shape.include is not None else "every parameter"
    lines += _wrapped("varies", varies)
    lines += _wrapped("but not", ", ".join(shape.exclude))
    lines += _wrapped("fixed", _pairs(shape.fix, _value))
    lines += _wrapped("range", _pairs(shape.ranges, lambda ends: f"{ends[0]:g}..{ends[1]:g}"))
    return lines + _wrapped("weights", _pairs(shape.weights, _shares))


def _shares(weights: Mapping[str, float]) -> str:
    """Return choices with their weights, or the choices alone where all weigh the same."""
    return _pairs(weights, _value) if len(set(weights.values())) > 1 else " | ".join(weights)


def _pairs(values: Mapping[str, Any], text: Any) -> str:
    return ", ".join(f"{name} = {text(value)}" for name, value in values.items())


def _value(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _wrapped(label: str, text: str) -> list[str]:
    if not text:
        return []
    # A name and its value stay on one line
    kept = text.replace(" = ", "\0=\0")
    lines = textwrap.wrap(kept, width_of_terminal(), initial_indent=f"  {label:<9}", subsequent_indent=" " * 11)
    return [line.replace("\0", " ") for line in lines]
