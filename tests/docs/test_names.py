"""What the documentation must hold: links that lead somewhere, and every name that a user can type."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from support import ROOT
from support.commands import command_trees
from support.documents import DOCUMENTS, FENCE, NAMES, blocks_of, code_of

import tonesmith
from tonesmith import ConfigError
from tonesmith.host import hookspecs
from tonesmith.host.config import PlanSettings, PresetSettings, RunSettings
from tonesmith.host.registry import Host
from tonesmith.plan.notes import Notes
from tonesmith.plan.schema import columns
from tonesmith.space.shape import ModulationShape, SpaceShape
from tonesmith.testing.synthetic import synthetic_space


def test_every_page_is_run() -> None:
    lines = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    run = re.findall(r'^    "(.+\.md)",$', lines, re.MULTILINE)
    assert sorted(run) == sorted(NAMES)


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_a_skipped_block_says_why_and_no_marker_is_misspelled(document: Path) -> None:
    markers = [block.marker for block in blocks_of(document) if block.marker]
    assert [m for m in markers if not re.fullmatch(r"file: \S+|run: skip \S.*", m)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_every_link_leads_somewhere(document: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", document.read_text(encoding="utf-8"))):
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
    records = [record for record in records if record.role != "composer"]
    names = [record.name for record in records]
    options = [option for record in records for option in record.plugin.Options.model_fields]
    measures = [measure.name for record in records for measure in getattr(record.plugin, "measures", ())]
    assert missing([*names, *options, *measures], "docs/generate.md", "docs/corpora.md", "docs/explorer.md") == []


def test_every_built_in_composer_its_options_and_its_annotations_are_documented() -> None:
    built_in = {n: c for n, c in Host.load().composers().items() if Host.load().is_builtin("composer", n)}
    options = [f"--composer.{option}" for plugin in built_in.values() for option in plugin.Options.model_fields]
    said = [name for plugin in built_in.values() for name in annotations_of(plugin)]
    assert missing([*built_in, *options, *said], "docs/scores.md") == []


def annotations_of(plugin: Any) -> list[str]:
    try:
        return [field.name for field in plugin(plugin.Options(), 0).fields()]
    except ConfigError:  # one that plays files has none unless some are named
        return []


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


def test_every_field_of_a_parameter_is_documented() -> None:
    table = (ROOT / "docs/python.md").read_text(encoding="utf-8").partition("### The fields of a Parameter")[2]
    named = set(re.findall(r"`(\w+)`", table.partition("\n## ")[0]))
    assert [f.name for f in fields(tonesmith.Parameter) if f.name not in named] == []


def test_every_command_and_option_is_documented() -> None:
    spelled = {word for command in command_trees() for word in words_of(command, "tonesmith")}
    assert {"tonesmith generate", "--backend.tier", "--sampler.scramble", "-n", "--render", "--params"} <= spelled
    text = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    headings = "\n".join(f"`{heading}`" for heading in re.findall(r"^## (.+)$", text, re.MULTILINE))
    code = "\n".join([headings, *map(code_of, ("docs/cli.md", "docs/dawdreamer.md", "docs/scores.md", "docs/vst3.md"))])
    assert sorted(word for word in spelled if not re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w.-])", code)) == []


def words_of(command: Any, name: str) -> Iterator[str]:
    """Yield what can be typed: a command's name, its options, and those of its subcommands."""
    yield name
    for parameter in command.params:
        yield from (word for word in (*parameter.opts, *parameter.secondary_opts) if word.startswith("-"))
    for inner, subcommand in getattr(command, "commands", {}).items():
        yield from words_of(subcommand, f"{name} {inner}")
