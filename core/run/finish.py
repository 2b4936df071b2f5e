"""Finishing a dataset that many jobs have made: what is missing, and the end of it if nothing is."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tonesmith.card.composition import load_composition
from tonesmith.dataset.installed import installed
from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.splits import UNFINISHED
from tonesmith.errors import ConfigError
from tonesmith.host.registry import Host
from tonesmith.plan.share import gaps, spelled
from tonesmith.run.pipeline import check_grows
from tonesmith.run.sealing import seal

_LONGEST = 20_000
"""Characters of a list of blocks that fits into a command on every system."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What there is of a dataset, and what is missing.

    Attributes:
        path: of the dataset.
        rows: stored now.
        rows_planned: of the whole plan.
        blocks: stored now, whole.
        blocks_planned: of the whole plan.
        missing: blocks that are not stored, or only in part, such as "12:15,40"; "" if none is.
        command: that makes them; "" if nothing is missing, or only the command that made the dataset can.
        nbytes: that the dataset takes in storage; 0 until it is complete.
        digest: SHA-256 of the content of the rows; "" until it is complete.
        complete: whether every row of the plan is stored. Then the dataset is finished.
        dividing: whether its division into files by split was interrupted.
    """

    path: Path
    rows: int
    rows_planned: int
    blocks: int
    blocks_planned: int
    missing: str
    command: str
    nbytes: int
    digest: str
    complete: bool
    dividing: bool

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form, with null for what is not known yet."""
        told = asdict(self)
        return {**told, "path": str(self.path), "nbytes": self.nbytes or None, "digest": self.digest or None}


def finish(path: Path, host: Host | None = None) -> Finished:
    """Complete a dataset if each of its blocks is there: its sink, then its card. Else nothing is written.

    Safe to repeat, and while others write to the dataset.

    Args:
        path: of the dataset.
        host: finds the plugins.

    Raises :class:`DatasetNotFoundError` if there is no dataset, :class:`OtherPlanError` if blocks are missing that no
    run can make, :class:`PluginError` if its sink is not installed, and :class:`DatasetError` if it is damaged.
    """
    host = host or Host.load()
    dataset = installed(open_dataset(path), path, host, ("sink",))
    plan, stored = dataset.plan, dataset.committed
    whole = (index for index, rows in stored.items() if index < plan.blocks and rows == plan.rows_of(index))
    missing = gaps(whole, plan.blocks)
    if missing:
        check_grows(path, dataset.attributes)
    else:
        dataset = seal(host.sink_at(plan.sink.name, plan.sink.options, path), whole=True)
    return Finished(
        path=path,
        rows=_rows(dataset, stored),
        rows_planned=plan.rows,
        blocks=plan.blocks - sum(map(len, missing)),
        blocks_planned=plan.blocks,
        missing=spelled(missing),
        command=_command(path, spelled(missing), host) if missing else "",
        nbytes=0 if missing else dataset.nbytes,
        digest="" if missing else dataset.digest,
        complete=not missing,
        dividing=UNFINISHED in dataset.attributes,
    )


def _rows(dataset: Dataset, stored: Mapping[int, int]) -> int:
    return sum(rows for index, rows in stored.items() if index < dataset.plan.blocks)


def _command(path: Path, missing: str, host: Host) -> str:
    """Return the command that makes blocks of a dataset; "" if its plan does not tell how it was made.

    Without a list of blocks, which may be too long, it makes whatever is missing.
    """
    try:
        load_composition(path, {}, host=host)
    except ConfigError:
        return ""
    place = shlex.quote(f"./{path}" if str(path).startswith("-") else str(path))
    chosen = f" --blocks {missing}" if len(missing) <= _LONGEST else ""
    return f"tonesmith generate --config {place}{chosen} {place}"
