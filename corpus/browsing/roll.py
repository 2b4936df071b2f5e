"""A score as a person sees and hears it: a roll of its notes, and plain tones in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tonesmith.score.score import Score

RATE: Final = 22050
"""Hz of the tones."""
LONGEST: Final = 60.0
"""Seconds of a score that are played."""
_LEAST: Final = 24
"""Semitones that a roll shows at least."""
_DARK: Final = 90
"""Of the softest note, of 255."""
_FADE_S: Final = 0.01
_PARTIALS: Final = ((1, 1.0), (2, 0.4), (3, 0.2))


def roll(score: Score, width: int, height: int) -> NDArray[np.uint8]:
    """Return the pixels of a roll: uint8 (2 * height, width), low notes at the bottom, louder ones brighter.

    Args:
        score: whose notes are drawn, from its beginning to its end.
        width: in cells, 1 at least.
        height: likewise.
    """
    pixels = np.zeros((2 * height, width), np.uint8)
    notes = score.notes
    if not len(notes):
        return pixels
    pitches = notes["pitch"].astype(int)
    middle, span = (pitches.min() + pitches.max()) / 2, max(_LEAST, int(np.ptp(pitches)) + 1)
    places = 0.5 - (pitches - middle) / span
    rows = np.clip((places * (2 * height - 1) + 0.5).astype(int), 0, 2 * height - 1)
    scale = width / max(score.duration, 1e-9)
    starts = np.clip((score.onsets * scale).astype(int), 0, width - 1)
    ends = np.maximum(starts + 1, np.round((score.onsets + score.durations) * scale).astype(int))
    shades = _DARK + (255 - _DARK) * notes["velocity"].astype(float) / 127
    for row, start, end, shade in zip(rows.tolist(), starts.tolist(), ends.tolist(), shades.tolist(), strict=True):
        pixels[row, start:end] = np.maximum(pixels[row, start:end], round(shade))
    return pixels


def tones(score: Score) -> NDArray[np.float32]:
    """Return the first minute of a score in plain tones: float32 (1, frames) at 22,050 Hz. Drums are short noise."""
    length = min(score.duration, LONGEST) + 0.5
    audio = np.zeros(round(length * RATE), np.float64)
    noise = np.random.default_rng(0).uniform(-1, 1, RATE // 5)
    drums = np.array([part.drums for part in score.parts], bool)[score.notes["part"]] if len(score) else ()
    each = zip(score.onsets, score.durations, score.notes["pitch"], score.notes["velocity"], drums, strict=True)
    for onset, long, pitch, velocity, drum in each:
        start = round(float(onset) * RATE)
        if start >= len(audio):
            continue
        sound = noise * np.exp(-np.arange(len(noise)) * 40 / RATE) if drum else _tone(int(pitch), float(long))
        part = audio[start : start + len(sound)]
        part += 0.2 * (int(velocity) / 127) ** 2 * sound[: len(part)]
    return np.asarray(audio / max(1.0, float(np.abs(audio).max(initial=0.0))), np.float32)[None]


def _tone(pitch: int, seconds: float) -> NDArray[np.float64]:
    count = round(min(max(seconds, 0.05), LONGEST) * RATE)
    t = np.arange(count) / RATE
    hertz = 440.0 * 2.0 ** ((pitch - 69) / 12)
    partials = [(n * hertz, level) for n, level in _PARTIALS if n * hertz < RATE / 2]
    sound = sum((level * np.sin(2 * np.pi * hz * t) for hz, level in partials), np.zeros(count))
    edge = min(count // 2, round(_FADE_S * RATE))
    shape = np.ones(count)
    shape[:edge], shape[count - edge :] = np.linspace(0, 1, edge), np.linspace(1, 0, edge)
    return np.asarray(sound * shape * np.exp(-t * 1.5), np.float64)
