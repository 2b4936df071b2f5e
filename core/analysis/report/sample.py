"""The rows of a report that are listened to: drawn at random, read in their order, heard in threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.labels import routings_of
from tonesmith.analysis.report.sounds import CLIP_SECONDS, Heard, heard
from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.splits import LEFT_OUT, splits_of
from tonesmith.errors import DatasetError
from tonesmith.plan.feature import PREFIX
from tonesmith.space.sampling import key_of

_CHUNK = 16
"""Rows that are in memory at once."""
_THREADS = 4
_CLIP_BYTES = 4600.0
"""Of a second of a clip, about: by this it is decided how many rows have one."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Rows that were listened to, in the order of their numbers.

    Attributes:
        places: int64 (rows,), indices in the dataset.
        rows: int64 (rows,), numbers in the plan.
        columns: name -> (rows, *shape) of their labels and measures.
        split: of each row, "" for none; empty if the dataset is not split.
        sounds: what was heard of each.
        damaged: such as "block 3" -> what is wrong with it, of what could not be read.
    """

    places: NDArray[np.int64]
    rows: NDArray[np.int64]
    columns: Mapping[str, NDArray[Any]]
    split: tuple[str, ...]
    sounds: tuple[Heard, ...]
    damaged: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.rows)

    def routings(self, dataset: Dataset) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the place in the sample of each modulation, and its source and destination."""
        if not dataset.space.modulation_slots:
            return np.zeros(0, np.int64), np.zeros((0, 2), np.int64)
        return routings_of(dataset, self.columns)


def drawn(count: int, rows: int, seed: int) -> NDArray[np.int64]:
    """Return which rows of a dataset are listened to: int64 (at most ``rows``,), ascending.

    Args:
        count: rows of the dataset.
        rows: that are wanted at most.
        seed: of the draw.
    """
    if count <= rows:
        return np.arange(count)
    random = np.random.Generator(np.random.Philox(key=key_of(seed, "report rows")))
    return np.sort(random.choice(count, rows, replace=False))


def sample_of(
    dataset: Dataset,
    places: NDArray[np.int64],
    *,
    budget: int,
    at: int = 0,
    progress: Callable[[int], object] = lambda _: None,
) -> Sample:
    """Return rows of a dataset, heard. Rows whose block cannot be read are left out.

    Args:
        dataset: to read.
        places: indices of the rows, ascending.
        budget: bytes that all clips may take together.
        at: Hz at which spectra are compared; 0 for the dataset's own sample rate.
        progress: told of how many more rows are done.
    """
    damaged: dict[str, str] = {}
    columns, places = _labels(dataset, places, damaged)
    clipped = _with_clip(dataset, len(places), budget)
    kept, sounds, spent, rate = list[int](), list[Heard](), 0, dataset.plan.audio.sample_rate
    with ThreadPoolExecutor(_THREADS) as pool:
        for first in range(0, len(places), _CHUNK):
            chunk = np.arange(first, min(first + _CHUNK, len(places)))
            jobs = [
                (place, pool.submit(heard, audio, rate, at, clip=bool(clipped[place])))
                for place, audio in _audio(dataset, places, chunk, damaged)
            ]
            for place, job in jobs:
                sound = job.result()
                spent += len(sound.clip.content) if sound.clip else 0
                kept.append(place)
                sounds.append(sound if spent <= budget else replace(sound, clip=None))
            progress(len(chunk))
    chosen = places[kept]
    found = {name: array[kept] for name, array in columns.items()}
    return Sample(chosen, dataset.rows[chosen], found, _split(dataset, found), tuple(sounds), damaged)


def _with_clip(dataset: Dataset, count: int, budget: int) -> NDArray[np.bool_]:
    """Return which of so many rows have a clip: all, or as many as there is room for, evenly spread."""
    seconds = min(dataset.plan.audio.frames / dataset.plan.audio.sample_rate, CLIP_SECONDS)
    most = int(budget / (_CLIP_BYTES * seconds + 1500.0))
    clipped = np.ones(count, np.bool_)
    if count > most:
        clipped[:] = False
        clipped[np.linspace(0, count - 1, max(most, 1)).round().astype(np.int64)] = True
    return clipped


def _labels(
    dataset: Dataset, places: NDArray[np.int64], damaged: dict[str, str]
) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64]]:
    """Return the columns of rows without their audio, and those of the places that could be read."""
    names = [c.name for c in dataset.plan.schema if c.name != "audio" and not c.name.startswith(PREFIX)]
    parts, kept = [dataset.get_batch([], names)], [np.zeros(0, np.int64)]
    for some in _by_block(dataset, places):
        try:
            parts.append(dataset.get_batch(some, names))
            kept.append(some)
        except DatasetError as error:
            damaged[_block(dataset, some[0])] = str(error)
    return {name: np.concatenate([part[name] for part in parts]) for name in names}, np.concatenate(kept)


def _audio(
    dataset: Dataset, places: NDArray[np.int64], chunk: NDArray[np.int64], damaged: dict[str, str]
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    for some in np.split(chunk, np.flatnonzero(np.diff(dataset.rows[places[chunk]] // dataset.plan.block_rows)) + 1):
        block = _block(dataset, places[some[0]])
        if block in damaged:
            continue
        try:
            audio = dataset.get_batch(places[some], ["audio"])["audio"]
        except DatasetError as error:
            damaged[block] = str(error)
            continue
        for place, sound in zip(some.tolist(), audio, strict=True):
            if np.isfinite(sound).all():
                yield place, sound
            else:
                row = int(dataset.rows[places[place]])
                damaged[f"row {row}"] = "it has samples that are not finite."


def _by_block(dataset: Dataset, places: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    if not len(places):
        return []
    return np.split(places, np.flatnonzero(np.diff(dataset.rows[places] // dataset.plan.block_rows)) + 1)


def _block(dataset: Dataset, place: np.int64) -> str:
    return f"block {dataset.rows[place] // dataset.plan.block_rows}"


def _split(dataset: Dataset, columns: Mapping[str, NDArray[Any]]) -> tuple[str, ...]:
    splits = splits_of(dataset.attributes, dataset.storage.path)
    if splits is None:
        return ()
    return tuple(splits.names[place] if place >= 0 else LEFT_OUT for place in splits.of(columns).tolist())
