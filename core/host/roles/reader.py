"""A reader opens as a dataset what is none, such as a corpus."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tonesmith.host.roles.base import O, Plugin
from tonesmith.host.roles.storage import Storage


@dataclass(frozen=True, slots=True)
class Divided:
    """What a division into splits came to.

    Attributes:
        told: what ``--json`` prints of it.
        lines: what a person reads.
    """

    told: Mapping[str, Any]
    lines: tuple[str, ...]


class Reader(Plugin[O]):
    """Opens what lies at a path, and is no dataset, as one: its rows are made when they are read.

    Its ``Options`` say how, such as the seconds of a row: ``tonesmith convert`` has a flag for each.
    """

    role = "reader"
    kind: ClassVar[str]
    """What it opens, in a word or two, such as "a corpus"."""

    def __init__(self, options: O) -> None:
        self.options = options

    @classmethod
    @abstractmethod
    def recognises(cls, path: Path) -> bool:
        """Return whether the path holds what this opens. It reads as little as it can."""

    @abstractmethod
    def open(self, path: Path) -> Storage:
        """Return what is at the path, in the form that the options ask for. Its rows are :attr:`Storage.live`.

        Raises :class:`ConfigError` for options that do not fit what is there.
        """

    @classmethod
    @abstractmethod
    def split(cls, path: Path, asked: Mapping[str, Any], *, dry_run: bool) -> Divided:
        """Divide what is at the path into splits, by its own rules.

        Args:
            path: of it.
            asked: the options of ``tonesmith split`` that were typed, by name, such as ``train`` and ``stratify``.
            dry_run: whether to store nothing.

        Raises :class:`ConfigError` for an option that means nothing to it, with what to do instead.
        """
