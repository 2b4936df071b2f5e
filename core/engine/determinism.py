"""What the differences between renders of one patch amount to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.plan.promises import Determinism, Isolation

FLOOR_DB = -60.0
"""Differences below this level are a floor; those above it are another sound."""


def determinism_of(within: Sequence[float | None], same: float | None, other: float | None) -> Determinism:
    """Return the level that differences amount to: of full scale, 0.0 for equal bits, None for nothing to compare.

    Args:
        within: of renders in one process.
        same: between two processes that played the same patches in the same order.
        other: between two that played them in another order.
    """
    inside = max((x for x in within if x is not None), default=None)
    known = [x for x in (inside, same, other) if x is not None]
    if other == 0.0 and not any(known):
        return "exact"
    if inside == 0.0 or same == 0.0:
        return "exact-in-run"
    return "floor" if known and is_floor(max(known)) else "none"


def is_kept(promised: Determinism, found: Determinism, floor_db: float | None) -> bool:
    """Return whether what was found is at least what was promised.

    Args:
        promised: by the backend.
        found: as :func:`determinism_of` tells.
        floor_db: level of the largest difference, dB of full scale; None if there is none.
    """
    if promised == "floor":
        return found == "exact" or (floor_db is not None and floor_db <= FLOOR_DB)
    return {"exact": found == "exact", "exact-in-run": found in {"exact", "exact-in-run"}}.get(promised, True)


def weakest(leaks: Mapping[Isolation, float | None]) -> Isolation | None:
    """Return the weakest isolation that leaks nothing; where all do, the weakest that leaks a floor."""
    exact = [isolation for isolation, leak in leaks.items() if leak == 0.0]
    floor = [isolation for isolation, leak in leaks.items() if leak is not None and is_floor(leak)]
    return next(iter([*exact, *floor]), None)


def is_floor(difference: float) -> bool:
    """Return whether a difference, of full scale, is no more than a floor."""
    level = decibels(difference)
    return level is None or level <= FLOOR_DB


def decibels(level: float) -> float | None:
    """Return dB of full scale; None for 0. A level that is no number counts as far too high."""
    if level == 0.0:
        return None
    return min(20.0 * math.log10(level), 999.0)


def shown(level: float | None) -> str:
    """Return a level in dB as text."""
    return "-inf dB" if level is None else "samples that are not numbers" if level >= 999.0 else f"{level:.0f} dB"


def shown_leak(leak: float | None) -> str:
    """Return as text how much one patch hears of another, of full scale; None if nothing was played."""
    if leak is None:
        return "does not play"
    return "leaks nothing" if leak == 0.0 else f"leaks {shown(decibels(leak))}"


def same_audio(left: NDArray[Any], right: NDArray[Any]) -> bool:
    """Return whether two arrays have the same shape and the same bits."""
    return left.shape == right.shape and bool(np.array_equal(left.view(np.uint32), right.view(np.uint32)))
