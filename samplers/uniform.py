"""Uniform sampling: every parameter on its own, every patch on its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Options, Sampler
from tonesmith.space.patch import Candidate, Patch


class UniformOptions(Options):
    """Uniform sampling has no options."""


class Uniform(Sampler[UniformOptions]):
    """Independent uniform draws: the baseline, and the right choice where patches must be independent.

    Stratified samplers make patches that avoid each other; statistics that assume independent rows
    (a bootstrap, a confidence interval of the mean) hold only for this one.
    """

    name = "uniform"
    summary = "independent uniform draws of every parameter"
    Options = UniformOptions

    def draw(self, candidate: Candidate) -> Patch:
        """Return the patch of a candidate."""
        from tonesmith.space.sampling import modulations_at, patch_at, uniform

        purpose = "uniform/again" if candidate.attempt else "uniform"
        point = uniform(self.seed, purpose, candidate.patch, candidate.attempt, len(self.space.names))
        return patch_at(self.space, point, self.name, modulations_at(self.space, self.seed, candidate))


@hookimpl
def tonesmith_samplers() -> Iterable[type[Sampler[Any]]]:
    """Return the sampler of this module."""
    return [Uniform]
