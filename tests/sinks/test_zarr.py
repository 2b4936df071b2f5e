"""The Zarr sink: the contract of every sink, and what other readers of Zarr make of its files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError
from support import ROOT, sampled
from support.builders import write_dataset, zarr_case

from tonesmith.errors import DatasetError
from tonesmith.plan.rejection import Rejection
from tonesmith.plan.schema import Column
from tonesmith.sinks.base.files import make_folders
from tonesmith.sinks.zarr import ZarrOptions, ZarrSink
from tonesmith.testing.sink import SinkContract
from tonesmith.testing.sink_form import SinkFormContract
from tonesmith.testing.sink_processes import Case, unflushed
from tonesmith.testing.synthetic import synthetic_plan

zarr = pytest.importorskip("zarr")
xarray = pytest.importorskip("xarray")


class TestFloat32(SinkContract):
    sink = ZarrSink


@pytest.mark.long
class TestInt24(SinkFormContract):
    sink = ZarrSink
    options: ClassVar = {"encoding": "int24", "level": 3}


@pytest.mark.long
class TestFloat16(SinkFormContract):
    sink = ZarrSink
    options: ClassVar = {"encoding": "float16", "level": 0}


ENCODINGS = ("float32", "int24", "float16")


@pytest.fixture(autouse=True)
def _unflushed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", unflushed)


def audio_of(case: Case, index: int) -> NDArray[np.float32]:
    audio: NDArray[np.float32] = case.block(index).columns["audio"]
    return audio


@pytest.mark.parametrize("when", ["empty", "half", "finished", "extended"])
def test_zarr_opens_it_without_a_warning(tmp_path: Path, when: str) -> None:
    case = zarr_case(tmp_path / "d")
    sink = case.created()
    sink.record_fault(Rejection(3, 0, "engine", "crash"))
    sink.add_asset(b"a saw")
    for index in {"empty": [], "half": [1]}.get(when, [0, 1, 2]):
        sink.write_block(case.block(index))
    if when in ("finished", "extended"):
        sink.finish()
    rows = 20
    if when == "extended":
        rows = 30
        case._replace(plan=case.plan.extended_to(15)).created()
    for consolidated in (True, False):  # warnings are errors here
        group = zarr.open_group(case.path, mode="r", use_consolidated=consolidated)
        members = dict(group.members(max_depth=None))
        assert {c.name for c in case.plan.schema} <= members.keys()
        assert {members[c.name].shape[0] for c in case.plan.schema} == {rows}
        assert members["modulation/amount"].attrs["doc"] == case.plan.schema[6].doc
        assert group.attrs["title"].startswith("Ünïcode 🎹")
    if when == "extended":
        assert group["patch"][16:].tolist() == [8, 8, 9, 9] + [-1] * 10
    if when in ("finished", "extended"):
        np.testing.assert_array_equal(group["audio"][8:16], audio_of(case, 1))
        np.testing.assert_array_equal(group["modulation/source"][:8], case.block(0).columns["modulation/source"])


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_xarray_opens_it_with_the_audio_decoded(tmp_path: Path, encoding: str) -> None:
    case = zarr_case(tmp_path / "d", encoding=encoding)
    case.created().write_block(case.block(1))
    with xarray.open_zarr(case.path, chunks=None) as data:
        assert data["audio"].dims == ("row", "channel", "frame")
        assert data["asset"].dims == ("row", "asset_slot", "sha256")
        np.testing.assert_array_equal(data["audio"][8:16].values.astype(np.float32), audio_of(case, 1))
        np.testing.assert_array_equal(data["pitch"][8:16].values, case.block(1).columns["pitch"])
        assert np.isnan(data["audio"][:8].values).all()
        assert not set(data.variables) - {c.name for c in case.plan.schema}
    with xarray.open_zarr(case.path, group="modulation", chunks=None) as data:
        assert data["amount"].dims == ("row", "modulation_slot")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_is_not_rendered_yet_is_not_silence(tmp_path: Path, encoding: str) -> None:
    case = zarr_case(tmp_path / "d", encoding=encoding)
    sink, block = case.created(), case.block(2)
    silent = replace(block, columns={**block.columns, "audio": np.zeros_like(block.columns["audio"])})
    sink.write_block(silent)
    audio = zarr.open_array(case.path / "audio", mode="r")
    assert (case.path / "audio" / "c.2.0.0").is_file()
    assert not audio[16:].any()
    missing = audio[:16].astype(np.float64) * audio.attrs.get("scale_factor", 1.0)
    assert (np.isnan(missing) | (missing == -512.0)).all()


def test_a_chunk_is_a_row_and_a_shard_a_block(tmp_path: Path) -> None:
    group = zarr.open_group(write_dataset(tmp_path / "d").path, mode="r")
    audio, pitch = group["audio"], group["pitch"]
    assert (audio.dtype, audio.chunks, audio.shards) == (np.float32, (1, 2, 300), (8, 2, 300))
    assert (pitch.dtype, pitch.chunks, pitch.shards) == (np.uint8, (8,), None)
    assert sorted(p.name for p in (tmp_path / "d" / "audio").iterdir()) == [
        "c.0.0.0",
        "c.1.0.0",
        "c.2.0.0",
        "zarr.json",
    ]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_its_files_are_what_zarr_itself_would_write(tmp_path: Path, encoding: str) -> None:
    case = zarr_case(tmp_path / "d", encoding=encoding, level=3)
    case.created().write_block(case.block(1))
    shutil.copytree(case.path, tmp_path / "other")
    ours, theirs = zarr.open_group(case.path, mode="r"), zarr.open_group(tmp_path / "other", mode="r+")
    for column in case.plan.schema:
        (file,) = (case.path / column.name).glob("c.1*")
        other = tmp_path / "other" / column.name / file.name
        other.unlink()
        with zarr.config.set({"array.write_empty_chunks": True}):
            theirs[column.name][8:16] = ours[column.name][8:16]
        assert file.read_bytes() == other.read_bytes(), column.name


def test_files_that_zarr_wrote_are_read(tmp_path: Path) -> None:
    case = write_dataset(tmp_path / "d")
    group = zarr.open_group(case.path, mode="r+")
    audio, knobs = -audio_of(case, 1), case.block(1).columns["continuous"] / 2
    group["audio"][8:16] = audio
    group["continuous"][8:16] = knobs
    storage = ZarrSink.open(case.path)
    np.testing.assert_array_equal(storage.read("audio", range(8, 16)), audio)
    np.testing.assert_array_equal(storage.read("continuous", range(8, 16)), knobs)


@pytest.mark.parametrize("step", ["finish", "create", "extend"])
def test_what_others_added_is_kept_and_gathered(tmp_path: Path, step: str) -> None:
    case = write_dataset(tmp_path / "d")
    zarr.open_array(case.path / "pitch", mode="r+").attrs["unit"] = "semitones"
    zarr.create_array(case.path, name="modulation/mine/embedding", data=np.arange(20))
    longer = case._replace(plan=case.plan.extended_to(15))
    {"finish": case.made().finish, "create": case.created, "extend": longer.created}[step]()
    group = zarr.open_consolidated(case.path)
    assert group["pitch"].attrs["unit"] == "semitones"
    np.testing.assert_array_equal(group["modulation/mine/embedding"][:], np.arange(20))
    assert group["pitch"].shape == (30 if step == "extend" else 20,)


@pytest.mark.parametrize("made", [0, 1, 3])
def test_a_creation_in_an_empty_folder_that_was_cut_short_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: int
) -> None:
    """After so many folders of arrays: the next run knows that they are the sink's own."""
    case, left = zarr_case(tmp_path / "d"), [made]
    case.path.mkdir()

    def stopping(path: Path, *within: Path) -> None:
        if path.parent == case.path:
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= path.name != "tonesmith"
        make_folders(path, *within)

    with monkeypatch.context() as patch:
        patch.setattr("tonesmith.sinks.zarr.make_folders", stopping)
        with pytest.raises(KeyboardInterrupt):
            case.created()
    case.created()
    assert zarr.open_group(case.path, mode="r")["audio"].shape[0] == case.plan.rows


def test_a_new_dataset_appears_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case, parent = zarr_case(tmp_path / "new" / "d"), tmp_path / "new"
    flushed: set[str] = set()
    rename = os.rename

    def appears(source: Path, target: Path) -> None:
        assert (list(parent.iterdir()), target) == ([source], case.path)
        assert source.name.startswith(".")
        for entry in (source, *source.rglob("*")):
            assert str(entry) in flushed, "it appears before it is on the disk"
        rename(source, target)

    monkeypatch.setattr(os, "fsync", lambda fd: flushed.add(str(Path(f"/proc/self/fd/{fd}").readlink())))
    monkeypatch.setattr(os, "rename", appears)
    case.created()
    assert list(parent.iterdir()) == [case.path]
    assert str(parent) in flushed
    assert (case.path.stat().st_mode & 0o777) == (parent.stat().st_mode & 0o777)


def test_of_two_creators_the_slower_takes_the_dataset_of_the_faster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, rename = zarr_case(tmp_path / "new" / "d"), os.rename

    def late(source: Path, target: Path) -> None:
        monkeypatch.setattr(os, "rename", rename)
        case.created().write_block(case.block(1))
        rename(source, target)

    monkeypatch.setattr(os, "rename", late)
    case.created().write_block(case.block(0))
    assert dict(case.made().committed()) == {0: 8, 1: 8}
    case.check_whole([0, 1])
    assert list((tmp_path / "new").iterdir()) == [case.path]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "d").symlink_to(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match=r"cannot write .*d: "):
        zarr_case(tmp_path / "d").created()
    assert [entry.name for entry in tmp_path.iterdir()] == ["d"]


def test_damaged_documents_are_told_and_a_missing_root_is_made_anew(tmp_path: Path) -> None:
    case = write_dataset(tmp_path / "d")
    (case.path / "pitch" / "zarr.json").write_text('{"node_type": ')
    for step in (case.created, case.made().finish):
        with pytest.raises(DatasetError, match=r"zarr\.json files are damaged"):
            step()
    (case.path / "zarr.json").unlink()
    with pytest.raises(DatasetError, match="re-run the command that made the dataset"):
        ZarrSink.open(case.path)
    case.created()
    case.check_whole(range(3))
    assert dict(case.made().committed()) == {0: 8, 1: 8, 2: 4}


@pytest.mark.parametrize(
    ("encoding", "absolute", "relative"),
    [("float32", 0.0, 0.0), ("int24", 1.2e-7, 0.0), ("float16", 3e-8, 4.9e-4)],
)
def test_an_encoding_errs_by_no_more_than_it_says(encoding: str, absolute: float, relative: float) -> None:
    sink = zarr_case(Path("unused"), encoding=encoding).made()
    random = np.random.default_rng(1)
    audio = (random.uniform(-4, 4, 40_000) * 10.0 ** random.uniform(-9, 0, 40_000)).astype(np.float32)
    audio = np.concatenate([audio, np.array([0.0, 1.0, -1.0, 1.66, -1.66, 3.999, 300.0, -511.9], np.float32)])
    error = np.abs(sink.stored(audio).astype(np.float64) - audio)
    assert (error <= np.maximum(absolute, relative * np.abs(audio))).all()


@pytest.mark.parametrize(("encoding", "top"), [("int24", 512.0), ("float16", 65504.0)])
def test_a_lossy_encoding_saturates_and_keeps_nan(encoding: str, top: float) -> None:
    sink = zarr_case(Path("unused"), encoding=encoding).made()
    audio = np.array([3e38, -3e38, np.inf, -np.inf, np.nan, 0.5], np.float32)
    stored = sink.stored(audio)
    np.testing.assert_allclose(stored[:4], [top, -top, top, -top], rtol=1e-6)
    assert np.isnan(stored[4])
    assert stored[5] == 0.5
    np.testing.assert_array_equal(sink.stored(stored), stored)


def test_each_option_counts(tmp_path: Path) -> None:
    plan, sizes = synthetic_plan(frames=4000), {}
    for encoding, level in [("float32", 0), ("float32", 1), ("int24", 1), ("float16", 1)]:
        case = zarr_case(tmp_path / f"{encoding}-{level}", plan, encoding=encoding, level=level)
        case.created().write_block(case.block(0))
        sizes[encoding, level] = (case.path / "audio" / "c.0.0.0").stat().st_size
    raw = 7 * 2 * 4000 * 4
    assert sizes["float32", 0] > raw  # of eight rows one is silent
    assert sizes["float32", 0] > sizes["float32", 1] > sizes["int24", 1] > sizes["float16", 1]
    for wrong in ({"level": 10}, {"level": -1}, {"encoding": "mp3"}, {"speed": 3}):
        with pytest.raises(ValidationError):
            ZarrOptions.model_validate(wrong)
    assert all(field.description for field in ZarrOptions.model_fields.values())


def test_another_encoding_or_block_size_is_refused_by_name(tmp_path: Path) -> None:
    case = write_dataset(tmp_path / "d")
    with pytest.raises(DatasetError, match="its audio is float32, not int24"):
        case._replace(options={"encoding": "int24"}).created()
    with pytest.raises(DatasetError, match="its level is 1, not 3"):
        case._replace(options={"level": 3}).created()
    with pytest.raises(DatasetError, match="its blocks have 8 rows, not 6"):
        case._replace(plan=synthetic_plan(block=3)).created()
    with pytest.raises(DatasetError, match="already holds 20 rows and cannot shrink to 18"):
        case._replace(plan=synthetic_plan(patches=9)).created()


def test_a_newer_layout_is_recognised_and_refused(tmp_path: Path) -> None:
    case = write_dataset(tmp_path / "d")
    record = case.path / "tonesmith" / "zarr.json"
    document = json.loads(record.read_bytes())
    document["attributes"]["layout"] = 2
    record.write_text(json.dumps(document))
    assert ZarrSink.recognises(case.path)
    with pytest.raises(DatasetError, match="Upgrade tonesmith"):
        ZarrSink.open(case.path)


FOREIGN = ("", "[]", "{}", '{"attributes": {"sink": "zarr"}}', '{"attributes": {"sink": "hdf5"}}')


@pytest.mark.parametrize("content", FOREIGN)
def test_a_zarr_group_of_another_program_is_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "d"
    zarr.create_group(path)
    (path / "tonesmith").mkdir()
    (path / "tonesmith" / "zarr.json").write_text(content)
    assert not ZarrSink.recognises(path)
    with pytest.raises(DatasetError, match="exists and is not a tonesmith dataset"):
        zarr_case(path).created()
    assert (path / "tonesmith" / "zarr.json").read_text() == content


@pytest.mark.parametrize("name", ["../out", "/out", "a//b", "tonesmith/blocks", ".hidden", "", "a/../b", "a\n"])
def test_no_column_leaves_the_dataset(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError, match="cannot be named"):
        zarr_case(tmp_path / "d").made().create({}, [Column(name, (), "uint8", (), "")], 4, 2)
    assert not any(tmp_path.iterdir())


def test_objects_are_neither_stored_nor_read(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be stored"):
        zarr_case(tmp_path / "d").made().create({}, [Column("x", (), "object", (), "")], 4, 2)
    case = write_dataset(tmp_path / "e")
    document = json.loads((case.path / "pitch" / "zarr.json").read_bytes())
    (case.path / "pitch" / "zarr.json").write_text(json.dumps({**document, "data_type": "string"}))
    with pytest.raises(DatasetError, match="pitch is not as tonesmith wrote it"):
        ZarrSink.open(case.path).read("pitch", [0])


@pytest.mark.parametrize(
    ("column", "old", "new"),
    [
        ("audio", '"end"', '"start"'),
        ("audio", '"little"', '"big"'),
        ("audio", '"blosc"', '"gzip"'),
        ("audio", '"float32"', '"int32"'),
        ("pitch", '"."', '"/"'),
        ("pitch", "8", "4"),
        ("pitch", '"crc32c"', '"adler32"'),
    ],
)
def test_an_array_of_another_form_is_left_to_zarr(tmp_path: Path, column: str, old: str, new: str) -> None:
    document = write_dataset(tmp_path / "d").path / column / "zarr.json"
    content = document.read_text()
    assert old in content
    document.write_text(content.replace(old, new))
    with pytest.raises(DatasetError, match=f"{column} is not as tonesmith wrote it"):
        ZarrSink.open(tmp_path / "d").read(column, [0])


@pytest.mark.parametrize("column", ["pitch", "modulation/source", "audio"])
@pytest.mark.parametrize("at", sampled([0, 3, 9, 17, -3, -20], 3))
def test_a_damaged_byte_anywhere_names_block_and_column(tmp_path: Path, column: str, at: int) -> None:
    case = write_dataset(tmp_path / "d")
    (file,) = (case.path / column).glob("c.1*")
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)
    with pytest.raises(DatasetError, match=rf"block 1 is damaged \({column}: .*Delete .*000001-8-\d+.json"):
        ZarrSink.open(case.path).read(column, range(8, 16))


def test_a_marker_that_was_cut_short_does_not_count(tmp_path: Path) -> None:
    case = write_dataset(tmp_path / "d")
    (marker,) = (case.path / "tonesmith" / "blocks").glob("000001-*")
    marker.write_bytes(marker.read_bytes()[:-1])
    assert dict(case.made().committed()) == {0: 8, 2: 4}
    assert list(ZarrSink.open(case.path).blocks()) == [0, 2]
    case.made().write_block(case.block(1))
    assert dict(case.made().committed()) == {0: 8, 1: 8, 2: 4}


def test_a_garbled_marker_is_named(tmp_path: Path) -> None:
    case = write_dataset(tmp_path / "d")
    (marker,) = (case.path / "tonesmith" / "blocks").glob("000001-*")
    marker.write_bytes(b"x" * marker.stat().st_size)
    with pytest.raises(DatasetError, match="000001-8-"):
        ZarrSink.open(case.path).blocks()[1]


def test_a_grown_block_has_one_marker(tmp_path: Path) -> None:
    case = write_dataset(tmp_path / "d")
    longer = case._replace(plan=case.plan.extended_to(15))
    longer.created().write_block(longer.block(2))
    names = [p.name for p in (case.path / "tonesmith" / "blocks").glob("0*")]
    assert sorted(name.rsplit("-", 1)[0] for name in names) == ["000000-8", "000001-8", "000002-8"]


def test_of_two_markers_that_a_kill_left_the_one_of_more_rows_counts(tmp_path: Path) -> None:
    case = write_dataset(tmp_path / "d")
    (marker,) = (case.path / "tonesmith" / "blocks").glob("000002-*")
    content = marker.read_bytes()
    longer = case._replace(plan=case.plan.extended_to(15))
    longer.created().write_block(longer.block(2))
    marker.write_bytes(content)
    storage = ZarrSink.open(case.path)
    assert storage.committed() == longer.made().committed() == {0: 8, 1: 8, 2: 8}
    assert storage.blocks()[2] == longer.block(2).digests


def test_what_is_committed_is_known_without_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = write_dataset(tmp_path / "d")
    storage = ZarrSink.open(case.path)

    def opened(*args: object, **kwargs: object) -> None:
        raise AssertionError("a file was opened")

    monkeypatch.setattr("builtins.open", opened)
    monkeypatch.setattr("io.open", opened)
    assert case.made().committed() == storage.committed() == {0: 8, 1: 8, 2: 4}
    assert list(storage.blocks()) == [0, 1, 2]


def test_old_leftovers_are_swept_and_young_ones_are_not(tmp_path: Path) -> None:
    case = write_dataset(tmp_path / "d")
    old, young, folder, other = (f".tonesmith-{i:016x}" for i in range(4))
    other = other[:-1] + "~"
    for place in (tmp_path, case.path / "tonesmith" / "aside"):
        (place / folder / "audio").mkdir(parents=True)
        for name in (old, young, other):
            (place / name).write_bytes(b"cut short")
        for name in (old, folder, other):
            os.utime(place / name, (1e9, 1e9))
    case.created()
    zarr_case(tmp_path / "e").created()
    for place in (tmp_path, case.path / "tonesmith" / "aside"):
        assert {entry.name for entry in place.iterdir()} - {"d", "e", "zarr.json"} == {young, other}
    zarr.open_group(case.path, mode="r", use_consolidated=False)["pitch"]


def test_zarr_is_given_documents_in_memory_and_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: object, **__: object) -> None:
        raise AssertionError("on a folder, each step of zarr-python wakes a thread more")

    monkeypatch.setattr(zarr.storage.LocalStore, "__init__", opened)
    case = zarr_case(tmp_path / "d")
    case.created().finish()
    longer = case._replace(plan=case.plan.extended_to(15))
    longer.created().finish()
    monkeypatch.undo()

    root = zarr.open_group(case.path, mode="r")
    assert root["pitch"].shape == (longer.plan.rows,)
    assert root.metadata.consolidated_metadata.metadata["pitch"].shape == (longer.plan.rows,)


def test_writing_a_block_starts_no_thread_and_imports_no_zarr(tmp_path: Path) -> None:
    zarr_case(tmp_path / "d").created()
    code = f"""
import os, sys
from pathlib import Path
from support.builders import zarr_case
case = zarr_case(Path({str(tmp_path / "d")!r}))
for index in range(3):
    case.made().write_block(case.block(index))
case.check_whole(range(3))
assert "zarr" not in sys.modules
assert len(os.listdir("/proc/self/task")) == 1
"""
    paths = os.pathsep.join([str(ROOT / "tests"), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = {**os.environ, "PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, env=env)


def test_the_module_imports_nothing_heavy() -> None:
    code = "import sys, tonesmith.sinks.zarr; assert not {'numpy', 'zarr', 'numcodecs'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_threads_may_read_one_storage(tmp_path: Path) -> None:
    case = write_dataset(tmp_path / "d")
    storage, wrong = ZarrSink.open(case.path), []
    whole = {c.name: storage.read(c.name, range(20)) for c in case.plan.schema}

    def read(seed: int) -> None:
        rows = np.random.default_rng(seed).integers(0, 20, 60).tolist()
        for row in rows:
            for name, column in whole.items():
                if not np.array_equal(storage.read(name, [row])[0], column[row], equal_nan=column.dtype.kind == "f"):
                    wrong.append((row, name))

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_full_disk_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = write_dataset(tmp_path / "d", [0])

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for step in (
        lambda: case.made().write_block(case.block(1)),
        lambda: case.made().add_asset(b"new"),
        lambda: case.made().record_fault(Rejection(1, 0, "engine", "crash")),
    ):
        with pytest.raises(DatasetError, match=r"No space left on device\. .*Free some space"):
            step()
    monkeypatch.undo()
    assert [p.name for p in (case.path / "tonesmith" / "aside").iterdir()] == ["zarr.json"]
    assert dict(case.made().committed()) == {0: 8}
    assert list(case.made().faults()) == []


def test_a_marker_appears_after_all_it_speaks_for_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = zarr_case(tmp_path / "d")
    sink, block = case.created(), case.block(1)
    flushed: set[str] = set()
    renamed: list[Path] = []
    replace_file = os.replace

    def flush(fd: int) -> None:
        flushed.add(str(Path(f"/proc/self/fd/{fd}").readlink()))

    def rename(source: str, target: str) -> None:
        assert source in flushed, "renamed before its bytes are on the disk"
        if "blocks" in target:
            assert {str(file.parent) for file in renamed} <= flushed, "marked before its files' names are on the disk"
        replace_file(source, target)
        renamed.append(Path(target))
        flushed.discard(str(Path(target).parent))

    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(os, "replace", rename)
    sink.write_block(block)
    assert len(renamed) == len(case.plan.schema) + 1
    assert renamed[-1].parent.name == "blocks"
    assert str(renamed[-1].parent) in flushed
