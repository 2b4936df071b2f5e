"""What a model predicted: a label for each of some rows, from a ``.npz``, a Parquet file or a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset.label_file import LABEL_ARRAYS, arrays_to_labels
from tonesmith.dataset.npz import read_npz
from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.reader import Dataset
from tonesmith.errors import ConfigError, SpaceError, check_libraries
from tonesmith.space.label import Label, Outside
from tonesmith.space.parameter import Parameter
from tonesmith.space.space import ParameterSpace
from tonesmith.terminal.text import one_line

SCORED = "scored"
"""The attribute of a dataset of predicted sounds: the fingerprint of what was predicted, and the row of each."""
_MOST_ROWS = 10**6


@dataclass(frozen=True, slots=True)
class Predictions:
    """Predicted labels.

    Attributes:
        places: index in the dataset of the row that each is of, ascending: int64 (n,).
        labels: one for each.
    """

    places: NDArray[np.int64]
    labels: tuple[Label, ...]


def read_predictions(path: Path, dataset: Dataset, outside: Outside = "refuse") -> Predictions:
    """Return the predicted labels in a file or a dataset, in the order of their rows.

    Args:
        path: of a ``.npz`` or ``.parquet`` file with the columns ``row``, ``continuous`` and ``categorical`` (and the
            others of a label), or of a dataset with the same space, whose rows have the numbers of those predicted.
        dataset: whose rows are predicted.
        outside: what becomes of a continuous value outside [0, 1].

    Raises :class:`ConfigError` if it cannot be read, is of another space, or names a row that is not there or twice;
    the message has the row.
    """
    arrays = _arrays(path, dataset)
    rows = _rows(path, arrays)
    places = _places(path, rows, dataset)
    labels = []
    for i in range(len(rows)):
        try:
            one = {name: array[i : i + 1] for name, array in arrays.items() if name in LABEL_ARRAYS}
            labels += arrays_to_labels(dataset.space, one, outside)
        except SpaceError as error:
            raise ConfigError(f"{path}: row {rows[i]}: {error}") from None
    order = np.argsort(places)
    return Predictions(places[order], tuple(labels[i] for i in order))


def _arrays(path: Path, dataset: Dataset) -> dict[str, NDArray[Any]]:
    names = ("row", *LABEL_ARRAYS)
    match path.suffix.lower():
        case ".npz":
            return read_npz(path, names, others=True)
        case ".parquet" if path.is_file():
            return _parquet(path, names)
    opened = open_dataset(path)
    _check_space(path, opened.space, dataset.space)
    known = [name for name in LABEL_ARRAYS if name in {column.name for column in opened.plan.schema}]
    scored = opened.attributes.get(SCORED)
    rows = np.asarray(scored["rows"])[opened.rows] if isinstance(scored, Mapping) else opened.rows
    return {"row": rows, **opened.get_batch(slice(None), known)}


def _parquet(path: Path, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    check_libraries(f"{path}", ["pyarrow"], "parquet")
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            if file.metadata.num_rows > _MOST_ROWS:
                raise ConfigError(f"{path} has more than {_MOST_ROWS:,} rows.")
            there = [name for name in names if name in file.schema_arrow.names]
            table = file.read(columns=there)
        return {name: _stacked(path, name, table.column(name).to_pylist()) for name in there}
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{path} is not a Parquet file that can be read: {error!s:.200}") from None


def _stacked(path: Path, name: str, values: list[Any]) -> NDArray[Any]:
    try:
        array = np.array(values)
    except ValueError:
        raise ConfigError(f"{path}: the values of {name} are not as long in each row.") from None
    if array.dtype.kind not in "iufb":
        raise ConfigError(f"{path}: the values of {name} are not numbers in each row.")
    return array


def _rows(path: Path, arrays: Mapping[str, NDArray[Any]]) -> list[int]:
    if "row" not in arrays:
        raise ConfigError(f"{path} has no column 'row': the number of the row that each label is predicted for.")
    if not {"continuous", "categorical"} & arrays.keys():
        raise ConfigError(f"{path} has neither a column 'continuous' nor 'categorical'.")
    rows = arrays["row"]
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise ConfigError(
            f"{path}: the column 'row' has {rows.dtype} of shape {rows.shape}; expected one integer per label."
        )
    if not len(rows):
        raise ConfigError(f"{path} has no predictions.")
    for name, array in arrays.items():
        if array.ndim == 0 or len(array) != len(rows):
            raise ConfigError(f"{path}: {name} has shape {array.shape}, for {len(rows)} rows.")
    return [int(row) for row in rows]


def _places(path: Path, rows: list[int], dataset: Dataset) -> NDArray[np.int64]:
    place = {int(row): index for index, row in enumerate(dataset.rows)}
    for row in rows:
        if row not in place:
            raise ConfigError(f"{path} has a prediction of row {row}, which is not in the dataset.")
    if len(set(rows)) < len(rows):
        twice = next(row for index, row in enumerate(rows) if row in rows[:index])
        raise ConfigError(f"{path} has row {twice} twice.")
    return np.array([place[row] for row in rows], np.int64)


def _check_space(path: Path, found: ParameterSpace, space: ParameterSpace) -> None:
    """Raise :class:`ConfigError`, with the first difference, unless labels of one space mean the same in another."""
    for kind in ("continuous", "categorical"):
        there, here = getattr(found, kind), getattr(space, kind)
        if len(there) != len(here):
            told = f"it has {len(there)} {kind} parameters, the dataset {len(here)}"
            raise ConfigError(f"{path} is of another space: {told}.")
        for one, other in zip(there, here, strict=True):
            if (one.name, one.low, one.high, one.contents) != (other.name, other.low, other.high, other.contents):
                told = f"it has {_ranged(one)}, the dataset {_ranged(other)}"
                raise ConfigError(f"{path} is of another space: {told}.")
    routed = [(one.sources, one.destinations, one.modulation_slots, tuple(one.assets)) for one in (found, space)]
    if routed[0] != routed[1]:
        raise ConfigError(f"{path} is of another space: its modulations or assets are not those of the dataset.")


def _ranged(parameter: Parameter) -> str:
    return f"{one_line(parameter.name)} from {parameter.low:g} to {parameter.high:g}"
