"""The webdataset sink: the contract of every sink, its labels, and what the library makes of its archives."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tarfile
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray
from support.builders import check_flac_is_refused

from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.splits import Splits
from tonesmith.errors import ConfigError, DatasetError
from tonesmith.plan.block import Block
from tonesmith.plan.schema import Column
from tonesmith.sinks.base import records
from tonesmith.sinks.rows.labels import Labels, key_of, label_bytes
from tonesmith.sinks.webdataset import WebDatasetOptions, WebDatasetSink
from tonesmith.sinks.webdataset.tar import tar_members, tar_pieces
from tonesmith.testing.sink import SinkContract
from tonesmith.testing.sink_form import SinkFormContract
from tonesmith.testing.sink_processes import Case, unflushed
from tonesmith.testing.synthetic import attributes_of, synthetic_plan

soundfile = pytest.importorskip("soundfile")
webdataset = pytest.importorskip("webdataset")


class TestFlac(SinkContract):
    sink = WebDatasetSink


@pytest.mark.long
class TestNpy(SinkFormContract):
    sink = WebDatasetSink
    options: ClassVar = {"audio": "npy"}


@pytest.fixture(autouse=True)
def _unflushed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", unflushed)


def written(path: Path, **options: Any) -> Case:
    case = Case(WebDatasetSink, options, path, synthetic_plan())
    sink = case.created()
    for index in range(3):
        sink.write_block(case.block(index))
    return case


def split_again(case: Case, shares: Mapping[str, float], blocks: range = range(3)) -> None:
    attributes = {**attributes_of(case.plan), "splits": Splits(shares).to_json()}
    case.made().create(attributes, case.plan.schema, case.plan.rows, case.plan.block_rows)
    for index in blocks:
        case.made().write_block(case.block(index))


def tars(path: Path) -> list[str]:
    return sorted(str(file.relative_to(path)) for file in (path / "data").iterdir())


def streamed(files: Any) -> list[dict[str, Any]]:
    """Return what the library reads of archives, decoded without PyTorch: its own decoder of FLAC asks for that."""
    with warnings.catch_warnings(action="ignore"):
        stream = webdataset.WebDataset(files, shardshuffle=False).decode(
            webdataset.handle_extension("flac", lambda data: soundfile.read(io.BytesIO(data), always_2d=True)[0])
        )
        return list(stream)


@pytest.mark.parametrize("form", ["flac", "npy"])
def test_the_library_streams_the_same_rows_in_order(tmp_path: Path, form: str) -> None:
    case = written(tmp_path / "dätaset", audio=form)
    opened = Dataset(WebDatasetSink.open(case.path))
    found = streamed(f"{case.path}/data/{{000000..000002}}.tar")
    assert [sample["__key__"] for sample in found] == [f"{row:09d}" for row in range(20)]
    for row, sample in zip(opened, found, strict=True):
        label = sample["json"]
        audio = sample["flac"].T * label["scale"] if form == "flac" else sample["npy"]
        np.testing.assert_array_equal(audio.astype(np.float32), row.audio)
        assert (label["row"], label["patch"], label["pitch"]) == (row.row, row.patch_id, row.note.pitch)
        assert (label["origin"], label["preset"], label["hold"]) == (row.origin, row.preset, row.note.hold)
        np.testing.assert_array_equal(np.float32(label["continuous"]), row.label.continuous)
        assert label["asset"] == list(row.label.assets.values())
        assert label["audible"] == row.audible.tolist()
        assert label["loudness"] is None


def test_each_split_streams_from_archives_of_its_own(tmp_path: Path) -> None:
    case = written(tmp_path / "d")
    split_again(case, {"train": 0.5, "val": 0.5})
    opened = Dataset(WebDatasetSink.open(case.path))
    for name, rows in opened.splits.items():
        found = [sample["json"] for sample in streamed(sorted(map(str, case.path.glob(f"data/{name}-*.tar"))))]
        assert [label["row"] for label in found] == rows.tolist()
        assert {label["split"] for label in found} == {name}
    assert WebDatasetSink.front_matter(case.path, ["train", "val"])["configs"][0]["data_files"] == [
        {"split": "train", "path": "data/train-*.tar"},
        {"split": "validation", "path": "data/val-*.tar"},
    ]


def test_splitting_anew_leaves_no_archive_of_before_and_readers_go_on(tmp_path: Path) -> None:
    case = written(tmp_path / "d")
    early = Dataset(WebDatasetSink.open(case.path))
    rows = early.get_batch(slice(None))
    assert tars(case.path) == [f"data/{i:06d}.tar" for i in range(3)]
    seen = [tars(case.path)]
    for shares in ({"train": 0.5, "val": 0.5}, {"other": 1.0}, {"train": 0.3, "other": 0.7}):
        split_again(case, shares)
        seen.append(tars(case.path))
        assert {file[5:].rpartition("-")[0] for file in seen[-1]} <= shares.keys()
        for opened in (early, Dataset(WebDatasetSink.open(case.path))):
            again = opened.get_batch(slice(None))
            for name, array in rows.items():
                np.testing.assert_array_equal(again[name], array)
    assert len({tuple(files) for files in seen}) == 4


def test_an_archive_that_a_killed_writer_left_goes_when_its_block_is_written_again(tmp_path: Path) -> None:
    case = written(tmp_path / "d")
    whole = case.path / "data" / "000001.tar"
    left = whole.read_bytes()
    split_again(case, {"train": 0.5, "val": 0.5})
    before = tars(case.path)
    whole.write_bytes(left)
    (case.path / "data" / "none-000001.tar").write_bytes(left)
    case.made().write_block(case.block(1))
    assert tars(case.path) == before
    case.check_whole(range(3))


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_no_more_files_stay_open_than_a_process_may_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tonesmith.sinks.base import block_storage as _block_storage

    case = written(tmp_path / "d")
    split_again(case, {"train": 0.4, "val": 0.3, "test": 0.3})
    for name, most in (("_KEPT_FILES", 3), ("KEPT_BYTES", 1)):
        with monkeypatch.context() as patch:
            patch.setattr(_block_storage, name, most)
            before, storage = open_files(), WebDatasetSink.open(case.path)
            for row in (*range(20), 3, 12, 19):
                storage.read("pitch", [row])
            assert open_files() <= before + 3
    del storage
    assert open_files() <= before


def test_a_block_is_readable_at_each_step_of_being_divided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case, steps = written(tmp_path / "d"), []

    def checked(function: Any) -> Any:
        def step(*args: Any) -> None:
            function(*args)
            steps.append(args)
            case.check_whole(range(3))
            assert 1 in case.made().committed()

        return step

    for name in ("replace", "unlink"):
        monkeypatch.setattr(os, name, checked(getattr(os, name)))
    split_again(case, {"train": 0.5, "val": 0.5}, range(1, 2))
    assert len(steps) > 4


def test_a_block_that_cannot_be_written_again_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = written(tmp_path / "d")

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(WebDatasetSink, "write_part", full)
        with pytest.raises(DatasetError, match="Free some space"):
            case.made().write_block(case.block(1, seed=5))
    assert dict(case.made().committed()) == {0: 8, 1: 8, 2: 4}
    case.check_whole(range(3))


def test_a_marker_whose_checksums_will_not_hold_is_withdrawn_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = written(tmp_path / "d")
    block = case.block(1)
    measured = replace(block, columns={**block.columns, "peak_dbfs": block.columns["peak_dbfs"] + 1})

    def killed(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(records, "mark", killed)
    for again, committed in ((block, {0: 8, 1: 8, 2: 4}), (measured, {0: 8, 2: 4})):
        with pytest.raises(KeyboardInterrupt):
            case.made().write_block(again)
        assert dict(case.made().committed()) == committed
        case.check_whole(range(3))


def test_the_bytes_are_the_same_each_time_and_tell_no_time_or_owner(tmp_path: Path) -> None:
    one, two = written(tmp_path / "a"), written(tmp_path / "b")
    for file in tars(one.path):
        assert (one.path / file).read_bytes() == (two.path / file).read_bytes()
        with tarfile.open(one.path / file) as archive:
            members = archive.getmembers()
        assert [m.name.partition(".")[2] for m in members[:2]] == ["flac", "json"]
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in members} == {(0, 0, 0, "", "", 0o644)}


def test_an_extended_block_begins_with_the_bytes_that_it_had(tmp_path: Path) -> None:
    case = written(tmp_path / "d")
    file = case.path / "data" / "000002.tar"
    before = file.read_bytes()
    longer = case._replace(plan=case.plan.extended_to(15))
    longer.created().write_block(longer.block(2))
    assert file.read_bytes().startswith(before.rstrip(b"\0"))
    assert len(file.read_bytes()) > len(before)


def test_tarfile_and_our_reader_agree(tmp_path: Path) -> None:
    files = [("a.npy", b""), ("b" * 96 + ".npy", b"x" * 512), ("c.json", b"y" * 513)]
    (tmp_path / "t.tar").write_bytes(b"".join(tar_pieces(files)))
    with tarfile.open(tmp_path / "t.tar") as archive:
        found = [(m.name, archive.extractfile(m).read()) for m in archive.getmembers()]  # type: ignore[union-attr]
    assert found == files
    with (tmp_path / "t.tar").open("rb") as file:
        assert [(m.name, m.size) for m in tar_members(file.fileno(), 3)] == [(n, len(c)) for n, c in files]
        with pytest.raises(DatasetError, match="3 files, not 4"):
            tar_members(file.fileno(), 4)
    with pytest.raises(DatasetError, match="cannot hold"):
        list(tar_pieces([("d" * 101, b"")]))


def _header(size: bytes = b"00000000010\0", name: bytes = b"000000008.flac", kind: bytes = b"0") -> bytes:
    with io.BytesIO() as stream, tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("x"))
        header = bytearray(stream.getvalue()[:512])
    header[:100], header[124:136], header[156:157] = name.ljust(100, b"\0"), size, kind
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


NO_TAR = "it is not a tar archive of tonesmith"
HOSTILE = {
    "a size beyond the file": (_header(b"77777777777\0"), "000000008.flac is cut short"),
    "a size in base 256": (_header(b"\x80" + b"\0" * 3 + b"\xff" * 8), NO_TAR),
    "a negative size": (_header(b"-0000000001\0"), NO_TAR),
    "a link": (_header(kind=b"2"), NO_TAR),
    "a folder": (_header(kind=b"5"), NO_TAR),
    "another row": (None, "000000003.flac is beside the label of row 8"),
    "a name outside": (None, "../../etc/passwd is beside the label of row 8"),
    "a name of no text": (_header(name=b"\xff\xfe"), NO_TAR),
    "no tar": (b"PK\3\4" + bytes(508), NO_TAR),
    "zeros": (bytes(512), "it has 0 files, not 16"),
    "a damaged header": (b"1" + _header()[1:], "a header is damaged"),
    "an empty file": (b"", "it has 0 files, not 16"),
}


@pytest.mark.parametrize("how", HOSTILE)
def test_a_hostile_archive_is_an_error_that_names_the_block(tmp_path: Path, how: str) -> None:
    case = written(tmp_path / "d")
    file = case.path / "data" / "000001.tar"
    content = file.read_bytes()
    header, told = HOSTILE[how]
    if header is None:
        header = _header(content[124:136], told.split()[0].encode())
    file.write_bytes(header + content[512:] if header else b"")
    with pytest.raises(DatasetError, match=rf"block 1 is damaged \(audio: .*{re.escape(told)}"):
        WebDatasetSink.open(case.path).read("audio", [8])
    WebDatasetSink.open(case.path).read("audio", [7])


@pytest.mark.parametrize("kind", ["pipe", "folder", "link to a device"])
def test_what_is_no_file_keeps_nobody_waiting(tmp_path: Path, kind: str) -> None:
    case = written(tmp_path / "d")
    file = case.path / "data" / "000001.tar"
    file.unlink()
    {"pipe": os.mkfifo, "folder": os.mkdir, "link to a device": lambda path: path.symlink_to("/dev/zero")}[kind](file)
    with pytest.raises(DatasetError, match=r"block 1 is damaged .*is not a file"):
        WebDatasetSink.open(case.path).read("pitch", [8])


def _tampered(case: Case, change: Any) -> None:
    """Change the marker of block 1, whose name tells its size."""
    (marker,) = (case.path / "tonesmith" / "blocks").glob("000001-*")
    content = json.loads(marker.read_bytes())
    change(content)
    text = json.dumps(content).encode()
    marker.unlink()
    marker.with_name(f"000001-8-{len(text)}.json").write_bytes(text)


@pytest.mark.parametrize(
    "change",
    [
        lambda marker: marker.update(parts={"../../../victim": list(range(8))}),
        lambda marker: marker.update(parts={"": list(range(8))}),
        lambda marker: marker.update(parts=["train"]),
        lambda marker: marker.update(sums={"": 5}),
        lambda marker: marker.update(sums=7),
    ],
)
def test_a_marker_names_no_file_outside(tmp_path: Path, change: Any) -> None:
    case = written(tmp_path / "d")
    victim = tmp_path / "victim-000001.tar"
    victim.write_bytes(b"mine")
    _tampered(case, change)
    with pytest.raises(DatasetError, match=r"000001-8-.* is damaged"):
        WebDatasetSink.open(case.path).read("pitch", [8])
    case.made().write_block(case.block(1))
    case.check_whole(range(3))
    assert victim.read_bytes() == b"mine"


@pytest.mark.parametrize(
    "change",
    [
        lambda marker: marker.update(sums={}),
        lambda marker: marker["sums"][""].pop(),
        lambda marker: marker["sums"].update({"": [1] * 8}),
        lambda marker: marker["sums"].update({"": ["x"] * 8}),
        lambda marker: marker["sums"].update({"": [0] * 500_000}),
        lambda marker: marker.update(parts={"train": [0, 1, 2]}),
        lambda marker: marker.update(parts={"train": [99] * 8}),
    ],
)
def test_a_marker_that_does_not_fit_the_archive_is_an_error(tmp_path: Path, change: Any) -> None:
    case = written(tmp_path / "d")
    _tampered(case, change)
    with pytest.raises(DatasetError, match="block 1 is damaged"):
        WebDatasetSink.open(case.path).read("pitch", range(8, 16))


@pytest.mark.parametrize("form", ["wav", "../../x", None, ["flac"], 7])
def test_a_record_of_another_form_is_an_error(tmp_path: Path, form: Any) -> None:
    case = written(tmp_path / "d")
    record = case.path / "tonesmith" / "dataset.json"
    content = json.loads(record.read_bytes())
    record.write_text(json.dumps({**content, "options": {"audio": form}}))
    with pytest.raises(DatasetError, match="options that the sink 'webdataset' does not have"):
        WebDatasetSink.open(case.path)
    with pytest.raises(DatasetError, match=r"its audio is .*, not flac"):
        case.created()


# Labels


_DTYPES = ("bool", "int8", "uint8", "int16", "uint32", "int64", "uint64", "float16", "float32", "float64")


@st.composite
def columns_of(draw: st.DrawFn) -> tuple[Column, NDArray[Any]]:
    dtype = np.dtype(draw(st.sampled_from(_DTYPES)))
    shape = draw(npst.array_shapes(min_dims=0, max_dims=3, max_side=3))
    name = draw(
        st.sampled_from(["x", "row", "split", "scale", "file_name", "deep/x_file_name", "origin", "column.row"])
    )
    column = Column(name, shape, dtype.name, tuple("abc"[: len(shape)]), "")
    return column, draw(npst.arrays(dtype, (2, *shape)))


def _strict(text: str) -> Any:
    raise AssertionError(f"{text} is not JSON")


def through_json(columns: list[Column], arrays: Mapping[str, NDArray[Any]]) -> list[dict[str, NDArray[Any]]]:
    labels = Labels(columns, ("lhs", "presets"))
    packed = [label_bytes(label) for label in labels.pack([5, 6], arrays)]
    assert not any(b"\n" in content for content in packed)
    return [labels.unpack(json.loads(content, parse_constant=_strict)) for content in packed]


@given(columns_of())
def test_a_label_holds_any_column_to_the_bit(given_column: tuple[Column, NDArray[Any]]) -> None:
    column, array = given_column
    if array.dtype.kind == "f":
        array = np.where(np.isnan(array), np.nan, array).astype(array.dtype)  # of NaN there is one
    for i, found in enumerate(through_json([column], {column.name: array})):
        stored = found[column.name]
        assert (stored.dtype, stored.shape) == (array.dtype, column.shape)
        assert stored.tobytes() == array[i].tobytes()


@given(npst.arrays(np.float32, 64, elements=st.floats(width=32, allow_nan=False)))
def test_numbers_are_the_shortest_that_give_the_same_bits(array: NDArray[np.float32]) -> None:
    column = Column("x", (32,), "float32", ("a",), "")
    (found, other) = through_json([column], {"x": array.reshape(2, 32)})
    assert found["x"].tobytes() + other["x"].tobytes() == array.tobytes()
    text = label_bytes(Labels([column], ()).pack([0], {"x": np.full((1, 32), 0.3, np.float32)})[0])
    assert b"0.3," in text
    assert b"0.3000" not in text


def test_a_label_reads_like_one(tmp_path: Path) -> None:
    columns = [
        Column("vector", (2,), "float32", ("v",), ""),
        Column("origin", (), "int16", (), ""),
        Column("preset", (32,), "uint8", ("sha256",), ""),
        Column("asset", (2, 32), "uint8", ("slot", "sha256"), ""),
        Column("plain", (1, 32), "uint8", ("slot", "byte"), ""),
    ]
    arrays = {
        "vector": np.array([[np.nan, 0.1], [-np.inf, np.inf]], np.float32),
        "origin": np.array([1, 7], np.int16),
        "preset": np.array([range(32), [0] * 32], np.uint8),
        "asset": np.array([[[0] * 32, [255] * 32]] * 2, np.uint8),
        "plain": np.zeros((2, 1, 32), np.uint8),
    }
    first, second = Labels(columns, ("lhs", "presets")).pack([3, 4], arrays)
    assert list(first) == ["row", "origin", "vector", "preset", "asset", "plain"]
    assert (first["row"], first["origin"], first["vector"]) == (3, "presets", [None, 0.1])
    assert (first["preset"], first["asset"]) == (bytes(range(32)).hex(), ["", "ff" * 32])
    assert (second["origin"], second["preset"], second["vector"]) == (7, "", [-sys.float_info.max, sys.float_info.max])
    assert first["plain"] == [[0] * 32]
    for found, i in zip(through_json(columns, arrays), range(2), strict=True):
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[name], array[i], strict=True)


def test_no_column_hides_what_a_label_says_itself() -> None:
    assert {key_of(name) for name in ("row", "scale", "split", "file_name")} == {
        "column:row",
        "column:scale",
        "column:split",
        "column:file_name",
    }
    assert key_of("pitch") == "pitch"
    assert key_of("modulation/source") == "modulation/source"


def test_a_column_of_a_third_party_is_kept(tmp_path: Path) -> None:
    case = Case(WebDatasetSink, {}, tmp_path / "d", synthetic_plan())
    extra = Column("row", (2, 2), "float16", ("a", "b"), "", content=False)
    block = case.block(0)
    values = np.random.default_rng(1).normal(size=(8, 2, 2)).astype(np.float16)
    sink = case.made()
    sink.create(attributes_of(case.plan), (*case.plan.schema, extra), 20, 8)
    sink.write_block(Block(0, 0, {**block.columns, "row": values}, block.digests))
    np.testing.assert_array_equal(WebDatasetSink.open(case.path).read("row", range(8)), values)


@pytest.mark.parametrize(
    "label",
    ["{}", "[]", "1", "", '{"row": 8}', '{"row": -1, "scale": 1e999}', "[" * 100_000, '{"row": 1' + "0" * 5000 + "}"],
)
def test_a_label_that_is_none_is_an_error(tmp_path: Path, label: str) -> None:
    from tonesmith.sinks.rows.reader import row_sum

    case = written(tmp_path / "d", audio="npy")
    files = [("000000008.npy", b""), ("000000008.json", label.encode())]
    (case.path / "data" / "000001.tar").write_bytes(b"".join(tar_pieces(files * 8)))
    _tampered(case, lambda marker: marker.update(sums={"": [row_sum(b"", label.encode())] * 8}))
    for column in ("pitch", "audio"):
        with pytest.raises(DatasetError, match="block 1 is damaged"):
            WebDatasetSink.open(case.path).read(column, [8])


# Options, and what is told of them


@pytest.mark.parametrize(("channels", "rate"), [(9, 8000), (1, 700_000)])
def test_audio_that_flac_cannot_hold_is_refused_before_anything_is_written(
    tmp_path: Path, channels: int, rate: int
) -> None:
    check_flac_is_refused(WebDatasetSink, "npy", tmp_path / "d", channels, rate)


def test_the_smallest_dataset_is_that_of_flac(tmp_path: Path) -> None:
    sizes = {}
    for form in ("flac", "npy"):
        case = Case(WebDatasetSink, {"audio": form}, tmp_path / form, synthetic_plan(frames=4000))
        case.created().write_block(case.block(0))
        sizes[form] = (case.path / "data" / "000000.tar").stat().st_size
    assert sizes["npy"] > 7 * 2 * 4000 * 4
    assert sizes["flac"] < sizes["npy"] / 2
    with pytest.raises(DatasetError, match="its audio is npy, not flac"):
        case._replace(options={}).created()
    assert WebDatasetOptions.model_fields["audio"].default == "flac"


@pytest.mark.parametrize("command", ["made", "open"])
def test_without_soundfile_flac_names_the_pip_command_and_npy_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    flac, npy = written(tmp_path / "flac"), written(tmp_path / "npy", audio="npy")
    find = __import__("importlib.util", fromlist=["find_spec"]).find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *a: None if name == "soundfile" else find(name, *a))
    does = {"made": lambda case: case.made(), "open": lambda case: WebDatasetSink.open(case.path)}[command]
    with pytest.raises(ConfigError, match=r'pip install "tonesmith\[webdataset\]"'):
        does(flac)
    does(npy)


@pytest.mark.long
def test_its_card_takes_the_archives_that_are_there(tmp_path: Path) -> None:
    case = written(tmp_path / "d", audio="npy")
    assert "glob('*.tar')" in WebDatasetSink.loading(str(case.path))
    assert "numpy.load" in WebDatasetSink.loading(str(case.path))
    split_again(case, {"val": 0.5, "train": 0.5})
    code = WebDatasetSink.loading(str(case.path))
    assert "train-*.tar" in code
    assert "val-" not in code
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert "glob('*.tar')" in WebDatasetSink.loading("not/there")


def test_the_module_imports_nothing_heavy() -> None:
    code = "import sys, tonesmith.sinks.webdataset, tonesmith.sinks.folder; "
    code += "assert not {'numpy', 'soundfile', 'google_crc32c'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
