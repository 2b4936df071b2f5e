"""What became of one note that an engine was asked to play."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """Played, with the shape of its audio; or not, and why.

    Attributes:
        pitch: of the note.
        failure: "" if played; else "error", "crash", "timeout", or "refused" where the machine ran out of something. An
            engine that holds other values than it was told plays nothing, which is "held" until these are set.
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
