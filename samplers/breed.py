"""Children of two presets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Self

from pydantic import Field, model_validator

from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Options, Sampler
from tonesmith.samplers._presets import Visits, check_presets
from tonesmith.space.patch import Candidate, Patch


class BreedOptions(Options):
    """Options of :class:`Breed`."""

    crossover: float = Field(
        default=0.5, ge=0.0, le=1.0, description="Weight of children that take each module whole from one parent."
    )
    interpolation: float = Field(
        default=0.5, ge=0.0, le=1.0, description="Weight of children whose values lie between those of the parents."
    )
    mutation: float = Field(default=0.25, ge=0.0, le=1.0, description="Share of children that also get noise.")
    spread: float = Field(
        default=0.05,
        ge=0.0,
        le=1.0,
        description="Standard deviation of that noise. 1 is the whole range of a parameter.",
    )

    @model_validator(mode="after")
    def _some_way(self) -> Self:
        if not self.crossover + self.interpolation:
            raise ValueError("crossover and interpolation are both 0. Give one of them a weight above 0")
        return self


class Breed(Sampler[BreedOptions]):
    """Children of two presets: by crossover of modules, or by interpolation; some of them mutated.

    Crossover takes each module whole from one parent or the other, and at least one from each: its parameters
    and its assets. The modulations travel with their sources as one module.

    Interpolation moves the continuous parameters that the plan varies the same part t of the way from the first
    parent to the second, 0 < t < 1. What cannot be blended (choices, modulations, assets, and what the plan does
    not vary) is all of the nearer parent, so that the whole stays one instrument.

    Mutation adds Gaussian noise to what is audible in the child, as the sampler ``perturb`` does.

    The first parents are visited evenly, as ``perturb`` visits them; the second is any other. A rejected child is
    drawn again, and from the third attempt on of other first parents.

    Raises :class:`tonesmith.errors.ConfigError` if the plan has fewer than two presets.
    """

    name = "breed"
    summary = "children of two presets: crossover of modules, interpolation, mutation"
    Options = BreedOptions
    uses_presets = True

    def set_up(self) -> None:
        """Check the presets, and find the modules and the noise."""
        import numpy as np

        from tonesmith.samplers._modules import Modules
        from tonesmith.samplers._noise import Noise

        check_presets(self.name, self.presets, least=2)
        spreads = np.full(len(self.space.continuous), self.options.spread)
        self._noise = Noise(self.space, spreads, "reflect", inaudible=False)
        self._modules = Modules(self.space)
        self._visits = Visits(self.seed, self.name, self.rounds, len(self.presets))

    def draw(self, candidate: Candidate) -> Patch:
        """Return the patch of a candidate; IndexError if it is beyond the plan's rounds."""
        from tonesmith.space.sampling import uniform

        first = self._visits.at(candidate)
        address = (candidate.patch, candidate.attempt)
        mate, way, mutates = uniform(self.seed, "breed", *address, 3).tolist()
        second = (first + 1 + int(mate * (len(self.presets) - 1))) % len(self.presets)
        parents = (self.presets[first], self.presets[second])
        options = self.options
        crosses = way * (options.crossover + options.interpolation) < options.crossover
        child = (self._crossed if crosses else self._between)(parents, address)
        if mutates < options.mutation:
            unit = uniform(self.seed, "breed/mutation", *address, len(self.space.continuous))
            child = replace(child, values={**child.values, **self._noise.around(child).values_at(unit)})
        return replace(child, origin=self.name, preset=parents[0].preset, mate=parents[1].preset)

    def _crossed(self, parents: tuple[Patch, Patch], address: tuple[int, int]) -> Patch:
        """Return a child with modules of both parents."""
        from tonesmith.space.sampling import uniform

        count = self._modules.count
        turned, *coins = uniform(self.seed, "breed/crossover", *address, 1 + count).tolist()
        chosen = [int(coin < 0.5) for coin in coins]
        if len(set(chosen)) == 1:
            chosen[int(turned * count)] ^= 1
        return self._modules.joined(parents, chosen)

    def _between(self, parents: tuple[Patch, Patch], address: tuple[int, int]) -> Patch:
        """Return a child between the parents, with all that cannot be blended of the nearer one."""
        from tonesmith.space.sampling import uniform

        t = max(float(uniform(self.seed, "breed/interpolation", *address, 1)[0]), 2.0**-54)
        values = dict(parents[t >= 0.5].values)
        for parameter in self.space.continuous:
            a, b = (patch.values.get(parameter.name, parameter.default) for patch in parents)
            values[parameter.name] = min(max(a + t * (b - a), min(a, b)), max(a, b))  # the sum may round to beyond
        return replace(parents[t >= 0.5], values=values)


@hookimpl
def tonesmith_samplers() -> Iterable[type[Sampler[Any]]]:
    """Return the sampler of this module."""
    return [Breed]
