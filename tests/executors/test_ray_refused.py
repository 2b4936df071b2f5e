"""What stands in the way of a run on Ray is told in a sentence, before anything is written."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tonesmith.errors import ConfigError, RunError
from tonesmith.executors.ray import RayExecutor
from tonesmith.host.registry import Host
from tonesmith.run.staff import executor_of
from tonesmith.testing import Project

SHORT = ("-n", 2, "--notes.pitches", 60, "--notes.hold", 0.05, "--notes.tail", 0.05, "--sample-rate", 8000)
CHAOS = "tonesmith.testing.chaos"


def refused(made: Project, *words: object, status: int = 1, **environment: str) -> str:
    """Return what a run on Ray says that ends with this status and leaves nothing behind."""
    made.folder.mkdir(exist_ok=True)
    done = made.run(
        "generate", "--backend", "chaos", "--executor", "ray", *SHORT, *words, "out", timeout=600, **environment
    )
    assert done.status == status, done.stderr
    assert not (made.folder / "out").exists()
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ray://10.0.0.5:10001", "ray:// is not supported. Start on a machine of the cluster"),
        ("10.0.0.5", "expected HOST:PORT"),
        ("10.0.0.5:99999", "expected HOST:PORT"),
        ("http://10.0.0.5:6379", "expected HOST:PORT"),
    ],
)
def test_an_address_that_is_none_is_refused_with_the_form_it_has(address, said):
    with pytest.raises(ConfigError, match="address") as caught:
        Host.load().options_of("executor", "ray", {"address": address})
    assert said in str(caught.value)


def test_where_ray_is_not_installed_the_command_that_installs_it_is_told(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"the executor 'ray' needs ray.*pip install \"tonesmith\[ray\]\""):
        RayExecutor(RayExecutor.Options()).check()


def test_an_unknown_executor_is_refused_with_the_nearest():
    from tonesmith.api import composed

    with pytest.raises(ConfigError, match=r"unknown executor 'rey'. Did you mean 'ray'\?"):
        composed(None, {"executor": "rey"})
    assert executor_of(None, Host.load()).name == "local"


def test_an_address_where_nobody_listens_is_told_at_once():
    pytest.importorskip("ray")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        executor = RayExecutor(RayExecutor.Options(address=address))
        try:
            with pytest.raises(RunError, match=rf"no Ray cluster answers at {address}: Connection refused"):
                executor.open(1)
        finally:
            executor.close()


@contextmanager
def other_work(address: str, cpus: int) -> Iterator[None]:
    """Have so many CPUs of a cluster taken."""
    code = "import ray, sys\nray.init(sys.argv[1], logging_level='ERROR')\n"
    code += "a = ray.remote(num_cpus=int(sys.argv[2]))(type('A', (), {'hi': lambda self: 1})).remote()\n"
    code += "print(ray.get(a.hi.remote()), flush=True)\nsys.stdin.read()\n"
    command = [sys.executable, "-c", code, address, str(cpus)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(os.environ)) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"1\n"
        yield
        other.communicate()


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_run_makes_do_with_the_cpus_that_other_work_leaves(project, ray_address):
    words = ("--executor.address", ray_address, "--workers", 2, "--block", 1, "--validator", "level")
    made = project({}, plugins=[CHAOS])
    with other_work(ray_address, 1):
        done = made.run(
            "generate", "--backend", "chaos", "--executor", "ray", *SHORT, "-n", 4, *words, "out", timeout=600
        )
    assert done.status == 0, done.stderr
    assert len(done.dataset("out")) == 4


@pytest.mark.long
@pytest.mark.timeout(900)
class TestFailingStarts:
    """Each starts a process that tries to start Ray."""

    def test_a_home_that_cannot_be_written_to(self, project):
        told = refused(project({}, plugins=[CHAOS]), HOME="/proc/nowhere", RAY_AUTH_MODE="token", RAY_ADDRESS="")
        assert "could not start Ray on this machine" in told
        assert "make that a folder that can be written to" in told

    def test_a_temporary_folder_whose_path_is_too_long(self, project, tmp_path):
        long = tmp_path / ("x" * 60) / ("y" * 60)
        long.mkdir(parents=True)
        told = refused(project({}, plugins=[CHAOS]), RAY_TMPDIR=str(long), RAY_ADDRESS="")
        assert "Set RAY_TMPDIR to a folder with a short path" in told

    def test_a_cluster_whose_cpus_are_taken(self, project, ray_address):
        with other_work(ray_address, 2):
            words = ("--executor.address", ray_address, "--executor.start_seconds", 20)
            told = refused(project({}, plugins=[CHAOS]), *words)
        assert f"no CPU of the Ray cluster at {ray_address} became free within 20 s: other work has its 2" in told

    def test_a_token_that_is_missing(self, project, tmp_path):
        homes = [tmp_path / "theirs", tmp_path / "ours"]
        for home in homes:
            home.mkdir()
        code = (
            "import ray, sys\nray.init('local', num_cpus=1, include_dashboard=False, object_store_memory=80_000_000)\n"
        )
        code += "print(ray.get_runtime_context().gcs_address, flush=True)\nsys.stdin.read()\n"
        theirs = {**os.environ, "RAY_AUTH_MODE": "token", "HOME": str(homes[0]), "RAY_USAGE_STATS_ENABLED": "0"}
        theirs.pop("RAY_ADDRESS", None)
        command = [sys.executable, "-c", code]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=theirs) as other:
            assert other.stdout is not None
            address = other.stdout.readline().decode().split()[-1]
            words = ("--executor.address", address)
            told = refused(project({}, plugins=[CHAOS]), *words, HOME=str(homes[1]), RAY_AUTH_MODE="token")
            other.communicate()
        assert f"could not join the Ray cluster at {address}" in told
        assert "token" in told
