"""A synth that holds other values than it is told: the label has what is held, and renders again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support import plugged
from support.coarse import COARSE, SETTINGS

from tonesmith import generate, open_dataset
from tonesmith.dataset.verify import check_renders
from tonesmith.doctor.examine import examine
from tonesmith.errors import RunError
from tonesmith.host.registry import Host
from tonesmith.space.patch import Patch
from tonesmith.testing import Project


@pytest.fixture(scope="module")
def coarse(tmp_path_factory):
    """Let a synth be found that rounds its level to quarters, and keeps it low at high frequencies."""
    made = Project(tmp_path_factory.mktemp("coarse"), {"coarse.py": COARSE}, plugins=["coarse"])
    with plugged(made, "coarse"):
        yield made


@pytest.mark.parametrize("isolation", ["snapshot", "fresh"])
def test_the_label_has_what_the_synth_holds_and_sounds_like_it(coarse, tmp_path, isolation):
    summary = generate(tmp_path / "d.zarr", **SETTINGS, isolation=isolation)

    for row in open_dataset(tmp_path / "d.zarr"):
        level = row.patch.values["level"]
        assert level in {0.25, 0.5, 0.75, 1.0}
        assert np.abs(row.audio[0]).max() == pytest.approx(level * 100 / 127, rel=0.05)
    assert generate(tmp_path / "e.zarr", **SETTINGS, isolation=isolation, workers=2).digest == summary.digest
    assert not list(check_renders(open_dataset(tmp_path / "d.zarr"), range(3), tmp_path / "d.zarr", Host.load()))


def test_what_is_held_otherwise_again_once_it_is_set_rejects_the_candidate_by_name(coarse, tmp_path):
    low = {**SETTINGS, "space": {"ranges": {"level": (0.05, 0.09)}}}
    with pytest.raises(RunError, match=r"did not arrive: level \(set to 0\.\d+, the synth has 0\.\d+\)"):
        generate(tmp_path / "d.zarr", **low, max_attempts=2)


def test_the_doctor_says_which_values_the_synth_decides(coarse):
    backend = Host.load().find("backend", "coarse")
    checkup = examine(backend, backend.Options(), 8000, thorough=False, compare=False)

    (found,) = (finding for finding in checkup.findings if finding.check == "read back")
    assert found.state == "ok"
    assert found.measured.endswith("the synth decides some otherwise, and labels have what it holds: level")


def test_a_value_that_the_plan_fixes_and_the_synth_holds_otherwise_rejects_the_candidate_by_name(coarse, tmp_path):
    fixed = {"fix": {"level": 0.3, "freq": 440.0}, "free": ["fault"]}
    with pytest.raises(RunError, match=r"did not arrive: level \(set to 0\.3, the synth has 0\.25\)"):
        generate(tmp_path / "d.zarr", **{**SETTINGS, "space": fixed}, max_attempts=2)


def test_a_label_that_the_synth_holds_otherwise_does_not_pass_for_true(coarse, tmp_path, monkeypatch):
    generate(tmp_path / "d.zarr", **SETTINGS)
    dataset = open_dataset(tmp_path / "d.zarr")
    row = dataset[0]
    label = dataset.space.encode(Patch({**row.patch.values, "level": 0.3}))
    wrong = replace(row, columns={**row.columns, "continuous": label.continuous})
    monkeypatch.setattr(type(dataset), "__getitem__", lambda self, key: wrong)

    (damage,) = check_renders(dataset, [0], tmp_path / "d.zarr", Host.load())
    assert (damage.what, damage.detail) == ("render", "the synth holds other values than the label: level = 0.25")
