"""What every sink keeps to, as tests: subclass :class:`SinkContract` and run pytest.

::

    from tonesmith.testing import SinkContract

    class TestMySink(SinkContract):
        sink = MySink
        options = {"level": 3}
"""

from __future__ import annotations

import json
import os
import pickle
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.splits import Splits
from tonesmith.dataset.verify import check_integrity
from tonesmith.errors import DatasetError, DatasetNotFoundError
from tonesmith.host.roles import Sink, Storage
from tonesmith.plan.block import dataset_digest
from tonesmith.plan.plan import Plan
from tonesmith.plan.rejection import Rejection
from tonesmith.space.parameter import Parameter
from tonesmith.space.space import ParameterSpace
from tonesmith.testing import sink_processes as processes
from tonesmith.testing.sink_processes import Case
from tonesmith.testing.synthetic import ASSETS, attributes_of, synthetic_block, synthetic_plan, synthetic_space

_ONE_KNOB = ParameterSpace((Parameter("knob", "continuous", 0.0, 1.0, 0.5),))
_ODD_NAMES = ParameterSpace(
    (
        Parameter("Größe / 大きさ", "continuous", 0.0, 1.0, 0.5),
        Parameter('a "quoted" | name\n`x`', "continuous", 0.0, 1.0, 0.5),
        Parameter("audio", "categorical", 0.0, 1.0, 0.0, choices=("é, ü", "<b>🎹</b>")),
        Parameter("../pitch", "categorical", 0.0, 1.0, 0.0),
    )
)
_SPACES = {
    "no modulations": synthetic_space(modulation_slots=0),
    "no assets": synthetic_space(assets=False),
    "one knob": _ONE_KNOB,
    "nothing varies": replace(_ONE_KNOB, fixed={"knob": 0.25}),
}


class SinkFormContract:
    """What each form of a sink keeps to, such as one with other options: tests that run in this process alone."""

    sink: ClassVar[type[Sink[Any]]]
    options: ClassVar[Mapping[str, Any]] = {}

    @pytest.fixture(autouse=True)
    def _unflushed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "fsync", processes.unflushed)

    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        """Return 20 rows in blocks of 8, 8 and 4, in a folder that is not there yet."""
        return Case(self.sink, self.options, tmp_path / "dätaset", synthetic_plan())

    @pytest.fixture
    def written(self, case: Case) -> Case:
        """Return the same, with every block stored."""
        case.created()
        processes.write(case, range(case.plan.blocks))
        return case

    def test_it_has_a_name_and_a_summary(self) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_-]*", self.sink.name)
        assert self.sink.summary
        assert "\n" not in self.sink.summary

    def test_every_option_has_a_default_and_a_description(self) -> None:
        for name, option in self.sink.Options.model_fields.items():
            assert not option.is_required(), f"the option {name} has no default"
            assert option.description, f"the option {name} has no description"

    def test_a_sink_rebuilt_from_name_and_options_stores_the_same(self, case: Case) -> None:
        sink = case.created()
        stored = json.loads(json.dumps(sink.options.model_dump(mode="json")))
        rebuilt = self.sink(self.sink.Options.model_validate(stored), case.path)
        rebuilt.write_block(case.block(1))
        assert dict(sink.committed()) == {1: 8}
        _assert_same(case.read(self.sink.open(case.path), 1), case.block(1).columns)

    def test_every_bit_is_read_back(self, written: Case) -> None:
        storage = self.sink.open(written.path)
        assert dict(storage.committed()) == {0: 8, 1: 8, 2: 4}
        for index in range(3):
            block = written.block(index)
            assert tuple(storage.blocks()[index]) == block.digests
            _assert_same(written.read(storage, index), block.columns)

    def test_rows_are_read_in_any_order(self, written: Case) -> None:
        storage, rows = self.sink.open(written.path), [17, 3, 3, 0, 9, 19]
        for column in written.plan.schema:
            whole = np.concatenate([written.block(i).columns[column.name] for i in range(3)])
            np.testing.assert_array_equal(storage.read(column.name, rows), whole[rows])
            assert storage.read(column.name, []).shape == (0, *column.shape)

    def test_stored_tells_what_is_read_back_and_is_idempotent(self, case: Case) -> None:
        sink = case.made()
        audio = np.linspace(-1.7, 1.7, 2 * 300, dtype=np.float32).reshape(2, 300)
        before = audio.copy()
        once = sink.stored(audio)
        assert (str(once.dtype), once.shape) == ("float32", audio.shape)
        np.testing.assert_array_equal(audio, before, "stored() changed its argument")
        np.testing.assert_array_equal(sink.stored(once), once)
        np.testing.assert_allclose(once, audio, rtol=2e-3, atol=1e-4)
        assert not sink.stored(np.zeros((2, 300), np.float32)).any()

    def test_only_what_was_written_is_committed(self, case: Case) -> None:
        sink = case.created()
        assert dict(sink.committed()) == {}
        sink.write_block(case.block(2))
        assert dict(sink.committed()) == {2: 4}
        sink.write_block(case.block(0))
        assert dict(case.made().committed()) == {0: 8, 2: 4}
        with pytest.raises(DatasetError, match="block 1"):
            self.sink.open(case.path).read("pitch", [8])

    def test_it_says_whether_it_is_lossy(self, case: Case) -> None:
        sink, random = case.made(), np.random.default_rng(3)
        audio = random.uniform(-1.5, 1.5, (2, 300)).astype(np.float32)
        assert np.array_equal(sink.stored(audio), audio) != sink.lossy

    def test_the_digest_is_that_of_the_rows_whichever_sink_holds_them(self, written: Case) -> None:
        opened, sink = Dataset(self.sink.open(written.path)), written.made()
        for content in ASSETS.values():
            sink.add_asset(content)
        blocks = [synthetic_block(written.plan, index, sink if sink.lossy else None) for index in range(3)]
        assert opened.digest == dataset_digest([digest for block in blocks for digest in block.digests])
        assert list(check_integrity(opened)) == []

    def test_names_may_be_any_text(self, case: Case) -> None:
        case = case._replace(plan=synthetic_plan(space=_ODD_NAMES))
        case.created().write_block(case.block(0))
        opened = Dataset(self.sink.open(case.path))
        _assert_same(case.read(opened.storage, 0), case.block(0).columns)
        assert set(opened[1].parameters) == {p.name for p in _ODD_NAMES.parameters}
        assert case.made().file_sets(case.plan, ()) is not None

    def test_readers_are_the_same_for_every_sink(self, written: Case) -> None:
        opened = Dataset(self.sink.open(written.path))
        expected = {
            c.name: np.concatenate([written.block(i).columns[c.name] for i in range(3)]) for c in opened.plan.schema
        }
        sample = opened.get_sample(-1)
        assert sample.keys() == expected.keys()
        for name, array in expected.items():
            np.testing.assert_array_equal(sample[name], array[19], name)
        _assert_same(opened.get_batch([17, 3, 3]), {name: array[[17, 3, 3]] for name, array in expected.items()})
        assert opened.get_batch(slice(2, 5), ["pitch"]).keys() == {"pitch"}
        assert [int(row.columns["patch"]) for row in opened] == expected["patch"].tolist()
        told = json.loads(json.dumps(opened.info()))
        assert (told["rows"], told["sample_rate"], told["complete"]) == (20, 8000, True)

    def test_a_dataset_without_a_block_is_empty(self, case: Case) -> None:
        case.created()
        opened = Dataset(self.sink.open(case.path))
        assert (len(opened), opened.complete, list(opened), list(opened.rejections)) == (0, False, [], [])
        assert opened.get_batch([])["audio"].shape == (0, 2, 300)

    def test_the_lines_on_its_card_read_a_row(self, written: Case) -> None:
        written.made().finish()
        code = self.sink.loading(str(written.path))
        assert 1 <= len([line for line in code.splitlines() if line.strip()]) <= 5
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(written.path.parent / "cache")}
        subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=120)

    def test_what_its_card_tells_of_its_files_is_true(self, written: Case) -> None:
        written.made().finish()
        json.dumps(self.sink.front_matter(written.path, ["train", "val"]))
        found = {column.name for column in self.sink.columns(written.plan, ["train"])}
        assert found >= {column.name for column in written.plan.schema}
        for files in self.sink.file_sets(written.plan, ()):
            assert re.fullmatch(r"[A-Za-z0-9-]+", files.name)
            assert list(written.path.glob(files.includes)), f"no file is {files.includes}"

    def test_rows_are_found_however_they_are_split(self, written: Case) -> None:
        attributes, plan = attributes_of(written.plan), written.plan
        opened = Dataset(self.sink.open(written.path))
        for shares in ({"train": 0.5, "val": 0.25, "test": 0.25}, {"train": 0.3, "test": 0.7}):
            splits = Splits(shares).to_json()
            written.made().create({**attributes, "splits": splits}, plan.schema, plan.rows, plan.block_rows)
            for index in (1, 0, 2):
                written.check_whole(range(3))
                written.made().write_block(written.block(index))
            written.check_whole(range(3))
            assert dict(written.made().committed()) == {0: 8, 1: 8, 2: 4}
            divided = Dataset(self.sink.open(written.path))
            assert sorted(np.concatenate(list(divided.splits.values())).tolist()) == list(range(20))
            for name, rows in divided.splits.items():
                assert [row.row for row in divided.split(name)] == rows.tolist()
            again = Dataset(self.sink.open(written.path))
            _assert_same(again.get_batch(slice(None)), opened.get_batch(slice(None)))

    def test_a_silent_block_is_not_a_missing_one(self, case: Case) -> None:
        sink, block = case.created(), case.block(1)
        silent = replace(block, columns={name: np.zeros_like(array) for name, array in block.columns.items()})
        sink.write_block(silent)
        assert dict(sink.committed()) == {1: 8}
        _assert_same(case.read(self.sink.open(case.path), 1), silent.columns)

    @pytest.mark.parametrize("space", _SPACES.values(), ids=_SPACES.keys())
    def test_a_space_may_lack_what_others_have(self, case: Case, space: ParameterSpace) -> None:
        case = case._replace(plan=synthetic_plan(space=space, measures=()))
        case.created().write_block(case.block(0))
        _assert_same(case.read(self.sink.open(case.path), 0), case.block(0).columns)

    def test_attributes_come_back_and_are_brought_up_to_date(self, case: Case) -> None:
        sink, attributes = case.created(), attributes_of(case.plan)
        assert json.loads(json.dumps(self.sink.open(case.path).attributes)) == json.loads(json.dumps(attributes))
        sink.create({**attributes, "title": "東京"}, case.plan.schema, case.plan.rows, case.plan.block_rows)
        assert self.sink.open(case.path).attributes["title"] == "東京"

    def test_a_block_written_again_replaces_the_first(self, written: Case) -> None:
        sink, other = written.made(), written.block(1, seed=5)
        sink.write_block(other)
        sink.write_block(other)
        storage = self.sink.open(written.path)
        assert tuple(storage.blocks()[1]) == other.digests
        _assert_same(written.read(storage, 1), other.columns)
        _assert_same(written.read(storage, 0), written.block(0).columns)

    def test_an_extended_dataset_keeps_its_rows_and_grows_its_last_block(self, written: Case) -> None:
        written.made().finish()
        opened = self.sink.open(written.path)
        longer = written._replace(plan=written.plan.extended_to(15))
        sink = longer.created()
        assert dict(sink.committed()) == {0: 8, 1: 8, 2: 4}
        _assert_same(written.read(opened, 2), written.block(2).columns)
        processes.write(longer, [2, 3])
        sink.finish()
        storage = self.sink.open(written.path)
        assert dict(storage.committed()) == {0: 8, 1: 8, 2: 8, 3: 6}
        assert Plan.from_json(storage.attributes["plan"]).rows == 30
        for index in (2, 0, 1, 3):
            _assert_same(longer.read(storage, index), longer.block(index).columns)
            _assert_same(longer.read(opened, index), longer.block(index).columns)

    def test_creating_and_finishing_again_changes_nothing(self, written: Case) -> None:
        for step in (written.created, written.made().finish, written.created, written.made().finish):
            step()
            written.check_whole(range(3))
            assert dict(written.made().committed()) == {0: 8, 1: 8, 2: 4}

    def test_a_dataset_of_other_columns_is_refused(self, written: Case) -> None:
        other = written._replace(plan=synthetic_plan(frames=301))
        with pytest.raises(DatasetError, match="audio"):
            other.created()
        written.check_whole(range(3))

    def test_a_block_that_has_no_place_is_refused(self, case: Case) -> None:
        sink, block = case.created(), case.block(0)
        for wrong in (
            replace(block, index=3, first_row=24),
            replace(block, first_row=1),
            replace(block, digests=(), columns={name: array[:0] for name, array in block.columns.items()}),
            replace(block, index=-1, first_row=-8),
            replace(block, columns={**block.columns, "pitch": block.columns["pitch"][:3]}),
            replace(block, columns={**block.columns, "odd": block.columns["pitch"]}),
        ):
            with pytest.raises(DatasetError):
                sink.write_block(wrong)
        assert dict(sink.committed()) == {}

    def test_what_is_no_dataset_is_told_from_one(self, case: Case, tmp_path: Path) -> None:
        empty, file, folder = tmp_path / "empty", tmp_path / "file", tmp_path / "folder"
        empty.mkdir()
        file.write_text("{}")
        folder.mkdir()
        (folder / "notes.txt").write_text("mine")
        for path in (tmp_path / "missing", empty, file, folder):
            assert not self.sink.recognises(path)
            with pytest.raises(DatasetError):
                self.sink.open(path)
        with pytest.raises(DatasetNotFoundError):
            self.sink.open(tmp_path / "missing")
        for path in (file, folder):
            before = processes.files_of(tmp_path)
            with pytest.raises(DatasetError, match=re.escape(str(path))):
                case._replace(path=path).created()
            assert processes.files_of(tmp_path) == before
        case._replace(path=empty).created()
        assert self.sink.recognises(empty)

    @pytest.mark.parametrize("harm", ["a bit turned", "cut short", "removed"])
    def test_a_damaged_block_is_named(self, case: Case, harm: str) -> None:
        case.created()
        processes.write(case, [0, 2])
        before = processes.files_of(case.path)
        processes.write(case, [1])
        files = [Path(file) for file in processes.files_of(case.path) - before]
        processes.damage(max(files, key=lambda file: file.stat().st_size), harm)
        storage = self.sink.open(case.path)
        for index in (0, 2):
            _assert_same(case.read(storage, index), case.block(index).columns)
        if 1 in storage.committed():
            with pytest.raises(DatasetError, match=r"block 1\b"):
                case.read(storage, 1)
            assert _damaged_blocks(storage) == {1}

    def test_a_pipe_in_place_of_a_file_keeps_nobody_waiting(self, case: Case) -> None:
        case.created()
        before = processes.files_of(case.path)
        processes.write(case, [1])
        files = [Path(file) for file in processes.files_of(case.path) - before]
        case.made().add_asset(b"content")
        assets = [Path(file) for file in processes.files_of(case.path) - before - set(map(str, files))]
        for file in (*files, *assets):
            content = file.read_bytes()
            file.unlink()
            os.mkfifo(file)
            storage = self.sink.open(case.path)
            if 1 in storage.committed():
                with pytest.raises(DatasetError):
                    _read_all(case, storage)
            file.unlink()
            file.write_bytes(content)
        case.check_whole([1])

    def test_stray_files_are_ignored(self, written: Case) -> None:
        for folder in [written.path, *(p for p in written.path.rglob("*") if p.is_dir())]:
            (folder / "4242.cut-short").write_bytes(b"{")
        assert dict(written.made().committed()) == {0: 8, 1: 8, 2: 4}
        assert list(written.made().faults()) == []
        written.check_whole(range(3))
        written.created().finish()

    def test_the_ledger_joins_blocks_and_faults(self, written: Case) -> None:
        sink = written.made()
        told = written.block(1).rejections[0]
        crashes = [Rejection(5, 0, "engine", "crash"), Rejection(2, 3, "engine", "crash")]
        for fault in (replace(told, by="engine"), *crashes):
            sink.record_fault(fault)
        expected = [r for i in range(3) for r in written.block(i).rejections] + crashes
        expected.sort(key=lambda r: (r.patch, r.attempt))
        ledger = self.sink.open(written.path).rejections()
        assert [_comparable(r) for r in ledger] == [_comparable(r) for r in expected]

    def test_assets_are_stored_once_and_checked(self, case: Case) -> None:
        sink, content = case.created(), bytes(range(256)) * 9
        before = processes.files_of(case.path)
        name = sink.add_asset(content)
        files = processes.files_of(case.path)
        assert sink.add_asset(content) == name
        assert processes.files_of(case.path) == files
        storage = self.sink.open(case.path)
        assert storage.asset(name) == content
        assert storage.asset(sink.add_asset(b"")) == b""
        assert storage.assets() == sorted([name, sink.add_asset(b"")])
        for missing in ("0" * 64, "../../secret", ""):
            with pytest.raises(DatasetError):
                storage.asset(missing)
        processes.damage(Path(max(files - before)), "a bit turned")
        with pytest.raises(DatasetError, match=name):
            storage.asset(name)

    def test_its_size_is_told(self, case: Case) -> None:
        sink = case.created()
        before = self.sink.open(case.path).nbytes()
        sink.write_block(case.block(0))
        assert self.sink.open(case.path).nbytes() > before + 1000


class SinkContract(SinkFormContract):
    """All that a sink keeps to: writers are killed as well, disks are full, and other processes read and write.

    Another form of a sink that has passed, whose files differ but not how they come into place, need only pass
    :class:`SinkFormContract`.
    """

    kills: ClassVar[int] = 3
    """How many writers are killed at a random moment."""
    stride: ClassVar[int] = 2
    """A writer is killed at each step that is a multiple of this."""

    def test_readers_travel_to_other_processes_and_forks(self, written: Case) -> None:
        opened = Dataset(self.sink.open(written.path))
        batch = opened.get_batch([13, 2, 19])
        processes.run(processes.compare_batches, pickle.dumps(opened), batch, [13, 2, 19])

    def test_a_writer_killed_at_any_step_leaves_only_whole_blocks(self, case: Case) -> None:
        case = case._replace(plan=synthetic_plan(patches=400, block=1, frames=40))
        case.created()
        processes.run(processes.crash_while_writing, case, self.stride)

    def test_a_writer_killed_at_any_moment_leaves_only_whole_blocks(self, case: Case) -> None:
        moments = random.Random(7)  # noqa: S311 - moments to kill at
        case.created()
        for _ in range(self.kills):
            writer = processes.start(processes.write_for_ever, case)
            _wait_for(lambda: len(case.made().committed()) == 3)
            time.sleep(moments.uniform(0.0, 0.2))
            writer.kill()
            writer.wait()
            case.check_whole(range(3))
        processes.write(case, range(3))
        case.check_whole(range(3))

    @pytest.mark.parametrize("place", ["a new folder", "an empty folder"])
    def test_a_creation_killed_at_any_step_is_completed_by_the_next(self, case: Case, place: str) -> None:
        processes.run(processes.crash_while_creating, case, None, 7 * self.stride, place == "an empty folder")

    def test_an_extension_killed_at_any_step_is_completed_by_the_next(self, case: Case) -> None:
        longer = case._replace(plan=case.plan.extended_to(15))
        processes.run(processes.crash_while_creating, longer, case.plan, 11 * self.stride)

    def test_two_processes_write_different_blocks_while_a_third_reads(self, case: Case) -> None:
        case = case._replace(plan=synthetic_plan(patches=80, block=4))
        case.created()
        storage = self.sink.open(case.path)
        writers = [processes.start(processes.write, case, range(first, 20, 2)) for first in (0, 1)]
        seen: set[int] = set()
        while any(writer.poll() is None for writer in writers):
            for index in set(storage.committed()) - seen:
                _assert_same(case.read(storage, index), case.block(index).columns)
                seen.add(index)
        assert [writer.returncode for writer in writers] == [0, 0]
        assert sorted(storage.committed()) == list(range(20))
        case.check_whole(range(20))

    @pytest.mark.parametrize("limit", [0, 700, 5000])
    def test_a_full_disk_is_told_and_leaves_nothing(self, case: Case, limit: int) -> None:
        case.created().write_block(case.block(0))
        processes.run(processes.fill_the_disk, case, 1, limit)

    def test_a_fault_is_stored_at_once(self, case: Case) -> None:
        case.created()
        crash = Rejection(9, 2, "engine", "crash", "SIGSEGV é", 60, {"peak_dbfs": float("nan"), "loudness": -np.inf})
        timeout = Rejection(1, 0, "engine", "timeout")
        for fault in (crash, timeout):
            processes.run(processes.record_and_die, case, fault)
        case.made().record_fault(crash)
        faults = list(case.made().faults())
        assert [_comparable(fault) for fault in faults] == [_comparable(timeout), _comparable(crash)]

    def test_a_storage_may_be_pickled_and_forked(self, written: Case) -> None:
        storage, rows = self.sink.open(written.path), [13, 2, 19]
        expected = {column.name: storage.read(column.name, rows) for column in written.plan.schema}
        processes.run(processes.compare, pickle.dumps(storage), expected, rows)


def _assert_same(found: Mapping[str, NDArray[Any]], expected: Mapping[str, NDArray[Any]]) -> None:
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert (name, found[name].dtype) == (name, array.dtype)
        np.testing.assert_array_equal(found[name], array, name, strict=True)


def _read_all(case: Case, storage: Storage) -> None:
    """Read every block with its digests, and every asset."""
    for name in storage.assets():
        storage.asset(name)
    for index in storage.committed():
        case.read(storage, index)
        assert storage.blocks()[index]


def _damaged_blocks(storage: Storage) -> set[int]:
    """Return the blocks that ``tonesmith verify`` names, whether among others or in the error that it ends with."""
    try:
        damage = [found for found in check_integrity(Dataset(storage)) if found.what != "asset" and found.block >= 0]
    except DatasetError as error:
        return {int(block) for block in re.findall(r"block (\d+)\b", str(error))}
    return {found.block for found in damage}


def _comparable(rejection: Rejection) -> dict[str, Any]:
    return {**rejection.to_json(), "measured": {k: repr(float(v)) for k, v in rejection.measured.items()}}


def _wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
