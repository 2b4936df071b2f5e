"""Rows that are rendered as training goes, without an end, and not stored.

They are the rows that a dataset of the same plan has, number by number: ``produce_block`` makes both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tonesmith.dataset.loading.arrays import default_columns
from tonesmith.dataset.loading.order import check_share
from tonesmith.errors import ConfigError, DatasetError, unknown_name
from tonesmith.host.registry import Host
from tonesmith.plan.plan import Plan
from tonesmith.run.produce import Workbench, produce_block
from tonesmith.run.resolve import Resolved
from tonesmith.space.sampling import key_of

Sample = dict[str, Any]


class Stream:
    """An endless iterable of rows, each a dictionary: column -> array of NumPy. See :func:`tonesmith.stream`.

    After the last block of the plan the next pass begins, whose seed is one higher. Beside the columns, a row has
    ``row``, its number in the plan, and ``pass``, from 0.

    Args:
        resolved: the plan, and the contents of its assets.
        columns: of a row; None for audio, labels, audible mask and note.
        transform: gets the dictionary of a row, and returns another.
        replay: times that each row is given.
        buffer: rows that those given again are drawn from.
        rank: of this process among those that train together, from 0.
        world: number of them.

    Raises :class:`ConfigError` for numbers that are none, :class:`DatasetError` for an unknown column.
    """

    def __init__(
        self,
        resolved: Resolved,
        columns: Sequence[str] | None = None,
        transform: Callable[[Sample], Mapping[str, Any]] | None = None,
        *,
        replay: int = 1,
        buffer: int = 256,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        check_share(rank, world)
        for name, number in (("replay", replay), ("buffer", buffer)):
            if number < 1:
                raise ConfigError(f"{name} is a number of {'times' if name == 'replay' else 'rows'}, and at least 1")
        self.plan = resolved.plan
        self.columns = _known_columns(self.plan, columns)
        self.replay = replay
        self._assets = dict(resolved.contents)
        self._load_seconds = resolved.load_seconds
        self._transform = transform
        self._buffer, self._rank, self._world = buffer, rank, world

    def __iter__(self) -> Iterator[Sample]:
        worker, workers = self._worker()
        share, shares = self._rank * workers + worker, self._world * workers
        rows = self._rows(share, shares)
        for sample in rows if self.replay == 1 else replayed(rows, self.replay, self._buffer, self.plan.seed + share):
            yield self._given(sample)

    def _worker(self) -> tuple[int, int]:
        """Return which of the processes that load for this rank this one is, and how many there are."""
        return 0, 1

    def _given(self, sample: Sample) -> Sample:
        return sample if self._transform is None else dict(self._transform(sample))

    def _rows(self, share: int, shares: int) -> Iterator[Sample]:
        """Yield the rows of every so-many-th block, pass after pass."""
        number = share
        with self._bench() as bench:
            while True:
                turn = number // self.plan.blocks
                bench.reseed(self.plan.seed + turn)
                yield from self._rows_of(bench, number % self.plan.blocks, turn)
                number += shares

    def _bench(self) -> Workbench:
        host, plan = Host.load(), self.plan
        sink = host.sink_at(plan.sink.name, plan.sink.options, Path())
        return Workbench(plan, host, self._assets.__getitem__, sink.stored, self._load_seconds)

    def _rows_of(self, bench: Workbench, index: int, turn: int) -> Iterator[Sample]:
        block = produce_block(bench, index)
        for i in range(block.rows):
            sample = {name: block.columns[name][i] for name in self.columns}
            yield sample | {"row": np.int64(block.first_row + i), "pass": np.int64(turn)}


def replayed(rows: Iterator[Sample], times: int, size: int, seed: int) -> Iterator[Sample]:
    """Yield each row so many times, in an order drawn from the last ``size`` rows: a replay buffer.

    Args:
        rows: without an end, or with one: then the buffer is emptied.
        times: that each is given.
        size: rows that are kept.
        seed: of the draws.
    """
    words = np.random.Philox(key=key_of(seed, "replay"))
    kept: list[tuple[Sample, int]] = []
    ended = False
    while kept or not ended:
        while len(kept) < size and not ended:
            new = next(rows, None)
            ended = new is None
            if new is not None:
                kept.append((new, times))
        if not kept:
            return
        place = int(words.random_raw()) % len(kept)
        sample, left = kept[place]
        kept[place] = kept[-1] if left == 1 else (sample, left - 1)
        if left == 1:
            kept.pop()
        yield sample


def _known_columns(plan: Plan, columns: Sequence[str] | None) -> tuple[str, ...]:
    known = [column.name for column in plan.schema]
    if columns is None:
        return tuple(name for name in default_columns(plan) if name in known)
    for name in columns:
        if name not in known:
            raise DatasetError(unknown_name("column", name, known, shown=40))
    return tuple(columns)
