"""Writers of every built-in sink, killed at every step: the contract does the same at some of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tonesmith.host.registry import Host
from tonesmith.testing import sink_processes as processes
from tonesmith.testing.sink_processes import Case
from tonesmith.testing.synthetic import synthetic_plan

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

FORMS = [
    ("folder", {}),
    ("folder", {"audio": "flac"}),
    ("hdf5", {}),
    ("hdf5", {"single": True}),
    ("lmdb", {}),
    ("parquet", {}),
    ("webdataset", {}),
    ("zarr", {}),
]


@pytest.fixture(params=FORMS, ids=lambda form: "-".join([form[0], *map(str, form[1])]))
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    name, options = request.param
    return Case(Host.load().find("sink", name), options, tmp_path / "dätaset", synthetic_plan())


def test_a_writer_killed_at_every_step_leaves_only_whole_blocks(case: Case) -> None:
    case = case._replace(plan=synthetic_plan(patches=400, block=1, frames=40))
    case.created()
    processes.run(processes.crash_while_writing, case, 1)


@pytest.mark.parametrize("empty", [False, True], ids=["a new folder", "an empty folder"])
def test_a_creation_killed_at_every_step_is_completed_by_the_next(case: Case, empty: bool) -> None:
    processes.run(processes.crash_while_creating, case, None, 1, empty)


def test_an_extension_killed_at_every_step_is_completed_by_the_next(case: Case) -> None:
    processes.run(processes.crash_while_creating, case._replace(plan=case.plan.extended_to(15)), case.plan, 1)
