"""Makes the head that ships of the SOFA file of MIT KEMAR, and measures what is between its directions.

The file is MIT_KEMAR_normal_pinna.sofa of Debian's package libmysofa1. Each of some directions is left out, and made of
its neighbours: printed are the mean difference of its levels from 0.2 to 16 kHz, and of the time between the ears.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from tonesmith.dsp.resample import resampled
from tonesmith.explorer.binaural.aligned import aligned, delays_of
from tonesmith.explorer.binaural.head import Head, vectors

RATE, TAPS, STEPS = 48_000, 192, 32_000


def main() -> None:
    """Write the head, and print what was measured."""
    options = _arguments()
    with h5py.File(options.sofa) as stored:
        place, given = stored["SourcePosition"][:], stored["Data.IR"][:]
        rate = round(float(stored["Data.SamplingRate"][0]))
    azimuth, elevation = place[:, 0], place[:, 1]
    whole = resampled(given.astype(np.float32), rate, RATE)
    delay = delays_of(whole)
    response = aligned(whole, delay, TAPS)
    points = vectors(azimuth, elevation)
    mirrored = (points @ (points * [1.0, -1.0, 1.0]).T).argmax(axis=0)
    assert np.array_equal(given[:, 1], given[mirrored, 0])
    front = int((points @ [1.0, 0.0, 0.0]).argmax())
    response /= np.sqrt(np.square(response[front]).sum(axis=-1).mean())
    triangles = ConvexHull(points).simplices
    scale = float(np.abs(response).max()) / STEPS
    np.savez_compressed(
        options.out,
        azimuth=azimuth.astype(np.float32),
        elevation=elevation.astype(np.float32),
        response=np.rint(response[:, 0] / scale).astype(np.int16),
        scale=np.float32(scale),
        delay=(delay[:, 0] - delay.min()).astype(np.float32),
        mirrored=mirrored.astype(np.int16),
        triangles=triangles.astype(np.int16),
    )
    print(f"{options.out}: {options.out.stat().st_size} bytes")
    print(f"cut to {TAPS} samples: {_apart(whole, response):.2f} dB")
    _left_out(points, response, (delay - delay.min()).astype(np.float32), azimuth, elevation)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sofa", type=Path, help="MIT_KEMAR_normal_pinna.sofa")
    parser.add_argument("out", type=Path, help="npz file to write")
    return parser.parse_args()


def _levels(response: NDArray[np.float32]) -> NDArray[np.float64]:
    spectrum = np.abs(np.fft.rfft(response, 2048))
    hertz = np.fft.rfftfreq(2048, 1 / RATE)
    return np.asarray(20.0 * np.log10(np.maximum(spectrum[..., (hertz >= 200) & (hertz <= 16_000)], 1e-6)))


def _apart(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return how far levels are apart, whatever the gain."""
    far = _levels(one) - _levels(other)
    return float(np.abs(far - far.mean()).mean())


def _left_out(
    points: NDArray[np.float64],
    response: NDArray[np.float32],
    delay: NDArray[np.float32],
    azimuth: NDArray[np.float64],
    elevation: NDArray[np.float64],
) -> None:
    chosen = np.flatnonzero(elevation > elevation.min())
    chosen = chosen[np.linspace(0, len(chosen) - 1, 60).round().astype(int)]
    errors, times = [], []
    for place in chosen:
        rest = np.delete(np.arange(len(points)), place)
        head = Head(points[rest], response[rest], delay[rest], ConvexHull(points[rest]).simplices.astype(np.int64))
        made, late = head.at(azimuth[[place]], elevation[[place]])
        errors.append(np.abs(_levels(made[0]) - _levels(response[place])).mean())
        times.append(abs(float(np.diff(late[0])[0] - np.diff(delay[place])[0])) / RATE * 1e6)
    print(f"60 directions left out: {np.mean(errors):.2f} dB, between the ears {np.mean(times):.1f} us")


if __name__ == "__main__":
    main()
