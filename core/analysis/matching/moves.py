"""What a search may change in a label: the audible parameters, and which other values each of them may have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.space.label import Label
from tonesmith.space.space import ParameterSpace

_FEW = 16
"""Choices up to which a parameter is a list of things; with more, it is a scale, such as semitones."""
_STEPS = (-24, -12, -7, -5, -2, -1, 1, 2, 5, 7, 12, 24)
"""On a scale, how far from the present choice others are tried: octaves, fifths and steps, and one anywhere."""


@dataclass(frozen=True, slots=True)
class Move:
    """Another value of one parameter.

    Attributes:
        continuous: whether it is of ``space.continuous``, and not of ``space.categorical``.
        place: its index there.
        to: the value in [0, 1], or the index of the choice.
        jump: whether the value has nothing to do with the present one.
    """

    continuous: bool
    place: int
    to: float
    jump: bool


def audible_of(space: ParameterSpace, label: Label) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the indices of the continuous and of the categorical parameters that the gates leave audible.

    A categorical parameter that fills an asset slot, such as a wavetable, is not among them: assets stay.
    """
    audible, count = space.audible(space.decode(label)), len(space.continuous)
    free = np.array([not p.slot for p in space.categorical], np.bool_)
    return np.flatnonzero(audible[:count]), np.flatnonzero(audible[count:] & free)


def modules_of(space: ParameterSpace) -> list[str]:
    """Return the groups of two or more parameters that vary, such as ``osc_1``, in order."""
    sizes = Counter(p.group for p in (*space.continuous, *space.categorical) if p.group and not p.slot)
    return sorted(group for group, size in sizes.items() if size > 1)


def moved(space: ParameterSpace, label: Label, moves: Sequence[Move]) -> Label:
    """Return a label with other values, as the space holds it; modulations and assets stay."""
    continuous, categorical = label.continuous.astype(np.float64), label.categorical.copy()
    for move in moves:
        if move.continuous:
            continuous[move.place] = move.to
        else:
            categorical[move.place] = int(move.to)
    return with_continuous(space, replace(label, categorical=categorical), continuous)


def with_continuous(space: ParameterSpace, label: Label, continuous: NDArray[np.floating[Any]]) -> Label:
    """Return a label with other continuous values, the nearest ends for those outside [0, 1]."""
    return Label.from_parts(space, continuous, label.categorical, label.modulations, label.assets, outside="clip")


def other_choices(space: ParameterSpace, label: Label, place: int, random: np.random.Generator) -> list[int]:
    """Return other choices of a categorical parameter in a random order: all, or steps on a scale."""
    parameter, now = space.categorical[place], int(label.categorical[place])
    if parameter.count <= _FEW:
        others = [choice for choice in range(parameter.count) if choice != now]
    else:
        steps = {now + step for step in _STEPS} | {int(random.integers(parameter.count))}
        others = sorted(choice for choice in steps if 0 <= choice < parameter.count and choice != now)
    return [others[i] for i in random.permutation(len(others))]
