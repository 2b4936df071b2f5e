"""What turns frames into points of a latent space and back: principal components, or a model that a plugin brings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tonesmith.host.roles import Model

_STEP = 0.5
"""Step of the difference that tells how much a dimension changes, in deviations."""


class Code(Protocol):
    """What the explorer asks of either."""

    @property
    def deviation(self) -> NDArray[np.float32]:
        """How far frames lie along each dimension, in dB over all bins: float32 (k,)."""

    @property
    def share(self) -> NDArray[np.float64]:
        """The share of the variance of frames that each dimension has: float64 (k,)."""

    @property
    def reach(self) -> int:
        """Frames on either side of one that its latent depends on."""

    def encode(self, levels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the latents of frames that follow each other: float32 (frames, k)."""

    def decode(self, latent: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the levels of latents: float32 (frames, bins), in dB."""

    def shifted(
        self, levels: NDArray[np.float32], latent: NDArray[np.float32], move: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Return frames whose latents are moved, with what the code leaves of them: float32 (frames, bins).

        Args:
            levels: of the frames.
            latent: where they are.
            move: float64 (frames, at most k), along the first dimensions.
        """


@dataclass(frozen=True, eq=False, slots=True)
class Coded:
    """A fitted model of a plugin.

    Attributes:
        model: the plugin, fitted.
        deviation: float32 (k,), as :class:`Code` has it.
        share: float64 (k,), likewise.
    """

    model: Model[Any]
    deviation: NDArray[np.float32]
    share: NDArray[np.float64]

    @property
    def reach(self) -> int:
        """Frames on either side of one that its latent depends on."""
        return self.model.reach

    def encode(self, levels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the latents of frames that follow each other: float32 (frames, k)."""
        return np.asarray(self.model.encode(levels), np.float32)

    def decode(self, latent: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the levels of latents: float32 (frames, bins), in dB."""
        return np.asarray(self.model.decode(latent), np.float32)

    def shifted(
        self, levels: NDArray[np.float32], latent: NDArray[np.float32], move: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Return frames whose latents are moved, as :meth:`Code.shifted` has it."""
        there = latent.copy()
        there[:, : move.shape[1]] += move.astype(np.float32)
        return np.asarray(levels + self.decode(there) - self.decode(latent), np.float32)


def measured(model: Model[Any], levels: NDArray[np.float32], latent: NDArray[np.float32]) -> Coded:
    """Return a fitted model with how much each of its dimensions changes.

    Args:
        model: the plugin, fitted.
        levels: float32 (some, bins), frames of the sounds.
        latent: float32 (some, k), where they are.
    """
    total = max(float(levels.var(axis=0, dtype=np.float64).sum()), 1e-12)
    deviation = np.empty(latent.shape[1])
    for place, spread in enumerate(latent.std(axis=0, dtype=np.float64)):
        step = np.zeros(latent.shape[1], np.float32)
        step[place] = _STEP
        change = (model.decode(latent + step) - model.decode(latent - step)) / (2.0 * _STEP)
        deviation[place] = spread * np.sqrt(np.square(change, dtype=np.float64).sum(axis=1).mean())
    return Coded(model, np.maximum(deviation, 1e-6).astype(np.float32), np.square(deviation) / total)


def tensors_of(coded: Coded) -> dict[str, NDArray[Any]]:
    """Return the arrays of a fitted model of a plugin, as they are stored."""
    own = {f"model/{name}": np.asarray(values) for name, values in coded.model.save().items()}
    return {**own, "code_deviation": coded.deviation, "code_share": coded.share}


def coded_from(model: Model[Any], tensors: Mapping[str, NDArray[Any]]) -> Coded:
    """Return a fitted model of its stored arrays. Raises :class:`ValueError` if they do not fit together."""
    prefix = "model/"
    model.load({name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)})
    deviation, share = tensors["code_deviation"], tensors["code_share"]
    if (
        deviation.dtype != np.float32
        or deviation.ndim != 1
        or share.shape != deviation.shape
        or share.dtype.kind != "f"
    ):
        raise ValueError("its deviations have another form")
    if not (np.isfinite(deviation).all() and np.isfinite(share).all() and deviation.min(initial=1.0) > 0.0):
        raise ValueError("its deviations are no numbers")
    if model.decode(np.zeros((1, len(deviation)), np.float32)).shape[0] != 1:
        raise ValueError("its model has another size")
    return Coded(model, deviation, share.astype(np.float64))
