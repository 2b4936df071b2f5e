"""The pitches of a score, drums left out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.score.score import Score
from tonesmith.score.theory.scales import MODES

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Pitches:
    """What :func:`pitches_of` measures, NaN without pitched notes.

    Attributes:
        count: notes that are no drums.
        low: lowest MIDI pitch.
        high: highest MIDI pitch.
        span: semitones from the lowest to the highest [MusPy, ``pitch_range``].
        mean: mean MIDI pitch of the notes.
        used: different pitches [MusPy, ``n_pitches_used``].
        classes_used: different pitch classes, 1..12 [MusPy, ``n_pitch_classes_used``].
        entropy_bits: of the pitches, each note counted once [MusPy, ``pitch_entropy``].
        class_entropy_bits: of the 12 pitch classes, 0..3.585 [Wu & Yang 2020, "The Jazz Transformer on the front
            line"].
        scale_consistency: the largest share of the notes that one of the 12 diatonic scales holds, 0..1 [Mogren 2016,
            "C-RNN-GAN"; MusPy]. Major and natural minor have the same scales.
    """

    count: int
    low: float
    high: float
    span: float
    mean: float
    used: float
    classes_used: float
    entropy_bits: float
    class_entropy_bits: float
    scale_consistency: float


def pitches_of(score: Score) -> Pitches:
    """Return the numbers of a score's pitches. MusPy is Dong et al. 2020, "MusPy: a toolkit for symbolic music"."""
    pitch = pitched(score)["pitch"].astype(np.int64)
    if not len(pitch):
        return Pitches(0, *[_NAN] * 9)
    every, classes = np.bincount(pitch, minlength=128), np.bincount(pitch % 12, minlength=12)
    return Pitches(
        count=len(pitch),
        low=float(pitch.min()),
        high=float(pitch.max()),
        span=float(pitch.max() - pitch.min()),
        mean=float(pitch.mean()),
        used=float(np.count_nonzero(every)),
        classes_used=float(np.count_nonzero(classes)),
        entropy_bits=entropy_bits(every),
        class_entropy_bits=entropy_bits(classes),
        scale_consistency=float((_scales() @ classes).max() / len(pitch)),
    )


def pitched(score: Score) -> NDArray[Any]:
    """Return the notes of a score that are no drums, in their order."""
    drums = np.array([part.drums for part in score.parts], bool)
    notes: NDArray[Any] = score.notes[~drums[score.notes["part"]]] if drums.any() else score.notes
    return notes


def entropy_bits(counts: NDArray[Any]) -> float:
    """Return the Shannon entropy of counts in bits; NaN of none."""
    there = np.asarray(counts, np.float64)
    there = there[there > 0]
    if not len(there):
        return _NAN
    shares = there / there.sum()
    return max(0.0, float(-(shares * np.log2(shares)).sum()))


@lru_cache(maxsize=1)
def _scales() -> NDArray[np.int64]:
    """Return (12, 12): whether each pitch class is in the major scale on each tonic."""
    major = np.isin(np.arange(12), MODES["major"]).astype(np.int64)
    return np.array([np.roll(major, tonic) for tonic in range(12)])
