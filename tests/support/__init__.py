"""What tests of all rooms share: places, small datasets of the misbehaving synth, and the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.forks import run_forked

from tonesmith.api import composed
from tonesmith.host.registry import Host
from tonesmith.plan.summary import Summary
from tonesmith.run.pipeline import run
from tonesmith.run.resolve import Resolved, resolve_plan
from tonesmith.testing import Project

ROOT = Path(__file__).parents[2]
FOLDERS = ("core", "backends", "samplers", "validators", "features", "composers", "sinks", "executors")
FOLDERS += ("importers", "annotators", "augmenters", "corpus", "explorer")
"""Of the code, each of which installs as a package."""
PLUGINS = Path(__file__).parent / "plugins"
PRESETS = ROOT.parent / "shared" / "presets"


class Chaos:
    """Makes small datasets with the misbehaving synth of tests/support, in this process or at a terminal."""

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


def amounts(small: int, large: int) -> list[Any]:
    """Return what a test is parametrised with that does the same to few things, and to many in ``make test-long``."""
    return [small, pytest.param(large, marks=pytest.mark.long)]


def sampled(cases: Iterable[Any], every: int) -> list[Any]:
    """Return what a test is parametrised with that tries each case in ``make test-long``, and some of them always."""
    tuples = [case if isinstance(case, tuple) else (case,) for case in cases]
    return [pytest.param(*c, marks=pytest.mark.long if number % every else ()) for number, c in enumerate(tuples)]


@contextmanager
def misbehaving() -> Iterator[Chaos]:
    """Let the third-party plugins of tests/support be found, here and in every process started from here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        paths = [str(PLUGINS), os.environ.get("PYTHONPATH", "")]
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
        Host.load.cache_clear()
        yield Chaos()
    Host.load.cache_clear()


@contextmanager
def plugged(made: Project, module: str) -> Iterator[None]:
    """Let the plugin of a project be found in this process too, and in every one started from here."""
    with pytest.MonkeyPatch.context() as patch:
        paths = [str(made.folder), str(made.folder / ".site")]
        for path in paths:
            patch.syspath_prepend(path)
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [*paths, os.environ.get("PYTHONPATH", "")])))
        Host.load.cache_clear()
        yield
        Host.load.cache_clear()
        sys.modules.pop(module, None)


def terminal(*arguments: object, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``tonesmith`` as a person would, and return its status and output."""
    words = [str(argument) for argument in arguments]
    variables = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", **environment}
    return subprocess.CompletedProcess(words, *run_forked(words, cwd, variables))
