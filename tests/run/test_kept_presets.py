"""The presets that a dataset keeps, once their files are gone."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import plugged

from tonesmith import generate, open_dataset
from tonesmith.api import composed
from tonesmith.cli import run
from tonesmith.errors import ConfigError, DatasetError, RunError
from tonesmith.host.config import PresetSettings
from tonesmith.host.registry import Host
from tonesmith.presets.asset_store import AssetStore
from tonesmith.presets.ingest import Found
from tonesmith.run.kept_presets import Kept, kept_presets
from tonesmith.run.resolve import Resolved, resolve_plan
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Patch, sha256_hex
from tonesmith.space.preset import Preset, PresetRef, told_presets, with_choices
from tonesmith.space.space import ParameterSpace

FILED = """
import json
from tonesmith import EngineError, Patch, Preset, hookimpl
from tonesmith.space.patch import sha256_hex
from tonesmith.testing.chaos import Chaos


class Filed(Chaos):
    name = "filed"
    preset_suffix = ".json"
    preset_suffixes = (".json",)

    def load_preset(self, path):
        content = path.read_bytes()
        told = json.loads(content)
        patch = Patch({"freq": told["freq"], "level": told["level"], "fault": 0.0}, preset=sha256_hex(content))
        return Preset(patch, name=path.stem, author="Ada")

    def prepare(self, patch):
        if patch.values["level"] < 0.1:
            raise EngineError("it is too soft")
        super().prepare(patch)

    @classmethod
    def preset(cls, patch, assets, name):
        raise EngineError("it has no room for it")


class Other(Filed):
    name = "other"


@hookimpl
def tonesmith_backends():
    return [Filed, Other]
"""
SETTINGS: dict[str, Any] = {
    "sample_rate": 8000,
    "block": 2,
    "notes": {"pitches": [60], "hold": 0.1, "tail": 0.1},
    "validators": {"level": {}},
    "backend": "filed",
    "sampler": "perturb",
}


@pytest.fixture
def folder(project):
    """Return a folder with presets in ``bank``, and a synth that reads them, found in every process."""
    made = project({"filed.py": FILED}, plugins=["filed"])
    (made.folder / "bank").mkdir()
    for name, level in (("one", 0.3), ("two", 0.5), ("three", 0.7)):
        preset(made.folder / "bank" / f"{name}.json", level)
    with plugged(made, "filed"):
        yield made.folder


def preset(path: Path, level: float) -> None:
    path.write_text(json.dumps({"freq": 440.0 * (1 + level), "level": level}))


def make(path: Path, **changes: Any) -> str:
    generate(path, workers=1, **changes)
    return open_dataset(path).digest


def resolved(config: Path | None = None, **changes: Any) -> Resolved:
    host = Host.load()
    return resolve_plan(composed(config, changes, host=host), host)


@pytest.mark.long
def test_a_dataset_is_extended_and_made_anew_without_the_files_of_its_presets(folder):
    changes = {**SETTINGS, "presets": {"paths": [str(folder / "bank")]}}
    made, files = folder / "made", folder / "files"
    make(made, **changes, patches=3)
    shutil.copytree(made, files)
    grown = make(files, **changes, patches=5)
    anew = make(folder / "anew", **changes, patches=5)
    shutil.rmtree(folder / "bank")

    assert make(made, config=made, patches=5) == grown
    assert make(folder / "other", config=made) == anew
    assert open_dataset(folder / "other").plan.presets == open_dataset(files).plan.presets


@pytest.mark.parametrize("sink", ["hdf5", "lmdb"])
def test_a_dataset_whose_files_are_locked_while_open_is_extended_from_itself(folder, sink):
    make(folder / "made", **SETTINGS, sink=sink, presets={"paths": [str(folder / "bank")]}, patches=1)
    shutil.rmtree(folder / "bank")

    make(folder / "made", config=folder / "made", patches=2)

    assert len(open_dataset(folder / "made")) == 2


def test_the_plan_is_the_same_with_and_without_the_files(folder):
    changes = {**SETTINGS, "presets": {"paths": [str(folder / "bank")], "licence": "MIT"}}
    make(folder / "made", **changes, patches=2)

    with_files, without = resolved(**changes, patches=2), resolved(folder / "made")

    assert without.plan == with_files.plan
    assert {ref.licence for ref in without.plan.presets} == {"MIT"}
    assert {name: without.contents[name] for name in with_files.contents} == dict(with_files.contents)


def test_a_dataset_is_a_path_of_presets_beside_others_and_saved_as_one(folder):
    make(folder / "made", **SETTINGS, presets={"paths": [str(folder / "bank")]}, patches=2)
    kept = set(open_dataset(folder / "made").presets)
    (folder / "more").mkdir()
    preset(folder / "more" / "four.json", 0.9)
    shutil.copy(folder / "bank" / "one.json", folder / "more" / "same.json")
    host = Host.load()
    config = composed(folder / "made", {}, host=host)
    (folder / "saved.toml").write_text(config.to_toml())

    both = resolved(**SETTINGS, presets={"paths": [str(folder / "made"), str(folder / "more")]})
    named = resolved(folder / "made", presets={"paths": [str(folder / "more")]})

    assert [ref.sha256 for ref in both.plan.presets] == sorted(ref.sha256 for ref in both.plan.presets)
    assert len({ref.sha256 for ref in both.plan.presets}) == 4
    assert {ref.sha256 for ref in both.plan.presets} > kept
    assert len(named.plan.presets) == 2
    assert resolved(folder / "saved.toml").plan == resolved(folder / "made").plan


def test_what_the_plan_fixed_is_fixed_again_or_an_error(folder):
    presets = {"paths": [str(folder / "bank")]}
    fixed = {"space": {"fix": {"level": 0.5}}}
    make(folder / "made", **SETTINGS, presets=presets, **fixed, patches=2)
    kept = {**SETTINGS, "presets": {"paths": [str(folder / "made")]}}

    assert resolved(folder / "made").plan == resolved(**SETTINGS, presets=presets, **fixed, patches=2).plan
    other = {"space": {"fix": {"level": 0.6}}}
    assert resolved(**kept, **other).plan.fingerprint == resolved(**SETTINGS, presets=presets, **other).plan.fingerprint
    with pytest.raises(ConfigError, match="made fixes level, so what its presets had there is not known"):
        resolved(**kept)


def test_a_dataset_that_cannot_give_its_presets_says_why(folder):
    make(folder / "plain", **{**SETTINGS, "sampler": "lhs"}, patches=1)
    make(folder / "made", **SETTINGS, presets={"paths": [str(folder / "bank")]}, patches=1)

    with pytest.raises(ConfigError, match="plain is a dataset that was made without presets"):
        resolved(**SETTINGS, presets={"paths": [str(folder / "plain")]})
    with pytest.raises(ConfigError, match="made has 3 presets of the backend 'filed', not of 'other'"):
        resolved(folder / "made", backend="other")

    kept = kept_presets(folder / "made", "filed", PresetSettings(), AssetStore())
    newer = replace(kept.plan.space, parameters=(*kept.plan.space.parameters, Parameter("new", "continuous", 0, 1, 0)))
    with pytest.raises(ConfigError, match="made have no value for new: they are of another version"):
        kept.check(newer)


def test_a_preset_that_is_not_the_one_of_the_plan_is_damage(folder, monkeypatch):
    make(folder / "made", **SETTINGS, presets={"paths": [str(folder / "bank")]}, patches=1)
    monkeypatch.setattr("tonesmith.run.kept_presets.read_patch", lambda *_: Patch({"level": 0.5}, preset="0" * 64))

    with pytest.raises(DatasetError, match="is the patch of another preset than the plan says"):
        kept_presets(folder / "made", "filed", PresetSettings(), AssetStore())


def test_the_choices_that_presets_brought_into_a_fixed_slot_are_brought_again(folder):
    make(folder / "made", **SETTINGS, presets={"paths": [str(folder / "bank")]}, patches=1)
    plan = open_dataset(folder / "made").plan
    own = tuple(sha256_hex(b"table %d" % i) for i in range(2))
    table = Parameter("table", "categorical", 0, 1, 0, slot="wavetable_1", contents=own, choices=("a", "b"))
    space = ParameterSpace((table,), fixed={"table": 0.0}, assets={"wavetable_1": own[0]})
    brought = [Preset(Patch({}, assets={"wavetable_1": sha256_hex(name.encode())}), name=name) for name in ("x", "y")]
    held = [replace(preset, patch=Patch({}, assets={"wavetable_1": own[0]})) for preset in brought]
    wide = with_choices(space, brought)
    kept = Kept(folder / "made", replace(plan, space=wide), tuple(Found(folder, preset) for preset in held))

    assert with_choices(space, held) == space
    assert with_choices(space, held, list(kept.choices())) == wide


# Presets that the synth does not take


def test_a_run_that_ends_over_a_preset_names_it(folder):
    preset(folder / "soft.json", 0.05)
    changes = {**SETTINGS, "sampler": "presets", "max_attempts": 2}
    sha256 = sha256_hex((folder / "soft.json").read_bytes())

    with pytest.raises(RunError, match=rf"made of the preset 'soft' \(SHA-256 {sha256[:12]}\)\."):
        make(folder / "made", **changes, presets={"paths": [str(folder / "soft.json")]}, patches=1)


def test_a_row_that_cannot_be_exported_is_named_with_its_preset_and_the_file(folder, capsys):
    make(folder / "made", **SETTINGS, presets={"paths": [str(folder / "bank")]}, patches=1)
    sha256 = open_dataset(folder / "made")[0].preset

    assert run(["export", str(folder / "made"), "--row", "0", "--preset", str(folder / "out.json")]) == 1

    said = " ".join(capsys.readouterr().err.split())
    assert f"--preset: {folder}/out.json cannot be made: row 0, made of the preset" in said
    assert f"(SHA-256 {sha256[:12]}): it has no room for it" in said
    assert not (folder / "out.json").exists()


def test_two_parents_are_both_named():
    refs = [PresetRef("a" * 64, "", name="one"), PresetRef("b" * 64, "", name="two")]

    told = told_presets(Patch({}, preset="a" * 64, mate="b" * 64), refs)

    assert told == "the preset 'one' (SHA-256 aaaaaaaaaaaa) and the preset 'two' (SHA-256 bbbbbbbbbbbb)"
    assert told_presets(Patch({}), refs) == told_presets(Patch({}, preset="c" * 64), refs) == ""
