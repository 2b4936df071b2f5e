"""Several datasets as one: rows keep what they are, patches and presets are told apart."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from support import sampled, terminal
from support.builders import write_dataset

from tonesmith import open_dataset
from tonesmith.dataset.verify import check_integrity, check_renders
from tonesmith.errors import ConfigError, DatasetError, OtherPlanError
from tonesmith.host.registry import Host
from tonesmith.plan.notes import Notes
from tonesmith.plan.plan import PluginRef
from tonesmith.plan.rejection import Rejection
from tonesmith.plan.schema import Measure
from tonesmith.space.patch import sha256_hex
from tonesmith.space.preset import PresetRef
from tonesmith.testing.synthetic import synthetic_plan, synthetic_space
from tonesmith.transfer import merge as merging
from tonesmith.transfer.blocks import Listener
from tonesmith.transfer.convert import convert

merge = partial(merging.merge, workers=1)
INT24 = PluginRef("zarr", {"encoding": "int24"})
PRESETS = tuple(PresetRef(sha256_hex(b"%d" % n), sha256_hex(b"a saw"), f"preset {n}") for n in (0, 3))


@pytest.fixture(autouse=True)
def _unflushed(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda fd: None)


def made(path, seed, patches=10, block=4, **changes):
    plan = replace(synthetic_plan(patches=patches, block=block), seed=seed, **changes)
    return write_dataset(path, range(plan.blocks), plan)


@pytest.fixture
def pair(tmp_path):
    """Ten patches, and seven of another plan, origins in another order, with presets."""
    made(tmp_path / "a.zarr", 1)
    other = made(tmp_path / "b.zarr", 2, 7, 3, origins=("presets", "sobol", "lhs"), presets=PRESETS[::-1])
    other.made().record_fault(Rejection(4, 1, "engine", "crash", "SIGSEGV"))
    return [tmp_path / "a.zarr", tmp_path / "b.zarr"]


def test_rows_keep_what_they_are_and_patches_are_told_apart(pair, tmp_path):
    done = merge(pair, tmp_path / "m")

    one, other, merged = (open_dataset(path) for path in (*pair, tmp_path / "m"))
    plan = merged.plan
    assert (done.rows, done.complete, done.blocks) == (34, True, 5)
    assert (plan.rounds, plan.block, plan.origins, plan.seed) == ((10, 7), 4, ("lhs", "presets", "sobol"), 1)
    assert plan.presets == tuple(sorted(PRESETS, key=lambda preset: preset.sha256))
    assert merged.column("patch").tolist() == [n // 2 for n in range(34)]
    for name in (column.name for column in one.plan.schema if column.name not in {"patch", "origin"}):
        together = np.concatenate([one.column(name), other.column(name)])
        np.testing.assert_array_equal(merged.column(name), together, name, strict=True)
    assert not merged.column("mate").any()
    assert [row.origin for row in merged[:]] == [row.origin for of in (one, other) for row in of[:]]
    assert {row.origin for row in merged[:]} == {"lhs", "presets"}
    for place in (0, 19, 20, 33):
        before = one[place] if place < 20 else other[place - 20]
        assert merged[place].patch == replace(before.patch, origin=merged[place].origin)
        assert merged[place].note == before.note
    assert not list(check_integrity(merged))


def test_the_ledger_and_the_assets_are_those_of_all(pair, tmp_path):
    merge(pair, tmp_path / "m")
    one, other, merged = (open_dataset(path) for path in (*pair, tmp_path / "m"))
    told = [(r.patch, r.attempt, r.reason) for r in one.rejections]
    told += [(r.patch + 10, r.attempt, r.reason) for r in other.rejections]
    assert [(r.patch, r.attempt, r.reason) for r in merged.rejections] == told
    assert (14, 1, "crash") in told
    assert merged.storage.assets() == sorted({*one.storage.assets(), *other.storage.assets()})
    counts = [len(block) for block in merged.storage.blocks().values()]
    assert counts == [8, 8, 8, 8, 2]


def test_a_merged_dataset_tells_what_it_was_made_from(pair, tmp_path):
    merge(pair, tmp_path / "m")
    third = made(tmp_path / "c.zarr", 3, 2).path

    merge([third, tmp_path / "m"], tmp_path / "n")

    opened = [open_dataset(path) for path in (third, *pair)]
    entries = open_dataset(tmp_path / "n").attributes["merged"]
    assert [entry["patches"] for entry in entries] == [[0, 2], [2, 12], [12, 19]]
    assert [entry["digest"] for entry in entries] == [dataset.digest for dataset in opened]
    assert [entry["fingerprint"] for entry in entries] == [dataset.plan.fingerprint for dataset in opened]
    assert [entry["seed"] for entry in entries] == [3, 1, 2]
    for entry, dataset in zip(entries, opened, strict=True):
        assert entry["sampler"] == dataset.plan.sampler.to_json()
        plan = dataset.plan.to_json()
        assert entry["plan"] == {key: plan[key] for key in plan if key != "space"}


def test_how_samplers_draw_may_differ_and_is_kept(tmp_path):
    space = synthetic_space()
    parameters = (replace(space.parameters[0], within=(0.2, 0.4)), *space.parameters[1:])
    held = replace(space, parameters=parameters, held={"cutoff": 20.0})
    paths = [made(tmp_path / "a", 1).path, made(tmp_path / "b", 2, space=held).path]
    merge(paths, tmp_path / "m")
    entries = open_dataset(tmp_path / "m").attributes["merged"]
    assert ["space" in entry["plan"] for entry in entries] == [False, True]
    assert entries[1]["plan"]["space"] == held.to_json()


def test_different_notes_are_told_as_ranges(tmp_path):
    low = Notes(pitches=(30, 31), velocities=(100,), hold=0.02, tail=0.0175)
    drawn = Notes(pitches=(60, 72), velocities=(1, 127), hold=(0.01, 0.03), tail=0.0075, draw=2)
    paths = [made(tmp_path / str(seed), seed, notes=notes).path for seed, notes in ((1, low), (2, drawn), (3, low))]
    merge(paths, tmp_path / "m")
    notes = open_dataset(tmp_path / "m").plan.notes
    assert (notes.pitches, notes.velocities, notes.hold, notes.draw) == ((30, 72), (1, 127), (0.01, 0.03), 2)
    assert notes.duration == pytest.approx(low.duration)
    merge([paths[0], paths[2]], tmp_path / "same")
    assert open_dataset(tmp_path / "same").plan.notes == low


WIDER = synthetic_space()
WIDER = replace(WIDER, parameters=(replace(WIDER.parameters[0], high=2.0), *WIDER.parameters[1:]))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"space": WIDER}, "space.parameters.level.high: 1.0 -> 2.0"),
        ({"space": synthetic_space(modulation_slots=2)}, "space.modulation_slots: 3 -> 2"),
        ({"space": replace(synthetic_space(), fixed={"volume": 1.0})}, "space.fixed.volume: 1.25 -> 1.0"),
        ({"versions": {"engine": "2.0"}}, "versions.engine: 1.0 -> 2.0"),
        ({"backend": PluginRef("other")}, "backend.name: made-up -> other"),
        ({"determinism": "floor"}, "determinism: exact -> floor"),
        ({"isolation": "reuse"}, "isolation: snapshot -> reuse"),
        ({"notes": Notes(pitches=(48,), hold=0.02, tail=0.0175)}, "notes per patch: 2 -> 1"),
        (
            {"measures": (Measure("peak_dbfs", "dBFS", "highest sample"),)},
            "measures: peak_dbfs (dBFS), loudness (LUFS) -> peak_dbfs",
        ),
    ],
)
def test_datasets_whose_rows_mean_something_else_are_not_merged(tmp_path, changes, told):
    paths = [made(tmp_path / "a", 1).path, made(tmp_path / "b", 2, **changes).path]
    with pytest.raises(ConfigError, match="cannot be merged") as error:
        merge(paths, tmp_path / "m")
    assert told in str(error.value)
    assert "Make" in str(error.value)
    assert not (tmp_path / "m").exists()


def test_rows_are_not_stored_twice(pair, tmp_path):
    again = convert(pair[0], tmp_path / "again", INT24, workers=1).path
    merge(pair, tmp_path / "m")
    stricter = made(tmp_path / "stricter", 1, max_attempts=9).path
    higher = made(tmp_path / "higher", 1, notes=Notes(pitches=(60, 72), hold=0.02, tail=0.0175)).path
    renamed = made(tmp_path / "renamed", 1, sampler=PluginRef("of another name")).path
    for sources, told in (
        ([pair[0], tmp_path / "x" / ".." / pair[0].name], "given twice"),
        ([pair[0], again], r"draw the same patches.*: 0\.\.9 and 10\.\.19"),
        ([tmp_path / "m", pair[1]], "draw the same patches"),
        ([pair[0], stricter], "draw the same patches"),
        ([pair[0], higher], "draw the same patches"),
        ([pair[0], renamed], "have 20 rows in common"),
        ([pair[0]], "two or more datasets"),
    ):
        with pytest.raises(ConfigError, match=told):
            merge(sources, tmp_path / "n")
    assert not (tmp_path / "n").exists()


def test_what_is_not_complete_or_in_the_way_is_refused_at_once(pair, tmp_path):
    part = write_dataset(tmp_path / "part", (0, 2), replace(synthetic_plan(), seed=5)).path
    with pytest.raises(DatasetError, match=r"has 12 of 20 rows.*tonesmith generate"):
        merge([pair[0], part], tmp_path / "m")
    with pytest.raises(OtherPlanError, match="sampler"):
        merge(pair, made(tmp_path / "other", 1).path)
    merge(pair, tmp_path / "there")
    with pytest.raises(OtherPlanError, match="sampler"):
        merge(pair[::-1], tmp_path / "there")
    with pytest.raises(ConfigError, match="Choose another path"):
        merge(pair, pair[1])
    with pytest.raises(DatasetError, match="does not exist"):
        merge([pair[0], tmp_path / "nothing"], tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_a_damaged_source_is_named_and_the_blocks_without_it_are_stored(pair, tmp_path):
    file = pair[1] / "audio" / "c.1.0.0"
    content = file.read_bytes()
    file.write_bytes(content[:60])

    done = merge(pair, tmp_path / "m")

    assert [found.block for found in done.damaged] == [3]  # patches 12..15 have 13, 14 and 15 from there
    assert all(str(pair[1]) in found.what for found in done.damaged)
    file.write_bytes(content)
    assert merge(pair, tmp_path / "m").damaged == ()
    assert open_dataset(tmp_path / "m").digest == merge(pair, tmp_path / "whole").digest


def test_the_same_call_goes_on(pair, tmp_path):
    class Tired(Listener):
        def carried(self, rows):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        merge(pair, tmp_path / "m", listener=Tired())
    done = merge(pair, tmp_path / "m")
    assert (done.rows_added, done.rows) == (26, 34)
    assert done.digest == merge(pair, tmp_path / "whole", workers=2).digest


@pytest.mark.long
def test_a_merge_killed_at_any_moment_is_completed_by_the_next(tmp_path):
    pair = [made(tmp_path / "a", 1, 15, 1).path, made(tmp_path / "b", 2, 15, 4).path]
    command = ["merge", *map(str, pair), "-o", str(tmp_path / "m"), "--workers", "1"]
    moments, folder = random.Random(3), tmp_path / "m" / "tonesmith" / "blocks"
    for count in (2, 9, 17):
        process = subprocess.Popen([sys.executable, "-P", "-m", "tonesmith", *command], stdout=subprocess.DEVNULL)
        while process.poll() is None and not (folder.is_dir() and len(list(folder.iterdir())) > count):
            time.sleep(0.002)
        time.sleep(moments.uniform(0.0, 0.02))
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert terminal(*command).returncode == 0
    assert open_dataset(tmp_path / "m").digest == merge(pair, tmp_path / "whole").digest


@pytest.mark.parametrize("form", sampled(map(PluginRef, sorted(Host.load().sinks())), 6), ids=lambda form: form.name)
def test_any_sink_may_hold_what_is_merged(pair, tmp_path, form):
    done = merge(pair, tmp_path / "m", form)
    merged = open_dataset(tmp_path / "m")
    assert (merged.plan.sink.name, done.complete) == (form.name, True)
    assert not list(check_integrity(merged))
    if not done.lossy:
        assert done.digest == merge(pair, tmp_path / "zarr", PluginRef("zarr")).digest


@pytest.mark.long
def test_the_terminal_tells_what_was_done(pair, tmp_path):
    done = terminal("merge", *pair, "-o", "m", "--sink.level", "3", "-q", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "m: 34 rows in 5 blocks" in done.stdout
    again = json.loads(
        terminal("merge", *pair, "--out", "m", "--sink", "zarr", "--sink.level=3", "--json", cwd=tmp_path).stdout
    )
    assert (again["rows_added"], again["rows"], again["complete"]) == (0, 34, True)
    assert open_dataset(tmp_path / "m").plan.sink.options["level"] == 3
    for arguments in ((pair[0], "-o", "n"), (*pair, "-o", "n", "--sink", "zar"), (*pair, pair[0], "-o", "n")):
        assert terminal("merge", *arguments, cwd=tmp_path).returncode == 2
    assert not (tmp_path / "n").exists()


@pytest.mark.long
def test_a_merged_dataset_renders_again_and_is_not_generated_further(chaos, tmp_path):
    float16 = {"name": "zarr", "encoding": "float16"}
    chaos.make(tmp_path / "a", patches=3, seed=1)
    chaos.make(
        tmp_path / "b", patches=3, seed=2, sampler="sobol", sink=float16, notes={**chaos.notes, "pitches": [50, 55]}
    )
    convert(tmp_path / "b", tmp_path / "c", PluginRef("zarr"), workers=1)
    merge([tmp_path / "a", tmp_path / "c"], tmp_path / "m", INT24)
    convert(tmp_path / "m", tmp_path / "d", PluginRef("zarr"), workers=1)
    for name in ("m", "d"):
        dataset = open_dataset(tmp_path / name)
        assert not list(check_renders(dataset, range(12), tmp_path / name, Host.load()))
        with pytest.raises(OtherPlanError, match="merged"):
            chaos.make(tmp_path / name, patches=9, seed=1)
        assert terminal("verify", tmp_path / name, "--render", 2).returncode == 0
    dataset.storage.attributes["merged"][1]["stored_through"] = []
    damage = list(check_renders(dataset, range(12), tmp_path / "d", Host.load()))
    assert {found.row for found in damage} <= set(range(6, 12))
    assert damage
