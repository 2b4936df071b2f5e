"""Modulations of labels: which of the predicted ones are there, and what they are called once modules are exchanged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tonesmith.space.patch import Modulation

Routings = Sequence[tuple[Modulation, ...]]
"""The modulations of some labels."""


def agreement(truth: Routings, predicted: Routings) -> float | None:
    """Return how many of the true and predicted modulations agree, over all labels: 0 to 1; None if there are none.

    Twice the number of pairs of source and destination that both have, over the number of pairs of either (F1). A
    modulation that is bypassed is none. Amounts do not count.
    """
    pairs = [(_pairs(one), _pairs(other)) for one, other in zip(truth, predicted, strict=True)]
    either = sum(len(one) + len(other) for one, other in pairs)
    return 2.0 * sum(len(one & other) for one, other in pairs) / either if either else None


def renamed(modulations: Sequence[Modulation], moved: Mapping[str, str]) -> tuple[Modulation, ...]:
    """Return modulations that refer to modules by the names that these have now.

    Args:
        modulations: of a label, whose sources and destinations are modules or parameters of modules.
        moved: name of a module -> of that whose place it has taken.
    """
    return tuple(
        replace(one, source=_renamed(one.source, moved), destination=_renamed(one.destination, moved))
        for one in modulations
    )


def _renamed(name: str, moved: Mapping[str, str]) -> str:
    for module, place in moved.items():
        if name == module or name.startswith(f"{module}_"):
            return place + name.removeprefix(module)
    return name


def _pairs(modulations: Sequence[Modulation]) -> set[tuple[str, str]]:
    return {(one.source, one.destination) for one in modulations if not one.bypass}
