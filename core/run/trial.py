"""A few patches of a plan, made and stored aside: how long a row takes, and how large it is."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tonesmith.host.registry import Host
from tonesmith.host.roles import Sink
from tonesmith.plan.block import Block
from tonesmith.plan.plan import Plan
from tonesmith.run.produce import Workbench, produce_block
from tonesmith.run.resolve import Resolved

_PATCHES = 5
"""That are made, if there is time for them. The first is not timed, unless it is the only one: the engine loads."""
_SECONDS = 10.0
"""After which no further patch is begun, once one was timed."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a few patches showed.

    Attributes:
        rows: that were made.
        rejected: candidates that were rejected on the way.
        row_seconds: that one process takes for a row, with the candidates that are rejected for it.
        row_bytes: that a row takes as the sink stores it.
    """

    rows: int
    rejected: int
    row_seconds: float
    row_bytes: float


def try_out(resolved: Resolved, host: Host) -> Trial:
    """Make the first patches of a plan, store them in a folder that is removed, and return what that showed.

    Raises :class:`EngineError` and :class:`RunError` as a run does.
    """
    plan = replace(resolved.plan, block=1)
    patches = range(min(_PATCHES, plan.patches))
    took: list[float] = []
    blocks: list[Block] = []
    with tempfile.TemporaryDirectory(prefix="tonesmith-trial-") as folder:
        sink = created(plan, host, Path(folder), len(patches))
        with Workbench(plan, host, resolved.contents.__getitem__, sink.stored, resolved.load_seconds) as bench:
            for patch in patches:
                began = time.monotonic()
                blocks.append(produce_block(bench, patch))
                took.append(time.monotonic() - began)
                if len(took) > 1 and sum(took[1:]) > _SECONDS:
                    break
        before = size_of(folder)
        for block in blocks:
            sink.write_block(block)
        stored = size_of(folder) - before
    rows = sum(block.rows for block in blocks)
    timed = took[1:] or took
    rejected = sum(len(block.rejections) for block in blocks)
    return Trial(rows, rejected, sum(timed) / (len(timed) * plan.per_patch), stored / rows)


def created(plan: Plan, host: Host, folder: Path, patches: int) -> Sink[Any]:
    """Return the sink of a plan with an empty dataset for so many patches."""
    few = replace(plan, rounds=(patches,))
    sink = host.sink_at(plan.sink.name, plan.sink.options, folder / "trial")
    sink.create({"plan": few.to_json(), "fingerprint": plan.fingerprint}, few.schema, few.rows, few.block_rows)
    return sink


def size_of(folder: str) -> int:
    """Return the bytes of the files below a folder."""
    return sum((Path(above) / name).lstat().st_size for above, _, names in os.walk(folder) for name in names)
