"""A phrase as single notes: for a synth that plays one at a time, and whose renders are added up."""

from __future__ import annotations

from dataclasses import dataclass

from tonesmith.errors import ScoreError
from tonesmith.score.controllers import BEND, MODWHEEL, SUSTAIN, controller_name, rests
from tonesmith.score.courses import Course, courses_of
from tonesmith.score.phrase import Phrase
from tonesmith.space.patch import Note


@dataclass(frozen=True, slots=True)
class PlacedNote:
    """A note of a phrase, rendered to the end of it.

    Attributes:
        frame: of the phrase at which it begins.
        note: to render.
        onset: seconds at which it begins.
        part: place of its part in the score.
    """

    frame: int
    note: Note
    onset: float = 0.0
    part: int = 0


def single_notes(phrase: Phrase, rate: int, *, moving: bool = False) -> list[PlacedNote]:
    """Return the notes of a phrase that begin before its end, in the order of the score.

    A note is held while its key or the sustain pedal is down, to the phrase's ``hold`` at most. It keeps the bend and
    the modulation wheel with which it begins.

    Args:
        phrase: to play.
        rate: frames per second.
        moving: whether bend and wheel are left out of the notes, as they may move meanwhile.

    Raises :class:`ScoreError` for a bend or wheel that moves while a note is held, unless it may.
    """
    score, courses = phrase.score, courses_of(phrase)
    placed = []
    times = zip(score.onsets.tolist(), score.durations.tolist(), score.notes.tolist(), strict=True)
    for onset, duration, (_, _, pitch, velocity, part) in times:
        frame = round(onset * rate)
        if onset >= phrase.hold or frame >= round(phrase.duration * rate):
            continue
        held, tail = _times(phrase, rate, onset, _held(courses[part, SUSTAIN], onset, duration))
        bend, modwheel = (0 if moving else _steady(courses[part, k], k, onset, held) for k in (BEND, MODWHEEL))
        note = Note(pitch, velocity, held, tail, bend / 8192, modwheel / 127)
        placed.append(PlacedNote(frame, note, onset, part))
    return placed


def _held(pedal: Course, onset: float, duration: float) -> float:
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


def _steady(course: Course, kind: int, onset: float, held: float) -> int:
    if not course.stays(onset, onset + held):
        raise ScoreError(
            f"{controller_name(kind)} moves while a note is held, {onset:.2f} s after the beginning. A synth that "
            "plays one note at a time cannot play that: use one that plays scores, such as --backend vst3."
        )
    return course.at(onset)
