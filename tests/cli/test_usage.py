"""A command line that cannot be read is answered in tonesmith's own voice: a line, and status 2."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tonesmith.api import generate
from tonesmith.cli import run
from tonesmith.errors import ConfigError, nearest


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("genrate", "unknown command 'genrate'. Did you mean 'generate'? tonesmith --help shows what there is."),
        ("generate --bakend x d", "unknown option '--bakend'. Did you mean '--backend'? tonesmith generate --help"),
        ("inspect --out d", "unknown option '--out'. tonesmith inspect --help shows what there is."),
        ("plugins shw foo", "unknown command 'shw'. Did you mean 'show'? tonesmith plugins --help"),
        ("doctor vta", "BACKEND: unknown backend 'vta'. Did you mean 'vita'? Known: "),
        ("plugins show foo", "unknown plugin 'foo'. Known: "),
        ("verify", "DATASET is missing. "),
        ("merge a b", "--out is missing. "),
        ("verify d --render -1", "--render: expected an integer of at least 0. "),
        ("verify d --render many", "--render: expected an integer of at least 0. "),
        ("importance d --step 3", "--step: expected a number from 0 to 1. "),
        (
            "split d --by patc",
            "--by: 'patc' is not allowed. Expected one of patch, preset, score. Did you mean 'patch'? ",
        ),
        ("split d --crossing 7", "--crossing: '7' is not allowed. Expected one of join, drop. "),
        ("verify d e f", "unexpected argument: e f. "),
    ],
)
def test_a_wrong_command_line_is_told_in_a_line(capsys, arguments, said):
    assert run(arguments.split()) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"tonesmith: error: {said}")
    assert told.err.count("\n") == 1


def test_help_alone_is_no_error(capsys):
    assert run(["plot"]) == 2
    told = capsys.readouterr()
    assert "Usage: tonesmith plot" in told.out + told.err
    assert "error" not in told.err


def test_only_a_near_name_is_suggested():
    assert nearest("--bakend", ["--backend", "--sink"]) == "--backend"
    assert nearest("lsh", ["lhs", "sobol"]) == "lhs"
    assert [nearest(*asked) for asked in (("foo", ["sobol"]), (".gif", [".svg"]), ("--out", ["--timeout"]))] == [""] * 3


def test_a_key_of_the_plan_is_suggested_where_it_may_stand_alone(tmp_path, monkeypatch, capsys):
    with pytest.raises(ConfigError, match=r"unknown table 'patchs'. Did you mean 'patches', a key of \[plan\]\?"):
        generate(tmp_path / "d", patchs=3)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plugins.toml").write_text("patches = 4\n")
    assert run(["generate", "d"]) == 2
    assert "unknown table 'patches'. It is a key of [plan]: put it there." in capsys.readouterr().err


_NOTHING = "tonesmith: stopped; nothing was rendered.\n"
_SLOW = """
import sys, time
from tonesmith.cli import main
import tonesmith.{module} as module
def slow(*_, **__):
    print("loading", flush=True)
    time.sleep(60)
module.{name} = slow
sys.argv = ["tonesmith", *{arguments!r}]
main()
"""


@pytest.mark.parametrize(
    ("number", "module", "name", "arguments", "said"),
    [
        (signal.SIGTERM, "run.resolve", "resolve_plan", ["generate", "d"], _NOTHING),
        (signal.SIGINT, "run.resolve", "resolve_plan", ["generate", "d"], _NOTHING),
        (signal.SIGINT, "dataset.opening", "open_dataset", ["verify", "d"], "tonesmith: stopped.\n"),
        (signal.SIGHUP, "dataset.opening", "open_dataset", ["importance", "d"], "tonesmith: stopped.\n"),
    ],
)
@pytest.mark.first
def test_whoever_stops_it_while_it_loads_is_told_so(tmp_path, number, module, name, arguments, said):
    code = _SLOW.format(module=module, name=name, arguments=arguments)
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "loading\n"
    time.sleep(0.2)
    os.kill(process.pid, number)
    assert process.communicate(timeout=60)[1] == said
    assert process.returncode == 130
