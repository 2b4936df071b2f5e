"""tonesmith config: an editor finds the schema of a composition beside it."""

from __future__ import annotations

import json
import os
import tomllib

import pytest

from tonesmith.cli import run
from tonesmith.host.editor_schema import composition_schema
from tonesmith.host.registry import Host

NAME = "tonesmith.schema.json"


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_schema_is_printed_or_written(tmp_path, capsys):
    assert run(["config", "schema"]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed) == composition_schema(Host.load())
    assert run(["config", "schema", "-o", NAME]) == 0
    assert capsys.readouterr().out == f"{NAME}  {len(printed) / 1024:.1f} KiB\n"
    assert (tmp_path / NAME).read_text() == printed


def test_only_a_schema_is_written_over(tmp_path, capsys):
    (tmp_path / NAME).write_text("[1]")
    assert run(["config", "schema", "-o", NAME]) == 2
    assert "exists" in capsys.readouterr().err
    assert run(["config", "schema", "-o", NAME, "--force"]) == 0
    assert run(["config", "schema", "-o", NAME]) == 0
    assert run(["config", "schema", "-o", "schema.txt"]) == 2
    assert "must end in .json" in capsys.readouterr().err


def test_a_saved_composition_names_the_schema_beside_it_and_reads_back(tmp_path):
    (tmp_path / "mine").mkdir()
    assert run(["generate", "--seed", "3", "--save-config", "mine/saved.toml"]) == 0
    assert run(["generate", "--config", "mine/saved.toml", "--save-config", "mine/again.toml"]) == 0
    saved = (tmp_path / "mine" / "saved.toml").read_text()
    assert saved.startswith(f"#:schema ./{NAME}\n")
    assert saved == (tmp_path / "mine" / "again.toml").read_text()
    assert tomllib.loads(saved)["plan"]["seed"] == 3
    assert json.loads((tmp_path / "mine" / NAME).read_text()) == composition_schema(Host.load())


@pytest.mark.parametrize("there", ["a file", "a link"])
def test_what_is_no_schema_is_neither_named_nor_changed(tmp_path, there):
    (tmp_path / "mine.json").write_text("{}")
    (tmp_path / NAME).symlink_to("mine.json") if there == "a link" else (tmp_path / NAME).write_text("{}")
    assert run(["generate", "--save-config", "saved.toml"]) == 0
    assert (tmp_path / NAME).read_text() == "{}"
    assert (tmp_path / "saved.toml").read_text().startswith("[plan]")


def test_a_composition_for_a_pipe_is_only_printed(tmp_path):
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    assert run(["generate", "--save-config", "pipe"]) == 0
    assert os.read(reader, 10**6).startswith(b"[plan]")
    os.close(reader)
    assert not (tmp_path / NAME).exists()
