"""What every sampler keeps to, as tests: subclass :class:`SamplerContract` and run pytest.

::

    from tonesmith.testing import SamplerContract

    class TestMySampler(SamplerContract):
        sampler = MySampler
        options = {"spread": 0.5}
"""

from __future__ import annotations

import json
import random
import re
import sys
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pytest

from tonesmith.errors import ConfigError
from tonesmith.host.roles import Sampler
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Candidate, Patch, sha256_hex
from tonesmith.space.sampling import patch_at, uniform
from tonesmith.space.space import ParameterSpace

_FAR = 10_000_000
_PLAN = (48, 52)


def example_space() -> ParameterSpace:
    """Return a space with a parameter of every sort: narrowed, weighted, gated and fixed."""
    return ParameterSpace(
        parameters=(
            Parameter("level", "continuous", 0.0, 1.0, 0.7),
            Parameter("cutoff", "continuous", 8.0, 136.0, 60.0, unit="semitones", within=(20.0, 100.0)),
            Parameter("release", "continuous", -10.0, -5.64385986328125, -10.0),
            Parameter("tune", "continuous", -0.1, 0.7, 0.0),
            Parameter("delay", "continuous", 0.0, 7399.44, 0.0),
            Parameter("volume", "continuous", 0.0, 7399.44, 5000.0),
            Parameter("wave", "categorical", 0.0, 3.0, 0.0, choices=("sine", "saw", "square", "noise")),
            Parameter("style", "categorical", 0.0, 4.0, 0.0, weights=(0.0, 0.5, 0.0, 0.5, 0.0)),
            Parameter("transpose", "categorical", -48.0, 48.0, 0.0, within=(-12.0, 12.0)),
            Parameter("filter_on", "categorical", 0.0, 1.0, 1.0, choices=("off", "on")),
            Parameter("resonance", "continuous", 0.0, 1.0, 0.5, switch="filter_on"),
        ),
        fixed={"volume": 5000.0},
    )


def example_presets(space: ParameterSpace, count: int = 12) -> tuple[Patch, ...]:
    """Return patches of a space as presets, each from a file of its own."""
    points = (uniform(7, "presets", i, 0, len(space.names)) for i in range(count))
    return tuple(
        Patch({**space.fixed, **patch_at(space, point, "").values}, preset=sha256_hex(b"preset %d" % i))
        for i, point in enumerate(points)
    )


class SamplerContract:
    """The tests that every sampler passes.

    Attributes:
        sampler: the class under test.
        options: that it is tested with, as a plan's TOML gives them.
        seed: of the plan.
    """

    sampler: ClassVar[type[Sampler[Any]]]
    options: ClassVar[Mapping[str, Any]] = {}
    seed: ClassVar[int] = 20250

    @pytest.fixture
    def space(self) -> ParameterSpace:
        """Return the space to draw from; override it if the sampler needs another."""
        return example_space()

    def make(self, space: ParameterSpace, rounds: tuple[int, ...] = _PLAN, seed: int | None = None) -> Sampler[Any]:
        """Return a new sampler."""
        options = self.sampler.Options.model_validate(dict(self.options))
        return self.sampler(options, space, self.seed if seed is None else seed, rounds, self.presets(space))

    def presets(self, space: ParameterSpace) -> Sequence[Patch]:
        """Return the presets to draw from: patches of the space that are none of its corners."""
        return example_presets(space) if self.sampler.uses_presets else ()

    def test_it_has_a_name_and_a_summary(self) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_-]*", self.sampler.name)
        assert self.sampler.summary
        assert "\n" not in self.sampler.summary

    def test_every_option_has_a_default_and_a_description(self) -> None:
        for name, option in self.sampler.Options.model_fields.items():
            assert not option.is_required(), f"the option {name} has no default"
            assert option.description, f"the option {name} has no description"

    def test_a_draw_is_a_function_of_the_seed_the_space_and_the_candidate(self, space: ParameterSpace) -> None:
        first = drawn(self.make(space), sum(_PLAN))
        assert drawn(self.make(space), sum(_PLAN)) == first

    def test_global_random_state_is_neither_used_nor_moved(self, space: ParameterSpace) -> None:
        before, numpy_before = random.getstate(), repr(np.random.get_state())
        drawn(self.make(space), 8)
        assert random.getstate() == before
        assert repr(np.random.get_state()) == numpy_before

    def test_another_seed_draws_other_patches(self, space: ParameterSpace) -> None:
        assert drawn(self.make(space, seed=1), 20) != drawn(self.make(space, seed=2), 20)

    def test_the_order_of_draws_does_not_matter(self, space: ParameterSpace) -> None:
        patches = drawn(self.make(space), sum(_PLAN))
        backwards = self.make(space)
        assert [backwards.draw(Candidate(i)) for i in reversed(range(sum(_PLAN)))] == patches[::-1]

    def test_a_space_read_back_from_a_dataset_gives_the_same_patches(self, space: ParameterSpace) -> None:
        stored = ParameterSpace.from_json(json.loads(json.dumps(space.to_json())))
        assert drawn(self.make(stored), 20) == drawn(self.make(space), 20)

    def test_a_sampler_rebuilt_from_name_and_options_gives_the_same_patches(self, space: ParameterSpace) -> None:
        sampler = self.make(space)
        stored = json.loads(json.dumps(sampler.options.model_dump(mode="json")))
        options = self.sampler.Options.model_validate(stored)
        rebuilt = self.sampler(options, space, self.seed, _PLAN, self.presets(space))
        assert drawn(rebuilt, 20) == drawn(sampler, 20)

    def test_a_new_attempt_is_a_new_draw_that_leaves_the_others_alone(self, space: ParameterSpace) -> None:
        sampler, patches = self.make(space), drawn(self.make(space), 20)
        attempts = [sampler.draw(Candidate(7, attempt)) for attempt in range(5)]
        assert attempts[0] == patches[7]
        for i, attempt in enumerate(attempts):
            assert attempt not in attempts[:i]
        assert self.make(space).draw(Candidate(7, 3)) == attempts[3]
        assert drawn(sampler, 20) == patches

    def test_an_extension_leaves_earlier_patches_alone(self, space: ParameterSpace) -> None:
        earlier = drawn(self.make(space, (48,)), 48)
        extended = self.make(space, (48, 52, 7))
        assert drawn(extended, 48) == earlier
        assert extended.draw(Candidate(106)) not in earlier

    def test_a_round_may_be_empty(self, space: ParameterSpace) -> None:
        """A part of a mix may have no patch of a round."""
        assert len(drawn(self.make(space, (0, 24, 0, 24)), 48)) == 48

    def test_every_value_is_drawn_from_where_the_plan_says(self, space: ParameterSpace) -> None:
        for patch in self._patches(space):
            for name in space.names:
                parameter, value = space[name], patch.values.get(name, space[name].default)
                assert parameter.drawn[0] <= value <= parameter.drawn[1], f"{name} = {value!r}"
                if parameter.weights:
                    assert parameter.weights[round(value - parameter.low)] > 0, f"{name} has weight 0 for {value:g}"

    def test_every_patch_encodes_into_the_space_and_decodes_from_it(self, space: ParameterSpace) -> None:
        for patch in self._patches(space):
            label = space.encode(patch)
            decoded = space.decode(label)
            again = space.encode(decoded)
            assert np.array_equal(again.categorical, label.categorical)
            assert space.decode(again) == decoded

    def test_the_origin_of_every_patch_is_declared(self, space: ParameterSpace) -> None:
        assert {patch.origin for patch in self._patches(space)} <= set(self.make(space).origins())

    def test_the_presets_that_a_patch_names_are_those_it_was_given(self, space: ParameterSpace) -> None:
        given = {preset.preset for preset in self.presets(space)} | {""}
        assert {name for patch in self._patches(space) for name in (patch.preset, patch.mate)} <= given

    def test_without_presets_it_says_how_to_name_some(self, space: ParameterSpace) -> None:
        sampler = self.make(space)
        if sampler.uses_presets:
            with pytest.raises(ConfigError, match="--presets"):
                type(sampler)(sampler.options, space, self.seed, _PLAN)

    def test_it_draws_no_more_patches_than_its_limit(self, space: ParameterSpace) -> None:
        limit = self.make(space).limit()
        if limit is not None:
            assert limit >= sum(_PLAN), f"this contract draws {sum(_PLAN)} patches: give it as many presets"
            with pytest.raises(IndexError):
                self.make(space).draw(Candidate(limit))

    def test_patch_ten_million_costs_what_patch_0_does(self, space: ParameterSpace) -> None:
        if self.make(space).limit() is not None:
            pytest.skip("it draws a limited number of patches")
        rounds = (2 * _FAR,)
        self.make(space, rounds).draw(Candidate(1))  # imports are paid once
        near, far = (partial(self._made_and_drawn, space, rounds, patch) for patch in (0, _FAR))
        assert calls_of(far) < 2 * calls_of(near) + 200
        assert bytes_of(far) < bytes_of(near) + 2**20, "something as large as the plan was held"
        assert bytes_of(near) < 16 * 2**20, "something as large as the plan was held"

    def _made_and_drawn(self, space: ParameterSpace, rounds: tuple[int, ...], patch: int) -> Patch:
        return self.make(space, rounds).draw(Candidate(patch))

    def _patches(self, space: ParameterSpace) -> list[Patch]:
        sampler = self.make(space)
        return [sampler.draw(Candidate(i, attempt)) for i in range(sum(_PLAN)) for attempt in range(3)]


def drawn(sampler: Sampler[Any], patches: int) -> list[Patch]:
    """Return the first draws of so many patches."""
    return [sampler.draw(Candidate(i)) for i in range(patches)]


def calls_of(action: Callable[[], object]) -> int:
    """Return how many functions an action calls: a measure of its cost that no other process disturbs."""
    count = 0

    def counted(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        action()
    finally:
        sys.setprofile(before)
    return count


def bytes_of(action: Callable[[], object]) -> int:
    """Return the most bytes that an action holds at one time."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
