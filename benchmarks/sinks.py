"""What a row costs in each sink: bytes, CPU to write, speed to read; beside gzip-4 HDF5 by h5py, and a raw memmap.

The same rows of Vital are written and read by all, in turns: a round writes every block, reads every row in shuffled
batches with no reader process and with two, and once in order. All files are in the page cache. Needs Linux.

A second table is of many small blocks, so that no reader can have all of them open: a patch each, of the same sound.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import shutil
import tempfile
import time
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from multiprocessing.sharedctypes import RawArray
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import numpy as np
from _turns import circumstances, made
from numpy.typing import NDArray

from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.reader import Dataset
from tonesmith.host.registry import Host
from tonesmith.plan.block import Block, row_digests
from tonesmith.transfer.blocks import block_of

_READ = ("audio", "continuous", "categorical")
_BATCH = 32
_PASSES = 3
_SINKS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "zarr (default)": ("zarr", {}),
    "zarr int24": ("zarr", {"encoding": "int24"}),
    "hdf5": ("hdf5", {}),
    "lmdb": ("lmdb", {}),
    "folder wav": ("folder", {}),
    "webdataset npy": ("webdataset", {"audio": "npy"}),
    "webdataset flac": ("webdataset", {"audio": "flac"}),
    "parquet flac": ("parquet", {"audio": "flac"}),
    "parquet wav": ("parquet", {"audio": "wav"}),
}
_INCUMBENT, _MEMMAP, _DEFAULT = "h5py gzip-4", "memmap", "zarr (default)"

Batch = Mapping[str, NDArray[Any]]


class Store(ABC):
    """Somewhere to write the rows of blocks to, and to read them from by number."""

    def __init__(self, path: Path) -> None:
        self.path = path

    once = 0.0
    """CPU seconds of the last :meth:`write` that do not grow with the rows: to make the dataset and to finish it."""

    @abstractmethod
    def write(self, dataset: Dataset, blocks: Sequence[Block]) -> None:
        """Write all blocks, in order."""

    @abstractmethod
    def reader(self) -> Any:
        """Return a function that reads a batch of rows, by number; opened in the process that calls it."""

    def nbytes(self) -> int:
        """Return the bytes of all files."""
        files = [self.path, *self.path.rglob("*")] if self.path.is_dir() else [self.path]
        return sum(file.stat().st_size for file in files if file.is_file())


class Tonesmith(Store):
    """A sink."""

    def __init__(self, path: Path, sink: str, options: Mapping[str, Any]) -> None:
        super().__init__(path)
        self._sink, self._options = sink, options

    def write(self, dataset: Dataset, blocks: Sequence[Block]) -> None:
        started = time.process_time()
        sink = Host.load().sink_at(self._sink, self._options, self.path)
        plan = dataset.plan
        sink.create(dataset.attributes, plan.schema, plan.rows, plan.block_rows)
        made = time.process_time()
        for block in blocks:
            sink.write_block(block)
        stored = time.process_time()
        sink.finish()
        self.once = made - started + time.process_time() - stored

    def reader(self) -> Any:
        opened = open_dataset(self.path)
        return lambda rows: opened.get_batch(rows, _READ)


class H5py(Store):
    """What most scripts do: one file that grows by a row, a chunk a row, gzip 4, no shuffle."""

    def write(self, dataset: Dataset, blocks: Sequence[Block]) -> None:
        import h5py

        with h5py.File(self.path, "w") as file:
            for block in blocks:
                for place in range(block.rows):
                    for name in _READ:
                        self._append(file, name, block.columns[name][place])

    @staticmethod
    def _append(file: Any, name: str, row: NDArray[Any]) -> None:
        if name not in file:
            shape, most = (0, *row.shape), (None, *row.shape)
            packed = {"compression": "gzip", "compression_opts": 4}
            file.create_dataset(name, shape, row.dtype, maxshape=most, chunks=(1, *row.shape), **packed)
        file[name].resize(len(file[name]) + 1, axis=0)
        file[name][-1] = row

    def reader(self) -> Any:
        import h5py

        file = h5py.File(self.path, "r")
        columns = {name: file[name] for name in _READ}
        return lambda rows: {name: np.stack([column[i] for i in rows]) for name, column in columns.items()}


class Memmap(Store):
    """Raw arrays: the limit of what reading can be."""

    def write(self, dataset: Dataset, blocks: Sequence[Block]) -> None:
        self.path.mkdir()
        for name in _READ:
            arrays = [block.columns[name] for block in blocks]
            shape = (sum(map(len, arrays)), *arrays[0].shape[1:])
            whole = np.lib.format.open_memmap(self.path / f"{name}.npy", "w+", arrays[0].dtype, shape)
            first = 0
            for array in arrays:
                whole[first : first + len(array)] = array
                first += len(array)
            whole.flush()

    def reader(self) -> Any:
        columns = {name: np.load(self.path / f"{name}.npy", mmap_mode="r") for name in _READ}
        return lambda rows: {name: np.asarray(column[list(rows)]) for name, column in columns.items()}


def main() -> None:
    """Compare, and print a table."""
    options = _arguments()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        notes = {"pitches": [48, 60, 72], "hold": 1.5, "tail": 0.5}
        dataset = made(Path(folder) / "made.zarr", patches=options.patches, backend={"name": "vita"}, notes=notes)
        blocks = [block_of(dataset, index) for index in range(dataset.plan.blocks)]
        print(circumstances(options.rounds))
        print(f"{len(dataset)} rows of Vital, {_audio_bytes(dataset)} bytes of audio each")
        for store in _stores(Path(folder) / "warm").values():  # libraries are imported, and caches filled
            store.write(dataset, blocks)
        shutil.rmtree(Path(folder) / "warm")
        rounds: dict[str, list[dict[str, float]]] = defaultdict(list)
        for number in range(options.rounds):
            for name, store in _stores(Path(folder) / str(number)).items():
                rounds[name].append(_round(store, dataset, blocks))
            shutil.rmtree(Path(folder) / str(number))
        medians = {name: {key: median(one[key] for one in told) for key in told[0]} for name, told in rounds.items()}
        many = _read_many(Path(folder) / "many", dataset, options.blocks)
    print("\n".join([*_table(medians), "", *_table_of_many(many, options.blocks)]))
    if options.json:
        options.json.write_text(json.dumps({"rows": medians, "many blocks": many}, indent=2))


def _stores(folder: Path) -> dict[str, Store]:
    folder.mkdir()
    stores: dict[str, Store] = {_INCUMBENT: H5py(folder / "incumbent.h5"), _MEMMAP: Memmap(folder / "memmap")}
    for name, (sink, options) in _SINKS.items():
        stores[name] = Tonesmith(folder / name.replace(" ", "-"), sink, options)
    return stores


def _round(store: Store, dataset: Dataset, blocks: Sequence[Block]) -> dict[str, float]:
    """Write and read everything once, and return what it took."""
    rows, started = len(dataset), time.process_time()
    store.write(dataset, blocks)
    write = time.process_time() - started - store.once
    random = np.random.default_rng(1)
    shuffled = [batch for _ in range(_PASSES) for batch in _batches(random.permutation(rows).tolist())]
    in_order = _batches(list(range(rows))) * _PASSES
    return {
        "bytes": store.nbytes() / rows,
        "write": 1e3 * write / rows,
        "once": 1e3 * store.once,
        "alone": _PASSES * rows / _seconds_alone(store, shuffled),
        "two": _PASSES * rows / _seconds_of_two(store, shuffled, _audio_bytes(dataset)),
        "sequential": 1e-6 * _PASSES * rows * _audio_bytes(dataset) / _seconds_alone(store, in_order),
    }


def _read_many(folder: Path, source: Dataset, count: int) -> dict[str, dict[str, float]]:
    """Return CPU ms a row of shuffled reads of a dataset of many blocks: the first time, and once all were read."""
    stores = _stores(folder)
    dataset, blocks = _of_patches(folder / "made.zarr", source, count)
    random, told = np.random.default_rng(1), {}
    for name, store in stores.items():
        with patch("os.fsync"):  # of some ten thousand files, whose writing is not measured here
            store.write(dataset, blocks)
        passes = [_batches(random.permutation(dataset.plan.rows).tolist()) for _ in range(_PASSES)]
        read, spent = store.reader(), []
        for batches in passes:
            started = time.process_time()
            for batch in batches:
                read(batch)
            spent.append(1e3 * (time.process_time() - started) / dataset.plan.rows)
        told[name] = {"first": spent[0], "later": median(spent[1:])}
        shutil.rmtree(store.path) if store.path.is_dir() else store.path.unlink()
    return told


def _of_patches(path: Path, source: Dataset, count: int) -> tuple[Dataset, list[Block]]:
    """Return a dataset with nothing in it yet, and its blocks: each a patch of another one, over and over."""
    notes, patches = source.plan.notes.per_patch, source.plan.patches
    plan = replace(source.plan, block=1, rounds=(count,))
    sink = Host.load().sink_at("zarr", {}, path)
    sink.create({**source.attributes, "plan": plan.to_json()}, plan.schema, plan.rows, plan.block_rows)
    known = [source.get_batch(slice(first * notes, (first + 1) * notes)) for first in range(min(count, patches))]
    digests = [tuple(row_digests(plan.schema, columns)) for columns in known]
    blocks = [Block(i, i * notes, known[i % patches], digests[i % patches], ()) for i in range(count)]
    return open_dataset(path), blocks


def _seconds_alone(store: Store, batches: Sequence[Sequence[int]]) -> float:
    read = store.reader()
    read(batches[0])
    started = time.monotonic()
    for batch in batches:
        read(batch)
    return time.monotonic() - started


def _seconds_of_two(store: Store, batches: Sequence[Sequence[int]], audio_bytes: int) -> float:
    """Let two processes read the batches into shared memory, as a data loader's workers do."""
    slots = [RawArray("b", _BATCH * audio_bytes) for _ in range(2)]
    context = multiprocessing.get_context("fork")
    gates = [context.Pipe() for _ in slots]
    readers = [
        context.Process(target=_read_all, args=(store, batches[number::2], slot, gate[1]))
        for number, (slot, gate) in enumerate(zip(slots, gates, strict=True))
    ]
    for reader in readers:
        reader.start()
    for gate, _ in gates:
        gate.recv()
    started = time.monotonic()
    for gate, _ in gates:
        gate.send("go")
    for reader in readers:
        reader.join()
        if reader.exitcode:
            raise SystemExit("a reader died")
    return time.monotonic() - started


def _read_all(store: Store, batches: Sequence[Sequence[int]], slot: Any, gate: Any) -> None:
    read, shared = store.reader(), np.frombuffer(slot, np.float32)
    shared[:] = 0.0
    read(batches[0])
    gate.send("ready")
    gate.recv()
    for batch in batches:
        audio = read(batch)["audio"]
        shared[: audio.size] = audio.reshape(-1)


def _batches(rows: Sequence[int]) -> list[Sequence[int]]:
    return [rows[first : first + _BATCH] for first in range(0, len(rows), _BATCH)]


def _audio_bytes(dataset: Dataset) -> int:
    return 4 * dataset.plan.audio.channels * dataset.plan.audio.frames


def _table(medians: Mapping[str, Mapping[str, float]]) -> list[str]:
    incumbent, default = medians[_INCUMBENT], medians[_DEFAULT]
    columns = (("kB/row", 7), ("write", 7), ("once", 6), ("rows/s", 8), ("by two", 8), ("MB/s", 7))
    head = "".join([" " * 16, *(f"{title:>{width}}" for title, width in columns), f"{'write x':>9}{'read x':>8}"])
    lines = [head]
    for name, told in medians.items():
        lines.append(
            f"{name:<16}{told['bytes'] / 1e3:>7.0f}{told['write']:>7.2f}{told['once']:>6.0f}{told['alone']:>8.0f}"
            f"{told['two']:>8.0f}{told['sequential']:>7.0f}{incumbent['write'] / told['write']:>9.1f}"
            f"{told['alone'] / incumbent['alone']:>8.1f}"
        )
    share = default["bytes"] / incumbent["bytes"]
    lines.append("write: CPU ms a row; once: CPU ms a dataset; rows/s: shuffled; x: of the incumbent's speed")
    lines.append(f"the default takes {share:.2f} of the incumbent's bytes")
    return lines


def _table_of_many(many: Mapping[str, Mapping[str, float]], count: int) -> list[str]:
    incumbent = many[_INCUMBENT]["later"]
    lines = [f"{count} blocks of a patch each; shuffled, CPU ms a row"]
    lines.append(f"{'':16}{'first':>8}{'later':>8}{'read x':>8}")
    for name, told in many.items():
        lines.append(f"{name:<16}{told['first']:>8.2f}{told['later']:>8.2f}{incumbent / told['later']:>8.1f}")
    return [*lines, "first: no block was read before; later: median of the passes after it"]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patches", type=int, default=96, help="of Vital, each at 3 pitches")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--blocks", type=int, default=400, help="of the second table")
    parser.add_argument("--folder", type=Path, help="where to write; default the system's temporary folder")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the medians too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
