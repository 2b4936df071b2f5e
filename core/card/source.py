"""What a card is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonesmith.dataset.splits import UNFINISHED
from tonesmith.terminal.text import one_line

if TYPE_CHECKING:
    from tonesmith.dataset.reader import Dataset
    from tonesmith.host.registry import Host
    from tonesmith.host.roles import Sink
    from tonesmith.plan.plan import Plan


@dataclass(frozen=True)
class CardSource:
    """What a card tells of.

    Attributes:
        path: of the dataset. Of it, only the name is told.
        dataset: opened.
        report: of the dataset, see :func:`tonesmith.dataset.report.report`.
        sink: that stores it.
        host: finds the plugins.
    """

    path: Path
    dataset: Dataset
    report: Mapping[str, Any]
    sink: type[Sink[Any]]
    host: Host

    @property
    def plan(self) -> Plan:
        """The plan of the dataset."""
        return self.dataset.plan

    @property
    def file(self) -> str:
        """Name of the dataset's folder or file."""
        return self.path.name

    @property
    def name(self) -> str:
        """Name of the dataset: that of its file, without the suffix."""
        return one_line(self.path.stem) or "dataset"

    @property
    def description(self) -> str:
        """Name of the Croissant description: in the dataset's folder, or beside a dataset that is one file."""
        return "croissant.json" if self.path.is_dir() else f"{self.file}.croissant.json"

    @cached_property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits that have rows."""
        return tuple(name for name, rows in self.dataset.splits.items() if len(rows))

    @cached_property
    def licences(self) -> list[str]:
        """Licences of the presets that the plan draws from, "" for those that state none; sorted."""
        return sorted({credit["licence"] for credit in self.report["presets"]["credits"]})

    @property
    def unfinished(self) -> bool:
        """Whether files are still being divided by split, so that no pattern of names has each row once."""
        return UNFINISHED in self.dataset.attributes

    @property
    def engine(self) -> str:
        """The synth and its version, as its backend tells them."""
        versions = ", ".join(f"{name} {version}" for name, version in self.plan.versions.items())
        return f"{self.plan.backend.name} ({versions})" if versions else self.plan.backend.name
