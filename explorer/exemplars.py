"""Frames that are kept as they are: what the components leave of them is added to frames that are near."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

MOST = 40_000
"""Frames that are kept: 82 MB."""
MOST_NEAREST = 8
_ROUNDS = 5
_TOGETHER = 128
_GROUP = 64
_TOUCHING = 1e-6


@dataclass(frozen=True, eq=False)
class Exemplars:
    """Frames of the sounds, and what components leave of them.

    Attributes:
        latent: float32 (count, k).
        residual: float16 (count, bins), in dB.
    """

    latent: NDArray[np.float32]
    residual: NDArray[np.float16]

    @cached_property
    def _rough(self) -> NDArray[np.float32]:
        """What a latent and 1 are multiplied with for the squared distance, less what all exemplars have alike."""
        return np.concatenate([-2.0 * self.latent.T, np.square(self.latent).sum(axis=1)[None]])

    def near(self, latent: NDArray[np.float32], nearest: int) -> NDArray[np.float32]:
        """Return the residuals of the nearest exemplars, weighted by the inverse of the squared distance.

        A frame that lies on an exemplar has its residual, so that the sounds of a model come out as they were.

        Args:
            latent: float32 (count, k).
            nearest: how many exemplars, 0 to 8.

        Returns:
            float32 (count, bins), in dB.
        """
        made = np.zeros((len(latent), self.residual.shape[1]), np.float32)
        if not nearest:
            return made
        for at in range(0, len(latent), _TOGETHER):
            some = latent[at : at + _TOGETHER]
            place, weight = self._weighted(some, min(nearest, len(self.latent)))
            for column in range(place.shape[1]):
                made[at : at + len(some)] += weight[:, column, None] * self.residual[place[:, column]]
        return made

    def _weighted(self, latent: NDArray[np.float32], nearest: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        rough = np.c_[latent, np.ones(len(latent), np.float32)] @ self._rough
        place = _smallest(rough, nearest)
        squared = np.square(self.latent[place] - latent[:, None]).sum(axis=2)
        weight = 1.0 / (squared + _TOUCHING)
        return place, np.asarray(weight / weight.sum(axis=1, keepdims=True), np.float32)


def _smallest(values: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Return where the smallest values of each row are: int64 (rows, count), in no order.

    They are in those groups of columns whose own smallest are the smallest, so that few columns have to be sorted.
    """
    rows, columns = values.shape
    groups = columns // _GROUP
    if groups <= 2 * count:
        return np.argpartition(values, count - 1, axis=1)[:, :count]
    least = values[:, : groups * _GROUP].reshape(rows, _GROUP, groups).min(axis=1)
    group = np.argpartition(least, count - 1, axis=1)[:, :count]
    inside = (group[:, :, None] + groups * np.arange(_GROUP)).reshape(rows, -1)
    rest = np.broadcast_to(np.arange(groups * _GROUP, columns), (rows, columns - groups * _GROUP))
    near = np.concatenate([inside, rest], axis=1)
    chosen = np.argpartition(np.take_along_axis(values, near, axis=1), count - 1, axis=1)[:, :count]
    return np.take_along_axis(near, chosen, axis=1)


def typical(latent: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Return which frames stand for all: int64 (at most ``count``,), ascending. They are those nearest to k means.

    The means start from frames at even distances in time, so that the same frames give the same ones.

    Args:
        latent: float32 (frames, k) of one sound.
        count: at least 1.
    """
    if len(latent) <= count:
        return np.arange(len(latent))
    means = latent[np.linspace(0, len(latent) - 1, count).round().astype(np.int64)]
    for _ in range(_ROUNDS):
        member = _squared(latent, means).argmin(axis=1)
        size = np.bincount(member, minlength=count)
        total = np.zeros_like(means)
        np.add.at(total, member, latent)
        means = np.where(size[:, None] > 0, total / np.maximum(size, 1)[:, None], means).astype(np.float32)
    return np.unique(_squared(latent, means).argmin(axis=0))


def _squared(latent: NDArray[np.float32], means: NDArray[np.float32]) -> NDArray[np.float32]:
    own, other = np.square(latent).sum(axis=1), np.square(means).sum(axis=1)
    return np.asarray(own[:, None] + other - 2.0 * (latent @ means.T), np.float32)
