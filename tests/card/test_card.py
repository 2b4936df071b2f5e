"""The card of a dataset: README.md for people, croissant.json for programs."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from support import PRESETS, Chaos, sampled

from tonesmith import DatasetError, generate, load_config, open_dataset
from tonesmith.api import composed
from tonesmith.card.card import card_files, write_card
from tonesmith.card.composition import recipe_of
from tonesmith.card.licences import hub_licence, licence_url
from tonesmith.card.markdown import code, fenced, front_matter, plain, table
from tonesmith.card.readme import MARKER
from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.splits import Splits
from tonesmith.host.registry import Host
from tonesmith.plan.plan import Plan, PluginRef
from tonesmith.run.resolve import resolve_plan
from tonesmith.space.parameter import Parameter
from tonesmith.space.preset import PresetRef
from tonesmith.space.space import ParameterSpace
from tonesmith.terminal.text import one_line
from tonesmith.testing.sink_processes import unflushed
from tonesmith.testing.synthetic import attributes_of, synthetic_block, synthetic_plan, synthetic_space

# rdflib and pandas deprecate what mlcroissant uses of them
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib", "ignore::DeprecationWarning:mlcroissant")

SINKS = sorted(Host.load().sinks())
HOSTILE = (
    "a|b\\| `x` <img src=x onerror=alert(1)> [link](http://evil) &lt; **bold** --- \n| row | two |\n# head\u202e\x00"
)


@pytest.fixture(autouse=True)
def _unflushed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", unflushed)


def made(path: Path, plan: Plan | None = None, blocks: int | None = None, **attributes: Any) -> Dataset:
    """Return a dataset that a sink stored, of the plan's sink, with its card."""
    plan = plan or synthetic_plan()
    sink = Host.load().sink_at(plan.sink.name, plan.sink.options, path)
    sink.create({**attributes_of(plan), **attributes}, plan.schema, plan.rows, plan.block_rows)
    for index in range(plan.blocks if blocks is None else blocks):
        sink.write_block(synthetic_block(plan, index, sink))
    sink.finish()
    dataset = open_dataset(path)
    write_card(path, dataset)
    return dataset


def split(**changes: Any) -> dict[str, Any]:
    return {"splits": Splits({"train": 0.5, "val": 0.5}, **changes).to_json()}


def readme_of(path: Path) -> str:
    return card_files(path)[0].read_text(encoding="utf-8")


def head_of(text: str) -> dict[str, Any]:
    head: dict[str, Any] = yaml.safe_load(text.split("---\n")[1])
    return head


def tokens_of(text: str) -> list[Any]:
    body = text.split("---\n", 2)[2] if text.startswith("---\n") else text
    blocks = MarkdownIt("commonmark").enable("table").parse(body)
    return [inner for block in blocks for inner in (block, *(block.children or ()))]


def cells_of(text: str) -> list[str]:
    """Return what each cell of the tables shows."""
    blocks = MarkdownIt("commonmark").enable("table").parse(text)
    pairs = itertools.pairwise(blocks)
    return [shown(inline) for cell, inline in pairs if cell.type in {"td_open", "th_open"}]


def shown(inline: Any) -> str:
    return "".join(token.content for token in inline.children)


def facts_of(text: str) -> dict[str, str]:
    """Return the first cell of each row of a table -> the second; of two rows the first counts."""
    rows = [row for row in text.split("\n") if row.startswith("| ")]
    cells = [cells_of(f"| a | b | c | d | e | f |\n|---|---|---|---|---|---|\n{row}")[6:] for row in rows]
    return {row[0]: row[1] for row in reversed(cells)}


def croissant_of(path: Path) -> Any:
    import mlcroissant

    return mlcroissant.Dataset(jsonld=str(card_files(path)[1]))


def code_blocks(text: str, language: str) -> list[str]:
    return [token.content for token in tokens_of(text) if token.type == "fence" and token.info == language]


def test_a_card_tells_the_facts(tmp_path: Path) -> None:
    dataset = made(tmp_path / "my sounds.zarr", made_with={"tonesmith": "9.8.7"}, **split(seed=3))
    text = readme_of(tmp_path / "my sounds.zarr")
    facts = facts_of(text)
    assert "\n# my sounds\n" in text
    assert facts["rows"] == "20"
    assert facts["patches"] == "10"
    assert facts["audio"] == "8000 Hz, stereo, 0.0375 s per row"
    assert facts["plan"] == dataset.plan.fingerprint
    assert facts["content"] == dataset.digest
    assert facts["synthesizer"] == "made-up (engine 1.0)"
    assert "9.8.7" in facts["made with"]
    assert "2 continuous and 2 categorical parameters vary, and up to 3 modulations; 1 are fixed." in text
    assert "| 1 | `cutoff` | 8 | 136 | 8 to 136 semitones |  | `filter` |" in text
    assert "| 0 | `filter_on` | off, on |" in text
    assert (facts["lhs"], facts["presets"]) == ("12", "8")
    assert "6 candidates (37.5% of all drawn) were rejected and drawn again:" in text
    assert (facts["level: silent"], facts["level: clipped"]) == ("3", "3")
    level = dataset.column("peak_dbfs")
    assert f"| `peak_dbfs` | {level.min():.4g} |" in text
    assert "MIDI pitch 48, 60, velocity 100, held 0.02 s, with 0.0175 s after the note off." in text
    assert "tonesmith verify 'my sounds.zarr'" in text
    sizes = {name: len(rows) for name, rows in dataset.splits.items()}
    assert sum(sizes.values()) == 20
    for name, rows in sizes.items():
        assert f"| `{name}` | {rows // 2} | {rows} | {rows / 20:.1%} |" in text
    assert "by `patch`" in text
    assert "seed `3`" in text


def test_a_card_of_rows_that_are_not_all_there_says_so(tmp_path: Path) -> None:
    path = tmp_path / "d"
    made(path, blocks=1)
    assert facts_of(readme_of(path))["rows"] == "8 of 20: the run was not finished"
    assert json.loads((path / "croissant.json").read_text())["version"].startswith("0.0.0+")
    made(path)
    assert facts_of(readme_of(path))["rows"] == "20"
    assert json.loads((path / "croissant.json").read_text())["version"].startswith("1.0.0+")


def test_a_card_of_no_rows_and_of_a_bare_space(tmp_path: Path) -> None:
    made(tmp_path / "none", blocks=0)
    assert "No candidate was rejected." in readme_of(tmp_path / "none")
    bare = synthetic_plan(space=synthetic_space(modulation_slots=0, assets=False), measures=())
    made(tmp_path / "bare", replace(bare, validators=()))
    text = readme_of(tmp_path / "bare")
    assert "modulations;" not in text
    assert "| measured |" not in text


def test_cards_are_the_same_wherever_and_whenever_they_are_written(tmp_path: Path) -> None:
    one, other = tmp_path / "a" / "d.zarr", tmp_path / "b" / "d.zarr"
    made(one)
    made(other)
    before = [(file.read_bytes(), file.stat().st_mtime_ns) for file in card_files(one)]
    write_card(one, open_dataset(one))
    assert [(file.read_bytes(), file.stat().st_mtime_ns) for file in card_files(one)] == before
    assert [file.read_bytes() for file in card_files(other)] == [content for content, _ in before]
    for file in card_files(one):
        assert str(tmp_path) not in file.read_text()
    assert not [entry for entry in one.iterdir() if entry.name.startswith(".")]


def test_the_name_is_that_of_the_folder_one_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = made(tmp_path / "d.zarr")
    before = readme_of(tmp_path / "d.zarr")
    monkeypatch.chdir(tmp_path / "d.zarr")
    write_card(Path(), dataset)
    assert Path("README.md").read_text() == before


def test_a_name_that_is_no_text_is_spelled_out(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"odd\xff.zarr")
    made(path)
    assert "open_dataset('odd\\udcff.zarr')" in readme_of(path)
    assert croissant_of(path).metadata.ctx.issues.errors == set()


def test_a_text_of_ones_own_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "d"
    dataset = made(path)
    own = readme_of(path).replace(MARKER + "\n", "")
    for kept in (own.encode(), b"", b"\xff\xfe mine", f"I quote {MARKER}".encode()):
        (path / "README.md").write_bytes(kept)
        (path / "croissant.json").unlink(missing_ok=True)
        write_card(path, dataset)
        assert (path / "README.md").read_bytes() == kept
        assert (path / "croissant.json").is_file()
    for kept in (b'{"name": "mine"}', b"[1]", b"not JSON"):
        (path / "croissant.json").write_bytes(kept)
        write_card(path, dataset)
        assert (path / "croissant.json").read_bytes() == kept


def test_what_only_a_maker_knows_stays_in_the_description(tmp_path: Path) -> None:
    path = tmp_path / "d"
    dataset = made(path, blocks=1)
    description = json.loads((path / "croissant.json").read_text())
    mine = {
        "datePublished": "2031-02-03",
        "creator": {"@type": "sc:Person", "name": "Ada"},
        "url": "https://example.org",
    }
    (path / "croissant.json").write_text(json.dumps({**description, **mine, "name": "other"}))
    dataset = made(path)
    found = json.loads((path / "croissant.json").read_text())
    assert {key: found[key] for key in mine} == mine
    assert found["name"] == "d"
    assert dataset.digest[:12] in found["version"]
    issues = croissant_of(path).metadata.ctx.issues
    assert (issues.errors, issues.warnings) == (set(), set())


def test_a_card_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "d"
    dataset = made(path)
    (path / "README.md").unlink()
    (path / "README.md").mkdir()
    with pytest.raises(DatasetError, match="could not write the card of"):
        write_card(path, dataset)
    (path / "README.md").rmdir()
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(DatasetError, match="No space left"):
        write_card(path, dataset)
    assert not (path / "README.md").exists()
    assert not [entry for entry in path.iterdir() if entry.name.startswith(".")]


def test_a_sink_that_fails_to_tell_of_itself_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = made(tmp_path / "d")
    monkeypatch.setattr(Host.load().find("sink", "zarr"), "loading", classmethod(lambda cls, path: 1 / 0))
    with pytest.raises(DatasetError, match="ZeroDivisionError"):
        write_card(tmp_path / "d", dataset)


def test_the_card_of_one_file_lies_beside_it(tmp_path: Path) -> None:
    dataset = made(tmp_path / "d")
    file = tmp_path / "sounds.h5"
    file.write_bytes(b"as if it were one file")
    write_card(file, dataset)
    assert {entry.name for entry in tmp_path.iterdir()} == {
        "d",
        "sounds.h5",
        "sounds.h5.md",
        "sounds.h5.croissant.json",
    }
    described = json.loads((tmp_path / "sounds.h5.croissant.json").read_text())
    assert described["name"] == "sounds"
    assert [files["includes"] for files in described["distribution"]] == ["sounds.h5"]
    assert croissant_of(file).metadata.ctx.issues.errors == set()


PRESET_REFS = (
    PresetRef("a" * 64, "b" * 64, "Pad", "Ann", "", "CC-BY-4.0"),
    PresetRef("c" * 64, "d" * 64, "Bass", "Bob", "", ""),
    PresetRef("e" * 64, "f" * 64, "Lead", "Bob", "", ""),
)


@pytest.mark.parametrize(
    ("presets", "licence", "licences"),
    [
        (PRESET_REFS[:1], "cc-by-4.0", ["https://spdx.org/licenses/CC-BY-4.0"]),
        (PRESET_REFS[1:], "unknown", ["not stated by the authors of the presets"]),
        (
            PRESET_REFS,
            "other",
            ["https://spdx.org/licenses/CC-BY-4.0", "not stated by the authors of some of the presets"],
        ),
        ((), None, ["not stated by the maker of the dataset"]),
    ],
)
def test_presets_have_their_authors_and_licences(
    tmp_path: Path, presets: tuple[PresetRef, ...], licence: str | None, licences: list[str]
) -> None:
    made(tmp_path / "d", replace(synthetic_plan(), presets=presets))
    text = readme_of(tmp_path / "d")
    assert head_of(text).get("license") == licence
    assert json.loads((tmp_path / "d" / "croissant.json").read_text())["license"] == licences
    assert ("## Presets" in text) == bool(presets)
    assert ("| Ann | CC-BY-4.0 | 1 |" in text) == (PRESET_REFS[0] in presets)
    assert ("| Bob | none stated | 2 |" in text) == (PRESET_REFS[1] in presets)
    assert ("2 presets state no licence: ask their authors" in text) == (PRESET_REFS[1] in presets)


def test_all_authors_are_named_in_full_in_both_files(tmp_path: Path) -> None:
    presets = tuple(
        PresetRef(
            f"{n:064x}", "b" * 64, f"Pad {n}", f"{n} " + "Hyphenated-" * 12 + "Name", "", f"Licence {n} " + "x" * 90
        )
        for n in range(160)
    )
    made(tmp_path / "d", replace(synthetic_plan(), presets=presets))
    text = readme_of(tmp_path / "d")
    cells = cells_of(text.split("---\n", 2)[2])
    assert {ref.author for ref in presets} | {ref.licence for ref in presets} <= set(cells)
    assert "<details><summary>160 authors and licences</summary>" in text
    found = [
        tuple(record[f"presets/{key}"] for key in ("sha256", "name", "author", "licence"))
        for record in croissant_of(tmp_path / "d").records("presets")
    ]
    assert found == [(ref.sha256, ref.name, ref.author, ref.licence) for ref in presets]


def test_a_card_is_a_key_to_the_labels(stored: tuple[Path, Dataset]) -> None:
    path, dataset = stored
    text = readme_of(path)
    cells = cells_of(text.split("---\n", 2)[2])
    shown = {*cells, *(name.removeprefix("column:") for name in cells)}
    assert {column.name for column in dataset.plan.schema} <= shown
    assert {*dataset.space.names, *dataset.space.sources, *dataset.space.destinations} <= shown
    assert "linear in [0, 1] between low and high" in " ".join(cells)
    assert "low + x · (high - low)" in text
    assert "index of the source in the attribute sources, -1 for an empty slot" in cells
    assert f"`{card_files(path)[1].name}`, under `parameters`, `sources`, `destinations`, `origins`" in text
    if dataset.plan.sink.name in {"webdataset", "folder", "parquet", "lmdb"}:
        assert any(cell.startswith("what to multiply the samples of the audio file by") for cell in cells)
        assert "`tonesmith/dataset.json`" in text


def test_no_parameter_is_left_out_of_a_card(tmp_path: Path) -> None:
    knobs = [Parameter(f"knob {n}", "continuous", 0.0, 1.0, 0.5) for n in range(140)]
    choices = tuple(f"choice {n}" for n in range(60))
    switches = [Parameter(f"switch {n}", "categorical", 0.0, 59.0, 0.0, choices=choices) for n in range(130)]
    made(tmp_path / "d", synthetic_plan(space=ParameterSpace((*knobs, *switches))))
    text = readme_of(tmp_path / "d")
    assert {p.name for p in (*knobs, *switches)} <= set(cells_of(text.split("---\n", 2)[2]))
    assert "choice 5 and 54 more" in text
    records = {record["parameters/name"]: record for record in croissant_of(tmp_path / "d").records("parameters")}
    assert json.loads(records["switch 129"]["parameters/choices"]) == list(choices)


def test_licences_have_the_names_that_others_know() -> None:
    assert [hub_licence(name) for name in ("GPL-3.0-or-later", "CC0-1.0", "mit", "Mine", "")] == [
        "gpl-3.0",
        "cc0-1.0",
        "mit",
        None,
        None,
    ]
    assert licence_url("GPL-3.0-or-later") == "https://spdx.org/licenses/GPL-3.0-or-later"
    assert [licence_url(name) for name in ("mit", "http://evil", "GPL-3.0 ", "")] == [
        None,
        None,
        "https://spdx.org/licenses/GPL-3.0",
        None,
    ]


def test_a_merged_dataset_names_its_sources(tmp_path: Path) -> None:
    plan = synthetic_plan()
    entry = {"fingerprint": "f" * 64, "digest": "d" * 64, "patches": [0, 4], "seed": 5}
    merged = [
        {**entry, "sampler": {"name": "lhs", "options": {"scramble": True}}},
        {**entry, "patches": [4, 10], "seed": 6, "sampler": {"name": HOSTILE, "options": {}}},
    ]
    made(tmp_path / "d", plan, merged=merged)
    text = readme_of(tmp_path / "d")
    assert f"| 0 to 3 | lhs | `scramble = true` | 5 | `{'f' * 64}` | `{'d' * 64}` |" in text
    assert "| 4 to 9 |" in text
    assert "tonesmith generate" not in text
    assert "Seed 7" not in text
    check_harmless(text)


def test_what_was_stored_with_loss_before_is_told(tmp_path: Path) -> None:
    made(tmp_path / "d", stored_through=[{"name": "parquet", "options": {}}])
    assert "stored with loss by parquet" in readme_of(tmp_path / "d")


def check_harmless(text: str) -> None:
    """Check that nothing of what others wrote became markup."""
    tokens = tokens_of(text)
    html = [token.content for token in tokens if token.type.startswith("html")]
    ours = ("<!-- written by tonesmith", "<details><summary>", "</details>")
    assert [content for content in html if not content.startswith(ours)] == []
    assert html[0].rstrip("\n") == MARKER
    assert not {token.type for token in tokens} & {"link_open", "image", "strong_open", "code_block", "blockquote_open"}
    titles = [token.content for token in tokens_of(text) if token.type == "inline" and token.content.startswith("head")]
    assert titles == []
    assert "\u202e" not in text
    assert "\x00" not in text
    assert max(map(len, text.split("\n"))) < 1200


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    space = ParameterSpace(
        (
            Parameter(HOSTILE, "continuous", 0.0, 1.0, 0.5, unit=HOSTILE, group=HOSTILE),
            Parameter("</details> ```", "categorical", 0.0, 1.0, 1.0, choices=(HOSTILE, "---")),
        ),
    )
    presets = (PresetRef("a" * 64, "b" * 64, HOSTILE, HOSTILE * 5, HOSTILE, HOSTILE),)
    plan = replace(
        synthetic_plan(space=space),
        presets=presets,
        sampler=PluginRef("made-up", {HOSTILE: HOSTILE, "deep": {"a": [HOSTILE]}, "folder": "/home/ada/presets"}),
        origins=(HOSTILE, "b"),
        versions={HOSTILE: HOSTILE},
        backend=PluginRef("made-up", {"plugin": "/home/ada/Odd ``` synth.vst3"}),
    )
    path = tmp_path / "odd | name` <b>é ``` x.zarr"
    sink = Host.load().sink_at("zarr", {}, path)
    sink.create(attributes_of(plan) | {"made_with": {"x": HOSTILE}}, plan.schema, plan.rows, plan.block_rows)
    block = synthetic_block(replace(plan, origins=("lhs", "presets")), 0)
    rejections = (replace(block.rejections[0], by=HOSTILE, reason=HOSTILE),)
    sink.write_block(replace(block, rejections=rejections, plan=plan.fingerprint))
    write_card(path, open_dataset(path))
    text = readme_of(path)
    check_harmless(text)
    cells = cells_of(text.split("---\n", 2)[2])
    for cell in (one_line(HOSTILE), one_line(HOSTILE * 5, 10_000), "</details> ```"):
        assert cell in cells
    assert "ada" not in text
    assert head_of(text)["pretty_name"] == "odd | name` <b>é ``` x"
    issues = croissant_of(path).metadata.ctx.issues
    assert issues.errors == set()
    assert next(iter(croissant_of(path).records("parameters")))["parameters/name"] == HOSTILE


@given(st.text(max_size=100))
@example("www.evil.com http://evil.com a@b.c")
@example("\\|")
@example("a `` b ` c")
@example("1. x - y + z")
@example("| a")
def test_any_text_is_shown_as_it_is(text: str) -> None:
    for written in (plain(text), code(text)):
        cells = cells_of("\n".join(table(("head", "n#"), [(written, "1"), ("next", "2")])))
        assert cells == ["head", "n", one_line(text), "1", "next", "2"]
        (paragraph,) = [token for token in tokens_of(f"x {written} y") if token.type == "inline"]
        assert shown(paragraph) == f"x {one_line(text)} y"


@given(st.text(max_size=60))
@example("```\nout")
@example("x\n`````\n````")
def test_code_stays_inside_its_fence(text: str) -> None:
    source = "".join(c if c.isprintable() or c == "\n" else " " for c in text)
    tokens = MarkdownIt("commonmark").parse("\n".join([*fenced("python", source), "after"]))
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert tokens[0].content.rstrip("\n") == source.rstrip("\n")


PLAIN = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9)
)
VALUES = st.recursive(PLAIN, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=5), v, max_size=3))


@given(st.dictionaries(st.text(max_size=6), VALUES, max_size=4))
@example({"n": 1e-05, "m": 1e22, "\ud7ff🎹": "\u2028\x85\ufeff", "yes": "no", "~": [[], {}, [[1], {"a": []}]]})
def test_the_head_is_read_back_as_it_was(values: dict[str, Any]) -> None:
    first, *lines, last = front_matter(values)
    assert (first, last) == ("---", "---")
    assert "---" not in lines
    assert yaml.safe_load("\n".join(lines) or "{}") == values


@pytest.fixture(params=SINKS)
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Dataset]:
    """A split dataset of each sink, with its card."""
    path = tmp_path / f"d.{request.param}"
    usual = synthetic_space()
    space = replace(usual, parameters=(*usual.parameters, Parameter("odd | <é> {x}", "continuous", 0.0, 1.0, 0.5)))
    cls = Host.load().find("sink", request.param)
    sink = PluginRef(cls.name, cls.Options().model_dump(mode="json"))
    return path, made(path, synthetic_plan(space=space, sink=sink), **split())


def test_mlcroissant_takes_the_description_of_every_sink(stored: tuple[Path, Dataset]) -> None:
    path, dataset = stored
    found = croissant_of(path)
    issues = found.metadata.ctx.issues
    assert issues.errors == set()
    # The date is for whoever publishes it to add: none is made up
    assert [warning for warning in issues.warnings if "datePublished" not in warning] == []
    columns = {record["columns/name"] for record in found.records("columns")}
    assert columns >= {column.name for column in dataset.plan.schema}
    sizes = {record["splits/name"]: record["splits/rows"] for record in found.records("splits")}
    assert sizes == {name: len(rows) for name, rows in dataset.splits.items()}
    names = [record["parameters/name"] for record in found.records("parameters")]
    assert names == list(dataset.space.names)
    for name, counted in (
        ("sources", dataset.space.sources),
        ("destinations", dataset.space.destinations),
        ("origins", dataset.plan.origins),
    ):
        listed = [(record[f"{name}/index"], record[f"{name}/name"]) for record in found.records(name)]
        assert listed == list(enumerate(counted))


def test_mlcroissant_reads_the_rows_of_tables(stored: tuple[Path, Dataset]) -> None:
    path, dataset = stored
    found = Host.load().find("sink", dataset.plan.sink.name).file_sets(dataset.plan, tuple(dataset.splits))
    for files in (files for files in found if files.fields):
        records = list(croissant_of(path).records(f"{files.name}-rows"))
        assert len(records) == len(dataset)
        pitches = sorted(record[f"{files.name}-rows/pitch"] for record in records)
        assert pitches == sorted(dataset.column("pitch").tolist())
        if dataset.plan.sink.name == "folder":
            assert {record["labels-rows/split"].decode() for record in records} == set(dataset.splits)


@pytest.mark.parametrize("stored", sampled(["webdataset", "parquet", "lmdb"], 3), indirect=True)
@pytest.mark.parametrize("name", sampled(["p[1]", "p{a}", "p*x", "it's"], 4))
@pytest.mark.long
def test_a_name_that_looks_like_a_pattern_is_loaded_too(stored: tuple[Path, Dataset], name: str) -> None:
    path = stored[0].rename(stored[0].with_name(name))
    write_card(path, open_dataset(path))
    run_block(code_blocks(readme_of(path), "python")[0], path.parent)


def run_block(block: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", block], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{block}\n{done.stderr}"


@pytest.mark.parametrize("stored", sampled(SINKS, 3), indirect=True)
@pytest.mark.first
def test_the_own_format_is_loaded_in_five_lines(stored: tuple[Path, Dataset]) -> None:
    path, _ = stored
    for block in code_blocks(readme_of(path), "python"):
        assert len([line for line in block.split("\n") if line.strip()]) <= 5
        run_block(block, path.parent)


def test_the_head_has_what_the_hub_asks_for(stored: tuple[Path, Dataset]) -> None:
    path, dataset = stored
    head = head_of(readme_of(path))
    assert head["size_categories"] == ["n<1K"]
    assert {"audio", "tonesmith"} <= set(head["tags"])
    own = Host.load().find("sink", dataset.plan.sink.name).front_matter(path, tuple(dataset.splits))
    assert {key: head[key] for key in own} == json.loads(json.dumps(own))


MODELS = ("Analog", "Dirty", "Ladder", "Digital", "Diode", "Formant")
"""As many as have shares whose sum is not quite 1."""


def resolved(config: Any) -> Plan:
    return resolve_plan(config, Host.load()).plan


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"space": {"shape": "tier 3"}, "notes": {"pitches": [40, 60], "hold": [0.1, 0.4], "draw": 2}},
        {"space": {"include": ["osc_1_*"], "fix": {"osc_1_level": 0.3}, "ranges": {"filter_1_cutoff": [20, 60]}}},
        {
            "space": {"modulations": {"most": 3}, "weights": {"filter_1_model": dict.fromkeys(MODELS, 1)}},
            "sampler": "sobol",
            "validators": [],
        },
    ],
)
@pytest.mark.first
def test_the_composition_makes_the_plan_again(tmp_path: Path, changes: dict[str, Any]) -> None:
    plan = resolved(composed(None, {"patches": 3, "seed": 9, **changes}))
    recipe = recipe_of(plan, Host.load())
    assert recipe.missing == ()
    (tmp_path / "again.toml").write_text(recipe.toml)
    again = resolved(load_config(tmp_path / "again.toml"))
    assert again.fingerprint == plan.fingerprint
    assert again.rounds == plan.rounds


def test_a_composition_says_what_it_cannot_have() -> None:
    plan = resolved(composed(None, {"patches": 2}))
    for changed, missing in (
        (replace(plan, backend=PluginRef("vita", {"wavetables": "/home/ada/waves"})), "the folders of the files"),
        (replace(plan, presets=PRESET_REFS), "where the 3 preset files are"),
        (replace(plan, backend=PluginRef("gone")), "the `[space]` table"),
    ):
        recipe = recipe_of(changed, Host.load())
        assert any(missing in told for told in recipe.missing)
        assert "ada" not in recipe.toml


def test_a_run_writes_its_card(chaos: Chaos, tmp_path: Path) -> None:
    path = tmp_path / "d.zarr"
    chaos.make(path, patches=2)
    chaos.make(path, patches=3)
    text = readme_of(path)
    assert facts_of(text)["patches"] == "3"
    (commands,) = [block for block in code_blocks(text, "bash") if "generate" in block]
    assert commands.splitlines() == [
        "tonesmith generate d.zarr --config d.toml",
        "tonesmith generate d.zarr --config d.toml -n 3",
    ]
    assert "patches = 2\n" in text


def test_a_run_does_not_fail_for_its_card(chaos: Chaos, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "d.zarr"
    chaos.make(path, patches=2)
    (path / "README.md").unlink()
    (path / "README.md").mkdir()
    assert chaos.make(path, patches=3).complete
    assert "warning: could not write the card" in capsys.readouterr().err


def test_nothing_is_written_where_nothing_is(tmp_path: Path) -> None:
    write_card(tmp_path / "elsewhere", made(tmp_path / "d"))
    assert [entry.name for entry in tmp_path.iterdir()] == ["d"]


@pytest.mark.skipif(not PRESETS.is_dir(), reason="the public presets are not here")
@pytest.mark.long
def test_a_dataset_of_presets_credits_their_makers(tmp_path: Path) -> None:
    files = sorted((PRESETS / "vital").rglob("*.vital"))[:2]
    generate(
        tmp_path / "d.zarr",
        patches=2,
        sampler="perturb",
        presets={"paths": [str(file) for file in files], "licence": "CC0-1.0"},
        notes={"pitches": [60], "hold": 0.1, "tail": 0.0},
        workers=1,
    )
    text = readme_of(tmp_path / "d.zarr")
    dataset = open_dataset(tmp_path / "d.zarr")
    authors: Mapping[str, str] = {ref.author: ref.licence for ref in dataset.presets.values()}
    assert set(authors.values()) == {"CC0-1.0"}
    for author in authors:
        assert f"| {plain(author)} | CC0-1.0 |" in text
    assert head_of(text)["license"] == "cc0-1.0"
    assert "where the 2 preset files are" in text
    check_harmless(text)
