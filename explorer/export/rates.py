"""Another sample rate, block after block, as if the sound were resampled whole."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.explorer.frames import RATE

_CROSSINGS, _BETA = 64, 12.0
"""Zeros of the filter on each side, and its Kaiser window: what would fold is 110 dB down."""
_EDGE = 0.96
"""Share of the lower of the two bands at which the filter is half-way down."""


def at_rate(
    blocks: Iterable[NDArray[np.float32]], channels: int, rate: int, samples: int
) -> Iterator[NDArray[np.float32]]:
    """Yield a sound at another rate: float32 (channels, some), together ``samples`` of them.

    Args:
        blocks: float32 (channels, some), at 48 kHz.
        channels: of the sound.
        rate: Hz.
        samples: at the new rate.
    """
    if rate == RATE:
        yield from blocks
        return
    common = math.gcd(rate, RATE)
    up, down = rate // common, RATE // common
    taps = _filter(max(up, down))
    margin = -(-len(taps) // (2 * up * down)) * down
    held, left = np.zeros((channels, margin), np.float32), samples
    for block in _with_end(blocks, channels, margin + down):
        held = np.concatenate([held, block], axis=1)
        ready = max((held.shape[1] - 2 * margin) // down * down, 0)
        made = _polyphase(held[:, : ready + 2 * margin], up, down, taps, margin)[:, :left]
        held, left = held[:, ready:], left - made.shape[1]
        if made.shape[1]:
            yield made


def _with_end(blocks: Iterable[NDArray[np.float32]], channels: int, silence: int) -> Iterator[NDArray[np.float32]]:
    yield from blocks
    yield np.zeros((channels, silence), np.float32)


def _filter(longest: int) -> NDArray[np.float64]:
    from scipy.signal import firwin

    return np.asarray(firwin(2 * _CROSSINGS * longest + 1, _EDGE / longest, window=("kaiser", _BETA)))


def _polyphase(
    held: NDArray[np.float32], up: int, down: int, taps: NDArray[np.float64], margin: int
) -> NDArray[np.float32]:
    """Return what lies between the margins, at the other rate."""
    from scipy.signal import resample_poly

    count = held.shape[1] - 2 * margin
    if count <= 0:
        return held[:, :0]
    first = margin * up // down
    # Its types know no window of numbers
    filtered: Any = resample_poly
    made = filtered(held, up, down, axis=1, window=taps.astype(np.float32))
    return np.asarray(made[:, first : first + count * up // down], np.float32)
