"""The options of a composer as flags of ``tonesmith corpus compose``: ``--mood sad``, ``--bars=4``, ``--drums``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from tonesmith.errors import ConfigError, unknown_name
from tonesmith.host.registry import Host


def composer_options(name: str, words: Sequence[str]) -> dict[str, Any]:
    """Return the options of a composer that words of the command line state.

    Raises :class:`PluginError` for an unknown composer, :class:`ConfigError` for a flag that is none of its options.
    """
    known: Mapping[str, Any] = Host.load().find("composer", name).Options.model_json_schema().get("properties", {})
    options: dict[str, Any] = {}
    left = list(words)
    while left:
        word = left.pop(0)
        flag, equals, text = word.partition("=")
        option = flag.removeprefix("--").removeprefix("composer.").replace("-", "_")
        if not flag.startswith("--"):
            raise ConfigError(
                f"unexpected argument {word!r}. PATH comes first; options of the composer are --NAME VALUE."
            )
        if option not in known:
            raise ConfigError(f"{unknown_name('option', option, known)} See: tonesmith plugins show composer:{name}")
        if not equals and left and not left[0].startswith("--"):
            text, equals = left.pop(0), "="
        options[option] = _read(known[option], text) if equals else True
    return options


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
