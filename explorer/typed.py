"""What a person types for a model or a sound, as values."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tonesmith.errors import ConfigError

if TYPE_CHECKING:
    from tonesmith.explorer.planned import Given


def options_of(given: list[str], **flags: object) -> dict[str, object]:
    """Return the options of a model. Raises :class:`ConfigError` for one that is given twice, or is no NAME=VALUE."""
    found = {name: value for name, value in flags.items() if value is not None}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name or name in found:
            raise ConfigError(f"--option: expected NAME=VALUE, each name once, such as preset=small, not {text!r}.")
        found[name] = _value(value)
    return found


def _value(text: str) -> object:
    """Return a number that is spelled as one, or the text."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text


def values_of(given: list[str]) -> dict[str, Given]:
    """Return what sliders are set to. Raises :class:`ConfigError` for one that is set twice, or is no NAME=VALUE."""
    from tonesmith.explorer.moves import amount_of

    found: dict[str, Given] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name or name in found:
            raise ConfigError(f"--set: expected NAME=VALUE, each name once, such as brightness=+1.2, not {text!r}.")
        found[name] = amount_of(value, f"--set {name}")
    return found


def weights_of(given: str | None) -> list[float]:
    """Return the weights of a list with commas, none of no list. Raises :class:`ConfigError` for what is no number."""
    return [] if given is None else [_number(part, "--blend") for part in given.split(",")]


def _number(text: str, what: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConfigError(f"{what}: expected a number, not {text.strip()!r}.") from None
