"""The predicted sounds as a small dataset, which every other command opens."""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tonesmith.analysis.metrics import METRICS
from tonesmith.analysis.scoring.crew import Scored
from tonesmith.analysis.scoring.predictions import SCORED
from tonesmith.card.card import renew_card
from tonesmith.dataset.reader import Dataset
from tonesmith.errors import PathTakenError
from tonesmith.host.registry import Host
from tonesmith.plan.block import Block, row_digests
from tonesmith.plan.notes import Notes, expression_ranges
from tonesmith.plan.plan import Plan, PluginRef
from tonesmith.plan.rows import RowContent, pack_rows
from tonesmith.plan.schema import Measure
from tonesmith.space.patch import Note
from tonesmith.transfer.destination import THROUGH, encodings

SAMPLER = "predictions"
"""What the plan of such a dataset names as its sampler and origin: no rows are drawn from it."""
BLOCK = 16


class SoundsDataset:
    """A dataset that is made of predictions, a block at a time, in any order.

    Args:
        path: of the new dataset.
        dataset: with the targets.
        rows: the number in its plan of the row that each prediction is of.
        notes: that play them.
        host: finds the sink, which is that of the dataset.

    Raises :class:`PathTakenError` if something is at the path.
    """

    def __init__(self, path: Path, dataset: Dataset, rows: Sequence[int], notes: Sequence[Note], host: Host) -> None:
        if path.exists() or path.is_symlink():
            raise PathTakenError(f"{path} exists. Name another with --out, or delete it.")
        self.path = path
        self._notes = notes
        self.plan = _plan(dataset.plan, rows, notes)
        self._sink = host.sink_at(self.plan.sink.name, self.plan.sink.options, path)
        attributes = {
            "generator": "tonesmith",
            "plan": self.plan.to_json(),
            "fingerprint": self.plan.fingerprint,
            "made_with": {"tonesmith": importlib.metadata.version("tonesmith"), **self.plan.versions},
            SCORED: {"fingerprint": dataset.plan.fingerprint, "rows": [int(row) for row in rows]},
            THROUGH: encodings(dataset, dataset.storage.path or Path(), host),
            **{name: dataset.attributes[name] for name in ("checkup", "plugins") if name in dataset.attributes},
        }
        self._sink.create(attributes, self.plan.schema, self.plan.rows, self.plan.block_rows)
        self._assets = dataset.storage.asset
        self._added: set[str] = set()

    def write(self, index: int, scored: Sequence[Scored]) -> None:
        """Store a block of predictions: those of its jobs, in order."""
        contents = [self._content(one) for one in scored]
        for name in sorted(
            {name for content in contents for name in content.label.assets.values()} - {"", *self._added}
        ):
            self._sink.add_asset(self._assets(name))
            self._added.add(name)
        columns = pack_rows(self.plan, contents)
        digests = row_digests(self.plan.schema, columns)
        self._sink.write_block(Block(index, index * BLOCK, columns, digests, (), self.plan.fingerprint))

    def finish(self) -> None:
        """Say that all is there, and write the card."""
        self._sink.finish()
        renew_card(self.path, Dataset(type(self._sink).open(self.path), self.path))

    def remove(self) -> None:
        """Delete what was written."""
        shutil.rmtree(self.path, ignore_errors=True) if self.path.is_dir() else self.path.unlink(missing_ok=True)

    def _content(self, one: Scored) -> RowContent:
        space = self.plan.space
        label = space.encode(one.played)
        patch = space.decode(label, SAMPLER)
        return RowContent(one.audio, label, patch, self._notes[one.job], one.job, 0, next(iter(one.values.values())))


def _plan(plan: Plan, rows: Sequence[int], notes: Sequence[Note]) -> Plan:
    pitches, velocities = sorted({note.pitch for note in notes}), sorted({note.velocity for note in notes})
    holds = sorted({note.hold for note in notes})
    return replace(
        plan,
        rounds=(len(rows),),
        block=BLOCK,
        notes=Notes(
            pitches=(pitches[0], pitches[-1]),
            velocities=(velocities[0], velocities[-1]),
            hold=(holds[0], holds[-1]),
            tail=plan.notes.duration - holds[-1],
            draw=1,
            **expression_ranges(notes, plan.notes.expressed),
        ),
        sampler=PluginRef(SAMPLER),
        origins=(SAMPLER,),
        validators=(),
        measures=tuple(Measure(metric.name, metric.unit or "1", metric.doc) for metric in METRICS),
        presets=(),
        features=(),
    )
