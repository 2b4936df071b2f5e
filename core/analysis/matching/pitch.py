"""The pitch of a sound as a MIDI note, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dsp.pitch import yin
from tonesmith.space.pitches import pitch_name

LOW, HIGH = 27.5, 4200.0
"""Hz of the lowest and of the highest note that is looked for: the range of a piano."""
THRESHOLD = 0.2
SURE = 0.5
"""Confidence from which a sound counts as pitched."""
_HOP = 0.01
_QUIET = 1e-3
"""Share of the highest power below which a window does not count."""


@dataclass(frozen=True, slots=True)
class Pitch:
    """A pitch that was heard.

    Attributes:
        midi: of the nearest note, 0 to 127, A at 440 Hz is 69.
        hertz: median over time.
        cents: by which the sound is higher than that note.
        confidence: 0 to 1: the share of the sound's power in windows whose pitch is within half a semitone of the
            median, less what is not periodic in them.
    """

    midi: int
    hertz: float
    cents: float
    confidence: float

    @property
    def is_sure(self) -> bool:
        """Whether the sound counts as pitched."""
        return self.confidence >= SURE

    def __str__(self) -> str:
        cents = f", {abs(self.cents):.0f} cents {'high' if self.cents > 0 else 'low'}" if abs(self.cents) >= 1 else ""
        return f"{self.midi} ({pitch_name(self.midi)}, {self.hertz:.1f} Hz{cents})"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"midi": self.midi, "hertz": self.hertz, "cents": self.cents, "confidence": self.confidence}


def pitch_of(audio: NDArray[np.float32], sample_rate: int) -> Pitch | None:
    """Return the pitch of a sound, or None where no window of it is periodic.

    The fundamental is that of YIN, in windows every 10 ms; see :func:`tonesmith.dsp.pitch.yin`.

    Args:
        audio: float32 (channels, frames).
        sample_rate: Hz.
    """
    mono, hop = audio.mean(axis=0), max(round(_HOP * sample_rate), 1)
    hertz, dip = yin(mono, sample_rate, hop, LOW, min(HIGH, sample_rate / 4.0), THRESHOLD)
    power = _powers(mono, len(hertz), hop, sample_rate)
    weight = np.where(power >= _QUIET * power.max(initial=0.0), power, 0.0)
    known = np.isfinite(hertz) & (weight > 0.0)
    if not known.any():
        return None
    notes = 69.0 + 12.0 * np.log2(hertz[known] / 440.0)
    middle = _weighted_median(notes, weight[known])
    agree = np.abs(notes - middle) < 0.5
    confidence = float((weight[known] * agree * (1.0 - dip[known])).sum() / weight.sum())
    midi = int(np.clip(np.rint(middle), 0, 127))
    return Pitch(midi, float(440.0 * 2.0 ** ((middle - 69.0) / 12.0)), float(100.0 * (middle - midi)), confidence)


def _powers(mono: NDArray[np.float32], count: int, hop: int, sample_rate: int) -> NDArray[np.float64]:
    """Return the power around each window."""
    half = max(round(0.02 * sample_rate), 1)
    summed = np.concatenate([[0.0], np.cumsum(np.square(mono, dtype=np.float64))])
    centres = np.arange(count) * hop
    ends = np.clip([centres - half, centres + half], 0, len(mono))
    found: NDArray[np.float64] = summed[ends[1]] - summed[ends[0]]
    return found


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    order = np.argsort(values, kind="stable")
    summed = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(summed, summed[-1] / 2.0)])
