"""What was guessed of a sound, or changed in it, in sentences for whoever matches it."""

from __future__ import annotations

from collections.abc import Iterator

from tonesmith.analysis.matching.pitch import Pitch
from tonesmith.analysis.matching.wanted import Settings, Wanted
from tonesmith.plan.plan import Plan
from tonesmith.space.patch import Note
from tonesmith.terminal.text import one_line


def remarks_of(wanted: Wanted, plan: Plan, settings: Settings, heard: Pitch | None, note: Note) -> Iterator[str]:
    """Yield a sentence for each thing that somebody may want to know before the search begins.

    Args:
        wanted: the sound.
        plan: of the dataset.
        settings: of the search.
        heard: the pitch of the sound, if any was heard.
        note: that plays the candidates.
    """
    sound, name, rate = wanted.sound, one_line(wanted.name), plan.audio.sample_rate
    if sound.sample_rate != rate:
        yield f"{name} is resampled from {sound.sample_rate:,} to {rate:,} Hz."
    if sound.offset:
        yield f"the sound begins at {sound.offset:.3f} s; the silence before it is left out."
    if sound.cut:
        yield f"only the first {plan.notes.duration:g} s of the sound are matched, as long as the rows are."
    if wanted.note is None and settings.pitch is None:
        yield _pitch(heard, note)


def _pitch(heard: Pitch | None, note: Note) -> str:
    if heard is not None and heard.is_sure:
        return f"the pitch is {heard}, confidence {heard.confidence:.2f}."
    guess = f" The best guess is {heard}, confidence {heard.confidence:.2f}." if heard is not None else ""
    return f"no clear pitch is heard.{guess} {note.pitch} is played, as in the nearest row; --pitch plays another."
