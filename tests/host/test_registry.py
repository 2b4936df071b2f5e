"""Plugins of third parties: found by entry point, and never able to take the rest down."""

from __future__ import annotations

import importlib
import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tonesmith.errors import ConfigError, PluginError
from tonesmith.host.builtin import BUILTINS
from tonesmith.host.registry import Host

Install = Callable[..., str]

_COUNTER = itertools.count()
_HEADER = """
from tonesmith.host.hookspecs import hookimpl
from tonesmith.plan.schema import Measure; from tonesmith.host.roles import Options, Validator
from tonesmith.plan.render import Verdict
from pydantic import Field

class Limits(Options):
    most: float = Field(1.0, ge=0.0, description="the most")

class Base(Validator):
    summary = "a validator for tests"
    Options = Limits
    measures = ()
    def check(self, render):
        return Verdict({})
"""
_GOOD = """
class Odd(Base):
    name = "odd"

@hookimpl
def tonesmith_validators():
    return [Odd]
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Give a function that puts a distribution with one plugin module on the path."""

    def installed(distribution: str, source: str, version: str = "1.0", path: Path | None = None) -> str:
        folder = path or tmp_path / distribution
        module = f"{distribution.replace('-', '_')}_{next(_COUNTER)}"
        info = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[tonesmith]\nplugin = {module}\n")
        (folder / f"{module}.py").write_text(_HEADER + source)
        monkeypatch.syspath_prepend(str(folder))
        importlib.invalidate_caches()
        return module

    return installed


def test_a_third_party_comes_through_the_same_door_as_the_built_ins(install: Install) -> None:
    install("tonesmith-odd", _GOOD, "2.5")
    host = Host()
    assert list(host.validators()) == ["level", "loudness", "odd"]
    record = next(r for r in host.plugins() if r.name == "odd")
    assert (record.distribution, record.version, record.role) == ("tonesmith-odd", "2.5", "validator")
    assert host.find("validator", "odd") is record.plugin


def test_every_built_in_loads_and_none_warns(capsys: pytest.CaptureFixture[str]) -> None:
    host = Host(allowed="")
    assert list(host.backends()) == ["dawdreamer", "vita", "vst3"]
    assert list(host.samplers()) == ["breed", "lhs", "mix", "perturb", "presets", "sobol", "uniform"]
    assert list(host.sinks()) == ["folder", "hdf5", "lmdb", "parquet", "webdataset", "zarr"]
    found = {record.plugin.__module__ for record in host.plugins()}
    assert set(BUILTINS) - found == {"tonesmith.corpus", "tonesmith.explorer"}  # they add commands
    assert capsys.readouterr().err == ""


def test_an_import_that_fails_is_a_warning_and_the_rest_loads(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("tonesmith-broken", "import a_library_that_is_not_there", "0.3")
    install("tonesmith-odd", _GOOD)
    host = Host()
    said = capsys.readouterr().err
    assert said.startswith("tonesmith: warning: plugin tonesmith-broken 0.3:")
    assert "a_library_that_is_not_there" in said
    assert "odd" in host.validators()
    with pytest.raises(PluginError, match="a_library_that_is_not_there"):
        host.find("backend", "surely-in-the-broken-one")


def test_a_plugin_that_exits_at_import_stops_nothing(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("tonesmith-quitter", "raise SystemExit(3)")
    assert "lhs" in Host().samplers()
    assert "tonesmith-quitter 1.0" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("class Odd(Base):\n    pass", "name = None"),
        ("class Odd(Base):\n    name = 'Not A Name'", "'Not A Name'"),
        ("class Odd:\n    name = 'odd'", "not a subclass of tonesmith.Validator"),
        ("class Odd(Base):\n    name = 'odd'\n    summary = ''", "summary"),
        ("class Odd(Base):\n    name = 'odd'\n    Options = dict", "Options"),
        ("class More(Options):\n    x: int\nclass Odd(Base):\n    name = 'odd'\n    Options = More", "default: x"),
        ("class More(Options):\n    name: str = ''\nclass Odd(Base):\n    name = 'odd'\n    Options = More", "name"),
        (
            "class Odd(Validator):\n    name = 'odd'\n    summary = 's'\n    Options = Limits\n    measures = ()",
            "check",
        ),
        ("Odd = 3", "not a subclass"),
    ],
)
def test_a_bad_plugin_is_left_out_with_a_warning_and_is_an_error_once_asked_for(
    install: Install, capsys: pytest.CaptureFixture[str], body: str, told: str
) -> None:
    install("tonesmith-bad", f"{body}\n@hookimpl\ndef tonesmith_validators():\n    return [Odd]\n", "4.1")
    host = Host()
    said = capsys.readouterr().err
    assert "warning" in said
    assert "tonesmith-bad 4.1" in said
    assert told in said
    assert list(host.validators()) == ["level", "loudness"]
    for role, name in host.broken():
        with pytest.raises(PluginError, match=r"tonesmith-bad 4\.1"):
            host.find(role, name)


@pytest.mark.parametrize(
    ("promise", "told"),
    [
        (
            "isolation = 'reused'",
            "has isolation = 'reused', which is none of 'snapshot', 'fresh', 'reuse'. Did you mean 'reuse'?",
        ),
        ("fallback = 'snapshot'", "has fallback = 'snapshot', which is none of 'fresh', 'reuse'"),
        ("determinism = 'bitexact'", "has determinism = 'bitexact'"),
        ("fallback_determinism = ['exact']", "has fallback_determinism = ['exact']"),
    ],
)
def test_a_backend_that_promises_what_there_is_not_is_left_out(
    install: Install, capsys: pytest.CaptureFixture[str], promise: str, told: str
) -> None:
    body = f"class Odd(Backend):\n    name = 'odd'\n    summary = 's'\n    Options = Options\n    {promise}\n"
    methods = "".join(f"    def {name}(self, *_): ...\n" for name in ("space", "versions", "prepare", "render"))
    hook = "@hookimpl\ndef tonesmith_backends():\n    return [Odd]\n"
    install("tonesmith-odd", f"from tonesmith import Backend\n{body}{methods}{hook}")

    host = Host()

    assert told in capsys.readouterr().err
    with pytest.raises(PluginError, match="tonesmith-odd"):
        host.find("backend", "odd")


def test_two_plugins_of_one_name_are_an_error_that_names_both(install: Install) -> None:
    install("tonesmith-one", _GOOD, "1.1")
    install("tonesmith-two", _GOOD, "2.2")
    with pytest.raises(PluginError, match=r"tonesmith-one 1\.1.*tonesmith-two 2\.2.*TONESMITH_PLUGINS"):
        Host()
    assert "odd" in Host(allowed="tonesmith-two").validators()


def test_a_third_party_cannot_take_the_name_of_a_built_in(install: Install) -> None:
    install("tonesmith-thief", _GOOD.replace('"odd"', '"level"'))
    with pytest.raises(PluginError, match=r"'level'.*tonesmith.*tonesmith-thief 1\.0"):
        Host()


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(PluginError, match=r"unknown sampler 'sobl'\. Did you mean 'sobol'"):
        Host(allowed="").find("sampler", "sobl")


def test_an_unknown_hook_is_a_warning_with_the_nearest(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("tonesmith-typo", "@hookimpl\ndef tonesmith_validator():\n    return []\n" + _GOOD)
    assert "odd" in Host().validators()
    said = capsys.readouterr().err
    assert "tonesmith-typo 1.0" in said
    assert "Did you mean 'tonesmith_validators'?" in said


def test_a_hook_with_an_unknown_argument_is_a_warning(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    bad = "@hookimpl\ndef tonesmith_commands(application):\n    pass\n"
    good = "@hookimpl\ndef tonesmith_block_committed(block):\n    raise AssertionError('half a plugin was kept')\n"
    install("tonesmith-argument", bad + good)
    Host().call("tonesmith_block_committed", plan=None, path=None, block=0, rows=1)
    said = capsys.readouterr().err
    assert "tonesmith-argument 1.0" in said
    assert "application" in said
    assert "half a plugin" not in said


def test_a_hook_that_raises_is_told_once_and_the_others_are_called(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    raising = "@hookimpl\ndef tonesmith_block_committed(rows):\n    raise OSError('tracker is down')\n"
    counting = "seen = []\n@hookimpl\ndef tonesmith_block_committed(block, rows):\n    seen.append((block, rows))\n"
    before, _, after = (
        install(f"tonesmith-{name}", source) for name, source in (("a", counting), ("b", raising), ("c", counting))
    )
    host = Host()
    for block in (0, 1):
        host.call("tonesmith_block_committed", plan=None, path=None, block=block, rows=48)
    for module in (before, after):
        assert sys.modules[module].seen == [(0, 48), (1, 48)]
    said = capsys.readouterr().err
    assert said.count("tracker is down") == 1
    assert "tonesmith-b 1.0" in said


def test_a_hook_that_raises_while_it_hands_over_plugins_stops_no_other(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("tonesmith-raiser", "@hookimpl\ndef tonesmith_validators():\n    yield 1 / 0\n")
    install("tonesmith-odd", _GOOD)
    assert list(Host().validators()) == ["level", "loudness", "odd"]
    assert "tonesmith-raiser 1.0: tonesmith_validators failed: ZeroDivisionError" in capsys.readouterr().err


def test_the_environment_limits_which_distributions_load(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    module = install("tonesmith-odd", _GOOD)
    assert "odd" not in Host(allowed="").validators()
    assert module not in sys.modules
    assert "odd" in Host(allowed="Tonesmith_Odd").validators()
    assert capsys.readouterr().err == ""
    assert "odd" not in Host(allowed="tonesmith-od").validators()
    assert "Did you mean 'tonesmith-odd'?" in capsys.readouterr().err


def test_the_environment_is_read_and_hook_calls_are_traced(install: Install, tmp_path: Path) -> None:
    install("tonesmith-odd", _GOOD, path=tmp_path / "site")
    code = "from tonesmith.host.registry import Host; h = Host.load(); print(*h.validators()); print(h is Host.load())"

    def output(**environment: str) -> subprocess.CompletedProcess[str]:
        variables = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), **environment}
        return subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True)

    assert output().stdout.split() == ["level", "loudness", "odd", "True"]
    limited = output(TONESMITH_PLUGINS="", TONESMITH_TRACE="1")
    assert limited.stdout.split() == ["level", "loudness", "True"]
    assert "tonesmith: trace: tonesmith.validators.level: tonesmith_validators()" in limited.stderr


def test_options_are_validated_by_name(install: Install) -> None:
    install("tonesmith-odd", _GOOD)
    host = Host()
    assert host.options_of("validator", "odd", {"most": 2}).model_dump() == {"most": 2.0}
    with pytest.raises(ConfigError, match=r"validator.most: -1 is not allowed. Expected a number of at least 0."):
        host.options_of("validator", "odd", {"most": -1})
