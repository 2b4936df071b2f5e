"""The codec between labels and raw values, and which parameters are audible."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import AWKWARD_RANGES, continuous, labelled_spaces, ranges, space_of, spaces, switch

from tonesmith.errors import ConfigError, SpaceError
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Modulation, Patch
from tonesmith.space.space import Label, ParameterSpace

ROUTED = ParameterSpace(
    (continuous("cutoff"),), sources=("lfo_1",), destinations=("cutoff",), modulation_slots=1, assets={"wave": "0" * 64}
)


def bits(patch: Patch) -> dict[str, bytes]:
    return {name: np.float64(value).tobytes() for name, value in patch.values.items()}


def label_of(*x: float) -> Label:
    return Label(np.array(x, np.float32), np.zeros(0, np.int32))


@given(labelled_spaces())
def test_what_was_decoded_encodes_to_a_label_that_decodes_to_the_same_bits(case):
    space, label = case
    patch = space.decode(label)
    again = space.decode(space.encode(patch))
    assert bits(again) == bits(patch)
    assert again == patch


@given(ranges(), st.lists(st.floats(0, 1, width=32), min_size=1, max_size=50))
def test_every_label_decodes_to_a_float32_inside_the_range_that_comes_back(bounds, xs):
    space = space_of(*(continuous(f"p{i}", *bounds) for i in range(len(xs))))
    raw = space.raw(np.array(xs, np.float32))
    assert raw.dtype == np.float32
    assert all(bounds[0] <= float(r) <= bounds[1] for r in raw)
    assert np.array_equal(space.raw(space.normalise(raw.astype(np.float64))), raw)


@pytest.mark.parametrize("bounds", AWKWARD_RANGES)
def test_the_ends_of_an_awkward_range_and_what_is_next_to_them_come_back(bounds):
    near_0 = np.float32([0, 1e-45, 1e-38, 1e-20, 1e-8, 2**-24])
    xs = np.concatenate([near_0, 1 - np.arange(6, dtype=np.float32) * np.float32(2**-24), np.linspace(0, 1, 999)])
    space = space_of(*(continuous(f"p{i}", *bounds) for i in range(len(xs))))
    patch = space.decode(label_of(*xs))
    assert all(bounds[0] <= v <= bounds[1] for v in patch.values.values())
    assert bits(space.decode(space.encode(patch))) == bits(patch)


def test_a_label_that_decodes_to_a_power_of_two_from_above_comes_back():
    """Below 8 the float32 lie twice as close as above it, so the nearest label decodes to the wrong one."""
    below = round(0.8 * 2**24)
    space = space_of(continuous("p", 0.0, (8.0 - 2.7e-7) / (below * 2.0**-24)))
    patch = space.decode(label_of((below + 1) * 2.0**-24))
    assert patch.values["p"] == 8.0
    nearest = np.float32(8.0 / space["p"].high)
    assert space.raw(np.array([nearest]))[0] != 8.0
    assert bits(space.decode(space.encode(patch))) == bits(patch)


@given(ranges(), st.floats(0, 1))
def test_encoding_loses_no_more_than_float32_must(bounds, u):
    low, high = bounds
    value = min(low + u * (high - low), high)
    space = space_of(continuous("p", low, high))
    decoded = space.decode(space.encode(Patch({"p": value}))).values["p"]
    assert abs(decoded - value) <= (high - low) * 2**-24 + float(np.spacing(np.float32(max(abs(low), abs(high)))))


@given(labelled_spaces())
def test_decoding_is_deterministic_and_survives_json(case):
    space, label = case
    stored = ParameterSpace.from_json(json.loads(json.dumps(space.to_json())))
    assert stored == space
    assert bits(stored.decode(label)) == bits(space.decode(label))
    patch = space.decode(label, origin="lhs", preset="ab")
    assert Patch.from_json(json.loads(json.dumps(patch.to_json()))) == patch


@given(spaces())
def test_every_choice_comes_back_as_its_index(space):
    for column, parameter in enumerate(space.categorical):
        for index in range(parameter.count):
            label = space.encode(Patch({parameter.name: parameter.low + index}))
            assert label.categorical.dtype == np.int32
            assert label.categorical[column] == index
            assert space.decode(label).values[parameter.name] == parameter.low + index


@pytest.mark.parametrize(
    ("continuous_values", "index", "said"),
    [
        ([0.5, math.nan], 0, "b is nan in the label"),
        ([1.5, 0.5], 0, r"a is 1.5 in the label, which is not in \[0, 1\]"),
        ([0.5], 0, r"continuous values of shape \(1,\); this space has 2 continuous parameters"),
        ([0.5, 0.5], 2, "on is 2 in the label, which is no index of its 2 choices"),
        ([0.5, 0.5], -1, "on is -1 in the label"),
    ],
)
def test_a_label_that_a_model_got_wrong_is_told_by_the_parameter(continuous_values, index, said):
    space = space_of(continuous("a"), continuous("b"), switch("on"))
    with pytest.raises(SpaceError, match=said):
        space.decode(Label(np.array(continuous_values, np.float32), np.array([index], np.int32)))


@given(labelled_spaces())
def test_a_decoded_patch_has_a_value_for_every_parameter(case):
    space, label = case
    patch = space.decode(label)
    assert set(patch.values) == {p.name for p in space.parameters}
    assert {name: patch.values[name] for name in space.fixed} == space.fixed


def test_what_a_patch_leaves_out_has_its_default():
    space = space_of(Parameter("a", "continuous", -1.0, 1.0, 0.5), Parameter("b", "categorical", 2.0, 5.0, 3.0))
    assert space.decode(space.encode(Patch())).values == {"a": 0.5, "b": 3.0}


def test_modulations_are_held_as_float32_in_their_order():
    first, second = (
        Modulation("lfo_1", "cutoff", 0.1, 0.3, bipolar=True),
        Modulation("lfo_1", "cutoff", -0.7, bypass=True),
    )
    space = ParameterSpace((continuous("cutoff"),), {}, ("lfo_1",), ("cutoff",), 2)
    held = space.encode(Patch(modulations=(first, second))).modulations
    assert [m.amount for m in held] == [float(np.float32(0.1)), float(np.float32(-0.7))]
    assert held[0].power == float(np.float32(0.3))
    assert (held[0].bipolar, held[1].bypass) == (True, True)
    assert space.encode(space.decode(space.encode(Patch(modulations=(first, second))))).modulations == held


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        (Patch({"cutoff": math.nan}), "cutoff = nan is outside 0..1"),
        (Patch({"cutoff": math.inf}), "cutoff = inf"),
        (Patch({"cutoff": 1.0000001}), "cutoff = 1.0000001 is outside 0..1"),
        (Patch({"cutof": 0.5}), "unknown parameter 'cutof'. Did you mean 'cutoff'"),
        (Patch(modulations=(Modulation("lfo_1", "cutoff"),) * 2), "2 modulations; this space holds 1"),
        (Patch(modulations=(Modulation("lfo_2", "cutoff"),)), "modulation source 'lfo_2'. Did you mean 'lfo_1'"),
        (Patch(modulations=(Modulation("lfo_1", "cut"),)), "modulation destination 'cut'. Did you mean 'cutoff'"),
        (Patch(modulations=(Modulation("lfo_1", "cutoff", math.nan),)), "lfo_1 -> cutoff is not finite"),
        (Patch(assets={"waves": "1" * 64}), "unknown asset slot 'waves'. Did you mean 'wave'"),
    ],
)
def test_what_the_space_cannot_hold_is_refused_by_name(patch, message):
    with pytest.raises(SpaceError) as error:
        ROUTED.encode(patch)
    assert message in str(error.value)
    assert isinstance(error.value, ConfigError)
    assert error.value.exit_code == 2


def test_a_patch_that_moves_a_fixed_parameter_is_refused_with_what_to_do():
    space = ParameterSpace((continuous("a"), continuous("b")), {"b": 0.25})
    assert space.encode(Patch({"b": 0.25})).continuous.tolist() == [0.0]
    with pytest.raises(SpaceError, match=r'b = 0\.5.*fixes at 0\.25.*free = \["b"\]'):
        space.encode(Patch({"b": 0.5}))


def test_a_label_names_every_asset_slot():
    assert ROUTED.encode(Patch()).assets == {"wave": "0" * 64}
    assert ROUTED.encode(Patch(assets={"wave": "1" * 64})).assets == {"wave": "1" * 64}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"low": 1.0, "high": 1.0}, "empty or not finite"),
        ({"high": math.inf}, "empty or not finite"),
        ({"high": 1e39}, "beyond float32"),
        ({"default": 2.0}, "p = 2.0 is outside 0..1"),
        ({"within": (0.5, 1.5)}, "not a range within"),
        ({"within": (0.5, 0.5)}, "not a range within"),
        ({"weights": (0.5, 0.5)}, "2 weights for 2 values"),
        ({"kind": "categorical", "high": 1.5}, "must be integers, not "),
        ({"kind": "categorical", "default": 0.5}, "must be integers, not 0.5"),
        ({"kind": "categorical", "choices": ("a",)}, "1 choices for 2 values"),
        ({"kind": "categorical", "weights": (1.0,)}, "1 weights for 2 values"),
        ({"kind": "categorical", "weights": (0.5, 0.6)}, "add up to 1"),
        ({"kind": "categorical", "weights": (-0.5, 1.5)}, "add up to 1"),
        ({"kind": "float"}, "p: the kind is 'float'; it must be 'continuous' or 'categorical'"),
    ],
)
def test_a_parameter_that_contradicts_itself_is_refused(fields, message):
    with pytest.raises(SpaceError, match=message):
        Parameter(**{"name": "p", "kind": "continuous", "low": 0.0, "high": 1.0, "default": 0.0, **fields})


@pytest.mark.parametrize(
    ("parameters", "fixed", "message"),
    [
        ((continuous("a"), continuous("a")), {}, r"name is used twice: \['a'\]"),
        ((continuous("a"),), {"a": 2.0}, "a is fixed at 2.0, outside"),
        ((continuous("a"),), {"a": math.nan}, "a is fixed at nan"),
        ((continuous("a"),), {"b": 0.0}, "unknown parameter 'b'"),
        ((switch("a", behind="b"),), {}, "gated by 'b', which is not a parameter"),
        ((switch("a", behind="b"), switch("b", behind="a")), {}, "gated by itself: a <- b <- a"),
    ],
)
def test_a_space_that_contradicts_itself_is_refused(parameters, fixed, message):
    with pytest.raises(SpaceError, match=message):
        ParameterSpace(parameters, fixed)


GATED = ParameterSpace(
    (
        Parameter("cutoff", "continuous", 0.0, 1.0, 0.0, switch="filter_on"),
        Parameter("lfo_rate", "continuous", 0.0, 1.0, 0.0, source="lfo_1"),
        Parameter("lfo_phase", "continuous", 0.0, 1.0, 0.0, source="lfo_1", switch="filter_on"),
        switch("osc_on"),
        switch("filter_on", behind="osc_on"),
        continuous("level"),
    ),
    sources=("lfo_1", "lfo_2"),
    destinations=("level",),
    modulation_slots=2,
)


def audible(values=(), modulations=(), space=GATED):
    mask = space.audible(Patch(dict.fromkeys(values, 1.0), modulations))
    assert mask.dtype == np.bool_
    return {name for name, heard in zip(space.names, mask, strict=True) if heard}


def test_a_parameter_is_audible_if_every_switch_up_the_chain_is_on():
    assert audible() == {"osc_on", "level"}
    assert audible(["filter_on"]) == {"osc_on", "level"}
    assert audible(["osc_on"]) == {"osc_on", "level", "filter_on"}
    assert audible(["osc_on", "filter_on"]) == {"osc_on", "level", "filter_on", "cutoff"}


def test_a_source_that_nothing_uses_is_inaudible():
    used, idle = Modulation("lfo_1", "level", 0.5), Modulation("lfo_2", "level", 0.5)
    assert "lfo_rate" not in audible(modulations=(idle,))
    assert "lfo_rate" not in audible(modulations=(Modulation("lfo_1", "level", 0.5, bypass=True),))
    assert "lfo_rate" in audible(modulations=(idle, used))
    assert "lfo_phase" not in audible(modulations=(used,))
    assert "lfo_phase" in audible(["osc_on", "filter_on"], (used,))


def test_a_fixed_switch_gates_though_it_is_no_column():
    off, on = (
        ParameterSpace((switch("on"), Parameter("x", "continuous", 0, 1, 0, switch="on")), {"on": v})
        for v in (0.0, 1.0)
    )
    assert off.names == on.names == ("x",)
    assert audible(space=off) == set()
    assert audible(space=on) == {"x"}


HELD = ParameterSpace(
    (continuous("cutoff", 0.0, 10.0), continuous("drive"), switch("on")),
    fixed={"drive": 0.25},
    held={"cutoff": 4.0},
)


def test_what_is_held_is_in_the_label_and_not_drawn():
    assert HELD.names == ("cutoff", "on")
    assert HELD.drawn.names == ("on",)
    assert HELD.drawn.fixed == {"drive": 0.25, "cutoff": 4.0}
    assert HELD.decode(HELD.encode(Patch({"on": 1.0}))).values == {"drive": 0.25, "cutoff": 4.0, "on": 1.0}
    assert HELD.decode(HELD.encode(Patch({"cutoff": 5.0}))).values["cutoff"] == 5.0
    assert ParameterSpace.from_json(json.loads(json.dumps(HELD.to_json()))) == HELD
    assert HELD.drawn.drawn is HELD.drawn


TABLES = ParameterSpace(
    (
        Parameter(
            "wave",
            "categorical",
            0.0,
            2.0,
            0.0,
            choices=("Init", "Saw", "Bell"),
            slot="table",
            contents=("a", "b", "c"),
        ),
        continuous("level"),
    ),
    assets={"table": "a", "lfo": "z"},
)


@pytest.mark.parametrize(
    ("patch", "wave", "table"),
    [
        (Patch(), 0, "a"),
        (Patch({"wave": 2.0}), 2, "c"),
        (Patch(assets={"table": "b"}), 1, "b"),
        (Patch({"wave": 2.0}, assets={"table": "b"}), 1, "b"),  # what is in the slot is what sounds
    ],
)
def test_a_parameter_that_chooses_an_asset_agrees_with_its_slot(patch, wave, table):
    label = TABLES.encode(patch)
    assert (label.categorical.tolist(), label.assets) == ([wave], {"table": table, "lfo": "z"})
    assert TABLES.encode(TABLES.decode(label)).assets == label.assets
    assert TABLES.decode(label).values["wave"] == wave


def test_an_asset_that_is_no_choice_is_refused():
    with pytest.raises(SpaceError, match="the slot 'table' is not a choice of wave"):
        TABLES.encode(Patch(assets={"table": "q"}))


def test_a_chooser_that_is_fixed_keeps_its_slot():
    fixed = ParameterSpace(TABLES.parameters, fixed={"wave": 1.0}, assets=TABLES.assets)
    assert fixed.encode(Patch()).assets["table"] == "b"
    with pytest.raises(SpaceError, match="fixes at 1"):
        fixed.encode(Patch(assets={"table": "c"}))


def test_a_chooser_needs_its_slot_and_an_asset_for_each_choice():
    with pytest.raises(SpaceError, match="does not have"):
        ParameterSpace(TABLES.parameters)
    with pytest.raises(SpaceError, match="1 assets for 3 choices"):
        Parameter("wave", "categorical", 0.0, 2.0, 0.0, slot="table", contents=("a",))


def test_a_parameter_may_be_gated_by_the_choice_of_another():
    space = space_of(
        Parameter("model", "categorical", 0.0, 2.0, 0.0, choices=("comb", "formant", "phase")),
        Parameter("x", "continuous", 0.0, 1.0, 0.0, when=(("model", (1, 2)),)),
    )
    assert [bool(space.audible(Patch({"model": m}))[0]) for m in (0.0, 1.0, 2.0)] == [False, True, True]
    assert ParameterSpace.from_json(json.loads(json.dumps(space.to_json()))) == space
    with pytest.raises(SpaceError, match="gated by 'model'"):
        space_of(Parameter("x", "continuous", 0.0, 1.0, 0.0, when=(("model", (1,)),)))
