"""What is measured of a file, once for each content: levels, lengths, and a small picture of its sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tonesmith.corpus.media import Kind, Unfit, blocks, recording
from tonesmith.errors import ScoreError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VERSION: Final = 1
"""Of what is measured. Raise it with the code: files are then measured again."""
HEARD: Final = 120.0
"""Seconds of a recording that are compared with others."""
RATE: Final = 8000
"""Hz at which recordings are compared."""
_FULL: Final = 0.985
_SAME: Final = 1e-4
_WINDOW_S: Final = 0.05
_NOTHING_DB: Final = -200.0
_SIDE: Final = 12
"""Bands, and parts of its length, in the picture of a sound."""
_RANGE_DB: Final = 30.0
_ENDS: Final = 0.005
"""Share of the energy that lies before the picture, and after it: encoders add silence at the ends."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was measured of a file.

    Attributes:
        numbers: of a recording ``sample_rate``, ``channels``, ``frames``, ``level`` (dBFS of its loudest 50 ms),
            ``clipped`` (share of samples) and ``dc``; of a score ``notes``, ``unreleased`` and ``longest`` (seconds of
            its longest note).
        picture: of a recording: uint8 of 12 bands and 12 parts of its length, as bytes.
    """

    numbers: Mapping[str, float]
    picture: bytes = b""


def hear(path: Path, kind: Kind, facts: Mapping[str, Any]) -> Heard:
    """Measure a file of a corpus.

    Args:
        path: of the file.
        kind: score or audio.
        facts: that were noted when it was added.

    Raises :class:`Unfit` with the reason if it cannot be read, and :class:`OSError`.
    """
    return _score(path) if kind == "score" else _recording(path, facts)


def _score(path: Path) -> Heard:
    from tonesmith.score.reader import midi_reading

    try:
        reading = midi_reading(path.read_bytes())
    except ScoreError as error:
        raise Unfit(f"cannot be read as MIDI: {str(error).removesuffix('.')}") from None
    score = reading.score
    notes = score.notes
    longest = float(score.durations.max()) if len(notes) else 0.0
    return Heard({"notes": len(notes), "unreleased": reading.never_released, "longest": longest})


def _recording(path: Path, facts: Mapping[str, Any]) -> Heard:
    import numpy as np

    level, flat, sums, frames, mono = 0.0, np.zeros(0), np.zeros(0), 0, []
    path.open("rb").close()  # one that may not be read is no damaged one
    with recording(path) as file:
        rate, channels = round(file.samplerate), file.num_channels
        flat, sums = np.zeros(channels), np.zeros(channels)
        for audio in blocks(file):
            level = max(level, _loudest(audio, round(_WINDOW_S * rate)))
            flat += _flat(audio)
            sums += audio.sum(axis=1, dtype=np.float64)
            if frames < HEARD * rate:
                mono.append(audio.mean(axis=0))
            frames += audio.shape[1]
    if frames < int(facts.get("frames", 0)) or not frames:
        raise Unfit(f"is cut off: {frames:,} of {int(facts.get('frames', 0)):,} frames are there")
    numbers = {"sample_rate": rate, "channels": channels, "frames": frames, "level": decibels(level)}
    numbers |= {"clipped": float((flat / frames).max()), "dc": float(np.abs(sums / frames).max())}
    return Heard(numbers, picture_of(np.concatenate(mono)[: round(HEARD * rate)], rate))


def decibels(level: float) -> float:
    """Return the dBFS of a level, nowhere below -200."""
    import math

    return 20 * math.log10(level) if level > 1e-10 else _NOTHING_DB


def _loudest(audio: NDArray[np.float32], window: int) -> float:
    """Return the RMS of the loudest window, over all channels."""
    import numpy as np

    whole = audio.shape[1] // window * window
    windows = audio[:, :whole].reshape(len(audio), -1, window) if whole else audio[:, None]
    return float(np.sqrt(np.square(windows, dtype=np.float64).mean(axis=2).max()))


def _flat(audio: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return how many samples of each channel are in flat tops at full scale."""
    import numpy as np

    close = (np.abs(audio[:, 1:]) >= _FULL) & (np.abs(np.diff(audio, axis=1)) < _SAME)
    return np.asarray((close[:, 1:] & close[:, :-1]).sum(axis=1), np.float64)


def picture_of(mono: NDArray[np.float32], rate: int) -> bytes:
    """Return 144 bytes that are alike for sounds that are: levels of 12 bands from 60 to 3400 Hz in 12 parts.

    Args:
        mono: float32 (frames,).
        rate: Hz.
    """
    import numpy as np

    from tonesmith.dsp.mel import mel_bank
    from tonesmith.dsp.resample import resampled
    from tonesmith.dsp.spectrum import powers

    audio = resampled(mono[None], rate, RATE)
    energy = mel_bank(_SIDE, RATE, 512, 60.0, 3400.0).powers(powers(audio, 512, 64))[0].astype(np.float64)
    sums = np.concatenate([np.zeros((_SIDE, 1)), np.cumsum(energy, axis=1)], axis=1)
    whole = sums.sum(axis=0)
    first, last = np.searchsorted(whole, np.array([_ENDS, 1.0 - _ENDS]) * whole[-1])
    edges = np.linspace(max(0, int(first) - 1), max(int(last), int(first)), _SIDE + 1)
    places = np.arange(sums.shape[1])
    parts = np.diff(np.array([np.interp(edges, places, band) for band in sums]), axis=1)
    levels = 10 * np.log10(np.maximum(parts, 1e-20))
    shares = np.clip((levels - levels.max()) / _RANGE_DB + 1.0, 0.0, 1.0)
    return np.asarray(np.round(255 * shares), np.uint8).tobytes()


def difference(level: float) -> float:
    """Return by how much bytes of two pictures differ that are so many dB apart."""
    return 255 * level / _RANGE_DB
