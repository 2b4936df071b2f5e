"""docs/clusters.md: its scripts, as they stand there, make a dataset of this machine's size."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import ROOT
from support.documents import SHORT, blocks_of, check_document, commands_of, pages
from support.processes import wait_for
from support.slurm import Slurm, lacking, slurm

from tonesmith import open_dataset
from tonesmith.api import composed
from tonesmith.host.registry import Host
from tonesmith.run.finish import finish
from tonesmith.run.pipeline import run

PAGE = ROOT / "docs" / "clusters.md"
PAGES = [
    "docs/clusters.md",
]
SETTINGS: dict[str, Any] = {"patches": 12, "block": 2, "sampler": "troublesome"}
PARTS = 3


@pages([], PAGES)
def test_every_block_runs(name, folder, commands):
    check_document(name, folder, commands)


@pytest.fixture
def shared(chaos: Any, tmp_path: Path) -> Path:
    """A folder for ``/shared``, with a ``mine.toml`` of few patches."""
    (tmp_path / "mine.toml").write_text(toml(chaos, **SETTINGS))
    return tmp_path


def toml(chaos: Any, **settings: Any) -> str:
    return composed(None, chaos.settings(("silent",), **settings), host=Host.load()).to_toml()


@pytest.fixture
def environment(shared: Path, commands: Path) -> dict[str, str]:
    """What a job finds: a ``tonesmith`` that starts at once, and no other cluster."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SLURM")}
    here = [str(commands), str(Path(sys.executable).parent), kept.get("PATH", "")]
    return {**kept, "PATH": os.pathsep.join(here), "HOME": str(shared)}


def digest(chaos: Any, folder: Path) -> str:
    """Return the digest of the dataset that one run makes."""
    return run(chaos.resolved(("silent",), **SETTINGS), folder / "whole.zarr", workers=1).digest


def smaller(text: str, shared: Path) -> str:
    """Return a text of the page with this machine's folder, few parts and few cores."""
    text = re.sub(r"s3://bucket|/shared", str(shared), text).replace("~/mine.toml", f"{shared}/mine.toml")
    text = re.sub(r"/20\b", f"/{PARTS}", text)
    text = re.sub(r"\b1-20\b", f"1-{PARTS}", text).replace("{1..20}", f"{{1..{PARTS}}}")
    return re.sub(r"(--cpus-per-task=|--workers )\d+", r"\g<1>1", text)


def file_of(name: str) -> str:
    return next(block.text for block in blocks_of(PAGE) if block.marker == f"file: {name}")


def commands_with(word: str) -> Iterator[str]:
    """Yield the commands of the console block of the page that has a word."""
    block = next(b for b in blocks_of(PAGE) if b.language == "console" and re.search(rf"\b{word}\b", b.text))
    yield from (command for command, _ in commands_of(block.text))


def shell(command: str, environment: dict[str, str], folder: Path, **variables: str) -> None:
    done = subprocess.run(
        ["bash", "-euc", command],
        env={**environment, **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"


@pytest.mark.long
def test_the_tour_makes_a_dataset_of_two_shares(environment, tmp_path):
    for command in commands_with("mine.toml"):
        shell(command.replace("-n 64", f"-n 2 --block 1 {SHORT}"), environment, tmp_path)

    assert open_dataset(tmp_path / "out.zarr").complete


@pytest.mark.long
@pytest.mark.skipif(bool(lacking()), reason=lacking() or "Slurm is here")
@pytest.mark.timeout(600)
def test_slurm_makes_the_dataset_though_a_task_is_requeued_in_mid_run(chaos, shared, environment):
    slow = {**SETTINGS, "backend": {"slow": 0.2}}
    (shared / "mine.toml").write_text(toml(chaos, **slow))
    script = shared / "tonesmith.slurm"
    script.write_text(smaller(file_of(script.name), shared))
    submit, then = (smaller(command, shared) for command in commands_with("sbatch"))
    (shared / "daemons").mkdir()
    installed = {**environment, "PATH": os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])}

    with slurm(shared / "daemons", installed) as cluster:
        job = cluster("bash", "-euc", f"{submit}; echo $job", folder=shared)
        task = _requeue_one(cluster, job, shared)
        cluster("bash", "-euc", f"job={job}; {then}", folder=shared)
        wait_for(lambda: not cluster.states(), 400.0)

    logs = {file.name: file.read_text() for file in shared.glob("*.log")}
    whole = run(chaos.resolved(("silent",), **slow), shared / "whole.zarr", workers=1)
    assert "complete, 24 rows in 6 blocks" in logs["finish.log"], logs
    starts = {number: logs[f"tonesmith-{number}.log"].count("a share of") for number in range(1, PARTS + 1)}
    assert starts == {number: 1 + (task == f"{job}_{number}") for number in range(1, PARTS + 1)}
    assert open_dataset(shared / "out.zarr").digest == whole.digest


def _requeue_one(cluster: Slurm, job: str, folder: Path) -> str:
    """Send a task that is making blocks back to the queue, as if its machine were wanted by others; return which."""
    wait_for(lambda: _at_work(cluster, job, folder), 120.0)
    task = _at_work(cluster, job, folder)[0]
    cluster("scontrol", "requeue", task)
    wait_for(lambda: task not in cluster.running(job))
    return task


def _at_work(cluster: Slurm, job: str, folder: Path) -> list[str]:
    logs = {task: folder / f"tonesmith-{task.rpartition('_')[2]}.log" for task in cluster.running(job)}
    return [task for task, log in logs.items() if log.exists() and "a share of" in log.read_text()]


@pytest.mark.long
@pytest.mark.skipif(shutil.which("parallel") is None, reason="GNU parallel is not installed (Debian: parallel)")
def test_gnu_parallel_makes_the_dataset(chaos, shared, environment):
    for command in commands_with("parallel"):
        shell(smaller(command, shared), environment, shared)

    assert open_dataset(shared / "out.zarr").digest == digest(chaos, shared)


def test_the_files_of_clouds_are_yaml_and_have_as_many_jobs_as_parts():
    job, task = (yaml.safe_load(file_of(name)) for name in ("job.yaml", "spot.yaml"))

    assert (job["kind"], job["spec"]["completionMode"]) == ("Job", "Indexed")
    assert job["spec"]["completions"] == job["spec"]["parallelism"] == 20
    assert "+ 1))/20" in container_of(job)["args"][0]
    assert task["resources"]["use_spot"] is True
    assert set(re.findall(r"\$(\w+)", task["run"])) == set(task["envs"]) == {"PART"}


def container_of(job: Any) -> Any:
    return job["spec"]["template"]["spec"]["containers"][0]


@pytest.mark.long
def test_the_pods_of_kubernetes_make_the_dataset(chaos, shared, environment):
    container = container_of(yaml.safe_load(file_of("job.yaml")))
    command = smaller(shlex.join([*container["command"], *container["args"]]), shared)

    for index in range(PARTS):
        shell(command, environment, shared, JOB_COMPLETION_INDEX=str(index))
    assert finish(shared / "out.zarr").digest == digest(chaos, shared)


@pytest.mark.long
def test_spot_machines_make_the_dataset(chaos, shared, environment):
    task = yaml.safe_load(file_of("spot.yaml"))
    for part in range(1, PARTS + 1):
        shell(smaller(task["run"], shared), environment, shared, PART=str(part))
    assert finish(shared / "out.zarr").digest == digest(chaos, shared)


@pytest.mark.long
def test_the_line_of_sge_makes_the_dataset(chaos, shared, environment):
    line = next(line for line in PAGE.read_text().splitlines() if "qsub -t" in line)
    command = re.search(r"-V '([^']+)'", line)[1]
    for part in range(1, PARTS + 1):
        shell(smaller(command, shared), environment, shared, NSLOTS="1", SGE_TASK_ID=str(part))
    assert finish(shared / "out.zarr").digest == digest(chaos, shared)
