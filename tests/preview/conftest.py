"""A small dataset with presets of hostile names."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.builders import write_dataset
from support.previews import EVIL

from tonesmith.preview.session import Session
from tonesmith.space.patch import sha256_hex
from tonesmith.space.preset import PresetRef
from tonesmith.testing.synthetic import synthetic_plan

NAMES = ("Warm Pad (2)", EVIL, "x" * 60_000, "和風ピアノ")
"""Of the presets that patches 0, 3, 6 and 9 come from."""


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 rows in blocks of 8, 8 and 4; every third patch comes from a preset. Nothing is to be written beside it."""
    presets = tuple(
        PresetRef(sha256_hex(b"%d" % (3 * place)), sha256_hex(b"a saw"), name, f"author {place}", "Pad")
        for place, name in enumerate(NAMES)
    )
    path = tmp_path_factory.mktemp("preview") / "d.zarr"
    write_dataset(path, plan=replace(synthetic_plan(frames=2000), presets=presets))
    return path


@pytest.fixture
def path(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy, in the current folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(made, tmp_path / "d.zarr")
    return Path("d.zarr")


@pytest.fixture(scope="session")
def rows(made: Path) -> Any:
    """Its rows."""
    return Session.open(made).rows
