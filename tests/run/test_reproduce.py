"""A rejected candidate is rendered again from its label, and the same happens, or it does not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from support import terminal

from tonesmith import open_dataset
from tonesmith.errors import DatasetError
from tonesmith.host.registry import Host
from tonesmith.plan.rejected_label import label_json, patch_of
from tonesmith.run.produce import Watch, Workbench, drawn_label
from tonesmith.run.reproduce import reproduce
from tonesmith.run.retried import tried
from tonesmith.space.patch import Candidate

SETTINGS = {"sampler": "troublesome", "notes": {"pitches": [60, 72], "hold": 0.1, "tail": 0.1}}


def _wav_frames(path):
    data = path.read_bytes()
    return int.from_bytes(data[data.index(b"fact") + 8 :][:4], "little")


def test_a_rejected_candidate_is_rejected_again_and_the_dataset_stays_as_it_is(chaos, tmp_path):
    path, sound = tmp_path / "d", tmp_path / "x.wav"
    chaos.make(path, ("crash", "silent", "raise"), patches=9, **SETTINGS)
    before = {file: file.stat().st_mtime_ns for file in path.rglob("*")}
    ledger = open_dataset(path).rejections
    silent = next(number for number, r in enumerate(ledger) if r.reason == "silent")

    found = {r.cause: reproduce(open_dataset(path), path, number, Host.load()) for number, r in enumerate(ledger)}
    shown = terminal("reproduce", path, "--reject", silent, "--audio", sound)
    listed = terminal("inspect", path, "--rejects", "--json")

    assert found.keys() == {"engine: crash", "engine: error", "level: silent"}
    assert all(each.same for each in found.values())
    assert {cause: each.label for cause, each in found.items() if each.label == "drawn"} == {"level: silent": "drawn"}
    assert shown.returncode == 0, shown.stderr
    assert "The same happened again." in shown.stdout
    assert "an engine that prints to standard output" in shown.stderr
    assert _wav_frames(sound) == 1600  # of the first note, whose silence ends it
    assert [r["reason"] for r in json.loads(listed.stdout)["rejects"]] == [r.reason for r in ledger]
    assert {file: file.stat().st_mtime_ns for file in path.rglob("*")} == before


@pytest.mark.long
def test_what_does_not_happen_again_is_told_with_status_1(chaos, tmp_path):
    path, marker = tmp_path / "d", tmp_path / "marker"
    marker.touch()
    chaos.make(path, ("flaky",), patches=1, timeout=1.0, backend={"marker": str(marker)}, **SETTINGS)
    marker.unlink()

    told = terminal("reproduce", path, "--reject", "0")

    assert [r.cause for r in open_dataset(path).rejections] == ["engine: timeout"]
    assert told.returncode == 1
    assert "now       accepted" in told.stdout
    assert "It did not happen again." in told.stdout


@pytest.mark.long
def test_a_candidate_over_which_the_worker_died_is_blamed_again(chaos, tmp_path):
    path = tmp_path / "d"
    validators = {"touchy": {"crash_above": 0.3}}
    chaos.make(path, patches=2, max_attempts=40, sampler="uniform", notes=SETTINGS["notes"], validators=validators)

    found = reproduce(open_dataset(path), path, 0, Host.load())

    assert found.stored.cause == "worker: crash"
    assert found.same
    assert found.found.detail == "SIGSEGV"


def test_the_label_in_the_ledger_is_played_where_the_sampler_draws_another_one(chaos):
    resolved = chaos.resolved(("crash", "raise"), patches=4, **SETTINGS)
    with Workbench(resolved.plan, Host.load(), lambda name: b"") as bench:
        label, patch = drawn_label(bench, Candidate(0, 0))
        stored = label_json(label, patch)
        other = {**stored, "categorical": [5]}

        told = {
            name: tried(bench, {"try": [0, 0], "label": each}, Watch())[0]
            for name, each in {"stored": stored, "changed": other, "drawn": {}}.items()
        }
        with pytest.raises(DatasetError, match="a label in the reject ledger is damaged"):
            tried(bench, {"try": [0, 0], "label": {**stored, "continuous": [0.5]}}, Watch())

    assert patch_of(json.loads(json.dumps(stored)), resolved.plan.space) == patch
    assert {name: each["label"] for name, each in told.items()} == {name: name for name in told}
    assert told["changed"]["tried"]["detail"] == "told to fail"
    assert told["stored"]["tried"] == told["drawn"]["tried"] != told["changed"]["tried"]


@pytest.mark.parametrize(
    "harm",
    [
        {"categorical": ["x", 1]},
        {"categorical": [99]},
        {"continuous": [0.5, float("nan")]},
        {"assets": {"slot": "0"}},
        {"assets": []},
        {"modulations": [["lfo", "freq", 1.0]]},
        {"from": ["only one"]},
        {"from": "abc"},
    ],
)
def test_a_label_that_is_none_of_the_space_is_refused(chaos, harm):
    resolved = chaos.resolved(("crash",), patches=1, **SETTINGS)
    space = resolved.plan.space
    label = {"continuous": [0.5, 0.5], "categorical": [1], "modulations": [], "assets": {}, "from": ["a", "", ""]}

    assert patch_of(label, space).values["fault"] == 1.0
    with pytest.raises(DatasetError, match="a label in the reject ledger is damaged"):
        patch_of({**label, **harm}, space)


@pytest.mark.long
def test_a_reject_of_a_merged_dataset_is_reproduced_if_the_ledger_has_its_label(chaos, tmp_path):
    for name, seed in (("a", 0), ("b", 1)):
        chaos.make(tmp_path / name, ("crash",), patches=1, seed=seed, **SETTINGS)
    merged = tmp_path / "merged"
    assert terminal("merge", tmp_path / "a", tmp_path / "b", "-o", merged).returncode == 0
    dataset = open_dataset(merged)

    found = [reproduce(dataset, merged, number, Host.load()) for number in (0, 1)]

    assert [(each.stored.patch, each.same, each.label) for each in found] == [(0, True, "stored"), (1, True, "stored")]
    dataset.__dict__["rejections"] = tuple(replace(each, label={}) for each in dataset.rejections)
    with pytest.raises(DatasetError, match="has no label of reject 0, and the sampler 'merge' is not here"):
        reproduce(dataset, merged, 0, Host.load())


def test_a_number_that_is_not_in_the_ledger_is_refused_with_the_range(chaos, tmp_path):
    path = tmp_path / "d"
    chaos.make(path, ("crash",), patches=1, **SETTINGS)

    beyond = terminal("reproduce", path, "--reject", "1")
    taken = terminal("reproduce", path, "--reject", "0", "--audio", tmp_path / "x.mp3")

    assert (beyond.returncode, taken.returncode) == (2, 2)
    assert "1 is not among the 1 rejected candidates" in beyond.stderr
    assert "must end in .wav" in taken.stderr
