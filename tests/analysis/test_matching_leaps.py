"""Leaps of a search: labels as points, what a surrogate foretells of them, and which are tried."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tonesmith.analysis.matching import surrogate as module
from tonesmith.analysis.matching.kin import children, neighbours
from tonesmith.analysis.matching.leaps import Leaps, expected_gain
from tonesmith.analysis.matching.points import Chart, Heard
from tonesmith.analysis.matching.search import search
from tonesmith.analysis.matching.surrogate import Surrogate
from tonesmith.analysis.matching.trials import Trial
from tonesmith.space.label import Label
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Modulation
from tonesmith.space.space import ParameterSpace

CELLS = 40


@pytest.fixture
def space() -> ParameterSpace:
    return ParameterSpace(
        (
            *(
                Parameter(f"osc_{name}", "continuous", 0.0, 1.0, 0.5, group="osc")
                for name in ("level", "tune", "phase")
            ),
            *(
                Parameter(f"filter_{name}", "continuous", 0.0, 1.0, 0.5, group="filter", switch="filter")
                for name in "ab"
            ),
            Parameter("filter", "categorical", 0, 1, 0, group="filter"),
            Parameter("filter_model", "categorical", 0, 3, 0, group="filter", switch="filter"),
            Parameter("osc_wave", "categorical", 0, 1, 0, group="osc", slot="table", contents=("a" * 64, "b" * 64)),
        ),
        assets={"table": "a" * 64},
        sources=("lfo",),
        destinations=("osc_tune",),
        modulation_slots=1,
    )


@pytest.fixture
def chart(space: ParameterSpace) -> Chart:
    return Chart(space)


def label_of(space: ParameterSpace, continuous: Any, categorical: Any, *modulations: Modulation) -> Label:
    return Label.from_parts(space, continuous, categorical, modulations)


def drawn(space: ParameterSpace, count: int, seed: int = 0) -> list[Label]:
    random = np.random.default_rng(seed)
    kinds = [p.count for p in space.categorical]
    return [label_of(space, random.random(len(space.continuous)), random.integers(kinds)) for _ in range(count)]


def levels_of(heard: Heard) -> NDArray[np.float32]:
    """Return what a made synth sounds like: osc_level and osc_tune matter most, osc_phase never."""
    level, tune, _, first, second = heard.continuous.T[:, :, None]
    cell = np.linspace(0.0, 1.0, CELLS)
    peak = np.exp(-(((cell - 0.2 - 0.6 * tune) / 0.25) ** 2))
    formant = (heard.kinds[:, [1]] + 1.0) * np.cos(3.0 * cell * (1.0 + first)) * (0.5 + second)
    return np.asarray(level * 30.0 * peak + 2.0 * np.where(heard.kinds[:, [0]] == 1, formant, 0.0), np.float32) / CELLS


class Synth:
    """In place of :class:`Trials`: measures labels by :func:`levels_of`, and keeps what was asked for."""

    def __init__(self, chart: Chart, target: Label, renders: int, failing: float = 0.0) -> None:
        self.chart, self.left, self.failing = chart, renders, failing
        self.done, self.asked = 0, list[Label]()
        self.best: Any = None
        self.distance = SimpleNamespace(levels=levels_of(chart.heard(chart.points_of([target])))[0])

    def trial(self, label: Label) -> Trial:
        levels = levels_of(self.chart.heard(self.chart.points_of([label])))[0]
        return Trial(label, float(np.abs(levels - self.distance.levels).sum(dtype=np.float64)), levels)

    def of(self, labels: list[Label]) -> list[Trial]:
        labels = labels[: self.left]
        self.left, self.done, self.asked = self.left - len(labels), self.done + len(labels), self.asked + labels
        found = [Trial(label, 1000.0) if label.continuous[0] < self.failing else self.trial(label) for label in labels]
        best = min([*found, *([self.best.trial] if self.best else [])], key=lambda trial: trial.distance)
        self.best = SimpleNamespace(trial=best)
        return found


def leapt(chart: Chart, seed: int = 0, **options: Any) -> Synth:
    """Return a made synth after 60 renders of a search for a label, from 20 others."""
    synth: Any = Synth(chart, label_of(chart.space, [0.8, 0.3, 0.5, 0.7, 0.2], [1, 2, 0]), 60, **options)
    known = [synth.trial(label) for label in drawn(chart.space, 20)]
    synth.start = min(trial.distance for trial in known)
    Leaps(chart, synth, known, np.random.default_rng(seed)).until(0)
    return synth  # type: ignore[no-any-return]


def test_points_become_labels_again_with_their_modulations_and_assets(space: ParameterSpace, chart: Chart) -> None:
    lfo = Modulation("lfo", "osc_tune", 0.5)
    given = [*drawn(space, 5), label_of(space, [0.25] * 5, [1, 3, 1], lfo)]
    points = chart.points_of(given)
    for place, label in enumerate(given):
        again = chart.label_of(points, place)
        assert again.continuous.tolist() == label.continuous.tolist()
        assert again.categorical.tolist() == label.categorical.tolist()
        assert (again.modulations, again.assets) == (label.modulations, label.assets)
    assert len({int(rest) for rest in points.rests}) == 3


def test_labels_that_differ_in_what_the_gates_close_are_heard_as_equal(space: ParameterSpace, chart: Chart) -> None:
    closed = [label_of(space, [0.5, 0.5, 0.5, value, value], [0, choice, 0]) for value, choice in ((0.1, 1), (0.9, 3))]
    opened = [replace(label, categorical=label.categorical + np.int32([1, 0, 0])) for label in closed]
    heard = chart.heard(chart.points_of([*closed, *opened]))
    assert heard.key(0) == heard.key(1)
    assert len({heard.key(place) for place in range(4)}) == 3
    assert heard.mask.sum(axis=1).tolist() == [4, 4, 7, 7]  # never osc_wave, which fills a slot


def test_distances_of_labels_that_were_never_heard_are_foretold(space: ParameterSpace, chart: Chart) -> None:
    synth = Synth(chart, label_of(space, [0.8, 0.3, 0.5, 0.7, 0.2], [1, 2, 0]), 0)
    known = [synth.trial(label) for label in drawn(space, 120)]
    heard = chart.heard(chart.points_of([trial.label for trial in known]))
    distances = np.array([trial.distance for trial in known])
    surrogate = Surrogate(synth.distance.levels)
    surrogate.learn(heard, np.array([trial.levels for trial in known]), distances)
    others = drawn(space, 60, seed=1)
    truth = np.array([synth.trial(label).distance for label in others])
    unheard = chart.heard(chart.points_of(others))
    foretold, doubts = surrogate.foretell(unheard)
    assert np.abs(foretold - truth).mean() < 0.25 * np.abs(truth - np.median(truth)).mean()
    again, sure = surrogate.foretell(heard)
    assert np.abs(again - distances).max() < 0.1 * distances.max()
    assert sure.max() < doubts.mean()
    assert np.allclose(np.sqrt(np.diag(surrogate.joint_doubts(unheard))), doubts, atol=1e-3)

    moved = replace(unheard, continuous=unheard.continuous.copy())
    moved.continuous[:, 2] = 1.0 - moved.continuous[:, 2]  # osc_phase: the fit has found that it does not matter
    by_phase = np.abs(surrogate.foretell(moved)[0] - foretold)
    moved.continuous[:, :2] = 1.0 - unheard.continuous[:, :2]
    assert by_phase.mean() < 0.1 * np.abs(surrogate.foretell(moved)[0] - foretold).mean()


def test_the_slope_of_a_fit_is_that_of_its_value(space: ParameterSpace, chart: Chart) -> None:
    heard = chart.heard(chart.points_of(drawn(space, 12)))
    patterns = levels_of(heard).astype(np.float64)[:, ::8]
    products, apart = patterns @ patterns.T, module._squares(heard)
    logs = np.random.default_rng(1).normal(-0.5, 0.3, len(apart) + 1)
    _, slope = module._unlikelihood(np.exp(logs), apart, products, patterns.shape[1])
    for place in range(len(logs)):
        away = np.zeros(len(logs))
        away[place] = 1e-3
        more, less = (
            module._unlikelihood(np.exp(logs + sign * away), apart, products, patterns.shape[1])[0] for sign in (1, -1)
        )
        assert slope[place] == pytest.approx((more - less) / 2e-3, rel=0.02, abs=0.02)


def test_a_fit_does_not_depend_on_the_order_in_which_sums_are_rounded(space: ParameterSpace, chart: Chart) -> None:
    synth = Synth(chart, label_of(space, [0.8, 0.3, 0.5, 0.7, 0.2], [1, 2, 0]), 0)
    known = [synth.trial(label) for label in drawn(space, 120)]
    fitted = []
    for order in (np.arange(120), np.random.default_rng(0).permutation(120)):
        trials = [known[place] for place in order]
        surrogate = Surrogate(synth.distance.levels)
        heard = chart.heard(chart.points_of([trial.label for trial in trials]))
        distances = np.array([trial.distance for trial in trials])
        surrogate.learn(heard, np.array([trial.levels for trial in trials]), distances)
        fitted.append(surrogate._logs)
    assert np.array_equal(*fitted)  # type: ignore[arg-type]


def test_a_fit_of_many_sounds_takes_the_nearest_and_the_last() -> None:
    distances = np.arange(1000.0)[::-1]
    chosen = module._fitted(distances, 80)
    assert len(chosen) == len(set(chosen.tolist())) == 250
    assert chosen[-166:].tolist() == list(range(834, 1000))
    assert chosen[0] == 834 - 84
    assert len(module._fitted(distances, 2000)) == 63
    assert module._fitted(distances[:9], 80).tolist() == list(range(9))


@given(st.floats(-50.0, 50.0), st.floats(0.0, 20.0))
def test_an_expected_gain_lies_between_none_and_all_of_it(nearer: float, doubt: float) -> None:
    gain = expected_gain(np.array([nearer]), np.array([doubt]))[0]
    assert max(nearer, 0.0) - 1e-6 <= gain <= max(nearer, 0.0) + 0.4 * doubt + 1e-6


def test_expected_gains_are_those_of_a_normal_distribution() -> None:
    random = np.random.default_rng(0).normal(size=200_000)
    for nearer, doubt in ((0.0, 1.0), (-1.0, 2.0), (0.5, 0.5)):
        gain = expected_gain(np.array([nearer]), np.array([doubt]))[0]
        assert gain == pytest.approx(np.maximum(nearer + doubt * random, 0.0).mean(), rel=0.02)


def test_neighbours_differ_in_a_parameter_a_module_or_modulations(space: ParameterSpace, chart: Chart) -> None:
    best = label_of(space, [0.5] * 5, [1, 0, 0])
    lenders = [
        label_of(space, [0.25] * 5, [0, 3, 1]),
        label_of(space, [0.75] * 5, [1, 1, 0], Modulation("lfo", "osc_tune", 0.5)),
    ]
    point, lent = chart.points_of([best]), chart.points_of(lenders)
    found = neighbours(chart, point, chart.heard(point).mask[0], lent, np.random.default_rng(0))
    labels = [chart.label_of(found, place) for place in range(len(found))]
    single, modules, rests = labels[:54], labels[54:58], labels[58:]
    for label in single:
        assert np.sum(label.continuous != best.continuous) + np.sum(label.categorical != best.categorical) == 1
        assert label.assets == best.assets
    assert [label.continuous.tolist() for label in modules] == [
        [0.5, 0.5, 0.5, 0.25, 0.25],
        [0.5, 0.5, 0.5, 0.75, 0.75],
        [0.25, 0.25, 0.25, 0.5, 0.5],
        [0.75, 0.75, 0.75, 0.5, 0.5],
    ]
    assert [label.categorical.tolist() for label in modules] == [[0, 3, 0], [1, 1, 0], [1, 0, 0], [1, 0, 0]]
    assert [(label.assets, label.modulations) for label in rests] == [
        (lender.assets, lender.modulations) for lender in lenders
    ]
    assert all(label.continuous.tolist() == best.continuous.tolist() for label in rests)


def test_children_have_values_of_their_parents_or_audible_changes(space: ParameterSpace, chart: Chart) -> None:
    parents = chart.points_of([label_of(space, [0.25] * 5, [0, 0, 0]), label_of(space, [0.75] * 5, [0, 2, 1])])
    mask = chart.heard(parents).mask
    born = children(chart, parents, mask, np.array([0.5, 0.5]), 400, np.random.default_rng(0))
    assert set(np.unique(born.continuous[:, 3:])) == {0.25, 0.75}  # the filter is off: nobody hears a change
    assert set(np.unique(born.categorical[:, 1:])) == {0, 1, 2}
    assert set(np.unique(born.categorical[:, 0])) == {0, 1}
    changed = ~np.isin(born.continuous[:, :3], [0.25, 0.75])
    assert set(changed.sum(axis=1).tolist()) == {0, 2, 3}
    assert (born.continuous.min(), born.continuous.max()) >= (0.0, 0.0)
    assert born.continuous.max() <= 1.0
    assert set(born.rests.tolist()) == {0, 1}


def test_leaps_come_near_with_few_renders_and_try_nothing_twice(chart: Chart) -> None:
    synth: Any = leapt(chart)
    assert synth.best.trial.distance < 0.1 * synth.start
    assert synth.left == 0
    heard = chart.heard(chart.points_of(synth.asked))
    assert len({heard.key(place) for place in range(len(heard))}) == len(synth.asked) == 60
    strays = [Synth.trial(synth, label).distance for label in drawn(chart.space, 60, seed=2)]
    assert synth.best.trial.distance < 0.3 * min(strays)


def test_leaps_are_the_same_each_time_and_others_with_another_seed(chart: Chart, space: ParameterSpace) -> None:
    one, again, other = leapt(chart), leapt(Chart(space)), leapt(chart, seed=1)
    assert [label.continuous.tolist() for label in one.asked] == [label.continuous.tolist() for label in again.asked]
    assert [label.continuous.tolist() for label in one.asked] != [label.continuous.tolist() for label in other.asked]


def test_what_cannot_be_rendered_is_not_learned_and_not_tried_again(chart: Chart) -> None:
    synth: Any = leapt(chart, failing=0.4)
    heard = chart.heard(chart.points_of(synth.asked))
    assert len({heard.key(place) for place in range(len(heard))}) == len(synth.asked)
    assert synth.best.trial.distance < 0.2 * synth.start


def test_leaps_end_when_everything_was_tried_and_wait_until_enough_was_heard() -> None:
    space = ParameterSpace((Parameter("wave", "categorical", 0, 3, 0),))
    chart = Chart(space)

    class Waves(Synth):
        def trial(self, label: Label) -> Trial:
            level = np.full(4, float(label.categorical[0]), np.float32)
            return Trial(label, float(level[0]), level)

    synth: Any = Waves.__new__(Waves)
    synth.chart, synth.left, synth.done, synth.asked, synth.best, synth.failing = chart, 50, 0, [], None, -1.0
    synth.distance = SimpleNamespace(levels=np.zeros(4, np.float32))
    synth.of = lambda labels: (synth.asked.extend(labels), [synth.trial(label) for label in labels])[1]
    known = [synth.trial(Label.from_parts(space, [], [choice])) for choice in (1, 2, 1, 2, 1, 2, 1)]
    Leaps(chart, synth, known, np.random.default_rng(0)).until(0)
    assert synth.asked == []
    Leaps(chart, synth, [*known, known[0]], np.random.default_rng(0)).until(0)
    assert sorted(int(label.categorical[0]) for label in synth.asked) == [0, 3]
    synth.asked.clear()
    broken = Trial(Label.from_parts(space, [], [0]), 1000.0)
    Leaps(chart, synth, [*known, known[0], broken], np.random.default_rng(0)).until(0)
    assert [int(label.categorical[0]) for label in synth.asked] == [3]


def test_leaps_and_a_climb_take_turns_and_come_near(space: ParameterSpace, chart: Chart) -> None:
    target = label_of(space, [0.8, 0.3, 0.5, 0.7, 0.2], [1, 2, 0])
    found = []
    for _ in range(2):
        synth: Any = Synth(chart, target, 120)
        known = [synth.trial(label) for label in drawn(space, 20)]
        search(space, synth, known[:3], known[3:], 0)
        assert synth.left == 0
        assert synth.best.trial.distance < 0.1 * min(trial.distance for trial in known)
        found.append([label.continuous.tolist() for label in synth.asked])
    assert found[0] == found[1]


def test_what_a_climb_tries_is_known_to_leaps(
    space: ParameterSpace, chart: Chart, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Label] = []
    real = Leaps.learn

    def learn(self: Leaps, trials: Any) -> None:
        told.extend(trial.label for trial in trials)
        real(self, trials)

    monkeypatch.setattr(Leaps, "learn", learn)
    synth: Any = Synth(chart, drawn(space, 1, seed=5)[0], 80)
    known = [synth.trial(label) for label in drawn(space, 20)]
    search(space, synth, known, [], 0)
    asked = [id(label) for label in synth.asked]
    assert {id(label) for label in told} >= set(asked[:-12])  # the last are those of CMA-ES
    assert len(told) > len(known)
