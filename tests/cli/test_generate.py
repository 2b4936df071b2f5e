"""``tonesmith generate`` at a terminal, with the real engine."""

from __future__ import annotations

import json
import re
import tomllib

import pytest
from support import terminal

from tonesmith import open_dataset

SHORT = ("--notes.hold", "0.2", "--notes.tail", "0.1", "--notes.pitches", "60")


@pytest.mark.long
def test_the_command_of_the_manual_makes_what_it_says(tmp_path):
    out = tmp_path / "out.zarr"
    chosen = ("--backend", "vita", "--backend.tier", "2", "--sampler", "sobol", "--sink.level", "3")

    result = terminal("generate", *chosen, "-n", "4", "--seed", "7", "--workers", "2", *SHORT, out)

    plan = open_dataset(out).plan
    assert result.returncode == 0, result.stderr
    assert (plan.rows, plan.seed, plan.sampler.name) == (4, 7, "sobol")
    assert plan.backend.options["tier"] == 2
    assert plan.sink.options["level"] == 3
    for told in ("4 rows", "size", "rejected", open_dataset(out).digest):
        assert told in result.stdout
    assert terminal("verify", out, "--render", "4").returncode == 0


def test_dry_run_prints_the_plan_and_the_work_and_writes_nothing(tmp_path):
    result = terminal("generate", "-n", "5", *SHORT, "--dry-run", tmp_path / "d")
    told = json.loads(terminal("generate", "-n", "5", *SHORT, "--dry-run", "--json", tmp_path / "d").stdout)

    assert "5 of 5 (5 patches x 1 note)" in result.stdout
    assert "56 continuous, 25 categorical" in result.stdout
    assert told["work"] == {"rows": 5, "rows_done": 0, "blocks": 1, "exists": False}
    assert not (tmp_path / "d").exists()


def test_a_saved_composition_makes_the_same_plan(tmp_path):
    flags = ("-n", "2", *SHORT, "--space.fix", "osc_1_level=0.7", "--space.range", "filter_1_cutoff=40:100")
    terminal("generate", *flags, "--save-config", tmp_path / "saved.toml")

    first = terminal("generate", *flags, "--dry-run", "--json", tmp_path / "d")
    second = terminal("generate", "--config", tmp_path / "saved.toml", "--dry-run", "--json", tmp_path / "d")

    saved = tomllib.loads((tmp_path / "saved.toml").read_text())
    assert saved["space"] == {"fix": {"osc_1_level": 0.7}, "ranges": {"filter_1_cutoff": [40.0, 100.0]}}
    told = [json.loads(done.stdout) for done in (first, second)]
    assert all(one.pop("estimate")["rows"] == one["work"]["rows"] for one in told)
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[space]\nexclude = ['nope_*']\n", "plugins.toml:2: [space] exclude: unknown parameter 'nope_*'"),
        (
            "[space.ranges]\n\nosc_1_levle = [0.1, 0.2]\n",
            "plugins.toml:3: [space] ranges: unknown parameter 'osc_1_levle'. Did you mean 'osc_1_level'?",
        ),
        ("[space.fix]\nfilter_1_model = 'Moog'\n", "plugins.toml:2: [space] fix: filter_1_model has no choice 'Moog'"),
    ],
)
def test_what_the_live_engine_does_not_have_is_told_with_file_and_line(tmp_path, toml, said):
    (tmp_path / "plugins.toml").write_text(toml)

    result = terminal("generate", "d", cwd=tmp_path)

    assert result.returncode == 2
    assert said in result.stderr
    assert not (tmp_path / "d").exists()


def test_json_is_the_summary_and_leaves_progress_on_the_error_stream(tmp_path):
    result = terminal("generate", "-n", "2", *SHORT, "--json", "d", cwd=tmp_path)

    told = json.loads(result.stdout)
    assert (told["rows"], told["complete"], told["digest"]) == (2, True, open_dataset(tmp_path / "d").digest)
    assert re.match(r"\d\d:\d\d:\d\d d: 2 rows in 1 block; 1 block to go\n", result.stderr)


@pytest.mark.long
def test_a_dataset_is_a_composition_so_that_extending_needs_no_memory(tmp_path):
    out, again = tmp_path / "d.zarr", tmp_path / "other"
    flags = ("--space.fix", "osc_1_level=0.7", "--sampler", "sobol", "--seed", "5", "--block", "2")
    assert terminal("generate", "-n", "2", *SHORT, *flags, out).returncode == 0

    more = terminal("generate", "--config", out, "-n", "3", out)
    assert more.returncode == 0, more.stderr
    assert (len(open_dataset(out)), open_dataset(out).complete) == (3, True)

    other = terminal("generate", "--config", out, "--seed", "6", "--sampler.scramble", "--sink", "folder", again)
    assert other.returncode == 0, other.stderr
    plan = open_dataset(again).plan
    assert (plan.patches, plan.seed, plan.sampler.name, plan.sink.name) == (3, 6, "sobol", "folder")
    assert plan.space.fixed["osc_1_level"] == pytest.approx(0.7)


def test_a_path_that_holds_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")

    result = terminal("generate", "-n", "2", *SHORT, tmp_path / "mine")

    assert result.returncode == 2
    assert "exists and is not a tonesmith dataset" in result.stderr
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
