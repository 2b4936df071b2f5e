"""Which notes play each patch."""

from __future__ import annotations

import math
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tonesmith.space.patch import Note

Pitch = Annotated[int, Field(ge=0, le=127)]
Velocity = Annotated[int, Field(ge=1, le=127)]
Hold = Annotated[float, Field(gt=0.0, le=60.0)]

_HOLD_STEPS = 1024
"""Drawn holds are whole multiples of 1/1024 s, so that hold + tail is exact in binary."""


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

    @model_validator(mode="after")
    def _ranges_need_draw(self) -> Self:
        if self.draw is None:
            if isinstance(self.hold, tuple):
                raise ValueError("hold = [low, high] is a range and needs draw = N, the number of notes per patch")
            for name, values in (("pitches", self.pitches), ("velocities", self.velocities)):
                if len(set(values)) != len(values):
                    raise ValueError(f"{name} lists a value twice, which would render the same row twice")
        else:
            for name, values in (("pitches", self.pitches), ("velocities", self.velocities)):
                if len(values) > 2 or list(values) != sorted(values):
                    raise ValueError(f"with draw, {name} is a range [low, high], low first")
            if isinstance(self.hold, tuple) and self.hold[0] > self.hold[1]:
                raise ValueError("hold = [low, high] must have low first")
        return self

    @property
    def per_patch(self) -> int:
        """Notes, and so rows, of each patch."""
        return self.draw or len(self.pitches) * len(self.velocities)

    @property
    def duration(self) -> float:
        """Seconds of every render: the longest hold, and the tail."""
        return self._longest_hold + self.tail

    @property
    def _longest_hold(self) -> float:
        return self.hold[1] if isinstance(self.hold, tuple) else self.hold

    def of_patch(self, seed: int, patch: int) -> tuple[Note, ...]:
        """Return the notes of one patch: a pure function of seed and patch index."""
        if self.draw is None:
            return tuple(Note(p, v, self._longest_hold, self.tail) for p in self.pitches for v in self.velocities)
        from tonesmith.space.sampling import uniform

        drawn = uniform(seed, "notes", patch, 0, 3 * self.draw).reshape(self.draw, 3).tolist()
        return tuple(self._drawn(*triple) for triple in drawn)

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
