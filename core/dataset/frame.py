"""The labels of a dataset as a table of pandas."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import ConfigError
from tonesmith.plan.phrases import NOTES
from tonesmith.space.space import ParameterSpace

if TYPE_CHECKING:
    import pandas as pd

    from tonesmith.dataset.reader import Dataset

_TOLD = ("patch", "attempt")


def frame_of(dataset: Dataset) -> pd.DataFrame:
    """Return a table with a line for each row: note, origin, split, measures, and each parameter that varies.

    Of a row that plays a score, it tells how many notes that has, and what the composer said of it. The index is the
    number of the row in the plan. A parameter has the value that its synth shows, or the text of its choice. If its
    name is that of another column, an underscore is added to it. Audio is not read.

    Raises :class:`ConfigError` where pandas is not installed, :class:`DatasetError` if the stored bytes are damaged.
    """
    try:
        pandas: Any = import_module("pandas")
    except ImportError as error:
        raise ConfigError(f"to_pandas needs pandas, which cannot be used here ({error}): pip install pandas") from error
    plan = dataset.plan
    measures = [measure.name for measure in plan.measures]
    told = (*_TOLD, *plan.notes.columns)
    read = dataset.get_batch(slice(None), [*told, "origin", "continuous", "categorical", *measures])
    columns: dict[str, Any] = {name: read[name] for name in told}
    columns["origin"] = pandas.Categorical.from_codes(read["origin"].astype(np.int64), categories=list(plan.origins))
    if (splits := _splits(dataset)) is not None:
        columns["split"] = pandas.Categorical(splits)
    columns |= {name: read[name] for name in measures}
    columns |= _scores(dataset, pandas.Categorical.from_codes)
    for name, values in _parameters(dataset.space, read, pandas.Categorical.from_codes):
        columns[f"{name}_" if name in columns else name] = values
    table: pd.DataFrame = pandas.DataFrame(columns, index=pandas.Index(dataset.rows, name="row"))
    return table


def _scores(dataset: Dataset, coded: Callable[..., Any]) -> dict[str, Any]:
    """Return how many notes the score of each row has, and its annotations, by name; nothing for rows of notes."""
    if (phrases := dataset.plan.phrases) is None:
        return {}
    read = dataset.get_batch(slice(None), [NOTES, *(one.column.name for one in phrases.fields)])
    told: dict[str, Any] = {"notes": read[NOTES]}
    for one in phrases.fields:
        values = read[one.column.name]
        if one.kind == "choice":
            told[one.name] = coded(values.astype(np.int64), categories=list(one.choices))
        else:
            told[one.name] = np.array([one.read(value) for value in values], object) if one.kind == "text" else values
    return told


def _splits(dataset: Dataset) -> NDArray[np.object_] | None:
    if not (splits := dataset.splits):
        return None
    names = np.full(len(dataset), "", dtype=object)
    for name, rows in splits.items():
        names[rows] = name
    return names


def _parameters(
    space: ParameterSpace, read: Mapping[str, NDArray[Any]], coded: Callable[..., Any]
) -> Iterator[tuple[str, Any]]:
    """Yield the name of each parameter that varies, and its value in each row as its synth shows it."""
    raw = space.raw(read["continuous"])
    for place, parameter in enumerate(space.continuous):
        yield parameter.name, np.array([parameter.shown(value) for value in raw[:, place].tolist()])
    for place, parameter in enumerate(space.categorical):
        texts = [parameter.text(parameter.low + choice) for choice in range(parameter.count)]
        if len(set(texts)) == len(texts):
            yield parameter.name, coded(read["categorical"][:, place].astype(np.int64), categories=texts)
        else:
            yield parameter.name, np.array(texts, dtype=object)[read["categorical"][:, place]]
