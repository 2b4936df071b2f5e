"""How modulations are drawn, and how the [space.modulations] table says so."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tonesmith.errors import SpaceError
from tonesmith.host.roles import Options, Sampler
from tonesmith.samplers.lhs import Lhs, LhsOptions
from tonesmith.samplers.sobol import Sobol, SobolOptions
from tonesmith.samplers.uniform import Uniform, UniformOptions
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Candidate, Patch
from tonesmith.space.routing import Routing
from tonesmith.space.sampling import modulations_at
from tonesmith.space.shape import ModulationShape, SpaceShape, shaped
from tonesmith.space.space import ParameterSpace

SOURCES = ("lfo_1", "lfo_2", "env_2", "random")
ENGINE = ParameterSpace(
    (
        Parameter("cutoff", "continuous", 0.0, 1.0, 0.5, group="filter"),
        Parameter("drive", "continuous", 0.0, 1.0, 0.5, group="filter"),
        Parameter("level", "continuous", 0.0, 1.0, 0.5, group="osc"),
    ),
    sources=SOURCES,
    destinations=("cutoff", "drive", "level"),
    modulation_slots=64,
)


def space(**changes):
    return shaped(ENGINE, SpaceShape(modulations=ModulationShape()), SpaceShape(modulations=ModulationShape(**changes)))


def draws(of, count=2000, seed=3):
    return [modulations_at(of, seed, Candidate(i)) for i in range(count)]


@pytest.mark.parametrize(("p", "most"), [(0.15, 20), (0.5, 3), (1.0, 5)])
def test_the_number_of_modulations_is_geometric_and_truncated(p, most):
    numbers = Counter(map(len, draws(space(p=p, most=most), 4000)))
    weights = np.array([(1 - p) ** k for k in range(most + 1)])
    expected = 4000 * weights[:13] / weights.sum()
    found = np.array([numbers[k] for k in range(len(expected))])
    pairs = len(SOURCES) * 3  # there are no more to connect
    assert max(numbers) == (0 if p == 1.0 else min(most, pairs))
    assert np.all(np.abs(found - expected)[: min(most, pairs)] < 5 * np.sqrt(expected + 1)[: min(most, pairs)])


def test_no_pair_comes_twice_and_the_order_is_that_of_no_list():
    drawn = [m for m in draws(space(p=0.02, most=12), 300) if len(m) > 8]
    pairs = [[(m.source, m.destination) for m in patch] for patch in drawn]
    assert len(pairs) > 20
    assert all(len(set(of)) == len(of) for of in pairs)
    assert any(of != sorted(of) for of in pairs)


def test_weights_give_sources_and_destinations_their_share():
    of = space(p=0.6, sources={"lfo_*": 1, "env_2": 2, "lfo_2": 0}, destinations={"filter": 3, "level": 2, "drive": 1})
    first = Counter((m[0].source, m[0].destination) for m in draws(of, 6000) if m)
    total = sum(first.values())
    share = {pair: count / total for pair, count in first.items()}
    assert {source for source, _ in share} == {"lfo_1", "env_2"}
    for source, a in (("lfo_1", 1 / 3), ("env_2", 2 / 3)):
        for destination, b in (("cutoff", 3 / 6), ("drive", 1 / 6), ("level", 2 / 6)):
            assert share[source, destination] == pytest.approx(a * b, abs=0.03)


def test_settings_are_drawn_from_their_ranges():
    found = [m for patch in draws(space(amount=(0.2, 0.4), power=(-3, 2), bipolar=0.25, stereo=0.0)) for m in patch]
    amounts, powers = np.array([[m.amount, m.power] for m in found]).T
    for values, (low, high) in ((amounts, (0.2, 0.4)), (powers, (-3.0, 2.0))):
        assert low <= values.min() < low + 0.1
        assert high - 0.1 < values.max() <= high
    assert np.mean([m.bipolar for m in found]) == pytest.approx(0.25, abs=0.02)
    assert not any(m.stereo or m.bypass for m in found)


@given(st.integers(0, 2**40), st.integers(0, 20), st.integers(0, 2**62))
@settings(max_examples=40)
def test_a_draw_is_a_function_of_seed_and_candidate_and_fits_the_space(patch, attempt, seed):
    of = space()
    once = modulations_at(of, seed, Candidate(patch, attempt))
    stored = ParameterSpace.from_json(json.loads(json.dumps(of.to_json())))
    assert once == modulations_at(stored, seed, Candidate(patch, attempt))
    label = of.encode(Patch(modulations=once))
    assert of.encode(of.decode(label)).modulations == label.modulations
    assert [(m.source, m.destination) for m in label.modulations] == [(m.source, m.destination) for m in once]


@pytest.mark.parametrize(("sampler", "options"), [(Lhs, LhsOptions), (Sobol, SobolOptions), (Uniform, UniformOptions)])
def test_every_sampler_that_draws_from_ranges_draws_modulations(
    sampler: type[Sampler[Options]], options: type[Options]
) -> None:
    drawn = sampler(options(), space(), 5, (40,))
    patches = [drawn.draw(Candidate(i)) for i in range(40)]
    assert sum(len(p.modulations) for p in patches) > 80
    assert drawn.draw(Candidate(3, 1)).modulations != drawn.draw(Candidate(3)).modulations
    silent = sampler(options(), shaped(ENGINE, SpaceShape(), SpaceShape()), 5, (40,))
    assert not any(silent.draw(Candidate(i)).modulations for i in range(40))


def test_a_space_without_modulations_has_no_room_for_them_in_its_labels():
    for user in (SpaceShape(), SpaceShape(modulations=ModulationShape(most=0))):
        plain = shaped(ENGINE, SpaceShape(), user)
        assert (plain.routing, plain.modulation_slots, plain.sources, plain.destinations) == (None, 0, (), ())


def test_what_the_user_sets_is_laid_over_what_the_backend_has():
    base = SpaceShape(modulations=ModulationShape(p=0.5, sources={"lfo_1": 1}))
    routing = shaped(ENGINE, base, SpaceShape(modulations=ModulationShape(most=2))).routing
    assert routing == Routing(p=0.5, most=2, sources={"lfo_1": 1})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sources": {"lfo_9": 1}}, r"unknown source 'lfo_9'. Did you mean 'lfo_"),
        ({"destinations": {"osc_*": 1}}, "unknown destination"),
        ({"destinations": {"filter": 0}}, "leaves nothing with a weight"),
        ({"sources": {"random": -1}}, "must be a finite weight"),
        ({"amount": (1, -1)}, r"amount = \[1.0, -1.0\] is not \[low, high\]"),
    ],
)
def test_a_wrong_table_says_what_is_wrong(changes, said):
    with pytest.raises(SpaceError, match=said) as caught:
        space(**changes)
    assert caught.value.path[:2] == ("space", "modulations")


def test_modulations_of_a_synth_that_has_none_are_refused():
    bare = ParameterSpace(ENGINE.parameters)
    with pytest.raises(SpaceError, match="no modulations"):
        shaped(bare, SpaceShape(), SpaceShape(modulations=ModulationShape(p=0.5)))
