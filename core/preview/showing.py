"""What the screen asks its threads for: a list in order, cells of it, and one row with its pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset.reader import Dataset
from tonesmith.preview.detail import Detail, detail_of
from tonesmith.preview.lists.source import Arrangement, Report, Source, arranged
from tonesmith.screen.background import Check
from tonesmith.screen.cells import spectrogram, waveform

_EVERY = 0.1
"""Seconds between two reports."""
_SETTLED = 0.04
"""Seconds after which a row is read that is still the current one."""


@dataclass(frozen=True, eq=False, slots=True)
class Listed:
    """A list that was read: of a source, as it was wanted, with the indices in order."""

    source: Source
    wanted: Arrangement
    order: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells that were read: of a source, the names of the fields, and index -> texts, None for what is damaged."""

    source: Source
    names: Sequence[str]
    cells: Mapping[int, tuple[str, ...] | None]


@dataclass(frozen=True, eq=False, slots=True)
class Drawn:
    """A row that was read, its waveform in lines of text, and the pixels of its spectrogram."""

    detail: Detail
    wave: Sequence[str]
    pixels: NDArray[np.uint8]


def listed(source: Callable[[], Source], wanted: Arrangement, told: Report, check: Check) -> Listed:
    """Read what a list needs.

    Args:
        source: gives the source, which may have to be read itself.
        wanted: filter and order.
        told: told now and then how far it is.
        check: ends the reading where nobody waits for it.
    """
    last = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal last
        check()
        if time.monotonic() - last > _EVERY:
            last = time.monotonic()
            told(done, total)

    of = source()
    return Listed(of, wanted, arranged(of, wanted, report))


def cells_of(source: Source, indices: Sequence[int], names: Sequence[str]) -> Cells:
    """Read the cells of some indices."""
    return Cells(source, names, dict(zip(indices, source.cells(indices, names), strict=True)))


def drawn(dataset: Dataset, index: int, form: tuple[int, int, int], check: Check) -> Drawn:
    """Read a row and draw it, unless another one is wanted at once.

    Args:
        dataset: of the row.
        index: of the row.
        form: width, lines of the waveform and lines of the spectrogram.
        check: ends it where nobody waits for it.

    Raises :class:`DatasetError` if the row is damaged.
    """
    time.sleep(_SETTLED)
    check()
    detail = detail_of(dataset, index)
    check()
    width, upper, lower = form
    audio, rate = detail.row.audio, dataset.plan.audio.sample_rate
    return Drawn(detail, waveform(audio, width, upper), spectrogram(audio, rate, width, lower))
