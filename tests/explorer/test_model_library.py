"""A library of models: listed, searched, tagged, renamed, deleted, and brought back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.atlases import write_tiny

from tonesmith import ConfigError
from tonesmith.cli import run
from tonesmith.explorer import open_model
from tonesmith.explorer.model_library import Library, default_library


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("fitted") / "rain")


@pytest.fixture
def library(fitted: Path, tmp_path: Path) -> Library:
    """A library of two models of the same sounds."""
    for name in ("rain", "glass"):
        shutil.copytree(fitted, tmp_path / "models" / name)
    return Library(tmp_path / "models")


def names(library: Library, *words: str) -> list[str]:
    return [kept.name for kept in library.models(words)]


def test_models_are_found_by_their_name_their_tags_and_their_sounds(library: Library) -> None:
    library.tag("rain", ["Wet night"])

    assert names(library) == ["glass", "rain"]
    assert names(library, "GLA") == ["glass"]
    assert names(library, "night") == ["rain"]
    assert names(library, "a.wav") == ["glass", "rain"]
    assert names(library, "night", "glass") == []


def test_tags_are_given_and_taken_and_survive_a_broken_file(library: Library) -> None:
    assert library.tag("rain", ["b", "a", "b"]) == ("a", "b")
    assert library.tag("rain", ["c"], ["a"]) == ("b", "c")
    (library.root / "rain" / "tags.json").write_text("{")
    (kept,) = library.models(["rain"])
    assert "mv " in kept.damage
    shutil.move(library.root / "rain" / "tags.json.bak", library.root / "rain" / "tags.json")
    assert library.tag("rain") == ("b", "c")


def test_a_deleted_model_comes_back_as_it_was_and_the_last_one_first(library: Library) -> None:
    before = open_model(library.root / "rain").sha256
    library.tag("rain", ["first"])
    first = library.delete("rain")
    library.rename("glass", "rain")
    second = library.delete("rain")

    assert (names(library), [each.id for each in library.binned()]) == ([], [second.id, first.id])
    assert library.restore("rain") == library.root / "rain"
    assert library.tag("rain") == ()
    with pytest.raises(ConfigError, match="exists"):
        library.restore(first.id)
    assert library.restore(first.id, "old rain") == library.root / "old rain"
    assert (open_model(library.root / "old rain").sha256, library.tag("old rain")) == (before, ("first",))
    assert library.binned() == []


@pytest.mark.parametrize("name", ["../rain", "/rain", ".", "..", ".bin", "", "a/b", "a\0b", "a\n", "x" * 81])
def test_a_name_is_no_path(library: Library, name: str) -> None:
    before = sorted(library.root.parent.rglob("*"))
    for refused in (
        lambda: library.rename("rain", name),
        lambda: library.rename(name, "new"),
        lambda: library.delete(name),
        lambda: library.restore(name),
        lambda: library.tag(name, ["a"]),
    ):
        with pytest.raises(ConfigError):
            refused()
    assert sorted(library.root.parent.rglob("*")) == before


def test_what_is_in_the_bin_is_removed_for_good_when_it_is_emptied(library: Library) -> None:
    library.delete("rain")
    assert [each.name for each in library.empty()] == ["rain"]
    assert library.binned() == []
    with pytest.raises(ConfigError, match="unknown model 'rain'"):
        library.restore("rain")


def test_the_commands_do_the_same(library: Library, capsys: Any) -> None:
    def told(*words: str) -> str:
        assert run(["explore", "library", *words, "--library", str(library.root)]) == 0
        return str(capsys.readouterr().out)

    assert told("tag", "rain", "wet", "night") == "rain: night, wet\n"
    assert json.loads(told("search", "wet", "--json"))["models"][0]["name"] == "rain"
    assert "is in the bin" in told("delete", "glass")
    listed = told("list")
    assert "1 model" in listed
    assert "in the bin" in listed
    assert max(len(line) for line in listed.splitlines()[1:]) <= 80
    told("restore", "glass", "--name", "ice")
    told("rename", "ice", "glass")
    assert names(library) == ["glass", "rain"]
    assert json.loads(told("empty", "--json")) == {"removed": []}


def test_the_library_is_in_the_data_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_library() == tmp_path / "tonesmith" / "explorer"
