"""One Latin hypercube, point by point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tonesmith.samplers._permutation import Permutations, Words, unit, words
from tonesmith.space.sampling import key_of, resolution
from tonesmith.space.space import ParameterSpace


class Hypercube:
    """A Latin hypercube of ``size`` points over a space.

    Each dimension has its own key, made of its name, so that what it draws depends neither on the order
    of the parameters nor on which others vary.

    Args:
        space: whose varied parameters are the dimensions.
        size: points, and so strata of each dimension.
        purpose: words that tell this hypercube from others of the same seed.
        jitter: place points anywhere in their strata; if not, in the middle.
    """

    def __init__(self, space: ParameterSpace, size: int, seed: int, purpose: tuple[str, ...], jitter: bool) -> None:
        self._size = size
        self._continuous = len(space.continuous)
        self._permutations = Permutations(_keys(space, seed, (*purpose, "order")), size)
        self._places = _keys(space, seed, (*purpose, "place"))
        self._offsets = unit(words(self._places[self._continuous :], 0))
        # Rounding to the stored label must not carry a point over the edge of its stratum.
        self._margins = np.minimum(resolution(space) * size, 0.5) if jitter else np.full(self._continuous, 0.5)

    def point(self, index: int) -> NDArray[np.float64]:
        """Return float64 (len(space.names),) in [0, 1]: the point's coordinates."""
        places = np.concatenate([self._within_strata(index), self._offsets])
        point: NDArray[np.float64] = (self._permutations.at(index).astype(np.float64) + places) / self._size
        return point

    def _within_strata(self, index: int) -> NDArray[np.float64]:
        jitter = unit(words(self._places[: self._continuous], index))
        placed: NDArray[np.float64] = self._margins + jitter * (1.0 - 2.0 * self._margins)
        return placed


def _keys(space: ParameterSpace, seed: int, purpose: tuple[str, ...]) -> Words:
    return np.array([key_of(seed, *purpose, name) for name in space.names], np.uint64)
