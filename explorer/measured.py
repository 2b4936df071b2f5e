"""How far what a model makes is from what it should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tonesmith.dsp.spectrum import decibels, powers
from tonesmith.explorer.code import Code
from tonesmith.explorer.frames import HOP, RATE, SIZE, count_of, levels_of, magnitudes_of, spectrum
from tonesmith.explorer.stream import whole

if TYPE_CHECKING:
    from tonesmith.explorer.atlas import Atlas, Errors

EXCERPTS = 3
"""Sounds that are made again to measure a model."""
EXCERPT = 0.7
"""Seconds of each."""
_WINDOWS = (512, 1024, 2048, 4096)
_FLOOR = -80.0


@dataclass(frozen=True, eq=False, slots=True)
class Excerpt:
    """A part of a sound.

    Attributes:
        mid: float32 (samples,).
        fold: of the sound.
    """

    mid: NDArray[np.float32]
    fold: int


def excerpt_of(mid: NDArray[np.float32], onset: int, fold: int) -> Excerpt:
    """Return 0.7 s of a sound from an onset on, or what there is of it."""
    first = max(min(onset * HOP, len(mid) - round(EXCERPT * RATE)), 0)
    return Excerpt(mid[first : first + round(EXCERPT * RATE)].copy(), fold)


def log_error(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Return the mean difference in dB of the log-magnitudes of two sounds (samples,), floor -80 dB.

    It is the mean over spectra with windows of 512, 1024, 2048 and 4096 samples, each of which moves by a quarter.
    """
    found = []
    for window in _WINDOWS:
        levels = [decibels(powers(sound[None], window, window // 4), _FLOOR) for sound in (first, second)]
        found.append(float(np.abs(levels[0] - levels[1]).mean()))
    return float(np.mean(found))


def errors_of(atlas: Atlas, excerpts: Sequence[Excerpt], others: Sequence[Code], held_out_levels: float) -> Errors:
    """Return how far excerpts are from what is made of them.

    Args:
        atlas: the model.
        excerpts: of its sounds.
        others: for each fold, what encodes and decodes without its sounds.
        held_out_levels: in dB, as :class:`tonesmith.explorer.atlas.Errors` has it.
    """
    from tonesmith.explorer.atlas import Errors

    found = np.array([_three(atlas, excerpt, others[excerpt.fold % len(others)]) for excerpt in excerpts])
    ceiling, own, held_out = found.mean(axis=0)
    return Errors(float(ceiling), float(own), float(held_out), held_out_levels)


def _three(atlas: Atlas, excerpt: Excerpt, other: Code) -> tuple[float, float, float]:
    true = np.abs(spectrum(excerpt.mid))
    levels = levels_of(true)
    own = atlas.decode(atlas.code.encode(levels).astype(np.float16).astype(np.float32))
    held_out = magnitudes_of(other.decode(other.encode(levels)))
    return sound_error(excerpt.mid, true), sound_error(excerpt.mid, own), sound_error(excerpt.mid, held_out)


def sound_error(sound: NDArray[np.float32], magnitude: NDArray[np.float32]) -> float:
    """Return how far a sound is from what its magnitudes give, without the ends, where frames are missing."""
    made = whole(magnitude[: count_of(len(sound))], len(sound))
    inner = slice(SIZE // 2, -SIZE // 2) if len(sound) > 3 * SIZE else slice(None)
    return log_error(sound[inner], made[inner])
