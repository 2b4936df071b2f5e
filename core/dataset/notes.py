"""What plays a label: the dataset's own note or phrase, or another one of the same length."""

from __future__ import annotations

from dataclasses import replace
from typing import overload

from tonesmith.errors import ConfigError
from tonesmith.plan.plan import Plan
from tonesmith.score.phrase import Phrase
from tonesmith.score.score import Score
from tonesmith.space.patch import Note


def first_note(plan: Plan) -> Note:
    """Return the note that plays a label of a plan where none is named: the first one of its first patch."""
    return plan.notes.of_patch(plan.seed, 0)[0]


@overload
def changed_note(
    plan: Plan, note: Note, pitch: int | None = None, velocity: int | None = None, hold: float | None = None
) -> Note: ...
@overload
def changed_note(
    plan: Plan, note: Note | Phrase, pitch: int | None = None, velocity: int | None = None, hold: float | None = None
) -> Note | Phrase: ...
def changed_note(
    plan: Plan, note: Note | Phrase, pitch: int | None = None, velocity: int | None = None, hold: float | None = None
) -> Note | Phrase:
    """Return a note with other values, as long as the rows of a plan: its tail is what the hold leaves.

    A phrase stays as it is where nothing is to change, and else gives way to a note of its first pitch.

    Args:
        plan: of the dataset.
        note: to change; what is None stays.
        pitch: MIDI pitch, 0 to 127.
        velocity: MIDI velocity, 1 to 127.
        hold: seconds from note on to note off, above 0 and at most as long as the rows.

    Raises :class:`ConfigError` as :func:`check_note` does.
    """
    if isinstance(note, Phrase):
        if pitch is velocity is hold is None:
            return note
        note = Note(note.pitch, max(1, note.velocity), note.hold, note.tail)
    changed = replace(
        note,
        pitch=note.pitch if pitch is None else pitch,
        velocity=note.velocity if velocity is None else velocity,
    )
    if hold is not None and hold != note.hold:
        changed = replace(changed, hold=hold, tail=plan.notes.duration - hold)
    check_note(plan, changed)
    return changed


def check_note(plan: Plan, note: Note | Phrase) -> None:
    """Raise :class:`ConfigError` unless a note or phrase can be played, and lasts as long as the rows of a plan."""
    lowest_velocity = 0 if isinstance(note, Phrase) and not len(note.score) else 1
    for name, value, lowest in (("pitch", note.pitch, 0), ("velocity", note.velocity, lowest_velocity)):
        if value not in range(lowest, 128):
            raise ConfigError(f"the {name} is {value}; expected an integer from {lowest} to 127.")
    for name, lowest in (("bend", -1), ("modwheel", 0)) if isinstance(note, Note) else ():
        if not lowest <= getattr(note, name) <= 1:
            raise ConfigError(f"the {name} is {getattr(note, name):g}; expected a number from {lowest} to 1.")
    duration = plan.notes.duration
    if not 0.0 < note.hold <= duration:
        raise ConfigError(
            f"the hold is {note.hold:g} s; expected more than 0 and at most {duration:g} s, as the rows last."
        )
    if not is_as_long(plan, note):
        what = "phrase" if isinstance(note, Phrase) else "note"
        raise ConfigError(f"the {what} lasts {note.duration:g} s; the rows of the dataset last {duration:g} s.")


def is_as_long(plan: Plan, note: Note | Phrase) -> bool:
    """Return whether a note or phrase lasts as long as the rows of a plan, to the sample."""
    rate = plan.audio.sample_rate
    return note.tail >= 0.0 and round(note.duration * rate) == round(plan.notes.duration * rate)


def phrase_of(plan: Plan, score: Score) -> Phrase:
    """Return the phrase of a score that is as long as the rows of a plan."""
    return Phrase(score, plan.notes.duration - plan.notes.tail, plan.notes.tail)
