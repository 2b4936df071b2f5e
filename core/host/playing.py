"""What a backend cannot play of a score or of notes, told before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tonesmith.errors import ConfigError, ScoreError
from tonesmith.score.controllers import BEND, CHOOSING, MODWHEEL, SUSTAIN, controller_name, controller_names, rests

if TYPE_CHECKING:
    from tonesmith.host.roles import Backend
    from tonesmith.plan.notes import Notes
    from tonesmith.score.phrase import Phrase

_PLAYED_BY_THE_HOST = frozenset({SUSTAIN})
"""Of a backend that plays notes: the host holds them for as long as the pedal is down."""


EXPRESSION_CONTROLS = {"bend": BEND, "modwheel": MODWHEEL, "sustain": SUSTAIN}
"""Of the options of notes, and of a note: the controller that each is."""


def check_notes(backend: type[Backend[Any]], notes: Notes) -> None:
    """Raise :class:`ConfigError` if a backend does not take what the notes of a plan have besides."""
    for name in notes.expressed:
        if (kind := EXPRESSION_CONTROLS[name]) not in backend.controls:
            taken = [other for other, kind in EXPRESSION_CONTROLS.items() if kind in backend.controls]
            told = f"It takes {' and '.join(taken)}." if taken else "It takes neither wheel nor pedal."
            raise ConfigError(
                f"notes.{name}: {backend.name} does not take {controller_name(kind)}. {told} Remove "
                f"notes.{name}, or use a synth that does, such as --backend vst3."
            )


def playable_controls(backend: type[Backend[Any]]) -> frozenset[int]:
    """Return the kinds of controllers that a score may have for a backend, bank selects and modes apart."""
    if backend.plays == "scores":
        return backend.controls
    return backend.controls & {BEND, MODWHEEL} | _PLAYED_BY_THE_HOST


def unplayable_controls(backend: type[Backend[Any]], phrase: Phrase) -> frozenset[int]:
    """Return the kinds of controllers that a phrase moves and a backend cannot play.

    One that rests, such as a bend of 0, counts for nothing, and nor does what nobody plays: bank selects and modes.
    """
    score = phrase.score
    times = score.seconds(score.controls["time"]).tolist()
    moved = {
        kind
        for seconds, (_, _, kind, value) in zip(times, score.controls.tolist(), strict=True)
        if seconds < phrase.hold and not rests(kind, value)
    }
    return frozenset(moved) - CHOOSING - playable_controls(backend)


def check_plays(backend: type[Backend[Any]], phrase: Phrase, named: str = "the score") -> None:
    """Raise :class:`ConfigError` if a backend cannot play a phrase.

    Args:
        backend: that is to play it.
        phrase: to play.
        named: what the score is called in the message, such as the name of its file.
    """
    if lacking := unplayable_controls(backend, phrase):
        raise ConfigError(
            f"{named}: {backend.name} cannot play {controller_names(lacking)}. Leave that out of the score (of MIDI "
            "files: --composer.controls none), or use a synth that plays it, such as --backend vst3."
        )
    if backend.plays == "notes":
        from tonesmith.score.single_notes import single_notes

        try:
            single_notes(phrase, 48000)
        except ScoreError as error:
            raise ConfigError(f"{named}: {error}") from None
