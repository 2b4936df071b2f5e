"""What is heard of a candidate: level, pitch and end of its sounds, and what of them a page keeps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dsp.pitch import yin
from tonesmith.media.clip import Clip, clip_of
from tonesmith.media.picture import picture_uri
from tonesmith.plan.rejection import Rejection
from tonesmith.run.audition import Tried
from tonesmith.score.phrase import Phrase
from tonesmith.space.patch import Candidate, Note
from tonesmith.space.pitches import pitch_name
from tonesmith.space.space import ParameterSpace

MOST_NOTES = 3
"""Notes of a patch that are told of: the first, the middle one, the last."""
_FLOOR = -120.0
_LOUDEST = 0.1
_END = 0.05
_VOICED = 0.2
"""Share of the windows that have a pitch, below which a sound has none."""
_LISTENED = 2.0
"""Seconds that are searched for a pitch."""


@dataclass(frozen=True, eq=False)
class Sound:
    """A note of a candidate.

    Attributes:
        note: that was played.
        heard: whether it was; nothing of the rest holds if not.
        peak: highest sample, in dBFS.
        rms: of the loudest 100 ms, in dBFS.
        ending: RMS of the last 50 ms, in dB below the loudest.
        hertz: median of its fundamental frequency; NaN for none.
        clip: to listen to, and ``picture``, its spectrogram as a data URI; None and "" unless they are kept.
    """

    note: Note | Phrase
    heard: bool = False
    peak: float = math.nan
    rms: float = math.nan
    ending: float = math.nan
    hertz: float = math.nan
    clip: Clip | None = None
    picture: str = ""

    @property
    def pitch(self) -> str:
        """The pitch that is heard, such as "C4 +3 ct", or "-"."""
        if not math.isfinite(self.hertz):
            return "-"
        exact = 69.0 + 12.0 * math.log2(self.hertz / 440.0)
        return f"{pitch_name(round(exact))} {100.0 * (exact - round(exact)):+.0f} ct"

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form; null for what is not known."""
        numbers = {"peak": self.peak, "rms": self.rms, "ending": self.ending, "hertz": self.hertz}
        told = {name: value if math.isfinite(value) else None for name, value in numbers.items()}
        return {"pitch": self.note.pitch, "velocity": self.note.velocity, **told}


@dataclass(frozen=True, eq=False)
class Entry:
    """A candidate that was listened to.

    Attributes:
        candidate: its patch and attempt.
        rejection: why it is rejected, or None.
        sounds: of at most :data:`MOST_NOTES` notes, those that were heard; of a candidate without any, its first.
        values: the parameters that vary, as the synth shows them.
    """

    candidate: Candidate
    rejection: Rejection | None
    sounds: tuple[Sound, ...]
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """What became of it, in words."""
        return f"rejected ({self.rejection.cause})" if self.rejection else "accepted"

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        told = {"patch": self.candidate.patch, "attempt": self.candidate.attempt}
        rejection = self.rejection.to_json() if self.rejection else None
        return {**told, "rejection": rejection, "sounds": [sound.to_json() for sound in self.sounds]}


def listened(tried: Tried, space: ParameterSpace, sample_rate: int, *, kept: bool) -> Entry:
    """Return what is heard of a candidate.

    Args:
        tried: the candidate.
        space: that it is of.
        sample_rate: Hz.
        kept: whether to keep clips, pictures and values for a page.
    """
    places = shown_notes(len(tried.notes))
    sounds = tuple(_sound(tried.notes[at], tried.audio[at], sample_rate, kept=kept) for at in places)
    sounds = tuple(sound for sound in sounds if sound.heard) or sounds[:1]  # the first that is rejected is the last
    varied = (*space.continuous, *space.categorical) if kept else ()
    values = {one.name: one.text(tried.patch.values[one.name]) for one in varied}
    return Entry(tried.candidate, tried.rejection, sounds, values)


def shown_notes(count: int) -> tuple[int, ...]:
    """Return which notes of a patch are told of."""
    return tuple(range(count)) if count <= MOST_NOTES else (0, count // 2, count - 1)


def _sound(note: Note | Phrase, audio: NDArray[np.float32], rate: int, *, kept: bool) -> Sound:
    if not np.isfinite(audio).all() or not audio.size:
        return Sound(note)
    loudest = _rms(audio, rate)
    return Sound(
        note,
        heard=True,
        peak=_decibels(float(np.abs(audio).max())),
        rms=_decibels(loudest),
        ending=_decibels(_root_mean_square(audio[:, -max(round(_END * rate), 1) :])) - _decibels(loudest),
        hertz=_fundamental(audio, rate),
        clip=clip_of(audio, rate) if kept else None,
        picture=picture_uri(audio, rate) if kept else "",
    )


def _rms(audio: NDArray[np.float32], rate: int) -> float:
    """Return the RMS of the loudest 100 ms of all channels."""
    size = max(1, round(_LOUDEST * rate))
    return max(_root_mean_square(audio[:, at : at + size]) for at in range(0, audio.shape[1], size))


def _root_mean_square(audio: NDArray[np.float32]) -> float:
    return math.sqrt(float(np.square(audio, dtype=np.float64).mean()))


def _decibels(amplitude: float) -> float:
    return max(20.0 * math.log10(amplitude), _FLOOR) if amplitude > 0.0 else _FLOOR


def _fundamental(audio: NDArray[np.float32], rate: int) -> float:
    """Return the median f0 in Hz of where there is one; NaN if there is none for most of the sound."""
    mono = audio.mean(axis=0)[: round(_LISTENED * rate)]
    if not mono.any():
        return math.nan
    found, _ = yin(mono, rate, max(rate // 25, 1), 25.0, min(4200.0, rate / 4.0), 0.15)
    voiced = found[np.isfinite(found)]
    return float(np.median(voiced)) if len(voiced) >= _VOICED * len(found) else math.nan
