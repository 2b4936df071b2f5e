"""Where a sound is in space: width, distance and azimuth of each frame, before it is sound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonesmith.explorer import air
from tonesmith.explorer.moves import Amount, values_at
from tonesmith.explorer.recipe import Place
from tonesmith.explorer.stream import Picture

SPREAD = 0.5
"""Share of the mid that a sound at twice its width has as a side that is unlike the mid, beside its own."""


@dataclass(frozen=True, slots=True)
class Placing:
    """Places frames as a recipe says.

    Attributes:
        place: width, distance and azimuth.
        channels: "mono", "stereo" or "binaural". In binaural, ears hear the azimuth, later.
    """

    place: Place
    channels: str

    def placed(self, picture: Picture, share: NDArray[np.float64]) -> Picture:
        """Return frames in their place.

        Args:
            picture: the frames.
            share: float64 (frames,), where each is in the sound, 0 to 1.
        """
        magnitude, like, unlike, pan = picture.magnitude, picture.like, picture.unlike, None
        if self.place.distance != 1.0:
            magnitude = magnitude * air.gains_of(values_at(self.place.distance, share))
        if self.channels == "mono":
            return Picture(magnitude)
        if self.place.width != 1.0:
            like, unlike = _widened(self.place.width, share, magnitude, like, unlike)
        if self.channels == "stereo" and self.place.azimuth != 0.0:
            pan = pan_gains(values_at(self.place.azimuth, share))
        return Picture(magnitude, like, unlike, pan)


def _widened(
    width: Amount,
    share: NDArray[np.float64],
    magnitude: NDArray[np.float32],
    like: NDArray[np.float32] | None,
    unlike: NDArray[np.float32] | None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the shares of the side in the mid, times the width; beyond 1 it grows by what is unlike the mid too."""
    times = values_at(width, share).astype(np.float32)[:, None]
    none = np.zeros_like(magnitude)
    spread = np.float32(SPREAD) * np.maximum(times - 1.0, 0.0)
    more = np.square((none if unlike is None else unlike) * times) + np.square(spread)
    return (none if like is None else like) * times, np.asarray(np.sqrt(more), np.float32)


def pan_gains(azimuth: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the gains of left and right for directions in degrees, -90 (right) to 90 (left): float32 (count, 2).

    Their powers add up to 2, the sine and cosine law; the middle has 1 and 1.
    """
    angle = np.radians(np.clip(azimuth, -90.0, 90.0) / 2.0 + 45.0)
    return np.asarray(np.sqrt(2.0) * np.stack([np.sin(angle), np.cos(angle)], axis=1), np.float32)
