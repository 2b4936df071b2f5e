"""Scores moved into a range of pitches."""

from __future__ import annotations

import numpy as np

from tonesmith.score.score import Score


def fitted(score: Score, low: int, high: int, step: int) -> Score | None:
    """Return a score with every note that is no drum's in a range, moved by as little as that takes; None if none fits.

    All parts move together, and key signatures with them.

    Args:
        score: to move.
        low: the lowest MIDI pitch, 0..127.
        high: the highest.
        step: semitones that it moves by a multiple of; 0 to leave it where it is.
    """
    drums = np.array([part.drums for part in score.parts], bool)
    pitches = score.notes["pitch"][~drums[score.notes["part"]]]
    if not len(pitches):
        return score
    least, most = low - int(pitches.min()), high - int(pitches.max())
    semitones = 0
    if step and least > 0:
        semitones = -(-least // step) * step
    elif step and most < 0:
        semitones = most // step * step
    if not least <= semitones <= most:
        return None
    return score.transposed(semitones) if semitones else score
