"""What is heard of frames: the perceptual features that sliders are named by, and which frames are heard at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from tonesmith.dsp import perceptual
from tonesmith.dsp.moments import flatness
from tonesmith.dsp.spectrum import bin_hertz
from tonesmith.explorer.frames import FLOOR, RATE, SIZE

HERTZ = bin_hertz(SIZE, RATE)
UNITS = {
    "level": "dB",
    "brightness": "octaves",
    "noisiness": "dB",
    "warmth": "%",
    "roughness": "",
    "tension": "",
}
"""Features, in the order in which their directions are made independent of those before, and what they are in."""
DEEPEST = 60.0
"""dB below the loudest frame of a sound, from which on a frame is silence."""
_QUIETEST = 1e-12


def heard_of(magnitude: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which frames (count, bins) of a sound are heard: within 60 dB of the loudest, and above the floor."""
    power = np.square(magnitude).sum(axis=1)
    least = max(float(power.max(initial=0.0)) * 10.0 ** (-DEEPEST / 10.0), FLOOR**2)
    return np.asarray(power >= least)


def feature_of(name: str, magnitude: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return a feature of frames (count, bins): float64 (count,), NaN where there is none.

    ``level`` is the power of a frame in dB. ``noisiness`` is the spectral flatness in dB, over a floor of
    -80 dB. ``warmth`` is in percent. The
    others are those of :mod:`tonesmith.dsp.perceptual`, which says where they are from.
    """
    return _FEATURES[name](magnitude, np.square(magnitude))


_FEATURES: Mapping[str, Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float64]]] = {
    "level": lambda _, power: 10.0 * np.log10(power.sum(axis=1, dtype=np.float64) + _QUIETEST),
    "brightness": lambda _, power: perceptual.brightness(power, HERTZ),
    "noisiness": lambda _, power: 10.0 * np.log10(flatness(power + np.float32(FLOOR**2))),
    "warmth": lambda _, power: 100.0 * perceptual.warmth(power, HERTZ),
    "roughness": lambda magnitude, _: perceptual.roughness(magnitude, HERTZ),
    "tension": lambda _, power: perceptual.tension(perceptual.chroma(power, HERTZ)),
}
