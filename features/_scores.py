"""What features of scores share: how a number is described and stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tonesmith.plan.feature import FeatureArray

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOLERANCE = 1e-5
"""By which a number may differ where it is computed again on another machine, of numbers around 1."""


def number(name: str, unit: str, doc: str) -> FeatureArray:
    """Return the description of one number of a score; NaN where there is nothing to measure."""
    return FeatureArray(name, (), (), unit, doc, tolerance=TOLERANCE, missing=True)


def numbers(**values: float) -> dict[str, NDArray[Any]]:
    """Return numbers as they are stored: float32 ()."""
    import numpy as np

    return {name: np.asarray(value, np.float32) for name, value in values.items()}
