"""Tables that fit the terminal."""

from __future__ import annotations

import itertools
import shutil
import textwrap
from collections.abc import Iterable, Sequence

from tonesmith.terminal.text import spaced


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table that fits the terminal: cells that are too long for it wrap."""
    cells = [tuple(heads), *(tuple(map(spaced, row)) for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]
    while sum(widths) + 2 * (len(widths) - 1) > width_of_terminal() and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
    lines = [line for row in cells for line in _cells(row, widths)]
    rule = "  ".join("-" * width for width in widths)
    return [*lines[: (first := len(_cells(cells[0], widths)))], rule, *lines[first:]]


def _cells(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    wrapped = [textwrap.wrap(cell, width) for cell, width in zip(row, widths, strict=True)]
    padded = itertools.zip_longest(*wrapped, fillvalue="")
    joined = ("  ".join(f"{part:<{width}}" for part, width in zip(parts, widths, strict=True)) for parts in padded)
    return [line.rstrip() for line in joined]


def width_of_terminal() -> int:
    """Return the columns that a table may take: those of the terminal, 100 at most."""
    return min(shutil.get_terminal_size((80, 24)).columns, 100)
