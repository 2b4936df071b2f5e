"""A phrase: what one row plays when it plays a score."""

from __future__ import annotations

from dataclasses import dataclass

from tonesmith.score.score import Score


@dataclass(frozen=True, slots=True)
class Phrase:
    """A score of a fixed length. Where a single number stands for what a row plays, its first note does.

    Attributes:
        score: what is played. A note or a controller that begins after ``hold`` is not, and what sounds then is let go.
        hold: seconds that the score may take.
        tail: seconds rendered after it.
    """

    score: Score
    hold: float
    tail: float

    @property
    def duration(self) -> float:
        """Seconds rendered: hold plus tail."""
        return self.hold + self.tail

    @property
    def pitch(self) -> int:
        """The MIDI pitch of the first note, the lowest of several; 0 without notes."""
        return int(self.score.notes["pitch"][0]) if len(self.score) else 0

    @property
    def velocity(self) -> int:
        """The MIDI velocity of the first note, the lowest of several; 0 without notes."""
        return int(self.score.notes["velocity"][0]) if len(self.score) else 0
