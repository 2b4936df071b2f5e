"""What all plugins share: a name, a summary, and options."""

from __future__ import annotations

from abc import ABC
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """Base of every plugin's options: each field is a TOML key and a command-line flag.

    Give each field a default, a description, and bounds (``Field(1, ge=0, le=9, description=...)``).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


O = TypeVar("O", bound=Options)  # noqa: E741 - the options type of a plugin


class Plugin(ABC, Generic[O]):
    """What all roles share.

    A plugin object never crosses a process: a worker rebuilds it from its name and options.
    """

    role: ClassVar[str]
    name: ClassVar[str]
    """One word, unique in its role: lower-case letters, digits, ``-`` and ``_``."""
    summary: ClassVar[str]
    """One line, for ``tonesmith plugins``."""
    Options: ClassVar[type[Options]]

    options: O
