"""The page of --help: every command, those of plugins too, is told in one manner, at any width."""

from __future__ import annotations

import re
import resource
import shlex
import subprocess
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
import typer
from support import ROOT
from support.commands import command_trees

from tonesmith.cli import run
from tonesmith.cli.app import build_app
from tonesmith.cli.examples import _EXAMPLES, documentation_of, examples_of
from tonesmith.cli.help_page import page_of, with_pages


def contexts(command: Any, name: str = "tonesmith", parent: Any = None) -> Iterator[Any]:
    """Yield the context of each command of a tree."""
    context = command.context_class(command, info_name=name, parent=parent, **command.context_settings)
    yield context
    for inner, below in getattr(command, "commands", {}).items():
        yield from contexts(below, inner, context)


@pytest.fixture(scope="module")
def trees() -> list[Any]:
    return command_trees()


@pytest.fixture(scope="module")
def every_command(trees: list[Any]) -> list[Any]:
    return [context for tree in trees for context in contexts(tree)]


def test_every_page_has_the_same_parts_and_no_type_of_python(every_command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert len(every_command) > 100
    for context in every_command:
        page = page_of(context)
        assert re.search(r"^Usage: tonesmith", page, re.MULTILINE)
        assert re.search(r"^Examples:\n  tonesmith", page, re.MULTILINE), context.command_path
        assert re.search(r"^  -h, --help  ", page, re.MULTILINE), context.command_path
        assert re.search(r"^Documentation: \S+$", page, re.MULTILINE)
        assert not re.search(r"<\w+>|<\w+\[|range\]|x<=|^Usage.*[{}]|[│╭]|\\\[|VALUE <", page, re.MULTILINE), page
        assert max(len(line) for line in page.splitlines()) <= 80, page


_TYPED = ("  tonesmith", "  -", "Documentation")
"""What is not broken into lines."""


def test_pages_fit_a_narrow_terminal_but_for_what_is_typed(every_command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    for context in every_command:
        lines = [line for line in page_of(context).splitlines() if not line.startswith(_TYPED)]
        assert [line for line in lines if len(line) > 40 and " " in line.strip()] == []


def test_every_output_that_is_named_has_a_short_option(every_command):
    for context in every_command:
        for parameter in context.command.params:
            if "--out" in parameter.opts:
                assert "-o" in parameter.opts, context.command_path


def test_every_example_can_be_typed(trees, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    whole = dict(zip(trees[0].commands, trees, strict=False))
    for example in {example for examples in _EXAMPLES.values() for example in examples}:
        words = shlex.split(example)
        own = any(word.startswith(("--features.", "--composer.")) for word in words)
        command = typer.main.get_command(build_app(words)) if own else whole[words[0]]
        while words and words[0] in getattr(command, "commands", {}):
            command, words = command.commands[words[0]], words[1:]
        assert words == [] or not getattr(command, "commands", {}), example
        if words and "--help" not in words:
            command.make_context(example, words)


def test_every_page_of_the_docs_that_is_named_is_there(every_command):
    pages = {documentation_of(context.command_path) for context in every_command}
    assert len(pages) > 8
    assert [page for page in pages if "://" not in page and not (ROOT / page).is_file()] == []


class Loudness(StrEnum):
    PIANO = "piano"
    FORTE = "forte"


def test_a_command_of_a_third_party_gets_the_page_without_doing_anything(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    app = typer.Typer(cls=None)

    @app.command("hum")
    def hum(
        song: Path,
        voices: Annotated[int, typer.Option(min=1, max=8, help="How many.")] = 4,
        loudness: Loudness = Loudness.PIANO,
        solo: bool = False,
    ) -> None:
        """Hum a song,
        or several."""

    command = typer.main.get_command(app)
    with_pages(command)
    page = command.get_help(command.context_class(command, info_name="tonesmith hum"))
    assert page.startswith("Hum a song, or several.\n\nUsage: tonesmith hum [OPTIONS] SONG\n")
    assert "Examples:\n  tonesmith hum SONG\n" in page
    words = " ".join(page.split())
    assert " --voices INT How many. [1..8; default: 4] " in words
    assert " --loudness CHOICE [piano | forte; default: piano] " in words
    assert " --solo, --no-solo [default: --no-solo] " in words
    assert examples_of(command, "tonesmith hum") == ["tonesmith hum SONG"]


@pytest.mark.parametrize("arguments", [["status", "-h"], ["vst3", "scan", "--help"]], ids=" ".join)
def test_the_page_is_what_help_prints(capsys, arguments):
    assert run(arguments) == 0
    assert re.search(r"^Documentation: \S+\n\Z", capsys.readouterr().out, re.MULTILINE)


def test_a_group_alone_says_its_page_on_the_error_stream(capsys):
    assert run(["presets"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "\nCommands:\n  list " in told.err


@pytest.mark.parametrize(("variables", "colour"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colour_is_for_terminals_that_have_it(every_command, monkeypatch, variables, colour):
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in {"TERM": "xterm", **variables}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(isatty=lambda: True))
    assert ("\033[" in page_of(every_command[0])) == colour


def test_the_first_page_takes_less_than_300_ms_once_it_is_kept(tmp_path):
    environment = {"PATH": "/usr/bin:/bin", "TONESMITH_CACHE": str(tmp_path)}
    spent = []
    for _ in range(2):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "tonesmith", "-h"], env=environment, stdout=subprocess.PIPE, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert spent[1] < 0.3, spent
