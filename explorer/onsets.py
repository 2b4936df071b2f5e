"""Where events begin in a sound."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.explorer.frames import STEP

SHORTEST = 0.05
"""Seconds between two onsets at least."""
_AHEAD = 2
_RISE = 3.0
"""dB that the bins rise on average at an onset."""


def onsets_of(levels: NDArray[Any]) -> NDArray[np.int32]:
    """Return the frames at which events begin: int32 (onsets,), ascending; the first heard frame if none is found.

    An onset is where the levels of the bins rise most, by at least 3 dB on average and by more than twice the usual, as
    the spectral flux of Dixon 2006, "Onset detection revisited", has it, on a logarithmic scale.

    Args:
        levels: float32 (frames, bins) in dB.
    """
    before = np.concatenate([np.repeat(levels[:1], _AHEAD, axis=0), levels[:-_AHEAD]])[: len(levels)]
    rise = np.maximum(levels - before, 0.0).mean(axis=1)
    # A sound that begins at once has risen from silence
    rise[0] = float((levels[0] + 80.0).mean())
    least = max(_RISE, 2.0 * float(np.median(rise)))
    apart = max(round(SHORTEST / STEP), 1)
    found: list[int] = []
    for place in np.argsort(-rise, kind="stable"):
        if rise[place] < least:
            break
        if all(abs(place - other) >= apart for other in found):
            found.append(int(place))
    start = int(np.argmax(levels.max(axis=1) > -79.0))
    return np.array(sorted(found) or [start], np.int32)
