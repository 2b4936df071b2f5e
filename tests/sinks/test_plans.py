"""One path, one plan: which run wins, and what becomes of blocks of another plan."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tonesmith.dataset.opening import open_dataset
from tonesmith.errors import DatasetError, OtherPlanError
from tonesmith.host.registry import Host
from tonesmith.testing import sink_processes as processes
from tonesmith.testing.sink_processes import Case
from tonesmith.testing.synthetic import attributes_of, synthetic_plan

FORMS = {
    "zarr": {},
    "folder": {},
    "hdf5": {},
    "hdf5-single": {"single": True},
    "lmdb": {},
    "parquet": {},
    "webdataset": {},
}


def case_of(name: str, path: Path) -> Case:
    options: dict[str, Any] = FORMS[name]
    return Case(Host.load().sinks()[name.partition("-")[0]], options, path, synthetic_plan())


@pytest.mark.long
@pytest.mark.parametrize("name", FORMS)
def test_of_twenty_races_for_a_path_each_has_one_winner(name, tmp_path):
    processes.run(processes.race, case_of(name, tmp_path), 20, False)


@pytest.mark.parametrize("name", ["zarr", "folder", "hdf5-single"])
def test_a_block_of_another_plan_is_not_written(name, tmp_path):
    case = case_of(name, tmp_path / "d")
    case.created()
    with pytest.raises(OtherPlanError, match="block 0 is of the plan 000000000000"):
        case.made().write_block(replace(case.block(0), plan="0" * 64))
    assert dict(case.made().committed()) == {}
    case.made().write_block(case.block(0))
    assert len(open_dataset(case.path)) == 8


@pytest.mark.parametrize("name", ["zarr", "folder"])
def test_a_dataset_of_an_earlier_version_names_no_plan_and_is_gone_on_with(name, tmp_path):
    case = case_of(name, tmp_path / "d")
    attributes = {key: value for key, value in attributes_of(case.plan).items() if key != "fingerprint"}
    case.made().create(attributes, case.plan.schema, case.plan.rows, case.plan.block_rows)
    case.made().write_block(replace(case.block(0), plan=""))
    for file in (case.path / "tonesmith" / "plan").iterdir():
        file.unlink()
    (case.path / "tonesmith" / "plan").rmdir()
    assert open_dataset(case.path)[3].row == 3
    case.created().write_block(case.block(1))
    opened = open_dataset(case.path)
    assert [opened.storage.plan_of(block) for block in (0, 1)] == ["", case.plan.fingerprint]
    assert opened[12].row == 12
    with pytest.raises(OtherPlanError):
        case._replace(plan=replace(case.plan, seed=8)).created()


def test_two_sinks_do_not_make_two_datasets_in_one_folder(tmp_path):
    first, second = case_of("zarr", tmp_path / "d"), case_of("folder", tmp_path / "d")
    (first.path / "tonesmith" / "aside").mkdir(parents=True)
    second.made()._claim(first.path, {"fingerprint": "0" * 64})  # as a run that goes on in a moment
    with pytest.raises(OtherPlanError, match="another run has begun"):
        first.created()
    shutil.rmtree(first.path / "tonesmith")
    first.created()
    with pytest.raises(DatasetError):
        second.created()
