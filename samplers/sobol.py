"""Sobol' sampling: a low-discrepancy sequence that any number of patches continues."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import Field

from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Options, Sampler
from tonesmith.space.patch import Candidate, Patch


class SobolOptions(Options):
    """Options of :class:`Sobol`."""

    scramble: bool = Field(
        default=True,
        description="Scramble the sequence by the seed. If false, it is the same for every seed and starts in the "
        "corner.",
    )


class Sobol(Sampler[SobolOptions]):
    """The Sobol' sequence: even in every parameter and in many pairs, best at a power of 2 of patches.

    Source: Sobol' 1967; direction numbers of Joe & Kuo 2008 for up to 21201 parameters; scrambled as in
    Matousek 1998. Rounds do not matter: an extension continues the sequence.

    A rejected patch is drawn again uniformly and on its own: nothing else moves.

    Raises :class:`tonesmith.errors.ConfigError` for more parameters than there are direction numbers.
    """

    name = "sobol"
    summary = "scrambled Sobol' sequence: low discrepancy, and an extension continues it"
    Options = SobolOptions

    def set_up(self) -> None:
        """Make the sequence."""
        import numpy as np

        from tonesmith.samplers._digital import SobolSequence
        from tonesmith.space.sampling import key_of

        keys = np.array([key_of(self.seed, "sobol", name) for name in self.space.names], np.uint64)
        self._sequence = SobolSequence(keys, self.options.scramble)

    def draw(self, candidate: Candidate) -> Patch:
        """Return the patch of a candidate; IndexError beyond the sequence's 2**32 points."""
        from tonesmith.space.sampling import modulations_at, patch_at, uniform

        if candidate.attempt:
            size = len(self.space.names)
            point = uniform(self.seed, "sobol/again", candidate.patch, candidate.attempt, size)
        else:
            point = self._sequence.point(candidate.patch)
        return patch_at(self.space, point, self.name, modulations_at(self.space, self.seed, candidate))


@hookimpl
def tonesmith_samplers() -> Iterable[type[Sampler[Any]]]:
    """Return the sampler of this module."""
    return [Sobol]
