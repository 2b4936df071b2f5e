from __future__ import annotations

import gc
import json
import os
import resource
import signal
from pathlib import Path
from typing import Any

import lmdb
import numcodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn
from pydantic import ValidationError
from support.builders import check_flac_is_refused

from tonesmith.errors import DatasetError
from tonesmith.plan.schema import Column
from tonesmith.sinks.base import records
from tonesmith.sinks.base.pieces import Pieces
from tonesmith.sinks.lmdb import LmdbOptions, LmdbSink
from tonesmith.sinks.lmdb.records import checked_labels, columns_record, label_form, packed, unpacked_audio
from tonesmith.testing import sink_processes as processes
from tonesmith.testing.sink import SinkContract
from tonesmith.testing.sink_form import SinkFormContract
from tonesmith.testing.sink_processes import Case
from tonesmith.testing.synthetic import synthetic_plan


class TestLmdbSink(SinkContract):
    sink = LmdbSink


@pytest.mark.long
class TestLmdbSinkOfFlac(SinkFormContract):
    sink = LmdbSink
    options = {"audio": "flac"}


def lmdb_case(path: Path, frames: int = 300, **options: Any) -> Case:
    case = Case(LmdbSink, options, path, synthetic_plan(frames=frames))
    case.created()
    return case


def written(path: Path, frames: int = 300, **options: Any) -> Case:
    case = lmdb_case(path, frames, **options)
    case.made().write_block(case.block(0))
    return case


def file_of(case: Case) -> Path:
    return case.path / "data" / "000000.lmdb"


def everything(case: Case) -> dict[str, Any]:
    return case.read(LmdbSink.open(case.path), 0)


def open_plainly(file: Path) -> lmdb.Environment:
    return lmdb.open(str(file), subdir=False, readonly=True, lock=False)


@pytest.mark.parametrize("audio", ["blosc", "raw"])
def test_plain_lmdb_and_numpy_read_every_label_and_the_audio(tmp_path: Path, audio: str) -> None:
    case = written(tmp_path / "d", audio=audio)
    columns = case.block(0).columns
    with open_plainly(file_of(case)) as environment, environment.begin() as transaction:
        keys = [bytes(key) for key, _ in transaction.cursor()]
        assert keys == [*(b"%09d" % row for row in range(8)), b"columns"]
        form = json.loads(transaction.get(b"columns"))
        assert (form["audio"], form["shape"]) == (audio, [2, 300])
        dtype = np.dtype(form["label"])
        for row in range(8):
            record = transaction.get(b"%09d" % row)
            label = np.frombuffer(record, dtype, 1)[0]
            assert set(dtype.names) == set(columns) - {"audio"}
            for name in dtype.names:
                np.testing.assert_array_equal(label[name], columns[name][row], name)
            sound = record[dtype.itemsize :]
            sound = numcodecs.Blosc().decode(sound) if audio == "blosc" else sound
            np.testing.assert_array_equal(np.frombuffer(sound, "<f4").reshape(form["shape"]), columns["audio"][row])


def test_the_library_and_two_readers_may_have_one_file_open_at_once(tmp_path: Path) -> None:
    case = written(tmp_path / "d")
    with open_plainly(file_of(case)) as environment, environment.begin() as transaction:
        storages = [LmdbSink.open(case.path) for _ in range(2)]
        pitches = [storage.read("pitch", range(8)) for storage in storages]
        assert transaction.stat()["entries"] == 9
    np.testing.assert_array_equal(*pitches)


def test_a_reader_closes_its_files(tmp_path: Path) -> None:
    case = written(tmp_path / "d")
    gc.collect()
    before = set(Path("/proc/self/fd").iterdir())
    storage = LmdbSink.open(case.path)
    storage.read("pitch", [1])
    assert set(Path("/proc/self/fd").iterdir()) > before
    del storage
    gc.collect()
    assert set(Path("/proc/self/fd").iterdir()) == before


@pytest.mark.parametrize("options", [{}, {"audio": "raw"}, {"audio": "flac"}, {"level": 9}])
def test_the_same_block_gives_the_same_bytes(tmp_path: Path, options: dict[str, Any]) -> None:
    contents = set()
    for name in ("a", "b"):
        junk = [os.urandom(4096) for _ in range(2000)]  # what an allocator may hand out again
        del junk
        contents.add(file_of(written(tmp_path / name, 4000, **options)).read_bytes())
    assert len(contents) == 1


@pytest.mark.parametrize("frames", [3, 300, 20_000])
def test_a_file_has_no_slack(tmp_path: Path, frames: int) -> None:
    case = written(tmp_path / "d", frames, audio="raw")
    stat, psize = file_of(case).stat(), os.sysconf("SC_PAGE_SIZE")
    with open_plainly(file_of(case)) as environment:
        assert stat.st_size == (environment.info()["last_pgno"] + 1) * psize
    assert stat.st_blocks * 512 >= stat.st_size
    pages = 8 * -(-(16 + frames * 8 + 400) // psize)
    assert stat.st_size <= (pages + 8) * psize
    assert [file.name for file in (case.path / "data").iterdir()] == ["000000.lmdb"]


def test_any_flipped_bit_is_found_or_harmless(tmp_path: Path) -> None:
    case = written(tmp_path / "d", 60)
    file, expected = file_of(case), everything(case)
    whole, random = file.read_bytes(), np.random.default_rng(1)
    found = 0
    for at in [*range(200), *random.integers(0, len(whole), 400).tolist()]:
        harmed = bytearray(whole)
        harmed[at] ^= 1 << int(random.integers(8))
        file.write_bytes(harmed)
        try:
            read = everything(case)
        except DatasetError as error:
            assert "block 0 is damaged" in str(error)  # noqa: PT017 - it may be harmless
            found += 1
            continue
        for name, array in expected.items():
            np.testing.assert_array_equal(read[name], array)
    assert found == 600


def test_a_file_cut_short_anywhere_is_told(tmp_path: Path) -> None:
    case = written(tmp_path / "d")
    file, storage = file_of(case), LmdbSink.open(case.path)
    storage.read("pitch", range(8))
    whole = file.read_bytes()
    for size in (0, 1, 100, 4096, 9000, len(whole) - 1):
        os.truncate(file, size)
        with pytest.raises(DatasetError, match="block 0 is damaged"):
            everything(case)
        with pytest.raises(DatasetError, match="block 0 is damaged"):
            storage.read("audio", range(8))  # opened while it was whole: a mapped file would end the process here
        file.write_bytes(whole)
    everything(case)


@pytest.mark.parametrize(
    "sums",
    [[], [1], ["a", "b"], [10**18, 0, 0, 10**18], [None] * 18, {"a": 1}, [0, 0, -5, 3], [4096, 0, 4000, 4096]],
)
def test_a_marker_that_lies_only_gives_errors(tmp_path: Path, sums: Any) -> None:
    case = written(tmp_path / "d")
    rewrite_sums(case, sums)
    with pytest.raises(DatasetError, match="block 0"):
        everything(case)


def rewrite_sums(case: Case, sums: Any) -> None:
    (marker,) = (case.path / "tonesmith" / "blocks").iterdir()
    content = json.loads(marker.read_bytes())
    marker.unlink()
    new = json.dumps({**content, "sums": {"": sums}}).encode()
    (marker.parent / f"000000-8-{len(new)}.json").write_bytes(new)


def test_a_hostile_record_with_a_true_checksum_only_gives_errors(tmp_path: Path) -> None:
    case = written(tmp_path / "d")
    schema, block = case.plan.schema, case.block(0)
    (record, *_) = packed(schema, block.columns, "blosc", 1, 8000)
    size, shape = label_form(schema)["itemsize"], (2, 300)
    head, sound = record[:size], record[size:]
    audio = unpacked_audio(checked_labels(head), sound, "blosc", shape)
    np.testing.assert_array_equal(audio, block.columns["audio"][0])
    for hostile in (b"", sound[:15], sound[:-1], sound + b"x", sound[:4] + b"\xff\xff\xff\x7f" + sound[8:], b"\0" * 64):
        with pytest.raises((DatasetError, RuntimeError, ValueError)):
            unpacked_audio(with_checksum(head, hostile), hostile, "blosc", shape)
    for form in ("raw", "flac"):
        with pytest.raises((DatasetError, RuntimeError, ValueError)):
            unpacked_audio(with_checksum(head, sound), sound, form, shape)


def with_checksum(head: bytes, sound: bytes) -> bytes:
    import google_crc32c

    return head[:4] + google_crc32c.value(sound).to_bytes(4, "little") + head[8:]


_COLUMNS = st.lists(
    st.tuples(
        st.sampled_from(["bool", "int8", "uint16", "int64", "uint64", "float16", "float32", "float64"]),
        st.lists(st.integers(1, 3), max_size=3),
    ),
    max_size=5,
)


@settings(max_examples=60, deadline=None)
@given(_COLUMNS, st.sampled_from(["blosc", "raw"]), st.data())
def test_a_record_holds_columns_of_any_shape_and_dtype_bit_for_bit(kinds: Any, form: Any, data: st.DataObject) -> None:
    schema = [Column("audio", (1, 7), "float32", ("channel", "frame"), "")]
    schema += [Column(f"c/{i}.x", tuple(shape), dtype, (), "") for i, (dtype, shape) in enumerate(kinds)]
    columns = {c.name: data.draw(hn.arrays(c.dtype, (3, *c.shape))) for c in schema}
    made = list(packed(schema, columns, form, 1, 8000))
    dtype = np.dtype(json.loads(columns_record(schema, form))["label"])
    for row, record in enumerate(made):
        head = checked_labels(record[: dtype.itemsize])
        label = np.frombuffer(head, dtype, 1)[0]
        for column in schema[1:]:
            assert label[column.name].tobytes() == columns[column.name][row].tobytes()
        audio = unpacked_audio(head, record[dtype.itemsize :], form, (1, 7))
        assert audio.tobytes() == columns["audio"][row].tobytes()
        with pytest.raises(DatasetError, match="checksum"):
            checked_labels(head[:-1] + bytes([head[-1] ^ 1]))


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), st.binary(max_size=20))
def test_pieces_are_found_wherever_they_lie(rows: list[bytes], between: bytes) -> None:
    rows = [b"%03d" % i + row for i, row in enumerate(rows)]
    content = b"head" + between.join(reversed(rows)) + between
    found = Pieces.of(Pieces.found(content, rows).sums)
    assert [content[offset : offset + length] for offset, length in found.places] == rows
    found.check(len(content), lambda length, offset: content[offset : offset + length])
    harmed = bytes([content[0] ^ 1]) + content[1:]
    with pytest.raises(DatasetError, match="checksum"):
        found.check(len(content), lambda length, offset: harmed[offset : offset + length])
    with pytest.raises(DatasetError, match="form that tonesmith does not know"):
        Pieces.found(content, [b"nowhere in it, whatever was drawn before"])


@pytest.mark.parametrize("limit", [0, 4096, 300_000])
def test_a_full_disk_is_told_as_such_at_any_size(tmp_path: Path, limit: int) -> None:
    case = lmdb_case(tmp_path / "d", 20_000, audio="raw")
    processes.run(fill_the_disk, case, limit)


def fill_the_disk(case: Case, limit: int) -> None:
    block = case.block(0)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        case.made().write_block(block)
    except DatasetError as error:
        assert "Free some space" in str(error)  # noqa: PT017 - there is no pytest in this process
    else:
        raise AssertionError("a block was written")
    assert list((case.path / "data").iterdir()) == []
    assert records.committed(case.path) == {}


def test_each_option_counts(tmp_path: Path) -> None:
    sizes = {}
    for audio, level in [("raw", 1), ("blosc", 0), ("blosc", 1), ("flac", 1)]:
        case = written(tmp_path / f"{audio}{level}", 4000, audio=audio, level=level)
        sizes[audio, level] = file_of(case).stat().st_size
        assert case.made().lossy == (audio == "flac")
    assert sizes["blosc", 0] > sizes["blosc", 1] > sizes["flac", 1]
    assert sizes["raw", 1] > sizes["blosc", 1]
    for wrong in ({"audio": "mp3"}, {"level": 10}, {"level": -1}, {"speed": 1}):
        with pytest.raises(ValidationError):
            LmdbOptions.model_validate(wrong)


@pytest.mark.parametrize("audio", ["blosc", "raw", "flac"])
def test_the_lines_of_the_card_suit_each_form_of_audio(tmp_path: Path, audio: str) -> None:
    case = written(tmp_path / "d", audio=audio)
    names: dict[str, Any] = {}
    exec(LmdbSink.loading(str(case.path)), names)  # noqa: S102 - our own lines
    np.testing.assert_allclose(names["audio"], everything(case)["audio"][0], atol=0)
    assert names["label"]["pitch"] == everything(case)["pitch"][0]


def test_the_lines_of_the_card_take_the_first_row_that_is_there(tmp_path: Path) -> None:
    case = lmdb_case(tmp_path / "d")
    case.made().write_block(case.block(1))
    names: dict[str, Any] = {}
    exec(LmdbSink.loading(str(case.path)), names)  # noqa: S102 - our own lines
    np.testing.assert_array_equal(names["audio"], case.block(1).columns["audio"][0])
    assert names["label"]["patch"] == case.block(1).columns["patch"][0]


@pytest.mark.parametrize(("channels", "rate"), [(9, 8000), (1, 700_000)])
def test_audio_that_flac_cannot_hold_is_refused_before_anything_is_written(
    tmp_path: Path, channels: int, rate: int
) -> None:
    check_flac_is_refused(LmdbSink, "blosc", tmp_path / "d", channels, rate)
