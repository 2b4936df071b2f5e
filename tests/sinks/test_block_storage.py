"""What is kept of blocks that were read: their files within a limit, what is small for many more."""

from __future__ import annotations

import gc
import os
import random
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import sampled

from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.report import coverage, report
from tonesmith.host.roles import Sink
from tonesmith.sinks.base import block_storage as _block_storage
from tonesmith.sinks.base import records
from tonesmith.sinks.base.kept import Kept
from tonesmith.sinks.folder import AudioFolderSink
from tonesmith.sinks.hdf5 import Hdf5Sink
from tonesmith.sinks.hdf5 import reader as _hdf5_reader
from tonesmith.sinks.lmdb import LmdbSink
from tonesmith.sinks.parquet import ParquetSink
from tonesmith.sinks.webdataset import WebDatasetSink
from tonesmith.sinks.zarr import ZarrSink
from tonesmith.sinks.zarr import storage as _zarr_storage
from tonesmith.testing.sink_processes import Case
from tonesmith.testing.synthetic import synthetic_plan

_BLOCKS = 14
_SINKS: list[Any] = [AudioFolderSink, Hdf5Sink, LmdbSink, ParquetSink, WebDatasetSink]


def written(path: Path, sink: type[Sink[Any]], blocks: int = _BLOCKS) -> Case:
    """Return a dataset of small blocks: a patch each, of two notes."""
    case = Case(sink, {}, path, synthetic_plan(patches=blocks, block=1, frames=40))
    made = case.created()
    for index in range(blocks):
        made.write_block(case.block(index))
    return case


def few_files(patch: pytest.MonkeyPatch, most: int = 3) -> None:
    patch.setattr(_block_storage, "_KEPT_FILES", most)


def counted(patch: pytest.MonkeyPatch, owner: Any, name: str) -> list[Any]:
    """Count the calls of a function, by its first argument."""
    calls, function = [], getattr(owner, name)

    def counting(first: Any, *args: Any, **named: Any) -> Any:
        calls.append(first)
        return function(first, *args, **named)

    patch.setattr(owner, name, counting)
    return calls


def open_files(most: int = 0) -> int:
    """Return how many files are open; what is over ``most`` may only be waiting for the collector."""
    found = sum(1 for _ in Path("/proc/self/fd").iterdir())
    if found <= most:
        return found
    gc.collect()
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize("sink", sampled(_SINKS, 3))
def test_an_epoch_in_any_order_reads_each_marker_twice_with_few_files_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sink: type[Sink[Any]]
) -> None:
    written(tmp_path / "d", sink)
    few_files(monkeypatch)
    dataset, before = open_dataset(tmp_path / "d"), open_files()
    read, found = counted(monkeypatch, records.Marker, "read"), []
    rows = [*range(len(dataset))] * 2
    random.Random(1).shuffle(rows)
    for row in rows:
        found.append(dataset.get_sample(row, ["audio", "continuous", "pitch"]))
        most = before + 3 + 1
        assert open_files(most) <= most  # one of them is of the folder that tells how many are open
    assert len(read) == 2 * _BLOCKS  # for its plan, and for its places
    again = open_dataset(tmp_path / "d").get_batch(rows)
    for name in found[0]:
        np.testing.assert_array_equal(np.stack([sample[name] for sample in found]), again[name])


@pytest.mark.parametrize("sink", sampled(_SINKS, 3))
def test_a_report_opens_each_block_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sink: type[Sink[Any]]) -> None:
    written(tmp_path / "d", sink)
    monkeypatch.setattr(_block_storage, "KEPT_BYTES", 1)
    monkeypatch.setattr("tonesmith.dataset.reader._CHUNK_BLOCKS", 1)
    for told in (report, coverage):
        dataset = open_dataset(tmp_path / "d")
        opened = counted(monkeypatch, _block_storage, "_OpenedBlock")
        told(dataset)
        assert Counter(marker.block for marker in opened) == dict.fromkeys(range(_BLOCKS), 1)


def test_a_report_is_the_same_whatever_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / "d", LmdbSink)
    dataset, told = open_dataset(tmp_path / "d"), []
    for rows, blocks in ((8192, 64), (6, 64), (8192, 5), (1, 1)):
        monkeypatch.setattr("tonesmith.dataset.reader._CHUNK_ROWS", rows)
        monkeypatch.setattr("tonesmith.dataset.reader._CHUNK_BLOCKS", blocks)
        told.append((report(dataset), coverage(dataset)))
        assert np.concatenate([chunk["patch"] for chunk in dataset.chunks()]).tolist() == [i // 2 for i in range(28)]
    assert told[0][0]["patches_accepted"] == sum(told[0][1][0]["counts"]) == _BLOCKS
    assert told == [told[0]] * 4


def test_the_file_that_is_read_again_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / "d", WebDatasetSink)
    few_files(monkeypatch)
    storage = open_dataset(tmp_path / "d").storage
    storage.read("pitch", [0])
    opened = counted(monkeypatch, os, "open")
    for row in range(2, 2 * _BLOCKS):
        storage.read("pitch", [row])
        storage.read("audio", [0])
    assert not [path for path in map(str, opened) if path.endswith("000000.tar")]
    assert sum(str(path).endswith(".tar") for path in opened) == _BLOCKS - 1


def test_what_is_kept_of_blocks_takes_no_more_memory_than_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "d", ParquetSink)
    monkeypatch.setattr(_block_storage, "KEPT_BYTES", 40_000)
    storage: Any = ParquetSink.open(tmp_path / "d")
    for row in range(2 * _BLOCKS):
        storage.read("continuous", [row])
    kept = [opened for opened, _ in storage._kept._held.values()]
    assert 1 < len(kept) < _BLOCKS
    assert sum(opened.nbytes for opened in kept) == storage._kept._weight <= 40_000
    assert set(storage._awake._held) <= set(storage._kept._held)


@pytest.mark.parametrize("sink", _SINKS)
def test_a_block_whose_file_is_replaced_while_it_is_closed_is_opened_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sink: type[Sink[Any]]
) -> None:
    case = written(tmp_path / "d", sink, 4)
    few_files(monkeypatch, 1)
    storage = open_dataset(tmp_path / "d").storage
    before = storage.read("audio", [1])
    storage.read("audio", [3])
    case.made().write_block(case.block(0, seed=5))
    assert not np.array_equal(storage.read("audio", [1]), before)
    storage.read("audio", [3])
    case.made().write_block(case.block(0, seed=5))  # the same rows again, in another file
    np.testing.assert_array_equal(storage.read("audio", [0, 1]), case.block(0, seed=5).columns["audio"])


def test_threads_read_rows_while_files_are_closed_under_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for sink in _SINKS:
        written(tmp_path / sink.name, sink)
        few_files(monkeypatch, 1)
        dataset = open_dataset(tmp_path / sink.name)
        whole, wrong = dataset.get_batch(slice(None)), []

        def read(seed: int, dataset: Dataset = dataset, whole: Any = whole, wrong: list[Any] = wrong) -> None:
            for row in random.Random(seed).choices(range(len(dataset)), k=20):
                sample = dataset.get_sample(row, ["audio", "pitch", "continuous"])
                wrong += [(row, name) for name, array in sample.items() if not np.array_equal(array, whole[name][row])]

        threads = [threading.Thread(target=read, args=(seed,)) for seed in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong


def test_one_block_is_looked_up_without_a_look_at_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = written(tmp_path / "d", LmdbSink)
    seen = counted(monkeypatch, os, "lstat")
    case.made().write_block(case.block(3))
    LmdbSink.open(tmp_path / "d").read("pitch", [6])
    assert {name[:6] for name in (Path(path).name for path in seen) if name[:6].isdigit()} == {"000003"}


def test_a_reader_of_more_blocks_lists_the_markers_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / "d", LmdbSink)
    storage = LmdbSink.open(tmp_path / "d")
    listed = counted(monkeypatch, records, "markers")
    for row in range(2 * _BLOCKS):
        storage.read("pitch", [row])
    assert len(listed) == 2


def test_audio_of_parquet_is_read_without_its_footer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = written(tmp_path / "d", ParquetSink, 1)
    monkeypatch.setattr("pyarrow.parquet.ParquetFile", None)
    again = ParquetSink.open(tmp_path / "d").read("audio", [0, 1])
    np.testing.assert_array_equal(again, case.block(0).columns["audio"])
    assert np.abs(again).max() > 1.0  # so that its scale counts


@pytest.mark.parametrize(
    ("sink", "owner", "name"), [(ZarrSink, _zarr_storage, "read_chunk"), (Hdf5Sink, _hdf5_reader.Rows, "_chunk")]
)
def test_labels_are_unpacked_once_for_epochs_in_any_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sink: type[Sink[Any]], owner: Any, name: str
) -> None:
    written(tmp_path / "d", sink)
    dataset, unpacked = open_dataset(tmp_path / "d"), counted(monkeypatch, owner, name)
    for row in [*range(0, 28, 2), *range(1, 28, 2)]:
        dataset.get_sample(row, ["continuous", "pitch"])
    assert len(unpacked) in (2 * _BLOCKS, 4 * _BLOCKS)  # HDF5 counts rows of a block, which are two


def test_what_was_used_last_is_kept() -> None:
    kept: Kept[str, int] = Kept(10)
    assert [kept.put("a", 1, 4), kept.put("b", 2, 4), kept.get("a")] == [[], [], 1]
    assert kept.put("c", 3, 4) == [("b", 2)]
    assert kept.put("a", 9, 7) == [("c", 3)]
    assert kept.put("d", 4, 99) == [("a", 9)]  # one is always kept
    assert [kept.get("a"), kept.get("d"), kept.drop("d"), kept.drop("d")] == [None, 4, True, False]
    assert kept.put("e", 5, 10) == []


def test_a_fork_while_another_thread_holds_the_lock_leaves_the_child_free(tmp_path: Path) -> None:
    kept: Kept[str, int] = Kept(10)
    kept.put("a", 1, 1)
    with kept._lock:
        child = os.fork()
        if not child:
            os._exit(0 if kept.get("a") is None and kept.put("a", 2, 1) == [] and kept.get("a") == 2 else 1)
    assert os.waitpid(child, 0)[1] == 0
