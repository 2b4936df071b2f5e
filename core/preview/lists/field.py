"""What rows can be listed, filtered and sorted by: a name, and a number or a text for each row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.terminal.text import one_line

Values = NDArray[Any]
"""Of one field, (rows,): numbers, NaN for none; or int32 places among its texts, -1 for none."""

NONE = -1
"""The place of a text that a row does not have."""


@dataclass(frozen=True, eq=False)
class Field:
    """A number or a text that each row has.

    Attributes:
        name: that filters call it by.
        doc: what it is, for a list of names.
        columns: that it is made of, such as those of a dataset.
        of: column name -> (rows, ...) to the values of these rows.
        texts: of a field that is a text: each that a row may have, on one line.
        closed: whether no row can have another text than these, so that any other is a slip of the pen.
        shown: what is shown of a number.
        kept: whether its values stay as they are, and need not be read twice.
        width: columns of a terminal that it takes in a list.
        head: above that column; "" for its name.
    """

    name: str
    doc: str
    columns: tuple[str, ...]
    of: Callable[[Mapping[str, NDArray[Any]]], Values]
    texts: tuple[str, ...] | None = None
    closed: bool = True
    shown: Callable[[float], str] = "{:.6g}".format
    kept: bool = True
    width: int = 10
    head: str = ""

    @cached_property
    def lowered(self) -> tuple[str, ...]:
        """The texts in small letters."""
        return tuple(text.casefold() for text in self.texts or ())

    @cached_property
    def numbers(self) -> NDArray[np.float64] | None:
        """The texts as numbers with NaN behind them for none, if each of them is one."""
        try:
            return np.array([*map(float, self.texts or ("x",)), np.nan])
        except ValueError:
            return None

    @property
    def is_text(self) -> bool:
        """Whether its values are places among its texts."""
        return self.texts is not None

    @property
    def fill(self) -> float:
        """What stands for no value."""
        return NONE if self.is_text else np.nan

    def text(self, value: float) -> str:
        """Return what is shown of one value, "" for none."""
        if self.texts is not None:
            return self.texts[int(value)] if 0 <= value < len(self.texts) else ""
        return "" if np.isnan(value) else self.shown(float(value))

    def ranks(self, values: Values) -> NDArray[np.float64]:
        """Return numbers in the order of the values, NaN for none; texts are in the order of a dictionary."""
        if self.texts is None:
            return values.astype(np.float64)
        if self.numbers is not None:
            return self.numbers[values]
        order = sorted(range(len(self.lowered)), key=self.lowered.__getitem__)
        places = np.full(len(self.lowered) + 1, np.nan)
        places[order] = np.arange(len(order))
        return places[values]


def plain(
    name: str,
    doc: str,
    shown: Callable[[float], str] = "{:.6g}".format,
    width: int = 9,
    head: str = "",
) -> Field:
    """Return the field of a column that has a number for each row."""
    return Field(name, doc, (name,), lambda columns: columns[name], shown=shown, width=width, head=head)


def texts_of(*texts: object) -> tuple[str, ...]:
    """Return texts as they may be shown: on one line, without what a terminal obeys."""
    return tuple(map(one_line, texts))
