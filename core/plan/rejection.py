"""An entry of the reject ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Rejection:
    """An entry of the reject ledger: which candidate was rejected, by whom, and why.

    Attributes:
        by: the validator's name, or "engine" for a crash, a timeout or an error of the synth.
        reason: as in :class:`Verdict`, or "crash", "timeout", "error".
        detail: what was measured, or the signal or message.
        pitch: of the note that was playing, or -1 before any.
    """

    patch: int
    attempt: int
    by: str
    reason: str
    detail: str = ""
    pitch: int = -1
    measured: Mapping[str, float] = field(default_factory=dict)

    @property
    def cause(self) -> str:
        """By whom and why, such as "level: silent": what rejections are counted by."""
        return f"{self.by}: {self.reason}"

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return {name: getattr(self, name) for name in self.__slots__} | {"measured": dict(self.measured)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Rejection:
        """Return the rejection that :meth:`to_json` wrote."""
        return cls(**data)


def is_fault(rejection: Rejection) -> bool:
    """Return whether a rejection depends on more than the plan: it is recorded at once and honoured ever after."""
    return rejection.reason in {"crash", "timeout"} and rejection.by in {"engine", "worker"}
