"""What a candidate may take is part of the plan: who takes more is on record, and the run goes on."""

from __future__ import annotations

import sys

import pytest
from support import terminal

from tonesmith import open_dataset
from tonesmith.engine import memory
from tonesmith.errors import ConfigError, OtherPlanError
from tonesmith.host.registry import Host

SETTINGS = {"patches": 5, "sampler": "troublesome", "notes": {"pitches": [60], "hold": 0.1, "tail": 0.1}}


@pytest.mark.skipif(sys.platform != "linux", reason="memory is watched through /proc")
def test_a_candidate_that_takes_too_much_is_on_record_and_the_rows_are_those_of_the_others(chaos, tmp_path):
    path = tmp_path / "d"

    summary = chaos.make(path, ("memory",), memory=150_000_000, **SETTINGS)
    resumed = chaos.make(path, ("memory",), memory=150_000_000, **SETTINGS)

    assert summary.rejections == {"engine: memory": 2}
    assert {r.detail for r in open_dataset(path).rejections} == {"over 150 MB"}
    assert summary.digest == resumed.digest == chaos.make(tmp_path / "calm", ("silent",), **SETTINGS).digest
    plan = open_dataset(path).plan
    recorded = Host.load().sink_at(plan.sink.name, plan.sink.options, path).faults()
    assert [(r.patch, r.reason) for r in recorded] == [(0, "memory"), (3, "memory")]
    with pytest.raises(OtherPlanError, match="memory: 150000000 -> absent"):
        chaos.make(path, ("memory",), **SETTINGS)


def test_a_limit_of_memory_is_refused_where_none_can_be_watched(chaos, monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "_PROC", tmp_path)

    with pytest.raises(ConfigError, match=r"run\.load_memory: memory is watched through /proc.*Leave the limit out"):
        chaos.resolved(run={"load_memory": "1 GB"})


def without_time(told: str) -> list[str]:
    return [line for line in told.splitlines() if not line.startswith(("  time ", "  disk "))]


def test_a_limit_is_written_with_its_unit_and_kept_in_bytes(tmp_path, chaos):
    file = tmp_path / "mine.toml"
    flags = ["--backend", "chaos", "--memory", "2 GB", "--load-memory", "1.5 GiB"]

    told = terminal("generate", *flags, "--save-config", file, "--dry-run", cwd=tmp_path)
    again = terminal("generate", "--config", file, "--dry-run", cwd=tmp_path)
    wrong = terminal("generate", "--memory", "2 XB", "x.zarr", cwd=tmp_path)

    assert "at most 60 s and 2 GB each" in told.stdout
    assert "memory = 2000000000\n" in file.read_text()
    assert "load_memory = 1610612736\n" in file.read_text()
    assert without_time(again.stdout) == without_time(told.stdout)
    assert (wrong.returncode, list(tmp_path.glob("x*"))) == (2, [])
    assert "--memory: '2 XB' is no amount of memory. Expected a text such as '2 GB', or bytes." in wrong.stderr
