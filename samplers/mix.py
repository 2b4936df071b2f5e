"""Several samplers in one dataset."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from tonesmith.errors import ConfigError
from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Options, Sampler
from tonesmith.samplers._parts import SCHEMA, Claim, Part, Unclaimed, layout
from tonesmith.space.patch import Candidate, Patch

_EXAMPLE = "--sampler.parts presets,perturb:600,lhs:200, or [[sampler.parts]] tables with a name, and a share or count"


class MixOptions(Options):
    """Options of :class:`Mix`."""

    parts: tuple[Annotated[Part, WithJsonSchema(SCHEMA)], ...] = Field(
        default=(), description="Samplers in order: NAME:COUNT, NAME:SHARE with a point or %, or NAME for the rest."
    )


class Mix(Sampler[MixOptions]):
    """Several samplers, each with its share of the patches, in order.

    A part has a count, a share, or neither. Counts are patches of the whole plan, and are filled first. A part
    with neither takes all that its sampler has, if that is limited (``presets`` has each preset once), and is
    filled like a count. What is left is split by the shares: they are weights where every part has one, and
    fractions of it where some part takes what they leave; several such parts divide it evenly.

    The patches of a round lie in the order of the parts. Every part draws from its own seed, as if it were the
    sampler of a plan of its own, and its patches keep its name as their origin.

    Raises :class:`tonesmith.errors.ConfigError` without parts, if a part cannot draw what falls to it, or if no
    part takes what the counts leave.
    """

    name = "mix"
    summary = "several samplers in order, by count or share"
    Options = MixOptions
    uses_presets = True  # of a mix at hand: if one of its parts does

    def set_up(self) -> None:
        """Lay out the parts, and make the sampler of each."""
        parts = self.options.parts
        if not parts:
            raise ConfigError(f"the sampler 'mix' has no parts. Give some: {_EXAMPLE}.")
        limits = [self._part(place, (0,)).limit() for place in range(len(parts))]
        self._claims = [_claim(part, limit) for part, limit in zip(parts, limits, strict=True)]
        self._sizes = self._laid_out(self.rounds)
        for part, limit, sizes in zip(parts, limits, zip(*self._sizes, strict=True), strict=True):
            _check_limit(part, limit, sum(sizes))
        self._parts = [self._part(place, sizes) for place, sizes in enumerate(zip(*self._sizes, strict=True))]
        self._ends = list(accumulate(self.rounds))
        self.uses_presets = any(part.uses_presets for part in self._parts)

    def origins(self) -> tuple[str, ...]:
        """Return the origins of all parts, in their order."""
        return tuple(dict.fromkeys(origin for part in self._parts for origin in part.origins()))

    def limit(self) -> int | None:
        """Return the sum of the counts, or None if a part takes what is left."""
        most = [claim.most for claim in self._claims if claim.most is not None]
        return sum(most) if len(most) == len(self._claims) else None

    def draw(self, candidate: Candidate) -> Patch:
        """Return the patch of a candidate; IndexError if it is beyond the plan's rounds."""
        if not 0 <= candidate.patch < sum(self.rounds):
            raise IndexError(f"patch {candidate.patch} is not in the plan, which has patches 0..{sum(self.rounds) - 1}")
        number = bisect_right(self._ends, candidate.patch)
        within = candidate.patch - (self._ends[number] - self.rounds[number])
        ends = list(accumulate(self._sizes[number]))
        place = bisect_right(ends, within)
        index = within - (ends[place] - self._sizes[number][place])
        earlier = sum(sizes[place] for sizes in self._sizes[:number])
        return self._parts[place].draw(Candidate(earlier + index, candidate.attempt))

    def _laid_out(self, rounds: tuple[int, ...]) -> list[list[int]]:
        """Return how many patches of each round each part makes."""
        try:
            return layout(rounds, self._claims)
        except Unclaimed as error:
            raise ConfigError(
                f"the parts of the mix draw {error.claimed} patches in all, but {sum(rounds)} are asked for. Give one "
                "of them a share, or leave out its count so that it takes the rest."
            ) from None

    def _part(self, place: int, rounds: tuple[int, ...]) -> Sampler[Any]:
        """Return the sampler of a part, for so many patches of each round."""
        from tonesmith.host.registry import Host
        from tonesmith.space.sampling import key_of

        part = self.options.parts[place]
        cls = Host.load().find("sampler", part.name)
        seed = key_of(self.seed, "mix", str(place), part.name)
        return cls(cls.Options.model_validate(part.options), self.space, seed, rounds, self.presets)


def _claim(part: Part, limit: int | None) -> Claim:
    if part.count is not None:
        return Claim(most=part.count)
    return Claim(share=part.share) if part.share is not None else Claim(most=limit)


def _check_limit(part: Part, limit: int | None, patches: int) -> None:
    most = max(patches, part.count or 0)
    if limit is not None and most > limit:
        raise ConfigError(
            f"the part {part.name!r} of the mix can draw only {limit} patches here, but is given {most}. Give it "
            f"fewer, "
            "or leave out its count and share so that it draws as many as it can."
        )


@hookimpl
def tonesmith_samplers() -> Iterable[type[Sampler[Any]]]:
    """Return the sampler of this module."""
    return [Mix]
