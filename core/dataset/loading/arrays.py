"""Rows as arrays of NumPy, by the dozen: what loaders of tensors ask for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset.row import chosen_rows
from tonesmith.errors import ConfigError, DatasetError, unknown_name
from tonesmith.plan.feature import PREFIX
from tonesmith.plan.items import FRAMES
from tonesmith.plan.phrases import PREFIX as SCORES
from tonesmith.plan.plan import Plan

if TYPE_CHECKING:
    from tonesmith.dataset.reader import Dataset

DEFAULT_COLUMNS = ("audio", "continuous", "categorical", "audible", "pitch", "velocity")
"""What is read unless columns are named: what a model hears, what it is to tell of it, and the note. Where features are
asked for, the model hears these, and the audio is not read."""

_EVENTS = ("count", "onset", "duration", "pitch", "velocity", "part")

_LABELS = {"continuous": np.float32, "categorical": np.int64, "audible": np.bool_}
"""Columns that a dataset leaves out if its space has no such parameters: a model gets them, without any."""

Arrays = dict[str, Any]


def default_columns(plan: Plan) -> tuple[str, ...]:
    """Return the columns that are read unless some are named; of scores, the notes and what is said of them too."""
    told = {column.name for column in plan.schema}
    if plan.items is not None:
        return _of_items(plan, told)
    if plan.phrases is None:
        return DEFAULT_COLUMNS
    events = [f"{SCORES}{name}" for name in _EVENTS]
    said = [one.column.name for one in plan.phrases.fields]
    return (*DEFAULT_COLUMNS, *(name for name in (*events, *said) if name in told))


def _of_items(plan: Plan, told: Collection[str]) -> tuple[str, ...]:
    """Return the columns that are read of items of a corpus: what is heard, the notes, and what is said of them."""
    said = [one.column.name for one in plan.items.fields] if plan.items else []
    events = [f"{SCORES}{name}" for name in _EVENTS]
    return tuple(name for name in ("audio", FRAMES, *events, *said) if name in told)


class Batch(Sequence[Arrays]):
    """Several rows: column -> array whose first axis is the row. As a sequence, its items are single rows."""

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = arrays

    def __len__(self) -> int:
        return len(self.arrays["row"])

    def __getitem__(self, i: Any) -> Any:
        if isinstance(i, slice):
            return Batch({name: array[i] for name, array in self.arrays.items()})
        if not -len(self) <= i < len(self):
            raise IndexError(f"row {i} of a batch of {len(self)}")
        return {name: array[i] for name, array in self.arrays.items()}


class ArrayRows:
    """The rows of a dataset as dictionaries: column -> array. A torch ``DataLoader`` takes it as a dataset.

    ``rows[7]`` is one row; ``rows[:32]`` and ``rows[[3, 1, 4]]`` are several, with a first axis more. Beside the
    columns there is ``row``, the number of each row in the plan. Whole numbers are int64.

    Args:
        dataset: whose rows they are.
        columns: to read; None for :func:`default_columns`, without the audio where there are features. Labels of
            which a space has none are (rows, 0).
        features: stored features to read as well, such as "mel"; each array is given under its own name, such as
            ``mel`` or ``stats.centroid``.
        transform: gets the dictionary of several rows, and returns that of as many. One row is several of one.

    Raises :class:`DatasetError` for a column or a feature that is not there.
    """

    def __init__(
        self,
        dataset: Dataset,
        columns: Sequence[str] | None = None,
        features: Sequence[str] = (),
        transform: Callable[[Arrays], Mapping[str, Any]] | None = None,
    ) -> None:
        if columns is None:
            columns = [name for name in default_columns(dataset.plan) if not (features and name == "audio")]
        elif isinstance(columns, str):
            raise TypeError(f"columns must be a list of names, such as [{columns!r}]")
        known = {column.name for column in dataset.plan.schema}
        self.dataset = dataset
        self.absent = [name for name in columns if name in _LABELS and name not in known]
        self.columns = dataset.known_columns([name for name in columns if name not in ("row", *self.absent)])
        self.columns += [name for name in _columns_of(dataset, features) if name not in self.columns]
        self.transform = transform

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, key: Any) -> Arrays:
        chosen = chosen_rows(key, len(self))
        if not isinstance(chosen, int):
            return self._batch(chosen)
        return {name: array[0] for name, array in self._batch(np.array([chosen])).items()}

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """Return several rows at once: a ``DataLoader`` asks so for a batch."""
        return Batch(self._batch(np.asarray(indices, np.int64)))

    def __iter__(self) -> Iterator[Arrays]:
        return (self[i] for i in range(len(self)))

    @staticmethod
    def collate(batch: Batch) -> Arrays:
        """Return the arrays of a batch as they are: a ``collate_fn`` that copies nothing."""
        return batch.arrays

    @property
    def blocks(self) -> NDArray[np.int64]:
        """The block that each row is stored in: int64 (len,)."""
        return self.dataset.rows // self.dataset.plan.block_rows

    def _batch(self, indices: NDArray[np.int64]) -> Arrays:
        read = self.dataset.get_batch(indices, self.columns)
        arrays = {name.removeprefix(PREFIX): self._made(_whole(array)) for name, array in read.items()}
        arrays |= {name: self._made(np.zeros((len(indices), 0), _LABELS[name])) for name in self.absent}
        arrays["row"] = self._made(self.dataset.rows[indices])
        return self._transformed(arrays, len(indices))

    def _made(self, array: NDArray[Any]) -> Any:
        return array

    def _transformed(self, arrays: Arrays, count: int) -> Arrays:
        if self.transform is None:
            return arrays
        rows = arrays["row"]
        made = dict(self.transform(arrays))
        made.setdefault("row", rows)
        for name, value in made.items():
            if not (shape := getattr(value, "shape", ())) or shape[0] != count:
                raise ConfigError(
                    f"transform: {name!r} is no array of {count} rows. It gets several rows and returns as many, "
                    "the row being the first axis."
                )
        return made


def _columns_of(dataset: Dataset, features: Sequence[str]) -> list[str]:
    if isinstance(features, str):
        raise TypeError(f"features must be a list of names, such as [{features!r}]")
    for name in features:
        if name not in dataset.features:
            told = unknown_name("feature", name, dataset.features)
            raise DatasetError(f"{told} Features are stored with a dataset: tonesmith features DATASET --add {name}")
    return [column.name for name in features for column in dataset.features[name].columns()]


def _whole(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array that may be written to; whole numbers as int64, which is what losses and embeddings take."""
    return array.astype(np.int64) if array.dtype.kind in "iu" else np.require(array, requirements="W")
