"""What a backend may promise of its rows, and the isolation that it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Isolation = Literal["snapshot", "fresh", "reuse"]

Determinism = Literal["exact", "exact-in-run", "floor", "none"]


@dataclass(frozen=True, slots=True)
class Promises:
    """What a backend promises of its rows, and the isolation that it takes: see :class:`Backend`."""

    isolation: Isolation
    fallback: Isolation
    determinism: Determinism
    fallback_determinism: Determinism
