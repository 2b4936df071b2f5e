"""Variations of presets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from tonesmith.errors import ConfigError
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Options, Sampler
from tonesmith.samplers._presets import Visits, check_presets
from tonesmith.space.patch import Candidate, Patch

if TYPE_CHECKING:
    from tonesmith.samplers._noise import Surroundings

Spread = Annotated[float, Field(ge=0.0, le=1.0)]


class PerturbOptions(Options):
    """Options of :class:`Perturb`."""

    spread: Spread = Field(
        default=0.1, description="Standard deviation of the noise. 1 is the whole range of a parameter."
    )
    spreads: dict[str, Spread] = Field(
        default={}, description="Other standard deviations, by name, group or glob. 0 keeps the value of the preset."
    )
    only: tuple[str, ...] = Field(
        default=(), description="Perturb only these names, groups and globs. Empty means all."
    )
    bounds: Literal["reflect", "clip"] = Field(
        default="reflect", description="What to do with a value outside its range."
    )
    inaudible: bool = Field(default=False, description="Also perturb parameters that the preset leaves inaudible.")
    amounts: Spread = Field(
        default=0.0, description="Standard deviation of noise on modulation amounts, which range from -1 to 1."
    )


class Perturb(Sampler[PerturbOptions]):
    """A preset with Gaussian noise on its continuous parameters; all else is kept.

    The noise is on what the plan varies and the preset makes audible, in units of each parameter's range.
    Values stay in the range that is drawn from, widened to what the preset itself has. Categorical parameters,
    modulations, assets, and what the plan does not vary are the preset's own.

    Presets are visited evenly: of n patches of a round, each of p presets is varied floor(n / p) or ceil(n / p)
    times, its variations next to each other. A rejected variation is drawn again, first of the same preset, from
    the third attempt on of others.

    Raises :class:`tonesmith.errors.ConfigError` if the plan has no presets or varies nothing continuous, or a pattern
    matches nothing.
    """

    name = "perturb"
    summary = "presets with Gaussian noise on their audible continuous parameters"
    Options = PerturbOptions
    uses_presets = True

    def set_up(self) -> None:
        """Check the presets and the patterns, and make the noise."""
        from tonesmith.samplers._noise import Noise, spreads_of

        options, space = self.options, self.space
        check_presets(self.name, self.presets)
        if not (space.continuous or options.amounts):
            raise ConfigError(
                "the sampler 'perturb' moves continuous parameters, but none varies here. Vary some under [space], or "
                "use the sampler 'presets' or 'breed'."
            )
        spreads = spreads_of(space, options.spread, options.spreads, options.only, self.name)
        self._noise = Noise(space, spreads, options.bounds, options.inaudible)
        self._visits = Visits(self.seed, self.name, self.rounds, len(self.presets))
        self._surroundings = lru_cache(maxsize=8)(self._around)

    def draw(self, candidate: Candidate) -> Patch:
        """Return the patch of a candidate; IndexError if it is beyond the plan's rounds."""
        from tonesmith.samplers._noise import jittered
        from tonesmith.space.sampling import uniform

        options, address = self.options, (candidate.patch, candidate.attempt)
        patch, surroundings = self._surroundings(self._visits.at(candidate))
        unit = uniform(self.seed, "perturb", *address, len(self.space.continuous))
        modulations = patch.modulations
        if options.amounts:
            spins = uniform(self.seed, "perturb/amounts", *address, len(modulations))
            modulations = jittered(modulations, spins, options.amounts, options.bounds, options.inaudible)
        values = {**patch.values, **surroundings.values_at(unit)}
        return replace(patch, values=values, modulations=modulations, origin=self.name)

    def _around(self, index: int) -> tuple[Patch, Surroundings]:
        patch = self.presets[index]
        return patch, self._noise.around(patch)


@hookimpl
def tonesmith_samplers() -> Iterable[type[Sampler[Any]]]:
    """Return the sampler of this module."""
    return [Perturb]
