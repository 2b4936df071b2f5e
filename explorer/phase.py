"""Phases for magnitudes: the gradient of the phase is that of the logarithm of the magnitude, and is integrated.

Source: Prusa, Balazs & Sondergaard 2017, "A noniterative method for reconstruction of phase from STFT magnitude"
(PGHI). The strongest neighbours are joined first, as there; :mod:`tonesmith.explorer.joined` says in which order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tonesmith.explorer.frames import BINS, GAMMA, HOP, SIZE, held_spectrum, overlapped
from tonesmith.explorer.joined import integrated

DEEPEST = 1e-4
"""Share of the strongest magnitude below which a phase is drawn at random."""
_TINY = 1e-9


def phases_of(
    magnitude: NDArray[np.float32], before: NDArray[np.complex64], random: np.random.Generator
) -> NDArray[np.float32]:
    """Return phases for frames that follow others: float32 (count, BINS), in radians.

    Args:
        magnitude: float32 (count, BINS).
        before: complex64 (known, BINS), the frames before them, whose phases are kept; of length 0 at the start.
        random: draws the phases of what is too quiet to be joined to anything.
    """
    known = len(before)
    whole = np.concatenate([np.abs(before), magnitude])
    drawn = np.float32(2.0 * np.pi) * random.random(magnitude.shape, np.float32)
    heard = whole > max(DEEPEST * float(whole.max(initial=0.0)), _TINY)
    if not heard.any():
        return drawn
    log = np.log(np.maximum(whole, np.float32(_TINY)))
    phase = integrated(np.where(heard, log, -np.inf), *_rises(log), np.angle(before))[known:]
    return np.asarray(np.where(heard[known:], np.remainder(phase, 2.0 * np.pi), drawn), np.float32)


def refined(
    magnitude: NDArray[np.float32], frames: NDArray[np.complex64], before: NDArray[np.complex64], rounds: int
) -> NDArray[np.complex64]:
    """Return frames whose phases agree better with those of their neighbours, after some rounds of Griffin-Lim.

    Source: Griffin & Lim 1984, "Signal estimation from modified short-time Fourier transform".

    Args:
        magnitude: float32 (count, BINS), that the frames keep.
        frames: complex64 (count, BINS).
        before: complex64 (known, BINS), the frames before them, which stay.
        rounds: of projections; 0 returns the frames as they are.
    """
    margin = SIZE // HOP - 1
    for _ in range(rounds):
        sound = overlapped(np.concatenate([before, frames]))
        # What lies beyond either end is not known, so that the frames there see half of themselves
        seen = held_spectrum(sound)[len(before) :]
        scale = magnitude / np.maximum(np.abs(seen), np.float32(_TINY))
        frames = np.concatenate([(seen * scale)[:-margin], frames[-margin:]])
    return frames


def _rises(log: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return how the phase rises from each place to the next bin, and to the next frame: float32 (count, BINS) each."""
    over_bins = np.float32(-GAMMA / (HOP * SIZE)) * _slope(log, 0)
    # Whole turns are left out, so that float32 is fine enough
    turns = np.remainder(2.0 * np.pi * HOP / SIZE * np.arange(BINS), 2.0 * np.pi).astype(np.float32)
    over_time = np.float32(HOP * SIZE / GAMMA) * _slope(log, 1) + turns
    to_bin, to_frame = np.zeros_like(log), np.zeros_like(log)
    to_bin[:, :-1] = np.float32(0.5) * (over_bins[:, :-1] + over_bins[:, 1:])
    to_frame[:-1] = np.float32(0.5) * (over_time[:-1] + over_time[1:])
    return to_bin, to_frame


def _slope(log: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Return differences between the places on either side, halved; those at the ends, to their one neighbour."""
    if log.shape[axis] < 2:
        return np.zeros_like(log)
    return np.asarray(np.gradient(log, axis=axis), np.float32)
