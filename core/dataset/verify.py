"""Whether a dataset is what it says: every stored byte, and the sound of every label."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.renderer import Rendered, Renderer
from tonesmith.dataset.row import Row
from tonesmith.engine.determinism import same_audio
from tonesmith.errors import BlockDamagedError, DatasetError
from tonesmith.host.registry import Host
from tonesmith.plan.block import row_digests
from tonesmith.plan.items import MIDI
from tonesmith.plan.phrases import SCORE
from tonesmith.plan.plan import fingerprint_of
from tonesmith.plan.rows import digest_hex
from tonesmith.space.sampling import key_of


@dataclass(frozen=True, slots=True)
class Damage:
    """A row, or something beside the rows, that is not what it should be.

    Attributes:
        row: its place among the dataset's rows; -1 for what is no row's.
        block: the block that holds it, or -1.
        what: "unreadable", "digest" (its bytes are not those that were written), "asset" (what its label
            names is missing or damaged) or "render" (its label does not sound like its audio); of no row: "asset",
            "plan" (it is not the one that the rows were made by) or "beside" (what lies beside the rows). "plan" of a
            row is of one that another plan made.
        detail: how far off, or the error.
        cure: what to do, where the detail does not tell it.
    """

    row: int
    block: int
    what: str
    detail: str = ""
    cure: str = ""


def check_integrity(dataset: Dataset, progress: Callable[[int], object] = int) -> Iterator[Damage]:
    """Read every row and compare its digest with the one that was stored with its block.

    Args:
        dataset: to check.
        progress: told the number of rows after each block.
    """
    schema = [column for column in dataset.plan.schema if column.content]
    assets: dict[str, str] = {}
    first, stored = 0, dataset.storage.blocks()
    for block, rows in sorted(dataset.storage.committed().items()):
        offset = block * dataset.plan.block_rows
        try:
            digests = stored[block]
            foreign = dataset.storage.foreign(block)
        except DatasetError as error:
            yield from _all_of(range(first, first + rows), block, "unreadable", error)
            digests, foreign = (), ""
        if foreign:
            yield from (Damage(first + place, block, "plan", foreign, _REMOVE) for place in range(rows))
            digests = ()
        for place, digest in enumerate(digests):
            try:
                columns = {c.name: dataset.storage.read(c.name, [offset + place]) for c in schema}
            except DatasetError as error:
                yield from _all_of(range(first + place, first + place + 1), block, "unreadable", error)
                continue
            if row_digests(schema, columns)[0] != digest:
                yield Damage(first + place, block, "digest")
            named = [*columns.get("asset", [[]])[0], *columns.get(SCORE, []), *columns.get(MIDI, [])]
            faults = [_asset_fault(dataset, digest_hex(name), assets) for name in named]
            if any(faults):
                yield Damage(first + place, block, "asset", next(filter(None, faults)))
        first += rows
        progress(rows)
    yield from _beside(dataset, assets)


_REMOVE = (
    "Delete the block's marker in tonesmith/blocks, or the block's file where there is no such folder, and run the "
    "command that made the dataset again, which makes the block anew."
)


def _all_of(rows: range, block: int, what: str, error: DatasetError) -> Iterator[Damage]:
    """Yield the same damage of some rows of a block."""
    detail, cure = (error.what, error.cure) if isinstance(error, BlockDamagedError) else (str(error), "")
    return (Damage(row, block, what, detail, cure) for row in rows)


def plan_fault(dataset: Dataset) -> str:
    """Return what tells that the plan is not that by which the rows were made, or "": its fingerprint is beside it."""
    found, stored = fingerprint_of(dataset.attributes["plan"]), dataset.attributes.get("fingerprint", "")
    if not stored or found == stored:
        return ""
    return f"fingerprint {found[:12]} does not match {str(stored)[:12]}; the plan was edited, and labels may be wrong"


def _beside(dataset: Dataset, known: dict[str, str]) -> Iterator[Damage]:
    """Yield what is wrong with the plan, with assets that no row names, and with what the format keeps beside rows."""
    if fault := plan_fault(dataset):
        yield Damage(-1, -1, "plan", fault)
    named = {preset.patch for preset in dataset.plan.presets}
    named |= {score.sha256 for score in dataset.plan.phrases.scores} if dataset.plan.phrases else set()
    for name in sorted({*dataset.storage.assets(), *named} - known.keys()):
        if fault := _asset_fault(dataset, name, known):
            yield Damage(-1, -1, "asset", fault)
    for fault in dataset.storage.check():
        yield Damage(-1, -1, "beside", fault)


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
    dataset: Dataset,
    rows: Sequence[int],
    path: Path,
    host: Host,
    progress: Callable[[int], object] = int,
    *,
    trust: bool = False,
) -> Iterator[Damage]:
    """Render rows again from their stored labels and compare the samples, bit for bit.

    Each row's audio goes through what it went through then: the sinks that stored it with loss before a conversion or
    a merge, and the dataset's own.

    Args:
        dataset: whose rows to render.
        rows: which.
        path: of the dataset.
        host: finds its plugins.
        progress: told the number of rows after each.
        trust: whether to load what its plan names though this user has not used it.

    Raises :class:`TrustError` if the plan names a plugin that this user does not know.
    """
    with Renderer(dataset, path, host, trust=trust) as renderer:
        for row in rows:
            stored = dataset[row]
            again = renderer.render(stored.patch, stored.plays, stored.patch_id)
            progress(1)
            if fault := _render_fault(stored, again):
                yield Damage(row, stored.row // dataset.plan.block_rows, "render", fault)


def _render_fault(stored: Row, again: Rendered) -> str:
    """Return how a row differs from what was rendered of its label, or ""."""
    if again.failure:
        return again.failure
    if again.held:
        told = ", ".join(f"{name} = {value:g}" for name, value in sorted(again.held.items())[:3])
        return f"the synth holds other values than the label: {told}"
    if same_audio(again.audio, stored.audio):
        return ""
    return f"differs by up to {float(np.max(np.abs(again.audio - stored.audio))):.3g} of full scale"
