"""What a run does before its first block: it lists what is stored once, however many blocks there are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tonesmith import DatasetError, Watcher
from tonesmith.host.registry import Host
from tonesmith.run.pipeline import run, survey
from tonesmith.testing.sink_processes import Case
from tonesmith.testing.synthetic import synthetic_plan


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders of markers that are listed."""
    found: list[str] = []
    listdir = os.listdir

    def noted(folder: Any = ".") -> list[Any]:
        if str(folder).endswith("blocks"):
            found.append(str(folder))
        return listdir(folder)

    monkeypatch.setattr(os, "listdir", noted)
    return found


@pytest.mark.parametrize("sink", ["zarr", "folder"])
def test_a_run_that_finds_a_dataset_lists_its_blocks_once_before_it_starts(chaos, tmp_path, listed, sink):
    resolved, path = chaos.resolved(patches=8, sink=sink), tmp_path / "d"
    run(resolved, path, workers=1)
    listed.clear()

    before: list[int] = []

    class Listener(Watcher):
        def started(self, *_: object) -> None:
            before.append(len(listed))

    run(resolved, path, workers=1, watcher=Listener())

    assert before == [1]
    listed.clear()
    assert survey(resolved.plan, path, Host.load()).todo == ()
    assert len(listed) == 1


def test_a_dataset_does_not_shrink_below_what_is_stored(tmp_path: Path) -> None:
    host = Host.load()
    case = Case(host.sinks()["folder"], {}, tmp_path / "d", synthetic_plan(patches=10))
    case.created().write_block(case.block(2))
    smaller = Case(host.sinks()["folder"], {}, tmp_path / "d", synthetic_plan(patches=5))

    with pytest.raises(DatasetError, match="already holds 20 rows and cannot shrink to 10"):
        smaller.created()
