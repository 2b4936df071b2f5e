"""The rhythms of a melody: for each beat of a bar a cell of notes, in sixteenths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tonesmith.score.bars import Bar
from tonesmith.score.draws import Draws

_CELLS: Final[Mapping[int, tuple[tuple[int, ...], ...]]] = {
    2: ((4,), (4,), (2, 2), (2, 2), (3, 1), (2, 1, 1)),
    3: ((6,), (4, 2), (4, 2), (2, 2, 2), (2, 4)),
}
"""Eighths of a beat -> what may fill it; what is there twice is drawn twice as often."""

_FEWEST: Final = 5
"""Notes that a phrase has, so that each contour can be told from the others."""


def phrase_rhythm(bar: Bar, bars: int, draws: Draws, letter: str, fewest: int) -> list[tuple[int, int]]:
    """Return onset and length in sixteenths of each note of a phrase, which ends with a long one.

    Args:
        bar: of the meter.
        bars: of the phrase.
        draws: of the score.
        letter: of the phrase; one with the same has the same rhythm.
        fewest: notes that it has at least, if sixteenths are enough for that; :data:`_FEWEST` if that is more.
    """
    groups = [group for _ in range(bars) for group in bar.groups]
    lasting = 1 if len(bar.groups) <= 3 else len(bar.groups) // 2
    moving, end = groups[:-lasting], 2 * sum(groups[-lasting:])
    drawn = draws.units(f"rhythm {letter}", len(moving))
    cells = [_CELLS[g][int(u * len(_CELLS[g]))] for g, u in zip(moving, drawn, strict=True)]
    for length in (2, 1):
        if sum(map(len, cells)) + 1 < max(_FEWEST, fewest):
            cells = [(length,) * (2 * group // length) for group in moving]
    lengths = [length for cell in cells for length in cell] + [end]
    return [(sum(lengths[:place]), length) for place, length in enumerate(lengths)]
