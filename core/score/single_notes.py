"""A phrase as single notes: for a synth that plays one at a time, and whose renders are added up."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from tonesmith.errors import ScoreError
from tonesmith.score.controllers import BEND, MODWHEEL, SUSTAIN, controller_name, rests
from tonesmith.score.phrase import Phrase
from tonesmith.space.patch import Note

OF_NOTES: Final = frozenset({BEND, MODWHEEL})
"""Controllers of a score that a single note has, where they stay as they are while it is held."""


@dataclass(frozen=True, slots=True)
class PlacedNote:
    """A note, and the frame of the phrase at which it begins. Its render lasts to the end of the phrase."""

    frame: int
    note: Note


@dataclass(frozen=True, slots=True)
class _Course:
    """When a controller of a part takes which value: seconds, rising, and a value for each."""

    seconds: list[float]
    values: list[int]

    def at(self, moment: float) -> int:
        """Return the value at a moment: the last one until then, or 0."""
        place = bisect_right(self.seconds, moment)
        return self.values[place - 1] if place else 0

    def lifted(self, moment: float) -> float:
        """Return when a pedal that is down at a moment is lifted: never, unless that is told."""
        later = range(bisect_right(self.seconds, moment), len(self.seconds))
        return next((self.seconds[place] for place in later if rests(SUSTAIN, self.values[place])), float("inf"))

    def stays(self, start: float, end: float) -> bool:
        """Return whether the value at the start is that of every moment before the end."""
        inside = zip(self.seconds, self.values, strict=True)
        return all(value == self.at(start) for second, value in inside if start < second < end)


def single_notes(phrase: Phrase, rate: int) -> list[PlacedNote]:
    """Return the notes of a phrase that begin before its end, in the order of the score.

    A note is held while its key or the sustain pedal is down, to the phrase's ``hold`` at most. It keeps the bend and
    the modulation wheel with which it begins.

    Args:
        phrase: to play.
        rate: frames per second.

    Raises :class:`ScoreError` for a bend or wheel that moves while a note is held.
    """
    score, courses = phrase.score, _courses(phrase)
    placed = []
    for onset, duration, note in zip(
        score.onsets.tolist(), score.durations.tolist(), score.notes.tolist(), strict=True
    ):
        frame = round(onset * rate)
        if onset >= phrase.hold or frame >= round(phrase.duration * rate):
            continue
        _, _, pitch, velocity, part = note
        held, tail = _times(phrase, rate, onset, _held(courses[part, SUSTAIN], onset, duration))
        bend, modwheel = (_steady(courses[part, kind], kind, onset, held) for kind in (BEND, MODWHEEL))
        placed.append(PlacedNote(frame, Note(pitch, velocity, held, tail, bend / 8192, modwheel / 127)))
    return placed


def _courses(phrase: Phrase) -> defaultdict[tuple[int, int], _Course]:
    """Return part and kind -> its course; one that never moves is at 0."""
    controls = phrase.score.controls
    courses: defaultdict[tuple[int, int], _Course] = defaultdict(lambda: _Course([], []))
    for seconds, (_, part, kind, value) in zip(
        phrase.score.seconds(controls["time"]).tolist(), controls.tolist(), strict=True
    ):
        courses[part, kind].seconds.append(seconds)
        courses[part, kind].values.append(value)
    return courses


def _held(pedal: _Course, onset: float, duration: float) -> float:
    """Return the seconds that a note is held, while its key is down and then while the pedal is."""
    end = onset + duration
    return duration if rests(SUSTAIN, pedal.at(end)) else pedal.lifted(end) - onset


def _times(phrase: Phrase, rate: int, onset: float, held: float) -> tuple[float, float]:
    """Return hold and tail of a note that is rendered to the end of the phrase.

    A quarter of a frame is added where the sum is not the phrase's own, so that an engine which cuts off fractions
    renders every frame.
    """
    frame = round(onset * rate)
    if frame == 0 and held >= phrase.hold:
        return phrase.hold, phrase.tail
    whole = (round(phrase.duration * rate) - frame + 0.25) / rate
    held = min(max(held, 1.0 / rate), phrase.hold - onset, whole)
    return held, whole - held


def _steady(course: _Course, kind: int, onset: float, held: float) -> int:
    if not course.stays(onset, onset + held):
        raise ScoreError(
            f"{controller_name(kind)} moves while a note is held, {onset:.2f} s after the beginning. A synth that "
            "plays one note at a time cannot play that: use one that plays scores, such as --backend vst3."
        )
    return course.at(onset)
