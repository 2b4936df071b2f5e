"""How fast `tonesmith preview` opens, filters and sorts a dataset of many rows, and what memory that takes.

    python benchmarks/preview.py --rows 1000000

The labels are made up, one block of them again and again, and the sounds are 8 frames long: what is measured reads
labels. The screen runs without a terminal, in a process of its own, at 80 x 24. "open" is from the path to the listed
rows, without the imports of Python; "first row" ends when the first row is drawn. Seconds are those of the clock, and
of the processor in brackets. The page cache is warm, since the dataset was just written.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from tonesmith.plan.block import Block, row_digests
from tonesmith.plan.notes import Notes
from tonesmith.plan.plan import Plan
from tonesmith.sinks.zarr import ZarrSink
from tonesmith.testing.synthetic import ASSETS, attributes_of, synthetic_block, synthetic_plan

PER_BLOCK = 2048
"""Rows of a block."""
STEPS = {"filter": ("cutoff > 60 and pitch = 48", ""), "sort": ("", "cutoff"), "both": ("slope = 12", "peak_dbfs")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--look", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.look:
        print(json.dumps(asyncio.run(looked(arguments.look))))
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        path = Path(folder) / "many.zarr"
        write(path, arguments.rows)
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, __file__, "--look", str(path)], capture_output=True, text=True, check=True
        )
        told = json.loads(done.stdout)
        print(f"{told.pop('rows')} rows; whole process {time.perf_counter() - started:.1f} s")
        for name, value in told.items():
            print(f"{name:<14} {value}")


def plan_of(rows: int) -> Plan:
    """Return a plan of two notes a patch."""
    notes = Notes(pitches=(48, 60), velocities=(100,), hold=0.0005, tail=0.0005)
    plan = synthetic_plan(patches=-(-rows // PER_BLOCK) * PER_BLOCK // 2, block=PER_BLOCK // 2, frames=8)
    return replace(plan, notes=notes)


def write(path: Path, rows: int) -> None:
    """Write a dataset: the rows of its first block again and again, with the numbers of their patches."""
    plan = plan_of(rows)
    sink = ZarrSink(ZarrSink.Options(), path)
    sink.create(attributes_of(plan), plan.schema, plan.rows, plan.block_rows)
    for content in ASSETS.values():
        sink.add_asset(content)
    first = synthetic_block(plan, 0)
    for index in range(plan.blocks):
        columns = {**first.columns, "patch": first.columns["patch"] + index * plan.block}
        columns["continuous"] = np.roll(first.columns["continuous"], index, axis=0)
        digests = row_digests(plan.schema, columns)
        sink.write_block(Block(index, index * plan.block_rows, columns, digests, (), plan.fingerprint))
    sink.finish()


class Clock:
    """Counts from now."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def __str__(self) -> str:
        return f"{time.perf_counter() - self._wall:.2f} s ({time.process_time() - self._cpu:.2f} s)"


async def looked(path: Path) -> dict[str, str]:
    """Open a dataset on a screen, filter and sort it, and return seconds and megabytes."""
    from tonesmith.preview.lists.source import Arrangement
    from tonesmith.preview.session import Session
    from tonesmith.preview.widgets.app import Preview

    told = {"imported": peak()}
    clock = Clock()
    app = Preview(Session.open(path))
    async with app.run_test(size=(80, 24)) as pilot:
        while not len(app.table.order):
            await pilot.pause(0.001)
        told = {"rows": f"{len(app.table.order):,}", **told, "open": str(clock), "opened": peak()}
        while app.detail is None:
            await pilot.pause(0.001)
        told |= {"first row": str(clock), "drawn": peak()}
        for name, (query, sort) in STEPS.items():
            clock, before = Clock(), app.table.order
            app._rearrange(Arrangement(query, sort))
            while app.table.order is before:
                await pilot.pause(0.001)
            told[name] = str(clock)
    return {**told, "at the end": peak()}


def peak() -> str:
    """Return the most memory that this process has taken."""
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000.0:.0f} MB"


if __name__ == "__main__":
    main()
