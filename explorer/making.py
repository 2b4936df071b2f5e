"""Sounds are made of a model and a recipe, block after block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tonesmith.explorer import weave
from tonesmith.explorer.atlas import SPACE, Atlas, Trajectory, blended
from tonesmith.explorer.frames import BINS, HOP, RATE
from tonesmith.explorer.moves import values_at
from tonesmith.explorer.placing import Placing
from tonesmith.explorer.recipe import Recipe
from tonesmith.explorer.space import over_bins
from tonesmith.explorer.stream import AHEAD, BLOCK, Picture, frames_for, streamed
from tonesmith.explorer.timing import Drift, repeated, warped
from tonesmith.explorer.weave import Piece, Track, Woven

if TYPE_CHECKING:
    from tonesmith.explorer.binaural.convolved import Directions
    from tonesmith.explorer.binaural.head import Head

_TINY = 1e-12


def made(
    atlas: Atlas, recipe: Recipe, sources: Sequence[Trajectory], head: Head | None = None
) -> Iterator[NDArray[np.float32]]:
    """Yield the sound of a recipe in blocks: float32 (channels, samples), at 48 kHz. Its peak may be above full scale.

    Args:
        atlas: the model.
        recipe: what to make.
        sources: of the recipe, in its order; none to wander through all sounds of the model.
        head: whose ears hear a binaural sound; KEMAR's without.
    """
    samples = round(recipe.seconds * RATE)
    tracks = _tracks(atlas, recipe, sources)
    pieces = pieces_of(recipe, tracks, frames_for(samples), alone=bool(sources))
    pictures = _Pictures(atlas, recipe, tracks, Woven(pieces), samples)
    blocks = ((pictures.of(first), BLOCK) for first in range(0, frames_for(samples), BLOCK))
    channels = channels_of(atlas, recipe)
    heard_apart = channels == "binaural"
    count = 1 if channels == "mono" or (heard_apart and not pictures.wide) else 2
    sound = streamed(blocks, count, samples, recipe.seed, recipe.griffin_lim, apart=heard_apart)
    if not heard_apart:
        return sound
    from tonesmith.explorer.binaural.convolved import around
    from tonesmith.explorer.binaural.head import kemar

    return around(sound, head or kemar(), _directions(recipe, samples))


def channels_of(atlas: Atlas, recipe: Recipe) -> str:
    """Return what a sound of a recipe is: "mono", "stereo" or "binaural"."""
    return recipe.channels or ("stereo" if atlas.channels == 2 else "mono")


def _directions(recipe: Recipe, samples: int) -> Directions:
    from tonesmith.explorer.binaural.convolved import Directions

    place = recipe.place
    return Directions(
        lambda times: values_at(place.azimuth, times / samples),
        lambda times: values_at(place.elevation, times / samples),
    )


def _tracks(atlas: Atlas, recipe: Recipe, sources: Sequence[Trajectory]) -> Sequence[Track]:
    plain: Sequence[Trajectory] = sources or atlas.trajectories
    if len(sources) > 1:
        plain = (blended(sources, [source.weight for source in recipe.sources]),)
    stretch, attack = recipe.time.stretch, recipe.time.attack
    if stretch == attack == 1.0:
        return plain
    return [warped(track, atlas.code, stretch, attack) for track in plain]


def pieces_of(recipe: Recipe, tracks: Sequence[Track], frames: int, *, alone: bool) -> list[Piece]:
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
    if alone and recipe.time.loop is not None:
        return repeated(tracks[0], frames, recipe.time.loop)
    return weave.looped(tracks[0], frames) if alone else weave.walked(tracks, frames, random)


def offset_of(atlas: Atlas, recipe: Recipe, share: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return how far the sliders of a recipe move frames: float32 (count, k).

    Args:
        atlas: with the sliders.
        recipe: that sets them.
        share: float64 (count,), where the frames are in the sound, 0 to 1.
    """
    directions = {slider.name: slider.direction for slider in atlas.sliders}
    total = np.zeros((len(share), atlas.size), np.float32)
    for name, steps in recipe.sliders.items():
        total += values_at(steps, share).astype(np.float32)[:, None] * directions[name]
    return total


class _Pictures:
    """Frames of a recipe without phases, from any frame on."""

    def __init__(self, atlas: Atlas, recipe: Recipe, tracks: Sequence[Track], woven: Woven, samples: int) -> None:
        self._atlas, self._recipe, self._tracks, self._woven = atlas, recipe, tracks, woven
        self._samples = samples
        self._placing = Placing(recipe.place, channels_of(atlas, recipe))
        self._drift = Drift(atlas.code, recipe.seed) if recipe.time.drift else None
        self._offset: NDArray[np.float32] | None = None
        self._sides = atlas.channels == 2 and recipe.channels != "mono"
        self.wide = self._sides or recipe.place.width != 1.0

    def of(self, first: int) -> Picture:
        """Return a block of frames, and those that are looked at after it."""
        count = BLOCK + AHEAD
        share = np.clip(np.arange(first, first + count) * (HOP / self._samples), 0.0, 1.0)
        self._offset = self._offset_at(first, share)
        pieces = self._woven.between(first, first + count)
        picture = (self._mixed if self._recipe.density is None else self._summed)(pieces, first, count)
        return self._placing.placed(picture, share)

    def _offset_at(self, first: int, share: NDArray[np.float64]) -> NDArray[np.float32] | None:
        """Return how far frames are moved in the model, (count, k); None if they are not."""
        if not self._recipe.sliders and self._drift is None:
            return None
        total = offset_of(self._atlas, self._recipe, share)
        if self._drift is not None:
            depth = values_at(self._recipe.time.drift, share).astype(np.float32)
            total += depth[:, None] * self._drift.between(first, first + len(share))
        return total

    def _mixed(self, pieces: Sequence[Piece], first: int, count: int) -> Picture:
        """Return pieces that run into each other: between two of them, points half-way in the model."""
        latent = np.zeros((count, self._atlas.size), np.float32)
        space = np.zeros((count, SPACE), np.float32)
        total = np.zeros((count, 1), np.float32)
        for piece in pieces:
            rows, weight, track, at = self._part(piece, first, count)
            latent[rows] += weight[:, None] * track.latent[at].astype(np.float32)
            space[rows] += weight[:, None] * track.space[at].astype(np.float32)
            total[rows] += weight[:, None]
        share = np.asarray(np.maximum(total, _TINY), np.float32)
        magnitude = self._decoded(np.asarray(latent / share), slice(None)) * (total > 0.0)
        if not self._sides:
            return Picture(magnitude)
        return Picture(magnitude, *over_bins(space / share))

    def _summed(self, pieces: Sequence[Piece], first: int, count: int) -> Picture:
        """Return pieces that sound at once: their powers are added."""
        power = np.zeros((count, BINS), np.float32)
        like, unlike = np.zeros_like(power), np.zeros_like(power)
        for piece in pieces:
            rows, weight, track, at = self._part(piece, first, count)
            own = np.square(self._decoded(track.latent[at].astype(np.float32), rows) * weight[:, None])
            power[rows] += own
            if self._sides:
                shares = over_bins(track.space[at].astype(np.float32))
                like[rows] += own * shares[0]
                unlike[rows] += own * np.square(shares[1])
        if not self._sides:
            return Picture(np.sqrt(power))
        held = np.asarray(np.maximum(power, _TINY), np.float32)
        return Picture(np.sqrt(power), like / held, np.sqrt(unlike / held))

    def _part(self, piece: Piece, first: int, count: int) -> tuple[slice, NDArray[np.float32], Track, slice]:
        """Return which rows of a block a piece is heard in, how much, and the frames of its trajectory."""
        start, stop = max(piece.start, first), min(piece.start + piece.count, first + count)
        at = piece.first + start - piece.start
        rows = slice(start - first, stop - first)
        return rows, piece.weight(start, stop - start), self._tracks[piece.track], slice(at, at + stop - start)

    def _decoded(self, latent: NDArray[np.float32], rows: slice) -> NDArray[np.float32]:
        return self._atlas.decode(latent, None if self._offset is None else self._offset[rows], self._recipe.exemplars)
