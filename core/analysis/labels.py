"""The labels of patches, read block by block: of all, or of blocks drawn at random where all would be too many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.dataset.reader import Dataset
from tonesmith.errors import DatasetError
from tonesmith.space.sampling import key_of

_TOGETHER = 4096
"""Rows that are read at once."""


@dataclass(frozen=True, slots=True, eq=False)
class PatchLabels:
    """The labels of patches, each once however many notes played it.

    Attributes:
        origin: int64 (patches,), indices of the plan's origins.
        continuous: normalised, float32 (patches, continuous parameters).
        categorical: indices of choices, int32 (patches, categorical parameters).
        audible: bool (patches, parameters): which the gates leave audible.
        routings: int64 (routings, 2): source and destination of each modulation that is not bypassed.
        whole: whether these are all patches that could be read.
        damaged: such as "block 3" -> what is wrong with it, of those that could not be read.
    """

    origin: NDArray[np.int64]
    continuous: NDArray[np.float32]
    categorical: NDArray[np.int32]
    audible: NDArray[np.bool_]
    routings: NDArray[np.int64]
    whole: bool
    damaged: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.origin)


def labels_of(dataset: Dataset, most: int = 0, seed: int = 0, *, lenient: bool = False) -> PatchLabels:
    """Return the labels of patches.

    Args:
        dataset: to read.
        most: values that may be in memory; blocks are drawn at random until they are so many. 0 for no limit.
        seed: of the draw.
        lenient: whether to leave out blocks that cannot be read, rather than to raise :class:`DatasetError`.
    """
    parts, damaged, held, whole = [_empty(dataset)], dict[str, str](), 0, True
    for rows in _batches(dataset, most, seed):
        if most and held >= most:
            whole = False
            break
        for part in _read(dataset, rows, damaged, lenient=lenient):
            parts.append(part)
            held += sum(array.size for name, array in part.items() if name in {"continuous", "categorical", "audible"})
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return PatchLabels(**joined, whole=whole, damaged=damaged)


def _empty(dataset: Dataset) -> dict[str, NDArray[Any]]:
    space = dataset.space
    return {
        "origin": np.zeros(0, np.int64),
        "continuous": np.zeros((0, len(space.continuous)), np.float32),
        "categorical": np.zeros((0, len(space.categorical)), np.int32),
        "audible": np.zeros((0, len(space.names)), np.bool_),
        "routings": np.zeros((0, 2), np.int64),
    }


def _batches(dataset: Dataset, most: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Yield the numbers of rows of whole blocks: in order, or in a drawn order where only some will be read."""
    size = dataset.plan.block_rows
    firsts = np.flatnonzero(np.diff(dataset.rows // size, prepend=-1))
    groups = np.split(dataset.rows, firsts[1:]) if len(firsts) else []
    of_block, together = dataset.plan.block * 2 * len(dataset.space.names), max(1, _TOGETHER // size)
    if most and len(groups) * of_block > most:
        random = np.random.Generator(np.random.Philox(key=key_of(seed, "report blocks")))
        groups = [groups[place] for place in random.permutation(len(groups))]
        together = max(1, min(together, most // of_block))
    for first in range(0, len(groups), together):
        yield np.sort(np.concatenate(groups[first : first + together]))


def _read(
    dataset: Dataset, rows: NDArray[np.int64], damaged: dict[str, str], *, lenient: bool
) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield the labels of the first row of each patch; of each block by itself where one cannot be read."""
    try:
        yield _patches(dataset, rows)
    except DatasetError as error:
        if not lenient:
            raise
        blocks = rows // dataset.plan.block_rows
        if blocks[0] == blocks[-1]:
            damaged[f"block {blocks[0]}"] = str(error)
            return
        for block in np.unique(blocks):
            yield from _read(dataset, rows[blocks == block], damaged, lenient=True)


def _patches(dataset: Dataset, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    # All rows of a patch are in one block
    first = np.unique(dataset.read_rows(["patch"], rows)["patch"], return_index=True)[1]
    space, chosen = dataset.space, rows[first]
    names = ["origin", *["audible"] * bool(space.names)]
    names += ["continuous"] * bool(space.continuous) + ["categorical"] * bool(space.categorical)
    read = dataset.read_rows(names, chosen)
    _check(dataset, read)
    empty = {name: np.zeros((len(chosen), *array.shape[1:]), array.dtype) for name, array in _empty(dataset).items()}
    found = {**empty, **read, "routings": _routings(dataset, chosen)}
    return {**found, "origin": read["origin"].astype(np.int64)}


def _check(dataset: Dataset, read: Mapping[str, NDArray[Any]]) -> None:
    """Raise :class:`DatasetError` for what no label can hold: it would be counted in no bin, or end the program."""
    origins, counts = len(dataset.plan.origins), dataset.space.counts
    fine = ((read["origin"] >= 0) & (read["origin"] < origins)).all()
    if "continuous" in read:
        fine = fine and ((read["continuous"] >= 0.0) & (read["continuous"] <= 1.0)).all()
    if "categorical" in read:
        fine = fine and ((read["categorical"] >= 0) & (read["categorical"] < counts)).all()
    if not fine:
        raise DatasetError("a stored label lies outside the range of its parameters, or names an unknown origin.")


def _routings(dataset: Dataset, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    space = dataset.space
    if not space.modulation_slots:
        return np.zeros((0, 2), np.int64)
    read = dataset.read_rows([f"modulation/{name}" for name in ("source", "destination", "bypass")], rows)
    return routings_of(dataset, read)[1]


def routings_of(dataset: Dataset, read: Mapping[str, NDArray[Any]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the row that each modulation is in, int64 (n,), and its source and destination, int64 (n, 2).

    Modulations that are bypassed are left out.

    Args:
        dataset: whose space they are of.
        read: the columns ``modulation/source``, ``destination`` and ``bypass``, each (rows, slots).

    Raises :class:`DatasetError` if one connects what the space does not have.
    """
    source, destination, bypass = (read[f"modulation/{name}"] for name in ("source", "destination", "bypass"))
    there = (source >= 0) & (bypass != 1)
    pairs = np.stack([source[there], destination[there]], axis=1).astype(np.int64)
    space = dataset.space
    if len(pairs) and ((pairs < 0) | (pairs >= (len(space.sources), len(space.destinations)))).any():
        raise DatasetError("a stored modulation connects what the space does not have.")
    return np.nonzero(there)[0], pairs
