"""Whatever a file holds, its reader ends with an error of tonesmith that names it, in seconds and little memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fuzz.kinds import DATASETS, KINDS

TESTS = Path(__file__).parents[1]
FEW = 5
MANY = {name: 1100 if name in DATASETS else 300 for name in KINDS}
"""11,300 mutants in all."""


def test_a_damaged_file_ends_in_an_error_of_tonesmith(tmp_path: Path) -> None:
    assert failures({kind: range(FEW) for kind in KINDS}, tmp_path) == []


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", KINDS)
def test_thousands_of_damaged_files_end_in_errors_of_tonesmith(kind: str, tmp_path: Path) -> None:
    assert failures({kind: range(1000, 1000 + MANY[kind])}, tmp_path) == []


def failures(seeds: dict[str, range], folder: Path) -> list[dict[str, Any]]:
    """Return what went wrong with mutants of some seeds, by kind. A process that dies of one is followed by another."""
    found: list[dict[str, Any]] = []
    while seeds:
        done, last = _run(seeds, folder / str(len(list(folder.iterdir()))))
        found += [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode == 0:
            break
        assert last, f"the sample is not read: {done.stderr}"
        found.append({"mutant": last, "error": f"the process ended with {done.returncode}: {done.stderr[-500:]}"})
        kind, _, seed = last.partition(":")
        names = list(seeds)[list(seeds).index(kind) :]
        seeds = {name: range(int(seed) + 1, seeds[name].stop) if name == kind else seeds[name] for name in names}
    return found


def _run(seeds: dict[str, range], folder: Path) -> tuple[subprocess.CompletedProcess[str], str]:
    """Return how a process ended that read mutants, and which it read last."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "fuzz.worker", str(folder), *(f"{k}:{s.start}:{len(s)}" for k, s in seeds.items())],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        check=False,
    )
    mutants = [line for line in done.stdout.splitlines() if line.partition(":")[0] in seeds]
    return done, mutants[-1] if mutants else ""
