"""What tests of the explorer share: commands that are typed, and what they say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tonesmith.cli import run

Told = Callable[..., tuple[int, str, str]]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """The folder that commands are typed in. A file of tests may have another."""
    return tmp_path


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str], here: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    """Types ``tonesmith explore`` with more words, and returns the exit status, standard output and error."""
    monkeypatch.chdir(here)

    def run_it(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        status = run(["explore", *map(str, words)])
        return (status, *capsys.readouterr())

    return run_it
