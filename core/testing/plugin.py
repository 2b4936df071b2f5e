"""The pytest plugin, which is there wherever tonesmith is installed: the fixture ``project``.

It costs a test run that does not use it next to nothing: what it needs is imported once it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tonesmith.testing.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Project]:
    """Make a folder with files in it, in which ``tonesmith`` is run as a person would.

    ::

        def test_a_dataset_is_made(project):
            done = project({"plugins.toml": TOML}).run("generate", "-n", 4, "out.zarr")
            assert done.status == 0
            assert len(done.dataset("out.zarr")) == 12
    """
    from tonesmith.testing.project import Project

    return lambda files=None, plugins=(): Project(tmp_path, files, plugins)
