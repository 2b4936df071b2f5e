"""What samplers share: keyed random numbers, and the way from the unit cube into a space."""

from __future__ import annotations

import hashlib
import threading
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Candidate, Modulation, Patch
from tonesmith.space.space import ParameterSpace


def key_of(seed: int, *words: str) -> int:
    """Return a 64-bit key for a purpose; other words or another seed give an unrelated one."""
    text = "\0".join((str(seed), *words)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


def uniform(seed: int, purpose: str, patch: int, attempt: int, size: int) -> NDArray[np.float64]:
    """Return float64 (size,) in [0, 1): a pure function of its arguments.

    Philox4x64 [Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"] counts in
    ``(draw, patch, attempt)``, so any patch costs the same and needs no other. Raw words are taken,
    whose stream NumPy guarantees, and not ``Generator``, whose stream it may change.
    """
    bits = _counting.at(key_of(seed, purpose), patch, attempt).random_raw(size)
    return (np.asarray(bits, np.uint64) >> np.uint64(11)).astype(np.float64) * 2.0**-53


class _Counting(threading.local):
    """A Philox of each thread that is set to any place of any stream: to make one takes three times as long."""

    def __init__(self) -> None:
        self._philox = np.random.Philox(key=0)
        self._state: Any = self._philox.state

    def at(self, key: int, patch: int, attempt: int) -> np.random.Philox:
        """Return what ``Philox(key=key, counter=[0, patch, attempt, 0])`` is."""
        self._state["state"]["key"][:] = (key, 0)
        self._state["state"]["counter"][:] = (0, patch, attempt, 0)
        self._philox.state = self._state
        return self._philox


_counting = _Counting()


def patch_at(
    space: ParameterSpace, unit: NDArray[np.float64], origin: str, modulations: tuple[Modulation, ...] = ()
) -> Patch:
    """Return the patch at a point of the unit cube.

    Args:
        space: the space to draw from.
        unit: float64 (len(space.names),) in [0, 1), in the order of ``space.names``. A continuous
            parameter is linear over its drawn range; a categorical one takes the choice whose share of
            the weights holds the coordinate. One that has fewer values beside those of another parameter
            takes each of these as often.
        origin: the sampler's name.
        modulations: of the patch, such as :func:`modulations_at` draws.
    """
    count = len(space.continuous)
    values = {p.name: _between(*p.drawn, u) for p, u in zip(space.continuous, unit[:count].tolist(), strict=True)}
    for parameter, u in zip(space.categorical, unit[count:].tolist(), strict=True):
        values[parameter.name] = parameter.low + choice_at(parameter, u)
    for parameter, u in zip((*space.continuous, *space.categorical), unit.tolist(), strict=True):
        if parameter.by and (number := space.count_of(parameter, values)):
            values[parameter.name] = _one_of(parameter, number, u)
    return Patch(values=values, modulations=modulations, origin=origin)


def _between(low: float, high: float, u: float) -> float:
    return min(low + u * (high - low), high)  # the sum may round to beyond the range


def _one_of(parameter: Parameter, count: int, u: float) -> float:
    """Return the value, of the so many that a parameter has, whose share of [0, 1) holds ``u``."""
    low, high = parameter.drawn
    grid = parameter.grid(count)
    shares = [
        (parameter.weights[index] if parameter.weights else 1.0) * (low <= value <= high)
        for index, value in enumerate(grid)
    ]
    edges = np.cumsum(shares) if any(shares) else np.arange(1.0, count + 1.0)
    return grid[min(int(np.searchsorted(edges / edges[-1], u, side="right")), count - 1)]


def choice_at(parameter: Parameter, u: float) -> int:
    """Return the index of the choice whose share of [0, 1) holds ``u``."""
    if not parameter.weights:
        first, last = (round(bound - parameter.low) for bound in parameter.drawn)
        return min(first + int(u * (last - first + 1)), last)
    edges = np.cumsum(parameter.weights)
    index = int(np.searchsorted(edges / edges[-1], u, side="right"))
    return min(index, max(i for i, w in enumerate(parameter.weights) if w > 0))


def modulations_at(space: ParameterSpace, seed: int, candidate: Candidate) -> tuple[Modulation, ...]:
    """Return the modulations of a candidate, as the space's :class:`~tonesmith.space.routing.Routing` distributes them.

    Pairs are drawn without replacement by the exponential keys of Efraimidis & Spirakis 2006, "Weighted random
    sampling with a reservoir": the k pairs with the largest ``log(u) / weight`` are a weighted sample of k.
    """
    routing = space.routing
    if routing is None:
        return ()
    address = (candidate.patch, candidate.attempt)
    head = uniform(seed, "modulations", *address, 1 + 4 * routing.most)
    sources = _weighed(space.sources, routing.sources)
    destinations = _weighed(space.destinations, routing.destinations)
    count = min(_number_at(routing.shares, float(head[0])), len(sources) * len(destinations))
    weights = np.multiply.outer([w for _, w in sources], [w for _, w in destinations]).ravel()
    keys = np.log(1.0 - uniform(seed, "routing", *address, weights.size)) / weights
    chosen = np.argsort(-keys, kind="stable")[:count].tolist()
    settings = head[1:].reshape(routing.most, 4).tolist()
    return tuple(
        Modulation(
            sources[pair // len(destinations)][0],
            destinations[pair % len(destinations)][0],
            amount=_between(*routing.amount, amount),
            power=_between(*routing.power, power),
            bipolar=bipolar < routing.bipolar,
            stereo=stereo < routing.stereo,
        )
        for pair, (amount, power, bipolar, stereo) in zip(chosen, settings, strict=False)
    )


def _weighed(names: Sequence[str], weights: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return the names that may be drawn with their weights, in the order of the space."""
    return [(name, weights[name]) for name in names if name in weights] if weights else [(n, 1.0) for n in names]


def _number_at(shares: Sequence[float], u: float) -> int:
    """Return the number whose share of [0, 1) holds ``u``."""
    return min(bisect_right(list(accumulate(shares)), u), len(shares) - 1)


def resolution(space: ParameterSpace) -> NDArray[np.float64]:
    """Return float64 (continuous,): how far the stored label may lie from where it was drawn.

    In units of the drawn range: the rounding of the float32 label and that of the float32 raw value.
    """

    def of(parameter: Parameter) -> float:
        width, drawn = parameter.high - parameter.low, parameter.drawn[1] - parameter.drawn[0]
        ulp = float(np.spacing(np.float32(max(abs(parameter.low), abs(parameter.high)))))
        return (2.0**-24 * width + ulp) / drawn

    return np.array([of(p) for p in space.continuous], np.float64)
