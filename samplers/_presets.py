"""Which of a plan's presets each candidate is made of."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from tonesmith.errors import ConfigError

if TYPE_CHECKING:
    from tonesmith.space.patch import Candidate, Patch

PATIENCE = 2
"""Attempts at a patch with the preset whose turn it is. Noise that made one attempt silent seldom makes two so; a
preset that is silent itself, or crashes the synth, would use up every attempt and stop the run."""


def check_presets(sampler: str, presets: Sequence[Patch], least: int = 1) -> None:
    """Raise :class:`ConfigError` unless there are presets to draw from, at least so many."""
    if not presets:
        raise ConfigError(
            f"the sampler {sampler!r} draws from presets, but there are none. Give some: --presets PATH, "
            "or [presets] paths."
        )
    if len(presets) < least:
        raise ConfigError(
            f"the sampler {sampler!r} needs {least} presets, but there is {len(presets)}. Give more: --presets PATH, "
            "or [presets] paths."
        )


class Visits:
    """Visits presets evenly, and one after the other.

    Of the n patches of a round over p presets, patch j takes preset floor(j * p / n): each of them
    floor(n / p) or ceil(n / p) times, and in one run, so that a worker loads what a preset needs once. If n is
    below p, the presets taken lie evenly among all. A later round is as even, and starts one preset further.

    From attempt :data:`PATIENCE` on a patch takes the other presets, one after the other in a keyed order.

    Args:
        seed: of the plan.
        purpose: tells these visits from others of the same seed.
        rounds: patches of each round of the plan.
        presets: how many there are.
    """

    def __init__(self, seed: int, purpose: str, rounds: tuple[int, ...], presets: int) -> None:
        self._seed = seed
        self._purpose = purpose
        self._rounds = rounds
        self._ends = list(accumulate(rounds))
        self._presets = presets

    def at(self, candidate: Candidate) -> int:
        """Return the index of a candidate's preset; IndexError if the candidate is beyond the plan's rounds."""
        own = self._own(candidate.patch)
        if candidate.attempt < PATIENCE:
            return own
        return another(self._seed, self._purpose, candidate.patch, self._presets, own, candidate.attempt - PATIENCE)

    def _own(self, patch: int) -> int:
        if not 0 <= patch < sum(self._rounds):
            raise IndexError(f"patch {patch} is not in the plan, which has patches 0..{sum(self._rounds) - 1}")
        number = bisect_right(self._ends, patch)
        place = patch - (self._ends[number] - self._rounds[number])
        return (place * self._presets // self._rounds[number] + number) % self._presets


def another(seed: int, purpose: str, patch: int, presets: int, own: int, turn: int) -> int:
    """Return another preset than ``own``: turns 0, 1, ... go through all the others in a keyed order, over and over.

    A preset that is the only one is returned itself.
    """
    import numpy as np

    from tonesmith.samplers._permutation import Permutations
    from tonesmith.space.sampling import key_of

    others = presets - 1
    if others < 1:
        return own
    key = np.array([key_of(seed, purpose, "others", str(patch))], np.uint64)
    step = 1 + int(Permutations(key, others).at(turn % others)[0])
    return (own + step) % presets
