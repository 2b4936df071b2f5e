"""What a model is fitted on: a sound that was read, or one that a model remembers."""

from __future__ import annotations

from collections.abc import Iterator, Set
from copy import copy
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tonesmith.explorer.atlas import CHUNK, NEAREST, Atlas, MadeBy, Sound, Trajectory, encoded, latents_of, spectra
from tonesmith.explorer.code import Code
from tonesmith.explorer.exemplars import typical
from tonesmith.explorer.frames import HOP, RATE, count_of, levels_of, magnitudes_of
from tonesmith.explorer.heard import heard_of
from tonesmith.explorer.measured import EXCERPT, Excerpt, excerpt_of
from tonesmith.explorer.sounds import Recorded
from tonesmith.explorer.stream import whole


class Material(Protocol):
    """A sound that a model is fitted on."""

    @property
    def sound(self) -> Sound:
        """What it is."""

    def levels(self) -> Iterator[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
        """Yield its frames in dB, float32 (frames, bins), at most 1024 at a time, and which of them are heard."""

    def encoded(self, code: Code) -> Trajectory:
        """Return its trajectory."""

    def typical(self, latent: NDArray[np.float32], count: int) -> NDArray[np.int64]:
        """Return which of its frames stand for all, at most ``count``; ``latent`` is its trajectory."""

    def excerpt(self, onset: int, fold: int) -> Excerpt:
        """Return a part of it from a frame on, to measure a model by."""


@dataclass(frozen=True, eq=False, slots=True)
class Read:
    """A sound that was read from a file.

    Attributes:
        recorded: it.
        weight: how much each of its frames counts.
        made_by: the model that made it, None for a sound of one's own.
    """

    recorded: Recorded
    weight: float = 1.0
    made_by: MadeBy | None = None

    @property
    def sound(self) -> Sound:
        """What it is."""
        one = self.recorded
        channels = 1 if one.side is None else 2
        frames = count_of(len(one.mid))
        return Sound(one.name, one.digest, round(one.seconds, 3), frames, channels, self.weight, self.made_by)

    def levels(self) -> Iterator[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
        """Yield its frames in dB, and which of them are heard."""
        for mid, _ in spectra(self.recorded):
            magnitude = np.abs(mid)
            yield levels_of(magnitude), heard_of(magnitude)

    def encoded(self, code: Code) -> Trajectory:
        """Return its trajectory."""
        return encoded(self.recorded, code)

    def typical(self, latent: NDArray[np.float32], count: int) -> NDArray[np.int64]:
        """Return which of its frames stand for all."""
        return typical(latent, count)

    def excerpt(self, onset: int, fold: int) -> Excerpt:
        """Return 0.7 s of it."""
        return excerpt_of(self.recorded.mid, onset, fold)


class Remembered:
    """A sound of a model, as that model has it: its exemplars as they were, frames between them from the nearest.

    Args:
        atlas: the model.
        place: of the sound in it.
        weight: by which its own weight is multiplied.
        known: latents of the exemplars, as bytes.
    """

    def __init__(self, atlas: Atlas, place: int, weight: float, known: Set[bytes]) -> None:
        self.sound = replace(atlas.sounds[place], weight=atlas.sounds[place].weight * weight)
        self._atlas, self._track = atlas, atlas.trajectories[place]
        rows = self._track.latent.astype(np.float32)
        exact = [at for at, row in enumerate(rows) if row.tobytes() in known]
        self.exact = np.array(exact or range(len(rows)), np.int64)

    def levels(self) -> Iterator[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
        """Yield its frames in dB, and which of them are heard."""
        for first in range(0, len(self._track), CHUNK):
            levels = self._between(first, first + CHUNK)
            yield levels, heard_of(magnitudes_of(levels))

    def _between(self, first: int, stop: int) -> NDArray[np.float32]:
        latent = self._track.latent[first:stop].astype(np.float32)
        return np.asarray(self._atlas.code.decode(latent) + self._atlas.exemplars.near(latent, NEAREST))

    def encoded(self, code: Code) -> Trajectory:
        """Return its trajectory."""
        levels = np.concatenate([part for part, _ in self.levels()])
        return Trajectory(latents_of(levels, code).astype(np.float16), self._track.space, self._track.onsets)

    def typical(self, latent: NDArray[np.float32], count: int) -> NDArray[np.int64]:
        """Return which of its frames stand for all, of those that are remembered as they were."""
        return np.asarray(self.exact[typical(latent[self.exact], count)])

    def excerpt(self, onset: int, fold: int) -> Excerpt:
        """Return 0.7 s of it, with a phase that is made."""
        count = count_of(round(EXCERPT * RATE))
        first = max(min(onset, len(self._track) - count), 0)
        magnitude = magnitudes_of(self._between(first, first + count))
        return Excerpt(whole(magnitude, max(len(magnitude) - 1, 1) * HOP), fold)


def weighted(material: Material, weight: float, made_by: MadeBy | None = None) -> Material:
    """Return a sound that counts so much, and that a model made if one is given."""
    if isinstance(material, Read):
        return replace(material, weight=weight, made_by=made_by or material.made_by)
    assert isinstance(material, Remembered)
    changed = copy(material)
    changed.sound = replace(material.sound, weight=weight)
    return changed


def remembered(atlas: Atlas, weight: float = 1.0) -> list[Remembered]:
    """Return the sounds of a model.

    Args:
        atlas: the model.
        weight: by which those of the sounds are multiplied.
    """
    known = {row.tobytes() for row in atlas.exemplars.latent}
    return [Remembered(atlas, place, weight, known) for place in range(len(atlas.sounds))]
