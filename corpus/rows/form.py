"""How the rows of a corpus are made: whole items or windows, at which rate, with how many channels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from pydantic import Field, model_validator

from tonesmith.corpus.rows.truth import Known
from tonesmith.errors import ConfigError
from tonesmith.host.roles import Options
from tonesmith.plan.plan import Audio

_LONGEST: Final = 600.0
"""Seconds of the longest recording that whole rows are padded to."""
_LONGEST_SCORE: Final = 3600.0


class FormOptions(Options):
    """How the rows of a corpus are made."""

    window: float | None = Field(
        default=None, gt=0.0, le=3600.0, description="Seconds of each row. Without it, a row is a whole item."
    )
    hop: float | None = Field(
        default=None, gt=0.0, le=3600.0, description="Seconds from one row to the next of an item: the window's length."
    )
    sample_rate: int | None = Field(
        default=None, ge=1000, le=384_000, description="Sample rate of the rows in Hz: that of most recordings."
    )
    channels: int | None = Field(default=None, ge=1, le=64, description="Channels of the rows: those of most.")

    @model_validator(mode="after")
    def _fits(self) -> FormOptions:
        if self.hop is not None and self.window is None:
            raise ValueError("hop needs a window: without one, a row is a whole item.")
        return self


@dataclass(frozen=True, slots=True)
class Form:
    """How the rows of one corpus are made.

    Attributes:
        window, hop: in seconds; 0.0 for whole items.
        audio: of each row; of a corpus without recordings, 0 frames.
        seconds: that a score may take.
    """

    window: float
    hop: float
    audio: Audio
    seconds: float

    @property
    def remark(self) -> str:
        """What the rows are, in words."""
        audio = self.audio
        of = f"windows of {self.window:g} s every {self.hop:g} s" if self.window else "whole items"
        channels = "1 channel" if audio.channels == 1 else f"{audio.channels} channels"
        return f"{of}, {audio.sample_rate} Hz, {channels}" if audio.frames else f"{of}, without audio"


def form_of(known: Known, options: FormOptions) -> Form:
    """Return the form that options ask for of a corpus.

    Raises :class:`ConfigError` for whole items that are too long, and for audio that the corpus does not have.
    """
    recordings = [item.audio for item in known.items if item.audio is not None]
    window = options.window or 0.0
    if not recordings and (options.sample_rate or options.channels):
        name = "sample_rate" if options.sample_rate else "channels"
        raise ConfigError(f"{name}: {known.folder} has no recordings. Leave it out.")
    if not window:
        _check_lengths(known)
    rate = options.sample_rate or _most(recording.sample_rate for recording in recordings)
    channels = options.channels or _most(recording.channels for recording in recordings)
    frames = [ceil(recording.frames * rate / recording.sample_rate) for recording in recordings]
    length = (max(1, round(window * rate)) if window else max(frames)) if frames else 0
    seconds = window or max((item.score.seconds for item in known.items if item.score is not None), default=0.0)
    return Form(window, options.hop or window, Audio(rate, channels, length), seconds)


def _check_lengths(known: Known) -> None:
    for item in known.items:
        audio = item.audio.seconds if item.audio else 0.0
        score = item.score.seconds if item.score else 0.0
        if audio > _LONGEST or score > _LONGEST_SCORE:
            raise ConfigError(
                f"{item.name} lasts {max(audio, score):,.0f} s, and every row would be as long. "
                "Cut items into windows: --window SECONDS, or open_dataset(PATH, window=SECONDS)."
            )


def _most(values: Iterable[int]) -> int:
    """Return the most common value, the smallest of several; 1 without any."""
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], value)) if counts else 1


def starts_of(seconds: float, form: Form) -> Sequence[float]:
    """Return where the rows of an item begin, in seconds: the last is the first that takes in its end."""
    if not form.window or seconds <= form.window:
        return (0.0,)
    further = ceil((seconds - form.window) / form.hop - 1e-9)
    return [place * form.hop for place in range(further + 1) if place * form.hop < seconds]
