"""tonesmith split, as a person at a terminal meets it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from builders import dataset as made
from builders import write_dataset
from conftest import terminal

from tonesmith import open_dataset
from tonesmith.splits import splits_of
from tonesmith.testing.synthetic import synthetic_plan


@pytest.fixture
def path(tmp_path):
    write_dataset(tmp_path / "d.zarr", range(10), synthetic_plan(patches=40, frames=20))
    return tmp_path / "d.zarr"


def stored(path) -> Any:
    return splits_of(open_dataset(path).attributes)


def test_a_dataset_is_split_and_told_so_within_80_columns(path):
    result = terminal("split", path, "--train", "0.5", "--val", "0.25", "--test", "0.25", "--stratify", "origin")

    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0].endswith("80 rows of 40 patches, by patch, seed 0")
    assert lines[1].split() == ["split", "asked", "patches", "share", "rows", "in", "lhs", "in", "presets"]
    assert lines[3].split() == ["train", "0.5", "20", "50.0%", "40", "50.0%", "50.0%"]
    assert lines[-1] == "The splits are stored with the dataset."
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


def test_the_same_again_changes_nothing_and_another_way_is_refused_unless_forced(path):
    terminal("split", path)
    before = stored(path)

    again = terminal("split", path)
    other = terminal("split", path, "--by", "preset", "--seed", "5")

    assert again.stdout.splitlines()[-1] == "It was split so already; nothing changed."
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
    assert json.loads(terminal("split", path, "--remove", "--json").stdout) == {"state": "unchanged"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--train", "0.9"], "0.9 (train) + 0.1 (val) + 0.1 (test) is 1.1"),
        (["--by", "row"], "row"),
        (["--train", "2", "--val", "-1"], "--train"),
    ],
)
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
    assert terminal("split", case.path, "--force").returncode == 0
    assert stored(case.path).by == "patch"
