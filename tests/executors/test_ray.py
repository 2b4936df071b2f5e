"""The executor ray keeps to the contract, and a run on it is one on this machine. Ray is real, and the same for all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support import amounts

from tonesmith import open_dataset
from tonesmith.engine.overheard import overhearing
from tonesmith.executors.ray import RayExecutor
from tonesmith.run.pipeline import run
from tonesmith.testing import ExecutorContract
from tonesmith.testing.executor import Puppet

pytestmark = [pytest.mark.usefixtures("ray_here"), pytest.mark.timeout(900)]


class TestRay(ExecutorContract):
    executor = RayExecutor

    def test_what_a_worker_prints_is_told_to_who_listens_here(self, opened):
        lines: list[str] = []
        with overhearing(lines.append):
            puppet = Puppet(opened)
            puppet.tell(print="hello from afar\n")
            puppet.tell(exit=0)
            assert puppet.rest() == []
            assert [line.partition(": ")[2] for line in lines] == ["hello from afar"]

    test_nothing_runs_once_it_is_closed = pytest.mark.long(ExecutorContract.test_nothing_runs_once_it_is_closed)


def make(chaos: Any, path: Path, workers: int, **settings: Any) -> Any:
    return run(chaos.resolved(**settings), path, workers=workers, executor=RayExecutor(RayExecutor.Options()))


@pytest.mark.parametrize("workers", amounts(1, 2))
def test_rows_and_rejections_are_those_of_this_machine_and_who_ends_his_worker_is_blamed(chaos, tmp_path, workers):
    settings = {"patches": 6, "block": 2, "sampler": "troublesome"}
    chaos.make(tmp_path / "calm", **settings, validators={"touchy": {}})
    tops = sorted({row.measured["touch"] for row in open_dataset(tmp_path / "calm")})
    settings["validators"] = {"touchy": {"crash_above": (tops[-1] + tops[-3]) / 2}}
    here = chaos.make(tmp_path / "here", **settings)

    there = make(chaos, tmp_path / "there", workers, **settings)

    assert there.complete
    assert (there.digest, there.rejections) == (here.digest, here.rejections)
    assert there.rejections["worker: crash"] >= 1
