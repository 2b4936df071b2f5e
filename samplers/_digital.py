"""Sobol' sequences, point by point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ConfigError, PluginError
from tonesmith.samplers._permutation import Words, words

BITS = 32
"""Binary digits of a coordinate: more than a float32 label holds, and 2**32 points."""
_CHECKED = 16


class SobolSequence:
    """A Sobol' sequence in ``len(keys)`` dimensions whose point ``i`` costs the same for every ``i``.

    A point is the exclusive or of the direction numbers that the Gray code of its index selects [Antonov &
    Saleev 1979], so none needs the one before. Direction numbers are those of Joe & Kuo 2008, as SciPy
    has them.

    Args:
        keys: uint64 (dimensions,), a key for the scrambling of each.
        scramble: whether to scramble: random linear, then a digital shift [Matousek 1998, "On the
            L2-discrepancy for anchored boxes"]. It keeps the balance of the sequence and makes
            each point uniform.

    Raises :class:`ConfigError` for more dimensions than there are direction numbers (21201), and
    :class:`PluginError` if the installed SciPy keeps them in another way.
    """

    def __init__(self, keys: Words, scramble: bool) -> None:
        directions = _direction_numbers(len(keys))
        # SciPy's own scrambling comes from numpy.random.Generator, whose stream NumPy may change: the same
        # plan would be another dataset after an upgrade. So it is done here, from keyed words.
        self._directions = _scrambled(directions, keys) if scramble else directions
        self._shift = _digits(words(keys, BITS)) if scramble else np.zeros(len(keys), np.uint32)

    def point(self, index: int) -> NDArray[np.float64]:
        """Return float64 (dimensions,) in [0, 1): point ``index`` of the sequence."""
        if not 0 <= index < 2**BITS:
            raise IndexError(
                f"point {index} is not in a Sobol' sequence of {BITS} bits, which has points 0..{2**BITS - 1}"
            )
        gray = index ^ (index >> 1)
        selected = [k for k in range(BITS) if gray >> k & 1]
        digits: NDArray[np.uint32] = np.bitwise_xor.reduce(self._directions[selected], axis=0) ^ self._shift
        return digits.astype(np.float64) * 2.0**-BITS


def _digits(random: Words) -> NDArray[np.uint32]:
    return (random >> np.uint64(64 - BITS)).astype(np.uint32)


def _scrambled(directions: NDArray[np.uint32], keys: Words) -> NDArray[np.uint32]:
    """Multiply the digits of each direction number by its dimension's random matrix over GF(2).

    The matrix is lower triangular with ones on its diagonal, so that it is invertible and the first k digits
    depend on the first k only: strata are permuted, never merged.
    """
    result = np.zeros_like(directions)
    for place in range(BITS):
        bit = 1 << (BITS - 1 - place)
        column = (_digits(words(keys, place)) & np.uint32(bit - 1)) | np.uint32(bit)
        result ^= np.where(directions & np.uint32(bit), column, np.uint32(0))
    return result


def _direction_numbers(dimensions: int) -> NDArray[np.uint32]:
    """Return uint32 (BITS, dimensions). SciPy offers no public way to them, so what it holds is checked."""
    from scipy.stats import qmc

    if dimensions > qmc.Sobol.MAXDIM:
        raise ConfigError(
            f"sobol supports up to {qmc.Sobol.MAXDIM} parameters, but {dimensions} vary. "
            "Vary fewer under [space], or use the sampler lhs or uniform."
        )
    engine = qmc.Sobol(dimensions, scramble=False, bits=BITS)
    directions = np.asarray(getattr(engine, "_sv", None)).T
    if not _are_direction_numbers(directions, engine.random(_CHECKED)):
        import scipy

        raise PluginError(
            f"the sampler sobol does not know the direction numbers of SciPy {scipy.__version__}. "
            "SciPy 1.17 is known to work; or use the sampler lhs."
        )
    return np.ascontiguousarray(directions, np.uint32)


def _are_direction_numbers(directions: NDArray[np.uint32], points: NDArray[np.float64]) -> bool:
    """Return whether they have the form of direction numbers, and give the first points of the sequence."""
    if directions.shape != (BITS, points.shape[1]) or directions.dtype != np.uint32:
        return False
    lowest = np.uint32(1) << np.arange(BITS - 1, -1, -1, dtype=np.uint32)[:, None]
    if not np.array_equal(directions & (~directions + np.uint32(1)), np.broadcast_to(lowest, directions.shape)):
        return False
    digits = np.zeros(points.shape, np.uint32)
    for index in range(1, len(points)):
        digits[index] = digits[index - 1] ^ directions[(index & -index).bit_length() - 1]
    return np.array_equal(digits * 2.0**-BITS, points)
