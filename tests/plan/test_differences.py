"""What is said of a plan that is not the one that is there: all of it, in few lines, with what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tonesmith.plan.differences import cure_of, difference_lines, differences
from tonesmith.testing.synthetic import synthetic_plan


@pytest.fixture
def plan() -> Any:
    return synthetic_plan()


def test_many_differences_in_one_table_are_one_line(plan):
    other = replace(plan, seed=plan.seed + 1, backend=replace(plan.backend, options={f"o{i}": i for i in range(30)}))
    assert len(differences(plan, other)) > 30
    lines = difference_lines(plan, other).splitlines()
    assert f"  seed: {plan.seed} -> {plan.seed + 1}" in lines
    assert "  backend.options: 31 settings, such as backend.options: {} -> absent" in lines
    assert len(lines) <= 3


def test_what_is_left_out_is_counted(plan):
    other = replace(plan, versions={f"part{number}": "1" for number in range(30)})
    last = difference_lines(plan, other).splitlines()[-1]
    assert last == f"  and {len(differences(plan, other)) - 20} more"


def test_another_version_is_cured_by_the_one_that_was_there(plan):
    old, new = replace(plan, versions={"vita": "0.0.9"}), replace(plan, versions={"vita": "0.1.0"})
    assert cure_of(old, new, "d.zarr") == "Install vita 0.0.9 to continue it, or choose another path."
    told = cure_of(plan, replace(plan, seed=9), "my d.zarr")
    assert told.endswith("use the settings that are there: --config 'my d.zarr'")
