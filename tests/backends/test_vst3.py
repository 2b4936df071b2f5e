"""The VST3 backend, on an instrument compiled here that does badly what Surge XT does badly."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import PRESETS, ROOT, amounts, terminal
from support.vst3.build import built

from tonesmith import open_dataset
from tonesmith.backends.vst3 import STATE, Vst3Backend, Vst3Options, surge_spec
from tonesmith.backends.vst3 import plugin as hosting
from tonesmith.backends.vst3.binary import binary_of, sha256_of
from tonesmith.backends.vst3.controls import Control, derived, grouped, identifier, titles_of, unique
from tonesmith.backends.vst3.plugin import HostedPlugin
from tonesmith.backends.vst3.presetfile import class_id, fxp_chunk, states, vstpreset
from tonesmith.backends.vst3.spec import find_spec, shipped
from tonesmith.backends.vst3.surge import read_patch, read_values
from tonesmith.engine.client import Engine
from tonesmith.engine.description import Description
from tonesmith.errors import ConfigError, EngineError
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.space.patch import Note, Patch
from tonesmith.space.sampling import patch_at, uniform
from tonesmith.space.shape import SpaceShape, shaped
from tonesmith.space.space import ParameterSpace
from tonesmith.testing.backend import BackendContract

NOTE = Note(60, 100, 0.1, 0.1)
FORM = Audio(44100, 2, 8820)
SICK_SPEC = ROOT / "tests" / "support" / "vst3" / "sick.toml"
NAMES = set(find_spec(str(SICK_SPEC)).parameters)
SHORT = ("--notes.hold", "0.1", "--notes.tail", "0.1", "-n", "4", "--quiet")


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of the tests' own, in every process started from here."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TONESMITH_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A healthy instrument."""
    return built(tmp_path_factory.mktemp("tiny"), "TinySynth")


@pytest.fixture(scope="module")
def sick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instrument with all diseases."""
    return built(tmp_path_factory.mktemp("sick"), "SickSynth", "SICK")


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instrument with all diseases, whose waveform decides what there is of two other parameters."""
    return built(tmp_path_factory.mktemp("typed"), "SickSynth", "SICK", "TYPED")


@pytest.fixture(scope="module")
def stuck(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A healthy instrument, but for one parameter that takes no value and one that does not tell it."""
    return built(tmp_path_factory.mktemp("stuck"), "TinySynth", "STUCK")


@pytest.fixture(scope="module")
def blocky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A healthy instrument that takes MIDI in every 512th frame."""
    return built(tmp_path_factory.mktemp("blocky"), "TinySynth", "BLOCKS=512")


@pytest.fixture(scope="module")
def threaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A healthy instrument with a message thread."""
    return built(tmp_path_factory.mktemp("threaded"), "TinySynth", "THREADED")


@pytest.fixture(scope="module")
def effect(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("effect"), "Effect", "EFFECT")


class TestVst3Backend(BackendContract):
    name = "vst3"
    note = NOTE

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _plugin(cls, tiny: Path) -> None:
        cls.options = {"plugin": str(tiny)}


@pytest.mark.long
class TestVst3BackendWithAPromise(BackendContract):
    name = "vst3"
    note = NOTE

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _plugin(cls, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
        spec = tmp_path_factory.mktemp("spec") / "tiny.toml"
        spec.write_text('plugin.determinism = "exact"\n[parameters]\nwaveform = {}\ncutoff = {}\nsub_osc = {}\n')
        cls.options = {"plugin": str(tiny), "spec": str(spec)}


class TestVst3BackendWithASickPlugin(BackendContract):
    name = "vst3"
    note = NOTE
    sample_rate = 48000

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _plugin(cls, sick: Path) -> None:
        cls.options = {"plugin": str(sick), "spec": str(SICK_SPEC)}


def backend(plugin: Path, spec: str = "", **options: Any) -> Vst3Backend:
    return Vst3Backend(Vst3Options(plugin=str(plugin), spec=spec, **options), FORM.sample_rate)


def ailing(plugin: Path, **options: Any) -> Vst3Backend:
    return backend(plugin, str(SICK_SPEC), **options)


def patch_of(synth: Vst3Backend, **values: float) -> Patch:
    space = synth.space()
    return Patch({**{p.name: p.default for p in space.parameters}, **values}, assets=dict(space.assets))


def heard(synth: Vst3Backend, patch: Patch) -> np.ndarray:
    synth.prepare(patch)
    return synth.render(NOTE)


def described(plugin: Path, **options: Any) -> Description:
    reference = PluginRef("vst3", {"plugin": str(plugin), **options})
    with Engine(reference, FORM, 1, "snapshot", asset=lambda name: b"") as engine:
        return engine.describe(NOTE.hold, NOTE.tail)


# The space


def test_the_space_is_read_from_the_plugin(tiny):
    space = described(tiny).space

    assert [p.name for p in space.parameters][:3] == ["waveform", "cutoff", "resonance"]
    assert space["waveform"].choices == ("Sine", "Saw", "Square", "Triangle")
    assert (space["waveform"].kind, space["waveform"].default) == ("categorical", 1.0)
    assert space["sub_osc"].text(1.0) == "On"
    assert space["gain"].text(space["gain"].default) == "-6 dB"
    assert space["cutoff"].unit == "", "its texts are no line, so its unit would be a lie"


def test_lists_are_found_by_their_texts_and_midi_controllers_are_left_out(sick):
    space = described(sick).space

    assert len(space.parameters) == 13
    assert space["waveform"].choices == ("Sine", "Saw", "Square", "Triangle")
    assert space["sub_osc"].kind == "categorical"
    assert space["resonance"].kind == "continuous"


class Texts:
    """A parameter of pedalboard that has nothing but texts."""

    num_steps = 2**31 - 1
    label = ""

    def __init__(self, name, text):
        self.name = name
        self.get_text_for_raw_value = text


def test_a_parameter_with_steps_is_a_list_although_it_has_many():
    keys = Texts("Split Point", lambda raw: f"key {round(raw * 127)}")
    smooth = Texts("Amount", lambda raw: f"{round(raw * 100)} %")

    split, amount = derived([keys, smooth], lambda indices: [0])

    assert (len(split.raws), split.choices[60]) == (128, "key 60")
    assert not amount.raws
    assert (amount.scale, amount.offset) == (100.0, 0.0)


@pytest.mark.parametrize(
    "text",
    [
        lambda raw: f"{raw:.1f}",
        lambda raw: "low" if abs(raw - 0.5) > 0.3 else "high",
        lambda raw: "-",
        lambda raw: f"{round(raw * 100)} %",
    ],
    ids=["fractions", "a text that comes again", "one text", "many texts"],
)
def test_a_parameter_whose_texts_are_no_list_is_continuous(text):
    (control,) = derived([Texts("Amount", text)], lambda indices: [])
    assert not control.raws


@pytest.mark.parametrize("margin", [0.0, 0.005])
def test_the_choices_of_a_list_are_set_in_the_middle_of_their_stretch(margin):
    def text(raw):
        return "abcde"[min(4, max(0, round((raw - margin) / (1 - 2 * margin) * 4)))]

    (control,) = derived([Texts("Type", text)], lambda indices: [])

    assert control.choices == tuple("abcde")
    assert [text(raw) for raw in control.raws] == list("abcde")
    assert [control.value(raw) for raw in control.raws] == [0, 1, 2, 3, 4]


def test_names_are_plain_and_unique():
    assert unique(map(identifier, ["Osc 1: Level", "osc 1 level", "3 Band", "-"])) == (
        "osc_1_level",
        "osc_1_level_2",
        "p_3_band",
        "p",
    )
    assert grouped(["osc_1_a", "osc_1_b", "osc_1_c", "osc_2_a", "gain"]) == {
        **dict.fromkeys(["osc_1_a", "osc_1_b", "osc_1_c"], "osc_1"),
        "osc_2_a": "osc",
        "gain": "",
    }


@pytest.mark.parametrize("title", ["MIDI CC 0|1", "MIDI Ch. 1 CC 7", "Bypass"])
def test_what_is_no_control_is_no_parameter(title):
    assert titles_of([Texts(title, str), Texts("MIDI Depth", str)]) == {1: "MIDI Depth"}


def test_a_plugin_with_thousands_of_slow_texts_loads_in_less_than_a_second(sick):
    started = time.monotonic()
    ailing(sick)
    assert time.monotonic() - started < 1.0


@pytest.mark.long
def test_the_derived_space_is_kept_and_a_damaged_cache_is_made_anew(tiny, cache):
    space = described(tiny).space
    kept = cache / "vst3" / f"{sha256_of(binary_of(tiny))}.json"
    whole = kept.read_text()
    for damaged in ("{", "[]", whole.replace('"index":1,', '"index":99,'), whole.replace("Cutoff", "Other")):
        assert damaged != whole
        kept.write_text(damaged)
        assert described(tiny).space == space
        assert kept.read_text() == whole


@pytest.mark.long
def test_a_parameter_that_takes_no_value_or_does_not_tell_it_is_left_out_and_said(stuck, tmp_path):
    for _ in range(2):  # derived, and from the cache
        synth = backend(stuck)
        names = {p.name for p in synth.space().parameters}
        assert {"decay", "noise"}.isdisjoint(names)
        assert "sustain" in names
        assert synth.remarks() == ["2 parameters left out, which do not take a value, or do not tell it: decay, noise"]
    done = generate(stuck, tmp_path / "d.zarr")
    assert (done.returncode, "left out, which do not take" in " ".join(done.stderr.split())) == (0, True), done.stderr


def test_a_scan_says_what_is_left_out(stuck, tmp_path):
    out = tmp_path / "draft.toml"
    done = terminal("vst3", "scan", stuck, "-o", out, "--no-renders", "--json")
    assert json.loads(done.stdout)["remarks"][0].endswith("do not tell it: decay, noise"), done.stderr
    assert "do not tell it: decay, noise" in out.read_text()
    assert "noise" not in find_spec(str(out)).parameters


def test_a_parameter_that_takes_no_value_is_in_the_space_if_a_spec_names_it(stuck, tmp_path):
    synth = backend(stuck, written(tmp_path, "[parameters]\nnoise = {}\ncutoff = {}"))
    synth.prepare(patch_of(synth, noise=0.5))
    assert (synth.held(), synth.remarks()) == ({"noise": 0.0}, [])


def test_what_a_spec_calls_untold_does_not_vary_and_is_not_compared(stuck, tmp_path):
    spec = written(tmp_path, "[parameters]\nnoise = { untold = true }\ncutoff = {}")
    synth = backend(stuck, spec)
    synth.prepare(patch_of(synth, noise=0.5))
    assert synth.held() == {}
    assert find_spec(spec).shape(still=True).include == ("cutoff",)


def test_a_plugin_with_a_shipped_spec_is_told_of_it(tiny, monkeypatch):
    spec = find_spec("surge_xt")
    named = replace(spec, plugin=spec.plugin.model_copy(update={"name": "TinySynth"}))
    monkeypatch.setattr("tonesmith.backends.vst3.spec.find_spec", lambda name: named)
    (told,) = backend(tiny).remarks()
    assert told.endswith("Use it: --backend.spec surge_xt or --backend.spec surge_simple")


# Each disease, and its cure


def test_a_state_that_waits_for_the_next_block_kills_no_note(sick, monkeypatch):
    synth = ailing(sick, settle=0.0)
    patch = patch_of(synth, retrigger=1)
    first = heard(synth, patch)
    assert np.abs(first).max() > 0.01
    assert heard(synth, patch).tobytes() == first.tobytes()

    monkeypatch.setattr(HostedPlugin, "apply", lambda self: None)
    monkeypatch.setattr(HostedPlugin, "take", lambda self: None)
    monkeypatch.setattr(hosting, "_ALIGNED", 1)  # the silence that aligns a note would do as well
    assert not heard(synth, patch).any()


def test_a_set_that_is_equal_to_a_stale_one_arrives(sick, monkeypatch):
    synth = ailing(sick)
    patch = patch_of(synth, detune=0.9, waveform=2, retrigger=1)
    first = heard(synth, patch)
    assert heard(synth, patch).tobytes() == first.tobytes()

    assert synth.held() == {}

    monkeypatch.setattr(hosting, "_beside", lambda raw: raw)
    heard(synth, patch)
    assert synth.held()["waveform"] == 1.0


def test_a_parameter_that_is_renamed_by_another_is_set_all_the_same(sick):
    synth = ailing(sick)
    titles = [parameter.name for parameter in synth._plugin.parameters]
    fast, slow = (patch_of(synth, waveform=3, attack=attack, retrigger=1) for attack in (0.1, 0.9))
    first = heard(synth, fast)

    assert (titles[3], synth._plugin.parameters[3].name) == ("Attack", "Triangle Attack")
    assert np.abs(heard(synth, slow)).max() < 0.5 * np.abs(first).max()
    assert heard(synth, fast).tobytes() == first.tobytes()


def test_a_list_that_resets_another_parameter_is_set_before_it(sick):
    synth = ailing(sick)
    patch = patch_of(synth, waveform=2, detune=0.9)
    raws = synth._raws(patch)
    synth._plugin.set(raws)
    synth._plugin.apply()
    assert synth.read()["detune"] == pytest.approx(0.57)

    synth.prepare(patch)
    assert synth.read()["detune"] == pytest.approx(0.9)


def test_a_tail_ends_with_the_state(sick, monkeypatch):
    synth = ailing(sick)
    long, short = patch_of(synth, release=1.0, retrigger=1), patch_of(synth, cutoff=0.6, retrigger=1)
    alone = heard(synth, short)
    heard(synth, long)
    assert heard(synth, short).tobytes() == alone.tobytes()

    monkeypatch.setattr(HostedPlugin, "restore", lambda self, state: None)
    heard(synth, long)
    assert heard(synth, short).tobytes() != alone.tobytes()


def test_a_smoothed_parameter_settles_before_the_note(sick):
    for settle, same in ((0.1, True), (0.0, False)):
        synth = ailing(sick, settle=settle)
        quiet, loud = (patch_of(synth, gain=gain, retrigger=1) for gain in (0.2, 1.0))
        alone = heard(synth, quiet)
        heard(synth, loud)
        assert (heard(synth, quiet).tobytes() == alone.tobytes()) == same


def test_what_draws_random_numbers_is_held_unless_it_is_asked_for(sick):
    def held(still):
        return Vst3Backend.shape(Vst3Options(plugin=str(sick), spec=str(SICK_SPEC), still=still))

    assert held(True).fix["retrigger"] == 1
    assert "retrigger" not in held(True).include
    assert "retrigger" in held(False).include
    free = {"plugin": str(sick), "spec": str(SICK_SPEC), "still": False}
    assert Vst3Backend.promises(Vst3Options(**free)).determinism == "exact-in-run"
    for retrigger, same in ((1, True), (0, False)):
        renders = [heard(synth, patch_of(synth, retrigger=retrigger)) for synth in (ailing(sick), ailing(sick))]
        assert (renders[0].tobytes() == renders[1].tobytes()) == same


@pytest.mark.parametrize("spec", ["", str(SICK_SPEC)])
def test_a_parameter_that_does_not_arrive_is_labelled_with_what_the_plugin_has(sick, spec, monkeypatch):
    synth = backend(sick, spec)
    whole = HostedPlugin.set
    monkeypatch.setattr(HostedPlugin, "set", lambda self, raws: whole(self, {k: v for k, v in raws.items() if k != 7}))

    synth.prepare(patch_of(synth, detune=0.9))
    assert synth.held() == {"detune": pytest.approx(0.57)}
    synth.prepare(patch_of(synth, detune=synth.held()["detune"]))
    assert synth.held() == {}


def second_opinion(plugin: Path, synth: Vst3Backend, patch: Patch) -> dict[str, float]:
    """Return what an instance that has only loaded the state of a patch says of each parameter."""
    synth.prepare(patch)
    other = HostedPlugin(plugin, FORM.sample_rate)
    other.reload(synth._plugin.state())
    told = other.told_values(synth._indices)
    return {c.name: c.value(raw) for c, raw in zip(synth._controls.values(), told, strict=True)}


def drawn_patches(synth: Vst3Backend, options: Vst3Options, count: int) -> tuple[ParameterSpace, list[Patch]]:
    space = shaped(synth.space(), Vst3Backend.shape(options), SpaceShape())
    points = [uniform(0, "labels", number, 0, len(space.names)) for number in range(count)]
    return space, [space.decode(space.encode(patch_at(space, point, "uniform"))) for point in points]


TYPED = f"""
base = "{SICK_SPEC}"
[parameters]
subtype = {{ index = 13, steps = 6 }}
"""
COUNTED = """
subtype = { index = 13, steps = 6, counts = { waveform = [1, 3, 6, 2] } }
resonance = { counts = { waveform = [0, 0, 5, 0] } }
"""


def apart(patch: Patch, said: dict[str, float]) -> list[str]:
    return [name for name, value in patch.values.items() if said[name] != pytest.approx(value, abs=1e-3)]


def test_the_label_is_what_a_second_instance_says_of_its_state(typed, tmp_path):
    options = Vst3Options(plugin=str(typed), spec=written(tmp_path, TYPED))
    synth = Vst3Backend(options, FORM.sample_rate)
    space, patches = drawn_patches(synth, options, 40)
    clamped, rounded = set(), set()
    for patch in patches:
        said = second_opinion(typed, synth, patch)
        held = space.decode(space.encode(replace(patch, values={**patch.values, **synth.held()})))
        assert apart(held, said) == []
        clamped.update([patch.values["waveform"]] * ("subtype" in apart(patch, said)))
        rounded.update([patch.values["waveform"]] * ("resonance" in apart(patch, said)))
        synth.prepare(held)
        assert synth.held() == {}

    assert clamped == {0.0, 1.0, 3.0}, "of the others there are as many subtypes as in the list"
    assert rounded == {2.0}


def test_a_spec_that_knows_what_there_is_draws_nothing_else(typed, tmp_path):
    options = Vst3Options(plugin=str(typed), spec=written(tmp_path, TYPED.replace("subtype = ", "#") + COUNTED))
    synth = Vst3Backend(options, FORM.sample_rate)
    _, patches = drawn_patches(synth, options, 40)
    for patch in patches:
        synth.prepare(patch)
        assert synth.held() == {}
    assert {p.values["subtype"] for p in patches if p.values["waveform"] == 1} == {0.0, 1.0, 2.0}


@pytest.mark.long
def test_a_dataset_of_a_plugin_that_clamps_and_rounds_has_true_labels(typed, tmp_path):
    done = generate(typed, tmp_path / "d.zarr", "--backend.spec", written(tmp_path, TYPED))
    assert done.returncode == 0, done.stderr
    for row in open_dataset(tmp_path / "d.zarr"):
        most = {0: 0, 1: 2, 2: 5, 3: 1}[round(row.patch.values["waveform"])]
        assert row.patch.values["subtype"] <= most
    checked = terminal("verify", "--render", 4, tmp_path / "d.zarr")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_state_that_tells_all_is_only_looked_at(sick, tmp_path, monkeypatch):
    told = ("waveform", "resonance", "sustain", "detune", "sub_osc", "noise", "gain", "retrigger")
    lines = [line for line in SICK_SPEC.read_text().splitlines() if line.partition(" =")[0] not in NAMES - {*told}]
    synth = backend(sick, written(tmp_path, "\n".join(lines)))
    synth._plugin.set({7: 0.9})
    monkeypatch.setattr(HostedPlugin, "restore", None)

    assert set(synth.read()) == set(told)
    assert synth.read()["detune"] == pytest.approx(0.9)


@pytest.mark.parametrize("spec", ["", str(SICK_SPEC)])
def test_values_are_read_from_the_plugin_and_not_from_the_host(sick, spec):
    synth = backend(sick, spec)
    state = synth._plugin.state()
    synth._plugin.set({7: 0.9})
    synth._plugin.restore(state)
    synth._plugin.run(512)

    assert synth._plugin.host_values([7])[0] == pytest.approx(0.9)
    assert synth.read()["detune"] == pytest.approx(0.57)


def test_a_tag_that_is_wrong_of_the_plugin_as_it_loads_is_not_believed(sick, tmp_path):
    wrong = SICK_SPEC.read_text().replace("[-50, 50]", "[-100, 100]")
    synth = backend(sick, written(tmp_path, wrong))

    synth.prepare(patch_of(synth, detune=0.9))
    assert synth.read()["detune"] == pytest.approx(0.9)


@pytest.mark.parametrize("hold", [0.1, 1.2, 0.02345])
def test_a_render_has_the_frames_of_its_duration(tiny, hold):
    note = Note(60, 100, hold, 0.1)
    assert backend(tiny).render(note).shape == (2, round(note.duration * FORM.sample_rate))


def test_a_note_out_of_range_is_an_error(tiny):
    synth = backend(tiny)
    for note in (Note(128, 100, 0.1, 0.1), Note(60, 0, 0.1, 0.1), Note(60, 100, 0.0, 0.1)):
        with pytest.raises(EngineError):
            synth.render(note)


def test_a_value_out_of_range_is_an_error(tiny):
    synth = backend(tiny)
    for values in ({"cutoff": 1.5}, {"cutoff": float("nan")}, {"waveform": 4.0}, {"nothing": 0.0}):
        with pytest.raises(EngineError):
            synth.prepare(Patch(values))


@pytest.mark.parametrize(
    ("fault", "failure"), [("crash", "crash"), pytest.param("hang", "timeout", marks=pytest.mark.long)]
)
def test_a_plugin_that_dies_or_hangs_costs_one_candidate(tiny, fault, failure, monkeypatch):
    description = described(tiny)
    monkeypatch.setenv("TINYSYNTH_FAULT", fault)
    patch = Patch({p.name: p.default for p in description.space.parameters}, assets=dict(description.space.assets))
    reference = PluginRef("vst3", {"plugin": str(tiny)})
    with Engine(reference, FORM, 1, "snapshot", description.assets.__getitem__) as engine:
        assert engine.play(patch, [NOTE], 3.0)[0].failure == failure


@pytest.mark.parametrize("settle", [0.1, 0.0137, 0.0])
def test_a_note_starts_at_its_first_frame_though_the_plugin_takes_midi_in_blocks(tiny, blocky, settle):
    patch = patch_of(backend(tiny), attack=0.0)
    note = Note(60, 100, 4608.5 / FORM.sample_rate, 0.1)  # whose end is where a block begins

    def rendered(plugin: Path, settled: float) -> np.ndarray:
        synth = backend(plugin, settle=settled)
        synth.prepare(patch)
        return synth.render(note)

    np.testing.assert_array_equal(rendered(blocky, settle), rendered(tiny, 0.1))


@pytest.mark.parametrize("patches", amounts(40, 2000))
def test_a_fork_that_meets_a_lock_of_a_thread_is_no_fault_of_the_patch(threaded, patches):
    description = described(threaded)
    space = shaped(description.space, SpaceShape(), SpaceShape())
    reference, again = PluginRef("vst3", {"plugin": str(threaded)}), []
    with Engine(reference, FORM, 1, "snapshot", description.assets.__getitem__) as engine:
        engine.start()
        first = engine.pid
        for number in range(patches):
            patch = patch_at(space, uniform(0, "threads", number, 0, len(space.names)), "uniform")
            (outcome,) = engine.play(replace(patch, assets=dict(description.space.assets)), [NOTE], 20.0, again.append)
            assert outcome.failure == "", (number, outcome)
        assert (again, engine.pid) == ([], first)


@pytest.mark.parametrize("presets", amounts(15, 200))
def test_a_lock_that_a_thread_holds_nearly_always_is_no_fault_of_a_preset_or_a_patch(tiny, tmp_path, presets):
    greedy = built(tmp_path, "TinySynth", "THREADED", "HELD=1800000")
    file, description = tmp_path / "a.vstpreset", described(tiny)
    file.write_bytes(backend(tiny)._plugin.preset())
    patch = Patch({p.name: p.default for p in description.space.parameters}, assets=dict(description.space.assets))
    reference, again = PluginRef("vst3", {"plugin": str(greedy)}), []
    with Engine(reference, FORM, 1, "snapshot", description.assets.__getitem__) as engine:
        for _ in range(presets):
            assert engine.load_preset(file).patch.values
        for _ in range(presets):
            assert engine.play(patch, [NOTE], 20.0, again.append)[0].failure == ""
    assert again == []


def test_presets_are_listed_with_the_options_of_flags_and_of_the_composition(tiny, tmp_path):
    (tmp_path / "a.vstpreset").write_bytes(backend(tiny)._plugin.preset())
    asked = ("presets", "list", "a.vstpreset", "--no-audition")

    flagged = terminal(*asked, "--backend", "vst3", "--backend.plugin", tiny, cwd=tmp_path)
    unnamed = terminal(*asked, "--backend", "vst3", cwd=tmp_path)
    odd = terminal(*asked, "--backend.plugin", tiny, cwd=tmp_path)
    (tmp_path / "plugins.toml").write_text(f'[backend]\nname = "vst3"\nplugin = "{tiny}"\n')
    composed = terminal("presets", "check", "a.vstpreset", cwd=tmp_path)

    assert (flagged.returncode, "1 preset in 1 file" in flagged.stdout) == (0, True), flagged.stderr
    assert (unnamed.returncode, "no plugin is given" in unnamed.stderr) == (2, True)
    assert (odd.returncode, "unknown option '--backend.plugin'" in odd.stderr) == (2, True)
    assert (composed.returncode, "ok       a.vstpreset" in composed.stdout) == (0, True), composed.stderr


# Specs


def written(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text)
    return str(path)


def test_a_spec_names_includes_fixes_narrows_and_gates(tiny, tmp_path):
    spec = written(
        tmp_path,
        """
        plugin.name = "TinySynth"
        [parameters]
        cutoff = { range = [0.2, 0.8], group = "filter", switch = "sub" }
        sub = { index = 8, choices = ["no", "yes"] }
        noise = { when = { waveform = [2, 3] }, include = false }
        waveform = { weights = [1, 1, 2, 0] }
        gain = { fix = 0.5, dangerous = true }
        decay = { constant = true }
        """,
    )
    space = described(tiny, spec=spec).space

    assert [p.name for p in space.parameters] == ["cutoff", "sub", "noise", "waveform", "gain", "decay"]
    assert (space["cutoff"].within, space["cutoff"].group, space["cutoff"].switch) == ((0.2, 0.8), "filter", "sub")
    assert space["sub"].choices == ("no", "yes")
    assert space["noise"].when == (("waveform", (2, 3)),)
    assert space["waveform"].weights == (0.25, 0.25, 0.5, 0.0)
    shape = Vst3Backend.shape(Vst3Options(spec=spec))
    assert (shape.include, shape.fix) == (("cutoff", "sub", "waveform"), {"gain": 0.5})


def test_a_spec_builds_on_another(tmp_path):
    mine = find_spec(
        written(
            tmp_path,
            """
            base = "surge_simple"
            include = ["a_osc_1_*"]
            [parameters]
            a_osc_1_pitch = { fix = 0.5 }
            """,
        )
    )

    assert (mine.plugin.name, mine.plugin.state) == ("Surge XT", "surge")
    assert mine.parameters["a_osc_1_pitch"].index == find_spec("surge_xt").parameters["a_osc_1_pitch"].index
    assert all(name.startswith("a_osc_1_") for name in mine.shape(still=True).include)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[parameters]\ncutof = {}", "unknown parameter 'cutof'. Did you mean 'cutoff'?"),
        ("[parameters]\ncutoff = { index = 999 }", "the plugin has 11 parameters, but cutoff has the index 999"),
        ("[parameters]\na = { index = 1 }\ncutoff = {}", "a also has the index 1"),
        ("[plugin]\nname = 'Other'", "is for 'Other', but"),
        ("[plugin]\nstate = 'surge'\n[parameters]\ncutoff = {}", "does not fit"),
        ("[parameters]\nwaveform = { choices = ['a'] }", "waveform: 1 choices for 4 values"),
    ],
)
def test_a_spec_that_the_plugin_contradicts_is_an_error(tiny, tmp_path, text, told):
    with pytest.raises(ConfigError, match=told.replace("?", r"\?").replace(".", r"\.")):
        backend(tiny, written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nothing = 1", r"mine.toml:1: nothing: unknown key 'nothing'"),
        ("base = 'surge'", r"unknown spec 'surge'. Did you mean 'surge_xt'\?"),
        ("base = 'mine.toml'", "builds on itself"),
        ("include = ['x*']", "mine.toml:1: include: unknown parameter 'x\\*'"),
        ("[parameters]\na = { switch = 'b' }", "mine.toml:2: parameters.a: unknown parameter 'b'"),
        ("[parameters]\na = { raws = [0.5] }", "two or more"),
        ("[parameters]\na = { steps = 3, weights = [1] }", "1 weights for 3 values"),
        ("[parameters]\na = { tag = 'b' }", "natural"),
        ("[plugin.still]\na = 1", "mine.toml:2: plugin.still: unknown parameter 'a'"),
        ("[plugin", "not TOML"),
    ],
)
def test_a_spec_that_contradicts_itself_names_the_line(tmp_path, text, told):
    with pytest.raises(ConfigError, match=told):
        find_spec(written(tmp_path, text))


def test_the_shipped_specs_vary_what_sounds():
    assert shipped() == ("surge_simple", "surge_xt")
    full, simple = find_spec("surge_xt"), find_spec("surge_simple")

    assert len(full.parameters) == 774
    assert set(simple.shape(still=True).include) < set(full.shape(still=True).include)
    assert {f.index for f in full.parameters.values()} == set(range(775)) - {16}, "all but FX Disable"
    tags = [f.tag for f in full.parameters.values() if f.tag]
    assert len(set(tags)) == len(tags)
    assert full.shape(still=True).fix["a_osc_1_retrigger"] == 1


def test_the_shipped_spec_is_what_the_measurements_give(monkeypatch, capsys):
    facts = PRESETS.parent / "facts" / "surge-params.json"
    if not facts.exists():
        pytest.skip("the measurements of Surge XT are not here")
    monkeypatch.setattr("sys.argv", ["surge_spec", str(facts)])
    surge_spec.main()
    assert capsys.readouterr().out == Path(surge_spec.__file__).with_name("specs").joinpath("surge_xt.toml").read_text()


def test_the_shipped_spec_draws_what_each_type_has():
    spec = find_spec("surge_xt")
    controls = [
        Control(i, name, raws=facts.raws_of(spec.plugin)) for i, (name, facts) in enumerate(spec.parameters.items())
    ]
    space = ParameterSpace(tuple(c.parameter(0.0, spec.parameters[c.name], spec.plugin) for c in controls))
    shape = spec.shape(still=True)
    varied = shaped(space, shape, SpaceShape())
    patches = [patch_at(varied, uniform(0, "surge", i, 0, len(varied.names)), "uniform").values for i in range(400)]

    for patch in patches:
        low_pass, sine, fm2 = (patch["a_filter_1_type"] == 1, patch["a_osc_1_type"] == 1, patch["a_osc_1_type"] == 6)
        assert patch["a_filter_1_subtype"] <= 15
        assert not low_pass or patch["a_filter_1_subtype"] <= 2
        assert not sine or patch["a_osc_1_width_2"] in {0.005, 0.995}
        assert not fm2 or (patch["a_osc_1_width_1"] - 0.005) / 0.99 * 31 == pytest.approx(
            round((patch["a_osc_1_width_1"] - 0.005) / 0.99 * 31)
        )
    assert {p["a_filter_1_subtype"] for p in patches if p["a_filter_1_type"] == 35} <= {*map(float, range(15))}
    assert {p["a_osc_1_shape"] for p in patches if p["a_osc_1_type"] == 8}.isdisjoint({0.005, 0.995})


def test_the_tags_of_the_shipped_spec_are_those_of_surge_patches():
    path = PRESETS / "surge-xt-vstpreset" / "surge-base.vstpreset"
    if not path.exists():
        pytest.skip("the presets of Surge XT are not here")
    spec = find_spec("surge_xt")
    values = read_patch(states(path.read_bytes())[0]).values
    tags = {facts.tag: facts for facts in spec.parameters.values() if facts.tag}

    assert {tag for tag in tags if tag not in values} <= {f"fx{i}_type" for i in range(1, 17)}
    for tag in tags.keys() & values.keys():
        low, high = tags[tag].natural
        assert low - 1e-6 <= values[tag] <= high + 1e-6, tag


@pytest.mark.long
def test_a_scan_drafts_a_spec_that_generate_takes(sick, tmp_path):
    out = tmp_path / "draft.toml"
    done = terminal("vst3", "scan", sick, "-o", out, "--quiet")

    assert done.returncode == 0, done.stderr
    assert "SickSynth, 13 parameters, determinism exact-in-run" in done.stdout
    drafted = find_spec(str(out))
    assert [name for name, facts in drafted.parameters.items() if facts.constant] == ["glow"]
    assert [name for name, facts in drafted.parameters.items() if facts.dangerous] == ["gain"]
    assert "# Sine, Saw, Square, Triangle\nwaveform = " in out.read_text()
    again = terminal("vst3", "scan", sick, "-o", out)
    assert (again.returncode, "already exists" in again.stderr) == (2, True)
    space = described(sick, spec=str(out)).space
    assert space["waveform"].choices == ("Sine", "Saw", "Square", "Triangle")


def test_a_scan_notes_what_crashes(tiny, tmp_path):
    out = tmp_path / "draft.toml"
    done = terminal("vst3", "scan", tiny, "-o", out, "--json", TINYSYNTH_FAULT="crash")

    assert (done.returncode, out.exists()) == (1, False), "it plays no note at all"
    assert "SIGABRT" in done.stderr


# Presets


def fxp(chunk: bytes, plugin: bytes = b"sick") -> bytes:
    head = b"CcnK" + struct.pack(">i", len(chunk) + 52) + b"FPCh" + struct.pack(">i", 1) + plugin
    return head + struct.pack(">ii", 1, 1) + b"Some name".ljust(28, b"\0") + struct.pack(">i", len(chunk)) + chunk


def surge_state(xml: str) -> bytes:
    return b"sub3" + struct.pack("<i", len(xml)) + bytes(24) + xml.encode()


@pytest.fixture(scope="module")
def preset(sick: Path) -> bytes:
    """A preset with some values of its own, and a detune that no parameter holds."""
    synth = ailing(sick)
    synth._plugin.set({1: 0.6, 7: 0.9, 0: 0.665, 12: 0.995})
    component = states(synth._plugin.preset())[0].decode("latin-1")
    xml = component[32:].replace('secret v="0.000"', 'secret v="350.0"').replace('name="Init"', 'name="My  Pad"')
    return vstpreset(class_id(synth._plugin.preset()), surge_state(xml))


@pytest.mark.parametrize("suffix", [".vstpreset", ".fxp"])
def test_a_preset_has_true_values_and_its_state(sick, preset, suffix, tmp_path):
    path = tmp_path / f"pad{suffix}"
    path.write_bytes(preset if suffix == ".vstpreset" else fxp(states(preset)[0]))
    loaded = ailing(sick).load_preset(path)

    assert loaded.patch.values["detune"] == pytest.approx(0.9, abs=1e-6)
    assert loaded.patch.values["cutoff"] == pytest.approx(0.6, abs=1e-6), "told by the host, after two loads"
    assert (loaded.patch.values["waveform"], loaded.patch.values["retrigger"]) == (2.0, 1.0)
    assert (loaded.name, loaded.author, loaded.version) == ("My Pad", "Fixture", "revision 24")
    assert b"350.0" in loaded.assets[loaded.patch.assets[STATE]]


def test_what_is_no_parameter_is_heard_from_the_state(sick, preset, tmp_path):
    path = tmp_path / "pad.vstpreset"
    path.write_bytes(preset)
    loaded = ailing(sick).load_preset(path)
    name = loaded.patch.assets[STATE]
    bare = Patch(loaded.patch.values, assets=dict(ailing(sick).space().assets))

    synth = ailing(sick)
    synth.add_asset(name, loaded.assets[name])
    assert (synth.template_key(loaded.patch), synth.template_key(bare)) == (name, "")
    synth.load_template(loaded.patch)
    whole = heard(synth, loaded.patch)
    plain = heard(synth, bare)
    assert plain.tobytes() != whole.tobytes()
    assert plain.tobytes() == heard(ailing(sick), bare).tobytes()
    assert heard(synth, loaded.patch).tobytes() == whole.tobytes()
    synth.drop_asset(name)
    synth.prepare(bare)
    with pytest.raises(EngineError, match="was not given"):
        synth.prepare(loaded.patch)


def test_a_preset_of_a_plugin_without_a_known_state_is_read_through_the_host(tiny, tmp_path):
    synth = backend(tiny)
    synth._plugin.set({1: 0.3, 0: 1.0})
    path = tmp_path / "tiny.vstpreset"
    path.write_bytes(synth._plugin.preset())
    values = backend(tiny).load_preset(path).patch.values

    assert values["cutoff"] == pytest.approx(0.3, abs=1e-6)
    assert values["waveform"] == 3.0
    path.write_bytes(vstpreset(class_id(path.read_bytes()), b"noise"))
    with pytest.raises(EngineError, match="TinySynth refused it"):
        backend(tiny).load_preset(path)


@pytest.mark.parametrize("spec", ["", str(SICK_SPEC)])
def test_a_preset_that_changes_nothing_was_not_taken(sick, spec, tmp_path):
    synth = backend(sick, spec)
    path = tmp_path / "idle.vstpreset"
    path.write_bytes(vstpreset(class_id(synth._plugin.preset()), surge_state("<patch><parameters /></patch>")))
    with pytest.raises(EngineError, match="SickSynth ignored it: nothing changed"):
        synth.load_preset(path)


def test_a_chunk_outside_of_the_file_is_refused(preset):
    at = preset.rindex(b"Comp")
    for start, size in ((48, len(preset)), (len(preset), 1), (-1, 4), (48, -1)):
        with pytest.raises(EngineError, match="lies outside"):
            states(preset[: at + 4] + struct.pack("<qq", start, size) + preset[at + 20 :])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "its header is wrong"),
        (vstpreset("0" * 32, b"x"), "a preset of another synth"),
        (fxp(b"x", b"cjs3"), "a preset of another synth, 'cjs3', not 'sick'"),
        (fxp(surge_state("<patch/>")), "without parameters"),
        (fxp(b"junk" * 20), "not a patch of Surge XT"),
        (fxp(b"x" * 40)[:-9], "truncated"),
        (fxp(surge_state('<!DOCTYPE a [<!ENTITY b "c">]><patch/>')), "a document type"),
        (fxp(surge_state("<patch>")), "damaged"),
        (fxp(b"sub3" + struct.pack("<i", 1 << 30) + bytes(40)), "damaged"),
        (b"VST3" + bytes(60), "header|truncated"),
    ],
)
def test_a_hostile_preset_is_refused_with_a_sentence(sick, content, told, tmp_path):
    path = tmp_path / "bad.vstpreset"
    path.write_bytes(content)
    with pytest.raises(EngineError, match=told):
        ailing(sick).load_preset(path)


@given(st.data())
def test_no_damage_to_a_preset_is_worse_than_an_error(data):
    whole = vstpreset("A" * 32, surge_state("<patch><parameters><a value='1'/></parameters></patch>"), b"cont")
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:at] + data.draw(st.binary(min_size=1, max_size=9)) + whole[at + data.draw(st.integers(0, 9)) :]
    told = []
    for read in (lambda: read_patch(states(damaged)[0]), lambda: fxp_chunk(fxp(damaged)[: at + 1], "sick")):
        try:
            read()
        except EngineError as error:
            told.append(str(error))
    assert all(told)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("Fl\u00fcgel".encode(), "Fl\u00fcgel"),
        ("Fl\u00fcgel".encode("latin-1"), "Fl\u00fcgel"),
        ("na\u00efve \u201cpad\u201d".encode("cp1252"), "na\u00efve \u201cpad\u201d"),
        (b"Pa\x01d\x1f &#x1;&#31;&#xFFFF;&#4000000000;&#233;&amp;", "Pad \u00e9&"),
    ],
    ids=["utf-8", "latin-1", "cp1252", "control characters"],
)
def test_a_patch_is_read_in_the_encodings_and_with_the_characters_that_surge_reads(name, read):
    xml = (
        b'<?xml version="1.0" encoding="UTF-8" ?><patch><meta name="'
        + name
        + b'" /><parameters><a value="0.5" /></parameters></patch>'
    )
    patch = read_patch(b"sub3" + struct.pack("<i", len(xml)) + bytes(24) + xml)
    assert (patch.name, patch.values) == (read, {"a": 0.5})


def test_no_encoding_hides_a_document_type():
    xml = '<!DOCTYPE a [<!ENTITY b "c">]><patch><parameters /></patch>'
    for encoded in (xml.encode("utf-16"), xml.encode("utf-16-le"), xml.replace("<!D", "<\x01!D").encode()):
        with pytest.raises(EngineError):
            read_patch(b"sub3" + struct.pack("<i", len(encoded)) + bytes(24) + encoded)


def test_every_patch_of_surge_at_hand_can_be_read():
    paths = sorted((PRESETS / "surge-xt").glob("*.fxp"))
    if not paths:
        pytest.skip("the presets of Surge XT are not here")
    for path in paths:
        patch = read_patch(fxp_chunk(path.read_bytes(), "cjs3"))
        assert patch.name, path
        assert read_values(fxp_chunk(path.read_bytes(), "cjs3")) == patch.values
        assert len(patch.values) > 300, path


# From the terminal


def generate(plugin: object, out: Path, *more: object, **environment: str) -> Any:
    return terminal("generate", "--backend", "vst3", "--backend.plugin", plugin, *more, *SHORT, out, **environment)


@pytest.mark.parametrize("crews", [(2,), pytest.param((1, 2), marks=pytest.mark.long)], ids=["two", "one or two"])
def test_a_dataset_renders_again_and_is_the_same_by_one_worker_or_two(sick, tmp_path, crews):
    digests = []
    for workers in crews:
        out = tmp_path / f"{workers}.zarr"
        done = generate(sick, out, "--backend.spec", SICK_SPEC, "--workers", workers, "--block", 2)
        assert done.returncode == 0, done.stderr
        digests.append(open_dataset(out).digest)
    assert len(set(digests)) == 1
    checked = terminal("verify", "--render", 4, tmp_path / "2.zarr")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_dataset_is_made_of_presets(sick, preset, tmp_path):
    (tmp_path / "pad.vstpreset").write_bytes(preset)
    (tmp_path / "other.fxp").write_bytes(fxp(b"x", b"cjs3"))
    more = ("--backend.spec", SICK_SPEC, "--sampler", "perturb", "--presets", tmp_path)
    done = generate(sick, tmp_path / "a.zarr", *more)

    assert done.returncode == 0, done.stderr
    assert len(open_dataset(tmp_path / "a.zarr").plan.presets) == 1
    strict = generate(sick, tmp_path / "b.zarr", *more, "--strict")
    assert (strict.returncode, (tmp_path / "b.zarr").exists()) == (2, False)
    assert "a preset of another synth, 'cjs3'" in strict.stderr


@pytest.mark.parametrize("still", [True, False])
@pytest.mark.first
def test_what_draws_random_numbers_is_held_in_presets_unless_they_are_to_keep_it(sick, preset, tmp_path, still):
    loud = preset.replace(b'<retrigger type="0" value="1"', b'<retrigger type="0" value="0"')
    (tmp_path / "pad.vstpreset").write_bytes(loud)
    assert loud != preset
    more = ("--backend.spec", SICK_SPEC, "--sampler", "perturb", "--presets", tmp_path)
    done = generate(sick, tmp_path / "a.zarr", *more, *(() if still else ("--no-backend.still",)))

    assert done.returncode == 0, done.stderr
    dataset = open_dataset(tmp_path / "a.zarr")
    assert {row.patch.values["retrigger"] for row in dataset} == {1.0 if still else 0.0}
    assert dataset.space.fixed == ({"retrigger": 1.0} if still else {})
    assert ailing(sick, still=still).load_preset(tmp_path / "pad.vstpreset").random == (() if still else ("retrigger",))


PLAIN = """
import sys, numpy, pedalboard
plugin = pedalboard.VST3Plugin(sys.argv[1])
plugin.load_preset(sys.argv[2])
run = lambda events, seconds: plugin(events, seconds, 44100.0, 2, 8192, False)
run([], 64.5 / 44100)
run([], 0.2)
pitch, velocity = map(int, sys.argv[4:])
audio = run([([0x90, pitch, velocity], 0.0), ([0x80, pitch, 0], 0.1)], 8820.5 / 44100)
numpy.save(sys.argv[3], audio)
"""


@pytest.mark.parametrize("name", ["tiny", pytest.param("typed", marks=pytest.mark.long)])
@pytest.mark.long
def test_a_row_is_exported_as_a_preset_that_plays_it_in_a_plain_host(name, tmp_path, request):
    plugin, path, told = request.getfixturevalue(name), tmp_path / "d.zarr", tmp_path / "row.vstpreset"
    spec = ("--backend.spec", written(tmp_path, TYPED)) if name == "typed" else ()
    assert generate(plugin, path, *spec).returncode == 0
    rows = list(open_dataset(path))
    for number, row in enumerate(rows if name == "typed" else rows[:1]):
        done = terminal("export", path, "--row", number, "--preset", told, "--force")
        assert done.returncode == 0, done.stderr
        note = (str(row.note.pitch), str(row.note.velocity))
        command = [sys.executable, "-c", PLAIN, str(plugin), str(told), str(tmp_path / "heard.npy"), *note]
        subprocess.run(command, check=True, timeout=60)
        np.testing.assert_array_equal(np.load(tmp_path / "heard.npy"), row.audio)


def broken(tiny: Path, folder: Path, how: str) -> Path:
    """Return a copy of the instrument, broken in a way."""
    bundle = folder / "TinySynth.vst3"
    shutil.copytree(tiny, bundle)
    binary = binary_of(bundle)
    content = bytearray(binary.read_bytes())
    match how:
        case "truncated":
            binary.write_bytes(content[: len(content) // 2])
        case "32-bit":
            content[4] = 1
            content[18:20] = struct.pack("<H", 3)
            binary.write_bytes(content)
        case "another machine":
            content[18:20] = struct.pack("<H", 243)
            binary.write_bytes(content)
        case "text":
            binary.write_text("hello")
        case "without code":
            binary.unlink()
        case "without folder":
            shutil.rmtree(binary.parent)
        case "empty":
            shutil.rmtree(bundle / "Contents")
        case "deadly":  # all is there, and none of it is code
            binary.write_bytes(content[:4096] + bytes(len(content) - 8192) + content[-4096:])
    return bundle


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("truncated", "is cut off"),
        ("32-bit", "is built for i686"),
        ("another machine", "is built for riscv64"),
        ("text", "is not a shared library"),
        ("without code", "the bundle is incomplete"),
        ("without folder", "has no code for this machine"),
        ("empty", "is not a VST3 bundle"),
    ],
)
def test_a_broken_bundle_is_told_without_loading_it(tiny, tmp_path, how, told):
    with pytest.raises(ConfigError, match=told):
        binary_of(broken(tiny, tmp_path, how))


def test_a_binary_that_kills_its_process_is_a_sentence(tiny, tmp_path):
    with pytest.raises((EngineError, ConfigError), match=r"SIG|cannot be loaded"):
        described(broken(tiny, tmp_path, "deadly"))


def test_bad_input_is_one_sentence_and_nothing_is_written(tiny, sick, effect, tmp_path):
    cases = [
        ("", (), "no plugin is given"),
        (tmp_path / "none.vst3", (), "does not exist"),
        (effect, (), "is an effect, not an instrument"),
        (broken(tiny, tmp_path, "truncated"), (), "is cut off"),
        (tiny, ("--backend.spec", written(tmp_path, "[parameters]\ncutof = {}")), "Did you mean 'cutoff'?"),
        (tiny, ("--backend.spec", "surge_xt"), "is for 'Surge XT', but"),
    ]
    for plugin, more, told in cases:
        done = generate(plugin, tmp_path / "out.zarr", *more)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert told in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "out.zarr").exists()


def test_the_plugin_may_be_named_relative_to_where_one_is(tiny, monkeypatch):
    monkeypatch.chdir(tiny.parent)
    options = Vst3Options(plugin="TinySynth.vst3")

    assert options.plugin == str(tiny)
    assert json.loads(options.model_dump_json())["plugin"] == str(tiny)
