"""The memory in which engine and worker share audio."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tonesmith.engine.isolation import isolation_of, promise_of
from tonesmith.engine.shared_audio import SharedAudio, shared_file
from tonesmith.errors import PluginError
from tonesmith.host.roles import Backend, Options
from tonesmith.plan.promises import Promises


@pytest.mark.parametrize("memory", [True, False])
def test_what_two_processes_map_is_one_memory_and_leaves_no_file(monkeypatch, tmp_path, memory):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    if not memory:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    before = set(Path("/dev/shm").glob("*"))  # noqa: S108 - looked at, not written to

    with shared_file(SharedAudio.size(1, 2, 5)) as path:
        ours = SharedAudio(path, 1, 2, 5)
        code = (
            "import sys, numpy; from pathlib import Path; from tonesmith.engine.snapshot import SharedAudio\n"
            "SharedAudio(Path(sys.argv[1]), 1, 2, 5).put(0, [numpy.full((2, n), 0.25, numpy.float32) for n in (2, 3)])"
        )
        subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=60)

    assert ours.audio.tolist() == [[[0.25] * 5] * 2]
    assert list(tmp_path.iterdir()) == []
    assert set(Path("/dev/shm").glob("*")) <= before  # noqa: S108


@pytest.mark.parametrize(
    ("needed", "given", "promised"),
    [
        ("snapshot", "snapshot", "exact"),
        ("snapshot", "fresh", "exact-in-run"),
        ("snapshot", "reuse", "none"),
        ("reuse", "snapshot", "exact"),
        ("fresh", "reuse", "none"),
    ],
)
def test_an_isolation_weaker_than_a_backend_needs_promises_less(needed, given, promised):
    class Synth(Backend):
        isolation = needed
        fallback = "fresh"
        determinism = "exact"
        fallback_determinism = "exact-in-run"

    assert promise_of(Synth, given) == promised


def test_promises_that_depend_on_options_are_checked_too():
    class Synth(Backend):
        name = "synth"

        @classmethod
        def promises(cls, options):
            return Promises("snapshots", "fresh", "exact", "exact")

    with pytest.raises(PluginError, match=r"backend 'synth' has isolation = 'snapshots'.*Did you mean 'snapshot'"):
        isolation_of(Synth, Options())
