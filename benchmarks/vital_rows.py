"""What a row of Vital costs: tonesmith, the raw engine, and the recipe of the original Vital pipeline.

All three render the same notes of the same patches, in turns, each in processes of its own with one thread.
Only CPU seconds (user and system, of all processes) and ratios of them are compared. Needs Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from _processes import cpu_seconds, process

from tonesmith.api import composed
from tonesmith.backends.vita.preset import template_json
from tonesmith.channel import Child, Message
from tonesmith.dataset import Dataset, open_dataset
from tonesmith.host import Host
from tonesmith.pipeline import resolve_plan, run

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_STORAGE = ("copy", "pack", "digest", "zarr write")
_PATIENCE = 600.0

Round = dict[str, float]


class Contender:
    """A process of ``_contenders.py``."""

    def __init__(self, kind: str, job: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("_contenders.py"), kind, job],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **_ONE_THREAD},
        )
        self._answer()

    def round(self) -> Round:
        """Let it do all its work once, and return what it says and the CPU seconds it took."""
        before = cpu_seconds(self._process.pid)
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        told = self._answer()
        return {**told, "cpu": cpu_seconds(self._process.pid) - before}

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _answer(self) -> Round:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("a contender died")
        answer: Round = json.loads(line)
        return answer


class Tonesmith:
    """One or more of tonesmith's own worker processes; each makes every block of a dataset of its own."""

    def __init__(self, datasets: Sequence[Path]) -> None:
        self._blocks = range(open_dataset(datasets[0]).plan.blocks)
        self._inbox: queue.Queue[Message] = queue.Queue()
        self._workers = [Child("tonesmith.worker", self._inbox) for _ in datasets]
        for worker, path in zip(self._workers, datasets, strict=True):
            worker.send({"plan": open_dataset(path).plan.to_json(), "path": str(path)})
        self._gather()
        self.round()
        self.first = sum(cpu_seconds(worker.pid) for worker in self._workers)
        """CPU seconds of start-up and a first round: the engine is loaded for the first patch."""

    def round(self) -> Round:
        """Have every block made and stored by each worker, and return CPU and wall-clock seconds."""
        started, whole, own = time.monotonic(), self._whole(), self._own()
        for index in self._blocks:
            for worker in self._workers:
                worker.send({"block": index})
        self._gather(commits=len(self._blocks) * len(self._workers))
        wall = time.monotonic() - started
        return {"cpu": self._whole() - whole, "worker": self._own() - own, "wall": wall}

    def close(self) -> None:
        """End the workers."""
        for worker in self._workers:
            worker.end()

    def _gather(self, commits: int = 0) -> None:
        """Wait for all workers to be ready, or for so many blocks to be stored."""
        wanted, key = (commits, "committed") if commits else (len(self._workers), "ready")
        while wanted:
            body = self._inbox.get(timeout=_PATIENCE).body
            if body is None or "failed" in body:
                raise SystemExit(f"a worker failed: {body}")
            wanted -= key in body

    def _whole(self) -> float:
        return sum(cpu_seconds(worker.pid) for worker in self._workers)

    def _own(self) -> float:
        """Return what the workers took without their engines, which live as long as they do."""
        return sum(p.seconds for worker in self._workers if (p := process(worker.pid)))


def main() -> None:
    """Compare, and print a table for each tier."""
    options = _arguments()
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}; medians of {options.rounds} rounds")
    print(f"{options.patches} patches x pitches {options.pitches}, {options.hold} s held + {options.tail} s")
    for tier in options.tiers:
        with tempfile.TemporaryDirectory() as folder:
            _report(tier, *_measured(Path(folder), tier, options))


def _measured(folder: Path, tier: int, options: argparse.Namespace) -> tuple[Dataset, dict[str, list[Round]], float]:
    """Return the dataset that all compare on, the rounds of each contender, and CPU seconds of start-up."""
    dataset = _made(folder / "seen", tier, options)
    copies = [_copy(dataset, folder / "seen", folder / f"copy-{i}") for i in range(3)]
    job = _job(dataset, folder)
    kinds: dict[str, Any] = {
        "one": Tonesmith(copies[:1]),
        "two": Tonesmith(copies[1:]),
        **{kind: Contender(kind, job) for kind in ("raw", "recipe", "parts")},
    }
    rounds: dict[str, list[Round]] = defaultdict(list)
    for number in range(options.rounds + 1):
        for name, contender in kinds.items():
            told = contender.round()
            if number:  # the first is to warm up
                rounds[name].append(told)
    start_up = kinds["one"].first - median(told["cpu"] for told in rounds["one"])
    for contender in kinds.values():
        contender.close()
    return dataset, rounds, start_up


def _made(path: Path, tier: int, options: argparse.Namespace) -> Dataset:
    """Return a dataset made by tonesmith: its plan decides the patches."""
    host = Host.load()
    settings = {
        "patches": options.patches,
        "backend": {"name": "vita", "tier": tier},
        "notes": {"pitches": options.pitches, "hold": options.hold, "tail": options.tail},
    }
    run(resolve_plan(composed(None, settings, host=host), host), path, host=host)
    return open_dataset(path)


def _copy(dataset: Dataset, path: Path, copy: Path) -> Path:
    """Return a copy whose ledger has every rejection, so that only the accepted candidates are rendered again."""
    shutil.copytree(path, copy)
    plan, sinks = dataset.plan, Host.load().sinks()
    cls = sinks[plan.sink.name]
    sink: Any = cls(cls.Options.model_validate(plan.sink.options), copy)
    for rejection in dataset.rejections:
        sink.record_fault(rejection)
    return copy


def _job(dataset: Dataset, folder: Path) -> Path:
    """Return a file with what the other contenders need: the same patches, notes and template."""
    plan = dataset.plan
    first = [i * plan.notes.per_patch for i in range(plan.patches)]
    patches = [dataset.patch_of(i) for i in first]
    job = {
        "folder": str(folder),
        "dataset": str(folder / "seen"),
        "patches": [dict(patch.values) for patch in patches],
        "notes": [[n.pitch, n.velocity / 127, n.hold, n.duration] for n in plan.notes.of_patch(plan.seed, 0)],
        "init": template_json(patches[0], dataset.assets_of(0)),
        "channels": plan.audio.channels,
        "frames": plan.audio.frames,
    }
    path = folder / "job.json"
    path.write_text(json.dumps(job))
    return path


def _report(tier: int, dataset: Dataset, rounds: Mapping[str, list[Round]], start_up: float) -> None:
    rows, rejected = len(dataset), len(dataset.rejections)
    spent = {name: 1000 * median(told["cpu"] for told in told_of) / rows for name, told_of in rounds.items()}
    spent["two"] /= 2
    print(f"\nTier {tier}: {rows} rows; {rejected} rejected candidates are not part of any figure")
    print(f"  {'':34}{'CPU ms/row':>12}{'rows/CPU-s':>12}{'of raw':>9}")
    for name, text in (
        ("raw", "raw engine, reused (wrong audio)"),
        ("recipe", "recipe (wrong audio)"),
        ("one", "tonesmith, 1 worker"),
        ("two", "tonesmith, 2 workers"),
    ):
        ratio = _ratio(rounds, "raw", name) * (2 if name == "two" else 1)
        print(f"  {text:36}{spent[name]:10.1f}{1000 / spent[name]:12.2f}{ratio:9.2f}")
    walls = [2 * one["wall"] / two["wall"] for one, two in zip(rounds["one"], rounds["two"], strict=True)]
    print(f"  tonesmith to recipe, per core {_ratio(rounds, 'recipe', 'one'):.2f}")
    print(f"  2 workers to 1, wall clock    {median(walls):.2f} (best {max(walls):.2f}; others may use the cores)")
    print(f"  start-up of a worker          {start_up:.1f} CPU s, in no figure above")
    _shares(rows, rounds, spent)


def _ratio(rounds: Mapping[str, list[Round]], less: str, more: str) -> float:
    """Return the median over rounds of how much CPU one took of another."""
    return median(a["cpu"] / b["cpu"] for a, b in zip(rounds[less], rounds[more], strict=True))


def _shares(rows: int, rounds: Mapping[str, list[Round]], spent: Mapping[str, float]) -> None:
    """Print where the CPU time of a row of tonesmith goes."""
    names = [name for name in rounds["parts"][0] if name != "cpu"]
    parts = {name: 1000 * median(told[name] for told in rounds["parts"]) for name in names}
    worker = 1000 * median(told["worker"] for told in rounds["one"]) / rows
    validation = parts["level"] + parts["loudness"]
    storage = sum(parts[name] for name in _STORAGE)
    known = {
        "raw engine": spent["raw"],
        "fork, page copies, engine's messages": spent["one"] - worker - spent["raw"],
        **parts,
        "rest of the worker": worker - sum(parts.values()),
    }
    print(f"  where a row's {spent['one']:.1f} ms go:")
    for name, cost in known.items():
        print(f"    {name:38}{cost:8.2f} ms{100 * cost / spent['one']:7.1f} %")
    print(f"  validation {validation:.2f} + storage {storage:.2f} = {validation + storage:.2f} ms")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiers", type=int, nargs="+", default=[1, 2], choices=[1, 2])
    parser.add_argument("--patches", type=int, default=16)
    parser.add_argument("--pitches", type=int, nargs="+", default=[48, 60, 72])
    parser.add_argument("--hold", type=float, default=1.5, help="seconds from note on to note off")
    parser.add_argument("--tail", type=float, default=0.5, help="seconds rendered after that")
    parser.add_argument("--rounds", type=int, default=3, help="how often each contender has its turn")
    return parser.parse_args()


if __name__ == "__main__":
    main()
