"""What part of a synth's space a plan varies: the ``[space]`` table, and the shapes that backends name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from tonesmith.errors import SpaceError, unknown_name
from tonesmith.space.parameter import Parameter
from tonesmith.space.routing import Routing

if TYPE_CHECKING:
    from tonesmith.space.space import ParameterSpace

Value = float | str
T = TypeVar("T")
_LISTS = ("include", "exclude", "free", "firm")


class ModulationShape(BaseModel):
    """How modulations are drawn: the ``[space.modulations]`` table. What is unset is as the backend has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    p: float | None = Field(
        default=None, gt=0.0, le=1.0, description="Parameter of the geometric distribution of their number."
    )
    most: int | None = Field(default=None, ge=0, le=64, description="Most modulations per patch.")
    amount: tuple[float, float] | None = Field(default=None, description="Draw amounts from [low, high].")
    power: tuple[float, float] | None = Field(default=None, description="Draw powers from [low, high].")
    bipolar: float | None = Field(default=None, ge=0.0, le=1.0, description="Probability of a bipolar modulation.")
    stereo: float | None = Field(default=None, ge=0.0, le=1.0, description="Probability of a stereo modulation.")
    sources: dict[str, float] | None = Field(default=None, description="Weights by name or glob. Others are not drawn.")
    destinations: dict[str, float] | None = Field(
        default=None, description="Weights by name, glob or group. Others are not drawn."
    )

    def over(self, base: ModulationShape) -> ModulationShape:
        """Return ``base`` with what is set here laid over it."""
        return base.model_copy(update={key: value for key, value in self if value is not None})


class SpaceShape(BaseModel):
    """Which parameters vary, between which bounds, and what the others are fixed at.

    Keys are parameter names or globs such as ``osc_*_level``; of several that match, the last counts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    shape: str = Field(
        default="", description="Start from a shape of the backend, or from a .toml file with these keys."
    )
    include: tuple[str, ...] | None = Field(
        default=None, description="Vary only parameters that match one of these globs."
    )
    exclude: tuple[str, ...] = Field(default=(), description="Keep parameters that match these globs at their default.")
    fix: dict[str, Value] = Field(default={}, description="Hold parameters at a value or choice.")
    free: tuple[str, ...] = Field(
        default=(), description="Vary these even if the backend's shape fixes or leaves them out."
    )
    firm: tuple[str, ...] = Field(
        default=(), description="Keep these where the backend's shape fixes them, whatever presets have."
    )
    ranges: dict[str, tuple[float, float]] = Field(
        default={}, description="Draw from [low, high], in the engine's own units."
    )
    weights: dict[str, dict[str, float]] = Field(
        default={}, description="Draw choices in these proportions, and others never."
    )
    modulations: ModulationShape | None = Field(
        default=None, description="Draw modulations with this distribution. { most = 0 } draws none."
    )

    def over(self, base: SpaceShape) -> SpaceShape:
        """Return ``base`` with this shape laid over it; it starts from what ``base`` starts from."""
        return SpaceShape(
            shape=base.shape,
            include=self.include if self.include is not None else base.include,
            exclude=(*base.exclude, *self.exclude),
            fix=_laid_over(base.fix, self.fix),
            free=(*base.free, *self.free),
            firm=(*base.firm, *self.firm),
            ranges=_laid_over(base.ranges, self.ranges),
            weights=_laid_over(base.weights, self.weights),
            modulations=_routed_over(base.modulations, self.modulations),
        )


def _laid_over(base: Mapping[str, T], over: Mapping[str, T]) -> dict[str, T]:
    """Return both, with all of ``over`` last, so that no glob of the base counts more than a key of it."""
    return {**{key: value for key, value in base.items() if key not in over}, **over}


def _routed_over(base: ModulationShape | None, over: ModulationShape | None) -> ModulationShape | None:
    return over.over(base) if over and base else over or base


def shaped(space: ParameterSpace, base: SpaceShape, user: SpaceShape, presets: bool = False) -> ParameterSpace:
    """Return the space as a plan varies it: the backend's shape, and the user's laid over it.

    What the engine itself fixes, such as a pitch wheel, stays there unless the user frees it. With presets, only what
    the user fixes, and what is firm, is fixed: of the rest a preset has its own, and the label tells it.

    Raises :class:`SpaceError` for a pattern that matches nothing, a range outside the engine's, a value
    that is no choice, and for a space in which nothing is left to vary.
    """
    names = [p.name for p in space.parameters]
    base = base.model_copy(update={"exclude": (*base.exclude, *space.fixed)})
    merged = user.over(base)
    ranges, weights = _matched(names, merged.ranges, "ranges"), _matched(names, merged.weights, "weights")
    fixes = _matched(names, merged.fix, "fix")
    varied = _varied_names(names, base, user)
    if not varied:
        raise SpaceError("[space] leaves no parameter to vary.")
    parameters = tuple(
        _narrowed(p, ranges.get(p.name), weights.get(p.name)) if p.name in varied else p for p in space.parameters
    )
    fixed = {
        p.name: _fixed_value(p, fixes[p.name]) if p.name in fixes else space.fixed.get(p.name, p.default)
        for p in space.parameters
        if p.name not in varied
    }
    routing = _routing(space, merged.modulations)
    if presets:
        firm = set(_matched(names, user.fix, "fix")) | _matching(names, merged.firm, "firm")
        held = {name: value for name, value in fixed.items() if name not in firm}
        fixed = {name: value for name, value in fixed.items() if name in firm}
        return replace(space, parameters=parameters, fixed=fixed, held=held, routing=routing)
    if routing is None:
        space = replace(space, sources=(), destinations=(), modulation_slots=0)
    return replace(space, parameters=parameters, fixed=fixed, routing=routing)


def _routing(space: ParameterSpace, shape: ModulationShape | None) -> Routing | None:
    """Return how modulations are drawn, or None where none are."""
    if shape is None or shape.most == 0:
        return None
    if not space.modulation_slots:
        raise _error("modulations", "this synth has no modulations that a label can hold", "most")
    given = {key: value for key, value in shape if value is not None and key not in {"sources", "destinations"}}
    groups = {p.name: p.group for p in space.parameters}
    for key in ("amount", "power"):
        if key in given and not given[key][0] <= given[key][1]:
            raise _error("modulations", f"{key} = {list(given[key])} is not [low, high]", key)
    return Routing(
        **given,
        sources=_routed(space.sources, shape.sources, {}, "sources"),
        destinations=_routed(space.destinations, shape.destinations, groups, "destinations"),
    )


def _routed(
    names: Iterable[str], weights: Mapping[str, float] | None, groups: Mapping[str, str], key: str
) -> dict[str, float]:
    """Return the weight of each name that a pattern, or the name of its group, gives one above 0."""
    found: dict[str, float] = {}
    for pattern, weight in (weights or {}).items():
        matched = [n for n in names if fnmatchcase(n, pattern) or fnmatchcase(groups.get(n, ""), pattern)]
        if not matched:
            raise _error("modulations", unknown_name(key.removesuffix("s"), pattern, names), key)
        if not 0.0 <= weight < math.inf:
            raise _error("modulations", f"{key}: {pattern} = {weight:g} must be a finite weight of at least 0", key)
        found |= dict.fromkeys(matched, weight)
    kept = {name: weight for name, weight in found.items() if weight > 0}
    if weights and not kept:
        raise _error("modulations", f"{key} leaves nothing with a weight above 0", key)
    return kept


def _varied_names(names: list[str], base: SpaceShape, user: SpaceShape) -> set[str]:
    """Return what varies. What the user frees, or gives a range or weights, varies whatever the backend says."""
    included = user.include if user.include is not None else base.include
    varied = set(names) if included is None else _matching(names, included, "include")
    varied -= _matching(names, base.exclude, "exclude") | set(_matched(names, base.fix, "fix"))
    named = (*base.free, *user.free, *(k for k in (*user.ranges, *user.weights) if not _is_glob(k)))
    varied |= _matching(names, named, "free")
    return varied - _matching(names, user.exclude, "exclude") - set(_matched(names, user.fix, "fix"))


def _is_glob(pattern: str) -> bool:
    return any(c in pattern for c in "*?[")


def _matching(names: list[str], patterns: Iterable[str], key: str) -> set[str]:
    found: set[str] = set()
    known = frozenset(names)
    for pattern in patterns:
        matched = {n for n in names if fnmatchcase(n, pattern)} if _is_glob(pattern) else {pattern} & known
        if not matched:
            raise _error(key, unknown_name("parameter", pattern, names), pattern)
        found |= matched
    return found


def _matched(names: list[str], table: Mapping[str, T], key: str) -> dict[str, T]:
    return {name: value for pattern, value in table.items() for name in sorted(_matching(names, [pattern], key))}


def _fixed_value(parameter: Parameter, value: Value) -> float:
    try:
        return parameter.raw_of(value)
    except SpaceError as error:
        raise _error("fix", str(error), parameter.name) from None


def _narrowed(
    parameter: Parameter, bounds: tuple[float, float] | None, weights: Mapping[str, float] | None
) -> Parameter:
    if bounds is not None:
        low, high = bounds
        if not parameter.low <= low < high <= parameter.high:
            told = f"{parameter.name} = [{low:g}, {high:g}] is not a range within {parameter.low:g}..{parameter.high:g}"
            raise _error("ranges", f"{told}. To hold it at one value, use [space.fix].", parameter.name)
        if parameter.kind == "categorical" and (low != round(low) or high != round(high)):
            raise _error("ranges", f"{parameter.name} is categorical, so its bounds must be integers", parameter.name)
        parameter = replace(parameter, within=(low, high))
    return parameter if weights is None else replace(parameter, weights=_shares(parameter, weights))


def _shares(parameter: Parameter, weights: Mapping[str, float]) -> tuple[float, ...]:
    """Return the share of each choice: in proportion to the weights, and 0 outside the drawn range."""
    if parameter.kind != "categorical":
        raise _error("weights", f"{parameter.name} is continuous; weights are for choices", parameter.name)
    shares = [0.0] * parameter.count
    for choice, weight in weights.items():
        if not 0.0 <= weight < math.inf:
            told = f"{parameter.name}: {choice} = {weight:g} must be a finite weight of at least 0"
            raise _error("weights", told, parameter.name)
        raw = _choice(parameter, choice)
        if parameter.drawn[0] <= raw <= parameter.drawn[1]:
            shares[round(raw - parameter.low)] = weight
    total = sum(shares)
    if not 0.0 < total < math.inf:
        low, high = (parameter.text(end) for end in parameter.drawn)
        told = f"{parameter.name} has no choice from {low} to {high} with a weight above 0"
        raise _error("weights", told, parameter.name)
    return tuple(share / total for share in shares)


def _choice(parameter: Parameter, choice: str) -> float:
    """Return the raw value of a key of the weights: the text of a choice, or a whole number."""
    try:
        return parameter.raw_of(choice if parameter.choices else float(choice))
    except SpaceError as error:
        raise _error("weights", str(error), parameter.name) from None
    except ValueError:
        raise _error("weights", f"{parameter.name} expects integers, not {choice!r}", parameter.name) from None


def _error(key: str, told: str, name: str) -> SpaceError:
    """Return the error of a key of the ``[space]`` table, for a parameter or pattern that it names."""
    return SpaceError(f"[space] {key}: {told}", ("space", key) if key in _LISTS else ("space", key, name))
