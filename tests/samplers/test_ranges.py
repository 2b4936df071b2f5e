"""The samplers that draw from a space: lhs, sobol, uniform."""

from __future__ import annotations

import subprocess
import sys
from typing import ClassVar

import numpy as np
import pytest
from support.strategies import categorical, continuous, first_draws, space_of, stored

from tonesmith.errors import ConfigError, PluginError
from tonesmith.samplers._digital import SobolSequence
from tonesmith.samplers._permutation import Permutations, unit, words
from tonesmith.samplers.lhs import Lhs
from tonesmith.samplers.sobol import Sobol
from tonesmith.samplers.uniform import Uniform
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Candidate
from tonesmith.space.sampling import key_of, patch_at, uniform
from tonesmith.testing.sampler import SamplerContract


class TestLhsContract(SamplerContract):
    sampler = Lhs


@pytest.mark.long
class TestLhsMidpointsContract(SamplerContract):
    sampler = Lhs
    options: ClassVar = {"jitter": False}


class TestSobolContract(SamplerContract):
    sampler = Sobol


class TestUniformContract(SamplerContract):
    sampler = Uniform


NARROW = [(0.0, 1.0), (20.0, 100.0), (-10.0, -5.64385986328125), (0.0, 7399.44), (0.7, 0.9), (99.0, 99.5)]
TWENTY = space_of(
    *(continuous(f"p{i}", *NARROW[i % 6]) for i in range(10)),
    *(continuous(f"narrowed{i}", -100.0, 100.0, within=(NARROW[i % 6 - 3][0], 99.9)) for i in range(10)),
)


def lhs(space, *rounds, seed=11, jitter=True):
    return Lhs(Lhs.Options(jitter=jitter), space, seed, rounds)


def stored_strata(space, patches, n):
    """Which stratum of its drawn range the stored label of each continuous value lies in: (patches, parameters)."""
    labels = np.array([label.continuous for label in stored(space, patches)], np.float64)
    low, high = (np.array([getattr(p, end) for p in space.continuous]) for end in ("low", "high"))
    first, last = np.array([p.drawn for p in space.continuous]).T
    for value in (
        low + labels * (high - low),
        np.array([space.raw(row) for row in labels.astype(np.float32)], np.float64),
    ):
        yield np.floor((value - first) / (last - first) * n).astype(int)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 48, 97, 128, 1009])
@pytest.mark.parametrize("jitter", [True, False])
@pytest.mark.first
def test_lhs_stores_exactly_one_value_in_each_stratum_of_every_parameter(n, jitter):
    patches = first_draws(lhs(TWENTY, n, jitter=jitter), range(n))
    for strata in stored_strata(TWENTY, patches, n):
        assert np.array_equal(np.sort(strata, axis=0), np.tile(np.arange(n)[:, None], 20))


def test_lhs_makes_each_round_of_an_extended_plan_a_hypercube_of_its_own():
    sampler = lhs(TWENTY, 48, 52, 1)
    for first, n in ((0, 48), (48, 52), (100, 1)):
        for strata in stored_strata(TWENTY, first_draws(sampler, range(first, first + n)), n):
            assert np.array_equal(np.sort(strata, axis=0), np.tile(np.arange(n)[:, None], 20))


def test_lhs_orders_no_two_parameters_or_rounds_alike():
    sampler = lhs(TWENTY, 64, 64)
    orders = {
        tuple(column)
        for first in (0, 64)
        for column in next(stored_strata(TWENTY, first_draws(sampler, range(first, first + 64)), 64)).T
    }
    assert len(orders) == 40


def test_lhs_jitter_fills_the_strata_and_midpoints_are_their_middles():
    space = space_of(continuous("p"))

    def places(jitter):
        return np.array([p.values["p"] * 200 % 1 for p in first_draws(lhs(space, 200, jitter=jitter), range(200))])

    assert np.allclose(places(jitter=False), 0.5)
    assert np.histogram(places(jitter=True), 4, (0, 1))[0].min() > 25


def test_lhs_values_with_strata_finer_than_float32_are_midpoints():
    space = space_of(Parameter("p", "continuous", 0.0, 1e5, 0.0, within=(99_999.0, 100_000.0)))
    values = [p.values["p"] - 99_999.0 for p in first_draws(lhs(space, 1000), range(20))]
    assert np.allclose(np.array(values) * 1000 % 1, 0.5, atol=1e-6)


@pytest.mark.parametrize("n", [1, 5, 7, 48, 101, 1000])
def test_lhs_draws_each_choice_its_share_to_within_one(n):
    weights = (0.0, 0.5, 0.25, 0.0, 0.2, 0.05, 0.0)
    space = space_of(categorical("even", 6), categorical("weighted", 7, weights))
    patches = first_draws(lhs(space, n), range(n))
    for name, shares in (("even", (1 / 6,) * 6), ("weighted", weights)):
        counts = np.bincount([int(p.values[name]) for p in patches], minlength=len(shares))
        assert counts.sum() == n
        for count, share in zip(counts, shares, strict=True):
            assert np.floor(n * share - 1e-9) <= count <= np.ceil(n * share - 1e-9)


def test_lhs_reaches_every_choice_even_with_more_choices_than_patches():
    space = space_of(categorical("c", 20))
    drawn = [p.values["c"] for seed in range(60) for p in first_draws(lhs(space, 3, seed=seed), range(3))]
    assert set(drawn) == set(range(20))


def test_lhs_draws_a_parameter_alike_whatever_else_varies():
    few = space_of(continuous("b"), categorical("c", 5))
    many = space_of(continuous("z"), continuous("b"), continuous("a"), categorical("d", 3), categorical("c", 5))
    for one, other in zip(first_draws(lhs(few, 30), range(30)), first_draws(lhs(many, 30), range(30)), strict=True):
        assert (one.values["b"], one.values["c"]) == (other.values["b"], other.values["c"])


@pytest.mark.parametrize("patch", [-1, 100, 10**9])
def test_lhs_has_no_patch_beyond_the_plan(patch):
    with pytest.raises(IndexError, match=r"patches 0\.\.99"):
        lhs(TWENTY, 48, 52).draw(Candidate(patch))


@pytest.mark.parametrize("size", [97, 1, 2, 3, 4, 5, 12, 16, 17, 1000, 4097])
@pytest.mark.first
def test_every_keyed_permutation_is_one(size):
    permutations = Permutations(words(np.arange(8, dtype=np.uint64), 0), size)
    images = np.array([permutations.at(i) for i in range(size)])
    assert np.array_equal(np.sort(images, axis=0), np.tile(np.arange(size)[:, None], 8))


@pytest.mark.parametrize("size", [3, 5, 7, 12, 48])
def test_keyed_permutations_send_a_pair_anywhere_evenly(size):
    keys = 40_000
    permutations = Permutations(words(np.arange(keys, dtype=np.uint64), 1), size)
    pairs = permutations.at(0) * np.uint64(size) + permutations.at(size - 1)
    counts = np.bincount(pairs.astype(int), minlength=size * size).reshape(size, size)
    assert np.diag(counts).sum() == 0
    cells = size * (size - 1)
    surprise = ((counts[~np.eye(size, dtype=bool)] - keys / cells) ** 2).sum() / (keys / cells)
    assert surprise < cells + 5 * np.sqrt(2 * cells)


def test_keyed_words_are_those_of_splitmix64():
    # The first words of seed 1234567 in the test vectors of the Rosetta Code task "Pseudo-random numbers/Splitmix64".
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert [int(words(np.array([1234567], np.uint64), i)[0]) for i in range(4)] == expected
    assert unit(np.array([0, 2**64 - 1], np.uint64)).tolist() == [0.0, 1.0 - 2.0**-53]


def sobol(space, seed=11, scramble=True):
    return Sobol(Sobol.Options(scramble=scramble), space, seed, (100,))


def test_unscrambled_sobol_is_scipys_sequence_at_any_index():
    from scipy.stats import qmc

    dimensions = 40
    sampler = sobol(space_of(*(continuous(f"p{i}") for i in range(dimensions))), scramble=False)
    for start in (0, 1_000_000):
        engine = qmc.Sobol(dimensions, scramble=False, bits=32)
        engine.fast_forward(start) if start else None
        points = [list(p.values.values()) for p in first_draws(sampler, range(start, start + 64))]
        assert np.array_equal(points, engine.random(64))


def test_scrambled_sobol_is_scipys_sequence_with_its_digits_mixed():
    """Mixing is linear up to a shift: whatever cancels in the one sequence cancels in the other."""
    keys = words(np.arange(30, dtype=np.uint64), 0)
    plain, mixed = SobolSequence(keys, scramble=False), SobolSequence(keys, scramble=True)
    digits = [
        np.array([(s.point(i) * 2**32).astype(np.uint64) for i in (0, 1, 2, 3, 12, 13, 14, 15)]) for s in (plain, mixed)
    ]
    assert not np.bitwise_xor.reduce(digits[0], axis=0).any()
    assert not np.bitwise_xor.reduce(digits[1], axis=0).any()
    assert not np.array_equal(digits[0], digits[1])


@pytest.mark.parametrize("scramble", [True, False])
def test_sobol_keeps_its_balance(scramble):
    """The first two dimensions are a (0, 2)-sequence: 2^m points, one in each box of volume 2^-m."""
    sequence = SobolSequence(np.array([key_of(1, "a"), key_of(1, "b"), key_of(1, "c")], np.uint64), scramble)
    for first in (0, 64, 64 * 1000):
        points = np.array([sequence.point(i) for i in range(first, first + 64)])
        for bits in range(7):
            cells = np.floor(points[:, 0] * 2**bits) * 2 ** (6 - bits) + np.floor(points[:, 1] * 2 ** (6 - bits))
            assert np.array_equal(np.sort(cells), np.arange(64))
        assert np.array_equal(np.sort(np.floor(points[:, 2] * 64)), np.arange(64))


def test_scrambling_moves_every_point_anywhere():
    for index in (0, 5):
        keys = words(np.arange(2000, dtype=np.uint64), 7)
        values = SobolSequence(keys, scramble=True).point(index)
        assert np.histogram(values, 10, (0, 1))[0].min() > 140


def test_sobol_goes_on_through_an_extension():
    space = space_of(continuous("a"), categorical("c", 3))
    short, long = (Sobol(Sobol.Options(), space, 1, rounds) for rounds in ((8,), (8, 8, 100)))
    assert first_draws(short, range(16)) == first_draws(long, range(16))


def test_sobol_says_when_there_are_more_parameters_than_direction_numbers():
    with pytest.raises(ConfigError, match=r"up to 21201 parameters, but 21202 vary\..*lhs"):
        SobolSequence(np.zeros(21202, np.uint64), scramble=False)


def test_sobol_has_no_point_beyond_its_digits():
    sampler = sobol(space_of(continuous("a")))
    sampler.draw(Candidate(2**32 - 1))
    with pytest.raises(IndexError, match="4294967295"):
        sampler.draw(Candidate(2**32))


@pytest.mark.parametrize(
    "damage",
    [
        lambda sv: None,
        lambda sv: sv[:, ::-1],
        lambda sv: sv >> np.uint32(2),
        lambda sv: sv.astype(np.uint64),
        lambda sv: sv[:1],
        lambda sv: sv | (np.arange(32) > 20).astype(np.uint32),
    ],
)
def test_a_scipy_that_keeps_direction_numbers_otherwise_is_named(monkeypatch, damage):
    import scipy
    from scipy.stats import qmc

    real = qmc.Sobol

    class Changed:
        MAXDIM = real.MAXDIM

        def __init__(self, *args, **kwargs):
            self.real = real(*args, **kwargs)
            self._sv = damage(self.real._sv)
            self.random = self.real.random

    monkeypatch.setattr(qmc, "Sobol", Changed)
    with pytest.raises(PluginError, match=f"SciPy {scipy.__version__}.*lhs"):
        sobol(space_of(continuous("a"), continuous("b"), continuous("c")))


def test_uniform_fills_ranges_and_choices_by_their_weights():
    space = space_of(continuous("a", -10.0, 30.0, within=(0.0, 20.0)), categorical("c", 3, (0.2, 0.0, 0.8)))
    patches = first_draws(Uniform(Uniform.Options(), space, 3, (10,)), range(2000))
    assert np.histogram([p.values["a"] for p in patches], 10, (0, 20))[0].min() > 150
    counts = np.bincount([int(p.values["c"]) for p in patches], minlength=3)
    assert counts[1] == 0
    assert 340 < counts[0] < 460


def test_keyed_numbers_are_a_pure_function_that_any_argument_changes():
    base = uniform(1, "notes", 2, 3, 8)
    assert base.dtype == np.float64
    assert np.array_equal(uniform(1, "notes", 2, 3, 8), base)
    assert np.array_equal(uniform(1, "notes", 2, 3, 4), base[:4])
    for other in ((2, "notes", 2, 3), (1, "note", 2, 3), (1, "notes", 3, 3), (1, "notes", 2, 4)):
        assert not np.isin(uniform(*other, 8), base).any()
    assert uniform(1, "notes", 0, 0, 0).shape == (0,)


def test_keyed_numbers_do_not_change_between_versions():
    """Pinned: if this fails, every dataset made before can no longer be extended or verified."""
    assert key_of(1, "lhs", "0", "cutoff") == KEY
    assert uniform(1, "notes", 2**40, 3, 3).tolist() == NUMBERS


def test_the_patches_of_a_seed_do_not_change_between_versions():
    """Pinned for the same reason."""
    space = space_of(continuous("a"), continuous("b", -10.0, 5.0), categorical("c", 9))
    first = [
        list(cls(cls.Options(), space, 1, (100,)).draw(Candidate(42)).values.values()) for cls in (Lhs, Sobol, Uniform)
    ]
    assert first == PATCHES


KEY = 5515793600076877982
NUMBERS = [0.6905890140939702, 0.1505193821477132, 0.46039689176438325]
PATCHES = [
    [0.8555415670643829, 2.705258773435917, 8.0],
    [0.15461177960969508, 2.350891400128603, 7.0],
    [0.07005403005431687, -0.5965696073237563, 4.0],
]


def test_a_point_at_the_edge_of_the_cube_stays_in_the_range():
    edge = 1.0 - 2.0**-53
    bounds = [(0.1, 0.3), (-0.1, 0.7), (-1e5, 1e-9), (1e-9, 1e5), (-3.3, 1.1)]
    space = space_of(
        *(continuous(f"p{i}", *b) for i, b in enumerate(bounds)),
        categorical("c", 7),
        categorical("d", 4, (0.0, 0.5, 0.5, 0.0)),
    )
    for u in (0.0, edge, 1.0):
        patch = patch_at(space, np.full(7, u), "test")
        space.encode(patch)
        assert (patch.values["c"], patch.values["d"]) == ((0.0, 1.0) if u == 0.0 else (6.0, 2.0))


def test_naming_the_samplers_and_validators_imports_no_numpy():
    modules = [f"tonesmith.samplers.{name}" for name in ("lhs", "sobol", "uniform")]
    modules += [f"tonesmith.validators.{name}" for name in ("level", "loudness")]
    code = f"import sys, {', '.join(modules)}; print(sorted({{'numpy', 'scipy', 'loudness'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
