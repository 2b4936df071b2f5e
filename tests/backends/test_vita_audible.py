"""Which of Vital's controls the mask calls audible, held against what the engine plays."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from support import amounts, sampled

from tonesmith.backends.vita import VitaBackend, VitaOptions
from tonesmith.backends.vita.gates import NEVER, RULES, SOURCES, SWITCHED, UNSWITCHED, Rule, gated
from tonesmith.engine.client import Engine
from tonesmith.engine.description import Description
from tonesmith.errors import SpaceError
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Modulation, Note, Patch, sha256_hex
from tonesmith.space.sampling import patch_at, uniform
from tonesmith.space.shape import SpaceShape, shaped
from tonesmith.space.space import ParameterSpace

NOTE = Note(57, 100, 0.1, 0.05)
FORM = Audio(44100, 2, int(NOTE.duration * 44100))
VITA = PluginRef("vita", {"tier": 3})
NOT_IDLE = {
    r"_(dry_wet|mix)$": 0.4,
    r"_frequency$": 0.9,
    r"^lfo_\d_delay_time$|^env_\d_delay$": 0.001,
    r"^env_\d_attack$": 0.2,
    r"^osc_\d_unison_voices$": 0.3,
    r"^osc_\d_level$": 0.7,
    r"^osc_\d_transpose$": 0.4,
    r"^osc_\d_distortion_type$": 0.35,
}
"""Where in its range a control lets a short note tell what the others do."""
KEYS = {"aftertouch", "lift", "mod_wheel", "note", "note_in_octave", "pitch_wheel", "slide", "velocity"}
PLAYED = {*KEYS, "env_1", "random", "stereo"}
"""Modulation sources that have no controls, or whose controls are heard in any case."""
EARLY = {"env_1_delay": (0.0, 0.2), "env_1_attack": (0.0, 0.4)}


@pytest.fixture(scope="module")
def described() -> Description:
    with Engine(VITA, FORM, 1, "snapshot", asset=lambda name: b"") as engine:
        return engine.describe(NOTE.hold, NOTE.tail)


@pytest.fixture(scope="module")
def waves(described: Description) -> bytes:
    """A wavetable whose frames differ. That of the init preset has one, so nothing that moves frames is heard."""
    table = json.loads(described.assets[described.space.assets["wavetable_1"]])
    time = np.arange(2048) / 2048
    shapes = (1.0 - 2.0 * time, np.sign(time - 0.3) + np.sin(22 * np.pi * time))
    table["groups"][0]["components"][0]["keyframes"] = [
        {"position": place, "wave_data": base64.b64encode(shape.astype("<f4").tobytes()).decode()}
        for place, shape in zip((0, 255), shapes, strict=True)
    ]
    return json.dumps(table, sort_keys=True, separators=(",", ":")).encode()


@pytest.fixture(scope="module")
def space(described: Description, waves: bytes) -> ParameterSpace:
    """All that shapes the sound, the wheels and modulations included."""
    tables = {f"wavetable_{i}": sha256_hex(waves) for i in (1, 2, 3)}
    live = replace(described.space, assets={**described.space.assets, **tables})
    free = ("mod_wheel", "pitch_wheel", "pitch_bend_range", "osc_1_on")
    user = SpaceShape(fix={"oversampling": "1x"}, free=free, ranges=EARLY)
    return shaped(live, VitaBackend.shape(VitaOptions(tier=3)), user)


@pytest.fixture(scope="module")
def engine(described: Description, waves: bytes) -> Iterator[Engine]:
    contents = {**described.assets, sha256_hex(waves): waves}
    with Engine(VITA, FORM, 1, "snapshot", contents.__getitem__) as made:
        yield made


def decoded(space: ParameterSpace, values: Mapping[str, float], modulations: Sequence[Modulation] = ()) -> Patch:
    return space.decode(space.encode(Patch(dict(values), tuple(modulations))))


def played(engine: Engine, patch: Patch) -> bytes:
    outcome = engine.play(patch, [NOTE], 60.0)[0]
    assert outcome.failure == "", outcome
    return engine.audio[0].tobytes()


def sounds(audio: bytes) -> bool:
    return bool(np.abs(np.frombuffer(audio, np.float32)).max() > 1e-3)


def moved(space: ParameterSpace, patch: Patch, names: Sequence[str], u: Sequence[float]) -> Patch:
    """Return the patch with those parameters anywhere else in their whole range."""
    values = {name: value for name, value in patch.values.items() if name not in space.fixed}
    for name, x in zip(names, u, strict=False):
        values[name] = other(space[name], patch.values[name], x)
    return decoded(space, values, patch.modulations)


def other(parameter: Parameter, now: float, u: float) -> float:
    if parameter.kind == "categorical":
        choices = [v for v in range(round(parameter.low), round(parameter.high) + 1) if v != round(now)]
        return float(choices[int(u * len(choices))])
    return parameter.low + u * (parameter.high - parameter.low)


def heard(space: ParameterSpace, patch: Patch) -> set[str]:
    return {name for name, audible in zip(space.names, space.audible(patch), strict=True) if audible}


# --- no audible parameter is called inaudible


def routed(space: ParameterSpace, index: int) -> tuple[Modulation, ...]:
    """Return up to 16 modulations from four sources: one routing for five patches, as loading it takes longest."""
    routing = index // 5
    pairs = uniform(7, "pairs", routing, 0, 2 * 8 * (routing % 3)).reshape(-1, 2).tolist()
    few = [space.sources[int(x * len(space.sources))] for x in uniform(7, "sources", routing, 0, 4)]
    settings = uniform(7, "settings", index, 0, 5 * len(pairs)).reshape(-1, 5).tolist()
    found = {}
    for (s, d), (amount, power, bipolar, stereo, bypass) in zip(pairs, settings, strict=True):
        pair = (few[int(s * 4)], space.destinations[int(d * len(space.destinations))])
        found[pair] = Modulation(*pair, 2 * amount - 1, 4 * power - 2, bipolar > 0.5, stereo > 0.5, bypass > 0.8)
    return tuple(found.values())


def drawn(space: ParameterSpace, index: int) -> Patch:
    """Return a uniform patch; every other one starts its oscillators at random."""
    values = dict(patch_at(space, uniform(7, "patch", index, 0, len(space.names)), "").values)
    if index % 2:
        values |= {f"osc_{i}_random_phase": 0.0 for i in (1, 2, 3)}
    values["osc_1_on"] = 1.0
    return decoded(space, values, routed(space, index))


@pytest.mark.parametrize("patches", amounts(6, 220))
def test_moving_every_inaudible_parameter_of_random_patches_leaves_the_audio_alone(engine, space, patches):
    sounding = 0
    for index in range(patches):
        patch = drawn(space, index)
        names = sorted(set(space.names) - heard(space, patch))
        before = played(engine, patch)
        after = moved(space, patch, names, uniform(7, "moves", index, 0, len(names)))
        sounding += sounds(before)

        assert heard(space, after) == heard(space, patch)
        if played(engine, after) != before:
            alone = {n: replace(patch, values={**patch.values, n: after.values[n]}) for n in names}
            guilty = [n for n, one in alone.items() if played(engine, one) != before]
            pytest.fail(f"patch {index}: heard, though the mask calls them inaudible: {guilty or names}")
    assert sounding > 0.68 * patches


def test_what_is_never_heard_is_not_heard_through_any_modulation(engine, space):
    sources = ("mod_wheel", "pitch_wheel", "note", "lfo_1", "random_1", "stereo")
    aims = ("portamento_time", "portamento_slope", "pitch_bend_range", "osc_1_tune", "osc_1_wave_frame", "voice_tune")
    for index in range(3):
        pairs = zip(sources, (*aims[index:], *aims[:index]), strict=True)
        modulations = [Modulation(*pair, 0.8, stereo=index % 2 == 0) for pair in pairs]
        patch = decoded(space, {**loud(space, index), "osc_2_on": 1.0, "osc_3_on": 1.0}, modulations)
        before = played(engine, patch)

        assert sounds(before)
        assert not heard(space, patch) & set(NEVER)
        assert played(engine, moved(space, patch, NEVER, uniform(7, "never", index, 0, len(NEVER)))) == before


# --- what is called inaudible is so because of its gate, and heard where that is open


def loud(space: ParameterSpace, index: int, *groups: str) -> dict[str, float]:
    """Return a patch that sounds at once: one oscillator, and the groups on and drawn at random."""
    values = patch_at(space, uniform(7, "loud", index, 0, len(space.names)), "").values
    kept = {name: value for name, value in values.items() if space[name].group in groups and "tempo" not in name}
    kept |= {f"{group}_on": 1.0 for group in groups if f"{group}_on" in space.names}
    for name in kept:
        for pattern, place in NOT_IDLE.items():
            if re.search(pattern, name):
                kept[name] = other(space[name], -1.0, place)
    tempos = {p.name: p.high for p in space.parameters if p.name.endswith("_tempo")}
    return {**tempos, "env_1_attack": 0.05, **kept, "osc_1_on": 1.0, "osc_1_random_phase": 0.0}


def setting(space: ParameterSpace, name: str, index: int) -> tuple[dict[str, float], tuple[Modulation, ...]]:
    """Return a patch in which a control has something to act on."""
    parameter = space[name]
    if parameter.source:
        return loud(space, index, parameter.group), (Modulation(parameter.source, "osc_1_tune", 1.0),)
    routes = {"osc_1": 4.0, "osc_2": 4.0, "osc_3": 4.0, "sample": 4.0, "filter_1": 2.0, "filter_2": 2.0}
    groups = ("filter_1", "filter_2") if name.endswith("filter_input") else (parameter.group,)
    values = loud(space, index, *groups)
    if name.endswith("filter_input"):
        values |= {"filter_1_model": 0.0, "filter_2_model": 0.0, "filter_1_style": 0.0, "filter_2_style": 0.0}
        values |= {"filter_1_cutoff": 80.0, "filter_2_cutoff": 70.0}
    values["osc_1_destination"] = routes.get(parameter.group, 3.0)
    if f"{parameter.group}_destination" in space.names:
        values[f"{parameter.group}_destination"] = 4.0
    return values, ()


def opened(space: ParameterSpace, name: str, index: int) -> Patch:
    """Return a patch in which every gate of a control is open, each time with another of its choices."""
    values, modulations = setting(space, name, index)
    for gate, allowed in space[name].when:
        values[gate] = float(allowed[index % len(allowed)])
    return decoded(space, values, modulations)


def closed(space: ParameterSpace, name: str, gate: str, index: int) -> Iterator[Patch]:
    """Yield a patch for each choice of a gate that makes the control inaudible, the other gates open."""
    patch = opened(space, name, index)
    allowed = {raw for each, raws in space[name].when if each == gate for raw in raws}
    values = {n: value for n, value in patch.values.items() if n not in space.fixed}
    for raw in range(round(space[gate].low), round(space[gate].high) + 1):
        if raw not in allowed:
            yield decoded(space, {**values, gate: float(raw)}, patch.modulations)


def ends(rule: Rule) -> list[tuple[str, str]]:
    """Return the (control, gate) of a rule's first and last module."""
    places = list(rule.places())
    count = len(rule.heard)
    return [*places[:count], *(places[-count:] if len(rule.modules) > 1 else ())]


PLACES = [place for rule in RULES for place in ends(rule)]


@pytest.mark.parametrize(("name", "gate"), sampled(PLACES, 9))
@pytest.mark.long
def test_a_control_is_heard_where_its_gate_is_open_and_not_where_it_is_closed(engine, space, name, gate):
    def changed(patch: Patch, u: float) -> bool:
        return played(engine, patch) != played(engine, moved(space, patch, [name], [u]))

    open_ones = [opened(space, name, index) for index in range(8)]
    assert all(name in heard(space, patch) for patch in open_ones)
    assert any(changed(patch, u) for patch in open_ones for u in (0.93, 0.11))

    for index, patch in enumerate(closed(space, name, gate, index=0)):
        assert name not in heard(space, patch)
        assert not changed(patch, (0.9, 0.1, 0.4)[index % 3])


@pytest.mark.parametrize("group", SWITCHED)
@pytest.mark.first
def test_a_group_is_heard_where_its_switch_is_on(engine, space, group):
    names = [p.name for p in space.parameters if p.switch == f"{group}_on"]
    values, _ = setting(space, names[0], 1)
    on = decoded(space, values)
    off = decoded(space, {**values, f"{group}_on": 0.0})
    moves = uniform(7, "switch", 0, 0, len(names))

    assert heard(space, on) & set(names)
    assert played(engine, on) != played(engine, moved(space, on, names, moves))
    assert not heard(space, off) & set(names)
    assert played(engine, off) == played(engine, moved(space, off, names, moves))


@pytest.mark.parametrize("source", sampled(SOURCES, 6))
@pytest.mark.long
def test_a_modulation_source_is_heard_where_a_modulation_uses_it(engine, space, source):
    names = [p.name for p in space.parameters if p.source == source]
    values, modulations = setting(space, names[0], 1)
    used = decoded(space, values, modulations)
    idle = decoded(space, values, [replace(m, bypass=True) for m in modulations])
    moves = uniform(7, "source", 0, 0, len(names))

    assert heard(space, used) & set(names)
    assert played(engine, used) != played(engine, moved(space, used, names, moves))
    assert not heard(space, idle) & set(names)
    assert played(engine, idle) == played(engine, moved(space, idle, names, moves))


def test_an_oscillator_that_is_off_may_silence_one_that_is_on(engine, space):
    """Each waits for the other, which is to modulate it: so the type of the one that is off stays audible."""
    waiting = decoded(space, {"osc_1_random_phase": 0.0, "osc_1_distortion_type": 7.0, "osc_2_distortion_type": 7.0})
    free = moved(space, waiting, ["osc_2_distortion_type"], [0.0])

    assert sounds(played(engine, free))
    assert not sounds(played(engine, waiting))
    assert set(UNSWITCHED) <= heard(space, waiting)


def test_morph_spread_is_heard_without_a_morph_and_so_is_called_audible(engine, space):
    values = {"osc_1_random_phase": 0.0, "osc_1_unison_voices": 5.0, "osc_1_unison_detune": 10.0}
    none = decoded(space, {**values, "osc_1_detune_range": 30.0, "osc_1_spectral_unison": 1.0})
    spread = moved(space, none, ["osc_1_spectral_morph_spread"], [0.9])

    assert none.values["osc_1_spectral_morph_type"] == 0.0
    assert played(engine, none) != played(engine, spread)
    assert "osc_1_spectral_morph_spread" in heard(space, none)


# --- the rules and the engine


def test_no_gate_is_a_destination_of_modulations(described):
    live = described.space
    chosen = {gate for p in live.parameters for gate, allowed in p.when if allowed}
    switches = {p.switch for p in live.parameters} - {""}

    assert chosen
    assert switches
    assert not (chosen | switches) & set(live.destinations)
    assert all(live[gate].kind == "categorical" for gate in chosen | switches)


def test_every_rule_names_controls_and_choices_of_the_live_engine(described):
    live = described.space
    names = {p.name for p in live.parameters}
    gates = {gate for rule in RULES for _, gate in rule.places()}

    assert {name for rule in RULES for name, _ in rule.places()} | gates | set(NEVER) | set(UNSWITCHED) <= names
    assert {f"{group}_on" for group in SWITCHED} <= {p.switch for p in live.parameters}
    assert set(SOURCES) == {p.source for p in live.parameters} - {""} == set(live.sources) - PLAYED


def test_an_engine_that_names_a_choice_or_a_control_otherwise_is_refused(described):
    live = described.space
    model = live["filter_1_model"]
    renamed = replace(model, choices=tuple("Vowel" if c == "Formant" else c for c in model.choices))
    with pytest.raises(SpaceError, match="filter_1_model has no choice 'Formant'"):
        gated(renamed if p.name == model.name else p for p in live.parameters)

    with pytest.raises(SpaceError, match="unknown parameter 'eq_low_mode'"):
        gated(p for p in live.parameters if p.name != "eq_low_mode")
    with pytest.raises(SpaceError, match="unknown parameter 'legato'"):
        gated(p for p in live.parameters if p.name != "legato")


def test_choices_are_found_by_their_text_where_an_engine_has_them_in_another_order(described):
    live = described.space
    model = live["filter_1_model"]
    turned = replace(model, choices=(model.choices[5], *model.choices[:5], *model.choices[6:]))
    found = {p.name: p for p in gated(turned if p.name == model.name else p for p in live.parameters)}

    assert live["filter_1_formant_x"].when[0] == ("filter_1_model", (5,))
    assert found["filter_1_formant_x"].when[0] == ("filter_1_model", (0,))


# --- some masks, whole


def audible_in(space: ParameterSpace, group: str, **values: float | str) -> set[str]:
    raw = {name: space[name].raw_of(value) for name, value in values.items()}
    names = heard(space, decoded(space, raw))
    return {name.removeprefix(f"{group}_") for name in names if space[name].group == group}


def test_of_a_filter_only_the_controls_of_its_model_are_audible(space):
    shared = {"on", "model", "style", "mix"}
    cut = {"cutoff", "keytrack", "resonance", "blend"}
    formant = {f"formant_{x}" for x in ("x", "y", "transpose", "resonance", "spread")}

    assert audible_in(space, "filter_1") == {"on"}
    assert audible_in(space, "filter_1", filter_1_on="On") == {*shared, *cut, "drive"}
    assert audible_in(space, "filter_1", filter_1_on="On", filter_1_model="Comb") == {*shared, *cut, "blend_transpose"}
    assert audible_in(space, "filter_1", filter_1_on="On", filter_1_model="Formant") == shared | formant
    assert audible_in(space, "filter_1", filter_1_on="On", filter_1_model="Formant", filter_1_style="B/P/N") == shared


def test_of_the_delay_only_the_rate_of_its_sync_and_style_is_audible(space):
    shared = {"on", "style", "sync", "feedback", "dry_wet", "filter_cutoff", "filter_spread"}

    assert audible_in(space, "delay") == {"on"}
    assert audible_in(space, "delay", delay_on="On") == {*shared, "tempo"}
    assert audible_in(space, "delay", delay_on="On", delay_sync="Seconds") == {*shared, "frequency"}
    ping_pong = audible_in(space, "delay", delay_on="On", delay_style="Ping Pong", delay_aux_sync="Seconds")
    assert ping_pong == {*shared, "tempo", "aux_sync", "aux_frequency"}


def test_of_the_voice_what_needs_a_second_note_is_inaudible(space):
    own = {"amplitude", "transpose", "tune"}

    assert audible_in(space, "voice") == {*own, "effect_chain_order", "stereo_mode", "stereo_routing", "velocity_track"}
