"""tonesmith split, as a person at a terminal meets it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import terminal
from support.builders import dataset as made
from support.builders import write_dataset

import tonesmith
from tonesmith import open_dataset
from tonesmith.cli import run
from tonesmith.dataset.splits import UNFINISHED, Splits, splits_of
from tonesmith.errors import DatasetError
from tonesmith.host.registry import Host
from tonesmith.plan.plan import PluginRef
from tonesmith.sinks.folder import AudioFolderSink
from tonesmith.testing.sink_processes import Case, damage
from tonesmith.testing.synthetic import synthetic_plan
from tonesmith.transfer.split import store


def folder(path: Path, blocks: int = 3) -> Case:
    """Return a dataset of 20 rows in 3 blocks whose splits are files."""
    options = AudioFolderSink.Options().model_dump(mode="json")
    case = Case(AudioFolderSink, options, path, synthetic_plan(frames=20, sink=PluginRef("folder", options)))
    sink = case.created()
    for index in range(blocks):
        sink.write_block(case.block(index))
    return case


def cut_short(case: Case, splits: Splits | None) -> None:
    """Store splits, and die before the first block is written."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AudioFolderSink, "write_block", lambda sink, block: (_ for _ in ()).throw(OSError("down")))
        with pytest.raises(OSError, match="down"):
            store(case.path, open_dataset(case.path), splits, Host.load())


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "d.zarr"
    write_dataset(path, range(10), synthetic_plan(patches=40, frames=20))
    return path


@pytest.fixture
def path(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "d.zarr")


def stored(path) -> Any:
    return splits_of(open_dataset(path).attributes)


def test_a_dataset_is_split_and_told_so_within_80_columns(path):
    result = terminal("split", path, "--train", "0.5", "--val", "0.25", "--test", "0.25", "--stratify", "origin", "-q")

    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0].endswith("80 rows of 40 patches, by patch, seed 0")
    assert lines[1].split() == ["split", "asked", "patches", "share", "rows", "in", "lhs", "in", "presets"]
    assert lines[3].split() == ["train", "0.5", "20", "50.0%", "40", "50.0%", "50.0%"]
    assert lines[-1] == "The splits are stored with the dataset."
    assert "--by preset keeps" in lines[-2]
    assert max(map(len, lines[1:])) <= 80
    found = open_dataset(path)
    assert {name: len(rows) for name, rows in found.splits.items()} == {
        line.split()[0]: int(line.split()[4]) for line in lines[3:6]
    }
    assert len(found.split("train")) == 40


def test_json_is_all_there_is_on_stdout(path):
    told = json.loads(terminal("split", path, "--by", "preset", "--seed", "3", "--json").stdout)

    assert (told["by"], told["seed"], told["state"], told["crossing"]) == ("preset", 3, "stored", "join")
    assert told["shares"] == {"train": 0.8, "val": 0.1, "test": 0.1}
    assert sum(part["presets"] for part in told["splits"].values()) == 14
    assert sum(part["rows"] for part in told["splits"].values()) == 80
    assert stored(path).seed == 3
    assert "Rows come" not in terminal("split", path, "--force", "--by", "preset").stdout


def test_the_same_again_changes_nothing_and_another_way_is_refused_unless_forced(path):
    terminal("split", path)
    before = stored(path)

    again = terminal("split", path)
    other = terminal("split", path, "--by", "preset", "--seed", "5")

    assert again.stdout.splitlines()[-1] == "Already split this way; nothing changed."
    assert other.returncode == 2
    for said in ("by: patch -> preset", "seed: 0 -> 5", "crossing: none -> join", "--force"):
        assert said in other.stderr
    assert "stratify" not in other.stderr
    assert stored(path) == before

    assert terminal("split", path, "--by", "preset", "--seed", "5", "--force").returncode == 0
    assert (stored(path).by, stored(path).seed) == ("preset", 5)


def test_a_dry_run_shows_and_stores_nothing(path):
    result = terminal("split", path, "--dry-run")

    assert result.returncode == 0
    assert result.stdout.splitlines()[-1] == "Nothing was stored."
    assert stored(path) is None


def test_splits_are_removed(path):
    terminal("split", path)

    assert "would be removed" in terminal("split", path, "--remove", "--dry-run").stdout
    assert stored(path) is not None
    assert "no longer split" in terminal("split", path, "--remove").stdout
    assert stored(path) is None
    assert json.loads(terminal("split", path, "--remove", "--json").stdout)["state"] == "unchanged"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--train", "0.9"], "0.9 (train) + 0.1 (val) + 0.1 (test) is 1.1"),
        (["--by", "row"], "row"),
        (["--train", "2", "--val", "-1"], "--train"),
        (["--finish", "--remove"], "--finish cannot be combined with --remove"),
    ],
)
@pytest.mark.first
def test_what_cannot_be_asked_for_ends_with_2(path, arguments, said):
    result = terminal("split", path, *arguments)

    assert result.returncode == 2
    assert said in result.stderr
    assert stored(path) is None


def test_an_empty_split_is_warned_of(tmp_path):
    made(tmp_path / "d.zarr", [0])

    result = terminal("split", tmp_path / "d.zarr", "--stratify", "origin", "--val", "0.01", "--test", "0.19")

    assert result.returncode == 0
    assert "warning: the split val is empty" in result.stderr
    assert "val" not in {name for name, rows in open_dataset(tmp_path / "d.zarr").splits.items() if len(rows)}


def test_damaged_splits_are_told_and_can_be_replaced(tmp_path):
    case = write_dataset(tmp_path / "d.zarr")
    sink, plan = case.made(), case.plan
    attributes = {**open_dataset(case.path).attributes, "splits": {"shares": 3}}
    sink.create(attributes, plan.schema, plan.rows, plan.block_rows)

    result = terminal("split", case.path)

    assert result.returncode == 1
    assert "cannot be used" in result.stderr
    assert result.stderr.endswith(f": tonesmith split {case.path} --force\n")
    assert terminal("split", case.path, "--force").returncode == 0
    assert stored(case.path).by == "patch"


def test_a_division_that_was_cut_short_is_told_of_and_finished_as_it_was_asked_for(tmp_path):
    case = folder(tmp_path / "my f")
    cut_short(case, Splits({"a": 0.5, "b": 0.5}, seed=4))
    digest = open_dataset(case.path).digest

    told = " ".join(terminal("inspect", case.path).stdout.split())
    assert (
        f"unfinished its division into files by split was interrupted; finish it: tonesmith split '{case.path}'" in told
    )
    assert json.loads(terminal("inspect", case.path, "--json").stdout)[UNFINISHED] is True
    assert terminal("split", case.path).returncode == 2
    result = terminal("split", case.path, "--finish")

    assert (result.returncode, result.stdout.splitlines()[-1]) == (0, "The splits are stored with the dataset.")
    assert (stored(case.path).names, stored(case.path).seed) == (("a", "b"), 4)
    assert UNFINISHED not in open_dataset(case.path).attributes
    assert open_dataset(case.path).digest == digest
    assert "unfinished" not in terminal("inspect", case.path).stdout
    assert "nothing changed" in terminal("split", case.path, "--finish").stdout


def test_a_removal_that_was_cut_short_is_finished(tmp_path):
    case = folder(tmp_path / "f")
    terminal("split", case.path)
    cut_short(case, None)

    assert "no longer split" in terminal("split", case.path, "--finish").stdout
    assert {UNFINISHED, "splits"}.isdisjoint(open_dataset(case.path).attributes)
    assert "is not split" in terminal("split", case.path, "--finish").stdout


def test_a_run_warns_of_a_division_that_was_cut_short(chaos, tmp_path, capsys):
    path = tmp_path / "f"
    chaos.make(path, patches=4, sink="folder")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AudioFolderSink, "write_block", lambda sink, block: (_ for _ in ()).throw(OSError("down")))
        with pytest.raises(OSError, match="down"):
            store(path, open_dataset(path), Splits(), Host.load())

    chaos.make(path, patches=6, sink="folder")

    assert f"finish it: tonesmith split {path} --finish" in capsys.readouterr().err
    assert "  data_files: []\n" in (path / "README.md").read_text()


@pytest.mark.parametrize("what", ["labels", "audio"])
@pytest.mark.first
def test_sound_blocks_are_divided_and_damaged_ones_listed(tmp_path, what):
    case = folder(tmp_path / "f")
    damage(case.path / "data" / "000001" / ("metadata.jsonl" if what == "labels" else "000000008.wav"), "removed")

    result = terminal("split", case.path)

    assert result.returncode == 1
    assert "The splits are stored with the dataset." in result.stdout
    assert "left out: " in result.stdout
    assert "re-run the command that made the dataset" in result.stdout
    assert f"tonesmith split {case.path} --finish" in result.stdout
    assert (case.path / "data" / "train" / "000000").is_dir()
    again = json.loads(terminal("split", case.path, "--json").stdout)
    assert [found["block"] for found in again["damaged"]] == [1]
    with pytest.raises(DatasetError, match="is split except for its damaged blocks"):
        tonesmith.split(case.path)
    removed = terminal("split", case.path, "--remove")
    assert (removed.returncode, "left out: " in removed.stdout) == (1, True)
    assert not (case.path / "data" / "train").exists()


def test_progress_is_shown_where_files_are_written_again_alone(path, tmp_path, capsys, monkeypatch):
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "80"}.items():
        monkeypatch.setenv(name, value)

    assert run(["split", str(path)]) == 0
    assert "dividing" not in capsys.readouterr().err
    assert run(["split", str(folder(tmp_path / "f").path)]) == 0
    shown = capsys.readouterr().err
    assert "20/20" in shown
    assert "rows/s" in shown


def test_rows_in_no_split_have_a_line_and_count_in_the_shares(path, capsys, monkeypatch):
    monkeypatch.setattr(Splits, "of", lambda splits, columns: np.where(columns["patch"] < 10, -1, 0).astype(np.int16))

    run(["split", str(path), "--train", "1", "--val", "0", "--test", "0"])

    lines = capsys.readouterr().out.splitlines()
    assert lines[3].split() == ["train", "1", "30", "75.0%", "60"]
    assert lines[6].split() == ["none", "10", "25.0%", "20"]


def test_one_row_of_one_patch_is_no_plural(tmp_path):
    write_dataset(tmp_path / "d.zarr", [0], synthetic_plan(patches=1, frames=20))

    assert "2 rows of 1 patch," in terminal("split", tmp_path / "d.zarr").stdout


def test_a_name_that_is_no_text_is_a_setting_that_is_wrong(path):
    with pytest.raises(tonesmith.ConfigError, match="1 is not a valid name for a split"):
        tonesmith.split(path, {1: 1})  # type: ignore[dict-item]
