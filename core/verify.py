"""Whether a dataset is what it says: every stored byte, and the sound of every label."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tonesmith.block import row_digests
from tonesmith.dataset import Dataset
from tonesmith.errors import DatasetError
from tonesmith.host import Host
from tonesmith.produce import Workbench, same_audio
from tonesmith.rows import digest_hex
from tonesmith.sampling import key_of


@dataclass(frozen=True, slots=True)
class Damage:
    """A row that is not what it should be.

    Attributes:
        row: its place among the dataset's rows.
        block: the block that holds it.
        what: "unreadable", "digest" (its bytes are not those that were written), "asset" (what its label
            names is missing or damaged) or "render" (its label does not sound like its audio).
        detail: how far off, or the error.
    """

    row: int
    block: int
    what: str
    detail: str = ""


def check_integrity(dataset: Dataset, progress: Callable[[int], object] = int) -> Iterator[Damage]:
    """Read every row and compare its digest with the one that was stored with its block.

    Args:
        dataset: to check.
        progress: told the number of rows after each block.
    """
    schema = [column for column in dataset.plan.schema if column.content]
    assets: dict[str, str] = {}
    first = 0
    for block, digests in sorted(dataset.storage.blocks().items()):
        offset = block * dataset.plan.block_rows
        for place, digest in enumerate(digests):
            try:
                columns = {c.name: dataset.storage.read(c.name, [offset + place]) for c in schema}
            except DatasetError as error:
                yield Damage(first + place, block, "unreadable", str(error))
                continue
            if row_digests(schema, columns)[0] != digest:
                yield Damage(first + place, block, "digest")
            faults = [_asset_fault(dataset, digest_hex(name), assets) for name in columns.get("asset", [[]])[0]]
            if any(faults):
                yield Damage(first + place, block, "asset", next(filter(None, faults)))
        first += len(digests)
        progress(len(digests))


def _asset_fault(dataset: Dataset, name: str, known: dict[str, str]) -> str:
    """Return what is wrong with an asset, or ""; each is read once."""
    if name and name not in known:
        try:
            dataset.storage.asset(name)
            known[name] = ""
        except DatasetError as error:
            known[name] = str(error)
    return known.get(name, "")


def rows_to_render(dataset: Dataset, count: int) -> list[int]:
    """Return ``count`` rows spread over the dataset, the same ones each time."""
    if count >= len(dataset):
        return list(range(len(dataset)))
    generator = np.random.Generator(np.random.Philox(key=key_of(dataset.plan.seed, "verify")))
    return sorted(int(row) for row in generator.choice(len(dataset), count, replace=False))


def check_renders(
    dataset: Dataset, rows: Sequence[int], path: Path, host: Host, progress: Callable[[int], object] = int
) -> Iterator[Damage]:
    """Render rows again from their stored labels and compare the samples, bit for bit.

    Rows of one patch are rendered together, as they were made.
    """
    plan = dataset.plan
    sink = host.sink_at(plan.sink.name, plan.sink.options, path)
    with Workbench(plan, host, dataset.storage.asset, sink.stored) as bench:
        for row in rows:
            stored = dataset[row]
            outcome = bench.engine.play(stored.patch, [stored.note], plan.timeout)[0]
            progress(1)
            block = stored.row // plan.block_rows
            if outcome.failure:
                yield Damage(row, block, "render", f"{outcome.failure}: {outcome.detail}")
                continue
            again = bench.stored(bench.engine.audio[0].copy())
            if not same_audio(again, stored.audio):
                error = float(np.max(np.abs(again - stored.audio)))
                yield Damage(row, block, "render", f"differs by up to {error:.3g} of full scale")
