"""What a feature is computed from, what it computes, and how a plan tells both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tonesmith.plan.schema import Column

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tonesmith.score.phrase import Phrase
    from tonesmith.space.patch import Note

PREFIX = "feature/"
"""Of the columns that hold features."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What a feature is computed from.

    Attributes:
        audio: float32 (channels, frames), full scale 1.0, as it is stored.
        sample_rate: Hz.
        note: the note or the phrase that was played, or None where that is not known.
    """

    audio: NDArray[np.float32]
    sample_rate: int
    note: Note | Phrase | None = None


@dataclass(frozen=True, slots=True)
class FeatureArray:
    """One array that a feature computes of each sound.

    Attributes:
        name: a word, unique in its feature. The main array of a feature bears the feature's own name.
        shape: of one sound's array.
        dims: a name for each axis of ``shape``.
        unit: such as "dB"; "1" for none.
        doc: what it holds.
        dtype: "float32", "float16", or one of NumPy's whole numbers or "bool".
        tolerance: by which a value may differ where it is computed again on another machine, in ``unit``.
        missing: whether NaN may stand where there is no value.
    """

    name: str
    shape: tuple[int, ...]
    dims: tuple[str, ...]
    unit: str
    doc: str
    dtype: str = "float32"
    tolerance: float = 1e-3
    missing: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return {
            "name": self.name,
            "shape": list(self.shape),
            "dims": list(self.dims),
            "unit": self.unit,
            "doc": self.doc,
            "dtype": self.dtype,
            "tolerance": self.tolerance,
            "missing": self.missing,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FeatureArray:
        """Return the array that :meth:`to_json` wrote."""
        return cls(**{**data, "shape": tuple(data["shape"]), "dims": tuple(data["dims"])})


@dataclass(frozen=True, slots=True)
class StoredFeature:
    """A feature as a dataset tells it: enough to know each array, and to compute it again, without its plugin.

    Attributes:
        name: of the plugin.
        options: of the plugin, all of them.
        definition: how the arrays are computed, in words and numbers: JSON.
        arrays: that it computes.
    """

    name: str
    options: Mapping[str, Any]
    definition: Mapping[str, Any]
    arrays: tuple[FeatureArray, ...] = field(default=())

    def key(self, array: FeatureArray) -> str:
        """Return the name of an array among all features: ``mel``, or ``stats.centroid``."""
        return self.name if array.name == self.name else f"{self.name}.{array.name}"

    def columns(self) -> Iterator[Column]:
        """Yield the column of each array. Features are no part of a row's digest: they follow from its audio."""
        for array in self.arrays:
            name, doc = f"{PREFIX}{self.key(array)}", f"{array.doc}, {array.unit}"
            yield Column(name, array.shape, array.dtype, array.dims, doc, content=False)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return {
            "name": self.name,
            "options": dict(self.options),
            "definition": dict(self.definition),
            "arrays": [array.to_json() for array in self.arrays],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> StoredFeature:
        """Return the feature that :meth:`to_json` wrote, of JSON that has been checked."""
        arrays = tuple(map(FeatureArray.from_json, data["arrays"]))
        return cls(data["name"], data["options"], data["definition"], arrays)


def feature_columns(features: Sequence[StoredFeature]) -> list[Column]:
    """Return the columns of several features."""
    return [column for feature in features for column in feature.columns()]


def features_among(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return key -> value of those columns that hold features."""
    return {name.removeprefix(PREFIX): value for name, value in columns.items() if name.startswith(PREFIX)}
