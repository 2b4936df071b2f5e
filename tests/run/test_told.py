"""What a run tells the author of a plugin, and those who have a dataset of one that is not there."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from support import terminal

from tonesmith import open_dataset
from tonesmith.errors import EngineError, RunError
from tonesmith.plan.plan import PluginRef
from tonesmith.run.pipeline import run


def test_an_engine_that_always_errs_is_quoted_and_the_advice_is_not_about_ranges(chaos, tmp_path, monkeypatch):
    monkeypatch.delenv("TONESMITH_TRACEBACK", raising=False)
    with pytest.raises(RunError) as stop:
        chaos.make(tmp_path / "d", ("raise",), patches=2, max_attempts=3)

    told = str(stop.value)
    assert "patch 0 was rejected 3 times (engine: error 3)." in told
    assert re.search(
        r'The engine said "ZeroDivisionError: told to raise \(tonesmith_chaos.py:\d+ in render\)", 3 t', told
    )
    assert "backend 'chaos'" in told
    assert "TONESMITH_TRACEBACK=1" in told
    assert "Narrow" not in told
    assert 'raise ZeroDivisionError("told to raise")' in str(stop.value.__cause__)


@pytest.mark.long
def test_an_engine_is_waited_for_as_long_as_is_said_and_the_plan_is_the_same(chaos, tmp_path):
    resolved = chaos.resolved(run={"load_seconds": 1.5})
    plan = resolved.plan
    assert plan.fingerprint == chaos.resolved().plan.fingerprint

    stuck = replace(plan, backend=PluginRef("chaos", {**plan.backend.options, "load": "hang"}))
    with pytest.raises(RunError, match=r"no answer within 1\.5 s"):
        run(replace(resolved, plan=stuck), tmp_path / "d", workers=1)
    with pytest.raises(EngineError, match=r"no answer within 1\.5 s"):
        chaos.resolved(run={"load_seconds": 1.5}, backend={"load": "hang"})


def test_a_verdict_that_is_not_what_its_validator_declares_ends_the_run_and_names_both(chaos, tmp_path):
    with pytest.raises(
        RunError, match=r"validator 'touchy' measured 'tuoch', which is not among its measures \(touch\)"
    ):
        chaos.make(tmp_path / "d", patches=2, validators={"touchy": {"measure": "tuoch"}})


@pytest.mark.parametrize(("noise", "where"), [("engine", "in another process"), ("note", "a second time")])
def test_a_third_party_whose_first_patch_breaks_the_promise_makes_no_dataset(chaos, tmp_path, noise, where):
    with pytest.raises(EngineError, match=rf"'chaos' promises determinism 'exact'.*different {where}.*promise less"):
        chaos.make(tmp_path / "d", patches=2, backend={"noise": noise})

    assert not (tmp_path / "d").exists()


def test_the_first_patch_is_compared_once_and_not_where_nothing_is_promised(chaos, tmp_path, monkeypatch):
    checked: list[Any] = []
    with monkeypatch.context() as patched:
        patched.setattr("tonesmith.run.pipeline.check_first_sound", lambda resolved, host: checked.append(resolved))
        chaos.make(tmp_path / "d", patches=2)
        chaos.make(tmp_path / "d", patches=3)

    assert len(checked) == 1
    assert chaos.make(tmp_path / "n", patches=1, isolation="reuse", backend={"noise": "engine"}).complete


def test_a_log_has_events_rejections_and_what_engines_print(chaos, tmp_path):
    log = tmp_path / "run.log"
    command = ["generate", tmp_path / "d", "-n", 1, "--backend", "chaos", "--backend.faults", "raise"]
    command += ["--max-attempts", 2, "--sample-rate", 8000, "--notes.pitches", 60, "--notes.hold", 0.1, "--log", log]

    traced = terminal(*command, TONESMITH_TRACE="1", TONESMITH_TRACEBACK="1")
    lines = log.read_text().splitlines()

    assert traced.returncode == 1
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]", line) for line in lines)
    text = [line.partition(" ")[2] for line in lines]
    assert any(re.fullmatch(r"engine \d+: an engine that prints to standard output", line) for line in text)
    assert any(re.fullmatch(r"worker \d+: engine \d+: an engine that prints .*", line) for line in text)
    assert text[-1].startswith("failed: patch 0 was rejected 2 times")
    rejected = [
        line for line in text if line.startswith("rejected patch 0, attempt 1, pitch 60, by engine: error (Zero")
    ]
    assert len(rejected) == 1
    assert re.search(r"^worker \d+: engine \d+: an engine that prints", traced.stderr, re.MULTILINE)
    assert 'raise ZeroDivisionError("told to raise")' in traced.stderr
    assert "an engine that prints" not in traced.stdout


def test_a_log_that_cannot_be_written_is_told_before_anything_is_made(chaos, tmp_path):
    result = terminal("generate", tmp_path / "d", "--backend", "chaos", "--log", tmp_path / "no" / "run.log")

    assert result.returncode == 2
    assert "run.log cannot be written" in result.stderr
    assert not (tmp_path / "d").exists()


def test_a_dataset_of_a_plugin_that_is_not_installed_names_it_and_how_to_get_it(chaos, tmp_path):
    path = tmp_path / "add.zarr"
    chaos.make(path, patches=1, sampler="troublesome")
    assert open_dataset(path).attributes["plugins"] == {
        "backend chaos": "tonesmith-chaos 1.0",
        "sampler troublesome": "tonesmith-chaos 1.0",
    }

    told = f"{path} was made with the backend 'chaos' of tonesmith-chaos 1.0, which is not installed here"
    for command in (
        ["verify", path, "--render", 1],
        ["importance", path],
        ["generate", "--backend", "chaos", path],
    ):
        result = terminal(*command, TONESMITH_PLUGINS="")

        assert result.returncode == 2
        assert told in " ".join(result.stderr.split())
        assert 'pip install "tonesmith-chaos==1.0"' in " ".join(result.stderr.split())
