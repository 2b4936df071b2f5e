"""The highest point of a sound between its samples, and its samples as whole numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_OVER, _EDGE, _STRETCH = 8, 512, 64_512


def dithered(audio: NDArray[np.float32], random: np.random.Generator, bits: int = 24) -> NDArray[np.int32]:
    """Return samples of so many bits, in the upper bits of int32, with triangular dither of two steps.

    Source: Lipshitz, Wannamaker & Vanderkooy 1992, "Quantization and dither: a theoretical survey".
    """
    full = 2.0 ** (bits - 1)
    noise = random.random(audio.shape) - random.random(audio.shape)
    steps = np.rint(audio * full + noise)
    return (np.clip(steps, -full, full - 1.0).astype(np.int64) << (32 - bits)).astype(np.int32)


class Peak:
    """The highest point of a sound between its samples, at eight times the rate.

    BS.1770-5, annex 2, asks for four times. The spectrum of a stretch is continued with zeros, which is the longest
    filter there is; its ends fade, and are looked at in the stretch before or after.

    Args:
        channels: of the sound.
    """

    def __init__(self, channels: int) -> None:
        self._last = np.zeros((channels, 2 * _EDGE), np.float32)
        self._highest = 0.0

    def add(self, block: NDArray[np.float32]) -> None:
        """Look at the next samples (channels, samples)."""
        held = np.concatenate([self._last, block], axis=1)
        self._last = held[:, -2 * _EDGE :]
        for first in range(0, block.shape[1], _STRETCH):
            self._look(held[:, first : first + _STRETCH + 2 * _EDGE])

    def _look(self, held: NDArray[np.float32]) -> None:
        import scipy.fft

        length = held.shape[1]
        fade = np.minimum(np.minimum(np.arange(1, length + 1), np.arange(length, 0, -1)) * np.float32(2.0 / _EDGE), 1.0)
        count = scipy.fft.next_fast_len(length, real=True)
        spectrum = scipy.fft.rfft(held * fade.astype(np.float32), count, workers=1)
        over = scipy.fft.irfft(spectrum, count * _OVER, workers=1)[:, _EDGE * _OVER : (length - _EDGE) * _OVER]
        self._highest = max(self._highest, _OVER * max(float(over.max(initial=0.0)), -float(over.min(initial=0.0))))

    def value(self) -> float:
        """Return the peak of all that was added, full scale 1.0."""
        self.add(np.zeros_like(self._last))
        return self._highest
