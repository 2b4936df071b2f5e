"""Responses of ears without their delays, so that those of neighbours can be averaged."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAD = 12
"""Samples that an aligned response has before its beginning."""
FADE = 32
_FINER, _BEGUN = 16, 0.1


def delays_of(response: NDArray[Any]) -> NDArray[np.float64]:
    """Return when responses (..., samples) begin, in samples: where they first come within 20 dB of their peak.

    Of the ways that were tried on KEMAR, this left the least error between directions (``benchmarks/hrtf.py``).
    """
    count = 4 * response.shape[-1]
    fine = np.abs(np.fft.irfft(np.fft.rfft(response, count), _FINER * count))[..., : _FINER * response.shape[-1]]
    return np.asarray((fine > _BEGUN * fine.max(axis=-1, keepdims=True)).argmax(axis=-1) / _FINER)


def aligned(response: NDArray[Any], delay: NDArray[np.float64], taps: int) -> NDArray[np.float32]:
    """Return responses (..., samples) that begin at sample 12: float32 (..., taps), whose ends fade."""
    count = 4 * response.shape[-1]
    turn = np.exp(2j * np.pi * np.fft.rfftfreq(count) * (delay[..., None] - LEAD))
    made = np.fft.irfft(np.fft.rfft(response, count) * turn, count)[..., :taps]
    made[..., -FADE:] *= np.square(np.cos(np.linspace(0.0, np.pi / 2, FADE)))
    return np.asarray(made, np.float32)
