"""Colours from dark to bright, evenly lighter, so that a picture is read without them too."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_MAGMA = ((0, 0, 4), (40, 17, 89), (114, 31, 129), (183, 55, 121), (241, 96, 93), (254, 176, 120), (252, 253, 191))
"""matplotlib's magma at seven places of equal distance."""


def magma(count: int) -> NDArray[np.uint8]:
    """Return red, green and blue of so many colours, uint8 (count, 3), the darkest first."""
    stops, places = np.linspace(0.0, 1.0, len(_MAGMA)), np.linspace(0.0, 1.0, count)
    channels = [np.interp(places, stops, channel) for channel in np.array(_MAGMA, np.float64).T]
    return np.asarray(np.rint(np.stack(channels, axis=1)), np.uint8)


def greys(count: int) -> NDArray[np.uint8]:
    """Return red, green and blue of so many greys, uint8 (count, 3), black first."""
    return np.repeat(np.asarray(np.rint(np.linspace(0.0, 255.0, count)), np.uint8)[:, None], 3, axis=1)
