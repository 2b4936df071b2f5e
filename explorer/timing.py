"""Time of trajectories: stretched between attacks, attacks drawn out or sharpened, a part repeated, slow drift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.explorer.atlas import Trajectory
from tonesmith.explorer.code import Code
from tonesmith.explorer.frames import STEP
from tonesmith.explorer.weave import BEFORE_ONSET, CROSSFADE, Piece

TURN = 2.0
"""Seconds from one turn of a drift to the next."""
LEAST_SHARE = 0.02
"""Of the variance, that a component has along which sounds drift."""
_RISE, _SHORTEST_RISE = 0.25, 6
_MOST_OF_EVENT = 0.8
_DRIFT = 29_573


@dataclass(frozen=True, eq=False, slots=True)
class Between:
    """Rows of a trajectory, read between its frames.

    Attributes:
        rows: float16 (frames, numbers).
        where: float32 (count,), the frame that is read for each place.
    """

    rows: NDArray[np.float16]
    where: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.where)

    def __getitem__(self, at: Any) -> NDArray[Any]:
        place = self.where[at]
        low = np.minimum(place.astype(np.int64), max(len(self.rows) - 2, 0))
        high = np.minimum(low + 1, len(self.rows) - 1)
        part = np.asarray(place - low, np.float32)[..., None]
        return np.asarray(self.rows[low].astype(np.float32) * (1.0 - part) + self.rows[high].astype(np.float32) * part)


@dataclass(frozen=True, eq=False, slots=True)
class Warped:
    """A trajectory in another time: as one of a model, but its rows are read between frames."""

    latent: Between
    space: Between
    onsets: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.latent)


def warped(track: Trajectory, code: Code, stretch: float, attack: float) -> Warped:
    """Return a trajectory that takes ``stretch`` times as long, and whose events rise ``attack`` times as slowly.

    Attacks are not stretched, so that they stay what they are; what follows them makes up for it. No attack takes more
    than 80 % of its event.
    """
    loud = code.decode(track.latent.astype(np.float32)).mean(axis=1)
    starts = np.unique(np.maximum(track.onsets.astype(np.int64) - BEFORE_ONSET, 0))
    ends = np.append(starts[1:], len(track))
    parts = [np.arange(round(int(starts[0]) * stretch)) / stretch] if starts[0] else []
    begun = [len(parts[0]) if parts else 0]
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        rise = _rise(loud[start:end])
        parts.append(start + _event(end - start, rise, stretch, attack))
        begun.append(begun[-1] + len(parts[-1]))
    where = np.minimum(np.concatenate(parts), len(track) - 1).astype(np.float32)
    onsets = np.asarray(begun[:-1]) + BEFORE_ONSET
    return Warped(Between(track.latent, where), Between(track.space, where), onsets.astype(np.int32))


def _rise(loud: NDArray[np.float32]) -> int:
    """Return how many frames an event rises for: to its loudest within a quarter of a second."""
    near = loud[: round(_RISE / STEP)]
    return min(max(int(near.argmax()) + 1, _SHORTEST_RISE), len(loud))


def _event(count: int, rise: int, stretch: float, attack: float) -> NDArray[np.float64]:
    """Return which frame of an event, 0 to ``count``, is read at each place of it."""
    whole = max(round(count * stretch), 1)
    rising = min(round(rise * attack), round(_MOST_OF_EVENT * whole) if rise < count else whole)
    rising = max(rising, 1)
    return np.interp(np.arange(whole), [0, rising, max(whole, rising + 1)], [0, rise, max(count, rise + 1e-3)])


def repeated(track: Any, frames: int, seconds: float) -> list[Piece]:
    """Return a trajectory up to the end of a part of it, which is then repeated, each time cross-faded into the next.

    The part is the one whose ends are most alike of those that are not quieter than most.

    Args:
        track: with ``latent`` and a length.
        frames: of the result.
        seconds: of the part; a trajectory that is shorter is repeated whole.
    """
    length = min(max(round(seconds / STEP), 4), len(track))
    fade = max(min(round(CROSSFADE / STEP), length // 4), 1)
    first = _steadiest(np.asarray(track.latent[:], np.float32), length)
    pieces = [Piece(0, 0, 0, first + length, 1, fade)]
    starts = range(first + length - fade, frames, length - fade)
    return [*pieces, *(Piece(start, 0, first, length, fade, fade) for start in starts)]


def _steadiest(latent: NDArray[np.float32], length: int) -> int:
    """Return where the part begins whose last frame is most like its first."""
    count = len(latent) - length + 1
    far = np.square(latent[:count] - latent[length - 1 : length - 1 + count]).sum(axis=1)
    total = np.concatenate([[0.0], np.cumsum(latent[:, 0], dtype=np.float64)])
    loud = total[length:] - total[:count]
    return int(np.where(loud >= np.median(loud), far, np.inf).argmin())


class Drift:
    """Slow wandering along the dimensions that have at least 2 % of the variance.

    Args:
        code: of the model.
        seed: of the turns.
    """

    def __init__(self, code: Code, seed: int) -> None:
        self._seed = seed
        self._wide = np.flatnonzero(code.share >= LEAST_SHARE)
        self._count = len(code.share)

    def between(self, first: int, stop: int) -> NDArray[np.float32]:
        """Return how far frames are from where they were: float32 (count, k), of deviation 1 along each component."""
        place = np.arange(first, stop) * (STEP / TURN)
        turn = place.astype(np.int64)
        part = (place - turn)[:, None]
        # The powers of two turns add up to 1, so that the deviation is the same everywhere
        angle = np.square(part) * (3.0 - 2.0 * part) * (np.pi / 2)
        made = np.zeros((len(place), self._count), np.float32)
        turns = np.stack([self._drawn(number) for number in range(turn[0], turn[-1] + 2)])
        made[:, self._wide] = np.cos(angle) * turns[turn - turn[0]] + np.sin(angle) * turns[turn - turn[0] + 1]
        return made

    def _drawn(self, turn: int) -> NDArray[np.float64]:
        return np.random.default_rng([self._seed, _DRIFT, turn]).standard_normal(len(self._wide))
