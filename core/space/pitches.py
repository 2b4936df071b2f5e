"""Names of MIDI pitches."""

from __future__ import annotations

_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def pitch_name(pitch: int) -> str:
    """Return the name of a MIDI pitch, such as "A4" for 69 and "C4" for 60."""
    return f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"
