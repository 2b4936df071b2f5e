"""The options of the importers and annotators that are used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tonesmith.host.registry import Host

Options = Mapping[str, Mapping[str, Any]]
"""Name of a plugin -> its options."""


def laid_over(role: str, below: Options, above: Options) -> Options:
    """Return the options of plugins, those above before those below.

    Raises :class:`PluginError` for an unknown plugin, and :class:`ConfigError` for an option that it does not take.
    """
    chosen = {name: {**below.get(name, {}), **above.get(name, {})} for name in (*below, *above)}
    for name, options in chosen.items():
        Host.load().options_of(role, name, options)
    return chosen
