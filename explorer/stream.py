"""Frames that become sound, block after block: phases go on from those before, so that there are no joins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonesmith.explorer.frames import BINS, HOP, SIZE, overlapped
from tonesmith.explorer.phase import phases_of, refined
from tonesmith.explorer.space import side_of

BLOCK, AHEAD = 256, 8
"""Frames of a block, and of the next one that are looked at to build its phases."""
_BEFORE = SIZE // HOP


@dataclass(frozen=True, eq=False, slots=True)
class Picture:
    """Frames before they have phases.

    Attributes:
        magnitude: float32 (frames, bins) of the mid.
        like: float32 (frames, bins), the share of the side that is like it; None for one channel.
        unlike: likewise, of the part that is not.
        pan: float32 (frames, 2), gains of the mid to the left and to the right; None for 1 and 1.
    """

    magnitude: NDArray[np.float32]
    like: NDArray[np.float32] | None = None
    unlike: NDArray[np.float32] | None = None
    pan: NDArray[np.float32] | None = None


class Stream:
    """Makes sound of pictures that follow each other.

    Args:
        channels: 1 or 2.
        seed: of the phases that nothing decides.
        rounds: of Griffin-Lim in each block.
        apart: whether the two channels are mid and side, and not left and right.
    """

    def __init__(self, channels: int, seed: int, rounds: int = 0, *, apart: bool = False) -> None:
        self._channels, self._seed, self._rounds, self._apart = channels, seed, rounds, apart
        self._before = np.zeros((0, BINS), np.complex64)
        self._carried = np.zeros((channels, SIZE - HOP), np.float32)
        self._blocks = 0

    def push(self, picture: Picture, keep: int) -> NDArray[np.float32]:
        """Return the next samples: float32 (channels, keep * HOP).

        The first frame of all has its middle at sample 1024.

        Args:
            picture: the next frames, and those to look at.
            keep: how many frames are next.
        """
        random = np.random.default_rng([self._seed, self._blocks])
        phase = phases_of(picture.magnitude, self._before, random)
        frames = np.empty(phase.shape, np.complex64)
        frames.real, frames.imag = picture.magnitude * np.cos(phase), picture.magnitude * np.sin(phase)
        frames = refined(picture.magnitude, frames, self._before, self._rounds)[:keep]
        self._before = np.concatenate([self._before, frames])[-_BEFORE:]
        self._blocks += 1
        return self._added(self._sides(frames, picture, keep))

    def _sides(self, mid: NDArray[np.complex64], picture: Picture, keep: int) -> list[NDArray[np.complex64]]:
        if self._channels == 1:
            return [mid]
        side = np.zeros_like(mid)
        if picture.like is not None and picture.unlike is not None:
            side = side_of(mid, picture.like[:keep], picture.unlike[:keep])
        if self._apart:
            return [mid, side]
        if picture.pan is None:
            return [mid + side, mid - side]
        left, right = picture.pan[:keep].T[:, :, None]
        return [mid * left + side, mid * right - side]

    def _added(self, channels: list[NDArray[np.complex64]]) -> NDArray[np.float32]:
        made = np.stack([overlapped(frames) for frames in channels])
        made[:, : SIZE - HOP] += self._carried
        ready = len(channels[0]) * HOP
        self._carried = made[:, ready:].copy()
        return np.asarray(made[:, :ready])


def streamed(
    pictures: Iterable[tuple[Picture, int]],
    channels: int,
    samples: int,
    seed: int,
    rounds: int = 0,
    *,
    apart: bool = False,
) -> Iterator[NDArray[np.float32]]:
    """Yield a sound of so many samples in blocks: float32 (channels, block).

    Args:
        pictures: each with how many of its frames are next; together ``frames_for(samples)`` or more.
        channels: 1 or 2.
        samples: of the sound.
        seed: as :class:`Stream` takes it.
        rounds: likewise.
        apart: likewise.
    """
    stream = Stream(channels, seed, rounds, apart=apart)
    skipped, left = SIZE // 2, samples
    for picture, keep in pictures:
        made = stream.push(picture, keep)
        block = made[:, skipped : skipped + left]
        skipped = max(skipped - made.shape[1], 0)
        left -= block.shape[1]
        if block.shape[1]:
            yield block


def frames_for(samples: int) -> int:
    """Return how many frames a sound is made of: those around each of its samples."""
    return -(-samples // HOP) + SIZE // HOP


def whole(magnitude: NDArray[np.float32], samples: int) -> NDArray[np.float32]:
    """Return the sound of magnitudes (frames, bins) at once: float32 (samples,), with silence where there are none."""
    count = frames_for(samples)
    padded = np.pad(magnitude, ((0, max(count + AHEAD - len(magnitude), 0)), (0, 0)))
    starts = range(0, count, BLOCK)
    pictures = ((Picture(padded[at : at + BLOCK + AHEAD]), BLOCK) for at in starts)
    return np.asarray(np.concatenate(list(streamed(pictures, 1, samples, 0)), axis=1)[0])
