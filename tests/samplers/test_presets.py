"""The samplers that draw from presets, and the mix of samplers."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import PRESETS, terminal
from support.strategies import categorical, continuous, first_draws, space_of

from tonesmith import open_dataset
from tonesmith.api import composed
from tonesmith.dataset.verify import check_renders
from tonesmith.errors import ConfigError
from tonesmith.host.composition import compose
from tonesmith.host.registry import Host
from tonesmith.host.toml import TomlSource
from tonesmith.run.pipeline import run
from tonesmith.run.resolve import resolve_plan
from tonesmith.samplers._noise import bounded, gaussian
from tonesmith.samplers._parts import Claim, Unclaimed, layout, split
from tonesmith.samplers._presets import PATIENCE, Visits, another
from tonesmith.samplers.breed import Breed
from tonesmith.samplers.lhs import Lhs
from tonesmith.samplers.mix import Mix
from tonesmith.samplers.perturb import Perturb
from tonesmith.samplers.presets import Presets
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Candidate, Modulation, Patch, sha256_hex
from tonesmith.space.preset import Preset, with_choices
from tonesmith.space.sampling import key_of, patch_at, uniform
from tonesmith.space.space import ParameterSpace
from tonesmith.testing.sampler import SamplerContract, drawn, example_presets


def grouped(name: str, group: str, **changes: Any) -> Parameter:
    return replace(continuous(name), group=group, **changes)


def instrument() -> ParameterSpace:
    """A synth with two oscillators, a filter and an LFO; its release varies only because presets do."""
    on = Parameter("osc_2_on", "categorical", 0.0, 1.0, 0.0, choices=("off", "on"), group="osc_2")
    return ParameterSpace(
        (
            grouped("osc_1_level", "osc_1", within=(0.5, 1.0)),
            replace(continuous("osc_1_tune", -1.0, 1.0), group="osc_1"),
            replace(categorical("osc_1_wave", 5), group="osc_1"),
            on,
            grouped("osc_2_level", "osc_2", switch="osc_2_on"),
            replace(continuous("osc_2_tune", -1.0, 1.0), group="osc_2", switch="osc_2_on"),
            replace(continuous("filter_cutoff", 8.0, 136.0, within=(20.0, 100.0)), group="filter"),
            grouped("filter_resonance", "filter"),
            grouped("lfo_1_rate", "lfo_1", source="lfo_1"),
            grouped("release", "env"),
            continuous("volume", 0.0, 7399.44),
        ),
        fixed={"release": 0.25},
        sources=("lfo_1", "velocity"),
        destinations=("filter_cutoff", "osc_1_level"),
        modulation_slots=4,
        assets={slot: sha256_hex(b"init") for slot in ("wavetable_1", "wavetable_2", "lfo_1", "lines")},
        modules={"wavetable_1": "osc_1", "wavetable_2": "osc_2", "lfo_1": "lfo_1"},
    )


MODULES = {
    "osc_1": ("osc_1_level", "osc_1_tune", "osc_1_wave", "wavetable_1"),
    "osc_2": ("osc_2_on", "osc_2_level", "osc_2_tune", "wavetable_2"),
    "filter": ("filter_cutoff", "filter_resonance"),
    "env": ("release",),
    "volume": ("volume",),
    "routing": ("lfo_1_rate", "lfo_1", "lines", "modulations"),
}
"""What of an instrument belongs together."""


def collection(space: ParameterSpace, count: int = 12) -> tuple[Patch, ...]:
    """Presets with modulations and assets, each with values of its own; ``release`` is held, and theirs differ."""
    points = (uniform(3, "collection", i, 0, len(space.names)) for i in range(count))
    return tuple(
        Patch(
            {**patch_at(space, point, "").values, "release": (i + 1) / (count + 1)},
            (
                Modulation("lfo_1", "filter_cutoff", amount=0.9 - 0.1 * (i % 12), power=float(i)),
                Modulation("velocity", "osc_1_level", amount=0.3, bypass=True),
            ),
            {slot: sha256_hex(f"{slot} {i}".encode()) for slot in space.assets},
            preset=sha256_hex(b"preset %d" % i),
        )
        for i, point in enumerate(points)
    )


SPACE = instrument()
COLLECTION = collection(SPACE)
HASHES = [patch.preset for patch in COLLECTION]


class PresetContract(SamplerContract):
    """The contract, with a space that has all that a preset may bring."""

    @pytest.fixture
    def space(self) -> ParameterSpace:
        return replace(SPACE, fixed={})

    def presets(self, space: ParameterSpace) -> tuple[Patch, ...]:
        return collection(space)


class TestPresetsContract(SamplerContract):
    sampler = Presets

    def presets(self, space):
        return example_presets(space, 120)

    def test_another_seed_draws_other_patches(self, space):
        """There is nothing to draw but where a rejected preset is replaced."""
        one, other = (self.make(space, seed=seed) for seed in (1, 2))
        assert drawn(one, 20) == drawn(other, 20)
        assert [one.draw(Candidate(i, 1)) for i in range(20)] != [other.draw(Candidate(i, 1)) for i in range(20)]


@pytest.mark.long
class TestRepeatedPresetsContract(TestPresetsContract):
    options: ClassVar = {"repeat": True}


class TestPerturbContract(SamplerContract):
    sampler = Perturb


@pytest.mark.long
class TestPerturbOfAnInstrumentContract(PresetContract):
    sampler = Perturb
    options: ClassVar = {"spreads": {"osc_*": 0.3, "filter": 0.0}, "bounds": "clip", "inaudible": True, "amounts": 0.2}


@pytest.mark.long
class TestPerturbOfAGroupContract(PresetContract):
    sampler = Perturb
    options: ClassVar = {"only": ["filter", "volume"], "spread": 0.02}


class TestBreedContract(SamplerContract):
    sampler = Breed


@pytest.mark.long
class TestBreedOfInstrumentsContract(PresetContract):
    sampler = Breed
    options: ClassVar = {"mutation": 1.0, "spread": 0.2}


@pytest.mark.long
class TestInterpolationContract(PresetContract):
    sampler = Breed
    options: ClassVar = {"crossover": 0.0, "mutation": 0.0}


class TestMixContract(SamplerContract):
    sampler = Mix
    options: ClassVar = {"parts": ["perturb:20%", {"name": "lhs", "share": 0.5, "jitter": False}, "breed:30%"]}


@pytest.mark.long
class TestMixOfCountsContract(PresetContract):
    sampler = Mix
    options: ClassVar = {
        "parts": ["presets", "perturb:30", {"name": "mix", "count": 20, "parts": ["breed", "sobol:40%"]}, "uniform"]
    }

    def test_another_seed_draws_other_patches(self, space):
        """Of the first 20 patches, 12 are presets."""
        assert drawn(self.make(space, seed=1), 20)[12:] != drawn(self.make(space, seed=2), 20)[12:]


class TestMixWithoutPresetsContract(SamplerContract):
    sampler = Mix
    options: ClassVar = {"parts": ["lhs:1.0", "sobol:3.0"]}

    def test_it_uses_no_presets(self, space):
        assert not self.make(space).uses_presets


def made(cls: Any, *rounds: int, space: ParameterSpace = SPACE, presets: Any = COLLECTION, seed: int = 5, **options):
    return cls(cls.Options.model_validate(options), space, seed, rounds, presets)


def indices(patches: list[Patch]) -> list[int]:
    return [HASHES.index(patch.preset) for patch in patches]


@given(st.integers(1, 40), st.lists(st.integers(0, 60), min_size=1, max_size=4))
def test_every_round_visits_each_preset_evenly_and_in_one_run(presets, rounds):
    visits = Visits(1, "perturb", tuple(rounds), presets)
    first = 0
    for n in rounds:
        taken = [visits.at(Candidate(first + j)) for j in range(n)]
        counts = Counter(taken)
        assert {counts[k] for k in range(presets)} <= {n // presets, -(-n // presets)}
        assert 1 + sum(a != b for a, b in pairwise(taken)) == len(counts) or not n
        gaps = [(b - a) % presets for a, b in pairwise(taken)]
        assert n >= presets or not gaps or {*gaps} <= {presets // n, -(-presets // n)}
        first += n
    with pytest.raises(IndexError, match=f"patch {first} is not in the plan"):
        visits.at(Candidate(first))


def test_small_rounds_come_to_every_preset():
    visits = Visits(1, "perturb", (10, 10, 10, 10), 40)
    assert sorted(visits.at(Candidate(i)) for i in range(40)) == list(range(40))


@pytest.mark.parametrize("presets", [1, 2, 3, 12, 41])
def test_another_goes_through_all_the_others(presets):
    others = [another(1, "p", 7, presets, 0, turn) for turn in range(2 * max(presets - 1, 1))]
    assert sorted(others) == sorted(2 * (list(range(1, presets)) or [0]))
    if presets == 41:
        assert others[:40] != [another(1, "p", 8, presets, 0, turn) for turn in range(40)]


def test_one_bad_preset_does_not_stop_its_patches():
    for cls in (Perturb, Breed):
        sampler = made(cls, 36)
        own, *others = indices([sampler.draw(Candidate(7, attempt)) for attempt in range(PATIENCE + 11)])
        assert others[: PATIENCE - 1] == [own] * (PATIENCE - 1)
        assert sorted(others[PATIENCE - 1 :]) == [i for i in range(12) if i != own]


def test_presets_are_as_they_are_and_in_order():
    sampler = made(Presets, 5, 7)
    assert first_draws(sampler, range(12)) == [replace(preset, origin="presets") for preset in COLLECTION]
    assert sampler.limit() == 12


def test_presets_repeat_where_they_may():
    sampler = made(Presets, 30, repeat=True)
    assert indices(first_draws(sampler, range(30))) == [i % 12 for i in range(30)]
    assert sampler.limit() is None


def test_a_rejected_preset_is_replaced_by_each_of_the_others_once():
    taken = indices([made(Presets, 12).draw(Candidate(4, attempt)) for attempt in range(12)])
    assert taken[0] == 4
    assert sorted(taken) == list(range(12))


@pytest.mark.parametrize("cls", [Presets, Perturb])
def test_samplers_read_only_the_presets_that_a_draw_needs(cls):
    class Read:
        seen: ClassVar[set[int]] = set()

        def __len__(self):
            return len(COLLECTION)

        def __getitem__(self, index):
            self.seen.add(index)
            return COLLECTION[index]

    sampler = made(cls, 12, presets=Read())
    assert not Read.seen
    first_draws(sampler, range(3, 5))
    assert Read.seen == {3, 4}


LINE = space_of(*(continuous(f"p{i}", -3.0, 5.0) for i in range(20)))
MIDDLE = (Patch({f"p{i}": 1.0 for i in range(20)}, preset="a" * 64),)
EDGE = (Patch({f"p{i}": 4.6 for i in range(20)}, preset="b" * 64),)


def values_of(patches: list[Patch]) -> np.ndarray:
    return np.array([list(patch.values.values()) for patch in patches])


def test_noise_has_the_mean_and_deviation_that_were_asked_for():
    for spread in (0.02, 0.1):
        patches = first_draws(made(Perturb, 400, space=LINE, presets=MIDDLE, spread=spread), range(400))
        moved = (values_of(patches) - 1.0) / 8.0 / spread
        assert abs(moved.mean()) < 0.05
        assert abs(moved.std() - 1.0) < 0.03
        assert abs((np.abs(moved) < 1.0).mean() - 0.6827) < 0.02
        assert np.abs(np.corrcoef(moved.T) - np.eye(20)).max() < 0.25


@pytest.mark.parametrize("bounds", ["reflect", "clip"])
def test_noise_beyond_a_bound_is_reflected_or_clipped(bounds):
    patches = first_draws(made(Perturb, 400, space=LINE, presets=EDGE, bounds=bounds, spread=0.5), range(400))
    values = values_of(patches)
    assert -3.0 <= values.min() <= values.max() <= 5.0
    at_the_bound = (values == 5.0).mean()
    assert (0.4 < at_the_bound < 0.5) if bounds == "clip" else at_the_bound == 0.0
    if bounds == "reflect":
        assert np.histogram(values, 8, (-3.0, 5.0))[0].min() > 400


@given(st.floats(-50, 50), st.floats(-2, 2), st.floats(0.1, 3), st.sampled_from(["reflect", "clip"]))
def test_bounded_values_are_inside_and_those_inside_stay(value, low, width, bounds):
    ends = np.array([low]), np.array([low + width])
    (inside,) = bounded(np.array([value]), *ends, bounds)
    assert ends[0][0] <= inside <= ends[1][0]
    if ends[0][0] <= value <= ends[1][0]:
        assert inside == value
    elif bounds == "reflect" and value <= low + 2 * width and value > low + width:
        assert inside == pytest.approx(2 * (low + width) - value)
    elif bounds == "clip":
        assert inside in (ends[0][0], ends[1][0])


def test_gaussian_deviates_of_the_ends_are_finite():
    assert np.isfinite(gaussian(np.array([0.0, 2.0**-53, 1.0 - 2.0**-53]))).all()
    assert gaussian(np.array([0.5, 0.8413447460685429])) == pytest.approx([0.0, 1.0])


def same_but_origin(patch: Patch) -> Patch:
    return replace(patch, origin="")


def test_noise_of_zero_is_the_preset_itself():
    for options in ({"spread": 0.0}, {"spread": 0.1, "spreads": {"*": 0.0}, "inaudible": True}):
        for patch in first_draws(made(Perturb, 12, **options), range(12)):
            preset = COLLECTION[HASHES.index(patch.preset)]
            assert same_but_origin(patch) == preset
    wide = replace(SPACE, fixed={})
    patch = made(Perturb, 12, spread=0.0).draw(Candidate(3))
    assert np.array_equal(wide.encode(patch).continuous, wide.encode(COLLECTION[3]).continuous)


def moved_names(patch: Patch) -> set[str]:
    preset = COLLECTION[HASHES.index(patch.preset)]
    return {name for name, value in patch.values.items() if value != preset.values[name]}


ALWAYS = {"osc_1_level", "osc_1_tune", "filter_cutoff", "filter_resonance", "lfo_1_rate", "volume"}
SECOND = {"osc_2_level", "osc_2_tune"}


def test_only_audible_continuous_parameters_that_vary_move():
    for patch in first_draws(made(Perturb, 24), range(24)):
        assert moved_names(patch) == (ALWAYS | SECOND if patch.values["osc_2_on"] else ALWAYS)
    assert {patch.values["osc_2_on"] for patch in COLLECTION} == {0.0, 1.0}


def test_inaudible_ones_move_on_request():
    for patch in first_draws(made(Perturb, 24, inaudible=True), range(24)):
        assert moved_names(patch) == ALWAYS | SECOND


def test_a_source_that_nothing_listens_to_is_inaudible():
    deaf = tuple(replace(preset, modulations=()) for preset in COLLECTION)
    for patch in first_draws(made(Perturb, 12, presets=deaf), range(12)):
        assert "lfo_1_rate" not in moved_names(patch)


def test_modulations_and_assets_are_kept():
    for patch in first_draws(made(Perturb, 24, inaudible=True), range(24)):
        preset = COLLECTION[HASHES.index(patch.preset)]
        assert (patch.modulations, patch.assets, patch.mate) == (preset.modulations, preset.assets, "")
        assert patch.origin == "perturb"


@pytest.mark.parametrize("bounds", ["reflect", "clip"])
def test_amounts_of_modulations_move_on_request(bounds):
    plain, jittered = (
        first_draws(made(Perturb, 600, amounts=amounts, bounds=bounds), range(600)) for amounts in (0.0, 0.3)
    )
    changes = []
    for one, other in zip(plain, jittered, strict=True):
        assert one.values == other.values
        assert [replace(m, amount=0.0) for m in one.modulations] == [replace(m, amount=0.0) for m in other.modulations]
        assert other.modulations[1] == one.modulations[1]  # it is bypassed
        assert -1.0 <= other.modulations[0].amount <= 1.0
        if abs(one.modulations[0].amount) < 0.15:
            changes.append(other.modulations[0].amount - one.modulations[0].amount)
    assert abs(np.std(changes) - 0.3) < 0.06
    clipped = sum(abs(patch.modulations[0].amount) == 1.0 for patch in jittered)
    assert clipped > 30 if bounds == "clip" else clipped == 0
    assert made(Perturb, 12, amounts=0.3, inaudible=True).draw(Candidate(0)).modulations[1].amount != 0.3


@pytest.mark.parametrize(
    ("only", "names"),
    [
        (["filter"], {"filter_cutoff", "filter_resonance"}),
        (["osc_?_tune"], {"osc_1_tune", "osc_2_tune"}),
        (["volume", "osc_*"], {"volume", "osc_1_level", "osc_1_tune", "osc_2_level", "osc_2_tune"}),
    ],
)
def test_noise_may_be_restricted_to_names_globs_and_groups(only, names):
    restricted = first_draws(made(Perturb, 12, only=only, inaudible=True), range(12))
    assert all(moved_names(patch) == names for patch in restricted)
    free = first_draws(made(Perturb, 12, inaudible=True), range(12))
    for one, other in zip(restricted, free, strict=True):
        assert {name: one.values[name] for name in names} == {name: other.values[name] for name in names}


def test_noise_is_set_by_name_then_group_then_the_longest_glob():
    spreads = {"filter_cutoff": 0.0, "filter": 0.5, "*": 0.02, "osc_1_*": 0.2, "osc_*": 0.0}
    wide = replace(SPACE, parameters=tuple(replace(p, within=None) for p in SPACE.parameters))
    centre = tuple(
        replace(p, values={**p.values, "osc_1_tune": 0.0, "volume": 3700.0, "filter_resonance": 0.5})
        for p in COLLECTION
    )
    for given_spreads in (spreads, dict(reversed(spreads.items()))):
        patches = first_draws(
            made(Perturb, 600, space=wide, presets=centre, spreads=given_spreads, bounds="clip"), range(600)
        )
        of = {name: np.array([p.values[name] for p in patches]) for name in SPACE.names if name != "osc_2_on"}
        assert moved_names(patches[0]).isdisjoint({"filter_cutoff", "osc_2_level", "osc_2_tune"})
        assert abs(of["osc_1_tune"].std() / 2.0 - 0.2) < 0.02
        assert abs(of["volume"].std() / 7399.44 - 0.02) < 0.002
        assert of["filter_resonance"].std() > 0.35


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"only": ["filterr"]}, r"perturb\.only: unknown parameter or group 'filterr'\. Did you mean 'filter'\?"),
        ({"spreads": {"reverb*": 0.1}}, r"perturb\.spreads: unknown parameter or group 'reverb\*'"),
        ({"only": ["osc_1_wave"]}, r"'osc_1_wave' matches no continuous parameter that varies here"),
        ({"spreads": {"env": 0.1}}, r"'env' matches no continuous parameter that varies here"),
    ],
)
def test_a_pattern_that_matches_nothing_is_told(options, told):
    with pytest.raises(ConfigError, match=told):
        made(Perturb, 12, **options)


@pytest.mark.parametrize(("cutoff", "low", "high"), [(120.0, 20.0, 120.0), (10.0, 10.0, 100.0), (60.0, 20.0, 100.0)])
def test_a_preset_outside_the_drawn_range_stays_reachable(cutoff, low, high):
    preset = replace(COLLECTION[0], values={**COLLECTION[0].values, "filter_cutoff": cutoff})
    patches = first_draws(made(Perturb, 300, presets=(preset,), spread=0.5), range(300))
    cutoffs = [patch.values["filter_cutoff"] for patch in patches]
    assert low <= min(cutoffs) < low + 3.0
    assert high - 3.0 < max(cutoffs) <= high
    kept = made(Perturb, 12, presets=(preset,), spread=0.0).draw(Candidate(0))
    assert kept.values["filter_cutoff"] == cutoff


def parts_of(patch: Patch) -> dict[str, Any]:
    everything = {
        **patch.values,
        **{f"asset {s}": h for s, h in patch.assets.items()},
        "modulations": patch.modulations,
    }
    return {
        module: tuple(everything[f"asset {name}"] if name in SPACE.assets else everything[name] for name in names)
        for module, names in MODULES.items()
    }


def parents_of(child: Patch) -> tuple[Patch, Patch]:
    return COLLECTION[HASHES.index(child.preset)], COLLECTION[HASHES.index(child.mate)]


def crossed(n: int) -> list[Patch]:
    return first_draws(made(Breed, n, interpolation=0.0, mutation=0.0), range(n))


def test_crossover_takes_each_module_whole_from_one_parent_and_some_of_each():
    taken = Counter()
    for child in crossed(200):
        of = [parts_of(parent) for parent in parents_of(child)]
        sides = {m: [part == of[0][m], part == of[1][m]] for m, part in parts_of(child).items()}
        assert all(sum(side) == 1 for side in sides.values()), sides
        assert {side.index(True) for side in sides.values()} == {0, 1}
        taken += Counter(module for module, side in sides.items() if side[0])
    assert set(taken) == set(MODULES)
    assert all(70 < count < 130 for count in taken.values())


def test_crossover_of_two_modules_takes_one_of_each():
    space = space_of(grouped("a", "left"), grouped("b", "left"), grouped("c", "right"))
    pair = tuple(Patch(dict.fromkeys("abc", v), preset=c * 64) for v, c in ((0.25, "a"), (0.75, "b")))
    children = first_draws(made(Breed, 50, space=space, presets=pair, interpolation=0.0, mutation=0.0), range(50))
    found = {tuple(child.values[name] for name in "abc") for child in children}
    assert found == {(0.25, 0.25, 0.75), (0.75, 0.75, 0.25)}


def test_interpolated_values_lie_between_the_parents_and_the_rest_is_the_nearer_ones():
    ts = []
    for child in first_draws(made(Breed, 300, crossover=0.0, mutation=0.0), range(300)):
        a, b = parents_of(child)
        steps = [
            (child.values[p.name] - a.values[p.name]) / (b.values[p.name] - a.values[p.name]) for p in SPACE.continuous
        ]
        assert np.ptp(steps) < 1e-6
        t = steps[0]
        near = a if t < 0.5 else b
        assert (child.modulations, child.assets) == (near.modulations, near.assets)
        assert all(child.values[n] == near.values[n] for n in ("osc_1_wave", "osc_2_on", "release"))
        ts.append(t)
    assert 0.0 < min(ts) < 0.05
    assert 0.95 < max(ts) < 1.0
    assert np.histogram(ts, 4, (0, 1))[0].min() > 50


def test_the_parents_are_visited_evenly_and_are_two():
    children = first_draws(made(Breed, 120), range(120))
    assert indices(children) == [i // 10 for i in range(120)]
    assert all(child.mate in HASHES and child.mate != child.preset for child in children)
    mates = Counter(child.mate for child in children)
    assert len(mates) == 12
    assert {child.origin for child in children} == {"breed"}


@pytest.mark.parametrize(("options", "share"), [({}, 0.5), ({"crossover": 0.75, "interpolation": 0.25}, 0.75)])
def test_children_are_of_both_ways_by_their_shares(options, share):
    children = first_draws(made(Breed, 400, mutation=0.0, **options), range(400))
    whole = sum(
        child.values["volume"] in {parent.values["volume"] for parent in parents_of(child)} for child in children
    )
    assert abs(whole / 400 - share) < 0.08


def test_a_share_of_the_children_mutates_where_it_is_audible():
    plain, mutated = (first_draws(made(Breed, 400, mutation=m), range(400)) for m in (0.0, 0.3))
    changed = 0
    for one, other in zip(plain, mutated, strict=True):
        moved = {name for name in one.values if one.values[name] != other.values[name]}
        assert (other.modulations, other.assets) == (one.modulations, one.assets)
        assert moved in (set(), ALWAYS | SECOND if one.values["osc_2_on"] else ALWAYS)
        changed += bool(moved)
    assert abs(changed / 400 - 0.3) < 0.07
    spreads = [abs(o.values["osc_1_tune"] - p.values["osc_1_tune"]) / 2.0 for p, o in zip(plain, mutated, strict=True)]
    assert 0.03 < np.sqrt(np.mean(np.square([s for s in spreads if s]))) < 0.06


def test_breeding_takes_two_presets_and_a_way():
    with pytest.raises(ConfigError, match="'breed' needs 2 presets, but there is 1"):
        made(Breed, 12, presets=COLLECTION[:1])
    with pytest.raises(ConfigError, match="sampler: crossover and interpolation are both 0"):
        composed(None, {"sampler": {"name": "breed", "crossover": 0, "interpolation": 0}})


def chosen_assets(space: ParameterSpace) -> ParameterSpace:
    contents = tuple(sha256_hex(b"table %d" % i) for i in range(3))
    choices = {"slot": "wavetable_1", "contents": contents, "choices": ("a", "b", "c")}
    table = Parameter("osc_1_table", "categorical", 0.0, 2.0, 0.0, group="osc_1", **choices)
    return replace(space, parameters=(*space.parameters, table))


def test_a_parameter_that_chooses_an_asset_and_the_asset_come_from_one_parent():
    space = with_choices(chosen_assets(SPACE), [Preset(preset, name=f"p{i}") for i, preset in enumerate(COLLECTION)])
    wide = replace(space, fixed={})
    for cls in (Presets, Perturb, Breed):
        for patch in first_draws(made(cls, 12, space=space), range(12)):
            decoded = wide.decode(wide.encode(patch))
            parents = [patch.preset, patch.mate]
            held = {p.assets["wavetable_1"] for p in COLLECTION if p.preset in parents}
            assert decoded.assets["wavetable_1"] in held
            table = space["osc_1_table"]
            assert table.contents[round(decoded.values["osc_1_table"])] == decoded.assets["wavetable_1"]


@given(st.integers(0, 10**6), st.lists(st.floats(0.001, 100), min_size=1, max_size=6))
def test_shares_sum_to_the_whole_and_are_within_one(number, weights):
    parts = split(number, weights)
    assert sum(parts) == number
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - number * weight / sum(weights)) < 1 + 1e-6


CLAIMS = st.one_of(
    st.builds(Claim, most=st.integers(0, 50)), st.builds(Claim, share=st.floats(0.01, 0.1)), st.just(Claim())
)


@given(st.lists(CLAIMS, min_size=1, max_size=5), st.lists(st.integers(0, 200), max_size=4))
def test_a_layout_fills_the_counts_first_and_every_round_whole(claims, rounds):
    most = [claim.most for claim in claims if claim.most is not None]
    if len(most) == len(claims) and sum(rounds) > sum(most):
        with pytest.raises(Unclaimed, match=str(sum(most))):
            layout(rounds, claims)
        return
    sizes = layout(rounds, claims)
    assert [sum(row) for row in sizes] == rounds
    assert layout(rounds[:-1], claims) == sizes[:-1]
    left = sum(rounds)
    for place, part in enumerate(claims):
        if part.most is not None:
            assert sum(row[place] for row in sizes) == min(part.most, left)
            left -= min(part.most, left)


def mix(*rounds: int, parts: Any, **changes: Any) -> Mix:
    return made(Mix, *rounds, parts=parts, **changes)


def runs_of(patches: list[Patch]) -> list[tuple[str, int]]:
    runs: list[tuple[str, int]] = []
    for patch in patches:
        before = runs.pop() if runs and runs[-1][0] == patch.origin else (patch.origin, 0)
        runs.append((patch.origin, before[1] + 1))
    return runs


@pytest.mark.parametrize(
    ("parts", "rounds", "runs"),
    [
        (["presets", "perturb", "lhs"], [32], [("presets", 12), ("perturb", 10), ("lhs", 10)]),
        (["presets:5", "lhs:10"], [15], [("presets", 5), ("lhs", 10)]),
        (["presets:21.7%", "lhs:78.3%"], [46], [("presets", 10), ("lhs", 36)]),
        (["lhs:1.0", "presets:2", "perturb:.5"], [20], [("lhs", 12), ("presets", 2), ("perturb", 6)]),
        (["perturb:25%", "lhs"], [20], [("perturb", 5), ("lhs", 15)]),
        (["presets", "lhs"], [5, 10, 3], [("presets", 12), ("lhs", 6)]),
        (["lhs:3", "perturb"], [5, 5], [("lhs", 3), ("perturb", 7)]),
        (["lhs:50%", "perturb:50%"], [4, 2], [("lhs", 2), ("perturb", 2), ("lhs", 1), ("perturb", 1)]),
    ],
)
def test_a_mix_lays_its_parts_out_in_order(parts, rounds, runs):
    sampler = mix(*rounds, parts=parts)
    patches = first_draws(sampler, range(sum(rounds)))
    assert runs_of(patches) == runs
    assert sampler.origins() == tuple(dict.fromkeys(part.split(":")[0] for part in parts))
    with pytest.raises(IndexError):
        sampler.draw(Candidate(sum(rounds)))


def test_a_part_draws_what_its_sampler_draws_alone():
    rounds = (30, 20)
    sampler = mix(*rounds, parts=["presets:6", {"name": "lhs", "share": 0.5, "jitter": False}, "perturb:0.5"])
    sizes = [(6, 0), (12, 10), (12, 10)]
    alone = [
        cls(cls.Options(**options), SPACE, key_of(5, "mix", str(place), cls.name), sizes[place], COLLECTION)
        for place, (cls, options) in enumerate([(Presets, {}), (Lhs, {"jitter": False}), (Perturb, {})])
    ]
    for first, row in ((0, (6, 12, 12)), (30, (0, 10, 10))):
        for place, size in enumerate(row):
            start = 0 if first == 0 else (6, 12, 12)[place]
            for k in range(size):
                for attempt in (0, 3):
                    patch = sampler.draw(Candidate(first + sum(row[:place]) + k, attempt))
                    assert patch == alone[place].draw(Candidate(start + k, attempt))


def test_two_parts_of_one_sampler_draw_apart():
    patches = first_draws(mix(20, parts=["lhs:10", "lhs:10"]), range(20))
    assert not {p.values["volume"] for p in patches[:10]} & {p.values["volume"] for p in patches[10:]}


def test_a_mix_has_a_limit_where_all_of_its_parts_have():
    assert mix(20, parts=["presets", "lhs:8"]).limit() == 20
    assert mix(20, parts=["presets", "lhs"]).limit() is None
    assert mix(20, parts=["lhs:20%", "perturb:80%"]).limit() is None


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ([], r"has no parts\. Give some: --sampler\.parts presets,perturb:600,lhs:200"),
        (["presets", "lhs:20"], "draw 32 patches in all, but 40 are asked for"),
        (["presets:20", "lhs"], "'presets' of the mix can draw only 12 patches here, but is given 20"),
        (["presets:50", "lhs"], "'presets' of the mix can draw only 12 patches here, but is given 50"),
        (["presets:50%", "lhs:50%"], "can draw only 12 patches here, but is given 20"),
        (["perturb:100%", "lhs"], "shares of the mix add up to 1, and a part without a share takes the rest"),
        ([{"name": "perturb", "only": ["nothing"]}], "perturb.only: unknown parameter or group 'nothing'"),
    ],
)
def test_a_mix_that_cannot_be_is_told(parts, told):
    with pytest.raises(ConfigError, match=told):
        mix(40, parts=parts)


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ("lsh:5", r"sampler\.parts\[0\]: unknown sampler 'lsh'\. Did you mean 'lhs'\?"),
        ("lhs:", r"sampler\.parts\[0\]: 'lhs:' is not NAME, NAME:COUNT such as lhs:100, or NAME:SHARE"),
        ("lhs:-5", "is not NAME"),
        ({"share": 0.5}, r"sampler\.parts\[0\]: a part must name its sampler"),
        (
            {"name": "lhs", "share": 0.5, "count": 4},
            r"sampler\.parts\[0\]: the part 'lhs' has both a share and a count",
        ),
        ({"name": "lhs", "jiter": True}, r"sampler\.parts\[0\]: lhs\.jiter: unknown key 'jiter'\. Did you mean"),
        ({"name": "perturb", "spread": 3}, r"perturb\.spread: 3 is not allowed\. Expected a number from 0 to 1\."),
        (
            {"name": "lhs", "share": -1},
            r"sampler\.parts\[0\]\.share: -1 is not allowed\. Expected a number above 0 and up to",
        ),
        (
            {"name": "lhs", "count": 0},
            r"sampler\.parts\[0\]\.count: 0 is not allowed\. Expected an integer from 1 to 1,000,000,000\.",
        ),
        ({"name": "lhs", "count": True}, r"sampler\.parts\[0\]\.count: true is not allowed"),
        ("lhs:0.0%", r"sampler\.parts\[0\]: 'lhs:0\.0%': a count or share must be above 0 and at most 1e\+09"),
        ("lhs:1000000001", "must be above 0 and at most"),
        (5, "a part must name its sampler"),
    ],
)
def test_a_part_that_is_wrong_is_told_with_its_place(part, told):
    with pytest.raises(ConfigError, match=told):
        compose(TomlSource("", {"sampler": {"name": "mix", "parts": [part]}}), {})


def test_a_sampler_whose_option_would_hide_the_parts_own_is_no_part(monkeypatch):
    from pydantic import Field

    class Clash(Lhs.Options):
        count: int = Field(1, description="of something")

    monkeypatch.setattr(Lhs, "Options", Clash)
    with pytest.raises(ConfigError, match="'lhs' has an option called count, which is reserved for the part"):
        composed(None, {"sampler": {"name": "mix", "parts": ["lhs:5"]}})


def test_the_plan_stores_every_option_of_every_part_and_toml_can_too():
    nested = {"name": "mix", "share": 0.5, "parts": ["breed", {"name": "lhs", "count": 3}]}
    config = composed(None, {"sampler": {"name": "mix", "parts": ["presets", "perturb:25%", nested]}})
    presets, perturb, inner = config.sampler.options["parts"]
    assert presets == {"name": "presets", "repeat": False}
    assert perturb == {"name": "perturb", "share": 0.25, **Perturb.Options().model_dump(mode="json")}
    assert inner["parts"] == [
        {"name": "breed", **Breed.Options().model_dump(mode="json")},
        {"name": "lhs", "count": 3, "jitter": True},
    ]
    assert compose(TomlSource("", tomllib.loads(config.to_toml())), {}) == config


def test_a_mix_is_composed_and_shown_at_the_terminal(tmp_path):
    saved = tmp_path / "saved.toml"
    given = ["--sampler", "mix", "--sampler.parts", "presets:217, lhs:78.3%,perturb"]
    outcome = terminal("generate", *given, "--save-config", saved, cwd=tmp_path)
    assert outcome.returncode == 0, outcome.stderr
    text = saved.read_text()
    assert 'name = "presets"' in text
    assert "count = 217" in text
    assert "share = 0.783" in text
    assert "spread = 0.1" in text
    assert terminal("generate", "--config", saved, "--help", cwd=tmp_path).returncode == 0
    assert "list of text or table" in terminal("plugins", "show", "mix").stdout
    wrong = terminal("generate", "--sampler", "mix", "--sampler.parts", "lhs,lsh", "--save-config", saved, cwd=tmp_path)
    assert wrong.returncode == 2
    assert "--sampler.parts: unknown sampler 'lsh'. Did you mean 'lhs'?" in wrong.stderr


def test_naming_the_preset_samplers_imports_no_numpy():
    modules = ", ".join(f"tonesmith.samplers.{name}" for name in ("breed", "mix", "perturb", "presets"))
    code = f"import sys, {modules}; print(sorted({{'numpy', 'scipy'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


PINNED = {
    "breed": ("0868bb", "cf7d0a", 0.9, 5709.827945854831),
    "mix": ("5ccbee", "", 0.2, 7181.195942222664),
    "perturb": ("9a7823", "", 0.5045269426419842, 2389.3940602555977),
    "presets": ("4d8fd4", "", 0.1, 5545.146494882947),
}


def test_the_patches_of_a_seed_do_not_change_between_versions():
    """Pinned: if this fails, every dataset made before can no longer be extended or verified."""
    options = {"perturb": {"amounts": 0.1}, "breed": {"mutation": 1.0}, "mix": {"parts": ["breed:50%", "perturb:50%"]}}
    found = {}
    for cls in (Presets, Perturb, Breed, Mix):
        patch = made(cls, 12, **options.get(cls.name, {})).draw(Candidate(7, 2))
        found[cls.name] = (patch.preset[:6], patch.mate[:6], patch.modulations[0].amount, patch.values["volume"])
    for name, (*hashes, amount, volume) in PINNED.items():
        assert found[name] == (*hashes, pytest.approx(amount), pytest.approx(volume))


@pytest.mark.skipif(
    not PRESETS.is_dir(), reason="the collection of presets lies beside the repository, and is not here"
)
@pytest.mark.long
def test_vital_presets_are_mixed_with_what_is_made_of_them(tmp_path):
    host = Host.load()
    settings = {
        "patches": 6,
        "block": 2,
        "presets.paths": [str(path) for path in sorted((PRESETS / "vital").rglob("*.vital"))[:3]],
        "sampler": {"name": "mix", "parts": ["presets:2", "perturb:50%", "breed:50%"]},
        "notes": {"pitches": [60], "hold": 0.2, "tail": 0.1},
    }
    resolved = resolve_plan(composed(None, settings, host=host), host)
    one, two = (run(resolved, tmp_path / f"{workers}.zarr", workers=workers) for workers in (1, 2))
    assert one.complete
    assert one.digest == two.digest

    dataset = open_dataset(tmp_path / "2.zarr")
    hashes = {ref.sha256 for ref in resolved.plan.presets}
    patches = [row.patch for row in dataset]
    assert resolved.plan.origins == ("presets", "perturb", "breed")
    assert [patch.origin for patch in patches] == ["presets"] * 2 + ["perturb"] * 2 + ["breed"] * 2
    assert all(patch.preset in hashes for patch in patches)
    assert [patch.mate in hashes for patch in patches] == [False] * 4 + [True] * 2
    assert list(check_renders(dataset, range(6), tmp_path / "2.zarr", host)) == []


def test_perturb_says_so_if_nothing_can_move():
    switches = space_of(categorical("wave", 4), categorical("mode", 3))
    presets = (Patch({"wave": 1.0, "mode": 2.0}, preset=sha256_hex(b"one")),)
    with pytest.raises(ConfigError, match="moves continuous parameters, but none varies here"):
        made(Perturb, 4, space=switches, presets=presets)
    assert made(Perturb, 4, space=switches, presets=presets, amounts=0.1).draw(Candidate(0)).values == presets[0].values
