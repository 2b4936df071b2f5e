"""How far a render is from the sound that is looked for: one number, of which level is a small part."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.metrics import Sound, sound_of
from tonesmith.analysis.metrics.mel import decibels
from tonesmith.analysis.metrics.sounds import loudness, mss
from tonesmith.space.sampling import key_of

LEVEL = 0.05
"""Of the difference in loudness in LU, the part that counts in dB. 20 LU are 1 dB: timbre comes first, and the level of
sounds that are else as near decides."""
FAILED = 1000.0
"""The distance of what cannot be rendered: more than that of any sound."""
_CELLS = 400
"""Of each spectrogram, at most so many cells are kept, drawn at random: always the same ones."""


@dataclass(frozen=True, eq=False)
class Distance:
    """The distance of sounds from a target: MSS, which is blind to level, and a part of the difference in loudness.

    Attributes:
        target: that is looked for.
        level: of each LU of difference in loudness, the dB that it counts.
    """

    target: Sound
    level: float = LEVEL

    def of(self, audio: NDArray[np.float32]) -> float:
        """Return the distance of a sound, float32 (channels, frames) as the target, in dB: 0 for the target itself."""
        return self.near(audio)[0]

    def near(self, audio: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
        """Return the distance of a sound in dB, and its levels, float32 (cells,) as :attr:`levels` of the target."""
        sound = sound_of(audio, self.target.sample_rate)
        timbre = mss(self.target, sound)
        return timbre + self.level * loudness(self.target, sound) if self.level else timbre, _levels(sound)

    @cached_property
    def levels(self) -> NDArray[np.float32]:
        """The levels of the target: float32 (cells,), of some cells of the spectrograms that MSS compares.

        Each is divided by the number of its kind, so that the sum of absolute differences of the levels of two sounds
        is about their MSS in dB.
        """
        return _levels(self.target)


def _levels(sound: Sound) -> NDArray[np.float32]:
    parts = []
    for power in sound.mel_powers:
        level = decibels(power, float(power.max(initial=0.0))).ravel()
        cells = level[_cells(len(level))]
        parts.append(cells / np.float32(len(cells) * len(sound.mel_powers)))
    return np.concatenate(parts)


@cache
def _cells(count: int) -> NDArray[np.int64]:
    """Return the indices of the cells that are kept of so many: one of each of as many equal parts."""
    random = np.random.Generator(np.random.Philox(key=key_of(count, "match levels")))
    kept = min(count, _CELLS)
    return np.floor((np.arange(kept) + random.random(kept)) * count / max(kept, 1)).astype(np.int64)
