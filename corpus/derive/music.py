"""Scores and recordings that children are made of, and the bytes of those that are made."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from tonesmith.corpus.media import Kind, Unfit, read_recording, read_score

LONGEST: Final = 1800.0
"""The most seconds of a recording that is augmented: it is held in memory several times."""


def bytes_of(music: Any) -> bytes:
    """Return a score as MIDI, or a recording as 32-bit float WAV."""
    from tonesmith.dataset.wav import wav_of
    from tonesmith.score.score import Score
    from tonesmith.score.writer import midi_of

    return midi_of(music) if isinstance(music, Score) else wav_of(music.audio, music.sample_rate)


def read_music(path: Path, kind: Kind, seconds: float) -> Any:
    """Return the score or recording in a file. Raises :class:`Unfit`, :class:`ScoreError` or :class:`OSError`.

    Args:
        path: of the file.
        kind: of what it holds.
        seconds: that it lasts.
    """
    if kind == "score":
        return read_score(path)
    if seconds > LONGEST:
        raise Unfit(f"lasts {seconds / 60:,.0f} minutes; at most {LONGEST / 60:.0f} are augmented")
    return read_recording(path, LONGEST)
