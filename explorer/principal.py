"""The principal components of frames, from sums that are small however many frames there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIZES = (16, 24, 32, 48, 64)
"""Numbers of components to choose from."""
GAIN = 0.03
"""Share of the held-out error that more components must take away to be worth it."""
_ITERATIONS = 4
_LEAST = 1e-3
"""Deviation in dB, below which a component says nothing."""


@dataclass(frozen=True, eq=False, slots=True)
class Sums:
    """What is kept of some frames.

    Attributes:
        count: of frames, each times its weight.
        total: float64 (bins,), their sum.
        product: float64 (bins, bins), the sum of their outer products.
    """

    count: float
    total: NDArray[np.float64]
    product: NDArray[np.float64]

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.count + other.count, self.total + other.total, self.product + other.product)

    def __sub__(self, other: Sums) -> Sums:
        return Sums(self.count - other.count, self.total - other.total, self.product - other.product)

    def times(self, weight: float) -> Sums:
        """Return the sums of frames that count so much."""
        return Sums(self.count * weight, self.total * weight, self.product * weight) if weight != 1.0 else self

    def mean(self) -> NDArray[np.float64]:
        """Return the mean frame: float64 (bins,)."""
        return self.total / self.count

    def spread(self) -> NDArray[np.float64]:
        """Return the covariance of the frames: float64 (bins, bins)."""
        made = self.product / self.count
        made -= np.outer(self.mean(), self.mean())
        return made


def sums_of(levels: NDArray[np.float32]) -> Sums:
    """Return the sums of frames (count, bins)."""
    return Sums(len(levels), levels.sum(axis=0, dtype=np.float64), (levels.T @ levels).astype(np.float64))


def nothing(bins: int) -> Sums:
    """Return the sums of no frames."""
    return Sums(0, np.zeros(bins), np.zeros((bins, bins)))


@dataclass(frozen=True, eq=False, slots=True)
class Components:
    """Directions along which frames differ most, each scaled so that frames have deviation 1 along it.

    Attributes:
        mean: float32 (bins,), in dB.
        axes: float32 (k, bins), orthonormal, the one of most variance first, its largest part positive.
        deviation: float32 (k,), of the frames along each, in dB.
        share: float64 (k,), of the variance that each has.
    """

    mean: NDArray[np.float32]
    axes: NDArray[np.float32]
    deviation: NDArray[np.float32]
    share: NDArray[np.float64]

    def encode(self, levels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the latent of frames (count, bins): float32 (count, k), of mean 0 and deviation 1."""
        return np.asarray((levels - self.mean) @ self.axes.T / self.deviation, np.float32)

    def decode(self, latent: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the frames of latents (count, k): float32 (count, bins), in dB."""
        return np.asarray((latent * self.deviation) @ self.axes + self.mean, np.float32)

    @property
    def reach(self) -> int:
        """Frames on either side of one that its latent depends on: none."""
        return 0

    def shifted(
        self, levels: NDArray[np.float32], latent: NDArray[np.float32], move: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Return frames (count, bins) that are moved along the first components: float32 (count, bins).

        Where they are, ``latent``, makes no difference.
        """
        leading = move.shape[1]
        scaled = move.astype(np.float32) * self.deviation[:leading]
        return np.asarray(levels + scaled @ self.axes[:leading], np.float32)

    def first(self, count: int) -> Components:
        """Return the first components alone."""
        return Components(self.mean, self.axes[:count], self.deviation[:count], self.share[:count])


def components_of(sums: Sums, near: Components | None = None) -> Components:
    """Return the components of frames, at most 64, and none that says less than 0.001 dB.

    Args:
        sums: of the frames.
        near: those of frames most of which are the same, to start from; None to find them from nothing.
    """
    mean = sums.mean()
    spread = sums.spread()
    total = float(np.trace(spread))
    variance, axes = _found(spread) if near is None else _followed(spread, near)
    kept = max(int((np.sqrt(variance) > _LEAST).sum()), 1)
    largest = axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)]
    axes = axes * np.sign(largest)[:, None]
    deviation = np.maximum(np.sqrt(variance), _LEAST)
    single = (mean.astype(np.float32), axes[:kept].astype(np.float32), deviation[:kept].astype(np.float32))
    return Components(*single, variance[:kept] / max(total, 1e-12))


def _found(spread: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the largest variances, and the axes that have them: (k,) and (k, bins)."""
    import scipy.linalg

    bins = len(spread)
    variance, axes = scipy.linalg.eigh(spread, subset_by_index=(max(bins - SIZES[-1], 0), bins - 1))
    return np.maximum(variance[::-1], 0.0), axes.T[::-1]


def _followed(spread: NDArray[np.float64], near: Components) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the same by subspace iteration, which takes a tenth of the time (Golub & Van Loan, section 8.2.4)."""
    held, rough = near.axes.T, spread.astype(np.float32)
    for _ in range(_ITERATIONS):
        held = np.linalg.qr(rough @ held)[0]
    held = np.linalg.qr(held.astype(np.float64))[0]
    variance, turned = np.linalg.eigh(held.T @ spread @ held)
    return np.maximum(variance[::-1], 0.0), (held @ turned[:, ::-1]).T


def held_out_error(components: Components, others: Sums) -> NDArray[np.float64]:
    """Return the root mean square error in dB that 1, 2, ... components leave of other frames: float64 (k,)."""
    mean, axes = others.mean(), components.axes.astype(np.float64)
    far = mean - components.mean
    within = np.einsum("kb,kb->k", axes @ (others.product / others.count), axes) - np.square(axes @ mean)
    explained = within + np.square(axes @ far)
    whole = others.product.trace() / others.count - mean @ mean + far @ far
    left = (whole - np.cumsum(explained)) / len(mean)
    return np.asarray(np.sqrt(np.maximum(left, 0.0)))


def chosen_size(errors: Sequence[NDArray[np.float64]]) -> int:
    """Return how many components are worth it: more of them as long as each step lowers the error by 3 %.

    Args:
        errors: of each fold, as :func:`held_out_error` returns them.
    """
    least = min(map(len, errors))
    mean = np.mean([error[:least] for error in errors], axis=0)
    sizes = [size for size in SIZES if size <= least] or [least]
    chosen = sizes[0]
    for size in sizes[1:]:
        if mean[size - 1] > (1.0 - GAIN) * mean[chosen - 1]:
            break
        chosen = size
    return chosen
