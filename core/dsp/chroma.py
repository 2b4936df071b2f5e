"""Chroma: how much of a sound is in each pitch class."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tonesmith.dsp.spectrum import bin_hertz, magnitudes, window_near

_WINDOW: Final = 0.35
"""Seconds of a window: neighbouring semitones are apart from 55 Hz on."""
_RANGE: Final = (55.0, 2000.0)
"""Hz in which pitches are looked for: above, partials of others are most of what there is."""
_TOGETHER: Final = 30.0
"""Seconds that are transformed at once, which bounds the memory."""
_FLOOR: Final = 1e-3
"""Of the loudest partial of its window: what is weaker is not counted."""


def chroma(audio: NDArray[Any], sample_rate: int) -> NDArray[np.float64]:
    """Return float64 (12,) of mean 1, from C on: how much of a sound is in each pitch class; zeros of one without.

    Partials are the peaks of a spectrum, by the root of their magnitude, so that loud and soft notes count alike; each
    goes to the nearest semitone of A = 440 Hz. Channels are mixed.

    Args:
        audio: float (channels, frames), full scale 1.0.
        sample_rate: in Hz.
    """
    mono = np.asarray(audio, np.float32).mean(axis=0, keepdims=True)
    window = window_near(_WINDOW, sample_rate)
    hertz = bin_hertz(window, sample_rate)
    inside = (hertz >= _RANGE[0]) & (hertz <= _RANGE[1])
    inside[[0, -1]] = False
    classes = np.zeros(len(hertz), np.int64)
    classes[inside] = np.round(69 + 12 * np.log2(hertz[inside] / 440.0)).astype(np.int64) % 12
    found = np.zeros(12)
    step = max(window, int(_TOGETHER * sample_rate))
    for start in range(0, mono.shape[1], step):
        levels = magnitudes(mono[:, start : start + step], window, window // 2)[0]
        peaks = (levels[:, 1:-1] > levels[:, :-2]) & (levels[:, 1:-1] >= levels[:, 2:])
        loudest = levels.max(axis=1, keepdims=True)
        counted = np.where(peaks & (levels[:, 1:-1] > _FLOOR * loudest), np.sqrt(levels[:, 1:-1]), 0.0).sum(axis=0)
        found += np.bincount(classes[1:-1][inside[1:-1]], counted[inside[1:-1]], minlength=12)
    mean = float(found.mean())
    return found / mean if mean > 0 else found
