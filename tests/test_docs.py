"""The documentation: every block of code runs, and nothing that a user can name is left out.

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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from support import ROOT

import tonesmith
from tonesmith import load_config
from tonesmith.cli.app import build_app
from tonesmith.host import hookspecs
from tonesmith.host.config import PlanSettings, PresetSettings, RunSettings
from tonesmith.host.registry import Host
from tonesmith.plan.notes import Notes
from tonesmith.plan.schema import columns
from tonesmith.space.shape import ModulationShape, SpaceShape
from tonesmith.testing.synthetic import synthetic_space

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
SHORT = "--notes.hold 0.2 --notes.tail 0.1"

_FENCE = re.compile(
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
        for match in _FENCE.finditer(text)
    ]


def code_of(name: str) -> str:
    """Return all that a document sets as code, in fences and between backticks."""
    text = (ROOT / name).read_text(encoding="utf-8")
    spans = re.findall(r"`([^`\n]+)`", _FENCE.sub("", text))
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
    return f"{fewer} {SHORT}"


class Session:
    """Runs the blocks of one document in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
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
        if made := re.fullmatch(r"make (\w+)", command):
            assert made[1] in TARGETS, f"there is no {command!r}"
            if made[1] != "demo":
                return
            command = re.search(r"tonesmith generate .*data/demo\.zarr", (ROOT / "Makefile").read_text())[0]
        install = f"{sys.executable} -m pip install --quiet --no-deps --no-build-isolation --target site"
        command = re.sub(r"^pip install", install, scaled(command))
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
        path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
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


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_every_block_runs(document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    session = Session(tmp_path)
    for block in blocks_of(document):
        if block.language in _RUN and not block.marker.startswith("run: skip"):
            try:
                session.run(block)
            except Exception as error:
                error.add_note(f"in {document.name}, line {block.line}")
                raise


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_a_skipped_block_says_why_and_no_marker_is_misspelled(document: Path) -> None:
    markers = [block.marker for block in blocks_of(document) if block.marker]
    assert [m for m in markers if not re.fullmatch(r"file: \S+|run: skip \S.*", m)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_every_link_leads_somewhere(document: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", _FENCE.sub("", document.read_text(encoding="utf-8"))):
        path, _, anchor = link.partition("#")
        target = (document.parent / path) if path else document
        if "://" not in link and not (target.exists() and (not anchor or anchor in anchors_of(target))):
            broken.append(link)
    assert broken == []


def anchors_of(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def missing(names: Iterator[str] | list[str], *documents: str) -> list[str]:
    """Return the names that none of the documents sets as code."""
    code = "\n".join(map(code_of, documents))
    return sorted({name for name in names if not re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", code)})


def test_every_hook_is_documented_with_its_arguments() -> None:
    hooks = [
        f"{name}({', '.join(function.__code__.co_varnames[: function.__code__.co_argcount])})"
        for name, function in vars(hookspecs).items()
        if name.startswith("tonesmith_")
    ]
    code = code_of("docs/plugins.md")
    assert len(hooks) >= 9
    assert [hook for hook in hooks if hook not in code] == []


def test_every_built_in_plugin_its_options_and_its_measures_are_documented() -> None:
    records = [record for record in Host.load().plugins() if record.distribution == "tonesmith"]
    names = [record.name for record in records]
    options = [option for record in records for option in record.plugin.Options.model_fields]
    measures = [measure.name for record in records for measure in getattr(record.plugin, "measures", ())]
    assert missing([*names, *options, *measures], "docs/generate.md") == []


def test_every_key_of_the_composition_is_shown_in_toml() -> None:
    toml = "\n".join(block.text for block in blocks_of(ROOT / "docs/generate.md") if block.language == "toml")
    tables = {"plan": PlanSettings, "run": RunSettings, "notes": Notes, "presets": PresetSettings, "space": SpaceShape}
    tables |= {"space.modulations": ModulationShape}
    keys = [f"{table}.{key}" for table, model in tables.items() for key in model.model_fields if key != "modulations"]
    assert [key for key in keys if not re.search(rf"^#? ?{key.rpartition('.')[2]} = ", toml, re.MULTILINE)] == []
    assert [table for table in tables if f"[{table}]" not in toml] == []


def test_every_column_is_documented() -> None:
    measures = [m for record in Host.load().plugins() for m in getattr(record.plugin, "measures", ())]
    schema = columns(synthetic_space(), 2, 100, measures, presets=True)
    assert len(schema) > 20
    assert missing([column.name for column in schema], "docs/dataset.md") == []
    assert missing([dim for column in schema for dim in column.dims], "docs/dataset.md") == []


def test_every_public_name_is_documented() -> None:
    assert missing(tonesmith.__all__, "docs/python.md") == []


def test_every_command_and_option_is_documented() -> None:
    host = Host.load()
    spelled: set[str] = set()
    for sampler in host.samplers():
        arguments = ["generate", "--sampler", sampler]
        spelled |= set(words_of(typer.main.get_command(build_app(arguments, host)), "tonesmith"))
    assert {"tonesmith generate", "--backend.tier", "--sampler.scramble", "-n"} <= spelled
    text = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    headings = "\n".join(f"`{heading}`" for heading in re.findall(r"^## (.+)$", text, re.MULTILINE))
    code = code_of("docs/cli.md") + headings
    assert sorted(word for word in spelled if not re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w.-])", code)) == []


def words_of(command: Any, name: str) -> Iterator[str]:
    """Yield what can be typed: a command's name, its options, and those of its subcommands."""
    yield name
    for parameter in command.params:
        yield from (word for word in (*parameter.opts, *parameter.secondary_opts) if word.startswith("-"))
    for inner, subcommand in getattr(command, "commands", {}).items():
        yield from words_of(subcommand, f"{name} {inner}")
