"""What distance does to a sound: it is quieter, and the air takes more of the high frequencies.

Source: ISO 9613-1:1993, "Attenuation of sound during propagation outdoors, part 1", equations 3 to 5, for 20 degrees
Celsius, 50 % relative humidity and 101.325 kPa.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tonesmith.explorer.frames import BINS, RATE, SIZE

NEAR = 1.0
"""Metres at which a sound is as it is."""
_KELVIN, _REFERENCE, _TRIPLE = 293.15, 293.15, 273.16
_HUMIDITY = 50.0


def absorption(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much the air takes of a frequency, in dB per metre."""
    warm = _KELVIN / _REFERENCE
    vapour = _HUMIDITY * 10.0 ** (-6.8346 * (_TRIPLE / _KELVIN) ** 1.261 + 4.6151)
    oxygen = 24.0 + 4.04e4 * vapour * (0.02 + vapour) / (0.391 + vapour)
    nitrogen = warm**-0.5 * (9.0 + 280.0 * vapour * np.exp(-4.170 * (warm ** (-1.0 / 3.0) - 1.0)))
    square = np.square(hertz)
    relaxing = 0.01275 * np.exp(-2239.1 / _KELVIN) / (oxygen + square / oxygen)
    relaxing += 0.1068 * np.exp(-3352.0 / _KELVIN) / (nitrogen + square / nitrogen)
    return np.asarray(8.686 * square * (1.84e-11 * warm**0.5 + warm**-2.5 * relaxing))


@lru_cache(maxsize=1)
def _over_bins() -> NDArray[np.float64]:
    return absorption(np.arange(BINS, dtype=np.float64) * (RATE / SIZE))


def gains_of(metres: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the gains of frames at distances (count,): float32 (count, BINS). At 1 m they are 1.

    A sound is 6 dB quieter when it is twice as far away. Nearer than 1 m, the air gives nothing back.
    """
    lost = np.maximum(metres - NEAR, 0.0)[:, None] * _over_bins()
    return np.asarray(10.0 ** (-lost / 20.0) * (NEAR / metres)[:, None], np.float32)
