"""A head of one's own, from a SOFA file (AES69-2022), read within bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dsp.resample import resampled
from tonesmith.errors import ConfigError, check_libraries
from tonesmith.explorer.binaural.aligned import aligned, delays_of
from tonesmith.explorer.binaural.head import Head, vectors
from tonesmith.explorer.frames import RATE

MOST_BYTES = 256 * 2**20
MOST_DIRECTIONS, MOST_SAMPLES = 20_000, 4_096
_MOST_NUMBERS = 32_000_000
_TAPS = 512
_FEWEST = 4
_RATES = (8_000, 192_000)


def read_head(path: Path) -> Head:
    """Return the head in a SOFA file of the convention SimpleFreeFieldHRIR.

    Responses are made 48 kHz, and cut to 512 samples after their beginning; the mean of the ears is 1 ahead.

    Raises :class:`ConfigError` if it is something else, has more than 20,000 directions or 4,096 samples of each,
    if its directions do not surround the head, or ``sofar`` is not installed.
    """
    check_libraries("--hrtf", ["sofar", "netCDF4"], "sofa")
    if not path.is_file():
        raise ConfigError(f"--hrtf: {path} " + ("is not a file." if path.exists() else "does not exist."))
    if path.stat().st_size > MOST_BYTES:
        raise ConfigError(f"--hrtf: {path} has more than {MOST_BYTES // 2**20} MiB.")
    _check_sizes(path)
    place, response, rate, delay = _content(path)
    if not all(np.isfinite(part).all() for part in (place, response, delay)):
        raise ConfigError(f"--hrtf: {path} has numbers that are NaN or infinite.")
    if not _RATES[0] <= rate <= _RATES[1] or not np.abs(response).max(axis=-1).all():
        raise ConfigError(f"--hrtf: {path} has a response that is silent, or a rate that is not 8 to 192 kHz.")
    return _head(path, place, resampled(response, rate, RATE), delay * (RATE / rate))


def _check_sizes(path: Path) -> None:
    """Look at what a file says of itself before its numbers are read, which could be more than the memory holds."""
    import netCDF4

    try:
        with netCDF4.Dataset(str(path)) as stored:
            kind = getattr(stored, "SOFAConventions", None)
            sizes = [variable.size for variable in stored.variables.values()]
            m, r, n = (len(stored.dimensions[name]) for name in "MRN")
    except (OSError, KeyError, RuntimeError, UnicodeDecodeError):
        raise ConfigError(f"--hrtf: {path} cannot be read as a SOFA file.") from None
    if kind != "SimpleFreeFieldHRIR":
        raise ConfigError(f"--hrtf: {path} has the convention {str(kind)[:40]!r}; expected 'SimpleFreeFieldHRIR'.")
    if r != 2:
        raise ConfigError(f"--hrtf: {path} has {r:,} receivers; expected 2 ears.")
    if m > MOST_DIRECTIONS or n > MOST_SAMPLES or sum(map(int, sizes)) > _MOST_NUMBERS:
        told = f"--hrtf: {path} has {m:,} directions of {n:,} samples"
        raise ConfigError(f"{told}; expected at most {MOST_DIRECTIONS:,} of {MOST_SAMPLES:,}, and 32 million numbers.")
    if m < _FEWEST:
        raise ConfigError(f"--hrtf: {path} has {m} directions, which do not surround the head.")


def _content(path: Path) -> tuple[NDArray[Any], NDArray[np.float32], int, NDArray[Any]]:
    """Return positions in degrees, responses, their rate, and delays that are kept apart."""
    import sofar

    try:
        stored = sofar.read_sofa(str(path), verify=False, verbose=False)
        place = np.asarray(stored.SourcePosition, np.float64)
        response = np.asarray(stored.Data_IR, np.float32)
        delay = np.asarray(stored.Data_Delay, np.float64).reshape(-1, 2)
        rate = round(float(np.asarray(stored.Data_SamplingRate).ravel()[0]))
        kind = str(stored.SourcePosition_Type)
    except Exception:  # noqa: BLE001 - sofar raises whatever the file makes it stumble over
        raise ConfigError(f"--hrtf: {path} cannot be read as a SOFA file.") from None
    if len(place) not in {1, len(response)} or len(delay) not in {1, len(response)} or place.ndim != 2:
        raise ConfigError(f"--hrtf: {path} has not one direction for each response.")
    if kind == "cartesian":
        length = np.maximum(np.linalg.norm(place, axis=1), 1e-9)
        place = np.degrees(np.stack([np.arctan2(place[:, 1], place[:, 0]), np.arcsin(place[:, 2] / length)], axis=1))
    return place, response, rate, np.broadcast_to(delay, response.shape[:2])


def _head(path: Path, place: NDArray[Any], response: NDArray[np.float32], apart: NDArray[Any]) -> Head:
    from scipy.spatial import ConvexHull, QhullError

    points, first = np.unique(vectors(place[:, 0], place[:, 1]).round(6), axis=0, return_index=True)
    response, apart = response[first], apart[first]
    try:
        triangles = ConvexHull(points).simplices.astype(np.int64)
    except (QhullError, ValueError):
        raise ConfigError(f"--hrtf: the directions of {path} do not surround the head.") from None
    delay = delays_of(response)
    made = aligned(response, delay, min(_TAPS, response.shape[-1]))
    front = int((points @ [1.0, 0.0, 0.0]).argmax())
    made /= np.sqrt(np.square(made[front]).sum(axis=-1).mean())
    whole = delay + apart
    return Head(points, made, (whole - whole.min()).astype(np.float32), triangles)
