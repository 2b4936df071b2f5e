"""Small corpora: scores and recordings made by rule, and folders of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tonesmith.score.score import Score
from tonesmith.score.writer import midi_of


def melody(seed: int, count: int = 16, *, up: int = 0, bpm: float = 120.0) -> Score:
    """Return a score of a part that is another for each seed."""
    pitches = np.random.default_rng(seed).integers(50, 70, count)
    return Score.of([(i / 2, 0.5, int(pitch) + up, 90) for i, pitch in enumerate(pitches)], bpm=bpm)


def write_midi(path: Path, score: Score) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(midi_of(score))
    return path


def tone(hertz: float = 440.0, seconds: float = 0.25, rate: int = 8000) -> np.ndarray:
    """Return float32 (1, frames) of a sine."""
    return 0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate, dtype=np.float32)[None]


def write_audio(path: Path, audio: np.ndarray, rate: int = 8000) -> Path:
    from pedalboard.io import AudioFile

    path.parent.mkdir(parents=True, exist_ok=True)
    with AudioFile(str(path), "w", rate, len(audio), bit_depth=16) as file:
        file.write(audio)
    return path


def music(folder: Path) -> Path:
    """Write six scores in two folders, one with its recording, a copy, and what cannot be taken."""
    for place, mood in enumerate(("happy", "sad")):
        for number in range(3):
            write_midi(folder / mood / f"song{number}.mid", melody(10 * place + number))
    write_midi(folder / "sad" / "copy.mid", melody(0))
    write_audio(folder / "happy" / "song1.wav", tone())
    write_audio(folder / "sad" / "silent.wav", 0 * tone())
    write_midi(folder / "empty.mid", Score.of([]))
    (folder / "broken.mid").write_bytes(b"nothing")
    (folder / "cut.wav").write_bytes((folder / "happy" / "song1.wav").read_bytes()[:30])
    (folder / "cover.jpg").write_bytes(b"")
    (folder / "link.mid").symlink_to("/etc/passwd")
    return folder
