"""The folder sink: the contract of every sink, and what AudioFolder of Hugging Face makes of its files."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import yaml

from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.splits import Splits
from tonesmith.errors import ConfigError, DatasetError
from tonesmith.host.registry import Host
from tonesmith.sinks.folder import AudioFolderSink
from tonesmith.testing.sink import SinkContract
from tonesmith.testing.sink_form import SinkFormContract
from tonesmith.testing.sink_processes import Case, unflushed
from tonesmith.testing.synthetic import attributes_of, synthetic_plan

soundfile = pytest.importorskip("soundfile")


class TestWav(SinkContract):
    sink = AudioFolderSink


@pytest.mark.long
class TestFlac(SinkFormContract):
    sink = AudioFolderSink
    options: ClassVar = {"audio": "flac"}


@pytest.fixture(autouse=True)
def _unflushed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", unflushed)


def written(path: Path, **options: Any) -> Case:
    case = Case(AudioFolderSink, options, path, synthetic_plan())
    sink = case.created()
    for index in range(3):
        sink.write_block(case.block(index))
    return case


def split_again(case: Case, shares: Mapping[str, float] | None, blocks: Iterable[int] = range(3)) -> None:
    attributes = attributes_of(case.plan)
    if shares is not None:
        attributes["splits"] = Splits(shares).to_json()
    case.made().create(attributes, case.plan.schema, case.plan.rows, case.plan.block_rows)
    for index in blocks:
        case.made().write_block(case.block(index))


def files_of(path: Path) -> list[str]:
    return sorted(str(file.relative_to(path)) for file in (path / "data").rglob("*"))


def labels_of(path: Path, pattern: str = "data/**/metadata.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for file in sorted(path.glob(pattern)) for line in file.read_text().splitlines()]


@pytest.mark.parametrize("form", ["wav", "flac"])
def test_a_row_is_a_file_and_a_line(tmp_path: Path, form: str) -> None:
    case = written(tmp_path / "dätaset", audio=form)
    opened, labels = Dataset(AudioFolderSink.open(case.path)), labels_of(case.path)
    assert files_of(case.path)[:3] == ["data/000000", f"data/000000/000000000.{form}", f"data/000000/000000001.{form}"]
    assert [next(iter(label.items())) for label in labels] == [("file_name", f"{i:09d}.{form}") for i in range(20)]
    for row, label in zip(opened, labels, strict=True):
        file = case.path / "data" / f"{row.row // 8:06d}" / label["file_name"]
        samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
        np.testing.assert_array_equal(samples.T * np.float32(label["scale"]), row.audio)
        assert (rate, label["pitch"], label["origin"]) == (8000, row.note.pitch, row.origin)
    assert max(label["scale"] for label in labels) == (1.0 if form == "wav" else 2.0)


_LOAD = """
import json, sys, datasets
from datasets import Audio, load_dataset

# datasets 5 imports torchcodec before it notes the path of a file, which needs no codec.
Audio.encode_example = lambda self, value: value if isinstance(value, dict) else {"bytes": None, "path": value}
datasets.disable_progress_bars()
told = []
for number, arguments in enumerate(json.loads(sys.argv[1])):
    told.append({})
    for split, rows in load_dataset(*arguments, cache_dir=f"{sys.argv[2]}/{number}").items():
        kinds = {name: str(kind) for name, kind in rows.features.items()}
        for name, kind in rows.features.items():
            rows = rows.cast_column(name, Audio(decode=False)) if isinstance(kind, Audio) else rows
        told[-1][split] = {"features": kinds, "rows": list(rows)}
print("TOLD", json.dumps(told, default=len))
"""


def loaded(cache: Path, *calls: tuple[str | None, ...]) -> list[dict[str, Any]]:
    """Return what ``datasets.load_dataset`` makes of the arguments of each call: split -> its features and rows."""
    pytest.importorskip("datasets")
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", _LOAD, json.dumps(calls), str(cache)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: list[dict[str, Any]] = json.loads(done.stdout.rpartition("TOLD ")[2])
    return told


def check_rows(rows: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    """Fail unless rows have the labels, and a path to the audio, whatever their order."""
    found = sorted(rows, key=lambda row: row["row"])
    for row, label in zip(found, expected, strict=True):
        assert Path(row.pop("audio")["path"]).name == label.pop("file_name")
        assert in_float32(row) == in_float32(label)


def in_float32(label: dict[str, Any]) -> Any:
    """Return a label with the numbers that a card makes of its shortest ones."""
    return json.loads(json.dumps(label), parse_float=lambda text: float(np.float32(text)))


@pytest.mark.long
def test_hugging_face_loads_it_as_it_is(tmp_path: Path) -> None:
    case = written(tmp_path / "d")
    for told in loaded(tmp_path / "cache", (str(case.path),), ("audiofolder", None, str(case.path))):
        assert told.keys() == {"train"}
        check_rows(told["train"]["rows"], labels_of(case.path))
        features = told["train"]["features"]
        assert features["continuous"] == "List(Value('float64'))"
        assert features["audible"] == "List(Value('bool'))"
        assert features["modulation/source"] == "List(Value('int64'))"


def write_card(path: Path, sink: Any, splits: Iterable[str]) -> None:
    head = yaml.safe_dump(dict(sink.front_matter(path, list(splits))), sort_keys=False)
    (path / "README.md").write_text(f"---\n{head}---\n# A dataset\n")


@pytest.mark.long
def test_hugging_face_finds_the_splits_by_the_card(tmp_path: Path) -> None:
    case = written(tmp_path / "d", audio="flac")
    split_again(case, {"train": 0.4, "val": 0.3, "odd": 0.3})
    write_card(case.path, AudioFolderSink, ["train", "val", "odd"])
    (told,) = loaded(tmp_path / "cache", (str(case.path),))
    opened = Dataset(AudioFolderSink.open(case.path)).splits
    assert told.keys() == {"train", "validation", "odd"}
    for split, name in (("train", "train"), ("validation", "val"), ("odd", "odd")):
        expected = sorted(labels_of(case.path, f"data/{name}/*/metadata.jsonl"), key=lambda label: label["row"])
        assert [label["row"] for label in expected] == opened[name].tolist()
        check_rows(told[split]["rows"], expected)
        assert {row["split"] for row in told[split]["rows"]} == {name}


@pytest.mark.long
def test_hugging_face_streams_the_archives_of_webdataset_by_the_card(tmp_path: Path) -> None:
    from tonesmith.sinks.webdataset import WebDatasetSink

    case = Case(WebDatasetSink, {}, tmp_path / "d", synthetic_plan())
    case.created()
    split_again(case, {"train": 0.6, "val": 0.4})
    write_card(case.path, WebDatasetSink, ["train", "val"])
    (told,) = loaded(tmp_path / "cache", (str(case.path),))
    opened = Dataset(WebDatasetSink.open(case.path)).splits
    assert {name: len(split["rows"]) for name, split in told.items()} == {
        "train": len(opened["train"]),
        "validation": len(opened["val"]),
    }
    assert [row["json"]["row"] for row in told["train"]["rows"]] == opened["train"].tolist()


@pytest.mark.long
@pytest.mark.parametrize("name", ["folder", "webdataset"])
def test_hugging_face_loads_a_measure_that_the_first_rows_do_not_have(tmp_path: Path, name: str) -> None:
    sink: Any = Host.load().find("sink", name)
    case = Case(sink, {}, tmp_path / "d", synthetic_plan())
    case.created()
    measured = np.array([np.nan] * 8 + [-20.5] * 8 + [-np.inf] * 4, np.float32)
    for index in range(3):
        block = case.block(index)
        columns = {**block.columns, "loudness": measured[block.first_row : block.first_row + block.rows]}
        case.made().write_block(replace(block, columns=columns))
    write_card(case.path, sink, [])
    (told,) = loaded(tmp_path / "cache", (str(case.path),))
    labels = {row["row"]: row for row in (row.get("json", row) for row in told["train"]["rows"])}
    assert [labels[row]["loudness"] for row in range(20)] == [None] * 8 + [-20.5] * 8 + [-math.inf] * 4


def test_dividing_it_anew_leaves_no_file_of_before_and_readers_go_on(tmp_path: Path) -> None:
    case = written(tmp_path / "d")
    early, whole = Dataset(AudioFolderSink.open(case.path)), files_of(case.path)
    rows = early.get_batch(slice(None))
    for shares in ({"train": 0.5, "val": 0.5}, {"other": 1.0}, {"train": 0.3, "other": 0.7}, None):
        split_again(case, shares)
        named = {
            str((file.parent / json.loads(line)["file_name"]).relative_to(case.path))
            for file in case.path.glob("data/**/metadata.jsonl")
            for line in file.read_text().splitlines()
        }
        assert {file for file in files_of(case.path) if file.endswith(".wav")} == named
        assert len(named) == 20
        assert {file.split("/")[1] for file in named} <= (shares.keys() if shares else {"000000", "000001", "000002"})
        for opened in (early, Dataset(AudioFolderSink.open(case.path))):
            for name, array in opened.get_batch(slice(None)).items():
                np.testing.assert_array_equal(array, rows[name])
    assert files_of(case.path) == whole


def test_a_file_of_ones_own_stays_where_it_is(tmp_path: Path) -> None:
    case = written(tmp_path / "d")
    mine = case.path / "data" / "000001" / "listen to this.wav"
    mine.write_bytes(b"mine")
    split_again(case, {"train": 1.0})
    assert files_of(case.path)[:2] == ["data/000001", "data/000001/listen to this.wav"]
    assert mine.read_bytes() == b"mine"


def test_labels_come_into_place_after_the_files_that_they_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(AudioFolderSink, {}, tmp_path / "d", synthetic_plan())
    sink, replace, renamed = case.created(), os.replace, []

    def rename(source: str, target: str) -> None:
        replace(source, target)
        renamed.append(Path(target).name)

    monkeypatch.setattr(os, "replace", rename)
    sink.write_block(case.block(1))
    assert renamed[:9] == [f"{row:09d}.wav" for row in range(8, 16)] + ["metadata.jsonl"]
    assert len(renamed) == 10


def test_a_reader_goes_on_while_a_block_is_replaced(tmp_path: Path) -> None:
    case = written(tmp_path / "d")
    storage, other = AudioFolderSink.open(case.path), case.block(1, seed=5)
    storage.read("pitch", range(20))
    case.made().write_block(other)
    np.testing.assert_array_equal(storage.read("audio", range(8, 16)), other.columns["audio"])
    np.testing.assert_array_equal(storage.read("patch", range(8, 16)), other.columns["patch"])


def test_the_bytes_are_the_same_each_time(tmp_path: Path) -> None:
    for form in ("wav", "flac"):
        one, two = written(tmp_path / f"a-{form}", audio=form), written(tmp_path / f"b-{form}", audio=form)
        for name in filter(lambda name: "." in name, files_of(one.path)):
            assert (one.path / name).read_bytes() == (two.path / name).read_bytes()


def test_an_extended_folder_begins_with_what_it_had(tmp_path: Path) -> None:
    case = written(tmp_path / "d")
    folder = case.path / "data" / "000002"
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    longer = case._replace(plan=case.plan.extended_to(15))
    longer.created().write_block(longer.block(2))
    after = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert len(before) == 5
    assert len(after) == 9
    assert all(after[name].startswith(content) for name, content in before.items())


@pytest.mark.parametrize("harm", ["other row", "a pipe", "a link to a device", "a larger file", "no line", "a path"])
def test_a_hostile_folder_is_an_error_that_names_the_block(tmp_path: Path, harm: str) -> None:
    case = written(tmp_path / "d")
    folder = case.path / "data" / "000001"
    file, labels = folder / "000000008.wav", folder / "metadata.jsonl"
    if harm == "other row":
        file.write_bytes((folder / "000000009.wav").read_bytes())
    elif harm in ("a pipe", "a link to a device"):
        file.unlink()
        os.mkfifo(file) if harm == "a pipe" else file.symlink_to("/dev/zero")
    elif harm == "a larger file":
        with file.open("r+b") as opened:
            opened.truncate(2**40)
    elif harm == "no line":
        labels.write_text(labels.read_text().splitlines()[0])
    else:
        labels.write_text(labels.read_text().replace("000000008.wav", "../../../x.wav"))
    with pytest.raises(DatasetError, match=r"block 1 is damaged"):
        AudioFolderSink.open(case.path).read("audio", [8])
    AudioFolderSink.open(case.path).read("audio", [7])


@pytest.mark.parametrize("column", ["audio", "pitch"])
@pytest.mark.parametrize("name", ["000000009.wav", "metadata.jsonl"])
def test_damage_is_found_in_the_row_that_has_it(tmp_path: Path, name: str, column: str) -> None:
    case = written(tmp_path / "d")
    file = case.path / "data" / "000001" / name
    content = bytearray(file.read_bytes())
    place = content.index(b'"row": 9,') + 3 if name == "metadata.jsonl" else 700
    content[place] ^= 1
    file.write_bytes(content)
    storage = AudioFolderSink.open(case.path)
    storage.read(column, [8, *range(10, 16)])
    if column == "pitch" and name != "metadata.jsonl":
        storage.read(column, [9])
        return
    with pytest.raises(DatasetError, match=rf"block 1 is damaged \({column}: .* row 1 has a different checksum"):
        storage.read(column, [9])


def test_wav_needs_no_library_and_flac_names_the_pip_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = __import__("importlib.util", fromlist=["find_spec"]).find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *a: None if name == "soundfile" else find(name, *a))
    written(tmp_path / "wav").check_whole(range(3))
    with pytest.raises(ConfigError, match=r'pip install "tonesmith\[folder\]"'):
        Case(AudioFolderSink, {"audio": "flac"}, tmp_path / "flac", synthetic_plan()).made()


def test_the_tables_of_labels_are_told_with_their_types(tmp_path: Path) -> None:
    case = written(tmp_path / "d")
    (files,) = AudioFolderSink.file_sets(case.plan, ())
    types = {"sc:Text": str, "sc:Integer": int, "sc:Float": (float, type(None)), "sc:Boolean": bool}
    for label in labels_of(case.path, files.includes):
        scalars = {key for key, value in label.items() if not isinstance(value, list)}
        assert scalars == files.fields.keys()
        assert all(isinstance(label[key], types[kind]) for key, kind in files.fields.items())
