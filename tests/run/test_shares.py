"""Many jobs that make a dataset together without a coordinator, and what completes it."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support import sampled, terminal
from support.processes import wait_for

import tonesmith
from tonesmith import Watcher, open_dataset
from tonesmith.card.card import card_files
from tonesmith.errors import ConfigError, DatasetNotFoundError, OtherPlanError
from tonesmith.plan.share import share_of
from tonesmith.plan.summary import Summary
from tonesmith.run.finish import finish
from tonesmith.run.pipeline import run
from tonesmith.run.progress import progress
from tonesmith.run.status import Statuses

SETTINGS = {"patches": 11, "block": 2, "sampler": "troublesome"}
PLAN = ("-n", 11, "--block", 2, "--sample-rate", 8000, "--timeout", 20, "--backend", "chaos", "--workers", 1)
PLAN += ("--sampler", "troublesome", "--backend.faults", "silent", "--validator", "level")
PLAN += ("--notes.pitches", "60,72", "--notes.hold", 0.1, "--notes.tail", 0.1)


class Jobs:
    """Makes shares of one plan, in this process or by the command."""

    def __init__(self, chaos: Any) -> None:
        self._chaos = chaos

    def make(self, path: Path, blocks: str | None = None, watcher: Watcher | None = None, **changes: Any) -> Summary:
        resolved = self._chaos.resolved(("silent",), **{**SETTINGS, **changes})
        share = share_of(resolved.plan.blocks, blocks, None)
        return run(resolved, path, workers=1, watcher=watcher, share=share)

    def whole(self, folder: Path) -> str:
        """Return the digest of the dataset that one run makes."""
        return self.make(folder / "whole").digest


@pytest.fixture
def jobs(chaos: Any) -> Jobs:
    return Jobs(chaos)


def generate(path: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return terminal("generate", *PLAN, *words, path)


def made(path: Path, *words: object) -> dict[str, Any]:
    result = generate(path, "--json", *words)
    assert result.returncode == 0, result.stderr
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def stored(path: Path) -> list[int]:
    return sorted(open_dataset(path).storage.committed())


def is_sealed(path: Path) -> bool:
    return card_files(path)[0].exists()


@pytest.mark.parametrize("sink", sampled(["zarr", "hdf5", "folder", "lmdb", "parquet", "webdataset"], 6))
def test_jobs_that_create_a_dataset_at_the_same_moment_end_as_one_run_would(jobs, tmp_path, sink):
    whole, path = jobs.make(tmp_path / "whole", sink=sink), tmp_path / "d"

    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(lambda part: generate(path, "--sink", sink, "--share", f"{part}/3"), (1, 2, 3)))

    assert [job.returncode for job in made] == [0, 0, 0], made
    assert not any("another process" in job.stderr for job in made)
    assert finish(path).digest == whole.digest
    assert terminal("verify", path).returncode == 0


@pytest.mark.long
def test_jobs_that_make_one_file_together_end_as_one_run_would(jobs, tmp_path):
    single = ("--sink", "hdf5", "--sink.single")
    whole = jobs.make(tmp_path / "whole.h5", sink={"name": "hdf5", "single": True})
    path = tmp_path / "d.h5"

    with ThreadPoolExecutor(4) as pool:
        made_ = list(pool.map(lambda part: generate(path, *single, "--share", f"{part}/3"), (1, 2, 3, 1)))

    assert [job.returncode for job in made_] == [0, 0, 0, 0], made_
    assert finish(path).digest == whole.digest
    assert made(path, *single, "--share", "2/3")["digest"] == whole.digest
    assert {file.name for file in tmp_path.glob("d.h5*")} == {"d.h5", "d.h5.md", "d.h5.croissant.json"}


@pytest.mark.long
def test_a_share_is_made_and_no_more_and_the_last_one_completes_the_dataset(jobs, tmp_path):
    path = tmp_path / "d"

    first = jobs.make(path, "4:6,0")

    assert stored(path) == [0, 4, 5]
    assert not is_sealed(path)
    assert first.to_json()["share"] == {
        "blocks": "0,4:6",
        "rows": 10,
        "rows_planned": 10,
        "blocks_planned": 6,
        "missing": 3,
    }
    assert (first.rows, first.rows_added, first.rows_planned, first.complete, first.done) == (10, 10, 22, False, True)
    assert first.to_json()["digest"] is first.to_json()["nbytes"] is None
    assert [run.state for run in Statuses(path).now().runs] == ["finished"]
    jobs.make(path, "1")
    assert stored(path) == [0, 1, 4, 5]
    last = jobs.make(path, "2:4")
    assert is_sealed(path)
    assert (last.rows, last.rows_added, last.complete, last.digest) == (22, 8, True, jobs.whole(tmp_path))
    assert last.nbytes == open_dataset(path).nbytes


def test_the_plan_does_not_know_of_shares(jobs, chaos, tmp_path):
    jobs.make(tmp_path / "d", "0:3")

    assert open_dataset(tmp_path / "d").plan == chaos.resolved(("silent",), **SETTINGS).plan


def test_the_progress_of_a_share_is_that_of_its_rows(jobs, tmp_path):
    with progress() as shown:
        jobs.make(tmp_path / "d", "3", watcher=shown)

    assert (shown.meter.done, shown.meter.total) == (4, 4)


def test_what_others_store_meanwhile_is_not_counted_as_added(jobs, tmp_path):
    path = tmp_path / "d"

    class Other(Watcher):
        def started(self, *_: object) -> None:
            jobs.make(path, "4:6")

    assert jobs.make(path, "0:2", watcher=Other()).rows_added == 8


@pytest.mark.long
def test_the_summary_of_a_share_says_what_it_made_and_what_the_whole_lacks(chaos, tmp_path):
    told = generate(tmp_path / "d", "--share", "1/3")

    assert told.stdout.splitlines()[0].endswith("d: 8 rows of blocks 0:2")
    assert "  missing   4 of 6 blocks of the whole dataset" in told.stdout
    assert f"tonesmith finish {tmp_path / 'd'}" in told.stdout
    assert "a share of 8 rows, of 22 rows in 6 blocks; 2 blocks to go" in told.stderr
    again = generate(tmp_path / "d", "--share", "1/3")
    assert "added     0 rows" in again.stdout
    assert "; 8 done, 0 blocks to go" in again.stderr
    work = json.loads(generate(tmp_path / "d", "--dry-run", "--json", "--blocks", "1:4").stdout)["work"]
    assert (work["blocks"], work["rows"]) == (2, 8)


@pytest.mark.parametrize(("option", "value"), sampled([("--share", "1/7"), ("--blocks", "6"), ("--blocks", "50:0")], 3))
def test_a_share_that_cannot_be_is_refused_before_anything_is_written(chaos, tmp_path, option, value):
    result = generate(tmp_path / "d", option, value)

    assert result.returncode == 2
    assert result.stderr.startswith(f"tonesmith: error: {option}: ")
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", sampled(["it's a dataset", "d"], 2))
def test_finish_names_the_command_that_makes_what_is_missing_and_that_command_works(jobs, tmp_path, name):
    path = tmp_path / name
    jobs.make(path, "0,2,5")

    lacking = terminal("finish", name, cwd=tmp_path)

    assert lacking.returncode == 1
    assert lacking.stdout.startswith(f"{name}: 10 of 22 rows\n  missing   3 of 6 blocks.")
    assert not is_sealed(path)
    command = shlex.split(lacking.stdout.splitlines()[-1])
    assert command[:2] == ["tonesmith", "generate"]
    assert "1,3:5" in command
    assert terminal(*command[1:], cwd=tmp_path).returncode == 0
    assert open_dataset(path).digest == jobs.whole(tmp_path)


def test_finish_completes_what_is_whole_and_may_be_repeated(jobs, tmp_path):
    path = tmp_path / "d"
    whole = jobs.make(path)
    for file in card_files(path):
        file.unlink()

    told = [json.loads(terminal("finish", path, "--json").stdout) for _ in range(2)]

    assert told[0] == told[1]
    assert is_sealed(path)
    assert told[0]["nbytes"] == open_dataset(path).nbytes
    assert {key: told[0][key] for key in ("complete", "missing", "command", "blocks", "digest")} == {
        "complete": True,
        "missing": "",
        "command": "",
        "blocks": 6,
        "digest": whole.digest,
    }


@pytest.mark.long
def test_a_last_block_of_too_few_rows_is_missing_once_the_dataset_is_to_be_larger(jobs, tmp_path):
    path = tmp_path / "d"
    jobs.make(path)

    jobs.make(path, "0", patches=13)

    assert finish(path).missing == "5:7"
    jobs.make(path, "6", patches=13)
    jobs.make(path, "5", patches=13)
    assert finish(path).complete


def test_what_is_missing_of_a_huge_plan_is_told_at_once(jobs, tmp_path):
    made = jobs.make(tmp_path / "d", "7", patches=10**9, block=1)

    assert made.share.missing == 10**9 - 1
    assert finish(tmp_path / "d").missing == "0:7,8:1000000000"


def test_finish_of_nothing_and_of_what_no_run_can_complete_is_told(jobs, tmp_path):
    with pytest.raises(DatasetNotFoundError):
        finish(tmp_path / "d")
    sources = [tmp_path / "1", tmp_path / "2"]
    for seed, source in enumerate(sources):
        jobs.make(source, seed=seed, patches=2)
    tonesmith.merge(sources, tmp_path / "merged")
    next((tmp_path / "merged" / "tonesmith" / "blocks").iterdir()).unlink()

    with pytest.raises(OtherPlanError, match="was merged from other datasets"):
        finish(tmp_path / "merged")


@pytest.mark.long
def test_a_share_that_is_killed_and_started_again_ends_as_one_run_would(chaos_in_processes, jobs, tmp_path):
    path = tmp_path / "d"
    words = [sys.executable, "-P", "-m", "tonesmith", "generate", *map(str, PLAN), "--share", "1/2", str(path)]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as job:
        wait_for(lambda: list(path.glob("tonesmith/blocks/*")))
        job.send_signal(signal.SIGKILL)

    assert made(path, "--share", "2/2")["share"]["rows"] == 10
    assert made(path, "--share", "1/2")["digest"] == jobs.whole(tmp_path)


def test_a_share_in_python_is_made_by_its_numbers_and_watched(chaos, tmp_path):
    heard: list[tuple[int, int]] = []

    class Listener(Watcher):
        def sharing(self, blocks: int, rows: int) -> None:
            heard.append((blocks, rows))

    settings = chaos.settings(patches=5)
    one = tonesmith.generate(tmp_path / "d", workers=1, watcher=Listener(), blocks=range(1, 2), **settings)
    assert (one.rows, one.done, one.complete, one.digest) == (2, True, False, "")
    assert not tonesmith.finish(tmp_path / "d").complete
    two = tonesmith.generate(tmp_path / "d", workers=1, share=(1, 2), **settings)

    assert heard == [(1, 2)]
    assert two.complete
    assert tonesmith.finish(tmp_path / "d").digest == two.digest
    with pytest.raises(ConfigError, match="share: part 1 of 4 is empty"):
        tonesmith.generate(tmp_path / "e", share="1/4", **settings)
    assert not (tmp_path / "e").exists()
