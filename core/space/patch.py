"""A patch, which is one point of a space with modulations and assets, and the note that plays it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


def sha256_hex(content: bytes) -> str:
    """Return the name of a content: its SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True)
class Modulation:
    """A routing from a source to a destination parameter.

    ``amount`` is -1..1, ``power`` the curve's exponent in the engine's units; ``bipolar``, ``stereo``
    and ``bypass`` are switches. Order matters: the i-th modulation of a patch fills the i-th slot.
    """

    source: str
    destination: str
    amount: float = 0.0
    power: float = 0.0
    bipolar: bool = False
    stereo: bool = False
    bypass: bool = False


@dataclass(frozen=True, slots=True)
class Patch:
    """One point of a parameter space.

    Attributes:
        values: raw value of each parameter, in the engine's own units. A parameter left out has the
            value its space fixes, or its default.
        modulations: the routings, in slot order.
        assets: slot name -> SHA-256 of the content (wavetable, LFO shape, sample).
        origin: the sampler that made it.
        preset: SHA-256 of the preset it came from, or "".
        mate: SHA-256 of the second preset that it was bred from, or "".
    """

    values: Mapping[str, float] = field(default_factory=dict)
    modulations: tuple[Modulation, ...] = ()
    assets: Mapping[str, str] = field(default_factory=dict)
    origin: str = ""
    preset: str = ""
    mate: str = ""

    def __repr__(self) -> str:
        origin = f", from {self.origin}" if self.origin else ""
        counts = f"{len(self.values)} values, {len(self.modulations)} modulations, {len(self.assets)} assets"
        return f"<Patch: {counts}{origin}>"

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form; floats keep every bit."""
        return {
            "values": dict(self.values),
            "modulations": [
                [m.source, m.destination, m.amount, m.power, m.bipolar, m.stereo, m.bypass] for m in self.modulations
            ],
            "assets": dict(self.assets),
            "origin": self.origin,
            "preset": self.preset,
            "mate": self.mate,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Patch:
        """Return the patch that :meth:`to_json` wrote."""
        return cls(
            values=data["values"],
            modulations=tuple(Modulation(*fields) for fields in data["modulations"]),
            assets=data["assets"],
            origin=data["origin"],
            preset=data["preset"],
            mate=data["mate"],
        )


@dataclass(frozen=True, slots=True)
class Note:
    """A note: pitch 0..127, velocity 1..127, hold and tail in seconds, and what else a player moves.

    Attributes:
        bend: of the pitch wheel, -1..1 of its range, from the beginning to the end of the render.
        modwheel: 0..1 of the modulation wheel, likewise.
        sustain: whether the sustain pedal is down, likewise: then the note is not let go.
    """

    pitch: int
    velocity: int
    hold: float
    tail: float
    bend: float = 0.0
    modwheel: float = 0.0
    sustain: bool = False

    @property
    def duration(self) -> float:
        """Seconds rendered: hold plus tail."""
        return self.hold + self.tail


@dataclass(frozen=True, slots=True)
class Candidate:
    """A patch index and an attempt (0 first), for which a sampler draws."""

    patch: int
    attempt: int = 0
