"""The options of a plugin as flags of a command: ``--mood sad``, ``--bars=4``, ``--backend.instrument fm``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from tonesmith.errors import ConfigError, unknown_name
from tonesmith.host.registry import Host


def plugin_options(
    role: str, name: str, words: Sequence[str], *, bare: bool = False
) -> tuple[dict[str, Any], list[str]]:
    """Return the options of a plugin that words of the command line state, and the words that are no flags.

    Args:
        role: of the plugin; its flags begin with it, such as ``--backend.``.
        name: of the plugin.
        words: that the command did not take itself.
        bare: whether a flag may also be the option alone, such as ``--mood``.

    Raises :class:`PluginError` for an unknown plugin, :class:`ConfigError` for a flag that is none of its options.
    """
    known: Mapping[str, Any] = Host.load().find(role, name).Options.model_json_schema().get("properties", {})
    options: dict[str, Any] = {}
    others, left = [], list(words)
    while left:
        word = left.pop(0)
        if not word.startswith("--"):
            others.append(word)
            continue
        flag, equals, text = word.partition("=")
        if not bare and not flag.startswith(f"--{role}."):
            raise ConfigError(
                f"unknown option {flag!r}. --help shows what there is; options of the {role} are --{role}.NAME VALUE."
            )
        option = flag.removeprefix("--").removeprefix(f"{role}.").replace("-", "_")
        if option not in known:
            raise ConfigError(f"{unknown_name('option', option, known)} See: tonesmith plugins show {role}:{name}")
        if not equals and known[option].get("type") != "boolean" and left and not left[0].startswith("--"):
            text, equals = left.pop(0), "="
        options[option] = _read(known[option], text) if equals else True
    return options, others


def _read(schema: Mapping[str, Any], text: str) -> Any:
    """Return a value: of a list, its members between commas."""
    kinds = [form.get("type") for form in (schema, *schema.get("anyOf", ()))]
    if "array" in kinds and ("," in text or not {"number", "integer", "string"} & set(kinds)):
        return [_plain(word.strip()) for word in text.strip("[]").split(",") if word.strip()]
    return _plain(text)


def _plain(text: str) -> Any:
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return value if isinstance(value, (bool, int, float, str)) else text
