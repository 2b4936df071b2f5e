"""Which notes play each patch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Final, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from tonesmith.space.patch import Note

if TYPE_CHECKING:
    from tonesmith.score.phrase import Phrase

Pitch = Annotated[int, Field(ge=0, le=127)]
Velocity = Annotated[int, Field(ge=1, le=127)]
Bend = Annotated[float, Field(ge=-1.0, le=1.0)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Hold = Annotated[float, Field(gt=0.0, le=60.0)]

NOTE_COLUMNS: Final = ("pitch", "velocity", "hold", "tail")
"""Columns of every dataset that tell of the note."""
_HOLD_STEPS = 1024
"""Drawn holds are whole multiples of 1/1024 s, so that hold + tail is exact in binary."""
EXPRESSION: Final = ("bend", "modwheel", "sustain")
"""What a note has besides if a plan says so. Columns, and fields of a note, have these names."""
_STEPS: Final[Mapping[str, int]] = {"bend": 8192, "modwheel": 127, "sustain": 1}
"""Drawn values are whole multiples of 1 / these: what MIDI can tell."""


class Notes(BaseModel):
    """The notes of a plan: every combination of pitches and velocities, or some drawn per patch."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pitches: tuple[Pitch, ...] = Field(
        default=(48, 60, 72), min_length=1, description="MIDI pitches. With draw, [low, high]."
    )
    velocities: tuple[Velocity, ...] = Field(
        default=(100,), min_length=1, description="MIDI velocities. With draw, [low, high]."
    )
    hold: Hold | tuple[Hold, Hold] = Field(
        default=1.5, description="Seconds from note on to note off. With draw, [low, high]."
    )
    tail: float = Field(default=0.5, ge=0.0, le=60.0, description="Seconds rendered after the note off.")
    draw: int | None = Field(
        default=None, ge=1, le=1024, description="Number of notes drawn per patch, instead of every combination."
    )

    bend: Bend | tuple[Bend, Bend] | None = Field(
        default=None, description="Pitch wheel, -1 to 1 of the range that the synth bends. With draw, [low, high]."
    )
    modwheel: Share | tuple[Share, Share] | None = Field(
        default=None, description="Modulation wheel, 0 to 1. With draw, [low, high]."
    )
    sustain: bool | tuple[bool, bool] | None = Field(
        default=None,
        description="Whether the sustain pedal is down, so that a note is not let go. With draw, [false, true].",
    )

    @model_validator(mode="after")
    def _ranges_need_draw(self) -> Self:
        if self.draw is None:
            if isinstance(self.hold, tuple):
                raise ValueError("hold = [low, high] is a range and needs draw = N, the number of notes per patch")
            if ranges := [name for name in self.expressed if isinstance(getattr(self, name), tuple)]:
                raise ValueError(f"{ranges[0]} = [low, high] is a range and needs draw = N, the notes per patch")
            for name, values in (("pitches", self.pitches), ("velocities", self.velocities)):
                if len(set(values)) != len(values):
                    raise ValueError(f"{name} lists a value twice, which would render the same row twice")
        else:
            for name, values in (("pitches", self.pitches), ("velocities", self.velocities)):
                if len(values) > 2 or list(values) != sorted(values):
                    raise ValueError(f"with draw, {name} is a range [low, high], low first")
            for name in ("hold", *EXPRESSION):
                value = getattr(self, name)
                if isinstance(value, tuple) and value[0] > value[1]:
                    raise ValueError(f"{name} = [low, high] must have low first")
        return self

    @property
    def per_patch(self) -> int:
        """Notes, and so rows, of each patch."""
        return self.draw or len(self.pitches) * len(self.velocities)

    @property
    def duration(self) -> float:
        """Seconds of every render: the longest hold, and the tail."""
        return self._longest_hold + self.tail

    def to_json(self) -> dict[str, Any]:
        """Return the stored form, without what older plans do not have where it is unset: their fingerprints stay."""
        told = self.model_dump(mode="json")
        return {name: value for name, value in told.items() if value is not None or name not in EXPRESSION}

    @property
    def expressed(self) -> tuple[str, ...]:
        """Those of :data:`EXPRESSION` that the notes have: each is a column."""
        return tuple(name for name in EXPRESSION if getattr(self, name) is not None)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that a note is read from."""
        return (*NOTE_COLUMNS, *self.expressed)

    @property
    def _longest_hold(self) -> float:
        return self.hold[1] if isinstance(self.hold, tuple) else self.hold

    def of_patch(self, seed: int, patch: int) -> tuple[Note, ...]:
        """Return the notes of one patch: a pure function of seed and patch index."""
        notes = self._plain(seed, patch)
        if not self.expressed:
            return notes
        return tuple(map(replace_expression, notes, self._expressions(seed, patch)))

    def _plain(self, seed: int, patch: int) -> tuple[Note, ...]:
        """Return the notes of one patch with wheels and pedal at rest."""
        if self.draw is None:
            return tuple(Note(p, v, self._longest_hold, self.tail) for p in self.pitches for v in self.velocities)
        from tonesmith.space.sampling import uniform

        drawn = uniform(seed, "notes", patch, 0, 3 * self.draw).reshape(self.draw, 3).tolist()
        return tuple(self._drawn(*triple) for triple in drawn)

    def _expressions(self, seed: int, patch: int) -> list[dict[str, Any]]:
        """Return of each note of a patch what it has besides, by name."""
        from tonesmith.space.sampling import uniform

        drawn = uniform(seed, "expression", patch, 0, len(EXPRESSION) * self.per_patch)
        return [
            {name: _within(getattr(self, name), _STEPS[name], u) for name, u in zip(EXPRESSION, some, strict=True)}
            for some in drawn.reshape(self.per_patch, len(EXPRESSION)).tolist()
        ]

    def _drawn(self, u_pitch: float, u_velocity: float, u_hold: float) -> Note:
        pitch, velocity = _between(self.pitches, u_pitch), _between(self.velocities, u_velocity)
        shortest = self.hold[0] if isinstance(self.hold, tuple) else self.hold
        steps = math.ceil(shortest * _HOLD_STEPS), math.floor(self._longest_hold * _HOLD_STEPS)
        if shortest == self._longest_hold or steps[0] > steps[1]:  # there is nothing to draw between
            return Note(pitch, velocity, self._longest_hold, self.tail)
        held = _between(steps, u_hold) / _HOLD_STEPS
        return Note(pitch, velocity, held, self.duration - held)


def _between(ends: tuple[int, ...], u: float) -> int:
    return ends[0] + int(u * (ends[-1] - ends[0] + 1))


def _within(value: Any, steps: int, u: float) -> Any:
    """Return a fixed value, or one drawn between two; at rest where there is none."""
    if not isinstance(value, tuple):
        return value if value is not None else 0.0
    low, high = math.ceil(value[0] * steps), math.floor(value[1] * steps)
    return _between((low, high), u) / steps if low <= high else value[0]


def replace_expression(note: Note, values: Mapping[str, Any]) -> Note:
    """Return a note with some of :data:`EXPRESSION`, each of the type that it has in a note."""
    types: Mapping[str, Callable[[Any], Any]] = {"bend": float, "modwheel": float, "sustain": bool}
    return replace(note, **{name: types[name](values[name]) for name in EXPRESSION if name in values})


def note_from(columns: Mapping[str, Any]) -> Note:
    """Return the note that the columns of a row hold: column name -> a number, or an array of one."""
    pitch, velocity, hold, tail = (_number(columns[name]) for name in NOTE_COLUMNS)
    there = {name: _number(columns[name]) for name in EXPRESSION if name in columns}
    note = Note(int(pitch), int(velocity), hold, tail)
    return replace_expression(note, there) if there else note


def note_to_json(note: Note | Phrase) -> dict[str, Any]:
    """Return a note as people read it, without wheels and pedal where all of them are at rest; or a phrase's first."""
    told = {name: getattr(note, name, 0.0) for name in (*NOTE_COLUMNS, *EXPRESSION)}
    return told if any(told[name] for name in EXPRESSION) else {name: told[name] for name in NOTE_COLUMNS}


def expression_ranges(notes: Sequence[Note], names: Sequence[str]) -> dict[str, Any]:
    """Return for some of :data:`EXPRESSION` the range of what notes have: options of :class:`Notes` with ``draw``."""
    values = {name: [getattr(note, name) for note in notes] for name in names}
    return {name: (min(told), max(told)) for name, told in values.items()}


def _number(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
