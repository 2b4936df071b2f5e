"""Contenders that take turns, each in processes of its own with one thread, and the CPU seconds that they took."""

from __future__ import annotations

import argparse
import json
import os
import queue
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from _processes import cpu_seconds, process

from tonesmith.api import generate
from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.reader import Dataset
from tonesmith.engine.channel import Child, Message, signal_name
from tonesmith.host.registry import Host

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_PATIENCE = 600.0

Round = dict[str, float]


class DiedError(SystemExit):
    """A contender's process ended before it had answered."""


class Contender:
    """A process of ``_contenders.py`` or another such script, which dies alone if what it runs does.

    Its methods raise :class:`DiedError`, which ends the benchmark unless it is caught.

    Args:
        kind: what it does, as the script calls it.
        job: file that tells it what to do.
        script: in this folder.
        ahead: whether it works ahead between its turns: that CPU counts too.
    """

    def __init__(self, kind: str, job: Path, script: str = "_contenders.py", *, ahead: bool = False) -> None:
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name(script), kind, job],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **_ONE_THREAD},
        )
        self._ready = False
        self._ahead, self._counted = ahead, 0.0

    def round(self) -> Round:
        """Let it do all its work once, and return what it says and the CPU seconds it took."""
        if not self._ready:
            self._answer()
            self._ready = True
            self._counted = cpu_seconds(self._process.pid)
        before = self._counted if self._ahead else cpu_seconds(self._process.pid)
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        told = self._answer()
        self._counted = cpu_seconds(self._process.pid)
        return {**told, "cpu": self._counted - before}

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _answer(self) -> Round:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.communicate()
            code = self._process.returncode
            raise DiedError(f"died ({signal_name(-code)})" if code < 0 else f"ended with status {code}")
        answer: Round = json.loads(line)
        return answer


class Tonesmith:
    """One or more of tonesmith's own worker processes; each makes every block of a dataset of its own."""

    def __init__(self, datasets: Sequence[Path]) -> None:
        self._blocks = range(open_dataset(datasets[0]).plan.blocks)
        self._inbox: queue.Queue[Message] = queue.Queue()
        self._workers = [Child("tonesmith.run.worker", self._inbox) for _ in datasets]
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


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """Return a parser of what every comparison of rows takes: how long a note is, and how often all have a turn."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hold", type=float, default=1.5, help="seconds from note on to note off")
    parser.add_argument("--tail", type=float, default=0.5, help="seconds rendered after that")
    parser.add_argument("--rounds", type=int, default=3, help="how often each contender has its turn")
    return parser


def circumstances(rounds: int) -> str:
    """Return the line that figures are read with."""
    return f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}; medians of {rounds} rounds"


def made(path: Path, **settings: Any) -> Dataset:
    """Return a dataset made by tonesmith with these settings: its plan decides the patches of all contenders."""
    generate(path, **settings)
    return open_dataset(path)


def turns(contenders: Mapping[str, Any], count: int, optional: Collection[str] = ()) -> dict[str, list[Round]]:
    """Let contenders do a round each, ``count`` times after one to warm up, end them, and return what they took.

    Args:
        contenders: by name.
        count: of rounds that are measured.
        optional: names of those that are left out, and said so, if they die. Any other ends the benchmark.
    """
    rounds: dict[str, list[Round]] = defaultdict(list)
    left = dict(contenders)
    for number in range(count + 1):
        for name, contender in list(left.items()):
            try:
                told = contender.round()
            except DiedError as death:
                if name not in optional:
                    raise
                print(f"{name}: {death}; it is left out")
                del left[name]
                rounds.pop(name, None)
                continue
            if number:
                rounds[name].append(told)
    for contender in left.values():
        contender.close()
    return rounds


def copy_of(dataset: Dataset, path: Path, copy: Path) -> Path:
    """Return a copy whose ledger has every rejection, so that only the accepted candidates are rendered again."""
    shutil.copytree(path, copy)
    plan, sinks = dataset.plan, Host.load().sinks()
    cls = sinks[plan.sink.name]
    sink: Any = cls(cls.Options.model_validate(plan.sink.options), copy)
    for rejection in dataset.rejections:
        sink.record_fault(rejection)
    return copy


def ratio(rounds: Mapping[str, list[Round]], less: str, more: str) -> float:
    """Return the median over rounds of how much CPU one took of another."""
    return median(a["cpu"] / b["cpu"] for a, b in zip(rounds[less], rounds[more], strict=True))
