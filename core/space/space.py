"""Parameters, the space that a plan varies, and its codec between labels and raw values.

A *label* is stored: a float32 in [0, 1] for each continuous parameter (linear between the
parameter's ``low`` and ``high``), an int32 index for each categorical one, the modulations, and the
names of the assets. A synth always gets ``decode(label)``, so the label is the truth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import SpaceError, unknown_name
from tonesmith.space.label import Label
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Modulation, Patch
from tonesmith.space.routing import Routing
from tonesmith.terminal.text import one_line

__all__ = ["Label", "ParameterSpace"]

_MOST_SWITCHES = 64
"""Parameters of which each is gated by the next: synths have three or four."""

Kind = Literal["continuous", "categorical"]


@dataclass(frozen=True)
class ParameterSpace:
    """The ordered parameters of a synth, which of them a plan varies, and how they are stored.

    Attributes:
        parameters: every parameter that shapes the sound, in the engine's order.
        fixed: raw value of each parameter that the plan does not vary.
        sources, destinations: what modulations can connect.
        modulation_slots: how many modulations a label can hold; 0 for none.
        assets: slot name -> SHA-256 of what the slot holds by default.
        held: raw value of each parameter that varies only because presets do: it is in the label, and
            samplers that draw from ranges leave it at this value.
        routing: how samplers draw modulations; None for not at all.
        modules: slot name -> group of the parameters that it belongs to; a slot left out belongs to the routing.
    """

    parameters: tuple[Parameter, ...]
    fixed: Mapping[str, float] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    modulation_slots: int = 0
    assets: Mapping[str, str] = field(default_factory=dict)
    held: Mapping[str, float] = field(default_factory=dict)
    routing: Routing | None = None
    modules: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [p.name for p in self.parameters]
        if len(set(names)) != len(names):
            twice = sorted(name for name, count in Counter(names).items() if count > 1)
            raise SpaceError(f"a parameter name is used twice: {twice[:12]}")
        for name, value in (*self.fixed.items(), *self.held.items()):
            parameter = self[name]
            if not parameter.low <= value <= parameter.high:
                raise SpaceError(f"{one_line(name)} is fixed at {value}, outside {parameter.low}..{parameter.high}")
        for parameter in self.parameters:
            for gate in filter(None, (parameter.switch, *(name for name, _ in parameter.when))):
                if gate not in self._by_name:
                    raise SpaceError(f"{one_line(parameter.name)} is gated by {gate!r}, which is not a parameter")
            if parameter.slot and parameter.slot not in self.assets:
                raise SpaceError(
                    f"{one_line(parameter.name)} fills the slot {parameter.slot!r}, which this space does not have"
                )
            self._check_switches(parameter)
            if parameter.by:
                self._check_counts(parameter)

    def __repr__(self) -> str:
        counts = f"{len(self.continuous)} continuous, {len(self.categorical)} categorical, {len(self.fixed)} fixed"
        routed = f", {self.modulation_slots} modulation slots" if self.modulation_slots else ""
        return f"<ParameterSpace: {counts}{routed}>"

    def _check_switches(self, parameter: Parameter) -> None:
        chain = [parameter.name]
        while switch := self._by_name[chain[-1]].switch:
            if switch in chain:
                raise SpaceError(
                    f"{one_line(parameter.name)} is gated by itself: {' <- '.join(map(one_line, (*chain, switch)))}"
                )
            if switch not in self._by_name:
                return  # told of when its own turn comes
            if len(chain) == _MOST_SWITCHES:
                raise SpaceError(f"{parameter.name} is gated by more than {_MOST_SWITCHES} parameters, one by another")
            chain.append(switch)

    def _check_counts(self, parameter: Parameter) -> None:
        by = self._by_name.get(parameter.by)
        if by is None or by.kind != "categorical" or by.by or by.count != len(parameter.counts):
            raise SpaceError(
                f"{one_line(parameter.name)} has {len(parameter.counts)} numbers of values, for the choices of "
                f"{parameter.by!r}, which is not a categorical parameter with so many"
            )

    @cached_property
    def _counted(self) -> tuple[Parameter, ...]:
        return tuple(p for p in self.parameters if p.by and p.name not in self.fixed)

    def count_of(self, parameter: Parameter, values: Mapping[str, float]) -> int:
        """Return how many values a parameter has beside the values of others; 0 for all of them."""
        if not parameter.by:
            return 0
        by = self[parameter.by]
        chosen = values.get(by.name, self.fixed.get(by.name, self.held.get(by.name, by.default)))
        return parameter.counts[round(chosen - by.low)]

    @cached_property
    def _counts(self) -> NDArray[np.int64]:
        """Choices of each categorical parameter."""
        return np.array([p.count for p in self.categorical], np.int64)

    @cached_property
    def _by_name(self) -> dict[str, Parameter]:
        return {p.name: p for p in self.parameters}

    def __getitem__(self, name: str) -> Parameter:
        """Return the parameter of that name; an unknown one is a :class:`SpaceError` (exit 2)."""
        try:
            return self._by_name[name]
        except KeyError:
            raise SpaceError(unknown_name("parameter", name, self._by_name)) from None

    @cached_property
    def drawn(self) -> ParameterSpace:
        """The part that samplers draw from: what is held counts as fixed."""
        return replace(self, fixed={**self.fixed, **self.held}, held={}) if self.held else self

    @cached_property
    def continuous(self) -> tuple[Parameter, ...]:
        """The continuous parameters that vary: the columns of ``continuous``."""
        return tuple(p for p in self.parameters if p.kind == "continuous" and p.name not in self.fixed)

    @cached_property
    def categorical(self) -> tuple[Parameter, ...]:
        """The categorical parameters that vary: the columns of ``categorical``."""
        return tuple(p for p in self.parameters if p.kind == "categorical" and p.name not in self.fixed)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all that varies: continuous, then categorical; the columns of ``audible``."""
        return tuple(p.name for p in (*self.continuous, *self.categorical))

    @cached_property
    def _choosers(self) -> tuple[Parameter, ...]:
        return tuple(p for p in self.parameters if p.slot)

    @cached_property
    def _lows(self) -> NDArray[np.float64]:
        return np.array([p.low for p in self.continuous], np.float64)

    @cached_property
    def _spans(self) -> NDArray[np.float64]:
        return np.array([p.high - p.low for p in self.continuous], np.float64)

    @cached_property
    def _held_range(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The smallest and the largest float32 inside each range, whose own ends may be none."""
        highs = np.array([p.high for p in self.continuous], np.float64)
        lows_held, highs_held = self._lows.astype(np.float32), highs.astype(np.float32)
        return (
            np.where(lows_held < self._lows, np.nextafter(lows_held, np.float32(np.inf)), lows_held),
            np.where(highs_held > highs, np.nextafter(highs_held, np.float32(-np.inf)), highs_held),
        )

    @cached_property
    def _first_choices(self) -> NDArray[np.int64]:
        return np.array([round(p.low) for p in self.categorical], np.int64)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Number of choices of each categorical parameter that varies: int64 (categorical,)."""
        return np.array([p.count for p in self.categorical], np.int64)

    def raw(self, continuous: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return raw values of a continuous label: ``float32(low + x * (high - low))``, in double inside.

        Engines hold their controls as float32, so this rounding is the engine's own. At the ends it is
        inward, so that a raw value is always inside its range.
        """
        raw = (self._lows + continuous.astype(np.float64) * self._spans).astype(np.float32)
        return np.clip(raw, *self._held_range)

    def normalise(self, raw: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return the label whose decoded value is nearest to ``raw``, and equal to it where one is.

        Of the float32 next to the quotient, that one is taken which decodes to the value itself:
        so a decoded value encodes to a label that decodes to the same bits.
        """
        wanted = np.asarray(raw, np.float64)
        guess = np.clip((wanted - self._lows) / self._spans, 0.0, 1.0).astype(np.float32)
        best, error = guess, np.abs(self.raw(guess) - wanted)
        for towards in (0.0, 1.0):
            other = np.nextafter(guess, np.float32(towards))
            other_error = np.abs(self.raw(other) - wanted)
            best = np.where(other_error < error, other, best)
            error = np.minimum(error, other_error)
        return best.astype(np.float32)

    def encode(self, patch: Patch) -> Label:
        """Return the label of a patch. A value that a parameter does not have beside the others is the nearest one.

        Raises :class:`SpaceError` if a value is no finite number inside its range, if the patch moves a
        parameter that the space fixes, or has modulations or assets that the space cannot hold.
        """
        given, assets = self._with_choices(patch)
        values = {**self.fixed, **self.held, **given}
        for name, value in given.items():
            self[name].check(value)
            if name in self.fixed and value != self.fixed[name]:
                raise SpaceError(
                    f"the patch has {one_line(name)} = {value:g}, which this space fixes at {self.fixed[name]:g}. "
                    f'Free it under [space]: free = ["{name}"].'
                )
        for parameter in self._counted:
            value = values.get(parameter.name, parameter.default)
            values[parameter.name] = parameter.nearest(value, self.count_of(parameter, values))
        continuous = np.array([values.get(p.name, p.default) for p in self.continuous], np.float64)
        categorical = np.array([values.get(p.name, p.default) for p in self.categorical], np.float64)
        return Label(
            continuous=self.normalise(continuous) if len(continuous) else np.zeros(0, np.float32),
            categorical=(np.rint(categorical).astype(np.int64) - self._first_choices).astype(np.int32),
            modulations=tuple(self._held(m) for m in self._checked_modulations(patch.modulations)),
            assets=assets,
        )

    def _with_choices(self, patch: Patch) -> tuple[dict[str, float], dict[str, str]]:
        """Return the patch's values, and what every slot holds: a slot and the parameter that fills it agree."""
        for slot in patch.assets:
            if slot not in self.assets:
                raise SpaceError(unknown_name("asset slot", slot, self.assets))
        values, assets = dict(patch.values), {**self.assets, **patch.assets}
        for parameter in self._choosers:
            chosen = {**self.fixed, **self.held, **values}.get(parameter.name, parameter.default)
            parameter.check(chosen)
            content = parameter.contents[round(chosen - parameter.low)]
            held = patch.assets.get(parameter.slot, content)
            if held not in parameter.contents:
                raise SpaceError(
                    f"the patch's asset in the slot {parameter.slot!r} is not a choice of {one_line(parameter.name)}."
                )
            if held != content:
                values[parameter.name] = parameter.low + parameter.contents.index(held)
            assets[parameter.slot] = held
        return values, assets

    def decode(self, label: Label, origin: str = "", preset: str = "", mate: str = "") -> Patch:
        """Return the patch that a label stands for: every parameter of the synth has a value.

        Raises :class:`SpaceError` for an array of another length, for a number outside [0, 1] and for an index of no
        choice.
        """
        self._check_arrays(label)
        values: dict[str, float] = dict(self.fixed)
        raw = self.raw(label.continuous).tolist() if len(label.continuous) else []
        values.update(zip((p.name for p in self.continuous), raw, strict=True))
        chosen = (label.categorical.astype(np.int64) + self._first_choices).tolist()
        values.update(zip((p.name for p in self.categorical), map(float, chosen), strict=True))
        return Patch(values, label.modulations, dict(label.assets), origin, preset, mate)

    def _check_arrays(self, label: Label) -> None:
        parts = (
            (label.continuous, self.continuous, "continuous"),
            (label.categorical, self.categorical, "categorical"),
        )
        for array, parameters, kind in parts:
            if np.shape(array) != (len(parameters),):
                raise SpaceError(
                    f"the label has {kind} values of shape {np.shape(array)}; this space has {len(parameters)} {kind} "
                    "parameters."
                )
        if (outside := np.flatnonzero(~((label.continuous >= 0.0) & (label.continuous <= 1.0)))).size:
            name = one_line(self.continuous[outside[0]].name)
            raise SpaceError(f"{name} is {label.continuous[outside[0]]} in the label, which is not in [0, 1].")
        if (outside := np.flatnonzero((label.categorical < 0) | (label.categorical >= self._counts))).size:
            parameter = self.categorical[outside[0]]
            raise SpaceError(
                f"{one_line(parameter.name)} is {label.categorical[outside[0]]} in the label, which is no index of its "
                f"{parameter.count} choices."
            )

    def audible(self, patch: Patch) -> NDArray[np.bool_]:
        """Return bool (varied parameters,): which of :attr:`names` the gates leave audible."""
        values = {p.name: p.default for p in self.parameters} | {**self.fixed, **self.held, **patch.values}
        active = {m.source for m in patch.modulations if not m.bypass}
        return np.array([self._is_audible(name, values, active) for name in self.names], np.bool_)

    def _is_audible(self, name: str, values: Mapping[str, float], active: Iterable[str]) -> bool:
        parameter = self._by_name[name]
        if parameter.source and parameter.source not in active:
            return False
        if not all(round(values[gate]) in allowed for gate, allowed in parameter.when):
            return False
        if not parameter.switch:
            return True
        return round(values[parameter.switch]) != 0 and self._is_audible(parameter.switch, values, active)

    def _checked_modulations(self, modulations: tuple[Modulation, ...]) -> tuple[Modulation, ...]:
        if len(modulations) > self.modulation_slots:
            raise SpaceError(f"the patch has {len(modulations)} modulations; this space holds {self.modulation_slots}.")
        for modulation in modulations:
            if modulation.source not in self.sources:
                raise SpaceError(unknown_name("modulation source", modulation.source, self.sources))
            if modulation.destination not in self.destinations:
                raise SpaceError(unknown_name("modulation destination", modulation.destination, self.destinations))
        return modulations

    @staticmethod
    def _held(modulation: Modulation) -> Modulation:
        """Return the modulation as its float32 columns hold it; a negative zero is zero."""
        amount, power = float(np.float32(modulation.amount)) + 0.0, float(np.float32(modulation.power)) + 0.0
        if not (np.isfinite(amount) and np.isfinite(power)):
            raise SpaceError(f"the modulation {modulation.source} -> {modulation.destination} is not finite.")
        return replace(modulation, amount=amount, power=power)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form: enough to decode a label with no synth installed."""
        return {
            "parameters": [p.to_json() for p in self.parameters],
            "fixed": dict(self.fixed),
            "held": dict(self.held),
            "sources": list(self.sources),
            "destinations": list(self.destinations),
            "modulation_slots": self.modulation_slots,
            "routing": self.routing.to_json() if self.routing else None,
            "assets": dict(self.assets),
            "modules": dict(self.modules),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ParameterSpace:
        """Return the space that :meth:`to_json` wrote."""
        return cls(
            parameters=tuple(Parameter.from_json(p) for p in data["parameters"]),
            fixed=dict(data["fixed"]),
            held=dict(data.get("held", {})),
            sources=tuple(data["sources"]),
            destinations=tuple(data["destinations"]),
            modulation_slots=data["modulation_slots"],
            routing=Routing.from_json(data["routing"]) if data.get("routing") else None,
            assets=dict(data["assets"]),
            modules=dict(data.get("modules", {})),
        )
