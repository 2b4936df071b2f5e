"""What a report costs: CPU seconds, memory and size of the page, of 10,000 rows of 2 s and of a million made-up labels.

The datasets are made up with NumPy and stored in Zarr in a temporary folder, some 2 GB at most. No synth is needed.
Each report runs in a process of its own; the kernel tells its CPU time and highest memory.

    python benchmarks/report.py
    python benchmarks/report.py --only 10000
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.plan.block import Block
from tonesmith.plan.notes import Notes
from tonesmith.plan.plan import Audio, Plan, PluginRef
from tonesmith.sinks.zarr import ZarrSink
from tonesmith.space.parameter import Parameter
from tonesmith.space.space import ParameterSpace

CASES = {10_000: (44100, 2, 88200, 16), 1_000_000: (8000, 1, 64, 2048)}
"""Rows -> sample rate, channels, frames, and patches of a block."""
_PITCHES = (48, 60, 72)
_TONES = 64


def plan_of(rows: int) -> Plan:
    """Return the plan of a made-up dataset: 60 continuous parameters, 12 with eight choices, three notes a patch."""
    rate, channels, frames, block = CASES[rows]
    continuous = tuple(Parameter(f"knob_{i}", "continuous", 0.0, 1.0, 0.5) for i in range(60))
    choices = tuple("abcdefgh")
    categorical = tuple(Parameter(f"switch_{i}", "categorical", 0.0, 7.0, 0.0, choices=choices) for i in range(12))
    return Plan(
        seed=0,
        rounds=(rows // len(_PITCHES),),
        block=block,
        max_attempts=5,
        timeout=60.0,
        audio=Audio(rate, channels, frames),
        notes=Notes(pitches=_PITCHES, velocities=(100,), hold=frames / rate / 2, tail=frames / rate / 2),
        backend=PluginRef("made-up"),
        isolation="snapshot",
        determinism="exact",
        space=ParameterSpace((*continuous, *categorical)),
        sampler=PluginRef("made-up"),
        origins=("lhs", "presets"),
        validators=(),
        measures=(),
        sink=PluginRef("zarr"),
        versions={"made-up": "1"},
    )


def make(rows: int, path: Path) -> None:
    """Store a dataset whose labels are random, and whose sounds are tones that end."""
    plan = plan_of(rows)
    sink = ZarrSink(ZarrSink.Options(), path)
    attributes = {"generator": "tonesmith", "plan": plan.to_json(), "fingerprint": plan.fingerprint}
    sink.create(attributes, plan.schema, plan.rows, plan.block_rows)
    tones = _tones(plan)
    for index in range(plan.blocks):
        columns = _columns(plan, index, tones)
        random = np.random.default_rng([1, index])
        digests = tuple(random.bytes(32) for _ in range(plan.rows_of(index)))
        sink.write_block(Block(index, index * plan.block_rows, columns, digests, (), plan.fingerprint))
    sink.finish()


def _tones(plan: Plan) -> NDArray[np.float32]:
    """Return tones with partials that fall to silence in half of their time: (tones, channels, frames)."""
    random = np.random.default_rng(0)
    seconds = np.arange(plan.audio.frames) / plan.audio.sample_rate
    falling = np.clip(1.0 - 2.0 * seconds / (seconds[-1] or 1.0), 0.0, 1.0)
    hertz, amplitude = random.uniform(80.0, 3000.0, (_TONES, 8, 1)), random.uniform(0.0, 0.4, (_TONES, 8, 1))
    made = [(falling * a * np.sin(2 * np.pi * f * seconds)).sum(axis=0) for f, a in zip(hertz, amplitude, strict=True)]
    return np.repeat(np.stack(made)[:, None], plan.audio.channels, axis=1).astype(np.float32)


def _columns(plan: Plan, index: int, tones: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    random, patches = np.random.default_rng([0, index]), np.array(plan.patches_of(index))
    notes, rows = plan.notes.per_patch, plan.rows_of(index)
    hold = np.full(rows, plan.notes.hold, np.float64)
    values = {
        "audio": tones[random.integers(0, _TONES, rows)] * random.uniform(0.1, 1.0, (rows, 1, 1)),
        "continuous": np.repeat(random.random((len(patches), 60)), notes, axis=0),
        "categorical": np.repeat(random.integers(0, 8, (len(patches), 12)), notes, axis=0),
        "audible": np.ones((rows, 72)),
        "pitch": np.tile(_PITCHES, len(patches)),
        "velocity": np.full(rows, 100),
        "hold": hold,
        "tail": hold,
        "patch": np.repeat(patches, notes),
        "attempt": np.zeros(rows),
        "origin": np.repeat(random.integers(0, 2, len(patches)), notes),
        "preset": np.zeros((rows, 32)),
    }
    return {column.name: np.asarray(values[column.name], column.dtype) for column in plan.schema}


def measured(path: Path, page: Path) -> dict[str, Any]:
    """Return what the report of a dataset cost: CPU and wall seconds, MB of memory at most, and bytes of the page."""
    command = [sys.executable, "-m", "tonesmith", "report", str(path), "-o", str(page), "--force", "--quiet", "--json"]
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    told = process.stdout.read() if process.stdout else ""
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"tonesmith report ended with {status}")
    facts = json.loads(told)
    return {
        "cpu": used.ru_utime + used.ru_stime,
        "seconds": time.monotonic() - started,
        "memory_mb": used.ru_maxrss / 1024.0,
        "nbytes": facts["nbytes"],
        "rows": facts["rows"],
    }


def main() -> None:
    """Measure, and print a line for each case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=int, choices=sorted(CASES), help="rows of the one case to measure")
    chosen = parser.parse_args().only
    print(f"{'rows':>9} {'heard':>6} {'CPU s':>7} {'s':>7} {'MB':>6} {'page MB':>8}")
    for rows in [chosen] if chosen else CASES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "d.zarr"
            make(rows, path)
            found = measured(path, Path(folder) / "report.html")
            told = f"{found['cpu']:7.1f} {found['seconds']:7.1f} {found['memory_mb']:6.0f} {found['nbytes'] / 1e6:8.2f}"
            print(f"{rows:>9,} {found['rows']:>6} {told}", flush=True)


if __name__ == "__main__":
    main()
