"""A dataset opened for reading."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.builders import dataset, write_dataset

from tonesmith import split
from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.row import ParameterValue, Row, Rows
from tonesmith.dataset.splits import Splits
from tonesmith.dataset.verify import check_integrity
from tonesmith.errors import ConfigError, DatasetError, DatasetNotFoundError, SpaceError
from tonesmith.plan.block import dataset_digest
from tonesmith.plan.plan import Plan, PluginRef
from tonesmith.sinks.zarr import ZarrSink
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Note, sha256_hex
from tonesmith.space.preset import PresetRef
from tonesmith.testing.sink_processes import Case, unflushed
from tonesmith.testing.synthetic import ASSETS, attributes_of, synthetic_plan, synthetic_space


@pytest.fixture(autouse=True)
def _unflushed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", unflushed)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return write_dataset(tmp_path_factory.mktemp("made") / "d")


@pytest.fixture(scope="module")
def ds(case: Case) -> Dataset:
    return Dataset(ZarrSink.open(case.path))


@pytest.fixture(scope="module")
def holed(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Without its block in the middle."""
    return dataset(tmp_path_factory.mktemp("holed") / "d", [2, 0])


def pickled(thing: Any) -> Any:
    return pickle.loads(pickle.dumps(thing))  # noqa: S301 - our own


def whole(case: Case, name: str) -> np.ndarray[Any, Any]:
    return np.concatenate([case.block(i).columns[name] for i in range(3)])


def test_a_row_tells_all_about_itself(case: Case, ds: Dataset) -> None:
    row, block = ds[13], case.block(1)
    np.testing.assert_array_equal(row.audio, block.columns["audio"][5])
    assert (str(row.audio.dtype), row.audio.shape) == ("float32", (2, 300))
    assert (row.row, row.patch_id, row.attempt, row.origin) == (13, 6, 0, "presets")
    assert row.preset == bytes(block.columns["preset"][5]).hex() != ""
    assert row.note == Note(60, 100, 0.02, 0.0175)
    np.testing.assert_array_equal(row.audible, block.columns["audible"][5])
    assert row.measured["peak_dbfs"] == block.columns["peak_dbfs"][5]
    assert np.isnan(row.measured["loudness"])
    np.testing.assert_array_equal(row.label.continuous, block.columns["continuous"][5])
    assert len(row.label.modulations) == (block.columns["modulation/source"][5] >= 0).sum()
    assert (ds[0].origin, ds[2].origin, ds[2].preset) == ("presets", "lhs", "")


def test_a_label_is_decoded_without_a_synth(ds: Dataset) -> None:
    row, space = ds[13], ds.space
    patch = row.patch
    assert patch == space.decode(row.label, row.origin, row.preset)
    assert patch.values.keys() == {p.name for p in space.parameters}
    assert patch.values["volume"] == 1.25
    assert space.encode(patch).continuous.tolist() == row.label.continuous.tolist()
    assert patch == ds.patch_of(13) == ds.patch_of(-7)


def test_parameters_are_told_as_the_synth_shows_them(ds: Dataset) -> None:
    for row in ds:
        assert tuple(row.parameters) == ds.space.names
        cutoff, slope = row.parameters["cutoff"], row.parameters["slope"]
        raw = row.patch.values["cutoff"]
        assert cutoff == ParameterValue(raw, raw, "semitones", f"{raw:.6g} semitones")
        assert slope.text == ("6", "12", "24")[row.label.categorical[1]]
        assert slope.raw == row.label.categorical[1] + 1


def test_a_name_that_is_not_there_suggests_the_nearest_and_where_columns_are(ds: Dataset) -> None:
    name = next(iter(ds[0].parameters))
    with pytest.raises(KeyError, match=f"Did you mean '{name}'"):
        ds[0].parameters[name + "x"]
    assert ds[0].parameters.get(name + "x") is None
    with pytest.raises(SpaceError, match=f"Did you mean '{name}'"):
        ds.space[name + "x"]
    wrong: Any = "audio"
    with pytest.raises(TypeError, match=r"ds\.column\('audio'\)"):
        ds[wrong]
    misspelt: Any = "auido"
    with pytest.raises(DatasetError, match="Did you mean 'audio'"):
        ds[misspelt]
    assert ds.columns == tuple(column.name for column in ds.schema)


def test_an_index_may_count_from_the_end_but_not_beyond(ds: Dataset) -> None:
    assert len(ds) == 20
    assert (ds[-1].row, ds[-20].row, ds[np.int64(3)].row) == (19, 0, 3)
    for beyond in (20, -21):
        with pytest.raises(IndexError, match=f"row {beyond} is out of range for 20 rows"):
            ds[beyond]
    with pytest.raises(IndexError):
        ds[[0, 20]]
    wrong: list[Any] = ["pitch", 1.5, True, [1.5], [[1]], None]
    for key in wrong:
        with pytest.raises(TypeError, match="rows are selected by"):
            ds[key]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (slice(3, 6), [3, 4, 5]),
        (slice(None, None, -7), [19, 12, 5]),
        (slice(30, 40), []),
        ([7, -1, 7], [7, 19, 7]),
        (np.array([2, 0]), [2, 0]),
        ([], []),
        (np.arange(20) % 9 == 1, [1, 10, 19]),
        ([True] + [False] * 18 + [True], [0, 19]),
    ],
)
def test_several_rows_are_stacked(case: Case, ds: Dataset, key: Any, expected: list[int]) -> None:
    rows = ds[key]
    assert isinstance(rows, Rows)
    assert (len(rows), rows.rows.tolist(), rows.audio.shape) == (len(expected), expected, (len(expected), 2, 300))
    for column in ds.plan.schema:
        np.testing.assert_array_equal(rows.columns[column.name], whole(case, column.name)[expected], strict=True)
    assert [row.row for row in rows] == expected
    for row in rows:
        assert isinstance(row, Row)
        assert row.patch == ds.patch_of(row.row)


def test_stacked_rows_are_chosen_from_like_a_dataset(ds: Dataset) -> None:
    rows = ds[4:10]
    assert (rows[-1].row, rows[[0, 2]].rows.tolist(), rows[rows.rows > 7].rows.tolist()) == (9, [4, 6], [8, 9])
    with pytest.raises(IndexError, match="row 6 is out of range"):
        rows[6]
    with pytest.raises(IndexError, match="the mask has 2 entries for 20 rows"):
        ds[[True, False]]


def test_rows_that_are_not_there_are_left_out(case: Case, holed: Dataset) -> None:
    there = [*range(8), *range(16, 20)]
    assert (len(holed), holed.complete, holed.rows.tolist()) == (12, False, there)
    assert [row.row for row in holed] == there
    np.testing.assert_array_equal(holed[8].audio, whole(case, "audio")[16])
    np.testing.assert_array_equal(holed.column("patch"), whole(case, "patch")[there])
    assert "12 of 20 rows" in repr(holed)


def test_an_empty_dataset_has_no_rows(tmp_path: Path) -> None:
    empty = dataset(tmp_path / "d", [])
    assert (len(empty), list(empty), empty.complete, empty.rejections) == (0, [], False, ())
    assert empty.column("audio").shape == (0, 2, 300)
    assert empty[:].audio.shape == (0, 2, 300)
    with pytest.raises(IndexError):
        empty[0]


def test_a_dataset_is_a_snapshot(tmp_path: Path) -> None:
    case = write_dataset(tmp_path / "d", [0, 2])
    before = Dataset(ZarrSink.open(case.path))
    case.made().write_block(case.block(1))
    assert len(before) == len(pickled(before)) == 12
    assert before[8].row == 16
    assert len(Dataset(ZarrSink.open(case.path))) == 20


def test_its_digest_is_that_of_its_rows_in_order(case: Case, ds: Dataset, tmp_path: Path) -> None:
    digests = [d for i in range(3) for d in case.block(i).digests]
    assert ds.digest == dataset_digest(digests)
    assert dataset(tmp_path / "d", [2, 1, 0]).digest == ds.digest
    assert dataset(tmp_path / "e", [0, 1]).digest != ds.digest


def test_columns_come_whole(case: Case, ds: Dataset) -> None:
    for column in ds.plan.schema:
        np.testing.assert_array_equal(ds.column(column.name), whole(case, column.name), strict=True)
    with pytest.raises(DatasetError, match="Did you mean 'pitch'"):
        ds.column("pich")


def test_plan_attributes_ledger_and_assets_are_at_hand(case: Case, ds: Dataset) -> None:
    assert ds.plan.fingerprint == case.plan.fingerprint
    assert ds.attributes["title"].startswith("Ünïcode")
    assert ds.complete
    assert [r.reason for r in ds.rejections] == ["silent", "clipped"] * 3
    assert ds.nbytes > 20 * 2 * 300
    for i in (0, 5):
        assets = ds.assets_of(i)
        assert set(assets) == set(ds.patch_of(i).assets.values())
        assert assets == {name: ASSETS[name] for name in assets}
    assert repr(ds) == "<Dataset: 20 rows from made-up, 2 x 300 frames at 8000 Hz, 4 parameters>"
    assert repr(ds[13]) == "<Row 13: patch 6 from presets, pitch 60, velocity 100, 2 x 300 frames>"
    assert repr(ds[:3]) == "<Rows: 3 of 20>"
    assert repr(ds.space) == "<ParameterSpace: 2 continuous, 2 categorical, 1 fixed, 3 modulation slots>"
    assert repr(ds.plan).startswith(f"<Plan {ds.plan.fingerprint[:12]}: 20 rows of 10 patches, ")
    assert len(repr(ds.patch_of(0))) < 100
    with pytest.raises(TypeError, match=r"ds\.column\('audio'\)"):
        ds["audio"]


def test_a_patch_is_read_without_its_audio(tmp_path: Path) -> None:
    case = write_dataset(tmp_path / "d")
    (case.path / "audio" / "c.0.0.0").unlink()
    ds = Dataset(ZarrSink.open(case.path))
    assert ds.patch_of(1).values["volume"] == 1.25
    with pytest.raises(DatasetError, match="block 0 is damaged"):
        ds[1]


def test_a_space_in_which_nothing_varies_is_read(tmp_path: Path) -> None:
    space = synthetic_space(modulation_slots=0, assets=False)
    fixed = {p.name: p.default for p in space.parameters}
    bare = type(space)(space.parameters, fixed)
    ds = dataset(tmp_path / "d", [0], plan=synthetic_plan(space=bare, measures=()))
    row = ds[3]
    assert (row.parameters, row.measured, row.audible.shape, row.patch.values) == ({}, {}, (0,), fixed)
    assert ds.assets_of(3) == {}


def test_it_is_pickled_and_read_elsewhere(ds: Dataset) -> None:
    twin = pickled(ds)
    assert twin.digest == ds.digest
    row = pickled(ds[7])
    np.testing.assert_array_equal(row.audio, twin[7].audio)
    assert row.patch == twin[7].patch


def test_attributes_without_a_plan_are_told(tmp_path: Path) -> None:
    case = write_dataset(tmp_path / "d")
    case.made().create({"plan": {"format": 99}}, case.plan.schema, 20, 8)
    with pytest.raises(DatasetError, match="Upgrade tonesmith"):
        len(Dataset(ZarrSink.open(case.path)).plan.notes.pitches)
    case.made().create({}, case.plan.schema, 20, 8)
    with pytest.raises(DatasetError, match="no plan"):
        Dataset(ZarrSink.open(case.path))[0]


def test_a_plan_of_the_first_format_is_read() -> None:
    plan = synthetic_plan()
    old = json.loads(json.dumps(plan.to_json()))
    old["format"] = 1
    del old["presets"], old["space"]["held"], old["space"]["routing"], old["space"]["modules"]
    assert Plan.from_json(old) == plan


def test_open_dataset_finds_the_sink(case: Case, ds: Dataset) -> None:
    assert open_dataset(case.path).digest == ds.digest
    assert open_dataset(str(case.path))[3].patch == ds[3].patch
    assert open_dataset(os.path.relpath(case.path)).complete


def test_open_dataset_says_what_is_there_instead(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match="does not exist"):
        open_dataset(tmp_path / "missing")
    with pytest.raises(DatasetError, match=r"an empty folder, not a tonesmith dataset\. Known sinks: .*zarr"):
        open_dataset(tmp_path)
    (tmp_path / "a.wav").touch()
    with pytest.raises(DatasetError, match="is a file"):
        open_dataset(tmp_path / "a.wav")
    with pytest.raises(DatasetError, match=r"a folder with a\.wav"):
        open_dataset(tmp_path)
    (tmp_path / "zarr.json").write_text("{}")
    with pytest.raises(DatasetError, match="Zarr data from another program"):
        open_dataset(tmp_path)


def test_reading_needs_no_engine(case: Case) -> None:
    code = (
        "import sys; from pathlib import Path; from tonesmith.dataset.reader import Dataset; "
        "from tonesmith.sinks.zarr import ZarrSink; "
        "ds = Dataset(ZarrSink.open(Path(sys.argv[1]))); ds[0].parameters; ds.digest; "
        "assert not {'vita', 'zarr', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code, str(case.path)], check=True)


def test_the_plan_survives_its_storage(tmp_path: Path) -> None:
    plan = synthetic_plan(sink=PluginRef("zarr", {"level": 3}))
    ds = dataset(tmp_path / "d", [0], plan=plan)
    assert ds.plan.to_json() == plan.to_json() == Plan.from_json(ds.attributes["plan"]).to_json()
    assert ds.plan.schema == plan.schema


def divided(path: Path, shares: dict[str, float]) -> Dataset:
    """Return a dataset of 30 patches, whose attributes tell splits."""
    case = write_dataset(path, range(8), synthetic_plan(patches=30, frames=20))
    attributes = {**attributes_of(case.plan), "splits": Splits(shares).to_json()}
    case.made().create(attributes, case.plan.schema, case.plan.rows, case.plan.block_rows)
    return open_dataset(path)


def test_a_split_is_a_dataset_of_its_rows(tmp_path: Path) -> None:
    ds = divided(tmp_path / "d", {"train": 0.6, "test": 0.4})
    train, test = ds.split("train"), ds.split("test")
    assert len(train) + len(test) == 60
    assert set(train.column("patch").tolist()).isdisjoint(test.column("patch").tolist())
    assert train.rows.tolist() == ds.rows[ds.splits["train"]].tolist()
    assert train[3].row == train.rows[3]
    np.testing.assert_array_equal(train[3].audio, ds[int(train.rows[3])].audio)
    np.testing.assert_array_equal(train.get_batch([5, 1])["audio"], ds.get_batch(train.rows[[5, 1]])["audio"])
    assert [row.row for row in test] == test.rows.tolist()
    assert train.complete
    assert len({ds.digest, train.digest, test.digest}) == 3
    copy = pickle.loads(pickle.dumps(train))  # noqa: S301 - our own
    assert copy.rows.tolist() == train.rows.tolist()
    assert copy.info()["rows"] == len(train)
    assert train.splits["test"].tolist() == []
    assert [ds.split_of(i) for i in (0, 13, -1)] == [
        "train" if i in ds.splits["train"] else "test" for i in (0, 13, 59)
    ]


def test_a_split_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="tonesmith split"):
        dataset(tmp_path / "d").split("train")
    assert dataset(tmp_path / "f").split_of(3) == ""
    with pytest.raises(DatasetError, match="Did you mean 'train'"):
        divided(tmp_path / "e", {"train": 0.6, "test": 0.4}).split("trian")


def test_samples_are_plain_arrays(tmp_path: Path) -> None:
    ds = dataset(tmp_path / "d")
    sample = ds.get_sample(3, ["audio", "pitch"])
    assert list(sample) == ["audio", "pitch"]
    assert (sample["audio"].shape, sample["pitch"]) == ((2, 300), ds[3].note.pitch)
    with pytest.raises(DatasetError, match="unknown column 'pich'"):
        ds.get_sample(3, ["pich"])
    with pytest.raises(IndexError):
        ds.get_sample(20)
    info = ds.info()
    assert info["categorical"]["slope"] == ["6", "12", "24"]
    assert info["continuous"] == [p.name for p in ds.space.continuous]
    assert info["columns"]["modulation/amount"] == {"shape": [3], "dtype": "float32", "doc": "-1 to 1"}
    assert info["splits"] == {}


def test_what_no_row_names_is_verified_too(tmp_path):
    lost = sha256_hex(b"named by a preset of the plan")
    case = write_dataset(tmp_path / "d", plan=replace(synthetic_plan(), presets=(PresetRef("0" * 64, lost),)))
    case.made().add_asset(b"named by no row")
    file = case.path / "tonesmith" / "assets" / sha256_hex(b"named by no row")
    file.write_bytes(b"?")
    marker = next((case.path / "tonesmith" / "blocks").glob("000001-*.json"))
    marker.write_bytes(marker.read_bytes()[:-1])
    (case.path / "tonesmith" / "ledger" / "3-0.json").write_text("[]")

    found = list(check_integrity(Dataset(ZarrSink.open(case.path))))

    assert {(damage.row, damage.block) for damage in found} == {(-1, -1)}
    assert [damage.what for damage in found] == ["asset", "asset", "beside", "beside"]
    told = " ".join(damage.detail for damage in found)
    assert all(name in told for name in (file.name, lost, f"{marker.name} is cut short", "3-0.json is damaged"))


def test_one_name_in_place_of_a_list_of_columns_is_told_of(tmp_path):
    with pytest.raises(TypeError, match=r"such as \['pitch'\]"):
        dataset(tmp_path / "d").get_batch([0], "pitch")


def test_rows_without_some_blocks_are_a_dataset(tmp_path):
    whole = dataset(tmp_path / "d")

    rest = whole.without([1])

    assert rest.rows.tolist() == [*range(8), *range(16, 20)]
    assert not rest.complete
    assert len(rest.digest) == 64
    assert rest.column("pitch").tolist() == [whole.column("pitch")[i] for i in rest.rows]


def test_labels_are_a_table_of_pandas(tmp_path: Path) -> None:
    space = synthetic_space()
    doubled = replace(space, parameters=(*space.parameters, Parameter("pitch", "continuous", 0.0, 2.0, 0.5)))
    stored = open_dataset(write_dataset(tmp_path / "d", range(3), synthetic_plan(space=doubled)).path)
    labels = stored.to_pandas()

    assert labels.index.tolist() == stored.rows.tolist()
    assert labels["pitch"].tolist() == stored.column("pitch").tolist()
    for row in stored:
        line = labels.loc[row.row]
        assert line["origin"] == row.origin
        assert {name: line[name] for name in row.measured} == pytest.approx(row.measured, nan_ok=True)
        for name, value in row.parameters.items():
            told = line["pitch_" if name == "pitch" else name]
            assert told == (value.text if isinstance(told, str) else value.value), name
    assert "audio" not in labels
    assert "split" not in labels


def test_the_table_tells_the_split_of_each_row(tmp_path: Path) -> None:
    path = write_dataset(tmp_path / "d", range(3)).path
    split(path, {"train": 0.5, "test": 0.5})
    stored = open_dataset(path)
    assert stored.to_pandas()["split"].tolist() == [stored.split_of(i) for i in range(len(stored))]


def test_without_pandas_the_table_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = open_dataset(write_dataset(tmp_path / "d", range(3)).path)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ConfigError, match="pip install pandas"):
        stored.to_pandas()
