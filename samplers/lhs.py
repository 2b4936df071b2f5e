"""Latin hypercube sampling: every stratum of every parameter is drawn from exactly once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from pydantic import Field

from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Options, Sampler
from tonesmith.space.patch import Candidate, Patch

if TYPE_CHECKING:
    from tonesmith.samplers._hypercube import Hypercube


class LhsOptions(Options):
    """Options of :class:`Lhs`."""

    jitter: bool = Field(
        default=True, description="Place continuous values anywhere in their strata. If false, use the middle of each."
    )


class Lhs(Sampler[LhsOptions]):
    """An exact Latin hypercube over all patches of each round of the plan.

    Source: McKay, Beckman & Conover 1979, "A comparison of three methods for selecting values of input
    variables". With n patches in a round, each continuous parameter's drawn range is cut into n equal
    strata and each holds exactly one patch: as stored, after rounding to float32, unless the strata are
    finer than float32 can tell apart. The rounds of an extended plan are hypercubes of their own, so
    an extension leaves the patches before it alone.

    Categorical parameters are sampled systematically: one offset for all strata of a round, so that a choice
    with share w is drawn floor(n * w) or ceil(n * w) times, and each can be drawn even if n is below
    the number of choices.

    A rejected patch is drawn again uniformly and on its own: nothing else moves, and its strata stay empty.
    """

    name = "lhs"
    summary = "Latin hypercube: every stratum of every parameter exactly once (the default)"
    Options = LhsOptions

    def set_up(self) -> None:
        """Get ready to count rounds."""
        self._ends = list(accumulate(self.rounds))
        self._hypercubes: dict[int, Hypercube] = {}

    def draw(self, candidate: Candidate) -> Patch:
        """Return the patch of a candidate; IndexError if it is beyond the plan's rounds."""
        from tonesmith.space.sampling import modulations_at, patch_at, uniform

        if candidate.attempt:
            size = len(self.space.names)
            point = uniform(self.seed, "lhs/again", candidate.patch, candidate.attempt, size)
        else:
            point = self._first(candidate.patch)
        return patch_at(self.space, point, self.name, modulations_at(self.space, self.seed, candidate))

    def _first(self, patch: int) -> Any:
        number = bisect_right(self._ends, patch)
        if not 0 <= patch < self._ends[-1]:
            raise IndexError(f"patch {patch} is not in the plan, which has patches 0..{self._ends[-1] - 1}")
        start = self._ends[number] - self.rounds[number]
        return self._hypercube(number).point(patch - start)

    def _hypercube(self, number: int) -> Hypercube:
        if number not in self._hypercubes:
            from tonesmith.samplers._hypercube import Hypercube

            self._hypercubes[number] = Hypercube(
                self.space, self.rounds[number], self.seed, ("lhs", str(number)), self.options.jitter
            )
        return self._hypercubes[number]


@hookimpl
def tonesmith_samplers() -> Iterable[type[Sampler[Any]]]:
    """Return the sampler of this module."""
    return [Lhs]
