"""Sounds at another sample rate."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def resampled(audio: NDArray[np.float32], sample_rate: int, wanted: int) -> NDArray[np.float32]:
    """Return a sound at another sample rate; itself at its own.

    Polyphase, with the filter of :func:`scipy.signal.resample_poly`: a Kaiser window of beta 5.

    Args:
        audio: float32 (..., frames).
        sample_rate: Hz.
        wanted: Hz.

    Returns:
        float32 (..., frames * wanted / sample_rate), rounded up.
    """
    if sample_rate == wanted or not audio.shape[-1]:
        return audio
    from scipy.signal import resample_poly

    common = math.gcd(sample_rate, wanted)
    made: NDArray[np.float32] = resample_poly(audio, wanted // common, sample_rate // common, axis=-1)
    return made
