"""The parameters of a plugin as tonesmith names and reads them: derived from its texts, and refined by a spec."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.backends.vst3.spec import ParameterFacts, PluginFacts, Spec
from tonesmith.errors import ConfigError, unknown_name
from tonesmith.space.parameter import Parameter

TOLERANCE = 0.0005
"""Half of what a parameter is set beside its value first: more means that the second set was dropped."""
_NO_CONTROL = re.compile(r"MIDI (Ch\. ?\d+ )?CC|Bypass\b", re.IGNORECASE)
_LISTED = 1000
"""A plugin that tells fewer steps than this means them; JUCE tells 2^31 - 1 where there are none."""
_FEW, _MANY = (257, 64), (4097, 1024)
"""Raw values whose text is asked for, and the choices that a list then has at most."""
_NUMBER = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)")
_FRACTION = re.compile(r"\d[.,]\d")


@dataclass(frozen=True, slots=True)
class Control:
    """A parameter of a plugin.

    Attributes:
        index: its place, which never changes.
        name: unique.
        group: module it belongs to, or "".
        unit: of the shown value, where that is linear in the raw one.
        raws: raw value of each choice; none for a continuous one.
        choices: text of each choice.
        scale, offset: the shown value is ``scale * (raw + offset)``.
        tag, natural: its name in the state, and the values there at raw 0 and 1.
    """

    index: int
    name: str
    group: str = ""
    unit: str = ""
    raws: tuple[float, ...] = ()
    choices: tuple[str, ...] = ()
    scale: float = 1.0
    offset: float = 0.0
    tag: str = ""
    natural: tuple[float, float] = (0.0, 1.0)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Control:
        """Return the control whose fields went through JSON."""
        told: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
        return cls(**told)

    def raw(self, value: float) -> float:
        """Return what the plugin takes for a value of the space."""
        return self.raws[round(value)] if self.raws else float(value)

    def value(self, raw: float) -> float:
        """Return the value of the space that is nearest to what the plugin has."""
        if not self.raws:
            return float(np.float32(min(max(raw, 0.0), 1.0)))  # which a label holds to the last bit
        return float(min(range(len(self.raws)), key=lambda i: abs(self.raws[i] - raw)))

    def same(self, wanted: float, told: float) -> bool:
        """Return whether two raw values are one: the same choice, or not apart."""
        return self.value(wanted) == self.value(told) if self.raws else abs(wanted - told) <= TOLERANCE

    def from_state(self, natural: float) -> float | None:
        """Return the raw value of one in the state; None if that is in a range which only the plugin knows."""
        low, high = self.natural
        part = (natural - low) / (high - low)
        if not -1e-6 <= part <= 1 + 1e-6:
            return None
        part = min(max(part, 0.0), 1.0)
        if self.raws:
            return self.raws[round(part * (len(self.raws) - 1))]
        return part

    def parameter(self, raw: float, facts: ParameterFacts, plugin: PluginFacts) -> Parameter:
        """Return the parameter of a space, with what a spec says of it.

        Args:
            raw: the plugin's value as it loads.
            facts: of the spec.
            plugin: of the spec.
        """
        by, counts = next(iter(facts.counts.items()), ("", ()))
        weights = tuple(w / sum(facts.weights) for w in facts.weights) if sum(facts.weights) > 0 else ()
        return Parameter(
            name=self.name,
            kind="categorical" if self.raws else "continuous",
            low=0.0,
            high=len(self.raws) - 1.0 if self.raws else 1.0,
            default=self.value(raw),
            choices=self.choices,
            unit=self.unit,
            group=self.group,
            switch=facts.switch,
            when=tuple(facts.when.items()),
            scale=self.scale,
            offset=self.offset,
            within=facts.range,
            weights=weights,
            by=by,
            counts=counts,
            margin=facts.margin_of(plugin) if counts and not self.raws else 0.0,
        )


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a plugin's parameters.

    Attributes:
        controls: all of them.
        left_out: indices of those that no label could be true of, so that they are left out of a space: they do not
            take what they are set to, or are *untold*, as nobody can tell what they have once a state was loaded.
    """

    controls: tuple[Control, ...]
    left_out: frozenset[int] = frozenset()


def otherwise(controls: Sequence[Control], raws: Mapping[int, float], told: NDArray[np.float64]) -> dict[str, float]:
    """Return name -> value, in the space, of each control that has another value than it was set to.

    Args:
        controls: of the plugin.
        raws: index -> raw value of those that were set.
        told: float64 (controls,): raw values as the plugin has them.
    """
    wanted = np.array([raws.get(control.index, np.nan) for control in controls], np.float64)
    apart = np.flatnonzero(np.abs(told - wanted) > TOLERANCE).tolist()
    lost = [(controls[i], float(told[i])) for i in apart if not controls[i].same(wanted[i], told[i])]
    return {control.name: control.value(raw) for control, raw in lost}


def titles_of(parameters: Iterable[Any]) -> dict[int, str]:
    """Return index -> name of the parameters that are controls: neither MIDI controllers nor a bypass."""
    named = {index: str(parameter.name) for index, parameter in enumerate(parameters)}
    return {index: name for index, name in named.items() if not _NO_CONTROL.match(name)}


def derived(parameters: Sequence[Any], stepped: Callable[[Collection[int]], Collection[int]]) -> tuple[Control, ...]:
    """Return the controls of a plugin, as it tells of them now.

    Args:
        parameters: pedalboard's, by index.
        stepped: tells which of the parameters with these indices do not keep a value between two others.
    """
    titles = titles_of(parameters)
    names = unique(map(identifier, titles.values()))
    groups = grouped(names)
    controls = [
        _described(parameters[index], Control(index, name, groups[name]), _FEW)
        for index, name in zip(titles, names, strict=True)
    ]
    coarse = set(stepped([control.index for control in controls if not control.raws]))
    return tuple(_described(parameters[c.index], c, _MANY) if c.index in coarse else c for c in controls)


def specified(parameters: Sequence[Any], spec: Spec, told: Iterable[Control]) -> tuple[Control, ...]:
    """Return the controls that a spec names. Raises :class:`ConfigError` for one that the plugin does not have.

    Args:
        parameters: pedalboard's, by index.
        spec: names and refines.
        told: what is derived from the plugin; a control that is not among these is as the spec says.
    """
    titles = titles_of(parameters)
    indices = dict(zip(unique(map(identifier, titles.values())), titles, strict=True))
    groups, by_index = grouped(list(spec.parameters)), {control.index: control for control in told}
    found: dict[int, str] = {}
    controls = []
    for name, facts in spec.parameters.items():
        index = facts.index if facts.index is not None else indices.get(name)
        if index is None:
            raise ConfigError(f"{spec.source}: parameters: {unknown_name('parameter', name, indices)}")
        if index >= len(parameters):
            said = f"the plugin has {len(parameters)} parameters, but {name} has the index {index}"
            raise ConfigError(f"{spec.source}: parameters.{name}: {said}")
        if index in found:
            raise ConfigError(f"{spec.source}: parameters.{name}: {found[index]} also has the index {index}")
        found[index] = name
        control = by_index.get(index) or _linear(parameters[index], Control(index, name))
        control = replace(control, name=name, group=groups[name])
        controls.append(_refined(parameters[index], control, facts, facts.raws_of(spec.plugin)))
    return tuple(controls)


def _refined(parameter: Any, control: Control, facts: ParameterFacts, raws: tuple[float, ...]) -> Control:
    """Return a control with what a spec says of it."""
    given = {key: value for key in ("group", "unit", "tag", "natural") if (value := getattr(facts, key))}
    control = replace(control, **given)
    if raws:
        text = parameter.get_text_for_raw_value
        told = facts.choices or unique([str(text(raw)) for raw in raws])
        return replace(control, raws=raws, choices=told, unit=facts.unit, scale=1.0, offset=0.0)
    if facts.choices and len(facts.choices) != len(control.raws):
        raise ConfigError(f"parameters.{control.name}: {len(facts.choices)} choices for {len(control.raws)} values")
    return replace(control, choices=facts.choices or control.choices)


def _described(parameter: Any, control: Control, search: tuple[int, int]) -> Control:
    text: Callable[[float], str] = parameter.get_text_for_raw_value
    steps = int(parameter.num_steps)
    listed = 2 <= steps < _LISTED
    raws = tuple(i / (steps - 1) for i in range(steps)) if listed else _plateaus(text, *search)
    if not raws:
        return _linear(parameter, control)
    plain = Control(control.index, control.name, control.group)
    return replace(plain, raws=raws, choices=unique([str(text(raw)) for raw in raws]))


def _plateaus(text: Callable[[float], str], samples: int, most: int) -> tuple[float, ...]:
    """Return the raw value of each choice of a list that is told only by its texts; none if it is continuous.

    A list has few texts, none with a fraction, and each for one stretch of values. Its choices lie at i/(n-1),
    or, in JUCE's parameters that keep clear of the ends, at 0.005 + 0.99 i/(n-1); else in the middle of the stretch.
    """
    points = [i / (samples - 1) for i in range(samples)]
    seen: set[str] = set()
    runs: list[tuple[str, float, float]] = []
    for raw in points:
        told = text(raw)
        if runs and runs[-1][0] == told:
            runs[-1] = (told, runs[-1][1], raw)
        elif told in seen or len(runs) >= most or _FRACTION.search(told):
            return ()
        else:
            seen.add(told)
            runs.append((told, raw, raw))
    if len(runs) < 2:
        return ()
    for margin in (0.0, 0.005):
        even = tuple(margin + (1 - 2 * margin) * i / (len(runs) - 1) for i in range(len(runs)))
        if all(low <= raw <= high for raw, (_, low, high) in zip(even, runs, strict=True)):
            return even
    return tuple((low + high) / 2 for _, low, high in runs)


def _linear(parameter: Any, control: Control) -> Control:
    """Return a continuous control with scale and unit, if its texts are linear in its raw value."""
    shown = [_NUMBER.match(parameter.get_text_for_raw_value(raw)) for raw in (0.0, 0.25, 0.5, 1.0)]
    if not all(shown):
        return control
    low, quarter, half, high = (float(found.group(1)) for found in shown if found)
    span = high - low
    tolerance = 0.006 * abs(span)
    if span == 0 or abs(low + span / 4 - quarter) > tolerance or abs(low + span / 2 - half) > tolerance:
        return control
    return replace(control, unit=str(parameter.label).strip(), scale=span, offset=low / span)


def identifier(title: str) -> str:
    """Return the name of a parameter that the plugin calls so: lower case, with underscores."""
    name = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    return name if re.match(r"[a-z]", name) else f"p_{name}".rstrip("_")


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names, with a number behind each that was there before."""
    taken: dict[str, None] = {}
    for name in names:
        new, number = name, 1
        while new in taken:
            number += 1
            new = f"{name}_{number}"
        taken[new] = None
    return tuple(taken)


def grouped(names: Sequence[str]) -> dict[str, str]:
    """Return name -> group: the longest beginning, in whole words, that at least three names share."""
    counts: dict[str, int] = {}
    for name in names:
        for beginning in _beginnings(name):
            counts[beginning] = counts.get(beginning, 0) + 1
    return {name: next((b for b in _beginnings(name) if counts[b] >= 3), "") for name in names}


def _beginnings(name: str) -> list[str]:
    words = name.split("_")
    return ["_".join(words[:count]) for count in range(len(words) - 1, 0, -1)]
