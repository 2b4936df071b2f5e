"""The JSON schema of a composition as people write it, for editors: ``plugins.toml`` with the options of every plugin.

It says what the parser says: short forms, tables that may be left out, and no key that is not there. Rules that hold
between keys, such as ``hold = [low, high]`` needing ``draw``, are the parser's alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from tonesmith.host.config import DEFAULT_NAMES, SECTIONS, SEVERAL, SINGLE
from tonesmith.host.limits import LIMITS
from tonesmith.host.settings import resolved_schema
from tonesmith.terminal.text import joined, sentence

if TYPE_CHECKING:
    from tonesmith.host.registry import Host

DIALECT = "http://json-schema.org/draft-07/schema#"
"""Of the schema: the newest that all editors read."""

TITLE = "tonesmith composition"

_ABOUT = {
    "plan": "What is in the dataset: the same plan gives the same rows.",
    "run": "How a run goes; nothing of what it makes.",
    "notes": "The notes that play each patch.",
    "phrases": "How the scores of the composer play each patch, instead of notes.",
    "presets": "The presets that samplers draw from.",
    "space": "Which parameters vary, and between which bounds.",
    "limits": "What a synth may take. Each key stands for a key of [plan] or [run].",
    "backend": "The synth.",
    "sampler": "How patches are spread over the space.",
    "composer": "What plays scores instead of notes.",
    "validators": "Checks that every render must pass.",
    "features": "Arrays that are computed of each row and stored with it.",
    "sink": "How the dataset is stored.",
    "executor": "Where the workers run. No part of the plan.",
}


def composition_schema(host: Host) -> dict[str, Any]:
    """Return the schema, as JSON, with the plugins of a host."""
    tables = {name: _table(model) for name, model in SECTIONS.items()}
    tables["limits"] = _closed({key: tables[home]["properties"][name] for key, (home, name) in LIMITS.items()})
    tables |= {role: _one_plugin(host, role) for role in SINGLE}
    tables |= {table: _plugins(host, table) for table in SEVERAL}
    properties = {name: {"description": _ABOUT[name], **tables[name]} for name in _ABOUT}
    return {"$schema": DIALECT, "title": TITLE, "description": _made_by(host), **_closed(properties)}


def _made_by(host: Host) -> str:
    makers = dict.fromkeys(f"{record.distribution} {record.version}" for record in host.plugins())
    return f"plugins.toml with the plugins of {joined(list(makers))}. Made by: tonesmith config schema"


def _one_plugin(host: Host, role: str) -> dict[str, Any]:
    """Return what chooses the one plugin of a role: its name, or a table with its name and options."""
    tables = [_named(role, *item) for item in _options(host, role).items()]
    return {"anyOf": [{"type": "string", "enum": list(_options(host, role))}, {"oneOf": tables}]}


def _named(role: str, name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return the table of a plugin; the one that is used by default need not be named."""
    properties = {**options["properties"], "name": {"const": name, "description": options["description"]}}
    return {**options, "properties": properties, "required": [] if name == DEFAULT_NAMES.get(role) else ["name"]}


def _plugins(host: Host, table: str) -> dict[str, Any]:
    """Return what chooses several plugins: a list of names, or a table of name = options."""
    known = _options(host, SEVERAL[table][0])
    names = {"type": "array", "items": {"type": "string", "enum": list(known)}, "uniqueItems": True}
    return {"anyOf": [names, _closed(known)]}


def _options(host: Host, role: str) -> dict[str, dict[str, Any]]:
    return {
        record.name: {"description": sentence(record.summary), **_table(record.plugin.Options)}
        for record in host.plugins()
        if record.role == role
    }


def _table(model: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of a table, of which each key may be left out."""
    whole = resolved_schema(model)
    properties = {key: _plain(schema) for key, schema in whole.get("properties", {}).items()}
    return {**_closed(properties), "additionalProperties": whole.get("additionalProperties", True)}


def _closed(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False}


def _plain(schema: Any) -> Any:
    """Return a schema in the words of :data:`DIALECT`, without titles and without null, which TOML does not have."""
    if isinstance(schema, list):
        return [_plain(inner) for inner in schema]
    if not isinstance(schema, Mapping):
        return schema
    named = {"properties", "patternProperties"}
    found = {
        key: {name: _plain(inner) for name, inner in value.items()} if key in named else _plain(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str)) and not (key == "default" and value is None)
    }
    if "anyOf" in found:
        found["anyOf"] = [inner for inner in found["anyOf"] if inner.get("type") != "null"]
    if "prefixItems" in found:
        found["items"] = found.pop("prefixItems")
    if "properties" in found:
        found.setdefault("additionalProperties", True)  # some linters take it for forbidden where nothing is said
    return found
