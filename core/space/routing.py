"""How samplers draw modulations: how many, between what, and how strong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tonesmith.errors import SpaceError


@dataclass(frozen=True)
class Routing:
    """The distribution of a patch's modulations.

    Their number k is geometric and truncated: P(k) is proportional to ``(1 - p) ** k`` for k = 0..``most``. The
    pairs of source and destination are drawn in proportion to the product of their weights, none twice.

    Attributes:
        p: of the geometric distribution, in (0, 1].
        most: modulations of a patch.
        amount, power: ranges, drawn uniformly; ``power`` in the engine's units.
        bipolar, stereo: probability of each switch.
        sources, destinations: weight of each by name; others are not drawn. Empty: all weigh the same.
    """

    p: float = 0.15
    most: int = 20
    amount: tuple[float, float] = (-1.0, 1.0)
    power: tuple[float, float] = (-5.0, 5.0)
    bipolar: float = 0.5
    stereo: float = 0.25
    sources: Mapping[str, float] = field(default_factory=dict)
    destinations: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (0.0 < self.p <= 1.0 and self.most >= 0):
            raise SpaceError(f"modulations: p = {self.p} is not in (0, 1], or most = {self.most} is below 0")

    @cached_property
    def shares(self) -> tuple[float, ...]:
        """The probability of each number of modulations, from 0 to ``most``."""
        weights = [(1.0 - self.p) ** k for k in range(self.most + 1)]
        return tuple(weight / sum(weights) for weight in weights)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return {
            "p": self.p,
            "most": self.most,
            "amount": list(self.amount),
            "power": list(self.power),
            "bipolar": self.bipolar,
            "stereo": self.stereo,
            "sources": dict(self.sources),
            "destinations": dict(self.destinations),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Routing:
        """Return the distribution that :meth:`to_json` wrote."""
        fields: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in data.items()}
        return cls(**fields)
