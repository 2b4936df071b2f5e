"""Pictures of a terminal: the screen is what a user saw, and the file loads nothing."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest
from support import ROOT


@pytest.fixture(scope="module")
def terminal() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "docs")
        yield importlib.import_module("making.terminal")


def shown(terminal: Any, text: str) -> list[str]:
    screen = terminal.Screen()
    screen.write(text)
    return screen.shown()


def test_a_line_that_is_drawn_again_replaces_the_one_before(terminal):
    assert shown(terminal, "1 of 3\r\x1b[2K2 of 3\r\n\x1b[1A\x1b[2Kdone\n") == ["done"]
    assert shown(terminal, "abcdef\r123\x1b[K\n\n") == ["123"]


def test_a_line_wraps_at_the_edge_and_colours_stay_with_their_letters(terminal):
    first, second = shown(terminal, "x" * 79 + "\x1b[31mred")
    assert first == "x" * 79 + "\x1b[0m\x1b[31mr"
    assert second == "\x1b[0m\x1b[31med"


def test_a_command_sees_a_terminal_of_80_columns_and_its_picture_names_no_address(terminal, tmp_path):
    (tmp_path / "size.py").write_text(
        "import os, sys\nprint(os.get_terminal_size().columns, sys.stdout.isatty(), '<&>')"
    )
    lines = terminal.typed(f"{sys.executable} size.py", tmp_path)
    assert lines[1:] == ["80 True <&>"]

    picture = terminal.drawn(lines, "tonesmith")

    assert "&lt;&amp;&gt;" in picture
    assert "url(http" not in picture
    assert "font-face" not in picture


@pytest.mark.parametrize("picture", sorted((ROOT / "docs" / "images").glob("*.svg")), ids=lambda path: path.name)
def test_a_picture_of_the_documentation_is_small_and_loads_nothing(picture: Path):
    text = picture.read_text(encoding="utf-8")
    assert len(text) < 200_000
    assert "url(http" not in text
    assert "<script" not in text
