"""The Vital backend: its space, its shapes, and a guard for each trap of the engine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from tonesmith import generate, open_dataset
from tonesmith.backends.vita import VitaBackend, VitaOptions
from tonesmith.backends.vita.preset import MAX_MODULATIONS, preset_json, read_text
from tonesmith.engine.client import Engine
from tonesmith.engine.description import Description
from tonesmith.errors import EngineError, SpaceError
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.space.patch import Modulation, Note, Patch
from tonesmith.space.shape import SpaceShape, shaped
from tonesmith.space.space import ParameterSpace
from tonesmith.testing.backend import BackendContract

NOTE = Note(60, 100, 0.3, 0.2)
FORM = Audio(44100, 2, int(NOTE.duration * 44100))


@pytest.mark.long
class TestVitaBackend(BackendContract):
    name = "vita"
    note = NOTE


class TestVitaBackendWithModulations(BackendContract):
    name = "vita"
    options = {"tier": 3, "bpm": 93.5}
    sample_rate = 48000
    note = NOTE


@pytest.fixture(scope="module")
def described() -> Description:
    with Engine(PluginRef("vita", {"tier": 3}), FORM, 1, "snapshot", asset=lambda name: b"") as engine:
        return engine.describe(NOTE.hold, NOTE.tail)


@pytest.fixture(scope="module")
def live(described: Description) -> ParameterSpace:
    return described.space


@pytest.fixture(scope="module")
def engine(described: Description) -> Iterator[Engine]:
    with Engine(PluginRef("vita", {"tier": 3}), FORM, 2, "snapshot", described.assets.__getitem__) as made:
        yield made


def tier(live: ParameterSpace, number: int, **user) -> ParameterSpace:
    return shaped(live, VitaBackend.shape(VitaOptions(tier=number)), SpaceShape(**user))


def played(engine: Engine, patch: Patch) -> np.ndarray:
    outcome = engine.play(patch, [NOTE], 60.0)[0]
    assert outcome.failure == "", outcome
    return engine.audio[0].copy()


def test_the_space_has_the_448_controls_that_shape_sound(live):
    names = {p.name for p in live.parameters}

    assert len(names) == 448
    assert not any(n.startswith("modulation_") or "view" in n for n in names)
    assert sum(p.kind == "continuous" for p in live.parameters) == 293
    assert (len(live.sources), len(live.destinations), live.modulation_slots) == (32, 428, 64)


def test_parameters_carry_what_vital_says_of_them(live):
    cutoff, model, rate = live["filter_1_cutoff"], live["filter_1_model"], live["lfo_1_frequency"]

    assert (cutoff.low, cutoff.high, cutoff.unit, cutoff.group) == (8.0, 136.0, "semitones", "filter_1")
    assert cutoff.switch == "filter_1_on"
    assert cutoff.text(60.0) == "0 semitones"
    assert model.choices[:3] == ("Analog", "Dirty", "Ladder")
    assert (rate.source, rate.curve, rate.text(1.0)) == ("lfo_1", "inverse-exponential", "0.5 secs")
    assert all(len(set(p.choices)) == len(p.choices) for p in live.parameters)


def test_shown_values_are_those_of_vitals_own_display(live):
    """Asked of a process of its own: this one must not load the engine."""
    code = """
import json, re, sys, vita, os
s = vita.Synth(); controls = s.get_controls(); told = {}
for name, values in json.load(sys.stdin).items():
    told[name] = []
    for value in values:
        controls[name].set(value)
        told[name].append(float(re.match(r"\\s*(-?[\\d.]+)", controls[name].get_text()).group(1)))
print(json.dumps(told), flush=True); os._exit(0)
"""
    asked = {
        p.name: [p.low + f * (p.high - p.low) for f in (0.0, 0.41, 1.0)]
        for p in live.parameters
        if p.kind == "continuous"
    }
    answer = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(asked), capture_output=True, text=True, check=True, timeout=60
    )
    for name, told in json.loads(answer.stdout).items():
        shown = [live[name].shown(value) for value in asked[name]]
        np.testing.assert_allclose(told, shown, rtol=1e-4, atol=2e-5, err_msg=name)


def test_tier_1_is_two_oscillators_a_filter_an_envelope_and_the_volume(live):
    groups = {live[name].group for name in tier(live, 1).names}

    assert groups == {"osc_1", "osc_2", "filter_1", "env_1", "volume"}


def test_tier_2_fixes_what_has_no_sound_or_ruins_the_cost_and_all_of_it_can_be_freed(live):
    fixed = set(tier(live, 2).fixed)
    freed = tier(live, 2, free=["oversampling"], ranges={"env_1_delay": (0.0, 1.25)})

    assert {"bypass", "mpe_enabled", "oversampling", "beats_per_minute", "polyphony"} <= fixed
    assert len(fixed) <= 10
    assert "oversampling" in freed.names
    assert freed["env_1_delay"].drawn == (0.0, 1.25)


def test_the_tempo_is_a_fixed_parameter_of_the_plan(live):
    space = shaped(live, VitaBackend.shape(VitaOptions(bpm=90)), SpaceShape())

    assert space.fixed["beats_per_minute"] == 1.5


@pytest.mark.parametrize("velocity", [1, 64, 127])
def test_velocity_reaches_the_engine(engine, live, velocity):
    space = tier(live, 2)
    patch = space.decode(space.encode(Patch({"velocity_track": 1.0, "osc_1_random_phase": 0.0})))
    engine.play(patch, [NOTE, replace(NOTE, velocity=velocity)], 60.0)
    loud, soft = engine.audio

    assert np.abs(soft).max() == pytest.approx(np.abs(loud).max() * (velocity / 100) ** 2, rel=0.02)


def test_values_from_a_float32_label_are_not_cut_to_integers(engine, live):
    """vita takes a NumPy float32 for an integer: 0.9 becomes 0."""
    space = tier(live, 1)
    label = space.encode(Patch({"osc_1_level": 0.9}))

    assert np.abs(played(engine, space.decode(label))).max() > 0.05


def test_a_nan_is_refused_and_the_next_patch_still_sounds(engine, live):
    space = tier(live, 1)
    good = space.decode(space.encode(Patch()))
    with pytest.raises(SpaceError, match="osc_1_level = nan"):
        space.encode(Patch({"osc_1_level": float("nan")}))

    outcome = engine.play(replace(good, values={**good.values, "osc_1_level": float("nan")}), [NOTE], 60.0)[0]

    assert (outcome.failure, outcome.detail) == ("error", "osc_1_level = nan is not finite")
    assert np.abs(played(engine, good)).max() > 0.05


@pytest.mark.parametrize(
    ("source", "destination"), [("lfo_1", "stereo_mode"), ("nope", "osc_1_level"), ("lfo_1", ""), ("velocity", "eq_on")]
)
def test_a_modulation_that_vital_does_not_list_never_reaches_it(live, source, destination):
    """connect_modulation would crash on it; load_json would drop it and leave it in the label."""
    with pytest.raises(SpaceError, match="unknown modulation"):
        tier(live, 3).encode(Patch(modulations=(Modulation(source, destination, 0.5),)))


def test_a_modulation_that_did_not_take_rejects_the_candidate(engine, live):
    space = tier(live, 3)
    patch = space.decode(space.encode(Patch()))

    outcome = engine.play(replace(patch, modulations=(Modulation("lfo_1", "stereo_mode", 0.5),)), [NOTE], 60.0)[0]

    assert outcome.failure == "error"
    assert "did not accept" in outcome.detail


def test_more_than_64_modulations_are_refused_before_they_crash_the_engine(engine, live, described):
    space = tier(live, 3)
    many = tuple(Modulation("lfo_1", destination, 0.1) for destination in live.destinations[: MAX_MODULATIONS + 1])
    with pytest.raises(SpaceError, match="65 modulations; this space holds 64"):
        space.encode(Patch(modulations=many))

    full = space.decode(space.encode(Patch(modulations=many[:64])))
    played(engine, full)
    outcome = engine.play(replace(full, modulations=many), [NOTE], 60.0)[0]
    assert (outcome.failure, "room for 64" in outcome.detail) == ("error", True)


@pytest.mark.parametrize(
    ("change", "said"), [({"num_points": 10**9}, "claims 1000000000 points"), ({"points": float("nan")}, "not JSON")]
)
def test_an_asset_that_would_harm_vital_is_refused_before_it_sees_it(live, described, change, said):
    patch = tier(live, 3).decode(tier(live, 3).encode(Patch()))
    line = {"num_points": 2, "points": [0.0, 1.0, 1.0, 0.0], "powers": [0.0, 0.0], "name": "l", "smooth": False}
    harmful = json.dumps(line | change).encode()
    contents = {**described.assets, "harmful": harmful}
    with Engine(PluginRef("vita", {"tier": 3}), FORM, 2, "snapshot", contents.__getitem__) as engine:
        (outcome,) = engine.play(replace(patch, assets={**patch.assets, "lfo_1": "harmful"}), [NOTE], 60.0)
        assert (outcome.failure, said in outcome.detail) == ("error", True), outcome
        played(engine, patch)


def test_a_modulation_is_heard(engine, live):
    space = tier(live, 3)
    plain = Patch({"osc_1_random_phase": 0.0})
    still = played(engine, space.decode(space.encode(plain)))
    moved = replace(plain, modulations=(Modulation("lfo_1", "osc_1_tune", 1.0),))

    assert not np.array_equal(still, played(engine, space.decode(space.encode(moved))))


def test_oversampling_takes_effect_though_vital_ignores_it_when_it_is_set(engine, live):
    space = tier(live, 2, free=["oversampling"])
    saw = {"osc_1_random_phase": 0.0, "osc_1_transpose": 24.0}
    heard = {
        played(engine, space.decode(space.encode(Patch({**saw, "oversampling": x})))).tobytes() for x in (0.0, 3.0)
    }

    assert len(heard) == 2


def test_exported_presets_name_a_version_that_vital_opens(live, described):
    space = tier(live, 3)
    patch = space.decode(space.encode(Patch(modulations=(Modulation("lfo_1", "osc_1_tune", 1.0),))))

    preset = json.loads(preset_json(patch, described.assets, "a name"))

    assert (preset["synth_version"], preset["preset_name"]) == ("1.5.5", "a name")
    assert set(preset["settings"]) >= {p.name for p in live.parameters}
    assert preset["settings"]["modulations"][0] == {"source": "lfo_1", "destination": "osc_1_tune"}
    assert preset["settings"]["modulation_1_amount"] == 1.0


def test_an_exported_preset_is_read_back_as_the_patch_it_was(engine, live, described, tmp_path):
    space = tier(live, 3)
    routing = (
        Modulation("lfo_1", "osc_1_tune", 0.25, 1.5, bipolar=True),
        Modulation("random", "filter_1_cutoff", -1.0),
    )
    patch = space.decode(space.encode(Patch({"osc_1_level": 0.7, "filter_1_on": 1.0}, routing)))
    (tmp_path / "p.vital").write_text(preset_json(patch, described.assets, "p"))

    preset = engine.load_preset(tmp_path / "p.vital")

    again = preset.patch
    assert again.modulations == patch.modulations
    assert {n: np.float32(v) for n, v in again.values.items()} == {n: np.float32(v) for n, v in patch.values.items()}
    assert again.assets == patch.assets
    assert set(again.assets.values()) <= set(preset.assets)
    assert (preset.name, preset.author, preset.random) == ("p", "", ("osc_1_random_phase", "random"))


def test_rendering_leaves_the_arithmetic_of_the_measuring_process_alone(engine, live):
    """A render sets flush-to-zero on its thread for good: so engines live in processes of their own."""
    played(engine, tier(live, 1).decode(tier(live, 1).encode(Patch())))

    assert np.float32(1e-40) * np.float32(1.0) != 0.0
    assert 5e-324 * 1.0 != 0.0
    assert "vita" not in sys.modules


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not a Vital preset"),
        ("[1, 2]", "not a Vital preset"),
        ('{"settings": {}}', "not a Vital preset"),
        ("[" * 100_000, "not a Vital preset"),
        ('{"settings": {"modulations": %s, "wavetables": [], "lfos": []}}' % ([0] * 65), "65 modulations"),
        ('{"settings": {"modulations": [], "wavetables": [0, 0, 0, 0], "lfos": []}}', "4 wavetables"),
        ('{"settings": {"modulations": [], "wavetables": [], "lfos": [%s]}}' % ("0," * 8 + "0"), "9 lfos"),
        (
            '{"settings": {"modulations": [], "wavetables": [], "lfos": [], "sample": {"length": 1000000000}}}',
            "claims 1000000000 frames",
        ),
    ],
)
def test_a_hostile_preset_is_refused_before_vital_sees_it(tmp_path, content, said):
    (tmp_path / "bad.vital").write_text(content)

    with pytest.raises(EngineError, match=said):
        read_text((tmp_path / "bad.vital").read_bytes())


def test_a_preset_that_vital_refuses_costs_one_process_and_one_sentence(engine, live, tmp_path):
    settings = {"modulations": [], "wavetables": [{}, {}, {}], "lfos": [], "osc_1_level": "loud"}
    (tmp_path / "odd.vital").write_text(json.dumps({"settings": settings, "synth_version": "1.5.5"}))

    with pytest.raises(EngineError, match="Vital refused the preset"):
        engine.load_preset(tmp_path / "odd.vital")

    assert np.abs(played(engine, tier(live, 1).decode(tier(live, 1).encode(Patch())))).max() > 0.05


@pytest.mark.long
def test_without_fork_rows_are_made_in_fresh_engines_and_say_so(tmp_path, monkeypatch):
    monkeypatch.setattr("tonesmith.engine.isolation.can_fork", lambda: False)
    still = {"osc_1_random_phase": 0.0, "osc_2_random_phase": 0.0}
    settings = {"patches": 2, "notes": {"pitches": [48, 60], "hold": 0.2, "tail": 0.1}, "space": {"fix": still}}
    generate(tmp_path / "fresh", **settings)
    monkeypatch.undo()
    generate(tmp_path / "forked", **settings)

    fresh, forked = open_dataset(tmp_path / "fresh"), open_dataset(tmp_path / "forked")
    assert (fresh.plan.isolation, fresh.plan.determinism) == ("fresh", "exact-in-run")
    assert (forked.plan.isolation, forked.plan.determinism) == ("snapshot", "exact")
    assert [row.audio.tobytes() for row in fresh] == [row.audio.tobytes() for row in forked]


@pytest.mark.long
def test_the_defaults_reject_few_candidates_and_store_no_silence(tmp_path):
    summary = generate(tmp_path / "d", patches=500, notes={"pitches": [48, 60, 72], "hold": 0.5, "tail": 0.1})

    levels = open_dataset(tmp_path / "d").column("rms")
    assert sum(summary.rejections.values()) <= 0.08 * summary.candidates
    assert levels.min() >= -60.0
