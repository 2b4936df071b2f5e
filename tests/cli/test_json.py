"""--json: the keys that docs/cli.md lists are those that every command prints, on one line."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any

import pytest
from support import ROOT
from support.commands import command_trees
from support.corpora import melody, write_midi

from tonesmith.backends.vita.preset import preset_json
from tonesmith.backends.vst3.scan import Scan
from tonesmith.cli import run
from tonesmith.engine.client import Engine
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.space.patch import Patch
from tonesmith.testing.synthetic import synthetic_space

PLAIN = {"tonesmith plugins new", "tonesmith preview", "tonesmith corpus browse"}
"""Commands without --json, for a reason that the page gives."""


def documented() -> dict[str, tuple[set[str], set[str]]]:
    """Return command -> the keys that it always prints, and those that it prints at times."""
    section = (ROOT / "docs/cli.md").read_text(encoding="utf-8").partition("\n## JSON\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `tonesmith ([^`]+)` \| (.+) \| (.*)\|$", section, re.MULTILINE)
    return {command: (_keys(always), _keys(at_times)) for command, always, at_times in rows}


def _keys(cell: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", cell))


@pytest.fixture
def told(capsys) -> Any:
    def run_it(*arguments: object) -> Any:
        capsys.readouterr()
        assert run([*map(str, arguments), "--json"]) == 0, capsys.readouterr().err
        out = capsys.readouterr().out
        assert out.count("\n") == 1
        return json.loads(out)

    return run_it


def check(command: str, told: Any) -> None:
    always, at_times = documented()[command]
    for each in told if isinstance(told, list) else [told]:
        assert always <= each.keys() <= always | at_times, command


def commands_of(command: Any, name: str = "tonesmith") -> dict[str, set[str]]:
    """Return command -> its options."""
    inner = getattr(command, "commands", {})
    if not inner:
        return {name: {word for parameter in command.params for word in parameter.opts}}
    return {key: value for n, c in inner.items() for key, value in commands_of(c, f"{name} {n}").items()}


def test_every_command_with_json_is_in_the_table() -> None:
    found: dict[str, set[str]] = {}
    for tree in command_trees():
        for name, options in commands_of(tree).items():
            found[name] = options | found.get(name, set())
    found = {name: options for name, options in found.items() if not any(n.startswith(f"{name} ") for n in found)}
    assert {name for name, options in found.items() if "--json" not in options} == PLAIN
    table = {f"tonesmith {command}".split(" --")[0] for command in documented()}
    assert table == found.keys() - PLAIN


def test_composing(told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check("compose", told("compose", "groove", "-n", 2, "-o", "scores"))


@pytest.mark.long
def test_datasets(chaos, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    chaos.make(tmp_path / "d", patches=6)
    chaos.make(tmp_path / "e", patches=6, seed=2)
    chaos.make(tmp_path / "rejected", ("raise",), patches=1, sampler="troublesome")
    shutil.copytree("d", "f")

    check("inspect", told("inspect", "d", "--params", "--rejects"))
    check("status", told("status", "d"))
    check("reproduce", told("reproduce", "rejected", "--reject", 0, "--trust"))
    check("verify", told("verify", "d", "--render", 1, "--trust"))
    check("export", told("export", "d", "--row", 0, "--label", "x.json"))
    check("match", told("match", "d", "--row", 0, "--like", "d", "-o", "m.json", "--renders", 1, "--workers", 1))
    check("plot pca", told("plot", "pca", "d", "e", "-o", "p.svg"))
    check("plot coverage", told("plot", "coverage", "d"))
    check("features --add", told("features", "e", "--add", "mel", "--workers", 1))
    check("features", told("features", "e"))
    check("verify", told("verify", "e", "--features", 1))
    told("features", "e", "--remove", "mel")
    check("convert", told("convert", "d", "c", "--workers", 1))
    check("merge", told("merge", "d", "e", "-o", "m", "--workers", 1))
    check("split", told("split", "f", "--train", 0.5, "--val", 0, "--test", 0.5))
    check("split", told("split", "f", "--remove"))
    check("importance", told("importance", "d", "--bases", 1, "--workers", 1, "--trust"))
    check("importance --dry-run", told("importance", "e", "--bases", 1, "--workers", 1, "--dry-run"))


@pytest.mark.long
def test_runs_plugins_and_the_doctor(chaos, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = ("generate", "--backend", "chaos", "-n", 1, "--sample-rate", 8000, "--notes.hold", 0.1, "--notes.tail", 0.1)

    check("generate --dry-run", told(*made, "--dry-run"))
    check("generate", told(*made, "d"))
    found = told("audition", "d", "-n", 1, "-o", "a.html")
    check("audition", {**found, **found["plans"][0], **found["files"][0]})
    check("report", told("report", "d", "-o", "d.html"))
    told(*made, "e", "--seed", 2)
    check("compare", told("compare", "d", "e", "-o", "diff.html"))
    check("doctor", told("doctor", "chaos", "--quick", "--sample-rate", 8000))
    check("config schema --out", told("config", "schema", "-o", "s.json"))
    check("plugins list", told("plugins"))
    check("plugins show", told("plugins", "show", "level"))
    check("plugins show", told("plugins", "show", "vita"))


@pytest.mark.long
def test_presets_wavetables_and_specs(told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Engine(PluginRef("vita", {}), Audio(44100, 0, 0), 1, "snapshot", asset={}.__getitem__) as engine:
        described = engine.describe(0.1, 0.1)
    patch = Patch({p.name: p.default for p in described.space.parameters}, (), dict(described.space.assets))
    (tmp_path / "bank").mkdir()
    (tmp_path / "bank" / "p.vital").write_text(json.dumps(json.loads(preset_json(patch, described.assets, "p"))))
    scanned = Scan("Synth", synthetic_space())
    monkeypatch.setattr("tonesmith.backends.vst3.scan.scan", lambda *_, **__: scanned)

    check("presets list", told("presets", "list", "bank", "--no-audition"))
    check("presets show", told("presets", "show", "bank/p.vital", "--no-audition"))
    check("presets check", told("presets", "check", "bank", "--workers", 1))
    check("presets find", told("presets", "find", "--cache", "nowhere"))
    check("presets download --list", told("presets", "download", "--list"))
    check("vita wavetables scan", told("vita", "wavetables", "scan", "bank", "-o", "catalog", "--no-previews"))
    check("vita wavetables list", told("vita", "wavetables", "list", "catalog"))
    check("vst3 scan", told("vst3", "scan", "synth.vst3", "-o", "spec.toml"))


@pytest.mark.skipif(shutil.which("git") is None, reason="downloads are made by git, which is not here")
def test_downloads(told, tmp_path):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "p.vital").write_text("{}")
    git = ["git", "-C", str(tmp_path / "theirs"), "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for words in (["init", "-q"], ["add", "--all"], ["commit", "-qm", "one"]):
        subprocess.run([*git, *words], check=True)

    check("presets download", told("presets", "download", "--url", tmp_path / "theirs", "--cache", tmp_path / "cache"))


def test_corpora(told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_midi(tmp_path / "one.mid", melody(1))
    check("corpus new", told("corpus", "new", "c"))
    found = told("corpus", "add", "c", "one.mid")
    check("corpus add", found)
    check("corpus annotate", told("corpus", "annotate", "c"))
    check("corpus stats", told("corpus", "stats", "c"))
    check("corpus check", told("corpus", "check", "c"))
    check("corpus split", told("corpus", "split", "c"))
    check("corpus label", told("corpus", "label", "c", found["added"][0], "emotion=sad"))
    check("corpus write", told("corpus", "write", "c"))
    check("corpus repair", told("corpus", "repair", "c"))
