"""How a run ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Shared:
    """What there is of a share, and what the dataset that it belongs to still lacks.

    Attributes:
        blocks: of the share, such as "0:50,70".
        rows: of the share that are stored now.
        rows_planned: of the share.
        blocks_planned: of the whole plan.
        missing: blocks of the whole plan that are not stored.
    """

    blocks: str
    rows: int
    rows_planned: int
    blocks_planned: int
    missing: int


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
        nbytes: that the dataset takes in storage; 0 after a share, until the dataset is complete.
        rejections: how often in this run, by "validator: reason".
        candidates: drawn in this run, accepted or not.
        digest: SHA-256 of the content of the stored rows; "" after a share, until the dataset is complete.
        complete: whether every row of the plan is stored.
        interrupted: whether the run was asked to stop before.
        share: what there is of the share, if the run was to make only one.
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
    share: Shared | None = None

    @property
    def done(self) -> bool:
        """Whether every row is stored that the run was to make: of its share, or of the plan."""
        return self.complete or (self.share is not None and self.share.rows == self.share.rows_planned)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form. It has a share only after one, and null for what was not counted then."""
        told = {**asdict(self), "path": str(self.path), "rejections": dict(self.rejections)}
        if self.share is None:
            del told["share"]
        return {**told, "nbytes": self.nbytes or None, "digest": self.digest or None}
