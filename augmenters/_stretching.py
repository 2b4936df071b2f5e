"""What moves and stretches recordings: Rubber Band, through pedalboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tonesmith.host.roles import Unsuited

if TYPE_CHECKING:
    from tonesmith.host.roles import Recorded

SHORTEST: Final = 1024
"""Frames from which a recording can be stretched: about a window of the stretcher."""


def too_short(music: Recorded) -> Unsuited | None:
    """Return why a recording cannot be stretched, or None."""
    return Unsuited(f"has fewer than {SHORTEST:,} frames") if music.audio.shape[1] < SHORTEST else None


def stretched(music: Recorded, factor: float, semitones: float) -> Recorded:
    """Return a recording that is so many times as fast, and so many semitones up; many channels one by one."""
    import numpy as np
    import pedalboard

    rows = [music.audio] if len(music.audio) <= 2 else [channel[None] for channel in music.audio]
    done = [pedalboard.time_stretch(row, music.sample_rate, factor, semitones) for row in rows]
    return music._replace(audio=np.ascontiguousarray(np.concatenate(done), np.float32))
