"""Surge XT itself, where it is: TONESMITH_SURGE_XT is the path of "Surge XT.vst3"."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support import PRESETS, terminal

from tonesmith import open_dataset
from tonesmith.backends.vst3 import STATE, Vst3Backend, Vst3Options
from tonesmith.backends.vst3.plugin import HostedPlugin
from tonesmith.engine.client import Engine
from tonesmith.engine.description import Description
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.space.patch import Note, Patch
from tonesmith.space.sampling import patch_at, uniform
from tonesmith.space.shape import SpaceShape, shaped
from tonesmith.testing.backend import BackendContract

SURGE = os.environ.get("TONESMITH_SURGE_XT", "")
OPTIONS = {"plugin": SURGE, "spec": "surge_xt"}
NOTE = Note(60, 100, 0.3, 0.2)

pytestmark = pytest.mark.skipif(not SURGE, reason="Surge XT is not here: TONESMITH_SURGE_XT names no plugin")


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TONESMITH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def description() -> Description:
    with Engine(PluginRef("vst3", OPTIONS), Audio(44100, 2, 22050), 1, "snapshot", asset=lambda name: b"") as engine:
        return engine.describe(NOTE.hold, NOTE.tail)


class TestSurge(BackendContract):
    name = "vst3"
    options = OPTIONS
    note = NOTE


class TestSurgeSimple(BackendContract):
    name = "vst3"
    options = {**OPTIONS, "spec": "surge_simple"}
    note = NOTE


def test_it_loads_in_less_than_a_second():
    HostedPlugin(Path(SURGE), 44100)  # the first one reads the binary from the disk
    started = time.monotonic()
    Vst3Backend(Vst3Options(**OPTIONS), 44100)
    assert time.monotonic() - started < 1.0


def test_the_lists_are_those_of_the_plugin(description):
    space = description.space

    assert len(space.parameters) == 774
    assert len(space["a_osc_1_type"].choices) == 12
    assert len(set(space["a_filter_1_type"].choices)) == 36
    assert space["a_osc_1_retrigger"].default == 0.0


def test_no_tag_of_the_spec_is_doubted():
    synth = Vst3Backend(Vst3Options(**OPTIONS), 44100)
    named = {name for name, facts in Vst3Options(**OPTIONS).read_spec().parameters.items() if facts.tag}
    assert {control.name for control in synth._controls.values() if control.tag} == named


def test_the_label_is_what_a_second_instance_says_of_its_state():
    options = Vst3Options(**OPTIONS)
    synth = Vst3Backend(options, 44100)
    space = shaped(synth.space(), Vst3Backend.shape(options), SpaceShape())
    held: Counter[str] = Counter()
    for number in range(16):
        drawn = patch_at(space, uniform(0, "labels", number, 0, len(space.names)), "uniform")
        synth.prepare(space.decode(space.encode(drawn)))
        held.update(synth.held())
        patch = space.decode(space.encode(replace(drawn, values={**drawn.values, **synth.held()})))
        synth.prepare(patch)
        assert synth.held() == {}
        other = HostedPlugin(Path(SURGE), 44100)
        other.reload(synth._plugin.state())
        told = zip(synth._controls.values(), other.told_values(synth._indices), strict=True)
        assert [c.name for c, raw in told if not c.same(c.raw(patch.values[c.name]), raw)] == []
    assert not held, "the spec knows how many values there are of each"


def test_a_patch_sounds_the_same_after_another_in_one_instance():
    synth = Vst3Backend(Vst3Options(**OPTIONS), 44100)
    plain = {p.name: p.default for p in synth.space().parameters}
    still = {**plain, **{f"a_osc_{i}_retrigger": 1.0 for i in (1, 2, 3)}, "a_osc_drift": 0.0}
    long = Patch({**still, "a_amp_eg_release": 1.0, "a_osc_1_type": 1.0})

    def heard(patch: Patch) -> np.ndarray:
        synth.prepare(patch)
        return synth.render(NOTE)

    first = heard(Patch(still))
    assert np.abs(first).max() > 0.01
    heard(long)
    assert heard(Patch(still)).tobytes() == first.tobytes()


@pytest.mark.parametrize("path", sorted(PRESETS.glob("surge-xt*/*"))[:6], ids=lambda path: path.stem)
def test_a_preset_is_read_and_sounds(path):
    synth = Vst3Backend(Vst3Options(**OPTIONS), 44100)
    preset = synth.load_preset(path)
    assert set(preset.patch.values) == {p.name for p in synth.space().parameters}

    again = Vst3Backend(Vst3Options(**OPTIONS), 44100)
    name = preset.patch.assets[STATE]
    again.add_asset(name, preset.assets[name])
    again.prepare(preset.patch)
    assert np.abs(again.render(Note(60, 100, 1.0, 0.2))).max() > 1e-4


def test_a_dataset_is_made(tmp_path):
    out = tmp_path / "d.zarr"
    chosen = ("--backend", "vst3", "--backend.plugin", SURGE, "--backend.spec", "surge_xt")
    done = terminal("generate", *chosen, "-n", 4, "--notes.hold", "0.3", "--notes.tail", "0.2", "--quiet", out)

    assert done.returncode == 0, done.stderr
    assert len(open_dataset(out)) == 4
