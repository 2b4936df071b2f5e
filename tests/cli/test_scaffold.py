"""``tonesmith plugins new``: what it writes is installed, and passes the contract of its role."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from support import terminal

from tonesmith import ConfigError, Host, PluginError
from tonesmith.cli import run
from tonesmith.cli.scaffold import check_new, template_of, write_skeleton
from tonesmith.host.conformance import ROLES

HOST = Host(allowed="")
TEMPLATES = (*ROLES, "score_feature")
PIP = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a generated distribution of each template, and all of them installed in ``site``."""
    return generated(tmp_path_factory.mktemp("skeletons"), TEMPLATES)


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, of those roles alone that a run needs."""
    return generated(tmp_path_factory.mktemp("skeletons"), ("backend", "sampler", "validator", "sink"))


def role_of(template: str) -> str:
    return template.removeprefix("score_")


def generated(folder: Path, templates: Iterable[str]) -> Path:
    places = [folder / template for template in templates]
    for place in places:
        write_skeleton(role_of(place.name), f"my-{place.name}", place, place.name)
    subprocess.run([*PIP, folder / "site", *places], check=True, timeout=120)
    return folder


def environment(installed: Path) -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join([str(installed / "site"), os.environ.get("PYTHONPATH", "")])}


def pytest_of(installed: Path, role: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on a generated distribution, as its author's CI would."""
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", *arguments]
    return subprocess.run(
        [*command, role],
        capture_output=True,
        text=True,
        cwd=installed,
        env={**os.environ, **environment(installed), "CI": "true"},
        timeout=120,
        check=False,
    )


@pytest.mark.long
@pytest.mark.parametrize("template", TEMPLATES)
def test_a_generated_distribution_passes_its_contract(installed, template):
    done = pytest_of(installed, template, "-rpfE")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert f"/tests/test_my_{template}.py::TestMy{template.title().replace('_', '')}::" in done.stdout


@pytest.mark.long
def test_a_generated_feature_of_scores_is_computed_of_a_corpus(installed, tmp_path):
    for words in (
        ("new", "c"),
        ("compose", "c", "--with", "melody", "-n", 2),
        ("features", "c", "--add", "my-score_feature", "--set", "my-score_feature.parts=3"),
    ):
        done = terminal("corpus", *words, cwd=tmp_path, **environment(installed))
        assert done.returncode == 0, done.stderr
    told = terminal("corpus", "features", "c", "--json", cwd=tmp_path, **environment(installed))
    assert json.loads(told.stdout)["features"]["my-score_feature"]["items"] == 2


@pytest.mark.long
def test_the_contract_is_what_passes(installed):
    """A generated synth that hears the note before is caught: the tests are not there for show."""
    source = installed / "site" / "tonesmith_my_backend" / "__init__.py"
    sound = source.read_text()
    assert sound.count("seconds = np.arange(") == 1
    source.write_text(
        sound.replace("seconds = np.arange(", "self.played = seconds = getattr(self, 'played', 0) + np.arange(")
    )
    try:
        done = pytest_of(installed, "backend", "-k", "hear_each_other")
    finally:
        source.write_text(sound)
    assert done.returncode == 1
    assert "not exact" in done.stdout


@pytest.mark.long
def test_generated_plugins_are_found_with_their_options(four):
    shown = terminal("plugins", "show", "my-validator", cwd=four, **environment(four))
    assert "my-validator, from tonesmith-my-validator 0.1" in shown.stdout
    assert "minimum" in shown.stdout
    assert shown.stderr == ""


@pytest.mark.long
def test_a_generated_sink_stores_a_dataset_that_is_verified(four, tmp_path):
    options = ("--backend", "my-backend", "--sampler", "my-sampler", "--validator", "my-validator")
    short = ("--sink", "my-sink", "-n", 3, "--notes.hold", 0.1, "--notes.tail", 0.1, "out")
    made = terminal("generate", *options, *short, cwd=tmp_path, **environment(four))
    assert made.returncode == 0, made.stderr
    checked = terminal("verify", "--render", 3, "out", cwd=tmp_path, **environment(four))
    assert "3 of 3 rows sound as they did" in checked.stdout, checked.stderr
    found = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert found == ["README.md", "blocks", "croissant.json", "dataset.json"]


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_name_gives_files_that_are_python_and_clean(tmp_path, template):
    rules = ["--select", "A,B,E,F,I,N,UP,SIM,RET", "--config", "src = ['*/src']"]
    for name in ("a", "backend", "two-words", "with_9", "options", "sink"):
        folder = tmp_path / name
        for path in write_skeleton(role_of(template), name, folder, template):
            assert "$" not in path.read_text().replace("\n$ ", "")
            if path.suffix == ".py":
                compile(path.read_text(), path, "exec")
    for words in (["check", *rules], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *words, "--line-length", "120", "--isolated", "--quiet", "."]
        done = subprocess.run(ruff, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout


def test_the_command_tells_what_it_wrote_and_what_is_next(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["plugins", "new", "backend", "buzz"]) == 0
    told = capsys.readouterr().out
    files = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    assert files == [
        "tonesmith-buzz/README.md",
        "tonesmith-buzz/pyproject.toml",
        "tonesmith-buzz/src/tonesmith_buzz/__init__.py",
        "tonesmith-buzz/tests/test_buzz.py",
    ]
    assert all(file.removeprefix("tonesmith-buzz/") in told for file in files)
    assert 'pip install -e "./tonesmith-buzz[test]"' in told

    assert run(["plugins", "new", "sink", "buzz", "--out", "elsewhere"]) == 0
    assert (tmp_path / "elsewhere" / "pyproject.toml").is_file()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("synth", "x"), "unknown role 'synth'"),
        (("backend", "Loud"), "lower-case"),
        (("backend", "../x"), "lower-case"),
        (("backend", "x-"), "lower-case"),
        (("backend", "x" * 41), "at most 40"),
        (("sampler", "lhs"), "already has a sampler 'lhs'. Choose another name."),
    ],
)
def test_a_wrong_role_or_name_is_refused_and_nothing_is_written(tmp_path, monkeypatch, capsys, words, told):
    monkeypatch.chdir(tmp_path)
    assert run(["plugins", "new", *words]) == 2
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(PluginError):
        check_new(HOST, *words)


@pytest.mark.parametrize(
    ("words", "told"),
    [(("feature", "x", "--of", "scores"), "Did you mean 'score'?"), (("sink", "x", "--of", "score"), "for a feature")],
)
def test_a_kind_that_no_plugin_of_the_role_is_computed_of_is_refused(tmp_path, monkeypatch, capsys, words, told):
    monkeypatch.chdir(tmp_path)
    assert run(["plugins", "new", *words]) == 2
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert [template_of("feature", of) for of in ("sound", "score")] == ["feature", "score_feature"]


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for place in ("mine", "file"):
        with pytest.raises(ConfigError, match="already exists and was not changed"):
            write_skeleton("backend", "buzz", tmp_path / place)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["file", "mine", "notes.txt"]
    (tmp_path / "empty").mkdir()
    assert write_skeleton("backend", "buzz", tmp_path / "empty")
