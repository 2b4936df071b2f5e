"""The sounds of a fit, and their frames that models are fitted on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from tonesmith.explorer.material import Material
from tonesmith.host.roles import Frames

FOLDS = 5
"""Groups of sounds, each of which is held out."""


class Sounds(Protocol):
    """What a model is fitted on."""

    def __len__(self) -> int:
        """How many sounds there are at most."""

    def read(self) -> Iterator[Material]:
        """Yield the sounds, the same each time."""


def own_of(sounds: Sounds) -> Iterator[tuple[int, Material]]:
    """Yield the sounds that no model made, each with its group: every fifth is in one."""
    own = (material for material in sounds.read() if material.sound.made_by is None)
    for place, material in enumerate(own):
        yield place % FOLDS, material


def framed(sounds: Sounds) -> Iterator[Frames]:
    """Yield the frames of the sounds that no model made."""
    for group, material in own_of(sounds):
        parts = list(material.levels())
        yield Frames(
            np.concatenate([levels for levels, _ in parts]), np.concatenate([heard for _, heard in parts]), group
        )
