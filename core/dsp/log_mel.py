"""Log-mel spectrograms in dB."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dsp.mel import mel_bank
from tonesmith.dsp.spectrum import powers

MELS = 128
"""Bands of a log-mel spectrogram."""
FLOOR_DB = -100.0
"""Level below which nothing is told apart, re a sine of full scale: far below what is heard, far above float32."""
_WINDOWS = (512, 1024, 2048)
"""Samples at 44.1 kHz. The longest one is that of the log-mel spectrogram."""


def log_mel(audio: NDArray[Any], sample_rate: int) -> NDArray[np.float32]:
    """Return the log-mel spectrogram in dB, float32 (channels, MELS, time), nowhere below :data:`FLOOR_DB`.

    A Hann window of 46 ms moves by a quarter of itself over the sound, with half a window of zeros before
    and after. The squared magnitudes are summed in 128 triangular bands, evenly spaced on Slaney's mel
    scale from 0 Hz to half the sample rate: ``10 * log10(max(sum, 1e-10))``. A band's peak is 1, not its
    area, so that 0 dB is about a full-scale sine in any band; a distance is the same with either.

    Args:
        audio: float (channels, frames), full scale 1.0, finite, of any length.
        sample_rate: Hz.
    """
    window = windows_at(sample_rate)[-1]
    return levels_of(powers(audio, window, window // 4), sample_rate)


def levels_of(power: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """Return the log-mel spectrogram of a power spectrogram that is there: dB, float32 (channels, MELS, time).

    Args:
        power: float32 (channels, time, bins), of the longest of :func:`windows_at`.
        sample_rate: Hz.
    """
    return mel_bank(MELS, sample_rate, 2 * (power.shape[2] - 1)).levels(power, FLOOR_DB)


def windows_at(sample_rate: int) -> tuple[int, ...]:
    """Return the lengths of the windows in samples: powers of two nearest to 12, 23 and 46 ms."""
    octaves = round(np.log2(sample_rate / 44100.0))
    return tuple(max(int(window * 2.0**octaves), 4) for window in _WINDOWS)
