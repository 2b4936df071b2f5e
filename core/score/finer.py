"""A score in finer ticks."""

from __future__ import annotations

from tonesmith.score.score import MAX_RESOLUTION, Score
from tonesmith.score.timing import Tempos


def finer(score: Score, resolution: int) -> Score:
    """Return an equal score with at least so many ticks per beat, as far as a MIDI file can state that.

    Args:
        score: to return.
        resolution: ticks per beat, 1..32767.
    """
    factor = min(-(-resolution // score.resolution), MAX_RESOLUTION // score.resolution)
    if factor <= 1:
        return score
    notes, controls = score.notes.copy(), score.controls.copy()
    notes["onset"] *= factor
    notes["duration"] *= factor
    controls["time"] *= factor
    return Score(
        score.resolution * factor,
        notes,
        score.parts,
        Tempos(score.tempos.ticks * factor, score.tempos.microseconds),
        tuple(m._replace(time=m.time * factor) for m in score.meters),
        tuple(k._replace(time=k.time * factor) for k in score.keys),
        controls,
        tuple(t._replace(time=t.time * factor) for t in score.texts),
    )
