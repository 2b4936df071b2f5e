from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tonesmith.api import composed
from tonesmith.host import Host
from tonesmith.pipeline import Resolved, resolve_plan, run
from tonesmith.watch import Summary

PLUGINS = Path(__file__).parent / "plugins"
PRESETS = Path(__file__).parents[2] / "shared" / "presets"

settings.register_profile("tonesmith", deadline=None)
settings.load_profile("tonesmith")


class Chaos:
    """Makes small datasets with the misbehaving synth of tests/plugins, in this process or at a terminal."""

    base: dict[str, Any] = {"sample_rate": 8000, "block": 4, "timeout": 20.0}
    notes: dict[str, Any] = {"pitches": [60, 72], "hold": 0.1, "tail": 0.1}

    def settings(self, faults: tuple[str, ...] = ("none",), **changes: Any) -> dict[str, Any]:
        backend = {"name": "chaos", "faults": list(faults), **changes.pop("backend", {})}
        plain = {**self.base, "notes": self.notes, "backend": backend, "validators": {"level": {}}}
        return {**plain, **changes}

    def resolved(self, faults: tuple[str, ...] = ("none",), **changes: Any) -> Resolved:
        host = Host.load()
        return resolve_plan(composed(None, self.settings(faults, **changes), host=host), host)

    def make(self, path: Path, faults: tuple[str, ...] = ("none",), workers: int = 1, **changes: Any) -> Summary:
        return run(self.resolved(faults, **changes), path, workers=workers)


@pytest.fixture
def chaos(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the third-party plugins of tests/plugins be found, here and in every process started from here."""
    monkeypatch.syspath_prepend(str(PLUGINS))
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(PLUGINS), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    )
    Host.load.cache_clear()
    yield Chaos()
    Host.load.cache_clear()


def terminal(*arguments: object, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``tonesmith`` as a person would, and return its status and output."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "tonesmith", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1", **environment},
        timeout=240,
        check=False,
    )
