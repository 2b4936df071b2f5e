"""The page of every table and key of ``plugins.toml``, from the models that check them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from pydantic import BaseModel

from making.prose import code, inline, table
from tonesmith.host.config import DEFAULT_NAMES, SECTIONS, SEVERAL
from tonesmith.host.limits import LIMITS
from tonesmith.host.registry import Host, PluginRecord
from tonesmith.host.settings import Setting, settings_of
from tonesmith.space.shape import ModulationShape
from tonesmith.terminal.text import sentence

HEAD = """\
# The composition, key by key

Every table of `plugins.toml`, and of each file that `--config` names. All of it is optional. [Making a
dataset](../generate.md#the-composition) has a whole file with comments, and says how flags and file go together.
"""
HEADINGS = ("key", "takes", "default", "meaning")
_NOTES = {
    "plan": "What is in the dataset.",
    "run": "How a run goes. Nothing here changes the dataset.",
    "notes": "Which notes play each patch.",
    "presets": "Which presets samplers draw from.",
    "space": "Changes to what the backend varies.",
}


def page() -> str:
    """Return the page, for the built-in plugins."""
    lines = [HEAD]
    for name, model in SECTIONS.items():
        lines += [f"## [{name}]", "", _NOTES.get(name, ""), "", *_keys(model)]
        lines += _limits() if name == "run" else _modulations() if name == "space" else []
    found = [record for record in Host(allowed="").plugins() if record.role in _tables()]
    records = sorted(found, key=lambda record: (list(_tables()).index(record.role), record.name))
    for role, plugins in groupby(records, key=lambda record: record.role):
        lines += [f"## [{_tables()[role]}]", "", *_chosen(role), ""]
        lines += [line for record in plugins for line in _plugin(record)]
    return "\n".join(lines).rstrip() + "\n"


def _tables() -> dict[str, str]:
    """Return role -> its table, in the order of a composition."""
    several = {role: table for table, (role, _) in SEVERAL.items()}
    roles = ("backend", "sampler", "validator", "feature", "composer", "sink", "executor")
    return {role: several.get(role, role) for role in roles}


def _chosen(role: str) -> Iterator[str]:
    if role in DEFAULT_NAMES:
        default = DEFAULT_NAMES[role]
        yield f'`name` chooses one; without it, `{default}`. `{role} = "{default}"` is the short form.'
    elif (name := _tables()[role]) not in SEVERAL:
        yield "`name` chooses one; its options are keys beside it. By default, none."
    else:
        defaults = SEVERAL[name][1]
        used = f"By default, {' and '.join(map(code, defaults))}." if defaults else "By default, none."
        yield f'A table `[{name}.NAME]` for each; `{name} = ["NAME"]` is the short form. {used}'


def _plugin(record: PluginRecord) -> list[str]:
    prefix = {"validator": "validators.", "feature": "features."}.get(record.role)
    title = f"[{prefix}{record.name}]" if prefix else f'{record.role} = "{record.name}"'
    summary = inline(sentence(record.summary))
    return [f"### `{title}`", "", summary, "", *(_keys(record.plugin.Options) or ["It has no options.", ""])]


def _keys(model: type[BaseModel]) -> list[str]:
    return table(HEADINGS, map(_row, settings_of(model)))


def _row(setting: Setting) -> tuple[str, str, str, str]:
    takes = "a table, [below](#spacemodulations)" if setting.key == "modulations" else inline(setting.takes)
    return code(setting.key), takes, code(_value(setting.default)), inline(sentence(setting.help))


def _value(default: Any) -> str:
    """Return a default as TOML has it; "" where the key is unset."""
    if default is None:
        return ""
    return json.dumps(default, ensure_ascii=False) if default != {} else "{}"


def _modulations() -> list[str]:
    note = "How modulations are drawn. What is unset is as in the backend's shape."
    return ["### [space.modulations]", "", note, "", *_keys(ModulationShape)]


def _limits() -> list[str]:
    rows = ((code(key), code(".".join(home))) for key, home in LIMITS.items())
    note = "What a synth may take, in one place. Each key stands for one of another table."
    return ["## [limits]", "", note, "", *table(("key", "stands for"), rows)]
