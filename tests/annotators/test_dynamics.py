"""Level and shape of scores, by their velocities."""

from __future__ import annotations

import numpy as np
import pytest

from tonesmith.annotators.dynamics import LEVELS, Dynamics
from tonesmith.host.roles import Subject
from tonesmith.score.score import Score
from tonesmith.testing import AnnotatorContract


def played(velocities):
    return Score.of([(i / 2, 0.5, 60 + i % 7, int(v)) for i, v in enumerate(velocities)])


def said(velocities):
    found = Dynamics(Dynamics.Options()).annotate(Subject("x", score=lambda: played(velocities)))
    return {one.name: one.value for one in found}


class TestDynamics(AnnotatorContract):
    annotator = Dynamics

    def make_subject(self):
        return Subject("x", ("x.mid",), score=lambda: played(np.linspace(40, 100, 32)))


@pytest.mark.parametrize(("level", "velocity"), LEVELS.items())
def test_the_level_is_the_marking_nearest_to_the_median(level, velocity):
    assert said(velocity + np.tile([-3, 0, 3, 0], 8)) == {"dynamic_level": level, "dynamic_shape": "level"}


@pytest.mark.parametrize(
    ("velocities", "shape"),
    [
        (np.linspace(40, 100, 32), "crescendo"),
        (np.linspace(100, 40, 32), "decrescendo"),
        (100 - 60 * np.abs(np.linspace(-1, 1, 32)), "swell"),
        (40 + 60 * np.abs(np.linspace(-1, 1, 32)), None),
        (np.random.default_rng(1).integers(20, 120, 64), None),
    ],
)
def test_a_shape_is_said_where_one_fits(velocities, shape):
    assert said(velocities).get("dynamic_shape") == shape


def test_nothing_is_said_of_one_velocity_or_few_notes():
    assert said([90] * 64) == {}
    assert said([50, 60, 70]) == {}
