"""A chart of a report: a Vega-Lite specification, the same numbers as a table, and which sound counts where."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.terminal.text import one_line

SHOWN = 60
"""Characters of a name in a report: whoever made the dataset gave it."""
NONE = 65535
"""The cell of a sound that counts in none."""
_BINS = 24


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """A chart.

    Attributes:
        title: what it shows.
        note: a sentence on how to read it, or "".
        spec: in Vega-Lite; its data is named "cells", and the page fills it in.
        columns: key -> heading of each column of the table, in order.
        cells: key -> values, all equally long: the numbers drawn. "n" is a count.
        counted: uint16 (sounds, k): the cells that each sound of the sample counts in, NONE for none, by which the
            page counts again what is selected; None where it cannot.
        choose: key of a column of which the reader chooses one value at a time, or "".
    """

    title: str
    note: str
    spec: Mapping[str, Any]
    columns: Mapping[str, str]
    cells: Mapping[str, Sequence[Any]]
    counted: NDArray[np.uint16] | None = None
    choose: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table: its title, a sentence, its headings and its rows of text and numbers."""

    title: str
    note: str
    head: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """A part of the page.

    Attributes:
        name: of its anchor.
        title: its heading.
        note: sentences below that, or "".
        parts: charts, tables and lists of sounds, in order.
    """

    name: str
    title: str
    note: str = ""
    parts: Sequence[Any] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Cards:
    """Sounds to listen to: the place of each in the sample, and why it is there. Rows of cards belong together."""

    title: str
    note: str
    rows: Sequence[Sequence[tuple[int, str]]]


def short(text: object) -> str:
    """Return a name as a report shows it: on one line, and not longer than a line."""
    return one_line(text, SHOWN)


def even_edges(values: NDArray[np.float64], bins: int = _BINS) -> NDArray[np.float64]:
    """Return edges at round numbers, about so many bins, that hold all values that are finite; at least two edges."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return np.array([0.0, 1.0])
    low, high = float(finite.min()), float(finite.max())
    raw = (high - low) / bins or max(abs(low), 1.0) / 10.0
    power = 10.0 ** math.floor(math.log10(raw))
    step = power * min((s for s in (1.0, 2.0, 5.0, 10.0) if s * power >= raw * 0.999), default=10.0)
    first, last = math.floor(low / step), math.floor(high / step) + 1
    return np.round(np.arange(first, last + 1) * step, 12)


def third_octaves(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return edges a third of an octave apart around 1 kHz that hold all values above 0."""
    known = values[np.isfinite(values) & (values > 0.0)]
    if not len(known):
        return np.array([500.0, 1000.0])
    low, high = np.floor(3.0 * np.log2(known.min() / 1000.0)), np.floor(3.0 * np.log2(known.max() / 1000.0)) + 1.0
    return np.asarray(1000.0 * 2.0 ** (np.arange(low, high + 1.0) / 3.0))


def placed(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the bin of each value; -1 for what is in none. The last bin has its upper edge."""
    found = np.searchsorted(edges, values, side="right") - 1
    found = np.where(values == edges[-1], len(edges) - 2, found)
    return np.where(np.isfinite(values) & (found >= 0) & (found < len(edges) - 1), found, -1)


def as_cells(places: NDArray[np.int64]) -> NDArray[np.uint16]:
    """Return places of cells, -1 for none, as a page stores them: uint16 (sounds, k)."""
    wide = places.reshape(len(places), -1)
    return np.where((wide < 0) | (wide >= NONE), NONE, wide).astype(np.uint16)
