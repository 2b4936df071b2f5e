"""Sounds at another sample rate."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_HALF = 10
"""Half the length of the filter, in samples of the lower of the two rates."""
_BETA = 5.0


def resampled(audio: NDArray[np.float32], sample_rate: int, wanted: int) -> NDArray[np.float32]:
    """Return a sound at another sample rate; itself at its own.

    Polyphase, with the filter of :func:`scipy.signal.resample_poly`: a Kaiser window of beta 5. To import that function
    takes longer than most sounds do here, though it is faster with long ones.

    Args:
        audio: float32 (..., frames).
        sample_rate: Hz.
        wanted: Hz.

    Returns:
        float32 (..., frames * wanted / sample_rate), rounded up.
    """
    frames = audio.shape[-1]
    if sample_rate == wanted or not frames:
        return audio
    common = math.gcd(sample_rate, wanted)
    up, down = wanted // common, sample_rate // common
    half = _HALF * max(up, down)
    taps = 2 * half // up + 1
    made = np.empty((*audio.shape[:-1], -(-frames * up // down)), np.float32)
    before = half // up + 1
    padded = np.pad(audio, [(0, 0)] * (audio.ndim - 1) + [(before, taps + down)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, taps, axis=-1)
    for phase in range(min(up, made.shape[-1])):
        # The first sample that the filter reaches, and the place in the filter that it meets
        first = -((half - phase * down) // up)
        place = half + phase * down - (first + np.arange(taps)) * up
        weight = np.where(place >= 0, _filter(up, down)[np.maximum(place, 0)], np.float32(0.0))
        count = -(-(made.shape[-1] - phase) // up)
        made[..., phase::up] = windows[..., before + first :: down, :][..., :count, :] @ weight
    return made


@lru_cache(maxsize=4)
def _filter(up: int, down: int) -> NDArray[np.float32]:
    """Return a low pass at the lower of two rates, float32 (taps,), that makes up for the zeros between samples."""
    longest = max(up, down)
    place = np.arange(-_HALF * longest, _HALF * longest + 1) / longest
    shape = np.sinc(place) * np.kaiser(len(place), _BETA)
    return np.asarray(up * shape / shape.sum(), np.float32)
