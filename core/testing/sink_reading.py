"""What every sink keeps to when what it stored is read back."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.splits import Splits
from tonesmith.dataset.verify import check_integrity
from tonesmith.errors import DatasetError
from tonesmith.host.roles import Sink
from tonesmith.plan.block import dataset_digest
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


class SinkReadingContract:
    """What is stored reads back, to the bit, whatever the plan: tests that run in this process alone."""

    sink: ClassVar[type[Sink[Any]]]
    options: ClassVar[Mapping[str, Any]] = {}

    @pytest.fixture(autouse=True)
    def _unflushed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "fsync", processes.unflushed)

    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        """Return 20 rows in blocks of 8, 8 and 4, in a folder that is not there yet."""
        return Case(self.sink, self.options, tmp_path / "dätaset", synthetic_plan())

    @pytest.fixture(scope="class")
    @classmethod
    def stored(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """Return a folder with the same, every block stored. It is only copied."""
        folder = tmp_path_factory.mktemp("stored")
        case = Case(cls.sink, cls.options, folder / "dätaset", synthetic_plan())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "fsync", processes.unflushed)
            case.created()
            processes.write(case, range(case.plan.blocks))
        return folder

    @pytest.fixture
    def written(self, case: Case, stored: Path) -> Case:
        """Return the same, with every block stored: a copy, as anybody may make one."""
        shutil.copytree(stored, case.path.parent, dirs_exist_ok=True)
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
        assert_same(case.read(self.sink.open(case.path), 1), case.block(1).columns)

    def test_every_bit_is_read_back(self, written: Case) -> None:
        storage = self.sink.open(written.path)
        assert dict(storage.committed()) == {0: 8, 1: 8, 2: 4}
        for index in range(3):
            block = written.block(index)
            assert tuple(storage.blocks()[index]) == block.digests
            assert_same(written.read(storage, index), block.columns)

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
        assert_same(case.read(opened.storage, 0), case.block(0).columns)
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
        assert_same(opened.get_batch([17, 3, 3]), {name: array[[17, 3, 3]] for name, array in expected.items()})
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
            assert_same(again.get_batch(slice(None)), opened.get_batch(slice(None)))

    def test_a_silent_block_is_not_a_missing_one(self, case: Case) -> None:
        sink, block = case.created(), case.block(1)
        silent = replace(block, columns={name: np.zeros_like(array) for name, array in block.columns.items()})
        sink.write_block(silent)
        assert dict(sink.committed()) == {1: 8}
        assert_same(case.read(self.sink.open(case.path), 1), silent.columns)

    @pytest.mark.parametrize("space", _SPACES.values(), ids=_SPACES.keys())
    def test_a_space_may_lack_what_others_have(self, case: Case, space: ParameterSpace) -> None:
        case = case._replace(plan=synthetic_plan(space=space, measures=()))
        case.created().write_block(case.block(0))
        assert_same(case.read(self.sink.open(case.path), 0), case.block(0).columns)


def assert_same(found: Mapping[str, NDArray[Any]], expected: Mapping[str, NDArray[Any]]) -> None:
    """Fail unless columns have the same names, types and bits."""
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert (name, found[name].dtype) == (name, array.dtype)
        np.testing.assert_array_equal(found[name], array, name, strict=True)
