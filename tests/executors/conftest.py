from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_CODE = """
import sys, ray
ray.init("local", num_cpus=2, include_dashboard=False, object_store_memory=80_000_000, logging_level="ERROR")
print("ADDRESS", ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
ray.shutdown()
"""
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",
    "RAY_raylet_start_wait_time_s": "600",
    "RAY_worker_niceness": "0",  # Ray's own is 15, at which workers starve beside other tests
}


@pytest.fixture(scope="session")
def ray_address() -> Iterator[str]:
    """One Ray of two CPUs for all tests: it takes 5 s to start, or 40 on a busy machine. It ends with this process."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'tonesmith[ray]'")
    folder = Path(tempfile.mkdtemp(prefix="ts", dir="/tmp"))  # a socket's path has at most 107 bytes
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**SETTINGS, "RAY_TMPDIR": str(folder)}.items():
            patch.setenv(name, value)
        command = [sys.executable, "-P", "-c", _CODE]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(os.environ)) as head:
            assert head.stdout is not None
            told = head.stdout.readline().split()
            assert told[:1] == [b"ADDRESS"], "Ray did not start"
            yield told[1].decode()
            head.communicate(timeout=60)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def ray_here(ray_address: str) -> Iterator[str]:
    """Let Ray be found by the environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_ADDRESS", ray_address)
        yield ray_address
