"""Gaussian noise on the continuous parameters of a patch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ConfigError, unknown_name
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Modulation, Patch
from tonesmith.space.space import ParameterSpace

Bounds = Literal["reflect", "clip"]
Floats = NDArray[np.float64]


def gaussian(unit: Floats) -> Floats:
    """Return standard normal deviates of uniform ones in [0, 1), by the inverse of the distribution function.

    One deviate of each number, so that it is at its own address whatever else is drawn. A 0 stands for half of
    the smallest number that :func:`tonesmith.space.sampling.uniform` gives.
    """
    from scipy.special import ndtri

    deviates: Floats = ndtri(np.maximum(unit, 2.0**-54))
    return deviates


def bounded(values: Floats, low: Floats, high: Floats, bounds: Bounds) -> Floats:
    """Return values inside low..high: those beyond a bound reflected at it, as often as needed, or put on it."""
    clipped = np.clip(values, low, high)
    if bounds == "clip":
        return clipped
    width = high - low
    folded = np.mod(values - low, 2.0 * width)
    inside = np.clip(low + np.minimum(folded, 2.0 * width - folded), low, high)
    return np.where(clipped == values, values, inside)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where noise may take a patch.

    Attributes:
        names: of the parameters that move.
        columns: their places among the space's continuous parameters.
        values, low, high, spread: of each: its raw value, its bounds, and the standard deviation in raw units.
        bounds: what happens at them.
    """

    names: tuple[str, ...]
    columns: NDArray[np.intp]
    values: Floats
    low: Floats
    high: Floats
    spread: Floats
    bounds: Bounds

    def values_at(self, unit: Floats) -> dict[str, float]:
        """Return raw values of the parameters that move.

        Args:
            unit: float64 (continuous parameters of the space,), uniform in [0, 1).
        """
        moved = self.values + self.spread * gaussian(unit[self.columns])
        return dict(zip(self.names, bounded(moved, self.low, self.high, self.bounds).tolist(), strict=True))


class Noise:
    """Gaussian noise, in units of each parameter's range, on what a space varies and a patch makes audible.

    The bounds are those of the drawn range, widened to the value that the patch has: what lies outside of the
    range stays where it is, or comes nearer.

    Args:
        space: whose continuous parameters move.
        spreads: float64 (continuous parameters,): the standard deviation of each; 0 keeps it.
        bounds: what happens at them.
        inaudible: whether parameters move that the patch leaves inaudible.
    """

    def __init__(self, space: ParameterSpace, spreads: Floats, bounds: Bounds, inaudible: bool) -> None:
        self._space = space
        self._spreads = spreads
        self._bounds = bounds
        self._inaudible = inaudible

    def around(self, patch: Patch) -> Surroundings:
        """Return where noise may take a patch. It costs a look at every parameter: keep it for further draws."""
        moves = self._spreads > 0.0
        if not self._inaudible:
            moves &= self._space.audible(patch)[: len(moves)]
        columns = np.flatnonzero(moves)
        parameters = [self._space.continuous[column] for column in columns]
        values = np.array([patch.values.get(p.name, p.default) for p in parameters], np.float64)
        low, high = np.array([p.drawn for p in parameters], np.float64).reshape(-1, 2).T
        ranges = np.array([p.high - p.low for p in parameters], np.float64)
        return Surroundings(
            tuple(p.name for p in parameters),
            columns,
            values,
            np.minimum(low, values),
            np.maximum(high, values),
            self._spreads[columns] * ranges,
            self._bounds,
        )


def jittered(
    modulations: Sequence[Modulation], unit: Floats, spread: float, bounds: Bounds, inaudible: bool
) -> tuple[Modulation, ...]:
    """Return modulations with noise on their amounts, which stay in -1..1.

    Args:
        modulations: of a patch.
        unit: float64 (modulations,), uniform in [0, 1).
        spread: standard deviation.
        bounds: what happens at them.
        inaudible: whether those that are bypassed move too.
    """
    amounts = np.array([m.amount for m in modulations], np.float64)
    low, high = np.minimum(amounts, -1.0), np.maximum(amounts, 1.0)
    moved = bounded(amounts + spread * gaussian(unit), low, high, bounds).tolist()
    return tuple(
        modulation if modulation.bypass and not inaudible else replace(modulation, amount=amount)
        for modulation, amount in zip(modulations, moved, strict=True)
    )


def spreads_of(
    space: ParameterSpace, spread: float, spreads: Mapping[str, float], only: Iterable[str], said: str
) -> Floats:
    """Return float64 (continuous parameters,): the standard deviation of each, in units of its range.

    Of several patterns that match a parameter its name counts before its group, its group before a glob, and a
    longer glob before a shorter one: the order of a table's keys is no part of a plan's fingerprint.

    Args:
        space: whose parameters they are.
        spread: of those that no pattern matches.
        spreads: by name, group or glob.
        only: names, groups and globs of those that move at all; empty for all.
        said: name of the sampler, for messages.

    Raises :class:`ConfigError` for a pattern that matches no continuous parameter that varies.
    """
    found = {p.name: spread for p in space.continuous}
    for pattern in sorted(spreads, key=lambda pattern: _precedence(space, pattern)):
        matched = _matching(space, pattern, f"{said}.spreads")
        found |= dict.fromkeys(matched, spreads[pattern])
    kept = {name for pattern in only for name in _matching(space, pattern, f"{said}.only")} if only else set(found)
    return np.array([found[p.name] if p.name in kept else 0.0 for p in space.continuous], np.float64)


def _precedence(space: ParameterSpace, pattern: str) -> tuple[bool, bool, int, str]:
    names, groups = {p.name for p in space.parameters}, {p.group for p in space.parameters}
    return pattern in names, pattern in groups, len(pattern), pattern


def _matching(space: ParameterSpace, pattern: str, key: str) -> list[str]:
    matched = [p.name for p in space.continuous if _matches(p, pattern)]
    if matched:
        return matched
    if any(_matches(p, pattern) for p in space.parameters):
        raise ConfigError(f"{key}: {pattern!r} matches no continuous parameter that varies here.")
    known = {word for p in space.continuous for word in (p.name, p.group) if word}
    raise ConfigError(f"{key}: {unknown_name('parameter or group', pattern, known)}")


def _matches(parameter: Parameter, pattern: str) -> bool:
    return fnmatchcase(parameter.name, pattern) or bool(parameter.group and fnmatchcase(parameter.group, pattern))
