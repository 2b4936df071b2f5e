"""Importance: what a moved parameter changes, measured in parallel, resumed, and read as loss weights."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import terminal

from tonesmith import load_config, open_dataset
from tonesmith.analysis.importance import Parts, estimate, measure_importance
from tonesmith.analysis.sensitivity import Settings, moves_of, study_of_dataset, study_of_plan, targets
from tonesmith.dataset.importance import BaseRecord, Importance, Moved, importance_of, importance_path
from tonesmith.engine.client import Engine
from tonesmith.engine.outcome import Outcome
from tonesmith.errors import ConfigError, DatasetError
from tonesmith.host.registry import Host
from tonesmith.run.resolve import resolve_plan
from tonesmith.samplers.uniform import Uniform
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Patch
from tonesmith.space.space import ParameterSpace
from tonesmith.testing.synthetic import synthetic_space

FOUR = Settings(bases=4)
PLAN = """
backend = {{ name = "chaos", slow = {slow} }}
plan = {{ sample_rate = 8000, patches = 4 }}
notes = {{ pitches = [60], hold = 0.1, tail = 0.1 }}
"""


@pytest.fixture
def dataset(chaos, tmp_path):
    chaos.make(tmp_path / "d.zarr", patches=6)
    return open_dataset(tmp_path / "d.zarr")


@pytest.fixture
def plan_file(chaos, tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(PLAN.format(slow=0.0))
    return path


def study_of(chaos, settings=FOUR, faults=("none",), **changes):
    return study_of_plan(chaos.resolved(faults, **changes), settings, Host.load())


def failing(monkeypatch, wrong, failure="crash"):
    """Let the engine fail at patches of which ``wrong`` is true."""
    play = Engine.play

    def played(self, patch, notes, timeout):
        return [Outcome(notes[0].pitch, failure)] if wrong(patch) else play(self, patch, notes, timeout)

    monkeypatch.setattr(Engine, "play", played)


def counting(monkeypatch):
    """Return a list that grows by an item with each render."""
    played = []
    failing(monkeypatch, lambda patch: played.append(patch) is not None)
    return played


# What is moved, and where to


@given(st.floats(0.0, 1.0, width=32), st.floats(0.001, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_move_has_the_size_that_was_asked_for_and_stays_in_the_range(at, step, one, other):
    low, high = min(one, other, at), max(one, other, at)
    moved = targets(at, step, low, high)

    assert 1 <= len(moved) <= 2
    assert all(low <= target <= high for target in moved)
    roomy = high - at >= step or at - low >= step
    sizes = [abs(target - at) for target in moved]
    assert sizes == pytest.approx([step] * len(moved) if roomy else [max(high - at, at - low)], abs=1e-12)


def test_a_value_outside_of_what_is_drawn_is_moved_from_where_it_is():
    assert targets(0.9, 0.1, 0.2, 0.5) == [pytest.approx(0.8)]


def test_one_parameter_moves_and_all_others_keep_their_bits():
    space = synthetic_space()
    patch = space.decode(space.encode(Patch({"level": 0.31, "cutoff": 70.7, "filter_on": 1.0, "slope": 2.0})))

    for name, moves in moves_of(space, patch, 0.1, gated=False):
        for label, step in moves:
            moved = space.decode(label).values
            assert [key for key in moved if moved[key] != patch.values[key]] == [name]
            assert step == pytest.approx(0.1, abs=1e-6)
    assert [name for name, _ in moves_of(space, patch, 0.1, gated=False)] == [p.name for p in space.continuous]


def test_what_the_gates_leave_inaudible_is_moved_only_on_demand():
    space = ParameterSpace(
        (
            Parameter("on", "categorical", 0, 1, 0, choices=("off", "on")),
            Parameter("amount", "continuous", 0.0, 1.0, 0.5, switch="on"),
            Parameter("level", "continuous", 0.0, 1.0, 0.5),
        )
    )
    off, on = Patch({"on": 0.0}), Patch({"on": 1.0})

    def moved(patch, gated=False):
        return [name for name, _ in moves_of(space, patch, 0.1, gated=gated)]

    assert (moved(off), moved(on), moved(off, gated=True)) == (["level"], ["amount", "level"], ["amount", "level"])


# What is measured


@pytest.mark.long
def test_what_was_measured_is_read_again_and_weighs_by_its_change(dataset, tmp_path):
    found = measure_importance(study_of_dataset(dataset, FOUR), tmp_path / "r.json", workers=1)

    freq, level = found["freq"], found["level"]
    assert Importance.load(tmp_path / "r.json") == found
    assert found.names == tuple(p.name for p in dataset.space.continuous) == ("freq", "level")
    assert freq.log_mel.mean > 2 * level.log_mel.mean > 0.0
    assert freq.stft.mean > level.stft.mean > 0.0
    assert (freq.bases, freq.audible, freq.changed, freq.skipped) == (4, 1.0, 1.0, 0)
    assert freq.step == pytest.approx(0.1, abs=1e-6)
    assert found.weights().tolist() == pytest.approx([freq.weight, level.weight])
    assert found.weights().mean() == pytest.approx(1.0)
    assert not (tmp_path / "r.parts").exists()


@pytest.mark.long
def test_the_result_is_the_same_file_for_any_number_of_workers(chaos, tmp_path):
    study = study_of(chaos, Settings(bases=5, pitch=50))

    for workers in (1, 3):
        measure_importance(study, tmp_path / f"{workers}.json", workers=workers)

    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "3.json").read_bytes()


@pytest.mark.long
def test_the_bases_of_a_dataset_are_patches_of_it_and_the_same_each_time(dataset):
    study = study_of_dataset(dataset, FOUR)
    patches = [base.patch_id for base in study.bases]

    assert len(set(patches)) == 4
    for base in study.bases:
        row = dataset[int(np.flatnonzero(dataset.column("patch") == base.patch_id)[0])]
        assert (base.patch.values, base.note) == (row.patch.values, row.note)
    assert [base.patch_id for base in study_of_dataset(dataset, FOUR).bases] == patches
    others = {tuple(b.patch_id for b in study_of_dataset(dataset, replace(FOUR, seed=s)).bases) for s in range(9)}
    assert len(others) > 3
    assert len(study_of_dataset(dataset, Settings(bases=32)).bases) == 6


def test_a_moved_patch_keeps_what_is_no_parameter_of_its_base(chaos, tmp_path, monkeypatch):
    study = study_of(chaos, Settings(bases=1))
    base = replace(study.bases[0], patch=replace(study.bases[0].patch, preset="5a" * 32))
    presets = []
    failing(monkeypatch, lambda patch: presets.append(patch.preset) is not None)

    measure_importance(replace(study, bases=(base,)), tmp_path / "r.json")

    assert len(presets) > 2
    assert set(presets) == {"5a" * 32}


def test_the_bases_of_a_plan_are_patches_of_it_unless_it_has_too_few(chaos):
    of_many, of_few = study_of(chaos, patches=100), study_of(chaos, patches=2)

    assert max(base.patch_id for base in of_many.bases) > 3
    assert [base.patch_id for base in of_few.bases] == [0, 1, 2, 3]


def test_a_sampler_that_has_too_few_patches_gives_those_it_has(chaos, monkeypatch):
    monkeypatch.setattr(Uniform, "limit", lambda self: 3)

    study = study_of(chaos, Settings(bases=32), sampler="uniform", patches=2)

    assert [base.patch_id for base in study.bases] == [0, 1, 2]


def test_another_seed_draws_other_bases_of_a_plan_and_another_pitch_plays_them(chaos):
    plain, other = study_of(chaos), study_of(chaos, replace(FOUR, seed=5, pitch=30))

    assert {base.note.pitch for base in plain.bases} == {60}
    assert {base.note.pitch for base in other.bases} == {30}
    assert plain.bases[0].patch.values != other.bases[0].patch.values


@pytest.mark.parametrize("fault", ["crash", "silent", "nan", "shape", "error"])
@pytest.mark.first
def test_a_base_that_does_not_sound_is_drawn_again(chaos, tmp_path, fault):
    study = study_of(chaos, Settings(bases=3), ("none", fault))
    before = [base.patch.values["fault"] for base in study.bases]

    found = measure_importance(study, tmp_path / "r.json", workers=2)

    assert any(before)  # or the test shows nothing
    assert (found.bases, found.skipped) == (3, {})
    assert found["freq"].changed == 1.0


def test_a_base_of_a_dataset_that_cannot_be_played_is_left_out_and_counted(dataset, tmp_path, monkeypatch):
    study = study_of_dataset(dataset, FOUR)
    failing(monkeypatch, lambda patch: patch.values == study.bases[1].patch.values)

    found = measure_importance(study, tmp_path / "r.json", workers=1)

    assert (found.bases, found.skipped, found.failures) == (3, {"crash": 1}, {})
    assert found["freq"].bases == 3


def test_nothing_is_written_where_no_base_could_be_used(chaos, tmp_path):
    study = study_of(chaos, Settings(bases=2), ("silent",), max_attempts=2)

    with pytest.raises(ConfigError, match=r"none of the 2 bases could be used \(silent 2\)"):
        measure_importance(study, tmp_path / "r.json")

    assert list(tmp_path.iterdir()) == []


def test_a_move_that_crashes_is_counted_and_costs_that_base_and_parameter_alone(chaos, tmp_path, monkeypatch):
    study = study_of(chaos)
    whole = measure_importance(study, tmp_path / "whole.json", workers=1)
    victim = study.bases[2].patch.values
    failing(
        monkeypatch, lambda p: p.values["freq"] == victim["freq"] and p.values["level"] > victim["level"], "timeout"
    )

    found = measure_importance(study, tmp_path / "r.json", workers=1)

    assert found.failures == {"timeout": 1}
    assert (found["level"].bases, found["level"].skipped, found["freq"].skipped) == (3, 1, 0)
    assert found["freq"] == whole["freq"].model_copy(update={"weight": found["freq"].weight})


@pytest.mark.long
def test_the_estimate_counts_the_renders_that_are_made(chaos, tmp_path, monkeypatch):
    study = study_of(chaos)
    parts = Parts(study, tmp_path / "r.json")
    ahead = estimate(study, parts, 2, Host.load())
    heard, played = [], counting(monkeypatch)

    assert ahead.workers == 2
    assert 0.0 < ahead.seconds < 60.0
    measure_importance(study, parts.path, heard=heard.append)
    assert sum(heard) == len(played) == ahead.renders
    assert estimate(study, parts, 2, Host.load()).seconds is None


@pytest.mark.long
def test_a_slower_synth_has_a_longer_estimate(chaos, tmp_path):
    slow = study_of(chaos, Settings(bases=2), backend={"slow": 0.2})
    ahead = estimate(slow, Parts(slow, tmp_path / "r.json"), 1, Host.load())

    assert 0.2 * ahead.renders < ahead.seconds < 0.2 * ahead.renders + 30.0


# Going on


def interrupted(study, path, after):
    """Measure, and press Ctrl-C when so many renders are heard of."""
    heard = []

    def hear(count):
        heard.append(count)
        if len(heard) == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_importance(study, path, workers=1, heard=hear)


def test_an_interrupted_measurement_goes_on_and_ends_as_one_that_was_not(chaos, tmp_path):
    study = study_of(chaos)
    whole, cut = tmp_path / "whole.json", tmp_path / "cut.json"
    measure_importance(study, whole, workers=2)
    one = study.renders(study.bases[:1])

    interrupted(study, cut, 2 * one + 3)
    left = [base.number for base in Parts(study, cut).left()]
    heard = []
    measure_importance(study, cut, workers=1, heard=heard.append)

    assert 0 in range(4)[: 4 - len(left)]
    assert left in ([2, 3], [3])
    assert sum(heard) == study.renders([study.bases[n] for n in left])
    assert cut.read_bytes() == whole.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cut.json", "whole.json"]


def test_what_is_finished_is_not_rendered_again(chaos, tmp_path, monkeypatch):
    study = study_of(chaos)
    found = measure_importance(study, tmp_path / "r.json")
    played = counting(monkeypatch)

    assert measure_importance(study, tmp_path / "r.json") == found
    assert played == []


@pytest.mark.parametrize("finished", [True, False])
def test_other_settings_are_an_error_that_shows_the_difference(chaos, tmp_path, finished):
    study, path = study_of(chaos), tmp_path / "r.json"
    if finished:
        measure_importance(study, path)
    else:
        interrupted(study, path, 10)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*.json")}

    with pytest.raises(ConfigError, match=r"step: 0\.1 -> 0\.2"):
        measure_importance(study_of(chaos, replace(FOUR, step=0.2)), path)
    with pytest.raises(ConfigError, match="plan: "):
        measure_importance(study_of(chaos, backend={"slow": 0.001}), path)

    assert {file: file.read_bytes() for file in tmp_path.rglob("*.json")} == before


@pytest.mark.long
def test_a_damaged_part_is_measured_again(chaos, tmp_path):
    study, path = study_of(chaos), tmp_path / "r.json"
    measure_importance(study, tmp_path / "whole.json")
    interrupted(study, path, 17)
    part = tmp_path / "r.parts" / "base-000000.json"
    part.write_bytes(part.read_bytes()[:-9])

    assert 0 in [base.number for base in Parts(study, path).left()]
    assert measure_importance(study, path) == Importance.load(tmp_path / "whole.json")


@pytest.mark.long
def test_bases_whose_settings_are_lost_are_measured_again(chaos, tmp_path):
    study, path = study_of(chaos), tmp_path / "r.json"
    interrupted(study_of(chaos, replace(FOUR, step=0.2)), path, 17)
    (tmp_path / "r.parts" / "settings.json").unlink()

    assert len(list((tmp_path / "r.parts").glob("base-*"))) > 0
    interrupted(study, path, 1)
    assert measure_importance(study, path) == measure_importance(study, tmp_path / "whole.json")


def test_a_strange_file_in_the_folder_of_parts_survives(chaos, tmp_path):
    study, path = study_of(chaos, Settings(bases=1)), tmp_path / "r.json"
    (tmp_path / "r.parts").mkdir()
    (tmp_path / "r.parts" / "mine.txt").touch()

    measure_importance(study, path)

    assert [p.name for p in (tmp_path / "r.parts").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{}", "is damaged, or was not written by"),
        ("[1]", "is damaged"),
        ("\xff", "is damaged"),
        ("[" * 100_000, "is damaged"),
        ('{"format": 2}', "has format 2; this version of tonesmith reads 1"),
    ],
)
def test_a_file_that_is_no_result_is_told_and_never_overwritten(chaos, tmp_path, content, said):
    path = tmp_path / "r.json"
    path.write_text(content, encoding="latin-1")

    with pytest.raises(DatasetError, match=said):
        measure_importance(study_of(chaos, Settings(bases=1)), path)

    assert path.read_text(encoding="latin-1") == content


@pytest.mark.parametrize(
    "wrong", [{"bases": 0}, {"step": 0.0}, {"step": 1.5}, {"step": float("nan")}, {"pitch": 128}, {"pitch": -1}]
)
def test_settings_that_measure_nothing_are_refused(wrong):
    with pytest.raises(ConfigError):
        Settings(**wrong)


# What it comes to


def record(number, gated=(), skipped=(), **moved):
    changes = {name: Moved(log_mel=x, stft=x / 10, peak=x, step=0.1, moves=2) for name, x in moved.items()}
    return BaseRecord(number=number, patch=number, gated=gated, moved=changes, skipped=dict.fromkeys(skipped, "crash"))


def importance(names, *records):
    return Importance.of(names, records, {}, {})


RECORDS = (
    record(0, a=1.0, b=3.0, mute=0.0),
    record(2, gated=("b", "off"), a=2.0, mute=0.0),
    record(1, gated=("off",), skipped=("lost",), a=6.0, b=0.0, mute=0.0),
)


def test_means_and_standard_errors_are_those_of_the_bases():
    found = importance(["a", "b"], *RECORDS)

    values = np.array([1.0, 6.0, 2.0])
    assert found["a"].log_mel.mean == pytest.approx(3.0)
    assert found["a"].log_mel.error == pytest.approx(values.std(ddof=1) / np.sqrt(3))
    assert found["a"].stft.mean == pytest.approx(0.3)
    b = found["b"]  # inaudible in one base, which counts as no change
    assert (b.log_mel.mean, b.log_mel.audible, b.audible, b.changed) == pytest.approx((1.0, 1.5, 2 / 3, 1 / 3))


def test_one_base_has_no_standard_error():
    assert importance(["a"], record(0, a=1.0))["a"].log_mel.error is None


def test_parameters_that_never_sound_are_told_apart_by_why():
    found = importance(["a", "mute", "off", "lost"], *(r.model_copy(update={"gated": ("off",)}) for r in RECORDS))

    assert found.never_audible == ("off",)
    assert found.never_changed == ("mute",)
    assert (found["lost"].bases, found["lost"].log_mel.mean) == (0, None)


def test_weights_have_the_mean_1_and_are_0_for_what_never_sounds():
    found = importance(["a", "b", "mute"], *RECORDS)

    weights = found.weights()
    assert weights.dtype == np.float32
    assert weights.tolist() == pytest.approx([9 / 4, 3 / 4, 0.0])
    assert found.weights(["b", "a"]).tolist() == pytest.approx([0.5, 1.5])
    assert found.weights(metric="stft").tolist() == pytest.approx([9 / 4, 3 / 4, 0.0])


def test_a_parameter_that_no_base_could_tell_of_weighs_as_the_mean():
    assert importance(["a", "b", "lost"], *RECORDS).weights().tolist() == pytest.approx([1.5, 0.5, 1.0])


def test_weights_that_cannot_be_are_an_error():
    found = importance(["a", "mute"], *RECORDS)

    with pytest.raises(ConfigError, match="Did you mean 'mute'"):
        found.weights(["mutes"])
    with pytest.raises(ConfigError, match="none of these parameters changed the sound"):
        found.weights(["mute"])
    with pytest.raises(ConfigError, match="unknown metric"):
        found.weights(metric="mel")


def test_the_result_is_found_beside_what_it_was_measured_of(dataset, tmp_path, monkeypatch):
    target = tmp_path / "d.zarr"
    assert importance_of(target) is None

    found = measure_importance(study_of_dataset(dataset, Settings(bases=1)), importance_path(target))

    assert importance_of(target) == importance_of(f"{target}/") == found
    monkeypatch.chdir(target)
    assert importance_of(".") == found


# A real synth


VITAL = {
    "backend": {"name": "vita", "tier": 1},
    "notes": {"pitches": [60], "hold": 0.2, "tail": 0.1},
    "space.include": ["osc_1_level", "osc_1_pan", "filter_1_cutoff", "osc_2_pan", "osc_1_phase"],
    "space.fix": {"osc_2_on": 0, "osc_1_destination": 0, "filter_1_on": 1, "filter_1_model": 0},
    "space.ranges": {"filter_1_cutoff": [40.0, 100.0], "osc_1_pan": [-0.2, 0.2]},
}


@pytest.mark.long
def test_of_vital_level_and_cutoff_matter_more_than_pan_and_what_is_off_never_sounds(tmp_path):
    host = Host.load()
    study = study_of_plan(resolve_plan(load_config(overrides=VITAL, host=host), host), Settings(bases=3), host)

    one = measure_importance(study, tmp_path / "1.json", workers=1)
    measure_importance(study, tmp_path / "2.json", workers=2)

    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "2.json").read_bytes()
    for metric in ("log_mel", "stft"):
        changes = {p.name: p.change(metric).mean for p in one.parameters}
        assert min(changes["osc_1_level"], changes["filter_1_cutoff"]) > changes["osc_1_pan"] > 0.0
    assert one.never_audible == ("osc_2_pan",)
    assert one["osc_2_pan"].step is None
    gated = measure_importance(replace(study, settings=Settings(bases=3, gated=True)), tmp_path / "all.json")
    assert gated["osc_2_pan"].step == pytest.approx(0.1, abs=1e-6)
    assert gated["osc_2_pan"].changed == 0.0
    assert gated["osc_1_level"] == one["osc_1_level"]


# At a terminal


def test_a_dataset_is_measured_and_told_within_80_columns(dataset, tmp_path):
    result = terminal("importance", "d.zarr", "--bases", 3, "--workers", 2, cwd=tmp_path)

    assert result.returncode == 0, result.stderr
    assert "3 bases x 2 parameters: about " in result.stderr
    assert " renders, " in result.stderr
    assert "with 2 workers" in result.stderr
    assert result.stdout.splitlines()[2].split()[0] == "freq"
    assert "measured around 3 bases" in result.stdout
    assert "written to d.zarr.importance.json" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert importance_of(tmp_path / "d.zarr").bases == 3
    assert terminal("verify", "d.zarr", cwd=tmp_path).returncode == 0
    again = terminal("importance", "d.zarr", "--bases", 3, cwd=tmp_path)
    assert again.stderr == "all 3 bases are already measured; there is nothing to render\n"
    assert again.stdout == result.stdout


def test_a_composition_is_measured_as_json_alone(plan_file, tmp_path):
    result = terminal("importance", plan_file, "--bases", 2, "--json", "-q", "--out", tmp_path / "r.json")

    assert (result.returncode, result.stderr) == (0, "")
    told = {"path": str(plan_file), "out": str(tmp_path / "r.json")}
    assert json.loads(result.stdout) == told | json.loads((tmp_path / "r.json").read_text())


def test_a_dry_run_says_how_long_and_writes_nothing(plan_file, tmp_path):
    before = sorted(tmp_path.iterdir())
    text = terminal("importance", plan_file, "--bases", 2, "--dry-run")
    told = json.loads(terminal("importance", plan_file, "--bases", 2, "--dry-run", "--json", "--workers", 1).stdout)

    assert text.stdout.startswith("2 bases x 2 parameters: about ")
    assert told["seconds"] > 0.0
    assert (told["bases"], told["parameters"], told["workers"]) == (2, 2, 1)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing.zarr"], "nothing.zarr does not exist."),
        (["nothing.toml"], "nothing.toml"),
        (["notes.txt"], "notes.txt is neither a tonesmith dataset nor a composition"),
        (["bad.toml"], "bad.toml:1: "),
        (["plan.toml", "--out", "nowhere/r.json"], "--out: cannot write nowhere/r.json"),
        (["plan.toml", "--out", "."], "--out: cannot write ."),
        (["plan.toml", "--step", "0"], "a step of 0 is not between 0 and 1"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(plan_file, tmp_path, arguments, said):
    (tmp_path / "notes.txt").touch()
    (tmp_path / "bad.toml").write_text('bakend = "vita"\n')

    result = terminal("importance", *arguments, cwd=tmp_path)

    assert result.returncode == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


@pytest.mark.long
def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(chaos, tmp_path):
    (tmp_path / "plan.toml").write_text(PLAN.format(slow=0.05))
    arguments = ["importance", "plan.toml", "--bases", "20", "--workers", "2"]
    command = [sys.executable, "-P", "-m", "tonesmith", *arguments]
    parts = tmp_path / "plan.toml.importance.parts"
    run = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env={**os.environ, "NO_COLOR": "1"}
    )
    until = time.monotonic() + 60
    while len(list(parts.glob("base-*.json"))) < 3 and time.monotonic() < until and run.poll() is None:
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    _, told = run.communicate(timeout=60)
    kept = len(list(parts.glob("base-*.json")))

    again = terminal(*arguments, cwd=tmp_path)

    assert run.returncode == 130, told
    assert "Traceback" not in told
    assert f"stopped: {kept} of 20 bases are kept" in told
    assert 3 <= kept < 20
    assert again.returncode == 0, again.stderr
    assert f"({kept} done)" in again.stderr
    assert importance_of(tmp_path / "plan.toml").bases == 20
    assert not parts.exists()
    assert [p.name for p in Path(tmp_path).glob("*.importance*")] == ["plan.toml.importance.json"]
