"""An entry of the reject ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tonesmith.errors import DatasetError


@dataclass(frozen=True, slots=True)
class Rejection:
    """An entry of the reject ledger: which candidate was rejected, by whom, and why.

    Attributes:
        by: the validator's name, or "engine" for a crash, a timeout or an error of the synth.
        reason: as in :class:`Verdict`, or "crash", "timeout", "memory", "error".
        detail: what was measured, or the signal or message.
        pitch: of the note that was playing, or -1 before any.
        label: of a candidate that the engine rejected, as :mod:`tonesmith.plan.rejected_label` has it; else empty.
    """

    patch: int
    attempt: int
    by: str
    reason: str
    detail: str = ""
    pitch: int = -1
    measured: Mapping[str, float] = field(default_factory=dict)
    label: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cause(self) -> str:
        """By whom and why, such as "level: silent": what rejections are counted by."""
        return f"{self.by}: {self.reason}"

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        told = {name: getattr(self, name) for name in self.__slots__ if name != "label"}
        return told | {"measured": dict(self.measured)} | ({"label": dict(self.label)} if self.label else {})

    @classmethod
    def from_json(cls, data: Any) -> Rejection:
        """Return the rejection that :meth:`to_json` wrote. Raise :class:`DatasetError` for anything else."""
        whole = (
            isinstance(data, Mapping)
            and data.keys() <= _KINDS.keys()
            and data.keys() >= {"patch", "attempt", "by", "reason"}
        )
        if not whole or not all(_is(data[name], kind) for name, kind in _KINDS.items() if name in data):
            raise DatasetError(f"an entry of the reject ledger is damaged: {data!r:.200}")
        if not all(isinstance(name, str) and _is(value, float) for name, value in data.get("measured", {}).items()):
            raise DatasetError(f"an entry of the reject ledger measures something else than numbers: {data!r:.200}")
        return cls(**data)


_KINDS: Mapping[str, type] = {
    "patch": int,
    "attempt": int,
    "by": str,
    "reason": str,
    "detail": str,
    "pitch": int,
    "measured": Mapping,
    "label": Mapping,
}


def _is(value: Any, kind: type) -> bool:
    """Return whether a value of JSON is of a kind; whole numbers are numbers that an int64 holds."""
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    return isinstance(value, kind)


def is_fault(rejection: Rejection) -> bool:
    """Return whether a rejection depends on more than the plan: it is recorded at once and honoured ever after."""
    return rejection.reason in {"crash", "timeout", "memory"} and rejection.by in {"engine", "worker"}
