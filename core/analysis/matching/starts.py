"""Where a search starts: rows of the dataset, as they are stored or as they sound with the note."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tonesmith.analysis.matching.distance import Distance
from tonesmith.analysis.matching.neighbours import Pool
from tonesmith.analysis.matching.trials import Trial, Trials
from tonesmith.dataset.reader import Dataset
from tonesmith.errors import ConfigError, EngineError
from tonesmith.space.patch import Note
from tonesmith.terminal.text import counted

Start = tuple[int, Trial]
"""The index of a row in the dataset, and its trial."""

_STORED, _READ = 200, 50
"""Rows whose stored sounds are measured, at most; and those in memory at once."""
_PLAYED, _SHARE = 24, 10
"""Rows that are played because they are not stored with the note: so many, and at most one in so many renders."""
_AGAIN = 4
"""Rows that are played again, of those that are."""


def stored_starts(
    dataset: Dataset, pool: Pool, note: Note, distance: Distance, threads: int, stopped: Callable[[], bool]
) -> list[Start]:
    """Return the nearest rows that were played with a note, measured as they are stored, nearest first.

    Args:
        dataset: of the rows.
        pool: of which the first are measured.
        note: that they must have been played with.
        distance: from the target.
        threads: that measure.
        stopped: returns whether somebody wants an end, which raises KeyboardInterrupt.
    """
    rows = [int(row) for row in pool.rows[:_STORED]]
    found = list[Start]()
    for first in range(0, len(rows), _READ):
        part = rows[first : first + _READ]
        alike = [(place, row) for place, row in zip(part, dataset[part], strict=True) if row.plays == note]
        with ThreadPoolExecutor(threads) as executor:
            near = list(executor.map(distance.near, [row.audio for _, row in alike]))
        found += [(place, Trial(row.label, *measured)) for (place, row), measured in zip(alike, near, strict=True)]
        if stopped():
            raise KeyboardInterrupt
    return sorted(found, key=lambda start: start[1].distance)


def played_starts(trials: Trials, dataset: Dataset, pool: Pool, stored: Sequence[Start]) -> list[Start]:
    """Return the nearest rows as the synth plays them now, nearest first.

    Args:
        trials: what renders and measures.
        dataset: of the rows.
        pool: in the order of which they are played.
        stored: rows that were measured as they are stored; of these, only the nearest are played.

    Raises :class:`ConfigError` if time was up before the first, :class:`EngineError` if none can be rendered.
    """
    known = {row for row, _ in stored}
    count = int(np.clip(trials.left // _SHARE, 1, _PLAYED))
    rows = [row for row, _ in stored[: min(_AGAIN, count)]]
    rows += [int(row) for row in pool.rows[:count] if row not in known]
    labels = [dataset[row].label for row in rows[:count]]
    indices = {id(label): row for row, label in zip(rows, labels, strict=False)}
    tried = trials.of(labels)
    if trials.interrupted and trials.best is None:
        raise KeyboardInterrupt
    if not tried:
        raise ConfigError(f"no render was begun within {trials.budget.seconds:g} s. Allow more seconds.")
    if trials.best is None:
        raise EngineError(f"none of the {counted(len(tried), 'nearest row')} can be rendered: {trials.reason}")
    return sorted(((indices[id(trial.label)], trial) for trial in tried), key=lambda start: start[1].distance)
