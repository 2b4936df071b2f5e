"""The pitches of a melody: a contour, followed through a scale."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tonesmith.score.bars import Bar
from tonesmith.score.contour import CONTOURS, Contour
from tonesmith.score.draws import Draws

WIDTH: Final = 12
"""Semitones that a range has at least, so that each tonic is in it and a contour can be heard."""
_SPAN: Final = 17
"""Semitones that a contour has at most, from its lowest place to its highest."""
_ON_CHORD: Final = 0.85
"""Of the notes on a beat, how many are of the tonic chord."""


@dataclass(frozen=True, slots=True)
class Line:
    """Where a melody lies, and the pitches that it may take.

    Attributes:
        bar: of its meter.
        contour: of each phrase.
        lowest, span: where the contour is lowest, a MIDI pitch, and how many semitones higher its highest place is.
        allowed: pitches of the scale, rising.
        chord: those of the tonic chord.
        tonic: pitch class of the tonic.
    """

    bar: Bar
    contour: Contour
    lowest: float
    span: float
    allowed: tuple[int, ...]
    chord: tuple[int, ...]
    tonic: int

    @classmethod
    def drawn(cls, bar: Bar, contour: Contour, classes: Sequence[int], ends: tuple[int, int], draws: Draws) -> Line:
        """Return a line somewhere between two pitches.

        Args:
            bar: of the meter.
            contour: of each phrase.
            classes: pitch classes of the scale, from its tonic on.
            ends: lowest and highest pitch that may be played, at least :data:`WIDTH` semitones apart.
            draws: of the score.
        """
        low, high = ends
        tonic = classes[0]
        triad = {tonic, (tonic + 7) % 12, *({(tonic + 3) % 12, (tonic + 4) % 12} & set(classes))}
        if contour == "level":
            homes = [p for p in range(low, high + 1) if p % 12 == tonic]
            above = [p for p in homes if p + 7 <= high]
            home = draws.one_of("home", above or homes)
            low, high = (home, home + 7) if above else (max(low, home - 5), min(high, home + 2))
            lowest, span = float(low), float(high - low)
        else:
            lowest, span = _register(contour, tonic, (low, high), draws)
        allowed = tuple(pitch for pitch in range(low, high + 1) if pitch % 12 in classes)
        return cls(bar, contour, lowest, span, allowed, tuple(p for p in allowed if p % 12 in triad), tonic)

    def on_beat(self, onset: int) -> bool:
        """Return whether a sixteenth of a phrase is the beginning of a beat."""
        eighth, between = divmod(onset % (2 * self.bar.eighths), 2)
        return not between and eighth in self.bar.starts

    def pitches(self, onsets: Sequence[int], draws: Draws, letter: str, *, closed: bool) -> list[int]:
        """Return the pitch of each note of a phrase.

        Args:
            onsets: in sixteenths from the beginning of the phrase.
            draws: of the score.
            letter: of the phrase; one with the same has the same notes but the last.
            closed: whether it ends on the tonic, and not on the fifth.
        """
        chances = zip(
            draws.units(f"chord {letter}", len(onsets)), draws.units(f"steps {letter}", len(onsets)), strict=True
        )
        found = [
            self._at(
                self._height(onset / onsets[-1], step),
                step,
                on_chord=onset == 0 or (self.on_beat(onset) and on < _ON_CHORD),
            )
            for onset, (on, step) in zip(onsets[:-1], chances, strict=False)
        ]
        return [*found, self._end(self._height(1.0, 0.5), closed=closed)]

    def _height(self, place: float, unit: float) -> float:
        """Return the pitch of the contour; of a level one, any within it."""
        return self.lowest + self.span * (unit if self.contour == "level" else CONTOURS[self.contour](place))

    def _at(self, height: float, unit: float, *, on_chord: bool) -> int:
        """Return a pitch of the chord near a height, or one of the scale near it or a step beside it."""
        if on_chord or self.contour == "level":
            return _nearest(height, self.chord if on_chord else self.allowed)
        place = self.allowed.index(_nearest(height, self.allowed)) + int(unit * 3) - 1
        return self.allowed[min(max(place, 0), len(self.allowed) - 1)]

    def _end(self, height: float, *, closed: bool) -> int:
        """Return the tonic, or the fifth, near a height; the tonic where there is no fifth."""
        wanted = self.tonic if closed else (self.tonic + 7) % 12
        there = [pitch for pitch in self.allowed if pitch % 12 == wanted]
        return _nearest(height, there or [pitch for pitch in self.allowed if pitch % 12 == self.tonic])


def _register(contour: Contour, tonic: int, ends: tuple[int, int], draws: Draws) -> tuple[float, float]:
    """Return where a contour is lowest, and its span: such that it ends on a tonic, if there is one in reach."""
    low, high = ends
    drawn = min(draws.whole("span", WIDTH, _SPAN), high - low)
    for span in range(drawn, WIDTH - 1, -1):
        end = round(span * CONTOURS[contour](1.0))
        homes = [p - end for p in range(low, high + 1) if p % 12 == tonic and low <= p - end <= high - span]
        if homes:
            return float(draws.one_of("register", homes)), float(span)
    return draws.between("register", (float(low), float(high - drawn))), float(drawn)


def _nearest(height: float, pitches: Sequence[int]) -> int:
    """Return the pitch nearest to a height, the lower of two, out of pitches that rise."""
    above = bisect_left(pitches, height)
    below = max(above - 1, 0)
    return pitches[below if above == len(pitches) or height - pitches[below] <= pitches[above] - height else above]
