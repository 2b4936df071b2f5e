"""The chords of scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from pydantic import Field

from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Annotation, Annotator, Options, Subject


class ChordsOptions(Options):
    """Options of :class:`Chords`."""

    write: Literal["symbols", "numerals"] = Field(
        default="symbols", description="Symbols such as Am7, or numerals of the key that is found, such as vi7."
    )
    least: float = Field(default=0.6, ge=0.0, le=1.0, description="Share of the time that must be chords.")
    most: int = Field(default=256, ge=1, le=10_000, description="Chords that are said of one score, from its start.")


class Chords(Annotator[ChordsOptions]):
    """Says ``chord_progression`` of a score: its chords in their order, as surely as they fill its time.

    Nothing is said of a melody alone, or where notes are no chords. Numerals need a key: without one, nothing is said.
    """

    name = "chords"
    summary = "chords of a score in their order, as symbols or numerals"
    Options = ChordsOptions
    version = 1

    def annotate(self, subject: Subject) -> Iterator[Annotation]:
        """Return the progression, or nothing."""
        from tonesmith.score.harmony import harmony_of
        from tonesmith.score.theory.key_finding import find_key
        from tonesmith.score.theory.numerals import numeral_of
        from tonesmith.score.theory.symbols import symbol_of

        if subject.score is None or not len(subject.score):
            return
        found = harmony_of(subject.score)
        if len(found.chords) < 2 or found.share < self.options.least:
            return
        key = find_key(subject.score)
        chords = found.chords[: self.options.most]
        if self.options.write == "symbols":
            told = tuple(symbol_of(chord, key.tonality if key else None) for chord in chords)
        elif key is not None:
            told = tuple(numeral_of(chord, key.tonality) for chord in chords)
        else:
            return
        sure = found.share if self.options.write == "symbols" or key is None else min(found.share, key.confidence)
        yield Annotation("chord_progression", told, round(sure, 3))


@hookimpl
def tonesmith_annotators() -> Iterable[type[Annotator[Any]]]:
    """Return the annotator of this module."""
    return [Chords]
