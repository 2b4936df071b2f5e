"""The HDF5 sink: the contract of every sink, what h5py and trainers make of its files, and the single file."""

from __future__ import annotations

import io
import json
import os
import random
import resource
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError
from support import amounts, sampled

from tonesmith.dataset.importance import Change, Importance, ParameterImportance, importance_path
from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.verify import check_integrity
from tonesmith.errors import DatasetError
from tonesmith.plan.plan import PluginRef
from tonesmith.plan.rejection import Rejection
from tonesmith.sinks.hdf5 import Hdf5Options, Hdf5Sink, parts_of
from tonesmith.space.patch import sha256_hex
from tonesmith.space.preset import PresetRef
from tonesmith.testing import sink_processes as processes
from tonesmith.testing.sink import SinkContract
from tonesmith.testing.sink_form import SinkFormContract
from tonesmith.testing.sink_processes import Case, damage, unflushed
from tonesmith.testing.synthetic import ASSETS, attributes_of, synthetic_plan, synthetic_space
from tonesmith.transfer.convert import convert

h5py = pytest.importorskip("h5py")
pytest.importorskip("hdf5plugin")


@pytest.fixture(autouse=True)
def _unflushed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", unflushed)


class TestZstd(SinkContract):
    sink = Hdf5Sink


@pytest.mark.long
class TestGzipWithMatrices(SinkFormContract):
    sink = Hdf5Sink
    options: ClassVar = {"compression": "gzip", "level": 4, "modulation_t3": True}


@pytest.mark.long
class TestSingle(SinkContract):
    """While it is written: its blocks are in a folder beside the path, so what looks at files is told apart below."""

    sink = Hdf5Sink
    options: ClassVar = {"single": True}
    kills = 1

    def test_an_extended_dataset_keeps_its_rows_and_grows_its_last_block(self, case: Case) -> None:
        processes.write(created(case), range(3))
        longer = case._replace(plan=case.plan.extended_to(15))
        processes.write(created(longer), range(2, 4))
        longer.made().finish()
        assert dict(longer.made().committed()) == {0: 8, 1: 8, 2: 8, 3: 6}
        longer.check_whole(range(4))

    def test_what_its_card_tells_of_its_files_is_true(self, written: Case) -> None:
        plan = replace(written.plan, sink=PluginRef("hdf5", {"single": True}))
        assert self.sink.file_sets(plan, ()) == ()

    def test_stray_files_are_ignored(self, written: Case) -> None:
        parts = parts_of(written.path)
        for folder in [parts, *(p for p in parts.rglob("*") if p.is_dir())]:
            (folder / "4242.cut-short").write_bytes(b"{")
        assert dict(written.made().committed()) == {0: 8, 1: 8, 2: 4}
        written.made().finish()
        written.check_whole(range(3))

    @pytest.mark.parametrize("harm", ["a bit turned", "cut short", "removed"])
    def test_a_damaged_block_is_named(self, written: Case, harm: str) -> None:
        damage(parts_of(written.path) / "data/000001.h5", harm)
        with pytest.raises(DatasetError, match=r"block 1\b"):
            written.made().finish()
        assert not written.path.exists()
        assert list(written.made().committed()) == [0, 1, 2]
        written.made().write_block(written.block(1))
        written.made().finish()
        written.check_whole(range(3))
        assert written.path.is_file()

    def test_assets_are_stored_once_and_checked(self, written: Case) -> None:
        sink = written.made()
        names = [sink.add_asset(content) for content in (b"", *ASSETS.values())]
        sink.finish()
        storage = self.sink.open(written.path)
        assert [storage.asset(name) for name in names] == [b"", *ASSETS.values()]
        assert storage.assets() == sorted(names)
        assert sink.add_asset(b"") == names[0]
        for missing in ("0" * 64, "../../record", ""):
            with pytest.raises(DatasetError):
                storage.asset(missing)


# Helpers


def created(case: Case) -> Case:
    case.created()
    return case


def hdf5_case(path: Path, plan: Any = None, **options: Any) -> Case:
    """Return an HDF5 sink and its plan, which names it: by default 20 rows in blocks of 8, 8 and 4."""
    return Case(Hdf5Sink, options, path, replace(plan or synthetic_plan(), sink=PluginRef("hdf5", options)))


def written_case(path: Path, plan: Any = None, **options: Any) -> Case:
    case = created(hdf5_case(path, plan, **options))
    for content in ASSETS.values():
        case.made().add_asset(content)
    processes.write(case, range(case.plan.blocks))
    return case


def finished(path: Path, plan: Any = None, **options: Any) -> Case:
    case = written_case(path, plan, **options)
    case.made().finish()
    return case


def columns_of(case: Case) -> dict[str, NDArray[Any]]:
    blocks = [case.block(index).columns for index in range(case.plan.blocks)]
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def preset_plan() -> Any:
    """Return a plan with three presets, of which the rows of synthetic blocks name some."""
    refs = [PresetRef(sha256_hex(b"%d" % i), "0" * 64, f"Präset {i}") for i in (0, 3, 6)]
    return replace(synthetic_plan(), presets=tuple(refs))


def importance_at(path: Path, names: list[str]) -> Importance:
    """Store an importance beside a dataset: of each parameter, twice that of the one before."""
    parameters = []
    for i, name in enumerate(names):
        change = Change(mean=2.0**i, error=None, audible=None)
        told = {"bases": 1, "audible": 1.0, "changed": 1.0, "step": 0.1, "skipped": 0}
        parameters.append(ParameterImportance(name=name, log_mel=change, stft=change, **told))
    found = Importance(settings={}, made_with={}, bases=1, skipped={}, failures={}, parameters=tuple(parameters))
    found.save(importance_path(path))
    return found


def opened(path: Path, single: bool) -> Any:
    return h5py.File(path if single else path / "dataset.h5", "r")


# The profile 2.1.0, and ours


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("compression", sampled(["zstd", "blosc2", "gzip", "none"], 2))
def test_h5py_reads_both_schemas(tmp_path: Path, compression: str, single: bool) -> None:
    case = finished(tmp_path / "d.h5", preset_plan(), compression=compression, single=single, modulation_t3=True)
    columns = columns_of(case)
    with opened(case.path, single) as file:
        for name, array in columns.items():
            found = file[f"tonesmith/{name}"]
            assert (found.shape, found.dtype) == (array.shape, array.dtype), name
            np.testing.assert_array_equal(found[()], array, name)
        assert file["audio/waveforms"].shape == (20, 2, 300)
        for second, name in {
            "audio/waveforms": "audio",
            "params/continuous": "continuous",
            "params/categorical": "categorical",
            "metadata/midi_note": "pitch",
            "metadata/velocity": "velocity",
        }.items():
            assert file[second] == file[f"tonesmith/{name}"], "it is the same array"
        assert [name.decode() for name in file["metadata/source"]] == [
            case.plan.origins[origin] for origin in columns["origin"]
        ]
        assert file["metadata/tier"][()].tolist() == [0] * 20
        hashes, names = (file[f"metadata/preset_{key}"].asstr()[()].tolist() for key in ("hash", "name"))
        known = {preset.sha256: preset.name for preset in case.plan.presets}
        for row, preset in enumerate(columns["preset"]):
            assert len(hashes[row]) == 64
            assert names[row] == known.get(bytes(preset).hex(), "")
            if preset.any():
                assert hashes[row] == bytes(preset).hex()
        assert json.loads(file["record/dataset"][()].tobytes())["attributes"]["plan"]["seed"] == 7


def test_the_schema_tells_names_ranges_and_rates(tmp_path: Path) -> None:
    case = finished(tmp_path / "d", backend_tier(2))
    with opened(case.path, single=False) as file:
        schema = dict(file["schema"].attrs)
        assert (schema["version"], file.attrs["schema_version"]) == ("2.1.0", "2.1.0")
        assert (schema["sample_rate"], schema["channels"], schema["frames"], schema["tier"]) == (8000, 2, 300, 2)
        assert (schema["render_duration"], schema["note_duration"]) == (300 / 8000, 0.02)
        assert list(schema["continuous_names"]) == ["level", "cutoff"]
        assert schema["continuous_low"].tolist() == [0.0, 8.0]
        assert schema["continuous_high"].tolist() == [1.0, 136.0]
        assert list(schema["categorical_names"]) == ["filter_on", "slope"]
        assert schema["categorical_n_options"].tolist() == [2, 3]
        assert json.loads(schema["categorical_choices"])["slope"] == ["6", "12", "24"]
        assert list(schema["mod_source_names"]) == ["lfo_1", "env_2"]
        assert list(schema["mod_destination_names"]) == ["level", "cutoff"]
        assert list(schema["wavetable_names"]) == []
        assert set(file["metadata/tier"][()]) == {2}


def test_a_tier_that_was_not_chosen_is_the_default_of_vita(tmp_path: Path) -> None:
    case = finished(tmp_path / "d", backend_tier(None))
    with h5py.File(case.path / "dataset.h5") as file:
        assert set(file["metadata/tier"][()]) == {1}


def backend_tier(tier: int | None) -> Any:
    return replace(synthetic_plan(), backend=PluginRef("made-up", {"tier": tier}))


def test_code_that_splits_by_preset_hash_keeps_the_notes_of_a_patch_together(tmp_path: Path) -> None:
    case = finished(tmp_path / "d")
    with opened(case.path, single=False) as file:
        hashes, patches = file["metadata/preset_hash"][()], file["tonesmith/patch"][()]
    assert len(set(hashes)) == len(set(patches)) == 10
    assert len(set(zip(hashes.tolist(), patches.tolist(), strict=True))) == 10


def test_matrices_are_those_of_the_dataset(tmp_path: Path) -> None:
    case = finished(tmp_path / "d", modulation_t3=True)
    dataset = open_dataset(case.path)
    with opened(case.path, single=False) as file:
        assert file["params/modulation_t3"].shape == (20, 4, 2, 2)
        assert file["params/modulation_t3"].chunks == (1, 4, 2, 2)
        for i in range(20):
            np.testing.assert_array_equal(file["params/modulation_t3"][i], dataset.modulation_matrix(i))
        assert (columns_of(case)["modulation/bypass"] == 1).any()


def test_a_space_without_modulations_has_no_matrices_and_one_that_fixes_all_has_empty_labels(tmp_path: Path) -> None:
    space = synthetic_space(modulation_slots=0)
    fixed = replace(space, fixed={p.name: p.default for p in space.parameters})
    case = finished(tmp_path / "d", synthetic_plan(space=fixed), modulation_t3=True)
    with opened(case.path, single=False) as file:
        assert "modulation_t3" not in file["params"]
        assert file["params/continuous"].shape == file["params/categorical"].shape == (20, 0)
        assert file["params/categorical"].dtype == np.int32


@pytest.mark.parametrize("single", [False, True])
def test_importance_is_carried(tmp_path: Path, single: bool) -> None:
    path = tmp_path / "d.h5"
    case = finished(path, single=single)
    with opened(path, single) as file:
        assert "importance_weights" not in file
    weights = importance_at(path, ["cutoff", "level"]).weights(["level", "cutoff"])
    case.made().finish()
    with opened(path, single) as file:
        np.testing.assert_array_equal(file["importance_weights/weights"], weights)
        assert file["importance_weights/weights"].dtype == np.float32
    importance_at(path, ["level", "cutoff"])
    case.created()
    case.made().finish()
    with opened(path, single) as file:
        np.testing.assert_array_equal(file["importance_weights/weights"], weights[::-1])
    importance_at(path, ["other"])
    case.made().finish()
    case.check_whole(range(3))


# The master


@pytest.mark.parametrize("there", [[], [1], [0, 2]])
def test_the_master_shows_what_is_missing_as_no_silence(tmp_path: Path, there: list[int]) -> None:
    case = created(hdf5_case(tmp_path / "d", modulation_t3=True))
    processes.write(case, there)
    columns = columns_of(case)
    missing = np.array([row // 8 not in there for row in range(20)])
    fills: Mapping[str, Any] = {"f": np.nan, "i": -1, "u": 0, "b": False}
    with opened(case.path, single=False) as file:
        for name, array in columns.items():
            found = file[f"tonesmith/{name}"][()]
            np.testing.assert_array_equal(found[~missing], array[~missing], name)
            np.testing.assert_array_equal(found[missing], np.full_like(found[missing], fills[array.dtype.kind]), name)
        assert set(file["metadata/preset_hash"][missing]) <= {b""}
        assert np.isnan(file["params/modulation_t3"][missing]).all()


def test_the_master_may_move_and_be_read_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = written_case(tmp_path / "d")
    audio = columns_of(case)["audio"]
    moved = tmp_path / "elsewhere" / "mövéd"
    moved.parent.mkdir()
    shutil.move(case.path, moved)
    for finish in (False, True):
        if finish:
            case._replace(path=moved).made().finish()
        for folder, name in (
            (tmp_path, "elsewhere/mövéd/dataset.h5"),
            (moved, "dataset.h5"),
            (Path("/"), str(moved / "dataset.h5")),
        ):
            monkeypatch.chdir(folder)
            with h5py.File(name, "r") as file:
                np.testing.assert_array_equal(file["audio/waveforms"], audio)


@pytest.mark.long
def test_labels_of_a_finished_master_need_no_other_file(tmp_path: Path) -> None:
    """HDF5 shows rows of a file that it cannot open as missing: with many blocks, the limit of open files does that."""
    case = finished(tmp_path / "d", synthetic_plan(patches=40, block=1, frames=20))
    code = (
        "import resource, h5py, hdf5plugin\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))\n"
        "with h5py.File('dataset.h5') as file:\n"
        "    assert file['metadata/midi_note'][:].tolist() == [48, 60] * 40\n"
        "    assert b'' not in file['metadata/preset_hash'][:].tolist()\n"
        "    for row in range(80):\n"  # one array after the other, none held open
        "        assert not (file['audio/waveforms'][row] != file['tonesmith/audio'][row]).any(), row\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=case.path, check=True, timeout=60)


def test_the_lines_on_the_card_warn_of_more_files_than_may_be_open(tmp_path: Path) -> None:
    case = finished(tmp_path / "d")
    assert "NaN" not in Hdf5Sink.loading(str(case.path))
    for number in range(3, 902):
        (case.path / "data" / f"{number:06d}.h5").touch()
    assert "one that is held shows rows of too many files as NaN" in Hdf5Sink.loading(str(case.path))


def test_a_master_that_shows_what_is_there_is_left_alone(tmp_path: Path) -> None:
    case = finished(tmp_path / "d")
    master = case.path / "dataset.h5"
    before = master.stat().st_ino
    case.created().finish()
    assert master.stat().st_ino == before
    case.made().write_block(case.block(1, seed=5))
    case.made().finish()
    assert master.stat().st_ino != before
    with h5py.File(master) as file:
        np.testing.assert_array_equal(file["params/continuous"][8:16], case.block(1, seed=5).columns["continuous"])


def test_a_master_is_written_though_a_block_is_damaged(tmp_path: Path) -> None:
    case = written_case(tmp_path / "d")
    damage(case.path / "data/000001.h5", "removed")
    case.made().finish()
    with opened(case.path, single=False) as file:
        np.testing.assert_array_equal(file["audio/waveforms"][16:], case.block(2).columns["audio"])
        assert file["tonesmith/patch"][8:16].tolist() == [-1] * 8
    with pytest.raises(DatasetError, match=r"block 1\b"):
        open_dataset(case.path)[8]


# Bytes


@pytest.mark.parametrize("single", [False, True])
def test_equal_rows_make_equal_bytes_in_any_process(tmp_path: Path, single: bool) -> None:
    finished(tmp_path / "a" / "d.h5", single=single)
    processes.run(finish_elsewhere, tmp_path / "b" / "d.h5", single)
    ours, theirs = (bytes_of(tmp_path / name) for name in ("a", "b"))
    assert len(ours) == (1 if single else 4)
    assert ours.keys() == theirs.keys()
    assert [name for name, content in ours.items() if content != theirs[name]] == []


def finish_elsewhere(path: Path, single: bool) -> None:
    noise = [os.urandom(size) for size in range(16, 4096, 8)]
    del noise
    finished(path, single=single)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*.h5") if p.is_file()}


@pytest.mark.parametrize("turns", amounts(50, 225))
@pytest.mark.parametrize("single", [False, True])
def test_a_turned_bit_is_found_wherever_it_matters(tmp_path: Path, single: bool, turns: int) -> None:
    case = finished(tmp_path / "d.h5", synthetic_plan(patches=4), single=single)
    file = case.path if single else case.path / "data/000000.h5"
    content, expected = file.read_bytes(), case.block(0).columns
    found, moments = 0, random.Random(3)
    places = [*range(0, 3000, 9000 // turns), *moments.sample(range(len(content)), 2 * turns // 3)]
    for place in places:
        turned = bytearray(content)
        turned[place] ^= 1 << moments.randrange(8)
        file.write_bytes(turned)
        try:
            read = case.read(Hdf5Sink.open(case.path), 0)
        except DatasetError:
            found += 1
        else:
            for name, array in expected.items():
                np.testing.assert_array_equal(read[name], array, f"bit in byte {place}")
    assert found > len(places) // 3


def test_each_chunk_has_a_checksum_and_audio_is_read_row_by_row(tmp_path: Path) -> None:
    case = finished(tmp_path / "d", modulation_t3=True)
    with h5py.File(case.path / "data/000001.h5") as file:
        arrays: list[Any] = []
        file.visititems(lambda _, item: arrays.append(item) if isinstance(item, h5py.Dataset) else None)
        assert all(array.fletcher32 for array in arrays if array.chunks)
        assert file["tonesmith/audio"].chunks == (1, 2, 300)
        assert file["tonesmith/continuous"].chunks == (8, 2)
        assert {key: int(file.attrs[key]) for key in file.attrs} == {"block": 1, "first_row": 8, "rows": 8}


def test_a_file_that_was_packed_anew_is_refused(tmp_path: Path) -> None:
    case = finished(tmp_path / "d")
    path = case.path / "data/000001.h5"
    with h5py.File(path, "a") as file:
        pitch = file["tonesmith/pitch"][()]
        del file["tonesmith/pitch"]
        file["tonesmith/pitch"] = pitch.astype(np.int32)
    with pytest.raises(DatasetError, match=r"block 1 is damaged.*not as tonesmith wrote it"):
        open_dataset(case.path).column("pitch")


@pytest.mark.parametrize(("compression", "level"), [("gzip", 10), ("blosc2", 10), ("zstd", 23), ("zstd", 0)])
def test_a_level_that_the_compression_lacks_is_refused(compression: str, level: int) -> None:
    with pytest.raises(ValidationError, match="level"):
        Hdf5Options(compression=compression, level=level)  # type: ignore[arg-type]


# The single file


def test_the_single_file_holds_all_that_the_folder_does(tmp_path: Path) -> None:
    many, one = (written_case(tmp_path / name, single=single) for name, single in (("d", False), ("d.h5", True)))
    fault = Rejection(9, 2, "engine", "crash", "SIGSEGV é", 60, {"peak_dbfs": float("nan"), "loudness": -np.inf})
    for case in (many, one):
        case.made().record_fault(fault)
        case.made().finish()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["d", "d.h5"]
    ours, theirs = open_dataset(many.path), open_dataset(one.path)
    assert theirs.digest == ours.digest
    assert theirs.complete
    assert [repr(r) for r in theirs.rejections] == [repr(r) for r in ours.rejections]
    assert repr(list(one.made().faults())) == repr(list(many.made().faults()))
    assert theirs.storage.assets() == ours.storage.assets() == sorted(ASSETS)
    assert theirs.assets_of(3) == ours.assets_of(3)
    same = {k: v for k, v in theirs.attributes.items() if k not in ("plan", "fingerprint")}
    assert same == {k: v for k, v in ours.attributes.items() if k not in ("plan", "fingerprint")}
    assert theirs.storage.nbytes() == one.path.stat().st_size


def test_a_single_file_in_the_making_is_opened_by_its_own_path(tmp_path: Path) -> None:
    case = created(hdf5_case(tmp_path / "d.h5", single=True))
    assert Hdf5Sink.recognises(case.path)
    processes.write(case, [0, 2])
    case.made().finish()
    assert not case.path.exists()
    storage = Hdf5Sink.open(case.path)
    assert dict(storage.committed()) == {0: 8, 2: 4}
    processes.write(case, [1])
    case.made().finish()
    assert case.path.is_file()
    assert not parts_of(case.path).exists()
    assert dict(storage.committed()) == {0: 8, 1: 8, 2: 4}, "one that was opened before goes on"
    np.testing.assert_array_equal(storage.read("pitch", range(20)), columns_of(case)["pitch"])


@pytest.mark.long
def test_a_join_killed_at_any_step_is_completed_by_the_next(tmp_path: Path) -> None:
    processes.run(crash_while_finishing, hdf5_case(tmp_path / "d", single=True))


def crash_while_finishing(case: Case) -> None:
    os.fsync = unflushed
    for step in range(60):
        trial = created(case._replace(path=case.path / f"{step}.h5"))
        processes.write(trial, range(3))
        status = processes._status_of_fork(partial(processes._dying_at, step, trial.made().finish))
        assert Hdf5Sink.recognises(trial.path)
        trial.check_whole(range(3))
        assert sorted(trial.made().committed()) == [0, 1, 2]
        trial.created().finish()
        trial.check_whole(range(3))
        assert trial.path.is_file()
        assert not parts_of(trial.path).exists()
        if status == 0:
            assert step > 2
            return
    raise AssertionError("joining takes more than 60 steps")


def test_a_folder_named_as_parts_are_is_left_alone_unless_it_is_theirs(tmp_path: Path) -> None:
    case = finished(tmp_path / "d.h5", single=True)
    for name, other in (
        ("a dataset of its own", {"plan": replace(synthetic_plan(), seed=3)}),
        ("parts of other rows", {"plan": replace(synthetic_plan(), seed=3), "single": True}),
    ):
        written_case(tmp_path / name, **other)
        shutil.copytree(tmp_path / name if "single" not in other else parts_of(tmp_path / name), parts_of(case.path))
        created(case).made().finish()
        assert len(Dataset(Hdf5Sink.open(case.path))) == 20
        assert parts_of(case.path).is_dir(), f"{name} is gone"
        shutil.rmtree(parts_of(case.path))
    written_case(tmp_path / "again.h5", single=True)
    parts_of(tmp_path / "again.h5").rename(parts_of(case.path))
    created(case)
    assert not parts_of(case.path).exists(), "its own parts are left behind"


def test_a_dataset_where_parts_would_gather_is_in_the_way(tmp_path: Path) -> None:
    other = finished(parts_of(tmp_path / "d.h5"))
    with pytest.raises(DatasetError, match="single is False, not True"):
        created(hdf5_case(tmp_path / "d.h5", single=True))
    assert not Hdf5Sink.recognises(tmp_path / "d.h5")
    other.check_whole(range(3))


def test_importance_is_there_when_a_conversion_joins_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = finished(tmp_path / "d")
    importance_at(case.path, [p.name for p in case.plan.space.continuous])
    monkeypatch.setattr(shutil, "copyfile", None)  # by which a file that is there would be written once more
    convert(case.path, tmp_path / "d.h5", PluginRef("hdf5", {"single": True}), workers=1)
    with h5py.File(tmp_path / "d.h5") as file:
        assert len(file["importance_weights/weights"]) == 2


@pytest.mark.parametrize("harm", ["a bit turned", "cut short", "removed", "another's", "of before"])
@pytest.mark.first
def test_verify_looks_at_the_master(tmp_path: Path, harm: str) -> None:
    case = finished(tmp_path / "d")
    master = case.path / "dataset.h5"
    assert list(check_integrity(Dataset(Hdf5Sink.open(case.path)))) == []
    if harm == "another's":
        shutil.copyfile(finished(tmp_path / "other", replace(synthetic_plan(), seed=3)).path / "dataset.h5", master)
    elif harm == "of before":
        case.made().write_block(case.block(1, seed=5))
    elif harm == "a bit turned":
        with h5py.File(master) as file:
            place = file["tonesmith/continuous"].id.get_chunk_info(0)
        content = bytearray(master.read_bytes())
        content[place.byte_offset + 3] ^= 4
        master.write_bytes(content)
    else:
        damage(master, harm)
    [found] = check_integrity(Dataset(Hdf5Sink.open(case.path)))
    assert (found.row, found.what) == (-1, "beside")
    assert "Delete dataset.h5" in found.detail
    master.unlink(missing_ok=True)
    case.created().finish()
    assert list(check_integrity(Dataset(Hdf5Sink.open(case.path)))) == []


def test_a_file_that_was_cut_short_is_told_from_no_dataset(tmp_path: Path) -> None:
    case = finished(tmp_path / "d.h5", single=True)
    damage(case.path, "cut short")
    with pytest.raises(DatasetError, match="an HDF5 file that is damaged, cut short or from another program"):
        open_dataset(case.path)


def test_a_full_disk_leaves_the_parts(tmp_path: Path) -> None:
    processes.run(join_on_a_full_disk, written_case(tmp_path / "d.h5", single=True))


def join_on_a_full_disk(case: Case) -> None:
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for limit in (0, 2000, 20_000, 50_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            case.made().finish()
        except DatasetError as error:
            assert "File too large" in str(error)  # noqa: PT017 - there is no pytest in this process
        else:
            raise AssertionError(f"it was joined in {limit} bytes")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert [p.name for p in case.path.parent.iterdir()] == ["d.h5.parts"]
    case.made().finish()
    case.check_whole(range(3))


def test_a_finished_file_is_kept_and_takes_no_more(tmp_path: Path) -> None:
    case = finished(tmp_path / "d.h5", single=True)
    before = case.path.read_bytes()
    case.created().finish()
    assert case.path.read_bytes() == before
    longer = case._replace(plan=case.plan.extended_to(15))
    with pytest.raises(DatasetError, match=r"tonesmith convert .* --sink hdf5"):
        longer.created()
    for refused in (
        lambda: case.made().write_block(case.block(1)),
        lambda: case.made().add_asset(b"new"),
        lambda: case.made().record_fault(Rejection(1, 0, "engine", "crash")),
        lambda: case._replace(plan=synthetic_plan(patches=9)).created(),
        lambda: case._replace(options={"single": True, "level": 5}).created(),
        lambda: case._replace(options={}).created(),
    ):
        with pytest.raises(DatasetError, match=r"d\.h5"):
            refused()
    assert case.path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["d.h5"]


def test_attributes_of_a_finished_file_are_brought_up_to_date(tmp_path: Path) -> None:
    case = finished(tmp_path / "d.h5", single=True)
    storage = Hdf5Sink.open(case.path)
    attributes, plan = {**attributes_of(case.plan), "title": "東京"}, case.plan
    case.made().create(attributes, plan.schema, plan.rows, plan.block_rows)
    assert Hdf5Sink.open(case.path).attributes["title"] == "東京"
    case.check_whole(range(3))
    assert Dataset(Hdf5Sink.open(case.path)).digest == Dataset(storage).digest
    assert [p.name for p in tmp_path.iterdir()] == ["d.h5"]


def test_a_path_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    case = finished(Path("d.h5"), single=True)
    attributes, plan = {**attributes_of(case.plan), "title": "other"}, case.plan
    case.made().create(attributes, plan.schema, plan.rows, plan.block_rows)
    case.made().finish()
    case.check_whole(range(3))
    assert [p.name for p in tmp_path.iterdir()] == ["d.h5"]


def test_what_others_wrote_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "mine.h5"
    with h5py.File(path, "w") as file:
        file["audio/waveforms"] = np.zeros((3, 2, 10), np.float32)
    before = path.read_bytes()
    assert not Hdf5Sink.recognises(path)
    with pytest.raises(DatasetError, match="not a dataset of tonesmith"):
        Hdf5Sink.open(path)
    for options in ({}, {"single": True}):
        with pytest.raises(DatasetError, match=r"mine\.h5"):
            hdf5_case(path, **options).created()
    parts_of(path).mkdir()
    (parts_of(path) / "notes.txt").write_text("mine")
    with pytest.raises(DatasetError):
        hdf5_case(path, single=True).created()
    assert path.read_bytes() == before
    assert (parts_of(path) / "notes.txt").read_text() == "mine"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(range(200)))
    assert not Hdf5Sink.recognises(path)
    with h5py.File(finished(tmp_path / "d").path / "dataset.h5") as file:
        assert "record/dataset" in file
    assert not Hdf5Sink.recognises(tmp_path / "d" / "dataset.h5"), "the master alone is no dataset"


def test_without_the_library_the_pip_command_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    case = finished(tmp_path / "d.h5", single=True)
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "h5py" else real(name, *a))
    for attempt in (case.made, lambda: Hdf5Sink.open(case.path)):
        with pytest.raises(ValueError, match=r'pip install "tonesmith\[hdf5\]"'):
            attempt()
    assert Hdf5Sink.recognises(case.path)


def test_a_failed_write_is_told_once_the_library_is_done() -> None:
    from tonesmith.sinks.hdf5.file import Disk

    class Full(io.BytesIO):
        def write(self, content: Any) -> int:
            if self.tell() + len(content) > 10:
                raise OSError(28, "No space left on device")
            return super().write(content)

    disk = Disk(Full())
    assert disk.write(b"12345678") == 8
    disk.check()
    assert disk.write(b"12345678") == 8
    disk.seek(0)
    assert disk.write(b"x") == 1
    buffer = bytearray(12)
    disk.seek(0)
    assert disk.readinto(buffer) == 12
    assert bytes(buffer) == b"12345678\0\0\0\0", "nothing is written after the failure"
    with pytest.raises(OSError, match="No space"):
        disk.check()
