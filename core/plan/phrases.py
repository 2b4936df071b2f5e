"""What plays each patch of a plan of scores: a composer, or a list of scores that are kept as assets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from tonesmith.plan.annotated import AnnotationField, Value
from tonesmith.plan.schema import Column
from tonesmith.score.phrase import Phrase
from tonesmith.score.score import Score
from tonesmith.space.sampling import uniform
from tonesmith.terminal.text import counted, one_line

PREFIX: Final = "score/"
"""Of the columns that hold scores."""
SCORE: Final = f"{PREFIX}sha256"
"""The column that names the asset with a row's score."""
NOTES: Final = f"{PREFIX}count"
"""The column that counts the notes of a row's score."""

INDEX: Final = f"{PREFIX}index"
"""The column that tells which of the scores a row plays."""

Joined = Literal["engine", "sum"]
"""Who joins the notes of a phrase: the synth, or the host, which adds notes that were each played alone."""


@dataclass(frozen=True, slots=True)
class ScoreRef:
    """A score that a plan plays.

    Attributes:
        sha256: of its content.
        source: where it came from, such as a file and a bar.
        annotations: what is said of it, by name.
    """

    sha256: str
    source: str = ""
    annotations: Mapping[str, Value] = field(default_factory=dict)

    def to_json(self) -> list[Any]:
        """Return a JSON-serialisable form."""
        return [self.sha256, self.source, dict(self.annotations)]


@dataclass(frozen=True, slots=True)
class RowPhrase:
    """A phrase as a row stores it.

    Attributes:
        phrase: that is played.
        index: of its score, in the list or of the composer.
        annotations: what the composer says of it, by name.
    """

    phrase: Phrase
    index: int
    annotations: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Phrases:
    """The phrases of a plan.

    Attributes:
        composer: the name of the composer.
        options: of the composer, all that decide its scores.
        seconds, tail: that a phrase may take, and that are rendered after it.
        per_patch: phrases, and so rows, of each patch.
        max_notes, max_controls: that the columns hold of each score. The asset always holds all.
        joined: who joins the notes.
        fields: what the composer says of every score.
        scores: the list that is played; empty where the composer composes each.
    """

    composer: str
    options: Mapping[str, Any]
    seconds: float
    tail: float
    per_patch: int
    max_notes: int
    max_controls: int
    joined: Joined
    fields: tuple[AnnotationField, ...] = ()
    scores: tuple[ScoreRef, ...] = ()

    def indices(self, seed: int, patch: int) -> tuple[int, ...]:
        """Return the indices of the scores that play a patch: a pure function of seed and patch.

        A composer composes a new score for each row. A list is gone through in an order that is drawn anew each time,
        so that every score is played about as often as any other.
        """
        first = patch * self.per_patch
        rows = range(first, first + self.per_patch)
        return tuple(self._of_row(seed, row) for row in rows) if self.scores else tuple(rows)

    def _of_row(self, seed: int, row: int) -> int:
        around, place = divmod(row, len(self.scores))
        return place if len(self.scores) == self.per_patch else _order(seed, around, len(self.scores))[place]

    def phrase(self, score: Score) -> Phrase:
        """Return the phrase of a score."""
        return Phrase(score, self.seconds, self.tail)

    @property
    def told(self) -> str:
        """How the phrases are made, in words."""
        of = counted(len(self.scores), "score") if self.scores else "scores"
        by = "each note played alone and added" if self.joined == "sum" else "played whole by the synth"
        return f"{of} of the composer {one_line(self.composer)}, {self.seconds:g} s and a tail of {self.tail:g} s, {by}"

    @property
    def columns(self) -> list[Column]:
        """The columns of scores and of what is said of them."""
        return [*_columns(self.max_notes, self.max_controls), *(field.column for field in self.fields)]

    def packed(self, rows: Sequence[RowPhrase]) -> dict[str, Any]:
        """Return the columns of rows, by name."""
        held = [_events(played.phrase.score, self.max_notes, self.max_controls) for played in rows]
        made = {name: [one[name] for one in held] for name in (held[0] if held else {})}
        made[SCORE] = [np.frombuffer(bytes.fromhex(played.phrase.score.digest), np.uint8) for played in rows]
        made[INDEX] = [played.index for played in rows]
        for one in self.fields:
            made[one.column.name] = [one.stored(played.annotations[one.name]) for played in rows]
        return made

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return {
            "composer": self.composer,
            "options": dict(self.options),
            "seconds": self.seconds,
            "tail": self.tail,
            "per_patch": self.per_patch,
            "max_notes": self.max_notes,
            "max_controls": self.max_controls,
            "joined": self.joined,
            "fields": [field.to_json() for field in self.fields],
            "scores": [score.to_json() for score in self.scores],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Phrases:
        """Return the phrases that :meth:`to_json` wrote, of JSON that has been checked."""
        fields = tuple(map(AnnotationField.from_json, data["fields"]))
        scores = tuple(ScoreRef(*score) for score in data["scores"])
        return cls(**{**data, "fields": fields, "scores": scores})


@lru_cache(maxsize=4)
def _order(seed: int, around: int, count: int) -> list[int]:
    """Return in which order a list is gone through the n-th time."""
    order: list[int] = np.argsort(uniform(seed, "phrases", around, 0, count), kind="stable").tolist()
    return order


def _columns(notes: int, controls: int) -> list[Column]:
    def note(name: str, dtype: str, doc: str) -> Column:
        return Column(f"{PREFIX}{name}", (notes,), dtype, ("note",), f"{doc}; zeros after the last note")

    def control(name: str, dtype: str, doc: str) -> Column:
        return Column(f"{PREFIX}control_{name}", (controls,), dtype, ("control",), f"{doc}; zeros after the last")

    return [
        Column(SCORE, (32,), "uint8", ("sha256",), "SHA-256 of the asset that holds the score"),
        Column(INDEX, (), "int64", (), "index of the score: of the composer, or in the plan's list"),
        Column(NOTES, (), "int32", (), "notes of the score; those beyond the columns are in the asset only"),
        note("onset", "float64", "seconds from the beginning at which each note begins"),
        note("duration", "float64", "seconds that each note is held"),
        note("pitch", "uint8", "MIDI pitch of each note"),
        note("velocity", "uint8", "MIDI velocity of each note"),
        note("part", "int16", "index of each note's part"),
        Column(f"{PREFIX}control_count", (), "int32", (), "values of controllers in the score"),
        control("time", "float64", "seconds from the beginning"),
        control("kind", "int16", "controller number, 128 for pitch bend, 129 for channel pressure"),
        control("value", "int16", "value: 0 to 127, of a pitch bend -8192 to 8191"),
        control("part", "int16", "index of the part"),
    ]


def _events(score: Score, notes: int, controls: int) -> dict[str, Any]:
    """Return the columns of one score's events, cut or padded to a fixed length."""
    played, moved = score.notes, score.controls
    told = {
        "onset": _fitted(score.onsets, notes),
        "duration": _fitted(score.durations, notes),
        **{name: _fitted(played[name], notes) for name in ("pitch", "velocity", "part")},
        "count": len(played),
        "control_count": len(moved),
        "control_time": _fitted(score.seconds(moved["time"]), controls),
        **{f"control_{name}": _fitted(moved[name], controls) for name in ("kind", "value", "part")},
    }
    return {f"{PREFIX}{name}": value for name, value in told.items()}


def _fitted(values: NDArray[Any], length: int) -> NDArray[Any]:
    return np.pad(values[:length], (0, max(0, length - len(values))))
