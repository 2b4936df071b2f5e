"""Each fault that a synth may have, at each place in a block: it costs its candidate, by name, and nothing else."""

from __future__ import annotations

import sys
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from support import Chaos, sampled

from tonesmith import open_dataset

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is watched through /proc")

CAUSES = {
    "overflow": ("engine: crash", "SIGSEGV"),
    "crash": ("engine: crash", "SIGSEGV"),
    "abort": ("engine: crash", "SIGABRT"),
    "memory": ("engine: memory", "over 100 MB"),
    "exit0": ("engine: crash", "it ended itself"),
    "loop": ("engine: timeout", "no answer in 4 s"),
    "hang": ("engine: timeout", "no answer in 4 s"),
    "nan": ("level: not finite", ""),
    "silent": ("level: silent", ""),
    "shape": ("engine: shape", "render returned"),
    "raise": ("engine: error", "told to raise"),
}
_CASES = product(CAUSES, (0, 1, 2), (1, 2))


def _settings(fault: str, at: int) -> dict[str, Any]:
    return {
        "patches": 6,
        "block": 3,
        "memory": 100_000_000,
        "timeout": 4.0 if CAUSES[fault][0].endswith("timeout") else 60.0,
        "sampler": {"name": "misplaced", "fault": fault, "at": at},
        "notes": {"pitches": [60, 72], "hold": 0.05, "tail": 0.05},
    }


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return what gives the digest for a place: of a run in which a validator finds the fault, and no process dies."""

    @cache
    def digest(at: int) -> str:
        path: Path = tmp_path_factory.mktemp("expected") / "d"
        return Chaos().make(path, ("none", "silent"), **_settings("silent", at)).digest

    return digest


@pytest.mark.parametrize(("fault", "at", "workers"), sampled(_CASES, 22))
def test_a_fault_costs_its_candidate_and_changes_no_other_row(chaos, tmp_path, expected, fault, at, workers):
    summary = chaos.make(tmp_path / "d", tuple(CAUSES), workers=workers, **_settings(fault, at))

    cause, detail = CAUSES[fault]
    (rejection,) = open_dataset(tmp_path / "d").rejections
    assert (rejection.patch, rejection.attempt, rejection.cause) == (at, 0, cause)
    assert detail in rejection.detail
    assert (summary.complete, summary.rejections, summary.candidates) == (True, {cause: 1}, 7)
    assert summary.digest == expected(at)
