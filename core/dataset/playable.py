"""What a dataset can do with labels that are not in it: say what they mean, and play them on its synth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset.row import Parameters, parameters_of
from tonesmith.space.label import Outside

if TYPE_CHECKING:
    from tonesmith.dataset.given import Given, One
    from tonesmith.dataset.player import Failed, Player, Plays
    from tonesmith.dataset.reader import Dataset


class Playable:
    """The part of a :class:`tonesmith.Dataset` that plays labels."""

    def parameters_of(self, label: One) -> Parameters:
        """Return name -> value of each parameter of any label, in the units that the synth shows.

        Raises :class:`SpaceError` if it is not of the dataset's space.
        """
        from tonesmith.dataset.given import patches_of

        dataset = cast("Dataset", self)
        return parameters_of(dataset.space, patches_of(dataset, [label])[0])

    def player(self, workers: int = 1, *, trust: bool = False) -> Player:
        """Return what plays any label, on engines that stay loaded: see :class:`tonesmith.dataset.player.Player`.

        Args:
            workers: engines, each in a process of its own; 0 for one a core.
            trust: whether to load what the dataset's plan names though this user has not used it.
        """
        from tonesmith.dataset.player import Player

        return Player(cast("Dataset", self), workers, trust=trust)

    def render(
        self,
        labels: Given,
        notes: Plays | Sequence[Plays] | None = None,
        *,
        workers: int = 0,
        outside: Outside = "refuse",
        failed: Failed = "raise",
        trust: bool = False,
    ) -> NDArray[np.float32]:
        """Return what labels sound like on the synth of the dataset: float32 (n, channels, frames), full scale 1.0.

        A stored label, such as ``ds[3].label``, gives the stored audio: bit for bit where the synth is exact.

        Args:
            labels: one, or a list, of :class:`Label`, :class:`Patch`, or mappings of the arrays that
                :meth:`Label.from_parts` takes; or a mapping of stacked arrays, with a row for each label.
            notes: one for all, or one for each: notes, phrases or scores; None for the first note of the plan. Each
                lasts as long as the rows.
            workers: engines, each in a process of its own; 0 for one a core.
            outside: "clip" for the nearest end in place of a continuous value outside [0, 1].
            failed: "raise" for an error that names what could not be rendered, once all others are; or what is called
                with the index and the reason of each of those, which are silence then.
            trust: whether to load what the dataset's plan names though this user has not used it.

        Raises as :meth:`tonesmith.dataset.player.Player.__call__` does.
        """
        with self.player(workers, trust=trust) as play:
            return play(labels, notes, outside=outside, failed=failed)
