"""A render, and what a validator says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonesmith.score.phrase import Phrase
from tonesmith.space.patch import Note, Patch


@dataclass(frozen=True, slots=True)
class Render:
    """The audio of one patch and one note, or one phrase.

    Attributes:
        audio: float32 (channels, frames), full scale 1.0.
        sample_rate: Hz.
        note: the note or the phrase that was played. Either has a pitch, a velocity, a hold and a tail.
        channels, frames: what the plan expects the shape of ``audio`` to be.
    """

    audio: NDArray[np.float32]
    sample_rate: int
    patch: Patch
    note: Note | Phrase
    channels: int
    frames: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a validator says of a render.

    Attributes:
        measured: a number for each of the validator's measures, by name. NaN where it has none.
        reason: "" if accepted; else a word or two that are the same for all renders rejected for it.
    """

    measured: Mapping[str, float]
    reason: str = ""
