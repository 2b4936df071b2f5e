"""A few patches of a plan, made as a run makes them and stored nowhere: what they sound like, and what a run takes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tonesmith.host.registry import Host
from tonesmith.plan.block import Block, row_digests
from tonesmith.plan.plan import Plan
from tonesmith.plan.rejection import Rejection
from tonesmith.plan.rows import RowContent, pack_rows
from tonesmith.run.produce import Watch, Workbench, drawn_label, heard
from tonesmith.run.resolve import Resolved
from tonesmith.run.trial import Trial, created, size_of
from tonesmith.score.phrase import Phrase
from tonesmith.space.label import Label
from tonesmith.space.patch import Candidate, Note, Patch
from tonesmith.space.sampling import uniform


@dataclass(frozen=True, eq=False)
class Tried:
    """A candidate of an audition.

    Attributes:
        candidate: its patch and attempt, as a run numbers them.
        label: of it; of one that is accepted it is the label that a run stores.
        patch: that the label stands for.
        notes: the notes or phrases that a run plays it with.
        rejection: why it is rejected, or None.
        audio: float32 (notes, channels, frames), as it would be stored; NaN where nothing was heard.
    """

    candidate: Candidate
    label: Label
    patch: Patch
    notes: tuple[Note | Phrase, ...]
    rejection: Rejection | None
    audio: NDArray[np.float32]


def spread(plan: Plan, count: int) -> tuple[int, ...]:
    """Return so many patches of a plan, or all if it has fewer: one from each even part of it, at random by its seed.

    Neighbours in a plan may be alike, and each so-many-th patch of a Sobol sequence lies in one half of the space.
    """
    count = min(count, plan.patches)
    at = uniform(plan.seed, "audition", 0, 0, count).tolist()
    edges = [plan.patches * i // count for i in range(count + 1)]
    return tuple(edges[i] + int(at[i] * (edges[i + 1] - edges[i])) for i in range(count))


class Audition:
    """Makes patches of a plan, candidate by candidate, as an iterator of :class:`Tried`; afterwards it knows more.

    Once a patch has no candidate that is accepted, a run would stop. The audition goes on, with one candidate for each
    patch.

    Args:
        resolved: the plan and its assets.
        host: finds the plugins.
        patches: to make, as :func:`spread` returns them.
    """

    def __init__(self, resolved: Resolved, host: Host, patches: Sequence[int]) -> None:
        self.plan = resolved.plan
        self.exhausted: dict[int, tuple[Rejection, ...]] = {}
        """Patch -> its rejections, if all its candidates were rejected."""
        self.trial: Trial | None = None
        """What the accepted rows tell of the time and the bytes of a run; None without any."""
        self._resolved, self._host, self._patches = resolved, host, patches

    def __iter__(self) -> Iterator[Tried]:
        plan, took, accepted, rejected = replace(self.plan, block=1), list[float](), 0, 0
        with tempfile.TemporaryDirectory(prefix="tonesmith-audition-") as folder:
            sink = created(plan, self._host, Path(folder), len(self._patches))
            empty, resolved = size_of(folder), self._resolved
            asset = resolved.contents.__getitem__
            with Workbench(plan, self._host, asset, sink.stored, resolved.load_seconds) as bench:
                for patch in self._patches:
                    began = time.monotonic()
                    tries, rows = self._tries(bench, patch)
                    rejected += sum(one.rejection is not None for one in tries)
                    if rows:
                        sink.write_block(_block(bench, accepted, rows))
                        accepted += 1
                        took.append(time.monotonic() - began)
                    yield from tries
            stored = size_of(folder) - empty
        if accepted:
            count, timed = accepted * plan.per_patch, took[1:] or took  # the engine loads for the first
            seconds = sum(timed) / (len(timed) * plan.per_patch)
            self.trial = Trial(count, rejected, seconds, stored / count)

    def _tries(self, bench: Workbench, patch: int) -> tuple[list[Tried], Sequence[RowContent]]:
        """Return the candidates of a patch, up to the one that is accepted, and its rows."""
        tries: list[Tried] = []
        notes = bench.plays(patch)
        for attempt in range(1 if self.exhausted else self.plan.max_attempts):
            candidate = Candidate(patch, attempt)
            drawn = drawn_label(bench, candidate)
            found = heard(bench, candidate, drawn, Watch())
            label, of = (found.rows[0].label, found.rows[0].patch) if found.rows else drawn
            tries.append(Tried(candidate, label, of, notes, found.rejection, found.audio))
            if found.rows:
                return tries, found.rows
        if len(tries) == self.plan.max_attempts:
            self.exhausted[patch] = tuple(one.rejection for one in tries if one.rejection is not None)
        return tries, ()


def _block(bench: Workbench, index: int, rows: Sequence[RowContent]) -> Block:
    columns = pack_rows(bench.plan, rows, np.stack([row.audio for row in rows]))
    columns |= bench.features.columns(columns)
    digests = row_digests(bench.plan.schema, columns)
    return Block(index, index * bench.plan.block_rows, columns, digests, (), bench.plan.fingerprint)
