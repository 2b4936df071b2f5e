"""From where on something is a fault."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Final

from tonesmith.corpus.cleaning.likeness import LIKENESS
from tonesmith.errors import ConfigError, unknown_name

CHECKS: Final = {
    "corrupt": "a file that cannot be read, or is not as it was added",
    "silence": "a recording whose loudest 50 ms are quieter than a level",
    "clipping": "a recording with too many samples in flat tops at full scale",
    "dc": "a recording whose mean is too far from zero",
    "rate": "a recording at another sample rate than those that are wanted",
    "channels": "a recording with another number of channels",
    "length": "an item that is too short or too long",
    "notes": "a score without notes, or with notes that are never released or last too long",
    "duplicates": "a recording that sounds like another",
}
"""What is looked for, and what each finds."""


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on something is a fault.

    Attributes:
        silence: dBFS. A recording is silent whose loudest 50 ms have a lower RMS.
        clipping: share of the samples of a channel, 0..1, that may be in flat tops at full scale: three or more that
            differ by less than 0.0001 at 0.985 or above.
        dc: mean of a channel, of full scale, that a recording may have.
        rates: Hz that recordings may have; none for any.
        channels: numbers of channels that they may have; none for any.
        shortest: seconds that a recording must last.
        longest: seconds that an item may last; 0 for any.
        stuck: seconds that a note may last.
        likeness: 0..1, from which two recordings are one: the greatest correlation of their waveforms below 4 kHz, at
            any gain, sample rate, encoding and shift. The same sound has 0.87 to 1 as an MP3 of 64 kbit/s, 0.92 and
            more in other encodings; different strokes of one drum have 0.71 at most.
    """

    silence: float = -60.0
    clipping: float = 0.001
    dc: float = 0.02
    rates: tuple[int, ...] = ()
    channels: tuple[int, ...] = ()
    shortest: float = 0.05
    longest: float = 0.0
    stuck: float = 60.0
    likeness: float = LIKENESS

    def __post_init__(self) -> None:
        ranges = {"silence": (-200.0, 0.0), "clipping": (0.0, 1.0), "dc": (0.0, 1.0), "likeness": (0.5, 1.0)}
        for field in fields(self):
            value = getattr(self, field.name)
            for number in value if isinstance(value, tuple) else (value,):
                low, high = ranges.get(field.name, (0.0, math.inf))
                if isinstance(number, bool) or not isinstance(number, (int, float)) or not low <= number <= high:
                    to = f"from {low:g} to {high:g}" if high < math.inf else f"of {low:g} or more"
                    raise ConfigError(f"{field.name}: {number} is not allowed. Expected a number {to}.")
        if self.longest and self.longest < self.shortest:
            raise ConfigError(f"longest: {self.longest:g} s is less than the shortest, {self.shortest:g} s.")


def checked_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return what is to be looked for; all by default. Raises :class:`ConfigError` for what nothing finds."""
    for name in names:
        if name not in CHECKS:
            raise ConfigError(unknown_name("check", name, CHECKS))
    return names or tuple(CHECKS)
