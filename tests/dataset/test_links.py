"""What is written in or beside a dataset goes where it is said to, though a stranger has put links and pipes there."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from support.builders import write_dataset

from tonesmith.analysis.importance import measure_importance
from tonesmith.analysis.sensitivity import Settings, study_of_dataset
from tonesmith.cli import run
from tonesmith.dataset.importance import BaseRecord, importance_path, write_stored
from tonesmith.dataset.opening import open_dataset
from tonesmith.errors import DatasetError
from tonesmith.plan.plan import PluginRef
from tonesmith.testing.synthetic import synthetic_plan


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "mine").mkdir()
    return write_dataset(tmp_path / "d.zarr").path


def linked(place: Path, content: bytes) -> Path:
    """Put a link in a place, and return the file of the user's that it leads to."""
    target = place.parents[0] / "mine.txt" if place.parent.name != "d.zarr" else place.parents[1] / "mine.txt"
    target.write_bytes(content)
    place.unlink(missing_ok=True)
    place.symlink_to(target)
    return target


def names_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize("sink", ["parquet", "webdataset", "folder"])
def test_split_writes_nothing_through_a_linked_data_folder(
    data: Path, tmp_path: Path, sink: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("soundfile")
    if sink == "parquet":
        pytest.importorskip("pyarrow")
    made = tmp_path / "made"
    assert run(["convert", str(data), str(made), "--sink", sink, "--workers", "1", "-q"]) == 0
    (made / "data").rename(tmp_path / "mine" / "data")
    (made / "data").symlink_to(tmp_path / "mine" / "data")
    before, asked = names_of(tmp_path / "mine"), ["--train", "0.5", "--val", "0.25", "--test", "0.25"]
    assert run(["split", str(made), *asked]) == 1
    assert f"{made / 'data'} is a link" in capsys.readouterr().err
    assert names_of(tmp_path / "mine") == before


@pytest.mark.parametrize("name", ["README.md", "croissant.json"])
def test_a_card_is_not_written_through_a_link(data: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["split", str(data)]) == 0
    content = (data / name).read_bytes()
    mine = linked(data / name, content)
    assert run(["split", str(data), "--remove"]) == 0
    assert f"{data / name} is a link" in capsys.readouterr().err
    assert mine.read_bytes() == content
    assert (data / name).is_symlink()


@pytest.mark.parametrize("name", ["README.md", "croissant.json"])
def test_a_pipe_in_place_of_a_card_keeps_nobody_waiting(
    data: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(data / name)
    assert run(["split", str(data)]) == 0
    assert f"{name} is not a file" in capsys.readouterr().err


def test_a_picture_that_was_not_named_is_not_drawn_through_a_link(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    mine = linked(data.with_name("d.zarr.coverage.png"), b"mine")
    assert run(["plot", "coverage", str(data)]) == 1
    assert "d.zarr.coverage.png is a link" in capsys.readouterr().err
    assert mine.read_bytes() == b"mine"


def test_a_result_is_not_written_through_a_link(tmp_path: Path) -> None:
    mine = linked(tmp_path / "d.zarr.importance.json", b"mine")
    with pytest.raises(DatasetError, match="is a link"):
        write_stored(tmp_path / "d.zarr.importance.json", BaseRecord(number=0, patch=0))
    assert mine.read_bytes() == b"mine"
    assert names_of(tmp_path) == {"mine.txt", "d.zarr.importance.json"}


def test_importance_is_not_measured_into_a_folder_that_is_a_link(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "base-000000.json").write_bytes(b"mine")
    plan = replace(synthetic_plan(patches=1), backend=PluginRef("dawdreamer", {"instrument": "fm"}))
    data = write_dataset(tmp_path / "d.zarr", (0,), plan).path
    study = study_of_dataset(open_dataset(data), Settings(bases=1))
    data.with_name("d.zarr.importance.parts").symlink_to(mine)
    with pytest.raises(DatasetError, match="is a link"):
        measure_importance(study, importance_path(data))
    assert (mine / "base-000000.json").read_bytes() == b"mine"
    assert names_of(mine) == {"base-000000.json"}
