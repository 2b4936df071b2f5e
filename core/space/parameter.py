"""One control of a synth."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from tonesmith.errors import SpaceError, unknown_name
from tonesmith.terminal.text import one_line

Curve = Literal["linear", "quadratic", "cubic", "quartic", "root", "exponential", "inverse-exponential"]

Kind = Literal["continuous", "categorical"]

_KINDS = frozenset(get_args(Kind))
_MOST_CHOICES = 2**20
_FLOAT32_MAX = float.fromhex("0x1.fffffep127")

_CURVES: dict[Curve, Callable[[float], float]] = {
    "linear": lambda v: v,
    "quadratic": lambda v: v * v,
    "cubic": lambda v: v**3,
    "quartic": lambda v: v**4,
    "root": lambda v: math.sqrt(max(v, 0.0)),
    "exponential": lambda v: 2.0**v,
    "inverse-exponential": lambda v: 2.0**-v,
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One control of a synth.

    Attributes:
        name: the engine's own name.
        kind: "continuous", or "categorical" for integers from ``low`` to ``high``.
        low, high, default: raw values, in the engine's own units.
        choices: the text of each integer, or empty if there are no texts.
        unit: the unit of the shown value, such as "dB" or "secs".
        group: the module it belongs to, such as "osc_1".
        switch: the parameter that must be on for this one to be audible, or "".
        source: the modulation source that must be in use for this one to be audible, or "".
        when: further conditions for this one to be audible: pairs of a categorical parameter and the raw
            values that it must have, such as ``(("filter_1_model", (6, 7)),)``.
        slot: the asset slot that a categorical parameter fills with its choice, or "".
        contents: SHA-256 of the asset that each choice puts into the slot.
        curve, scale, offset: the shown value is ``scale * (curve(raw) + offset)``.
        within: the part of ``low..high`` that samplers draw from.
        weights: the share with which samplers draw each choice, adding up to 1, or empty for equal shares.
        by: the categorical parameter that decides how many values this one has, or "".
        counts: how many, for each value of that one: so many of the first choices; of a continuous parameter so many
            values at equal distances; 0 for all.
        margin: how far inside ``low..high`` the first and the last of these values lie, in units of the range.
    """

    name: str
    kind: Kind
    low: float
    high: float
    default: float
    choices: tuple[str, ...] = ()
    unit: str = ""
    group: str = ""
    switch: str = ""
    source: str = ""
    when: tuple[tuple[str, tuple[int, ...]], ...] = ()
    slot: str = ""
    contents: tuple[str, ...] = ()
    curve: Curve = "linear"
    scale: float = 1.0
    offset: float = 0.0
    within: tuple[float, float] | None = None
    weights: tuple[float, ...] = ()
    by: str = ""
    counts: tuple[int, ...] = ()
    margin: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise SpaceError(f"{self.name}: the kind is {self.kind!r}; it must be 'continuous' or 'categorical'")
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise SpaceError(f"{one_line(self.name)}: the range {self.low}..{self.high} is empty or not finite")
        if max(abs(self.low), abs(self.high)) > _FLOAT32_MAX:
            raise SpaceError(f"{one_line(self.name)}: the range {self.low}..{self.high} is beyond float32")
        if self.kind == "categorical" and any(v != round(v) for v in (self.low, self.high, self.default)):
            raise SpaceError(
                f"{one_line(self.name)}: the bounds and the default of a categorical parameter must be integers, "
                f"not {self.default} in {self.low}..{self.high}"
            )
        if self.kind == "categorical" and self.count > _MOST_CHOICES:
            raise SpaceError(f"{self.name}: {self.count} choices are more than {_MOST_CHOICES}; make it continuous")
        if not all(map(self._is_shown, (self.low, self.high))):
            raise SpaceError(
                f"{self.name}: at the ends of {self.low}..{self.high}, the {self.curve} curve has no value"
            )
        if self.choices and len(self.choices) != self.count:
            raise SpaceError(f"{one_line(self.name)}: {len(self.choices)} choices for {self.count} values")
        if self.slot and (self.kind != "categorical" or len(self.contents) != self.count):
            raise SpaceError(
                f"{one_line(self.name)}: {len(self.contents)} assets for {self.count} choices of {self.slot}"
            )
        if self.weights:
            self._check_weights()
        if self.counts:
            self._check_counts()
        if not self.low <= self.drawn[0] < self.drawn[1] <= self.high:
            raise SpaceError(f"{one_line(self.name)}: {self.within} is not a range within {self.low}..{self.high}")
        self.check(self.default)

    def _check_weights(self) -> None:
        if self.kind != "categorical" or len(self.weights) != self.count:
            raise SpaceError(f"{one_line(self.name)}: {len(self.weights)} weights for {self.count} values")
        if not (all(w >= 0 for w in self.weights) and math.isclose(sum(self.weights), 1.0, abs_tol=1e-6)):
            raise SpaceError(f"{one_line(self.name)}: the weights {self.weights} are not shares that add up to 1")

    def _check_counts(self) -> None:
        most = self.count if self.kind == "categorical" else _MOST_CHOICES
        if not (self.by and all(0 <= count <= most for count in self.counts) and 0.0 <= self.margin < 0.5):
            raise SpaceError(
                f"{one_line(self.name)}: {self.counts} must be numbers of values up to {most}, for each choice of "
                f"another parameter, with a margin below 0.5, which is {self.margin}"
            )

    @property
    def count(self) -> int:
        """Number of choices of a categorical parameter."""
        return round(self.high) - round(self.low) + 1

    @property
    def drawn(self) -> tuple[float, float]:
        """The raw range that samplers draw from."""
        return self.within or (self.low, self.high)

    def grid(self, count: int) -> list[float]:
        """Return the values that it has where these are so many, in order."""
        if self.kind == "categorical":
            return [self.low + index for index in range(count)]
        width, steps = self.high - self.low, max(count - 1, 1)
        return [self.low + width * (self.margin + (1.0 - 2.0 * self.margin) * i / steps) for i in range(count)]

    def nearest(self, value: float, count: int) -> float:
        """Return the nearest value that it has where these are so many; the value itself for 0, which is all."""
        return min(self.grid(count), key=lambda one: abs(one - value)) if count else value

    def check(self, value: float) -> None:
        """Raise :class:`SpaceError` unless ``value`` is finite and inside ``low..high``."""
        if not (math.isfinite(value) and self.low <= value <= self.high):
            raise SpaceError(f"{one_line(self.name)} = {value!r} is outside {self.low:g}..{self.high:g}")

    def shown(self, raw: float) -> float:
        """Return the value that the synth's own display shows, in :attr:`unit`."""
        return self.scale * (float(_CURVES[self.curve](raw)) + self.offset)

    def _is_shown(self, raw: float) -> bool:
        try:
            return math.isfinite(self.shown(raw))
        except OverflowError:
            return False

    def text(self, raw: float) -> str:
        """Return the value as a person reads it: the choice, or the shown value with its unit."""
        if self.kind == "categorical":
            index = round(raw) - round(self.low)
            return self.choices[index] if self.choices else str(round(raw))
        return f"{self.shown(raw):.6g} {self.unit}".rstrip()

    def raw_of(self, value: float | str) -> float:
        """Return the raw value of a number, or of the text of a choice."""
        if isinstance(value, str):
            lowered = [c.lower() for c in self.choices]
            if value.lower() not in lowered:
                known = unknown_name("choice", value, self.choices).partition(f"{value!r}.")[2]
                told = known if self.choices else " Expected a number."
                raise SpaceError(f"{one_line(self.name)} has no choice {value!r}.{told}")
            return self.low + lowered.index(value.lower())
        self.check(float(value))
        if self.kind == "categorical" and value != round(value):
            raise SpaceError(
                f"{one_line(self.name)} = {value!r}: a categorical parameter expects an integer or a choice"
            )
        return float(value)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form; fields at their default are left out."""
        told = {f.name: getattr(self, f.name) for f in fields(self)}
        return {k: _lists(v) for k, v in told.items() if k in _ALWAYS or v != getattr(_PLAIN, k)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Parameter:
        """Return the parameter that :meth:`to_json` wrote."""
        return cls(**{k: _tuples(v) for k, v in data.items()})


def _lists(value: Any) -> Any:
    return [_lists(v) for v in value] if isinstance(value, tuple) else value


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


_ALWAYS = frozenset({"name", "kind", "low", "high", "default"})
_PLAIN = Parameter("", "continuous", 0.0, 1.0, 0.0)
