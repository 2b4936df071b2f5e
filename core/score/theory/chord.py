"""A chord: a root, the tones above it, and a bass."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tonesmith.errors import ScoreError


@dataclass(frozen=True, slots=True)
class Chord:
    """A root, the tones above it, and a bass.

    Attributes:
        root: pitch class, 0..11 from C.
        tones: semitones above the root, rising, 0..23: (0, 4, 7) is major. A ninth is 14, so that an added ninth is
            not a suspended second.
        bass: pitch class of the lowest note; None for the root.

    Raises :class:`ScoreError` for numbers outside these ranges, and for no tones.
    """

    root: int
    tones: tuple[int, ...] = (0, 4, 7)
    bass: int | None = None

    def __post_init__(self) -> None:
        rising = all(a < b for a, b in zip(self.tones, self.tones[1:], strict=False))
        if not (self.tones and rising and self.tones[0] >= 0 and self.tones[-1] <= 23):
            raise ScoreError(f"the tones {self.tones} of a chord: they must rise from 0 to 23 at most.")
        for pitch in (self.root, self.lowest):
            if not 0 <= pitch <= 11:
                raise ScoreError(f"a chord on the pitch class {pitch}: it must be 0 (C) to 11 (B).")
        if self.bass == self.root:
            object.__setattr__(self, "bass", None)

    @property
    def lowest(self) -> int:
        """The pitch class of the bass."""
        return self.root if self.bass is None else self.bass

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        """The pitch classes, from the root on, with a bass that is no tone of the chord at the end."""
        found = tuple(dict.fromkeys((self.root + tone) % 12 for tone in self.tones))
        return found if self.lowest in found else (*found, self.lowest)

    def transposed(self, semitones: int) -> Chord:
        """Return the chord some semitones up."""
        bass = None if self.bass is None else (self.bass + semitones) % 12
        return replace(self, root=(self.root + semitones) % 12, bass=bass)

    def over(self, bass: int) -> Chord:
        """Return the chord over another bass, a pitch class."""
        return replace(self, bass=bass)

    def sounds_as(self, other: Chord) -> bool:
        """Return whether two chords have the same pitch classes and bass, such as ``C6`` and ``Am7/C``."""
        return self.lowest == other.lowest and set(self.pitch_classes) == set(other.pitch_classes)
