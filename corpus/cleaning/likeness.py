"""Recordings that sound the same: found by their pictures, and compared by their waveforms."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tonesmith.corpus.cleaning.hearing import HEARD, RATE, VERSION, difference
from tonesmith.corpus.media import Unfit, read_recording

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LIKENESS: Final = 0.9
"""From which two recordings are taken for one: see :class:`tonesmith.corpus.cleaning.limits.Limits`."""
_NEAR_DB: Final = 3.5
"""Mean difference of two pictures, in dB, up to which waveforms are compared: re-encoded sounds have 2.6 at most, but
for clicks of a tenth of a second, which have 4.9."""
_NEAREST: Final = 8
"""Sounds that each is compared with at most."""
_LONGER_S: Final = 0.25
_LONGER: Final = 0.02
"""Seconds, and the share of the length, by which one may be longer: encoders add silence."""
_FINER: Final = 4
"""Shifts that are tried between two samples: encoders shift sounds by parts of one."""


class Sound(NamedTuple):
    """A recording that is compared.

    Attributes:
        item: that it is of.
        path: of its file.
        content: digest of its samples.
        seconds: that it lasts.
        picture: of :func:`picture_of`.
        root: ancestor of the item: sounds of one root are not compared, since children are made from their parents.
    """

    item: str
    path: Path
    content: str
    seconds: float
    picture: bytes
    root: str


def candidates(sounds: Sequence[Sound]) -> Iterator[tuple[Sound, Sound]]:
    """Yield pairs of sounds that may be the same: of about one length, with pictures that are near."""
    import numpy as np

    from tonesmith.corpus.cleaning.near import near_pictures

    order = sorted(sounds, key=lambda sound: (sound.seconds, sound.content))
    pictures = np.array([np.frombuffer(sound.picture, np.uint8) for sound in order])
    lengths = np.array([sound.seconds for sound in order])
    ends = np.searchsorted(lengths, lengths * (1 + _LONGER) + _LONGER_S, side="right")
    for place, others in near_pictures(pictures, ends, difference(_NEAR_DB), _NEAREST):
        for other in others:
            if order[place].root != order[other].root:
                yield order[place], order[other]


@lru_cache(maxsize=16)
def _waveform(path: Path) -> NDArray[np.float32]:
    """Return the slope of a sound at 8 kHz, of its first two minutes: its high parts then count as its low ones do."""
    import numpy as np

    from tonesmith.dsp.resample import resampled

    recorded = read_recording(path, HEARD)
    mono = resampled(recorded.audio.mean(axis=0, keepdims=True), recorded.sample_rate, RATE)[0]
    return np.asarray(np.diff(mono), np.float32)


def likeness(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Return the greatest correlation of two waveforms at any shift, 0..1, whatever their gains and signs."""
    import numpy as np
    import scipy.fft

    size = scipy.fft.next_fast_len(len(first) + len(second), real=True)
    crossed = scipy.fft.rfft(first, size) * np.conj(scipy.fft.rfft(second, size))
    found = _FINER * np.abs(scipy.fft.irfft(crossed, _FINER * size)).max()
    energy = float(np.square(first, dtype=np.float64).sum() * np.square(second, dtype=np.float64).sum())
    return min(1.0, float(found) / energy**0.5) if energy > 0 else 0.0


def compared(connection: sqlite3.Connection, first: Sound, second: Sound) -> float:
    """Return the likeness of two sounds, which is kept in the truth; 0 if one cannot be read."""
    low, high = sorted((first, second), key=lambda sound: sound.content)
    key: tuple[Any, ...] = (low.content, high.content, VERSION)
    sql = "SELECT likeness FROM likenesses WHERE first = ? AND second = ? AND version = ?"
    if row := connection.execute(sql, key).fetchone():
        return float(row[0])
    try:
        found = likeness(_waveform(low.path), _waveform(high.path))
    except Unfit:
        return 0.0
    connection.execute("INSERT OR REPLACE INTO likenesses VALUES (?, ?, ?, ?)", (*key, found))
    return found
