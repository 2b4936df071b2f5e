"""Whether the features of a dataset are those of its sounds: a sample is computed again and compared."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset.added import Added
from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.verify import Damage
from tonesmith.errors import DatasetError, RunError, TonesmithError
from tonesmith.host.computing import Computer
from tonesmith.host.feature_trust import check_feature_trusted
from tonesmith.host.registry import Host
from tonesmith.plan.feature import PREFIX, StoredFeature

_NEEDED = ("audio", "patch")


@dataclass
class FeatureCheck:
    """What a check of features came to.

    Attributes:
        rows: that were computed again.
        compared: names of the features that were.
        left_out: name -> why it could not be computed here.
        damage: what is not as it should be.
    """

    rows: int = 0
    compared: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    damage: list[Damage] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form, without the damage."""
        return {"rows": self.rows, "compared": self.compared, "left_out": self.left_out}


def check_features(
    dataset: Dataset,
    rows: Sequence[int],
    host: Host,
    progress: Callable[[int], object] = int,
    *,
    skip: Collection[int] = (),
    trust: bool = False,
) -> FeatureCheck:
    """Read every stored feature, and compute some rows again and compare them.

    A feature is compared within the tolerance that its definition states: another machine may round otherwise.

    Args:
        dataset: to check.
        rows: indices of the rows to compute again.
        host: finds the plugins. One that is missing, or runs code that this user does not know, is left out.
        progress: told the number of rows after each.
        skip: indices of rows that are known to be damaged.
        trust: whether to run code that the dataset names.
    """
    found = FeatureCheck(rows=len(rows))
    found.damage += [Damage(-1, -1, "beside", fault) for fault in Added(dataset.storage.path).faults]
    found.damage += _unreadable(dataset, skip)
    unread = {item.block for item in found.damage}
    stored = list(dataset.features.values())
    computers = [(feature, _computer(feature, dataset, host, found, trust=trust)) for feature in stored]
    for row in rows:
        if int(dataset.rows[row]) // dataset.plan.block_rows not in unread:
            for feature, computer in computers:
                if computer is not None:
                    found.damage += _compared(dataset, row, feature, computer)
        progress(1)
    return found


def _computer(
    feature: StoredFeature, dataset: Dataset, host: Host, found: FeatureCheck, *, trust: bool
) -> Computer | None:
    try:
        check_feature_trusted(feature.name, feature.options, host, trust=trust)
        computer = Computer([feature], dataset.plan.audio, host)
    except TonesmithError as error:
        found.left_out[feature.name] = str(error)
        return None
    found.compared.append(feature.name)
    return computer


def _unreadable(dataset: Dataset, skip: Collection[int]) -> Iterator[Damage]:
    """Yield the blocks whose features cannot be read."""
    names = [column.name for column in dataset.schema if column.name.startswith(PREFIX)]
    blocks = dataset.rows // dataset.plan.block_rows
    known = {int(blocks[row]) for row in skip}
    for block in np.unique(blocks).tolist() if names else ():
        if block in known:
            continue
        here = np.flatnonzero(blocks == block)
        try:
            dataset.get_batch(here, names)
        except DatasetError as error:
            yield from (Damage(int(row), block, "feature", str(error)) for row in here)


def _compared(dataset: Dataset, row: int, feature: StoredFeature, computer: Computer) -> Iterator[Damage]:
    number = int(dataset.rows[row])
    names = [column.name for column in feature.columns()]
    stored = dataset.get_batch([row], [*_NEEDED, *dataset.plan.notes.columns, *names])
    block = number // dataset.plan.block_rows
    try:
        again = computer.columns(stored)
    except RunError as error:
        yield Damage(row, block, "feature", str(error))
        return
    for array in feature.arrays:
        name = f"{PREFIX}{feature.key(array)}"
        if name in stored and (far := distance(stored[name], again[name])) > array.tolerance:
            yield Damage(row, block, "feature", f"{feature.key(array)} differs by up to {far:.3g} {array.unit}")


def distance(stored: NDArray[Any], again: NDArray[Any]) -> float:
    """Return the largest absolute difference; infinity where only one of them is NaN."""
    a, b = stored.astype(np.float64), again.astype(np.float64)
    if (np.isnan(a) != np.isnan(b)).any():
        return float("inf")
    return float(np.max(np.abs(np.nan_to_num(a) - np.nan_to_num(b)), initial=0.0))
