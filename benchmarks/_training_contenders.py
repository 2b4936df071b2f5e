"""The processes that ``training.py`` compares: each gives batches of tensors, as a training loop takes them.

Started as ``python _training_contenders.py KIND JOB``, as ``_contenders.py`` is. Every reader gives all rows in batches
of 32 in a random order, with no worker process: the audio or the stored ``mel``, and both parts of the label.
Readers of others are used as their own documentation says.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from tonesmith import match, open_dataset, stream

LABELS = ("continuous", "categorical")
BATCH = 32
_SHARD = 48
"""Rows of a shard of webdataset, as of a block of the dataset."""

Batch = Mapping[str, torch.Tensor]
Arrays = Mapping[str, NDArray[Any]]


def write_h5py(folder: Path, rows: Arrays) -> None:
    """What most scripts do: one file, a chunk a row, gzip 4."""
    import h5py

    with h5py.File(folder / "rows.h5", "w") as file:
        for name, values in rows.items():
            chunks = (1, *values.shape[1:])
            file.create_dataset(name, data=values, chunks=chunks, compression="gzip", compression_opts=4)


def write_webdataset(folder: Path, rows: Arrays) -> None:
    """Write shards with a ``.npy`` member for each array of a row."""
    import webdataset

    with webdataset.ShardWriter(f"{folder}/%06d.tar", maxcount=_SHARD, verbose=0) as shards:
        for number in range(len(rows["continuous"])):
            arrays = {f"{name}.npy": values[number] for name, values in rows.items()}
            shards.write({"__key__": f"{number:09}", **arrays})


def write_parquet(folder: Path, rows: Arrays) -> None:
    """Write a Parquet file by ``datasets``, with a feature of two axes for sounds and spectrograms."""
    import datasets

    def feature(values: NDArray[Any]) -> Any:
        inner = values.shape[1:]
        of_two = datasets.Array2D(inner, str(values.dtype))
        return of_two if len(inner) == 2 else datasets.Sequence(datasets.Value(str(values.dtype)), length=inner[0])

    features = datasets.Features({name: feature(values) for name, values in rows.items()})
    made = datasets.Dataset.from_dict({name: list(values) for name, values in rows.items()}, features)
    datasets.disable_progress_bars()
    made.to_parquet(folder / "rows.parquet", batch_size=BATCH)


WRITERS: Mapping[str, Callable[[Path, Arrays], None]] = {
    "h5py gzip-4": write_h5py,
    "webdataset npy": write_webdataset,
    "datasets parquet": write_parquet,
}


def ours(path: Path, what: str) -> Iterable[Batch]:
    """Return a loader of a dataset of tonesmith."""
    stored = what == "mel"
    columns, features = [*LABELS] if stored else [what, *LABELS], ["mel"] if stored else []
    return open_dataset(path).torch(columns=columns, features=features).loader(batch_size=BATCH)


class _H5py(Dataset[Batch]):
    """Rows of one file, each by itself."""

    def __init__(self, path: Path, names: tuple[str, ...]) -> None:
        import h5py

        self._file = h5py.File(path / "rows.h5", "r")
        self._names = names

    def __len__(self) -> int:
        return len(self._file[self._names[0]])

    def __getitem__(self, index: int) -> Batch:
        return {name: torch.from_numpy(np.asarray(self._file[name][index])) for name in self._names}


def read_h5py(path: Path, what: str) -> Iterable[Batch]:
    """Return a loader of rows."""
    return DataLoader(_H5py(path, (what, *LABELS)), batch_size=BATCH, shuffle=True)


def read_webdataset(path: Path, what: str) -> Iterable[Batch]:
    """Return a loader of shards in a random order, with a buffer of two shards."""
    import webdataset

    names = (what, *LABELS)
    shards = [str(file) for file in sorted(path.glob("*.tar"))]
    rows = webdataset.WebDataset(shards, shardshuffle=len(shards), nodesplitter=None, empty_check=False)
    rows = rows.shuffle(2 * _SHARD).decode().to_tuple(*(f"{name}.npy" for name in names))
    batches = rows.batched(BATCH, collation_fn=lambda some: _stacked(names, some))
    return webdataset.WebLoader(batches, batch_size=None, num_workers=0)


def _stacked(names: tuple[str, ...], rows: list[tuple[NDArray[Any], ...]]) -> Batch:
    columns = zip(names, zip(*rows, strict=True), strict=True)
    return {name: torch.from_numpy(np.stack(values)) for name, values in columns}


def read_parquet(path: Path, what: str) -> Iterable[Batch]:
    """Return a loader of rows, several at a time, in the format of torch."""
    import datasets

    cache = str(path / "cache")
    rows = datasets.load_dataset("parquet", data_files=str(path / "rows.parquet"), split="train", cache_dir=cache)
    chosen = rows.select_columns([what, *LABELS]).with_format("torch")
    return DataLoader(chosen, batch_size=BATCH, shuffle=True)


READERS: Mapping[str, Callable[[Path, str], Iterable[Batch]]] = {
    "zarr": ours,
    "lmdb": ours,
    "h5py gzip-4": read_h5py,
    "webdataset npy": read_webdataset,
    "datasets parquet": read_parquet,
}


def loading(job: Mapping[str, Any]) -> Callable[[], Mapping[str, float]]:
    """Read all rows as often as the job says.

    Each round returns how many rows there were, the sum of what was asked for, and the CPU seconds of all threads.
    """
    batches = READERS[job["kind"]](Path(job["path"]), job["what"])

    def once() -> dict[str, float]:
        rows, total, started = 0, 0.0, time.process_time()
        for _ in range(job["passes"]):
            for batch in batches:
                values = next(values for name, values in batch.items() if name.endswith(job["what"]))
                rows += len(values)
                total += float(values.sum(dtype=torch.float64))
        return {"rows": rows, "sum": total, "own": time.process_time() - started}

    return once


def streaming(job: Mapping[str, Any]) -> Callable[[], Mapping[str, float]]:
    """Render as many rows as the job says, and go on with the next ones in the next round."""
    rows = iter(stream(None, ["audio", *LABELS], **job["settings"]))

    def once() -> dict[str, float]:
        return {"rows": sum(1 for _ in _some(rows, job["rows"]))}

    return once


def _some(rows: Iterator[Any], count: int) -> Iterator[Any]:
    for _ in range(count):
        yield next(rows)


def matching(job: Mapping[str, Any]) -> Callable[[], Mapping[str, float]]:
    """Match a row of a dataset with two workers, and as many renders as the job says."""
    path, renders = Path(job["path"]), job["renders"]

    def once() -> dict[str, float]:
        started = time.monotonic()
        match(path, path, row=0, renders=renders, workers=2)
        return {"wall": time.monotonic() - started}

    return once


def rendering(job: Mapping[str, Any]) -> Callable[[], Mapping[str, float]]:
    """Render the labels of a dataset's rows with two workers, again and again, as many as the job says."""
    dataset = open_dataset(job["path"])
    labels = [dataset[number % len(dataset)].label for number in range(job["renders"])]

    def once() -> dict[str, float]:
        started = time.monotonic()
        dataset.render(labels, notes=dataset[0].note, workers=2)
        return {"wall": time.monotonic() - started}

    return once


KINDS = {"loading": loading, "stream": streaming, "match": matching, "render": rendering}


def main() -> None:
    """Get ready, then do a round for each line of standard input."""
    torch.set_num_threads(1)
    os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_DISABLE_PROGRESS_BARS"] = "1"
    once = KINDS[sys.argv[1]](json.loads(Path(sys.argv[2]).read_text()))
    print("{}", flush=True)
    for _ in sys.stdin:
        print(json.dumps(once()), flush=True)
    os._exit(0)  # a stream's engine ends with this process


if __name__ == "__main__":
    main()
