"""What became of one note that an engine was asked to play."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tonesmith.engine.fault import Fault


@dataclass(frozen=True, slots=True)
class Outcome:
    """Played, with the shape of its audio; or not, and why.

    Attributes:
        pitch: of the note.
        failure: "" if played; else "error", "crash", "timeout", "memory" if it took more than it may, or "refused"
            where the machine ran out of something. An engine that holds other values than it was told plays nothing:
            "held", until these are set.
        detail: the engine's message, or the signal's name.
        shape: (channels, frames) that the engine returned.
        signal: that ended its process, or 0.
        trace: the traceback of what the engine raised, or "".
        held: parameter -> raw value, where the engine holds another one than it was told; in the first note's.
    """

    pitch: int
    failure: str = ""
    detail: str = ""
    shape: tuple[int, int] = (0, 0)
    signal: int = 0
    trace: str = ""
    held: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Outcome:
        """Return the outcome that :meth:`to_json` wrote."""
        return cls(**{**data, "shape": tuple(data["shape"])})

    @classmethod
    def of_fault(cls, pitch: int, fault: Fault) -> Outcome:
        """Return the outcome of a note that was not played because something was raised."""
        return cls(pitch, "refused" if fault.refused else "error", fault.text, trace=fault.trace)


def outcomes_of(body: Mapping[str, Any], pitch: int) -> list[Outcome]:
    """Return what became of the notes of a patch, as the engine's process has told.

    Args:
        body: of its message.
        pitch: of the first note, which bears what was raised before any was played.
    """
    if "fault" in body:
        return [Outcome.of_fault(pitch, Fault.from_json(body["fault"]))]
    return [Outcome.from_json(outcome) for outcome in body["outcomes"]]
