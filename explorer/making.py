"""Sounds are made of a model and a recipe, block after block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tonesmith.explorer import weave
from tonesmith.explorer.atlas import SPACE, Atlas, Trajectory
from tonesmith.explorer.frames import BINS, RATE
from tonesmith.explorer.recipe import Recipe
from tonesmith.explorer.space import over_bins
from tonesmith.explorer.stream import AHEAD, BLOCK, Picture, frames_for, streamed
from tonesmith.explorer.weave import Piece, Woven

_TINY = 1e-12


def made(atlas: Atlas, recipe: Recipe, sources: Sequence[Trajectory]) -> Iterator[NDArray[np.float32]]:
    """Yield the sound of a recipe in blocks: float32 (channels, samples), at 48 kHz. Its peak may be above full scale.

    Args:
        atlas: the model.
        recipe: what to make.
        sources: of the recipe, in its order; none to wander through all sounds of the model.
    """
    samples = round(recipe.seconds * RATE)
    tracks = _tracks(atlas, recipe, sources)
    pieces = pieces_of(recipe, tracks, frames_for(samples), alone=bool(sources))
    pictures = _Pictures(atlas, recipe, tracks, Woven(pieces))
    blocks = (pictures.of(first) for first in range(0, frames_for(samples), BLOCK))
    return streamed(((picture, BLOCK) for picture in blocks), atlas.channels, samples, recipe.seed, recipe.griffin_lim)


def _tracks(atlas: Atlas, recipe: Recipe, sources: Sequence[Trajectory]) -> tuple[Trajectory, ...]:
    if not sources:
        return atlas.trajectories
    if len(sources) == 1:
        return tuple(sources)
    from tonesmith.explorer.atlas import blended

    return (blended(sources, [source.weight for source in recipe.sources]),)


def pieces_of(recipe: Recipe, tracks: Sequence[Trajectory], frames: int, *, alone: bool) -> list[Piece]:
    """Return what is played when.

    Args:
        recipe: what to make.
        tracks: the trajectories that it is made of.
        frames: of the result.
        alone: whether the one track was asked for by name, so that it loops.
    """
    random = np.random.default_rng([recipe.seed, 1])
    if recipe.density is not None:
        return weave.scattered(tracks, frames, recipe.density, random)
    return weave.looped(tracks[0], frames) if alone else weave.walked(tracks, frames, random)


def offset_of(atlas: Atlas, recipe: Recipe) -> NDArray[np.float32]:
    """Return how far the sliders of a recipe move every frame: float32 (k,)."""
    directions = {slider.name: slider.direction for slider in atlas.sliders}
    total = np.zeros(len(atlas.components.axes), np.float32)
    for name, steps in recipe.sliders.items():
        total += np.float32(steps) * directions[name]
    return total


class _Pictures:
    """Frames of a recipe without phases, from any frame on."""

    def __init__(self, atlas: Atlas, recipe: Recipe, tracks: Sequence[Trajectory], woven: Woven) -> None:
        self._atlas, self._recipe, self._tracks, self._woven = atlas, recipe, tracks, woven
        self._offset = offset_of(atlas, recipe)
        self._wide = atlas.channels == 2

    def of(self, first: int) -> Picture:
        """Return a block of frames, and those that are looked at after it."""
        count = BLOCK + AHEAD
        pieces = self._woven.between(first, first + count)
        if self._recipe.density is None:
            return self._mixed(pieces, first, count)
        return self._summed(pieces, first, count)

    def _mixed(self, pieces: Sequence[Piece], first: int, count: int) -> Picture:
        """Return pieces that run into each other: between two of them, points half-way in the model."""
        latent = np.zeros((count, len(self._offset)), np.float32)
        space = np.zeros((count, SPACE), np.float32)
        total = np.zeros((count, 1), np.float32)
        for piece in pieces:
            rows, weight, track, at = self._part(piece, first, count)
            latent[rows] += weight[:, None] * track.latent[at].astype(np.float32)
            space[rows] += weight[:, None] * track.space[at].astype(np.float32)
            total[rows] += weight[:, None]
        share = np.asarray(np.maximum(total, _TINY), np.float32)
        magnitude = self._decoded(np.asarray(latent / share)) * (total > 0.0)
        if not self._wide:
            return Picture(magnitude)
        return Picture(magnitude, *over_bins(space / share))

    def _summed(self, pieces: Sequence[Piece], first: int, count: int) -> Picture:
        """Return pieces that sound at once: their powers are added."""
        power = np.zeros((count, BINS), np.float32)
        like, unlike = np.zeros_like(power), np.zeros_like(power)
        for piece in pieces:
            rows, weight, track, at = self._part(piece, first, count)
            own = np.square(self._decoded(track.latent[at].astype(np.float32)) * weight[:, None])
            power[rows] += own
            if self._wide:
                shares = over_bins(track.space[at].astype(np.float32))
                like[rows] += own * shares[0]
                unlike[rows] += own * np.square(shares[1])
        if not self._wide:
            return Picture(np.sqrt(power))
        held = np.asarray(np.maximum(power, _TINY), np.float32)
        return Picture(np.sqrt(power), like / held, np.sqrt(unlike / held))

    def _part(self, piece: Piece, first: int, count: int) -> tuple[slice, NDArray[np.float32], Trajectory, slice]:
        """Return which rows of a block a piece is heard in, how much, and the frames of its trajectory."""
        start, stop = max(piece.start, first), min(piece.start + piece.count, first + count)
        at = piece.first + start - piece.start
        rows = slice(start - first, stop - first)
        return rows, piece.weight(start, stop - start), self._tracks[piece.track], slice(at, at + stop - start)

    def _decoded(self, latent: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._atlas.decode(latent, self._offset if self._recipe.sliders else None, self._recipe.exemplars)
