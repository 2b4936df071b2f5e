"""Where a sound is between left and right: how loud its side is beside its mid, and how alike they are, in bands.

Source: Breebaart, van de Par, Kohlrausch & Schuijers 2005, "Parametric coding of stereo audio". A side that is the mid
times -1 to 1 is a panned sound; one that is unlike it is a wide one.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tonesmith.explorer.frames import BINS, RATE, SIZE

BANDS = 16
_LOW, _HIGH = 60.0, 20_000.0
_SMEAR = 0.015
"""Seconds over which what is unlike the mid is spread."""
_QUIET = 1e-12


@lru_cache(maxsize=1)
def _band() -> NDArray[np.int64]:
    """Return the band of each bin, int64 (BINS,)."""
    hertz = np.maximum(np.arange(BINS) * (RATE / SIZE), _LOW)
    place = np.log(hertz / _LOW) / np.log(_HIGH / _LOW) * BANDS
    return np.asarray(np.minimum(place.astype(np.int64), BANDS - 1))


def space_of(mid: NDArray[np.complex64], side: NDArray[np.complex64] | None) -> NDArray[np.float16]:
    """Return the part of the side that is like the mid, and that which is not: float16 (frames, 2 * BANDS).

    Both are shares of the magnitude of the mid, the first between -8 and 8, the second between 0 and 8.

    Args:
        mid: complex64 (frames, BINS).
        side: likewise; None for one channel.
    """
    if side is None:
        return np.zeros((len(mid), 2 * BANDS), np.float16)
    power = np.maximum(_summed(np.square(np.abs(mid))), _QUIET)
    like = _summed((mid.conj() * side).real) / power
    whole = _summed(np.square(np.abs(side))) / power
    unlike = np.sqrt(np.maximum(whole - np.square(like), 0.0))
    return np.asarray(np.clip(np.concatenate([like, unlike], axis=1), -8.0, 8.0), np.float16)


def _summed(values: NDArray[np.float32]) -> NDArray[np.float64]:
    starts = np.searchsorted(_band(), np.arange(BANDS))
    return np.add.reduceat(values, starts, axis=1, dtype=np.float64)


def over_bins(space: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the like and the unlike share of each bin, float32 (frames, BINS) each, from (frames, 2 * BANDS)."""
    return space[:, :BANDS][:, _band()], space[:, BANDS:][:, _band()]


def side_of(
    mid: NDArray[np.complex64], like: NDArray[np.float32], unlike: NDArray[np.float32]
) -> NDArray[np.complex64]:
    """Return the side of frames, complex64 (frames, BINS): shares of the mid, one of them with other phases."""
    return np.asarray(mid * (like + unlike * _turned()), np.complex64)


@lru_cache(maxsize=1)
def _turned() -> NDArray[np.complex64]:
    """Return a factor of magnitude 1 for each bin: what an echo of short noise makes of phases."""
    length = round(_SMEAR * RATE)
    noise = np.random.default_rng(0).standard_normal(length) * np.exp(-4.0 * np.arange(length) / length)
    response = np.fft.rfft(noise, SIZE)
    made: NDArray[np.complex64] = (response / np.abs(response)).astype(np.complex64)
    made[[0, -1]] = 1.0
    return made
