from __future__ import annotations

from pathlib import Path

import pytest
from support.forks import write_command


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ``tonesmith`` that starts at once."""
    folder = tmp_path_factory.mktemp("bin")
    write_command(folder / "tonesmith")
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
