"""Whether memory stays flat over a long run of Vital: tier 1, two workers, short notes.

Every second the memory of the parent, the workers, the engines and the templates is read, as PSS (a page that
processes share counts once in all) where the kernel tells it. Needs Linux.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from _processes import command, has_pss, memory_mb, tree

from tonesmith.api import composed
from tonesmith.host.registry import Host
from tonesmith.run.pipeline import run
from tonesmith.run.resolve import resolve_plan
from tonesmith.run.watch import Watcher

_ROLES = ("parent", "workers", "engines", "templates", "rendering")
_FLAT_MB = 3.0
"""MB per 1000 rows, of the processes that live as long as the run, up to which memory counts as flat."""


class Sampler(Watcher):
    """A watcher of the run that reads memory as rows arrive."""

    def __init__(self, period: float) -> None:
        self.rows = 0
        self.samples: list[tuple[int, dict[str, float]]] = []
        self._period = period
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def accepted(self, rows: int) -> None:
        """Count."""
        self.rows += rows

    def start(self) -> None:
        """Begin to sample."""
        self._thread.start()

    def stop(self) -> None:
        """Sample no more."""
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._over.wait(self._period):
            self.samples.append((self.rows, memory_by_role()))


def memory_by_role() -> dict[str, float]:
    """Return MB of this process and its descendants, and the number of those that stay.

    Of a page that a template shares with a child that renders, PSS gives each a part: the two belong together.
    """
    processes = {p.pid: p for p in tree(os.getpid())}
    roles: dict[int, str] = {}
    held: dict[str, float] = defaultdict(float)
    for pid, process in processes.items():
        roles[pid] = _role(pid, roles.get(process.parent, ""))
        held[roles[pid]] += memory_mb(pid)
        held["processes"] += roles[pid] != "rendering"
    return held


def _role(pid: int, parents: str) -> str:
    if not parents:
        return "parent"
    if parents == "parent":
        return "workers"
    if parents == "workers":
        return "engines" if "tonesmith.engine.server" in command(pid) else "other"
    return "templates" if parents == "engines" else "rendering"


def slope(rows: Sequence[int], values: Sequence[float]) -> float:
    """Return how much the values grow per 1000 rows, by least squares, in the second half."""
    late = [(r, v) for r, v in zip(rows, values, strict=True) if r >= 0.5 * rows[-1]]
    return float(1000 * np.polyfit(*np.array(late, np.float64).T, 1)[0])


def main() -> None:
    """Run, and print the series."""
    options = _arguments()
    sampler, host = Sampler(options.period), Host.load()
    per_patch = len(options.pitches)
    settings = {
        "patches": -(-options.rows // per_patch),
        "backend": {"name": "vita", "tier": 1},
        "notes": {"pitches": options.pitches, "hold": 0.2, "tail": 0.1},
    }
    resolved = resolve_plan(composed(None, settings, host=host), host)
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        sampler.start()
        try:
            run(resolved, Path(folder) / "rows", workers=options.workers, host=host, watcher=sampler)
        finally:
            sampler.stop()
    seconds = time.monotonic() - started
    print(f"{sampler.rows} rows, {options.workers} workers, {seconds:.0f} s, {len(sampler.samples)} samples")
    report(sampler.samples)


def report(samples: Sequence[tuple[int, dict[str, float]]]) -> None:
    """Print ten points, each the median of the samples around it, and the slopes.

    Samples from before every process was there, or after the first had ended, are left out.
    """
    most = max(held["processes"] for _, held in samples)
    kept = [(rows, held) for rows, held in samples if rows and held["processes"] == most]
    rows = [row for row, _ in kept]
    series = {role: [held.get(role, 0.0) for _, held in kept] for role in _ROLES}
    series["all"] = [sum(values) for values in zip(*series.values(), strict=True)]
    print(f"MB ({'PSS' if has_pss() else 'RSS'})")
    print(f"{'rows':>8}" + "".join(f"{role:>11}" for role in series))
    for part in np.array_split(np.arange(len(kept)), 10):
        middle = rows[part[len(part) // 2]]
        print(f"{middle:8}" + "".join(f"{np.median(np.array(values)[part]):11.1f}" for values in series.values()))
    slopes = {role: slope(rows, values) for role, values in series.items()}
    print(f"{'MB/1000':>8}" + "".join(f"{value:+11.2f}" for value in slopes.values()))
    standing = sum(slopes[role] for role in ("parent", "workers", "engines"))
    verdict = "flat" if standing <= _FLAT_MB else "NOT flat"
    print(f"{verdict}: parent, workers and engines {standing:+.2f} in the second half")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--pitches", type=int, nargs="+", default=[48, 60, 72])
    parser.add_argument("--period", type=float, default=1.0, help="seconds between samples")
    return parser.parse_args()


if __name__ == "__main__":
    main()
