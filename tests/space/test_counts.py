"""Parameters that have fewer values beside some values of another: what is drawn of them, and what a label has."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.strategies import categorical, continuous, space_of

from tonesmith.errors import SpaceError
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Patch
from tonesmith.space.sampling import patch_at, uniform
from tonesmith.space.space import ParameterSpace

KIND = categorical("kind", 3)
SUBTYPE = replace(categorical("subtype", 6), by="kind", counts=(1, 4, 0))
SHAPE = replace(continuous("shape", -1.0, 3.0), by="kind", counts=(0, 5, 2), margin=0.25)
SPACE = space_of(KIND, SUBTYPE, SHAPE)


def drawn(space: ParameterSpace, count: int = 3000) -> list[Patch]:
    return [patch_at(space, uniform(0, "counts", i, 0, len(space.names)), "uniform") for i in range(count)]


def decoded(space: ParameterSpace, **values: float) -> dict[str, float]:
    return dict(space.decode(space.encode(Patch(values))).values)


def test_only_what_is_there_is_drawn_and_each_as_often():
    patches = drawn(SPACE)
    subtypes = [Counter(p.values["subtype"] for p in patches if p.values["kind"] == kind) for kind in range(3)]
    shapes = [Counter(p.values["shape"] for p in patches if p.values["kind"] == kind) for kind in range(3)]

    assert [sorted(counter) for counter in subtypes] == [[0.0], [0.0, 1.0, 2.0, 3.0], [*map(float, range(6))]]
    assert (len(shapes[0]), sorted(shapes[1]), sorted(shapes[2])) == (
        shapes[0].total(),
        [0.0, 0.5, 1.0, 1.5, 2.0],
        [0.0, 2.0],
    )
    for counter in (*subtypes, *shapes[1:]):
        assert min(counter.values()) > 0.7 * counter.total() / len(counter)


def test_a_drawn_patch_is_its_own_label():
    for patch in drawn(SPACE, 200):
        assert decoded(SPACE, **patch.values) == pytest.approx(dict(patch.values), abs=1e-6)


def test_a_value_that_is_not_there_becomes_the_nearest_in_the_label():
    assert decoded(SPACE, kind=0, subtype=5, shape=0.7) == {"kind": 0, "subtype": 0, "shape": pytest.approx(0.7)}
    assert decoded(SPACE, kind=1, subtype=5, shape=0.7) == {"kind": 1, "subtype": 3, "shape": 0.5}
    assert decoded(SPACE, kind=2, subtype=5, shape=3.0) == {"kind": 2, "subtype": 5, "shape": 2.0}


@given(st.integers(0, 2), st.floats(-1.0, 3.0), st.integers(0, 5))
@example(0, -0.8432257282838318, 0)  # which two labels stand for
def test_a_label_that_was_decoded_is_encoded_as_one_of_the_same_values(kind, shape, subtype):
    patch = SPACE.decode(SPACE.encode(Patch({"kind": kind, "shape": shape, "subtype": subtype})))
    assert SPACE.decode(SPACE.encode(patch)).values == patch.values


def test_the_other_parameter_may_be_fixed_or_held_or_left_out():
    assert {p.values["subtype"] for p in drawn(replace(SPACE, fixed={"kind": 1.0}), 200)} == {0.0, 1.0, 2.0, 3.0}
    assert {p.values["subtype"] for p in drawn(replace(SPACE, held={"kind": 0.0}).drawn, 50)} == {0.0}
    assert decoded(SPACE, subtype=3)["subtype"] == 0.0


def test_ranges_and_weights_hold_for_what_is_there():
    narrowed = space_of(
        KIND, replace(SUBTYPE, weights=(0.0, 1.0, 0.0, 0.0, 0.0, 0.0)), replace(SHAPE, within=(0.4, 1.6))
    )
    patches = drawn(narrowed, 500)

    assert {p.values["subtype"] for p in patches if p.values["kind"] == 1} == {1.0}
    assert {p.values["subtype"] for p in patches if p.values["kind"] == 0} == {0.0}, "the only one that there is"
    assert {p.values["shape"] for p in patches if p.values["kind"] == 1} == {0.5, 1.0, 1.5}


def test_a_space_without_such_parameters_is_drawn_and_written_as_before():
    plain = space_of(KIND, categorical("subtype", 6), continuous("shape", -1.0, 3.0))
    assert "counts" not in json.dumps(plain.to_json())
    unit = np.array([0.3, 0.5, 0.99])
    assert patch_at(plain, unit, "uniform").values == {"shape": pytest.approx(0.2), "kind": 1.0, "subtype": 5.0}


def test_counts_survive_json():
    assert ParameterSpace.from_json(json.loads(json.dumps(SPACE.to_json()))) == SPACE


@pytest.mark.parametrize(
    ("parameter", "told"),
    [
        (lambda: space_of(KIND, replace(SUBTYPE, counts=(1, 2))), "2 numbers of values, for the choices of 'kind'"),
        (lambda: space_of(SUBTYPE), "'kind', which is not a categorical parameter"),
        (lambda: replace(SUBTYPE, counts=(1, 7, 0)), "numbers of values up to 6"),
        (lambda: replace(SHAPE, margin=0.5), "a margin below 0.5"),
        (lambda: Parameter("a", "continuous", 0.0, 1.0, 0.0, counts=(1,)), "for each choice of another parameter"),
    ],
)
def test_counts_that_fit_nothing_are_refused(parameter, told):
    with pytest.raises(SpaceError, match=told):
        parameter()
