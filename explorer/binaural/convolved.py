"""Sources around a head, block after block. Where one moves, each response runs into the next, so nothing clicks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonesmith.explorer.binaural.head import Head

STEP = 256
"""Samples after which the direction of a source is looked at again."""
APART = 30.0
"""Degrees by which the left and the right of a wide sound are beside its direction, as loudspeakers stand."""
_SPARE = 24
_HALF_POWER = np.float32(0.5**0.5)


@dataclass(frozen=True, eq=False, slots=True)
class Directions:
    """Where a source is: azimuth and elevation in degrees, by sample (float64 to float64)."""

    azimuth: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    elevation: Callable[[NDArray[np.float64]], NDArray[np.float64]]


def around(blocks: Iterable[NDArray[np.float32]], head: Head, directions: Directions) -> Iterator[NDArray[np.float32]]:
    """Yield what two ears hear of a sound: float32 (2, samples) for each block.

    A mid alone comes from the direction itself. With a side, left and right come from 30 degrees to both sides of it.

    Args:
        blocks: float32 (1 or 2, samples): mid, and side if there is one. All but the last are multiples of 256 long.
        head: whose ears.
        directions: of the source.
    """
    ears = _Ears(head, directions)
    for block in blocks:
        yield ears.hear(block)


class _Ears:
    def __init__(self, head: Head, directions: Directions) -> None:
        import scipy.fft

        self._head, self._directions = head, directions
        self._taps = head.response.shape[-1]
        self._past = self._taps + int(np.ceil(head.delay.max())) + _SPARE
        self._size = scipy.fft.next_fast_len(self._past + STEP, real=True)
        self._before = np.zeros((2, self._past), np.float32)
        self._at = 0

    def hear(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the same samples as the ears have them: float32 (2, samples)."""
        samples = block.shape[1]
        steps = -(-samples // STEP)
        padded = np.pad(block, ((0, 0), (0, steps * STEP - samples)))
        times = (self._at + STEP * np.arange(steps + 1)).astype(np.float64)
        azimuth, elevation = self._directions.azimuth(times), self._directions.elevation(times)
        self._at += samples
        if len(block) == 1:
            return self._moved(0, padded[0], self._spectra(azimuth, elevation))[:, :samples]
        mid, side = _HALF_POWER * padded
        left = self._moved(0, mid + side, self._spectra(azimuth + APART, elevation))
        return (left + self._moved(1, mid - side, self._spectra(azimuth - APART, elevation)))[:, :samples]

    def _spectra(self, azimuth: NDArray[np.float64], elevation: NDArray[np.float64]) -> NDArray[np.complex64]:
        """Return the responses in directions, with their delays: complex64 (count or 1, 2, bins)."""
        import scipy.fft

        if not np.ptp(azimuth) and not np.ptp(elevation):
            azimuth, elevation = azimuth[:1], elevation[:1]
        response, delay = self._head.at(azimuth, elevation)
        turns = np.exp(-2j * np.pi * np.arange(self._size // 2 + 1) / self._size * delay[..., None])
        return np.asarray(scipy.fft.rfft(response, self._size, workers=1) * turns, np.complex64)

    def _moved(self, source: int, sound: NDArray[np.float32], heard: NDArray[np.complex64]) -> NDArray[np.float32]:
        """Return a sound (steps * 256,) as the ears hear it, from one direction to the next in each step."""
        import scipy.fft

        held = np.concatenate([self._before[source], sound])
        self._before[source] = held[-self._past :]
        parts = np.lib.stride_tricks.sliding_window_view(held, self._past + STEP)[::STEP]
        spectrum = scipy.fft.rfft(parts, self._size, workers=1)[:, None]

        def ends(responses: NDArray[np.complex64]) -> NDArray[np.float32]:
            made = scipy.fft.irfft(spectrum * responses, self._size, workers=1)
            return np.asarray(made[..., self._past : self._past + STEP], np.float32)

        made = ends(heard[:1] if len(heard) == 1 else heard[:-1])
        if len(heard) > 1:
            share = np.asarray((np.arange(STEP) + 0.5) / STEP, np.float32)
            made += (ends(heard[1:]) - made) * share
        return np.ascontiguousarray(made.transpose(1, 0, 2).reshape(2, -1), np.float32)
