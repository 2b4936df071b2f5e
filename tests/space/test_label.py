"""A label made of the arrays that a network predicts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tonesmith.errors import SpaceError
from tonesmith.space.label import Label
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Modulation
from tonesmith.space.space import ParameterSpace
from tonesmith.testing.synthetic import ASSETS, synthetic_space

SPACE = synthetic_space()
WAVES = sorted(ASSETS)


def test_arrays_become_a_label_with_the_same_bits() -> None:
    given = np.array([0.1, 0.7], np.float32)
    routed = (Modulation("lfo_1", "cutoff", 0.5, 1.0, True),)
    label = Label.from_parts(SPACE, given, [1, 2], routed, {"wave": WAVES[1]})
    assert label.continuous.tobytes() == given.tobytes()
    assert (label.continuous.dtype, label.categorical.dtype) == (np.float32, np.int32)
    assert (label.categorical.tolist(), label.modulations) == ([1, 2], routed)
    assert label.assets == {**SPACE.assets, "wave": WAVES[1]}
    assert SPACE.decode(label).values["slope"] == 3.0


def test_scores_of_each_choice_give_the_highest() -> None:
    label = Label.from_parts(SPACE, [0.0, 1.0], [-3.0, -2.5, 0.1, 9.0, -1.0])
    assert label.categorical.tolist() == [1, 1]
    assert Label.from_parts(SPACE, [0.0, 1.0], [1.0, 1.0, -np.inf, -np.inf, 0.0]).categorical.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("continuous", "categorical", "told"),
    [
        ([0.5, np.nan], [0, 0], "cutoff is not a number"),
        ([0.5, 1.25], [0, 0], r"cutoff is 1\.25 in the label, which is not in \[0, 1\]"),
        ([-np.inf, 0.5], [0, 0], "level is -inf"),
        ([0.5], [0, 0], r"continuous values of shape \(1,\); expected \(2,\), from level to cutoff"),
        ([[0.5, 0.5]], [0, 0], r"continuous values of shape \(1, 2\)"),
        ([0.5, 0.5], [0, 0, 0], r"categorical values of shape \(3,\); expected \(2,\) for indices, or \(5,\)"),
        ([0.5, 0.5], [0, 3], "slope is 3 in the label, which is no index of its 3 choices"),
        ([0.5, 0.5], [0, 0.5], r"slope is 0\.5 in the label"),
        ([0.5, 0.5], [0, 1, np.nan, 0, 0], "a choice of slope has a score that is not a number"),
        (["loud", 0.5], [0, 0], "continuous values of the label are not numbers"),
    ],
)
def test_what_is_wrong_with_an_array_is_told_by_the_name_of_the_parameter(
    continuous: Any, categorical: Any, told: str
) -> None:
    with pytest.raises(SpaceError, match=told):
        Label.from_parts(SPACE, continuous, categorical)


def test_values_outside_the_range_are_clipped_on_request_but_nan_never_is() -> None:
    assert Label.from_parts(SPACE, [-3.0, np.inf], [0, 0], outside="clip").continuous.tolist() == [0.0, 1.0]
    with pytest.raises(SpaceError, match="level is not a number"):
        Label.from_parts(SPACE, [np.nan, 0.0], [0, 0], outside="clip")


def test_modulations_and_assets_of_another_space_are_refused() -> None:
    for parts, told in (
        ({"modulations": [Modulation("lfo_9", "cutoff")]}, "unknown modulation source 'lfo_9'"),
        ({"modulations": [Modulation("lfo_1", "cutoff")] * 4}, "has 4 modulations; this space holds 3"),
        ({"assets": {"wav": WAVES[0]}}, "unknown asset slot 'wav'"),
    ):
        with pytest.raises(SpaceError, match=told):
            Label.from_parts(SPACE, [0.5, 0.5], [0, 0], **parts)  # type: ignore[arg-type]


def test_a_slot_holds_what_its_parameter_chooses_and_values_that_are_not_there_become_the_nearest() -> None:
    chooser = Parameter("table", "categorical", 0, 1, 0, slot="wave", contents=(WAVES[0], WAVES[2]))
    kind = Parameter("kind", "categorical", 0, 1, 0)
    sub = Parameter("sub", "categorical", 0, 3, 0, by="kind", counts=(2, 4))
    space = ParameterSpace((chooser, kind, sub), assets={"wave": WAVES[0]})
    label = Label.from_parts(space, (), [1, 0, 3])
    assert label.assets == {"wave": WAVES[2]}
    assert label.categorical.tolist() == [1, 0, 1]
    assert Label.from_parts(space, (), [1, 1, 3]).categorical.tolist() == [1, 1, 3]
