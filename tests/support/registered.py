"""Modules as installed plugins, here and in every process started from here."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tonesmith.host.registry import Host
from tonesmith.testing import Project


@contextmanager
def registered(folder: Path, files: Mapping[str, str | bytes], plugins: Sequence[str]) -> Iterator[None]:
    """Let modules be found as plugins: those of tonesmith, or files that are written into a folder."""
    Project(folder, files, plugins)
    paths = [str(folder), str(folder / ".site")]
    with pytest.MonkeyPatch.context() as patch:
        for path in paths:
            patch.syspath_prepend(path)
        patch.setenv("PYTHONPATH", os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep))
        Host.load.cache_clear()
        yield
    Host.load.cache_clear()
