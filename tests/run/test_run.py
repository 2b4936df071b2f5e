"""Whole runs, with a synth that misbehaves: what is promised of a dataset whatever happens to the run."""

from __future__ import annotations

import numpy as np
import pytest
from support import terminal

from tonesmith import open_dataset
from tonesmith.errors import ConfigError, EngineError, OtherPlanError, RunError
from tonesmith.host.registry import Host
from tonesmith.run.pipeline import run
from tonesmith.run.produce import Workbench, produce_block
from tonesmith.terminal.text import size


def test_the_rows_are_the_same_for_any_number_of_workers_and_any_size_of_block(chaos, tmp_path):
    digests = {
        chaos.make(tmp_path / "one", patches=11).digest,
        chaos.make(tmp_path / "two", patches=11, workers=2).digest,
        chaos.make(tmp_path / "blocks", patches=11, workers=2, block=3).digest,
    }

    assert len(digests) == 1


def test_blocks_made_in_any_order_hold_the_same_rows(chaos, tmp_path):
    resolved = chaos.resolved(patches=10)
    order = list(range(resolved.plan.blocks))[::-1]

    with Workbench(resolved.plan, Host.load(), lambda name: b"") as bench:
        backwards = {index: produce_block(bench, index).digests for index in order}
        forwards = {index: produce_block(bench, index).digests for index in order[::-1]}

    assert backwards == forwards


@pytest.mark.parametrize("isolation", ["snapshot", "fresh"])
def test_no_note_hears_the_note_before(chaos, tmp_path, isolation):
    chaos.make(tmp_path / "d", patches=6, isolation=isolation)

    audio = open_dataset(tmp_path / "d")[:].audio

    np.testing.assert_array_equal(audio[:, 0], audio[:, 1])  # the synth adds what it remembers to channel 1


def test_reuse_lets_a_synth_remember_which_is_what_isolation_prevents(chaos, tmp_path):
    chaos.make(tmp_path / "d", patches=6, isolation="reuse")

    dataset = open_dataset(tmp_path / "d")
    audio = dataset[:].audio

    assert not np.array_equal(audio[:, 0], audio[:, 1])
    assert dataset.plan.determinism == "none"


@pytest.mark.parametrize(
    ("fault", "by", "reason", "detail"),
    [
        ("crash", "engine", "crash", "SIGSEGV"),
        pytest.param("kill", "engine", "crash", "SIGKILL", marks=pytest.mark.long),
        pytest.param("exit", "engine", "crash", "", marks=pytest.mark.long),
        pytest.param("hang", "engine", "timeout", "", marks=pytest.mark.long),
        pytest.param("error", "engine", "error", "told to fail", marks=pytest.mark.long),
        ("raise", "engine", "error", "ZeroDivisionError"),
        pytest.param("shape", "engine", "shape", "", marks=pytest.mark.long),
        ("nan", "level", "not finite", ""),
        pytest.param("silent", "level", "silent", "", marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("isolation", ["snapshot", pytest.param("fresh", marks=pytest.mark.long)])
def test_a_misbehaving_patch_is_blamed_by_name_and_the_run_goes_on(
    chaos, tmp_path, fault, by, reason, detail, isolation
):
    check_blamed(chaos, tmp_path, fault, by, reason, detail, isolation)


def test_a_patch_that_takes_its_engine_along_is_blamed_too(chaos, tmp_path):
    check_blamed(chaos, tmp_path, "crash", "engine", "crash", "SIGSEGV", "fresh")


def check_blamed(chaos, tmp_path, fault, by, reason, detail, isolation):
    timeout = 1.5 if fault == "hang" else 20.0
    summary = chaos.make(
        tmp_path / "d", (fault,), patches=5, sampler="troublesome", timeout=timeout, isolation=isolation
    )

    dataset = open_dataset(tmp_path / "d")
    assert summary.complete
    assert summary.rejections == {f"{by}: {reason}": 2}
    assert [(r.patch, r.attempt, r.by, r.reason) for r in dataset.rejections] == [
        (0, 0, by, reason),
        (3, 0, by, reason),
    ]
    assert all(detail in r.detail for r in dataset.rejections)
    assert dataset.column("attempt").tolist() == [1, 1, 0, 0, 0, 0, 1, 1, 0, 0]


def test_a_rejected_candidate_leaves_every_other_patch_as_it_is(chaos, tmp_path):
    chaos.make(tmp_path / "calm", patches=5, sampler="troublesome")
    chaos.make(tmp_path / "wild", ("crash",), patches=5, sampler="troublesome")

    calm, wild = open_dataset(tmp_path / "calm"), open_dataset(tmp_path / "wild")
    for row in (2, 3, 4, 5, 8, 9):
        np.testing.assert_array_equal(calm[row].audio, wild[row].audio)


@pytest.mark.long
def test_a_timeout_on_record_is_honoured_though_the_patch_would_now_be_quick(chaos, tmp_path):
    marker = tmp_path / "marker"
    marker.touch()
    settings = {"patches": 2, "sampler": "troublesome", "timeout": 1.5, "backend": {"marker": str(marker)}}
    slow = chaos.make(tmp_path / "slow", ("flaky",), **settings)
    marker.unlink()

    resolved = chaos.resolved(("flaky",), **settings)
    faults = [r for r in open_dataset(tmp_path / "slow").rejections if r.reason == "timeout"]
    with Workbench(resolved.plan, Host.load(), lambda name: b"") as bench:
        resumed = produce_block(bench, 0, faults)
        forgetful = produce_block(bench, 0)

    stored = open_dataset(tmp_path / "slow").storage.blocks()[0]
    assert slow.rejections == {"engine: timeout": 1}
    assert resumed.digests == stored
    assert forgetful.digests != stored


def test_a_fault_is_on_disk_before_its_block_is(chaos, tmp_path):
    with pytest.raises(RunError):
        chaos.make(tmp_path / "d", ("crash",), patches=4, sampler="uniform", max_attempts=3)

    dataset = open_dataset(tmp_path / "d")
    assert len(dataset) == 0
    assert [(r.patch, r.attempt, r.reason) for r in dataset.rejections] == [(0, a, "crash") for a in range(3)]


def test_a_plan_that_rejects_everything_stops_and_says_what_to_loosen(chaos, tmp_path):
    with pytest.raises(RunError, match=r"patch 0 was rejected 4 times \(level: silent 4\)\. Narrow.*\[space\]") as stop:
        chaos.make(tmp_path / "d", ("silent",), patches=4, max_attempts=4)

    assert stop.value.exit_code == 1


def test_a_validator_that_crashes_its_worker_is_blamed_on_the_candidate(chaos, tmp_path):
    calm = chaos.make(tmp_path / "calm", patches=8, validators={"touchy": {}})
    tops = sorted({row.measured["touch"] for row in open_dataset(tmp_path / "calm")})
    edge = (tops[-1] + tops[-3]) / 2

    summary = chaos.make(tmp_path / "d", patches=8, validators={"touchy": {"crash_above": edge}})

    assert summary.complete
    assert summary.rejections["worker: crash"] >= 1
    assert summary.digest != calm.digest
    assert all(row.measured["touch"] <= edge for row in open_dataset(tmp_path / "d"))


def test_a_larger_n_extends_and_leaves_the_rows_that_were_there(chaos, tmp_path):
    first = chaos.make(tmp_path / "d", patches=6)
    before = open_dataset(tmp_path / "d")[:]

    second = chaos.make(tmp_path / "d", patches=9)

    dataset = open_dataset(tmp_path / "d")
    assert (first.rows, second.rows, second.rows_added) == (12, 18, 6)
    assert dataset.plan.rounds == (6, 3)
    for name, column in before.columns.items():
        np.testing.assert_array_equal(dataset[:12].columns[name], column)


def test_the_same_command_again_does_nothing(chaos, tmp_path):
    first = chaos.make(tmp_path / "d", patches=4)
    again = chaos.make(tmp_path / "d", patches=4)

    assert (again.rows_added, again.candidates, again.digest) == (0, 0, first.digest)


@pytest.mark.parametrize("sink", ["zarr", "folder"])
def test_the_size_that_is_printed_is_the_size_that_is_there(chaos, tmp_path, sink):
    nbytes = chaos.make(tmp_path / "d", patches=2, sink=sink).nbytes
    assert nbytes == open_dataset(tmp_path / "d").nbytes
    assert nbytes == sum(path.stat().st_size for path in (tmp_path / "d").rglob("*") if path.is_file())
    assert f"| size | {size(nbytes)} |" in (tmp_path / "d" / "README.md").read_text()


def test_another_plan_on_the_same_path_is_refused_with_the_difference(chaos, tmp_path):
    chaos.make(tmp_path / "d", patches=4)

    with pytest.raises(OtherPlanError, match=r"seed: 0 -> 1\n  space.parameters.freq.within.*300"):
        chaos.make(tmp_path / "d", patches=4, seed=1, space={"ranges": {"freq": [100, 300]}})
    with pytest.raises(OtherPlanError, match="4 patches, and 3 are asked for"):
        chaos.make(tmp_path / "d", patches=3)

    assert len(open_dataset(tmp_path / "d")) == 8


@pytest.mark.parametrize(("load", "said"), [("crash", "SIGSEGV"), ("error", "was told not to load")])
def test_an_engine_that_does_not_load_is_one_sentence_and_nothing_is_written(chaos, tmp_path, load, said):
    with pytest.raises(EngineError, match=f"chaos: .*{said}"):
        chaos.make(tmp_path / "d", patches=4, backend={"load": load})

    assert not (tmp_path / "d").exists()


def test_a_space_that_asks_too_much_of_the_engine_is_refused_before_anything_is_written(chaos, tmp_path):
    with pytest.raises(ConfigError, match=r"freq = \[1, 300\] is not a range within 20..2000"):
        chaos.make(tmp_path / "d", space={"ranges": {"freq": [1, 300]}})

    assert not (tmp_path / "d").exists()


def test_the_life_cycle_hooks_tell_of_a_run(chaos, tmp_path, monkeypatch):
    log = tmp_path / "log"
    monkeypatch.setenv("CHAOS_LOG", str(log))

    chaos.make(tmp_path / "d", ("silent",), patches=5, sampler="troublesome")

    events = log.read_text().splitlines()
    assert events[0] == "started {'rows': 10, 'path': 'd', 'blocks': 2}"
    assert events[-1] == "finished {'rows': 10, 'complete': True}"
    assert events.count("rejected {'patch': 3, 'reason': 'silent'}") == 1
    assert {"committed {'block': 0, 'rows': 8}", "committed {'block': 1, 'rows': 2}"} <= set(events)


def test_verify_finds_a_changed_sample_and_a_label_that_no_longer_sounds_like_its_row(chaos, tmp_path):
    path = tmp_path / "d"
    chaos.make(path, patches=4)
    assert terminal("verify", path, "--render", "8").returncode == 0

    shard = max((path / "audio").rglob("*"), key=lambda p: p.stat().st_size if p.is_file() else 0)
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    result = terminal("verify", path)

    assert result.returncode == 1
    assert "block 0" in result.stdout


def test_verify_says_which_rows_do_not_render_again(chaos, tmp_path):
    path = tmp_path / "d"
    chaos.make(path, patches=6, isolation="reuse")

    result = terminal("verify", path, "--render", "5")  # which is another order than they were made in

    assert result.returncode == 1
    assert "differs by up to" in result.stdout


def test_run_takes_a_plan_that_was_resolved_elsewhere(chaos, tmp_path):
    assert run(chaos.resolved(patches=2), tmp_path / "d", workers=1).complete
