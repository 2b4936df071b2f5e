"""A plugin, and the distribution that it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tonesmith.host.roles import Plugin


@dataclass(frozen=True, slots=True)
class Origin:
    """The distribution that a plugin came from."""

    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """A plugin, and where it came from."""

    role: str
    name: str
    summary: str
    distribution: str
    version: str
    plugin: type[Plugin[Any]]
