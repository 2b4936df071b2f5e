"""A tonality: the tonic and mode that music is in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tonesmith.errors import ScoreError
from tonesmith.score.score import Key
from tonesmith.score.theory.scales import MODES, mode_name
from tonesmith.score.theory.spelling import name_at, pitch_class, plain, spelled

_TEXT: Final = re.compile(r"\s*([A-Ga-g](?:##|bb|#|b)?)\s*-?\s*(.*?)\s*\Z", re.DOTALL)
_SHORT: Final = {"m": "minor", "min": "minor", "maj": "major", "M": "major"}


@dataclass(frozen=True, slots=True, order=True)
class Tonality:
    """A tonic and a mode.

    Attributes:
        tonic: pitch class, 0..11 from C.
        mode: ``"major"``, ``"minor"``, or another of the seven modes of the diatonic scale.

    Raises :class:`ScoreError` for others.
    """

    tonic: int
    mode: str = "major"

    def __post_init__(self) -> None:
        if not 0 <= self.tonic <= 11:
            raise ScoreError(f"a tonic of {self.tonic}: it must be 0 (C) to 11 (B).")
        object.__setattr__(self, "mode", mode_name(self.mode))

    @classmethod
    def parse(cls, text: str) -> Tonality:
        """Return the tonality of a text such as ``"Bb major"``, ``"F# minor"``, ``"Am"``, ``"d"`` or ``"D dorian"``.

        Without a mode, a capital letter is major and a small one minor.

        Raises :class:`ScoreError` for a text that says none.
        """
        found = _TEXT.match(plain(text))
        if found is None:
            raise ScoreError(f"{text!r} is no key: write one such as 'C major', 'F# minor' or 'D dorian'.")
        tonic, mode = found.groups()
        if not mode:
            mode = "major" if tonic[0].isupper() else "minor"
        return cls(pitch_class(tonic), _SHORT.get(mode, mode))

    def __str__(self) -> str:
        return f"{self.name} {self.mode}"

    @property
    def steps(self) -> tuple[int, ...]:
        """The seven degrees, in semitones above the tonic."""
        return MODES[self.mode]

    @property
    def scale(self) -> tuple[int, ...]:
        """The pitch classes of the seven degrees, from the tonic on."""
        return tuple((self.tonic + step) % 12 for step in self.steps)

    @property
    def is_minor(self) -> bool:
        """Whether the third above the tonic is minor."""
        return self.steps[2] == 3

    @property
    def sharps(self) -> int:
        """Sharps of the key signature, or minus the flats, -5..6."""
        return (7 * self.tonic + _FIFTHS[self.mode] + 5) % 12 - 5

    @property
    def name(self) -> str:
        """The name of the tonic, as the key signature spells it."""
        return name_at(self.sharps - _FIFTHS[self.mode])

    @property
    def relative(self) -> Tonality:
        """The minor key with the signature of a major one, and the other way round."""
        return Tonality((self.tonic + (3 if self.is_minor else 9)) % 12, "major" if self.is_minor else "minor")

    def signature(self, time: int = 0) -> Key:
        """Return the key signature from a tick on. One of another mode is that of its major or minor."""
        return Key(time, self.sharps, self.is_minor)

    @property
    def centre(self) -> float:
        """The place on the line of fifths that names are near to.

        In minor, sharps are nearer than in the relative major: Ab in C major is G# in A minor.
        """
        return self.sharps - _FIFTHS[self.mode] + (0.1 if self.is_minor else 1.9)

    def spell(self, pitch: int) -> str:
        """Return the name of a pitch class or MIDI pitch by the line of fifths: Bb, not A#, in C major."""
        return spelled(pitch, self.centre)


_FIFTHS: Final = {
    "major": 0,
    "mixolydian": -1,
    "dorian": -2,
    "minor": -3,
    "phrygian": -4,
    "locrian": -5,
    "lydian": 1,
}
"""How far the signature of a mode is from that of the major key on the same tonic, in sharps."""
