"""The label: the stored form of a patch, and how one is made of the arrays that a network predicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonesmith.errors import SpaceError, unknown_name
from tonesmith.space.patch import Modulation
from tonesmith.terminal.text import one_line

if TYPE_CHECKING:
    from tonesmith.space.space import ParameterSpace

Outside = Literal["refuse", "clip"]
"""What becomes of a continuous value outside [0, 1]: it is an error, or the nearest end."""


@dataclass(frozen=True, slots=True)
class Label:
    """The stored form of a patch.

    Attributes:
        continuous: float32 (continuous parameters,), each in [0, 1].
        categorical: int32 (categorical parameters,), each an index of the parameter's choices.
        modulations: the routings, in slot order, with float32 amounts.
        assets: slot name -> SHA-256; every slot of the space is named.
    """

    continuous: NDArray[np.float32]
    categorical: NDArray[np.int32]
    modulations: tuple[Modulation, ...] = ()
    assets: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        counts = f"{len(self.continuous)} continuous, {len(self.categorical)} categorical"
        return f"<Label: {counts}, {len(self.modulations)} modulations, {len(self.assets)} assets>"

    @classmethod
    def from_parts(
        cls,
        space: ParameterSpace,
        continuous: ArrayLike = (),
        categorical: ArrayLike = (),
        modulations: Sequence[Modulation] = (),
        assets: Mapping[str, str] | None = None,
        *,
        outside: Outside = "refuse",
    ) -> Self:
        """Return the label of one patch from arrays as a network gives them.

        A value that a parameter does not have beside the others is the nearest one.

        Args:
            space: of the dataset.
            continuous: (continuous parameters,), each in [0, 1], in the order of ``space.continuous``.
            categorical: in the order of ``space.categorical``, either (categorical parameters,), each the index of a
                choice, or (all their choices,), a score of each choice (logits or probabilities), of which the highest
                is taken.
            modulations: the routings, in slot order.
            assets: slot -> SHA-256; a slot that is left out holds what its parameter chooses, or its default.
            outside: "clip" for the nearest end in place of a continuous value outside [0, 1].

        Raises :class:`SpaceError`, with the name of the parameter, for a value that is no number or outside its range,
        and for an array of another length.
        """
        bare = cls(_continuous(space, continuous, outside), _categorical(space, categorical))
        for slot in assets or {}:
            if slot not in space.assets:
                raise SpaceError(unknown_name("asset slot", slot, space.assets))
        patch = replace(space.decode(bare), modulations=tuple(modulations), assets=dict(assets or {}))
        label = space.encode(patch)
        if space.decode(label).values == patch.values:  # another label may decode to the same bits: keep this one
            return cls(bare.continuous, bare.categorical, label.modulations, label.assets)
        return cls(label.continuous, label.categorical, label.modulations, label.assets)


def _continuous(space: ParameterSpace, given: ArrayLike, outside: Outside) -> NDArray[np.float32]:
    values = _numbers(given, "continuous")
    names = [p.name for p in space.continuous]
    if values.shape != (len(names),):
        raise SpaceError(_shaped("continuous", values, f"({len(names)},)", names))
    if (lost := np.flatnonzero(np.isnan(values))).size:
        raise SpaceError(f"{one_line(names[lost[0]])} is not a number (NaN) in the label.")
    with np.errstate(over="ignore"):
        held = values.astype(np.float32)
    if outside == "clip":
        return held.clip(0.0, 1.0)
    if (lost := np.flatnonzero(~((held >= 0.0) & (held <= 1.0)))).size:
        told = f"{one_line(names[lost[0]])} is {values[lost[0]]:g} in the label, which is not in [0, 1]"
        raise SpaceError(f"{told}. Clip it if the nearest end is meant.")
    return held


def _categorical(space: ParameterSpace, given: ArrayLike) -> NDArray[np.int32]:
    values, counts = _numbers(given, "categorical"), space.counts
    names = [p.name for p in space.categorical]
    if values.shape == (total := int(counts.sum()),) and total != len(names):
        return _highest(values, counts, names)
    if values.shape != (len(names),):
        expected = f"({len(names)},) for indices, or ({total},) for a score of each choice"
        raise SpaceError(_shaped("categorical", values, expected, names))
    whole = np.isfinite(values) & (values == np.rint(values)) & (values >= 0) & (values < counts)
    if (lost := np.flatnonzero(~whole)).size:
        place = lost[0]
        told = f"{one_line(names[place])} is {values[place]:g} in the label"
        raise SpaceError(f"{told}, which is no index of its {counts[place]} choices.")
    return values.astype(np.int32)


def _highest(scores: NDArray[np.float64], counts: NDArray[np.int64], names: Sequence[str]) -> NDArray[np.int32]:
    """Return the choice of each parameter with the highest score; the first of equals."""
    parts = np.split(scores, np.cumsum(counts)[:-1])
    for name, part in zip(names, parts, strict=True):
        if np.isnan(part).any():
            raise SpaceError(f"a choice of {one_line(name)} has a score that is not a number (NaN).")
    return np.array([int(part.argmax()) for part in parts], np.int32)


def _numbers(given: Any, kind: str) -> NDArray[np.float64]:
    try:
        return np.asarray(given, np.float64)
    except (TypeError, ValueError) as error:
        raise SpaceError(f"the {kind} values of the label are not numbers: {error!s:.100}") from None


def _shaped(kind: str, values: NDArray[np.float64], expected: str, names: Sequence[str]) -> str:
    told = f"the label has {kind} values of shape {values.shape}; expected {expected}"
    return f"{told}, from {one_line(names[0])} to {one_line(names[-1])}." if names else f"{told}, for none vary."
