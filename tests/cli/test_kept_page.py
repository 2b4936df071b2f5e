"""The first page of the help is kept, and never shown once something that it was made from has changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tonesmith.cli import app, run
from tonesmith.terminal.messages import warn


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of one's own, and a folder in which Python looks for modules."""
    place = tmp_path / "site"
    place.mkdir()
    monkeypatch.setenv("TONESMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(str(place))
    return place


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A word for each time that the page is made."""
    words: list[str] = []
    build = app.build_app

    def counted(arguments: list[str]) -> object:
        words.append("made")
        return build(arguments)

    monkeypatch.setattr(app, "build_app", counted)
    return words


def page(capsys: pytest.CaptureFixture[str], *arguments: str, keeping: bool = True) -> str:
    assert run(arguments or ["--help"], keeping=keeping) == 0
    return capsys.readouterr().out


def test_the_page_is_made_once_and_is_the_same(folder, made, capsys):
    first = page(capsys)
    assert "generate" in first
    assert page(capsys) == first
    assert page(capsys, "-h") == first
    assert made == ["made"]


def test_no_other_command_is_kept(folder, made, capsys):
    for _ in range(2):
        page(capsys, "--version")
    page(capsys, keeping=False)
    assert made == ["made"] * 3
    assert not (folder.parent / "cache").exists()


def test_it_is_made_anew_when_a_plugin_was_installed_or_a_module_changed(folder, made, capsys, monkeypatch):
    page(capsys)
    (folder / "tonesmith_pluck.py").touch()
    page(capsys)
    assert len(made) == 2
    monkeypatch.setattr(app, "__file__", str(folder / "tonesmith_pluck.py"))
    (folder / "more").mkdir()
    page(capsys)
    assert len(made) == 3
    (folder / "tonesmith_pluck.py").write_text("changed = True\n")
    page(capsys)
    assert len(made) == 4
    page(capsys)
    assert len(made) == 4


@pytest.mark.parametrize("variable", ["COLUMNS", "NO_COLOR", "TONESMITH_PLUGINS"])
def test_it_is_kept_for_each_look_of_the_terminal(folder, made, capsys, monkeypatch, variable):
    page(capsys)
    monkeypatch.setenv(variable, "60")
    page(capsys)
    assert len(made) == 2


def test_a_page_with_a_warning_is_not_kept(folder, capsys, monkeypatch):
    def warned(arguments: list[str]) -> object:
        warn("a plugin is broken.")
        return build(arguments)

    build = app.build_app
    monkeypatch.setattr(app, "build_app", warned)
    for _ in range(2):
        run(["--help"], keeping=True)
        assert "a plugin is broken" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"made_from": 3, "page": ""}', '{"made_from": {}}', "null"])
def test_a_damaged_file_is_made_anew(folder, made, capsys, content):
    first = page(capsys)
    (file,) = (folder.parent / "cache" / "help").iterdir()
    file.write_text(content)
    assert page(capsys) == first
    assert len(made) == 2
    assert json.loads(file.read_text())["page"] == first


def test_a_cache_that_is_a_file_is_none(folder, made, capsys):
    (folder.parent / "cache").write_text("mine")
    assert page(capsys) == page(capsys)
    assert (folder.parent / "cache").read_text() == "mine"
