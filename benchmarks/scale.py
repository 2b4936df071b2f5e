"""Where one run reaches its limits, with renders that cost nothing: blocks and events per second, and 100,000 blocks.

The parent: its CPU per block and per event, while workers make blocks of a synth that returns silence. What one parent
can serve follows from that; the workers of this machine do not saturate it.

The start: a dataset with that many committed blocks is made of copies of one marker. What a run costs that finds all
made, and one that has a block to make: seconds, CPU, listings of the markers, and memory of the parent.

The price (``--synths``): what a row of a synth takes, in a worker that has started: CPU, bytes and files; and what a
million take. docs/scale.md puts money to it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import _null_synth
from _processes import memory_mb
from _turns import Tonesmith, circumstances, made, turns

from tonesmith.api import composed
from tonesmith.host.registry import Host
from tonesmith.run.pipeline import run, survey
from tonesmith.run.resolve import Resolved, resolve_plan
from tonesmith.run.watch import Watcher

_NOTES = {"pitches": [60], "hold": 0.01, "tail": 0.0}
_SYNTHS: dict[str, dict[str, Any]] = {
    "vita, tier 1": {"name": "vita", "tier": 1},
    "vita, tier 2": {"name": "vita", "tier": 2},
    "vita, tier 3": {"name": "vita", "tier": 3},
    "Faust, fm": {"name": "dawdreamer", "instrument": "fm"},
    "Faust, additive": {"name": "dawdreamer", "instrument": "additive"},
}


class _Counter(Watcher):
    """Counts what the parent hears."""

    def __init__(self) -> None:
        self.events = 0

    def accepted(self, rows: int) -> None:
        self.events += 2  # it was told of the candidate before, too

    def committed(self, block: int, rows: int) -> None:
        self.events += 1


@dataclass(frozen=True, slots=True)
class Cost:
    """What something took: wall and CPU seconds of this process, and how often it listed the markers."""

    wall: float
    cpu: float
    listings: int


def resolved(patches: int, block: int, sink: str = "zarr") -> Resolved:
    """Return a plan of the synth that costs nothing."""
    settings: dict[str, Any] = {
        "backend": _null_synth.NAME,
        "sampler": "uniform",
        "validators": [],
        "patches": patches,
        "block": block,
        "sample_rate": 8000,
        "notes": _NOTES,
        "sink": sink,
    }
    host = Host.load()
    return resolve_plan(composed(None, settings, host=host), host)


def serve(folder: Path, workers: int, blocks: int, patches: int) -> None:
    """Print what the parent took for each block and event of a run."""
    work, counter = resolved(blocks * patches, patches), _Counter()
    with costs() as taken:
        run(work, folder / f"serve{patches}", workers=workers, watcher=counter)
    cost = taken()
    per_event = cost.cpu / counter.events
    print(
        f"{workers:7} {patches:7} {blocks:7} {blocks / cost.wall:9.1f} {counter.events / cost.wall:9.1f} "
        f"{1e3 * cost.cpu / blocks:13.2f} {1e3 * per_event:13.3f} {blocks / cost.cpu:13.0f} {1 / per_event:13.0f}"
    )


def start(folder: Path, blocks: int, sink: str) -> None:
    """Print what a survey and a run take on a dataset with so many blocks, of which it has one to make or none."""
    path = folder / f"start-{sink}"
    run(resolved(1, 1, sink), path, workers=1)
    _multiply(path, blocks)
    work = resolved(blocks, 1, sink)
    for name, action in (
        ("survey", lambda: survey(work.plan, path, Host.load())),
        ("a share that is there", lambda: _share(work, path, 0)),
        ("a share of one block", lambda: _share(work, path, blocks - 1)),
    ):
        with costs() as taken:
            action()
        cost = taken()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        figures = f"{cost.wall:7.2f} {cost.cpu:7.2f} {cost.listings:9} {memory_mb(os.getpid()):8.0f} {peak:8.0f}"
        print(f"{sink:10} {name:24} {figures}")


def _share(work: Resolved, path: Path, block: int) -> None:
    from tonesmith.plan.share import share_of

    run(work, path, workers=1, share=share_of(work.plan.blocks, [block], None))


def _multiply(path: Path, blocks: int) -> None:
    """Commit blocks by copies of the marker of block 0: all but two, since making the last seals the dataset."""
    folder = path / "tonesmith" / "blocks"
    first = next(folder.iterdir())
    marker = json.loads(first.read_bytes())
    for index in range(1, blocks - 2):
        content = json.dumps({**marker, "block": index, "first_row": index * marker["rows"]}).encode()
        (folder / f"{index:06d}-{marker['rows']}-{len(content)}.json").write_bytes(content)


def price(folder: Path, name: str, sink: str, patches: int, rounds: int) -> None:
    """Print what a row of a synth takes: three notes of 2 s a patch, all of one block."""
    path = folder / f"{name}-{sink}"
    dataset = made(path, backend=_SYNTHS[name], patches=patches, block=patches, sink=sink, workers=1)
    cpu = median(told["cpu"] for told in turns({name: Tonesmith([path])}, rounds)[name]) / len(dataset)
    files, size = sum(len(names) for _, _, names in os.walk(path)), dataset.nbytes / len(dataset) / 1e3
    print(f"{name:16} {sink:11} {1e3 * cpu:10.1f} {size:10.0f} {files:6} {cpu / 3.6e-3:14.1f}")


@contextmanager
def costs() -> Iterator[Callable[[], Cost]]:
    """Give what returns, afterwards, what the body cost in this process."""
    listed, listdir = 0, os.listdir

    def counting(place: Any = ".") -> list[Any]:
        nonlocal listed
        listed += str(place).endswith("blocks")
        return listdir(place)

    wall, cpu = time.monotonic(), time.process_time()
    os.listdir = counting  # type: ignore[assignment]
    try:
        yield lambda: Cost(time.monotonic() - wall, time.process_time() - cpu, listed)
    finally:
        os.listdir = listdir


def main() -> None:
    """Measure, and print."""
    options = _arguments()
    if options.synths:
        print(f"{circumstances(options.rounds)}; files are those of one block and of the dataset")
        print("synth            sink        CPU ms/row     kB/row  files  CPU h/million")
        with tempfile.TemporaryDirectory(dir=options.folder) as place:
            for name, sink in product(_SYNTHS, options.sinks):
                price(Path(place), name, sink, options.patches[-1], options.rounds)
        return
    if options.only is None:  # each in a process of its own, so that memory is told apart
        for part in ("serve", *options.sinks):
            subprocess.run([sys.executable, __file__, *sys.argv[1:], "--only", part], check=True)
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as place, _null_synth.plugged():
        folder = Path(place)
        if options.only == "serve":
            print(circumstances(1))
            print(
                "workers patches  blocks  blocks/s  events/s  CPU ms/block  CPU ms/event  most blocks/s most events/s"
            )
            for patches in options.patches:
                serve(folder, options.workers, max(1, options.rows // patches), patches)
            print(f"{'sink':10} {f'of {options.blocks:,} blocks':24}       s   CPU s  listings       MB  peak MB")
        else:
            start(folder, options.blocks, options.only)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rows", type=int, default=800, help="rows of each run of the first part")
    parser.add_argument("--patches", type=int, nargs="+", default=[1, 4, 16], help="patches per block there")
    parser.add_argument("--blocks", type=int, default=100_000, help="committed blocks of the second part")
    parser.add_argument("--sinks", nargs="+", default=["zarr", "folder"], help="of the second part")
    parser.add_argument("--synths", action="store_true", help="measure what a row of each synth takes, and no more")
    parser.add_argument("--rounds", type=int, default=3, help="of each synth")
    parser.add_argument("--folder", type=Path, help="to make datasets in, instead of that of temporary files")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
