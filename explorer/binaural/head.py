"""What two ears hear of a direction: responses without their delays, and the delays, between measured directions.

Azimuth is counter-clockwise seen from above, as AES69 (SOFA) has it: 0 is ahead, 90 is left, -90 right. Elevation is 90
above. Responses between directions are the mean of the three around them, weighted by where they are in that triangle.
Delays are kept apart, since two that differ would make combs (Gamper 2013, "Head-related transfer function
interpolation in azimuth, elevation, and distance").
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

KEMAR = "MIT KEMAR"
_TINY = 1e-9
_TOGETHER = 64


@dataclass(frozen=True, eq=False)
class Head:
    """Responses of ears at 48 kHz.

    Attributes:
        points: float64 (directions, 3), unit vectors: ahead, left, above.
        response: float32 (directions, 2, taps), of the left and the right ear, without their delays.
        delay: float32 (directions, 2), in samples, 0 or more.
        triangles: int (triangles, 3), the directions that are neighbours.
    """

    points: NDArray[np.float64]
    response: NDArray[np.float32]
    delay: NDArray[np.float32]
    triangles: NDArray[np.int64]

    @cached_property
    def _inverse(self) -> NDArray[np.float64]:
        corners = self.points[self.triangles]
        flat = np.abs(np.linalg.det(corners)) < _TINY
        corners[flat] = np.eye(3)
        made = np.linalg.inv(corners)
        made[flat] = np.nan
        return np.asarray(made)

    def at(
        self, azimuth: NDArray[np.float64], elevation: NDArray[np.float64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the responses and the delays in directions: float32 (count, 2, taps) and (count, 2).

        Args:
            azimuth: float64 (count,), in degrees.
            elevation: likewise.
        """
        wanted = vectors(azimuth, elevation)
        parts = [self._around(wanted[at : at + _TOGETHER]) for at in range(0, len(wanted), _TOGETHER)]
        corner, weight = np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
        response = np.einsum("kc,kcet->ket", weight, self.response[corner])
        return response, np.einsum("kc,kce->ke", weight, self.delay[corner])

    def _around(self, wanted: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the three directions around each of those wanted, and how much of each: (count, 3) both."""
        shares = np.einsum("kv,tvc->ktc", wanted, self._inverse)
        inside = np.nan_to_num(shares.min(axis=2), nan=-np.inf)
        best = inside.argmax(axis=1)
        weight = np.maximum(shares[np.arange(len(wanted)), best], 0.0)
        weight /= weight.sum(axis=1, keepdims=True)
        return self.triangles[best], weight.astype(np.float32)


def vectors(azimuth: NDArray[Any], elevation: NDArray[Any]) -> NDArray[np.float64]:
    """Return unit vectors of directions in degrees: float64 (count, 3), ahead, left, above."""
    around, up = np.radians(azimuth), np.radians(elevation)
    return np.stack([np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), np.sin(up)], axis=1)


@lru_cache(maxsize=1)
def kemar() -> Head:
    """Return the head that ships: KEMAR with the normal pinna, 710 directions from -40 to 90 degrees of elevation.

    Source: Gardner & Martin 1994, "HRTF measurements of a KEMAR dummy-head microphone", MIT Media Lab. "It is provided
    free with no restrictions on use, provided the authors are cited when the data is used in any research or commercial
    application." The right ear is the mirrored left one, as in the source. ``benchmarks/hrtf.py`` made the file.
    """
    with np.load(str(files("tonesmith.explorer.binaural") / "kemar.npz"), allow_pickle=False) as stored:
        azimuth, elevation = (stored[name].astype(np.float64) for name in ("azimuth", "elevation"))
        response = stored["response"].astype(np.float32) * stored["scale"]
        delay, mirrored = stored["delay"].astype(np.float32), stored["mirrored"].astype(np.int64)
        triangles = stored["triangles"].astype(np.int64)
    ears = np.stack([response, response[mirrored]], axis=1)
    return Head(vectors(azimuth, elevation), ears, np.stack([delay, delay[mirrored]], axis=1), triangles)
