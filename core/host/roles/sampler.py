"""A sampler draws patches."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tonesmith.host.roles.base import O, Plugin

if TYPE_CHECKING:
    from tonesmith.space.patch import Candidate, Patch
    from tonesmith.space.space import ParameterSpace


class Sampler(Plugin[O]):
    """Draws patches. ``draw`` is a pure function of the plan's seed and the candidate.

    Args of the constructor:
        options: the options of this sampler.
        space: the space to draw from.
        seed: the seed of the plan.
        rounds: number of patches of each round of the plan: ``(48,)``, or ``(48, 52)`` after an extension to 100.
        presets: the patches of the plan's presets; each names its file by ``Patch.preset``. Parameters that the plan
            fixes have their fixed value in them.
    """

    role = "sampler"
    uses_presets: bool = False
    """Whether it draws from the plan's presets."""

    def __init__(
        self,
        options: O,
        space: ParameterSpace,
        seed: int,
        rounds: tuple[int, ...],
        presets: Sequence[Patch] = (),
    ) -> None:
        self.options = options
        self.space = space
        self.seed = seed
        self.rounds = rounds
        self.presets = presets
        self.set_up()

    def set_up(self) -> None:
        """Prepare to draw. Override this, not the constructor. It may raise :class:`tonesmith.errors.ConfigError`."""

    def origins(self) -> tuple[str, ...]:
        """Return the values of ``Patch.origin`` that it uses."""
        return (self.name,)

    def limit(self) -> int | None:
        """Return how many patches it can draw, or None if there is no limit."""
        return None

    @abstractmethod
    def draw(self, candidate: Candidate) -> Patch:
        """Return the patch of a candidate, at a cost that does not grow with its index.

        A later attempt is a new draw that leaves every other patch as it is.
        """
