"""How a run ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Summary:
    """How a run ended.

    Attributes:
        path: of the dataset.
        rows: stored now, from this run and those before it.
        rows_planned: of the whole plan.
        rows_added: by this run.
        patches: of the whole plan.
        seconds: that this run took.
        nbytes: that the dataset takes in storage.
        rejections: how often in this run, by "validator: reason".
        candidates: drawn in this run, accepted or not.
        digest: SHA-256 of the content of the stored rows.
        complete: whether every row of the plan is stored.
        interrupted: whether the run was asked to stop before.
    """

    path: Path
    rows: int
    rows_planned: int
    rows_added: int
    patches: int
    seconds: float
    nbytes: int
    rejections: Mapping[str, int]
    candidates: int
    digest: str
    complete: bool
    interrupted: bool

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return {**asdict(self), "path": str(self.path), "rejections": dict(self.rejections)}
