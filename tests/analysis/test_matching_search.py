"""How a search for a match goes on: what is changed, whose turn it is, what is foretold, and when it gives up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tonesmith.analysis.matching.climb import Climb
from tonesmith.analysis.matching.distance import FAILED
from tonesmith.analysis.matching.forecast import Forecast
from tonesmith.analysis.matching.moves import Move, audible_of, modules_of, moved, other_choices
from tonesmith.analysis.matching.search import TOGETHER, refine
from tonesmith.analysis.matching.trials import Trial
from tonesmith.analysis.matching.turns import Turns
from tonesmith.space.label import Label
from tonesmith.space.parameter import Parameter
from tonesmith.space.space import ParameterSpace


@pytest.fixture
def space() -> ParameterSpace:
    return ParameterSpace(
        (
            Parameter("level", "continuous", 0.0, 1.0, 0.5),
            Parameter("cutoff", "continuous", 0.0, 1.0, 0.5, switch="filter"),
            Parameter("filter", "categorical", 0, 1, 0),
            Parameter("slope", "categorical", 0, 3, 0, switch="filter"),
            Parameter("semitones", "categorical", -48, 48, 0),
            Parameter("wave", "categorical", 0, 1, 0, slot="table", contents=("a" * 64, "b" * 64)),
        ),
        assets={"table": "a" * 64},
    )


def label_of(space: ParameterSpace, filtered: int) -> Label:
    return Label.from_parts(space, [0.5, 0.5], [filtered, 0, 48, 1])


def climb_from(space: ParameterSpace, start: Trial, seed: int = 0, target: Any = ()) -> Climb:
    return Climb(space, start, Forecast(np.array(target, np.float32)), np.random.default_rng(seed))


def test_only_what_the_gates_leave_audible_is_changed_and_assets_stay(space: ParameterSpace) -> None:
    names = [p.name for p in (*space.continuous, *space.categorical)]
    for filtered, audible in ((0, {"level", "filter", "semitones"}), (1, set(names) - {"wave"})):
        start = label_of(space, filtered)
        climb = climb_from(space, Trial(start, 10.0))
        changed: set[str] = set()
        for label in climb.ask(60):
            ours, theirs = (np.concatenate([one.continuous, one.categorical]) for one in (start, label))
            differ = [names[i] for i in np.flatnonzero(ours != theirs)]
            assert len(differ) <= 1
            assert label.assets == start.assets
            changed |= set(differ)
        assert changed == audible


def test_a_scale_is_left_by_steps_and_a_list_for_anything_else(space: ParameterSpace) -> None:
    label = label_of(space, 1)
    assert sorted(other_choices(space, label, 1, np.random.default_rng(0))) == [1, 2, 3]
    steps = {choice - 48 for choice in other_choices(space, label, 2, np.random.default_rng(0))}
    assert {-12, -1, 1, 12, 24} < steps
    assert len(steps) <= 13


def test_changes_that_help_alone_are_tried_together(space: ParameterSpace) -> None:
    start = Trial(label_of(space, 1), 10.0)
    climb = climb_from(space, start, 3)
    asked = climb.ask(4)
    together = climb.tell([Trial(label, 9.0) for label in asked])
    assert len(together) == 2
    differ = [np.sum(one.continuous != start.label.continuous) for one in (*asked, together[-1])]
    kinds = [np.sum(one.categorical != start.label.categorical) for one in (*asked, together[-1])]
    assert differ[-1] + kinds[-1] == sum(differ[:-1]) + sum(kinds[:-1])
    climb.settle([Trial(together[-1], 5.0)])
    assert climb.best.label is together[-1]


def test_a_step_grows_where_it_helps_and_shrinks_where_neither_way_does(space: ParameterSpace) -> None:
    climb = climb_from(space, Trial(label_of(space, 0), 10.0))
    knob = climb.knobs[0]
    before, sign = knob.step, knob.sign
    knob.failed()
    assert (knob.step, knob.sign) == (before, -sign)
    knob.failed()
    assert knob.step < before
    shorter = knob.step
    knob.helped()
    assert knob.step > shorter


def test_modules_are_groups_of_two_or_more_parameters_less_those_that_fill_an_asset_slot() -> None:
    space = ParameterSpace(
        (
            Parameter("cutoff", "continuous", 0.0, 1.0, 0.5, group="filter"),
            Parameter("slope", "categorical", 0, 3, 0, group="filter"),
            Parameter("attack", "continuous", 0.0, 1.0, 0.5, group="envelope"),
            Parameter("wave", "categorical", 0, 1, 0, group="table", slot="table", contents=("a" * 64, "b" * 64)),
            Parameter("phase", "continuous", 0.0, 1.0, 0.5, group="table"),
            Parameter("decay", "continuous", 0.0, 1.0, 0.5, group="envelope"),
            Parameter("volume", "continuous", 0.0, 1.0, 0.5, group="volume"),
        ),
        assets={"table": "a" * 64},
    )
    assert modules_of(space) == ["envelope", "filter"]


def test_opposites_of_changes_that_hurt_are_foretold_together(space: ParameterSpace) -> None:
    target = [3.5, -5.0, 0.0]
    start = Trial(label_of(space, 1), 8.5, np.zeros(3, np.float32))
    forecast = Forecast(np.array(target, np.float32))
    for place, levels in enumerate(([-2.0, 0.0, 0.0], [0.0, 4.0, 0.0])):
        away = np.array([0.5, 0.5])
        away[place] += 0.125
        label = Label.from_parts(space, away, start.label.categorical)
        forecast.learn(place, start, Trial(label, 12.0, np.array(levels, np.float32)))
    assert forecast.proposals(start, [0, 1]) == [[Move(True, 1, 0.375, False), Move(True, 0, 0.25, False)]]
    assert forecast.proposals(start, [0]) == [[Move(True, 0, 0.25, False)]]
    assert forecast.proposals(Trial(start.label, FAILED), [0, 1]) == []


def test_a_parameter_that_is_not_heard_rests_for_longer_and_longer(space: ParameterSpace) -> None:
    turns, label, rounds = Turns(space, np.random.default_rng(0)), label_of(space, 0), []
    for _ in range(14):
        heard = [turn for turn, _ in zip(turns.of(label), range(2 + (not rounds)), strict=False)]
        rounds.append((True, 0) in heard)
        for continuous, place in heard:
            turns.learn(Move(continuous, place, 0.0, False), 0.0 if continuous else 1.0)
    assert rounds[0]
    assert 1 < sum(rounds) < 6


def test_what_rested_has_its_turn_again_beside_another_best(space: ParameterSpace) -> None:
    start = label_of(space, 0)
    climb = climb_from(space, Trial(start, 10.0))

    def asked() -> list[Label]:
        return climb.ask(3)

    def changed(labels: list[Label]) -> int:
        rows = [np.concatenate([label.continuous, label.categorical]) for label in labels]
        return int((np.array(rows) != np.concatenate([start.continuous, start.categorical])).any(axis=0).sum())

    for _ in range(6):  # of the three that are audible, only a change of the level is heard
        climb.tell([Trial(label, 10.0 + float(label.continuous[0] != 0.5)) for label in asked()])
    assert changed(asked()) < 3
    climb.go_on_from(climb.best)
    assert changed(asked()) < 3
    climb.go_on_from(Trial(start, 9.0))
    assert changed(asked()) == 3


def test_cma_es_that_finds_nothing_gives_the_renders_back(space: ParameterSpace) -> None:
    class Flat:
        left = 500

        def of(self, labels: list[Label]) -> list[Trial]:
            self.left -= len(labels)
            return [Trial(label, 10.0) for label in labels]

    trials: Any = Flat()
    refine(space, trials, climb_from(space, Trial(label_of(space, 1), 10.0)), 0)
    assert trials.left == 500 - 2 * TOGETHER


def test_a_label_keeps_its_other_values_when_one_moves(space: ParameterSpace) -> None:
    start = label_of(space, 1)
    found = moved(space, start, [Move(True, 0, 0.75, False), Move(False, 2, 60, True)])
    assert found.continuous.tolist() == [0.75, 0.5]
    assert found.categorical.tolist() == [1, 0, 60, 1]
    assert found.assets == start.assets
    assert audible_of(space, start)[1].tolist() == [0, 1, 2]
