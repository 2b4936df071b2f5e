"""What each form of a sink keeps to, such as one with other options: tests that need no other process."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.verify import check_integrity
from tonesmith.errors import DatasetError, DatasetNotFoundError, OtherPlanError
from tonesmith.host.roles import Storage
from tonesmith.plan.plan import Plan
from tonesmith.plan.rejection import Rejection
from tonesmith.testing import sink_processes as processes
from tonesmith.testing.sameness import same_bytes
from tonesmith.testing.sink_processes import Case
from tonesmith.testing.sink_reading import SinkReadingContract, assert_same
from tonesmith.testing.synthetic import attributes_of, synthetic_plan


class SinkFormContract(SinkReadingContract):
    """What each form of a sink keeps to, such as one with other options: tests that run in this process alone."""

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
        assert_same(written.read(storage, 1), other.columns)
        assert_same(written.read(storage, 0), written.block(0).columns)

    def test_an_extended_dataset_keeps_its_rows_and_grows_its_last_block(self, written: Case) -> None:
        written.made().finish()
        opened = self.sink.open(written.path)
        longer = written._replace(plan=written.plan.extended_to(15))
        sink = longer.created()
        assert dict(sink.committed()) == {0: 8, 1: 8, 2: 4}
        assert_same(written.read(opened, 2), written.block(2).columns)
        processes.write(longer, [2, 3])
        sink.finish()
        storage = self.sink.open(written.path)
        assert dict(storage.committed()) == {0: 8, 1: 8, 2: 8, 3: 6}
        assert Plan.from_json(storage.attributes["plan"]).rows == 30
        for index in (2, 0, 1, 3):
            assert_same(longer.read(storage, index), longer.block(index).columns)
            assert_same(longer.read(opened, index), longer.block(index).columns)

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

    def test_a_dataset_of_another_plan_is_refused(self, written: Case) -> None:
        other = written._replace(plan=replace(written.plan, seed=8))
        with pytest.raises(OtherPlanError, match="seed: 7 -> 8"):
            other.created()
        assert self.sink.open(written.path).attributes["plan"]["seed"] == 7
        written.check_whole(range(3))

    def test_a_block_tells_by_which_plan_it_was_made(self, written: Case) -> None:
        written.made().finish()
        storage = self.sink.open(written.path)
        assert [storage.plan_of(block) for block in (0, 1, 2, 3)] == [*[written.plan.fingerprint] * 3, ""]

    def test_a_block_of_another_plan_that_was_copied_in_is_refused(self, written: Case, tmp_path: Path) -> None:
        parent = tmp_path / "another"
        parent.mkdir()
        other = written._replace(path=parent / written.path.name, plan=replace(written.plan, seed=8))
        other.created()
        before = processes.files_of(parent)
        processes.write(other, [1])
        for file in map(Path, processes.files_of(parent) - before):
            place = written.path.parent / file.relative_to(parent)
            for there in [f for f in place.parent.glob(f"{file.name[:7]}*") if len(file.name) > 7]:
                there.unlink()  # the marker of the block that was there, whatever it tells in its name
            shutil.copyfile(file, place)
        opened = Dataset(self.sink.open(written.path))
        with pytest.raises(DatasetError, match=r"block 1\b.*another plan"):
            opened[9].audio  # noqa: B018
        assert opened[3].row == 3
        damage = [found for found in check_integrity(opened) if found.what == "plan"]
        assert {found.block for found in damage} == {1}

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
            assert_same(case.read(storage, index), case.block(index).columns)
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

    def test_no_folder_in_a_dataset_that_is_a_link_is_written_through(self, case: Case, tmp_path: Path) -> None:
        case = case._replace(path=tmp_path / "stranger" / "dataset", plan=synthetic_plan(patches=8))
        case.created().add_asset(b"content")
        processes.write(case, [0])
        outside = tmp_path / "outside"
        for folder in _folders(case.path):
            folder.rename(outside)
            folder.symlink_to(outside)
            _check_written_inside(case, outside, folder)
            folder.unlink()
            outside.rename(folder)
        case.check_whole([0])

    def test_no_file_in_a_dataset_that_is_a_link_is_written_through(self, case: Case, tmp_path: Path) -> None:
        case = case._replace(path=tmp_path / "stranger" / "dataset", plan=synthetic_plan(patches=8))
        case.created().add_asset(b"content")
        processes.write(case, [0])
        outside = tmp_path / "outside"
        outside.mkdir()
        for number, file in enumerate(sorted(processes.files_of(case.path.parent))):
            Path(file).rename(outside / str(number))
            Path(file).symlink_to(outside / str(number))
        _check_written_inside(case, outside, None)

    def test_a_link_to_a_dataset_is_written_through(self, case: Case, tmp_path: Path) -> None:
        case.created()
        linked = case._replace(path=tmp_path / "link" / case.path.name)
        linked.path.parent.symlink_to(tmp_path)
        processes.write(linked, [0])
        assert dict(linked.created().committed()) == {0: 8}
        case.check_whole([0])

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
        assert [comparable(r) for r in ledger] == [comparable(r) for r in expected]

    def test_assets_are_stored_once_and_checked(self, case: Case) -> None:
        sink, content = case.created(), bytes(range(256)) * 9
        before = processes.files_of(case.path)
        name = sink.add_asset(content)
        files = processes.files_of(case.path)
        assert sink.add_asset(content) == name
        assert processes.files_of(case.path) == files
        storage = self.sink.open(case.path)
        assert same_bytes(storage.asset(name), content)
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


def _read_all(case: Case, storage: Storage) -> None:
    """Read every block with its digests, and every asset."""
    for name in storage.assets():
        storage.asset(name)
    for index in storage.committed():
        case.read(storage, index)
        assert storage.blocks()[index]


def _check_written_inside(case: Case, outside: Path, link: Path | None) -> None:
    """Do all that a sink writes; fail if anything changes outside, or in a dataset of which a step was refused.

    Args:
        case: the dataset, with a link in it.
        outside: where that leads.
        link: a folder that some step must refuse to write through; None if that is left to the sink.
    """
    sink, plan = case.made(), case.plan
    steps: dict[str, Callable[[], object]] = {
        "write_block": lambda: sink.write_block(case.block(0, seed=5)),
        "add_asset": lambda: sink.add_asset(os.urandom(8)),
        "record_fault": lambda: sink.record_fault(Rejection(2, 3, "engine", "crash")),
        "create": lambda: sink.create({**attributes_of(plan), "t": "é"}, plan.schema, plan.rows, plan.block_rows),
        "finish": sink.finish,
    }
    before = _contents(outside)
    refused: list[tuple[str, str]] = []
    for name, step in steps.items():
        there = _contents(case.path.parent)
        try:
            step()
        except DatasetError as error:
            refused.append((name, str(error)))
        changed = _contents(case.path.parent) != there
        assert not (changed and refused and refused[-1][0] == name), f"{name} was refused, and something was written"
        assert _contents(outside) == before, f"{name} wrote through a link"
    for name, told in refused:
        assert "link" in told, f"{name}: the error does not tell of a link: {told}"
        assert link is None or str(link) in told, f"{name}: the error does not name {link}: {told}"
    assert refused or link is None, f"no step refused to write through {link}, and none wrote there: who does?"


def _folders(path: Path) -> list[Path]:
    """Return folders of a dataset, and of what lies beside it; of many in one folder the first and the last few."""
    found = sorted(folder for folder in path.parent.rglob("*") if folder.is_dir() and folder != path)
    beside = {above: [folder for folder in found if folder.parent == above] for above in {f.parent for f in found}}
    return [folder for folders in beside.values() for folder in (*folders[:4], *folders[4:][-3:])]


def _contents(folder: Path) -> dict[str, bytes | str | None]:
    """Return path -> content, or where a link leads, of all below a folder; links are not followed."""
    found: dict[str, bytes | str | None] = {}
    for above, folders, files in os.walk(folder):
        for path in (Path(above, name) for name in (*folders, *files)):
            found[str(path)] = (
                str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else None
            )
    return found


def _damaged_blocks(storage: Storage) -> set[int]:
    """Return the blocks that ``tonesmith verify`` names, whether among others or in the error that it ends with."""
    try:
        damage = [found for found in check_integrity(Dataset(storage)) if found.what != "asset" and found.block >= 0]
    except DatasetError as error:
        return {int(block) for block in re.findall(r"block (\d+)\b", str(error))}
    return {found.block for found in damage}


def comparable(rejection: Rejection) -> dict[str, Any]:
    """Return all that a rejection says, in a form that compares NaN and order alike."""
    return {**rejection.to_json(), "measured": {k: repr(float(v)) for k, v in rejection.measured.items()}}
