"""Labels as points of a space: arrays that are changed and compared many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tonesmith.space.label import Label
from tonesmith.space.patch import Patch
from tonesmith.space.space import ParameterSpace

Chosen = slice | Sequence[int] | NDArray[np.integer[Any]] | NDArray[np.bool_]
"""Some of several points."""

_BLANK = 0.5
"""What a continuous value counts as where it is not heard. A categorical one is -1 there."""


@dataclass(frozen=True, eq=False)
class Points:
    """Labels as arrays.

    Attributes:
        continuous: float32 (n, continuous parameters), in [0, 1].
        categorical: int32 (n, categorical parameters), indices of choices.
        rests: int32 (n,): which modulations and assets each has, an index into what :class:`Chart` has met.
    """

    continuous: NDArray[np.float32]
    categorical: NDArray[np.int32]
    rests: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.rests)

    def __getitem__(self, chosen: Chosen) -> Self:
        """Return some of the points. Arrays are copies, but for those of a slice."""
        return type(self)(self.continuous[chosen], self.categorical[chosen], self.rests[chosen])

    def repeated(self, count: int) -> Self:
        """Return each point so many times, side by side. Arrays are copies."""
        return self[np.repeat(np.arange(len(self)), count)]

    @property
    def arrays(self) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.int32]]:
        """The continuous and categorical values, and the rests."""
        return self.continuous, self.categorical, self.rests

    @classmethod
    def joined(cls, parts: Sequence[Points]) -> Self:
        """Return the points of several, one after the other."""
        return cls(*(np.concatenate(arrays) for arrays in zip(*(part.arrays for part in parts), strict=True)))


@dataclass(frozen=True, eq=False)
class Heard:
    """What is heard of points: two that sound alike because they differ in what the gates close are equal here.

    Attributes:
        continuous: float64 (n, continuous parameters), 0.5 where one is not heard.
        kinds: int32 (n, categorical parameters + 1), -1 where one is not heard; the last is that of the rest.
        mask: bool (n, continuous + categorical parameters): which may be changed, and are heard.
    """

    continuous: NDArray[np.float64]
    kinds: NDArray[np.int32]
    mask: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.kinds)

    def __getitem__(self, chosen: Chosen) -> Self:
        """Return what is heard of some of the points."""
        return type(self)(self.continuous[chosen], self.kinds[chosen], self.mask[chosen])

    @classmethod
    def joined(cls, parts: Sequence[Heard]) -> Self:
        """Return what is heard of several, one after the other."""
        columns = zip(*((part.continuous, part.kinds, part.mask) for part in parts), strict=True)
        return cls(*(np.concatenate(arrays) for arrays in columns))

    def key(self, place: int) -> bytes:
        """Return what is equal for two points that sound alike, or differ by less than a thousandth."""
        return bytes(self.continuous[place].round(3)) + bytes(self.kinds[place])


class Chart:
    """Turns labels into points and back, and knows what of them is heard.

    Modulations and assets stay together: a point has all of those of one of the labels that were met.

    Args:
        space: of the labels.
    """

    def __init__(self, space: ParameterSpace) -> None:
        self.space = space
        self.counts = np.array([p.count for p in space.categorical], np.int64)
        self.free = np.array([not p.slot for p in space.categorical], np.bool_)
        self._rests: list[Label] = []
        self._indices: dict[object, int] = {}
        gates = {name for p in space.parameters for name in (p.switch, *(gate for gate, _ in p.when))}
        self._gates, self._chosen = (
            [(place, p) for place, p in enumerate(parameters) if p.name in gates]
            for parameters in (space.continuous, space.categorical)
        )
        self._masks: dict[tuple[Any, ...], NDArray[np.bool_]] = {}

    def points_of(self, labels: Sequence[Label]) -> Points:
        """Return labels as points."""
        count, kinds = len(self.space.continuous), len(self.space.categorical)
        return Points(
            np.array([label.continuous for label in labels], np.float32).reshape(len(labels), count),
            np.array([label.categorical for label in labels], np.int32).reshape(len(labels), kinds),
            np.array([self._rest(label) for label in labels], np.int32),
        )

    def label_of(self, points: Points, place: int) -> Label:
        """Return one of points as a label, with the values that the space has next to its own."""
        rest = self._rests[points.rests[place]]
        categorical = np.where(self.free, points.categorical[place], rest.categorical)
        continuous = points.continuous[place].astype(np.float64)
        return Label.from_parts(self.space, continuous, categorical, rest.modulations, rest.assets, outside="clip")

    def heard(self, points: Points) -> Heard:
        """Return what is heard of points."""
        count = len(self.space.continuous)
        mask = np.array([self._mask(points, place) for place in range(len(points))], np.bool_)
        mask = mask.reshape(len(points), count + len(self.space.categorical))
        audible, chosen = mask[:, :count], mask[:, count:]
        continuous = np.where(audible, points.continuous, _BLANK).astype(np.float64)
        kinds = np.where(chosen, points.categorical, -1)
        return Heard(continuous, np.column_stack([kinds, points.rests]).astype(np.int32), mask)

    def _rest(self, label: Label) -> int:
        key = (label.modulations, tuple(sorted(label.assets.items())), label.categorical[~self.free].tobytes())
        if key not in self._indices:
            self._indices[key] = len(self._rests)
            self._rests.append(label)
        return self._indices[key]

    def _mask(self, points: Points, place: int) -> NDArray[np.bool_]:
        """Return which of the continuous and categorical parameters are heard, less those that fill an asset slot."""
        continuous, rest = points.continuous[place], int(points.rests[place])
        categorical = np.where(self.free, points.categorical[place], self._rests[rest].categorical)
        key = (rest, *(float(continuous[i]) for i, _ in self._gates), *(int(categorical[i]) for i, _ in self._chosen))
        if key not in self._masks:
            values = {p.name: p.low + float(continuous[i]) * (p.high - p.low) for i, p in self._gates}
            values |= {p.name: p.low + float(categorical[i]) for i, p in self._chosen}
            heard = self.space.audible(Patch(values, self._rests[rest].modulations))
            heard[len(continuous) :] &= self.free
            self._masks[key] = heard
        return self._masks[key]
