"""Documents whose blocks of code are run.

A document is run from top to bottom in a folder of its own. Console blocks are typed at a shell, Python blocks are
executed in one namespace, TOML blocks must load. Before a block, ``<!-- file: NAME -->`` writes it to a file instead of
running it, and ``<!-- run: skip REASON -->`` leaves it out. Datasets are made smaller than the text says.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support import ROOT

from tonesmith import load_config

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
SHORT = "--notes.hold 0.2 --notes.tail 0.1"

FENCE = re.compile(
    r"(?:^<!-- (?P<marker>[^\n]*) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_RUN = {"console", "bash", "python", "toml", "faust"}


@dataclass(frozen=True)
class Block:
    """One fenced block of a document."""

    language: str
    text: str
    marker: str
    line: int


def blocks_of(document: Path) -> list[Block]:
    text = document.read_text(encoding="utf-8")
    return [
        Block(match["language"], match["text"], match["marker"] or "", text.count("\n", 0, match.start()) + 1)
        for match in FENCE.finditer(text)
    ]


def code_of(name: str) -> str:
    """Return all that a document sets as code, in fences and between backticks."""
    text = (ROOT / name).read_text(encoding="utf-8")
    spans = re.findall(r"`([^`\n]+)`", FENCE.sub("", text))
    return "\n".join([block.text for block in blocks_of(ROOT / name)] + spans)


def commands_of(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a console block, and the lines that it is shown to print."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *shown = part.rstrip("\n").split("\n")
        yield command, shown


def scaled(command: str) -> str:
    """Return a command that makes a few short rows where the text makes many; a larger -n stays larger."""
    if "tonesmith generate" not in command:
        return command
    fewer = re.sub(r"-n (\d+)", lambda n: f"-n {2 if int(n[1]) < 64 else 3}", command)
    plays = any(flag in command for flag in ("--composer", "--midi", "--chords"))  # scores, instead of notes
    return fewer if plays else f"{fewer} {SHORT}"


class Session:
    """Runs the blocks of one document in a folder."""

    def __init__(self, folder: Path, commands: Path, left_out: str = "") -> None:
        self.folder = folder
        self.left_out = left_out
        self.commands = commands
        self.namespace: dict[str, Any] = {}

    def run(self, block: Block) -> None:
        if block.marker.startswith("file: "):
            path = self.folder / block.marker.removeprefix("file: ")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        match block.language:
            case "toml":
                self._load(block)
            case "python" if not block.marker:
                exec(compile(block.text, f"line {block.line}", "exec"), self.namespace)  # noqa: S102 - it is what is tested
            case "console":
                for command, shown in commands_of(block.text):
                    if not self.left_out or not command.startswith(self.left_out):
                        self._type(command, shown)
            case "bash":
                self._type(block.text, [])

    def _load(self, block: Block) -> None:
        if block.marker.endswith("pyproject.toml"):
            assert tomllib.loads(block.text)["project"]["entry-points"]["tonesmith"]
            return
        path = self.folder / "block.toml"
        path.write_text(block.text, encoding="utf-8")
        load_config(path)

    def _type(self, command: str, shown: list[str]) -> None:
        if made := re.fullmatch(r"make ([\w-]+)", command):
            assert made[1] in TARGETS, f"there is no {command!r}"
            if made[1] != "demo":
                return
            command = re.search(r"tonesmith generate .*data/demo\.zarr", (ROOT / "Makefile").read_text())[0]
        install = f"{sys.executable} -m pip install --quiet --no-deps --no-build-isolation --target site"
        command = re.sub(r"^pip install( -e)?", install, scaled(command))  # pip refuses -e with --target
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        check_output(command, done, shown)

    def _environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("TONESMITH_")}
        path = os.pathsep.join([str(self.commands), str(Path(sys.executable).parent), kept.get("PATH", "")])
        python_path = os.pathsep.join(filter(None, [str(self.folder / "site"), kept.get("PYTHONPATH", "")]))
        return {**kept, "PATH": path, "PYTHONPATH": python_path, "COLUMNS": "120", "NO_COLOR": "1"}


def check_output(command: str, done: subprocess.CompletedProcess[str], shown: list[str]) -> None:
    """Compare what was printed with what the text shows: errors to the letter, results by their first words."""
    told = f"$ {command}\n{done.stdout}{done.stderr}"
    if any(line.startswith("tonesmith: error") for line in shown):
        assert done.returncode != 0, told
        for line in shown:
            assert line in done.stderr, told
        return
    assert done.returncode == 0, told
    for line in shown:
        if line.startswith("{"):
            json.loads(done.stdout)
            assert [key for key in re.findall(r'"\w+": ', line) if key not in done.stdout] == [], told
        elif line.split()[0][0].isalpha():
            assert line.split()[0] in told, f"{line!r} is not in:\n{told}"


def pages(some: Sequence[str], long: Sequence[str]) -> pytest.MarkDecorator:
    """Parametrise a test with the names of pages, some of which only ``make test-long`` runs."""
    return pytest.mark.parametrize("name", [*some, *(pytest.param(name, marks=pytest.mark.long) for name in long)])


def check_document(name: str, folder: Path, commands: Path, left_out: str = "") -> None:
    """Run the blocks of a document in the folder, which is the current one.

    Args:
        name: of the document.
        folder: to run them in.
        commands: folder with the commands.
        left_out: what commands begin with that are not run; "" for none.
    """
    session = Session(folder, commands, left_out)
    for block in blocks_of(ROOT / name):
        if block.language in _RUN and not block.marker.startswith("run: skip"):
            try:
                session.run(block)
            except Exception as error:
                error.add_note(f"in {name}, line {block.line}")
                raise
