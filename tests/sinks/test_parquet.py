from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import google_crc32c
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn
from pydantic import ValidationError
from support.builders import check_flac_is_refused

from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.splits import Splits
from tonesmith.errors import DatasetError
from tonesmith.plan.block import row_digests
from tonesmith.plan.schema import Column, Measure
from tonesmith.sinks.base.pieces import Pieces
from tonesmith.sinks.parquet import ParquetOptions, ParquetSink
from tonesmith.sinks.parquet.columns import exact_column, from_arrow, to_arrow
from tonesmith.testing.sink import SinkContract
from tonesmith.testing.sink_form import SinkFormContract
from tonesmith.testing.sink_processes import Case
from tonesmith.testing.synthetic import attributes_of, synthetic_plan


class TestParquetSink(SinkContract):
    sink = ParquetSink
    kills = 1


@pytest.mark.long
class TestParquetSinkOfWav(SinkFormContract):
    sink = ParquetSink
    options = {"audio": "wav", "row_group": 3}


def written(path: Path, blocks: int = 3, splits: Splits | None = None, frames: int = 300, **options: Any) -> Case:
    case = Case(ParquetSink, options, path, synthetic_plan(frames=frames))
    attributes = attributes_of(case.plan) | ({"splits": splits.to_json()} if splits is not None else {})
    case.made().create(attributes, case.plan.schema, case.plan.rows, case.plan.block_rows)
    for index in range(blocks):
        case.made().write_block(case.block(index))
    return case


def file_of(case: Case) -> Path:
    return case.path / "data" / "000000.parquet"


def opened(case: Case) -> Dataset:
    return Dataset(ParquetSink.open(case.path))


def everything(case: Case) -> dict[str, Any]:
    return case.read(ParquetSink.open(case.path), 0)


def sound_of(content: bytes, scale: float = 1.0) -> Any:
    return soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)[0].T * np.float32(scale)


def card(case: Case, splits: list[str]) -> None:
    """Write the head of a card; JSON is YAML."""
    head = json.dumps(ParquetSink.front_matter(case.path, splits))
    (case.path / "README.md").write_text(f"---\n{head}\n---\n# A dataset\n")


def run_with_datasets(code: str, path: Path) -> Any:
    """Return the JSON that lines print which import ``datasets``, in a process of its own."""
    head = f"import io, json\nfrom datasets import Audio, load_dataset\npath = {str(path)!r}\n"
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(path.parent / "cache"), "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-c", head + code], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_datasets_opens_it_with_every_feature_and_row(tmp_path: Path) -> None:
    case = written(tmp_path / "d")
    card(case, [])
    told = run_with_datasets(
        """
import soundfile
rows = load_dataset(path)["train"]
features = {name: repr(feature) for name, feature in rows.features.items()}
rows = rows.cast_column("audio", Audio(decode=False))
sound, rate = soundfile.read(io.BytesIO(rows[13]["audio"]["bytes"]), dtype="float32")
labels = rows.remove_columns("audio")
print(json.dumps([features, rows["row"][:], rows[13]["audio"]["path"], rate, sound.T.tolist(), labels[13]]))
""",
        case.path,
    )
    features, numbers, path, rate, sound, labels = told
    assert features["audio"].startswith("Audio(sampling_rate=8000")
    assert features["continuous"] == "List(Value('float32'), length=2)"
    assert features["modulation/bipolar"] == "List(Value('int8'), length=3)"
    assert features["asset"] == "List(Value('string'), length=2)"
    assert {features[name] for name in ("origin", "preset", "param_filter_on")} == {"Value('string')"}
    assert (features["pitch"], features["param_level"]) == ("Value('uint8')", "Value('float32')")
    assert (numbers, path, rate) == (list(range(20)), "000000013.flac", 8000)
    row = opened(case)[13]
    np.testing.assert_array_equal(np.float32(sound) * np.float32(labels["scale"]), row.audio)
    assert labels["param_cutoff"] == row.parameters["cutoff"].raw
    assert labels["param_slope"] == row.parameters["slope"].text
    assert (labels["origin"], labels["preset"]) == (row.origin, row.preset)
    assert labels["asset"] == list(row.label.assets.values())


@pytest.mark.long
def test_datasets_tells_splits_by_files(tmp_path: Path) -> None:
    splits = Splits({"train": 0.4, "val": 0.4, "test": 0.2})
    case = written(tmp_path / "d", splits=splits)
    here = opened(case)
    expected = {("validation" if name == "val" else name): rows.tolist() for name, rows in here.splits.items()}
    assert all(expected.values())
    card(case, list(splits.names))
    code = 'print(json.dumps({name: rows["row"][:] for name, rows in load_dataset(path).items()}))'
    assert run_with_datasets(code, case.path) == expected
    assert {file.name for file in (case.path / "data").iterdir()} >= {"train-000000.parquet"}
    streamed = """
rows = load_dataset(path, split="validation", streaming=True).cast_column("audio", Audio(decode=False))
print(json.dumps([row["row"] for row in rows]))
"""
    assert run_with_datasets(streamed, case.path) == expected["validation"]


def test_a_split_that_is_called_validation_keeps_its_name() -> None:
    (config,) = ParquetSink.front_matter(Path("d"), ["val", "validation"])["configs"]
    assert [entry["split"] for entry in config["data_files"]] == ["val", "validation"]


def test_pandas_reads_labels_as_plain_columns(tmp_path: Path) -> None:
    case = written(tmp_path / "d", row_group=3)
    frame = pd.concat([pd.read_parquet(file) for file in sorted((case.path / "data").iterdir())], ignore_index=True)
    rows = list(opened(case))
    assert frame["row"].tolist() == list(range(20))
    for name in ("pitch", "velocity", "hold", "tail", "patch", "attempt", "peak_dbfs"):
        np.testing.assert_array_equal(frame[name].to_numpy(), opened(case).column(name))
    for i, row in enumerate(rows):
        assert frame["param_cutoff"][i] == np.float32(row.parameters["cutoff"].raw)
        assert frame["param_filter_on"][i] == row.parameters["filter_on"].text
        assert (frame["origin"][i], frame["preset"][i]) == (row.origin, row.preset)
        np.testing.assert_array_equal(frame["continuous"][i], row.columns["continuous"])
        np.testing.assert_array_equal(sound_of(frame["audio"][i]["bytes"], frame["scale"][i]), row.audio)
    assert "param_volume" not in frame, "it is fixed"


def test_duckdb_queries_the_whole_dataset(tmp_path: Path) -> None:
    case = written(tmp_path / "d")
    table = duckdb.read_parquet(f"{case.path}/data/*.parquet").filter("pitch = 60")
    found = table.aggregate("origin, count(*), max(param_cutoff), min(octet_length(audio.bytes))").order("origin")
    rows = [row for row in opened(case) if row.note.pitch == 60]
    for origin, count, cutoff, size in found.fetchall():
        of_origin = [row for row in rows if row.origin == origin]
        assert (count, cutoff) == (len(of_origin), np.float32(max(r.parameters["cutoff"].raw for r in of_origin)))
        assert size > 40
    assert [origin for origin, *_ in found.fetchall()] == ["lhs", "presets"]


def test_wav_is_exact_beyond_full_scale_and_flac_has_a_scale(tmp_path: Path) -> None:
    for audio in ("wav", "flac"):
        case = written(tmp_path / audio, 1, audio=audio)
        table = pq.read_table(file_of(case))
        scales = table.column("scale").to_pylist()
        sounds = [row["bytes"] for row in table.column("audio").to_pylist()]
        expected = case.block(0).columns["audio"]
        assert np.abs(expected).max() > 1.4
        assert set(scales) == ({1.0} if audio == "wav" else {1.0, 2.0})
        for sound, scale, row in zip(sounds, scales, expected, strict=True):
            np.testing.assert_array_equal(sound_of(sound, scale), row)


@pytest.mark.parametrize("rows", [1, 3, 8, 100])
def test_row_groups_have_as_many_rows_as_asked(tmp_path: Path, rows: int) -> None:
    case = written(tmp_path / "d", 1, row_group=rows)
    metadata = pq.read_metadata(file_of(case))
    counts = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    assert counts == [min(rows, 8 - first) for first in range(0, 8, rows)]
    chunks = [metadata.row_group(0).column(i) for i in range(metadata.num_columns)]
    codecs = {chunk.path_in_schema: chunk for chunk in chunks}
    assert codecs["audio.bytes"].compression == "UNCOMPRESSED"
    assert codecs["continuous.list.element"].compression == "ZSTD"
    assert codecs["pitch"].statistics.has_min_max
    np.testing.assert_array_equal(everything(case)["audio"], case.block(0).columns["audio"])


def test_the_same_block_gives_the_same_bytes(tmp_path: Path) -> None:
    assert len({file_of(written(tmp_path / name, 1)).read_bytes() for name in "ab"}) == 1


_BITS = [0x7FC00001, 0xFFC0BEEF, 0x80000000, 0, 0x7F800000, 0x7FC00000, 1, 0x3F800000]
_NAN = np.array(_BITS, np.uint32).view(np.float32)


def test_every_bit_of_a_number_is_kept(tmp_path: Path) -> None:
    case = Case(ParquetSink, {}, tmp_path / "d", synthetic_plan())
    case.created()
    block = case.block(0)
    columns = {**block.columns, "peak_dbfs": _NAN, "hold": np.repeat([-0.0, 0.0], 4)}
    case.made().write_block(replace(block, columns=columns, digests=row_digests(case.plan.schema, columns)))
    read = everything(case)
    assert read["peak_dbfs"].tobytes() == _NAN.tobytes()
    assert read["hold"].tobytes() == columns["hold"].tobytes()


_SHAPES = st.lists(st.integers(1, 3), max_size=3)
_DTYPES = ["bool", "int8", "uint8", "int16", "uint32", "int64", "uint64", "float16", "float32", "float64"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(_DTYPES), _SHAPES, st.data())
def test_a_column_of_any_shape_and_dtype_passes_through_a_file(
    tmp_path: Path, dtype: str, shape: list[int], data: st.DataObject
) -> None:
    column = Column("a/b.c", tuple(shape), dtype, tuple(f"dim{i}" for i in range(len(shape))), "")
    array = data.draw(hn.arrays(dtype, (4, *shape)))
    values = to_arrow(column, array, ())
    assert values.type == exact_column(column).type
    packed, table = {exact_column(column).leaf: "zstd"}, pa.table({"a/b.c": values})
    pq.write_table(table, tmp_path / "x.parquet", compression=packed, use_dictionary=False)
    assert pq.read_metadata(tmp_path / "x.parquet").row_group(0).column(0).compression == "ZSTD"
    back = from_arrow(column, pq.read_table(tmp_path / "x.parquet").column("a/b.c").combine_chunks(), ())
    assert (back.dtype, back.shape, back.tobytes()) == (array.dtype, array.shape, array.tobytes())


def test_names_that_others_bear_already_give_way(tmp_path: Path) -> None:
    measures = tuple(Measure(name, "", "") for name in ("scale", "row", "param_level", "param_level_", "a.b", "a"))
    case = Case(ParquetSink, {}, tmp_path / "d", synthetic_plan(measures=measures))
    case.created().write_block(case.block(0))
    table = pq.read_table(file_of(case))
    assert len(set(table.column_names)) == len(table.column_names)
    for name in ("scale", "row", "param_level", "a.b", "a"):
        np.testing.assert_array_equal(table.column(name).to_numpy(), case.block(0).columns[name])
    assert table.column("row_").to_pylist() == list(range(8))
    assert set(table.column("scale_").to_pylist()) == {1.0, 2.0}
    assert table.column("param_level__").type == pa.float32()
    for name, array in case.block(0).columns.items():
        np.testing.assert_array_equal(everything(case)[name], array)


def test_an_origin_that_the_plan_does_not_have_is_refused(tmp_path: Path) -> None:
    case = Case(ParquetSink, {}, tmp_path / "d", synthetic_plan())
    case.created()
    block = case.block(0)
    for wrong in (2, -1):
        columns = {**block.columns, "origin": np.full(8, wrong, np.int16)}
        with pytest.raises(DatasetError, match=f"has origin {wrong}; the plan has 2"):
            case.made().write_block(replace(block, columns=columns))
    assert dict(case.made().committed()) == {}


def test_any_flipped_bit_is_found(tmp_path: Path) -> None:
    case = written(tmp_path / "d", 1, frames=60)
    file, random = file_of(case), np.random.default_rng(1)
    whole = file.read_bytes()
    footer = pq.read_metadata(file).serialized_size
    places = [*range(12), *range(len(whole) - 12, len(whole))]
    places += random.integers(0, len(whole), 150).tolist()
    places += random.integers(len(whole) - footer, len(whole), 60).tolist()
    for at in places:
        harmed = bytearray(whole)
        harmed[at] ^= 1 << int(random.integers(8))
        file.write_bytes(harmed)
        with pytest.raises(DatasetError, match="block 0 is damaged"):
            everything(case)
    file.write_bytes(whole)
    everything(case)


def test_a_file_cut_short_while_it_is_open_is_told(tmp_path: Path) -> None:
    case = written(tmp_path / "d", 1)
    storage, file = ParquetSink.open(case.path), file_of(case)
    storage.read("pitch", [0])
    os.truncate(file, 2000)
    with pytest.raises(DatasetError, match="it has 2000 bytes, not "):
        everything(case)
    for column in ("audio", "continuous"):
        with pytest.raises(DatasetError, match="block 0 is damaged"):
            storage.read(column, range(8))


def test_a_hostile_file_with_true_checksums_only_gives_errors(tmp_path: Path) -> None:
    case = written(tmp_path / "d", 1)
    table = pq.read_table(file_of(case))
    columns = {name: table.column(name) for name in table.column_names}
    sounds = [sound["bytes"] for sound in columns["audio"].to_pylist()]
    forge(case, as_bytes(table), sounds)
    np.testing.assert_array_equal(everything(case)["audio"], case.block(0).columns["audio"])
    hostile = [
        (pa.table({**columns, "pitch": columns["row"]}), "pitch: pitch is int64, not uint8"),
        (pa.table({**columns, "origin": columns["preset"]}), "origin: "),
        (pa.table({**columns, "preset": columns["origin"]}), "preset: "),
        (pa.table({name: values for name, values in columns.items() if name != "hold"}), "hold: "),
        (pa.concat_tables([table, table]), "it has 16 rows"),
        (pa.table({**columns, "scale": columns["origin"]}), "audio: scale is string"),
    ]
    for other, told in hostile:
        forge(case, as_bytes(other), sounds)
        with pytest.raises(DatasetError, match=f"block 0 is damaged .*{told}"):
            everything(case)
    forge(case, as_bytes(table), [sound[:40] for sound in sounds])
    with pytest.raises(DatasetError, match=r"block 0 is damaged .*audio: "):
        everything(case)
    for junk in (b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1", os.urandom(500)):
        forge(case, junk, [])
        with pytest.raises(DatasetError, match="block 0 is damaged"):
            everything(case)


def as_bytes(table: pa.Table) -> bytes:
    content = io.BytesIO()
    pq.write_table(table, content, compression="none", use_dictionary=False)
    return content.getvalue()


def forge(case: Case, content: bytes, sounds: list[bytes]) -> None:
    """Put another file in place, with sums that are true of it."""
    file_of(case).write_bytes(content)
    checksums = [google_crc32c.value(sound) for sound in sounds]
    rewrite_sums(case, [*checksums, *Pieces.found(content, sounds).sums])


def rewrite_sums(case: Case, sums: Any) -> None:
    (marker,) = (case.path / "tonesmith" / "blocks").iterdir()
    content = json.loads(marker.read_bytes())
    marker.unlink()
    new = json.dumps({**content, "sums": {"": sums}}).encode()
    (marker.parent / f"000000-8-{len(new)}.json").write_bytes(new)


@pytest.mark.parametrize("sums", [[], [1, 2, 3], ["a"] * 26, [0] * 26, [10**18] * 26, {"a": 1}, [-4] * 26])
def test_a_marker_that_lies_only_gives_errors(tmp_path: Path, sums: Any) -> None:
    case = written(tmp_path / "d", 1)
    rewrite_sums(case, sums)
    with pytest.raises(DatasetError, match="block 0"):
        everything(case)


def test_croissant_is_told_every_column_of_one_value_and_its_type(tmp_path: Path) -> None:
    case = written(tmp_path / "d", 1)
    (files,) = ParquetSink.file_sets(case.plan, ())
    schema = pq.read_schema(file_of(case))
    lists = {field.name for field in schema if pa.types.is_fixed_size_list(field.type)}
    assert set(files.fields) == set(schema.names) - lists
    assert files.fields["audio"] == "sc:AudioObject"
    told = {name: files.fields[name] for name in ("pitch", "hold", "param_level", "param_slope", "preset")}
    assert told == dict(zip(told, ("sc:Integer", "sc:Float", "sc:Float", "sc:Text", "sc:Text"), strict=True))


def test_options_are_checked() -> None:
    for wrong in ({"audio": "mp3"}, {"row_group": 0}, {"row_group": 1025}, {"level": 1}):
        with pytest.raises(ValidationError):
            ParquetOptions.model_validate(wrong)


def test_a_block_of_a_split_dataset_has_a_file_for_each_split(tmp_path: Path) -> None:
    case = written(tmp_path / "d", splits=Splits({"train": 0.5, "test": 0.5}))
    rows: dict[str, list[int]] = {}
    for file in sorted((case.path / "data").iterdir()):
        rows.setdefault(file.name.partition("-")[0], []).extend(pq.read_table(file).column("row").to_pylist())
    assert {name: sorted(numbers) for name, numbers in rows.items()} == {
        name: places.tolist() for name, places in opened(case).splits.items()
    }


@pytest.mark.parametrize(("channels", "rate"), [(9, 8000), (1, 700_000)])
def test_audio_that_flac_cannot_hold_is_refused_before_anything_is_written(
    tmp_path: Path, channels: int, rate: int
) -> None:
    check_flac_is_refused(ParquetSink, "wav", tmp_path / "d", channels, rate)
