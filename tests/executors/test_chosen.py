"""An executor is chosen like any plugin, and decides nothing of the dataset."""

from __future__ import annotations

import tomllib

import pytest
from support import terminal

from tonesmith.api import composed
from tonesmith.errors import ConfigError
from tonesmith.host.composition import compose
from tonesmith.host.config import Config
from tonesmith.host.toml import TomlSource

RAY = {"name": "ray", "address": "10.0.0.5:6379", "start_seconds": 7.0}


def chosen(toml: str = "", **settings: object) -> Config:
    return compose(TomlSource("", tomllib.loads(toml)), settings)


def test_it_is_named_by_a_table_a_word_and_from_python_and_is_local_otherwise():
    assert chosen().executor.model_dump() == {"name": "local", "options": {}}
    table = chosen('[executor]\nname = "ray"\naddress = "10.0.0.5:6379"\nstart_seconds = 7')
    assert table.to_data()["executor"] == RAY
    assert composed(None, {"executor": RAY}) == table
    assert chosen('executor = "ray"').executor.options == {"address": "", "start_seconds": 120.0}


def test_a_saved_composition_has_it():
    saved = composed(None, {"executor": RAY}).to_toml()
    assert tomllib.loads(saved)["executor"] == RAY
    assert chosen(saved) == composed(None, {"executor": RAY})


def test_the_plan_is_the_same_whatever_makes_it(chaos):
    plain, ray = chaos.resolved(patches=2).plan, chaos.resolved(patches=2, executor=RAY).plan
    assert plain == ray
    assert "10.0.0.5" not in str(ray.to_json())


def test_its_options_are_flags_with_help_and_a_wrong_one_is_refused(tmp_path):
    told = terminal("generate", "--executor", "ray", "--help", cwd=tmp_path).stdout
    assert "Executor: ray" in told
    assert "--executor.address" in told
    wrong = terminal("generate", "--executor", "ray", "--executor.adress", "x:1", "out", cwd=tmp_path)
    assert (wrong.returncode, "'--executor.address'" in wrong.stderr) == (2, True)
    without = terminal("generate", "--executor.address", "x:1", "out", cwd=tmp_path)
    assert without.returncode == 2
    assert "Chosen here" in without.stderr or "unknown option" in without.stderr


def test_a_wrong_value_names_its_key():
    with pytest.raises(ConfigError, match=r"executor\.start_seconds"):
        composed(None, {"executor": {"name": "ray", "start_seconds": 0}})


def test_a_dry_run_starts_nothing_and_says_who_would_make_it(chaos, tmp_path):
    words = ("generate", "--dry-run", "--backend", "chaos", "--executor", "ray", "--executor.address", "10.0.0.5:6379")
    done = terminal(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "workers: as ray has places" in done.stdout
