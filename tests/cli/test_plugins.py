"""``tonesmith plugins``: every plugin, and for each its options and an example that works as it stands."""

from __future__ import annotations

import json
import textwrap

import pytest

from tonesmith import Host, PluginError
from tonesmith.cli import run
from tonesmith.cli.commands.plugins import example, find_records
from tonesmith.host.composition import compose
from tonesmith.host.settings import settings_of
from tonesmith.host.toml import TomlSource, parse_toml
from tonesmith.terminal.text import sentence

HOST = Host(allowed="")


@pytest.fixture(autouse=True)
def _at_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(Host, "load", classmethod(lambda cls: HOST))


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["plugins", *arguments]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


@pytest.mark.parametrize("arguments", [(), ("list",)])
def test_the_list_names_every_plugin_with_its_origin(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    text = output(capsys, *arguments)
    assert max(map(len, text.splitlines())) <= 80
    words = " ".join(text.split())
    for record in HOST.plugins():
        assert f"{record.role} {record.name} tonesmith {record.version} {sentence(record.summary).split()[0]}" in words


@pytest.mark.parametrize("arguments", [("--json",), ("list", "--json")])
def test_the_list_is_json_if_asked(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    listed = json.loads(output(capsys, *arguments))
    assert [(entry["role"], entry["name"]) for entry in listed] == [(r.role, r.name) for r in HOST.plugins()]
    assert set(listed[0]) == {"role", "name", "summary", "distribution", "version"}


@pytest.mark.parametrize("record", HOST.plugins(), ids=lambda record: record.name)
def test_showing_a_plugin_tells_every_option(capsys: pytest.CaptureFixture[str], record: object) -> None:
    assert (record,) == tuple(find_records(HOST, f"{record.role}:{record.name}"))
    named = f"{record.role}:{record.name}"
    text = output(capsys, "show", named)
    assert max(map(len, text.splitlines())) <= 80
    words = " ".join(text.split())
    for setting in settings_of(record.plugin.Options):
        assert f"{setting.key} {setting.takes.split(' ')[0]}" in words
        assert sentence(setting.help).split()[0] in words
    described = json.loads(output(capsys, "show", named, "--json"))
    assert [o["name"] for o in described[0]["options"]] == [s.key for s in settings_of(record.plugin.Options)]


CHOSEN = [record for record in HOST.plugins() if record.role not in {"importer", "annotator", "augmenter", "model"}]


@pytest.mark.parametrize("record", CHOSEN, ids=lambda record: record.name)
def test_the_example_is_toml_that_chooses_the_plugin_with_its_defaults(
    capsys: pytest.CaptureFixture[str], record: object
) -> None:
    several = record.role in {"validator", "feature"}
    section = f"{record.role}s" if several else record.role
    override = [record.name] if several else record.name
    config = compose(parse_toml(example(record), "example"), {}, host=HOST)
    assert config == compose(TomlSource("", {}), {section: override}, host=HOST)
    shown = (
        output(capsys, "show", f"{record.role}:{record.name}")
        .partition("In plugins.toml:\n\n")[2]
        .partition("\n\nShape")[0]
    )
    assert compose(parse_toml(textwrap.dedent(shown), "shown"), {}, host=HOST) == config


def test_the_shapes_of_a_backend_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    text = output(capsys, "show", "vita")
    shapes = HOST.backends()["vita"].shapes(HOST.backends()["vita"].Options())
    assert shapes
    words = " ".join(text.split())
    for name, shape in shapes.items():
        assert f"Shape {name}:" in words
        for fixed in shape.fix:
            assert f"{fixed} = " in words
        for narrowed, (low, high) in shape.ranges.items():
            assert f"{narrowed} = {low:g}..{high:g}" in words
    assert set(json.loads(output(capsys, "show", "vita", "--json"))[0]["shapes"]) == set(shapes)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("vitta", "unknown plugin 'vitta'. Did you mean 'vita'?"),
        ("sinc:zarr", "unknown role 'sinc'. Did you mean 'sink'?"),
        ("sink:vita", "unknown sink 'vita'."),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(capsys: pytest.CaptureFixture[str], name: str, told: str) -> None:
    assert run(["plugins", "show", name]) == 2
    assert told in capsys.readouterr().err
    with pytest.raises(PluginError):
        find_records(HOST, name)
