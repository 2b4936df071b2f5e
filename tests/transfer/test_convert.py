"""Datasets carried from one sink to another: the same rows, or a list of those that are damaged."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import sampled, terminal
from support.builders import write_dataset

from tonesmith import open_dataset
from tonesmith.dataset.importance import Importance, importance_of, importance_path
from tonesmith.dataset.splits import UNFINISHED
from tonesmith.dataset.verify import check_integrity, check_renders
from tonesmith.errors import ConfigError, DatasetError, DatasetNotFoundError, OtherPlanError, PluginError, RunError
from tonesmith.host.registry import Host
from tonesmith.host.settings import choices_of, settings_of
from tonesmith.plan.plan import PluginRef
from tonesmith.plan.rejection import Rejection
from tonesmith.sinks.zarr import ZarrSink
from tonesmith.testing import Project
from tonesmith.testing.synthetic import synthetic_plan
from tonesmith.transfer import convert as converting
from tonesmith.transfer.blocks import Listener, block_of
from tonesmith.transfer.divide import divide
from tonesmith.transfer.split import store

ZARR = PluginRef("zarr")
convert = partial(converting.convert, workers=1)
INT24 = PluginRef("zarr", {"encoding": "int24"})


def forms() -> list[PluginRef]:
    """Every sink that there is, with its defaults and with each choice that an option of it has."""
    found = []
    for name, cls in sorted(Host.load().sinks().items()):
        found.append(PluginRef(name))
        for setting in settings_of(cls.Options):
            kinds = choices_of(setting.schema) or ((False, True) if setting.schema.get("type") == "boolean" else ())
            found += [PluginRef(name, {setting.key: value}) for value in kinds if value != setting.default]
    return found


FORMS = forms()
IDS = [f"{form.name}-{json.dumps(dict(form.options))}" if form.options else form.name for form in FORMS]


def is_lossy(form: PluginRef) -> bool:
    return Host.load().sink_at(form.name, form.options, Path("nowhere")).lossy


@pytest.fixture(autouse=True)
def _unflushed(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda fd: None)


@pytest.fixture
def source(tmp_path):
    case = write_dataset(tmp_path / "quelle é.zarr")
    case.made().finish()
    return case


def grown(case, patches):
    """Extend a dataset by so many patches, its last block with them."""
    longer = case._replace(plan=case.plan.extended_to(patches))
    sink = longer.created()
    for index in range(longer.plan.blocks):
        if sink.committed().get(index) != longer.plan.rows_of(index):
            sink.write_block(longer.block(index))
    return longer


def harm(path, block):
    """Turn a bit of the audio of a block, and return how to turn it back."""
    file = path / "audio" / f"c.{block}.0.0"
    content = file.read_bytes()
    file.write_bytes(content[:40] + bytes([content[40] ^ 4]) + content[41:])
    return lambda: file.write_bytes(content)


def ledger(dataset):
    return [{**r.to_json(), "measured": {k: repr(float(v)) for k, v in r.measured.items()}} for r in dataset.rejections]


@pytest.mark.parametrize("form", sampled(FORMS, 3), ids=IDS)
@pytest.mark.first
def test_every_sink_takes_all_of_a_dataset_and_gives_it_back(source, tmp_path, form):
    crash, pending = Rejection(5, 0, "engine", "crash"), Rejection(12, 0, "worker", "timeout")
    for fault in (crash, pending):
        source.made().record_fault(fault)
    there, back = tmp_path / "there", tmp_path / "back.zarr"

    done = convert(source.path, there, form)
    convert(there, back, ZARR)

    original, stored, again = (open_dataset(path) for path in (source.path, there, back))
    assert (done.complete, done.same, done.lossy) == (True, not is_lossy(form), is_lossy(form))
    assert done.digest == stored.digest == again.digest
    assert (stored.digest == original.digest) is not is_lossy(form)
    assert stored.plan == replace(original.plan, sink=stored.plan.sink)
    assert stored.plan.sink.name == form.name
    assert stored.attributes["title"] == original.attributes["title"]
    assert stored.attributes["fingerprint"] == stored.plan.fingerprint
    assert again.attributes.get("stored_through", []) == ([stored.plan.sink.to_json()] if is_lossy(form) else [])
    for column in original.plan.schema:
        if column.name != "audio" or not is_lossy(form):
            np.testing.assert_array_equal(again.column(column.name), original.column(column.name), strict=True)
    assert ledger(again) == ledger(stored) == ledger(original)
    faults = Host.load().sink_at(form.name, form.options, there).faults()
    assert [(fault.patch, fault.attempt) for fault in faults] == [(5, 0), (12, 0)]
    assert stored.storage.assets() == original.storage.assets()
    assert not list(check_integrity(again))


@settings(max_examples=6)
@given(st.lists(st.sampled_from([form for form in FORMS if not is_lossy(form)]), min_size=1, max_size=3))
@pytest.mark.long
def test_the_digest_is_the_same_whichever_lossless_sinks_a_dataset_went_through(chain):
    with tempfile.TemporaryDirectory() as folder:
        last = write_dataset(Path(folder) / "0.zarr").path
        digest = open_dataset(last).digest
        for number, form in enumerate(chain, 1):
            convert(last, Path(folder) / str(number), form)
            last = Path(folder) / str(number)
        assert open_dataset(last).digest == digest
        assert not list(check_integrity(open_dataset(last)))


def test_a_block_is_read_as_it_was_written(source):
    dataset = open_dataset(source.path)
    for index in range(3):
        read, written = block_of(dataset, index), source.block(index)
        assert (read.index, read.first_row, read.digests) == (index, written.first_row, written.digests)
        assert [(r.patch, r.attempt) for r in read.rejections] == [(r.patch, r.attempt) for r in written.rejections]
        for name, array in written.columns.items():
            np.testing.assert_array_equal(read.columns[name], array, strict=True)
    with pytest.raises(DatasetError, match="block 3"):
        block_of(dataset, 3)


def test_workers_carry_over_what_one_process_does(source, tmp_path):
    one = convert(source.path, tmp_path / "one", INT24)
    two = convert(source.path, tmp_path / "two", INT24, workers=2)
    assert one.digest == two.digest != open_dataset(source.path).digest


def test_what_a_lossy_sink_took_is_not_given_back(source, tmp_path):
    float16 = PluginRef("zarr", {"encoding": "float16"})
    for number, (form, before) in enumerate(((INT24, []), (float16, ["int24"]), (ZARR, ["int24", "float16"]))):
        path = convert(tmp_path / f"{number - 1}" if number else source.path, tmp_path / f"{number}", form).path
        through = open_dataset(path).attributes.get("stored_through", [])
        assert [encoding["options"]["encoding"] for encoding in through] == before
    assert open_dataset(tmp_path / "2").digest == open_dataset(tmp_path / "1").digest


@pytest.mark.parametrize("workers", [1, 2])
def test_a_damaged_block_is_named_and_the_others_are_converted(source, tmp_path, workers):
    mend = harm(source.path, 1)

    done = convert(source.path, tmp_path / "d", INT24, workers=workers)

    assert [found.block for found in done.damaged] == [1]
    assert "block 1" in done.damaged[0].what
    assert str(source.path) in done.damaged[0].what
    assert (done.rows, done.complete) == (12, False)
    assert sorted(open_dataset(tmp_path / "d").storage.committed()) == [0, 2]
    mend()
    again = convert(source.path, tmp_path / "d", INT24, workers=workers)
    assert (again.damaged, again.complete, again.rows_added) == ((), True, 8)
    assert again.digest == convert(source.path, tmp_path / "other", INT24).digest


def test_rows_that_are_not_what_their_digests_say_are_not_converted(source, tmp_path):
    block = source.block(1)
    source.made().write_block(replace(block, digests=(*block.digests[:3], b"\0" * 32, *block.digests[4:])))

    done = convert(source.path, tmp_path / "d", ZARR)

    assert [found.block for found in done.damaged] == [1]
    assert "the bytes of row 11 have changed since they were written" in done.damaged[0].what
    assert 1 not in open_dataset(tmp_path / "d").storage.committed()


def test_a_damaged_asset_is_named_and_the_rest_is_converted(source, tmp_path):
    name = open_dataset(source.path).storage.assets()[0]
    (source.path / "tonesmith" / "assets" / name).write_bytes(b"?")

    done = convert(source.path, tmp_path / "d", ZARR)

    assert [found.block for found in done.damaged] == [-1]
    assert name in done.damaged[0].what
    assert (done.same, name in open_dataset(tmp_path / "d").storage.assets()) == (True, False)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_damaged_marker_costs_its_own_block_alone(source, tmp_path, workers):
    marker = next((source.path / "tonesmith" / "blocks").glob("000001-*.json"))
    whole = marker.read_bytes()
    marker.write_bytes(whole.replace(b'"digests": ["', b'"digests": ["z', 1)[:-1])

    done = converting.convert(source.path, tmp_path / "d", ZARR, workers=workers)

    assert [found.block for found in done.damaged] == [1]
    assert marker.name in done.damaged[0].what
    assert (done.rows, done.source_digest, done.same) == (12, "", False)
    marker.write_bytes(whole)
    again = convert(source.path, tmp_path / "d", ZARR)
    assert (again.damaged, again.rows_added, again.same) == ((), 8, True)


def test_what_is_final_waits_until_all_is_there(source, tmp_path):
    """A single HDF5 file takes no more once it is joined, so it is not joined without an asset."""
    form, path = PluginRef("hdf5", {"single": True}), tmp_path / "d.h5"
    asset = min((source.path / "tonesmith" / "assets").iterdir())
    content = asset.read_bytes()
    asset.write_bytes(content + b"!")

    assert [found.block for found in convert(source.path, path, form).damaged] == [-1]
    assert not path.exists()
    asset.write_bytes(content)
    done = convert(source.path, path, form)

    assert (done.damaged, done.same, path.is_file()) == ((), True, True)
    assert asset.name in open_dataset(path).storage.assets()


def test_a_plan_that_was_changed_is_not_converted(source, tmp_path):
    sink, plan = source.made(), source.plan.to_json()
    attributes = {"plan": plan, "fingerprint": source.plan.fingerprint}
    sink.create(attributes, source.plan.schema, source.plan.rows, source.plan.block_rows)
    assert convert(source.path, tmp_path / "before", ZARR).same
    plan["space"]["parameters"][1]["high"] = 118.0
    sink.create(attributes, source.plan.schema, source.plan.rows, source.plan.block_rows)

    with pytest.raises(DatasetError, match=r"its plan is damaged: fingerprint .* does not match"):
        convert(source.path, tmp_path / "after", ZARR)
    assert [found.what for found in check_integrity(open_dataset(source.path))] == ["plan"]


@pytest.mark.parametrize("name", ["000009-8", "000002-8"])
def test_a_marker_for_which_the_plan_has_no_place_is_told(source, tmp_path, name):
    folder = source.path / "tonesmith" / "blocks"
    content = next(folder.glob("000001-*.json")).read_bytes()
    (folder / f"{name}-{len(content)}.json").write_bytes(content)
    with pytest.raises(DatasetError, match=rf"block {int(name[:6])} is marked as having 8 rows"):
        convert(source.path, tmp_path / "d", ZARR)


def test_what_reads_back_otherwise_than_it_was_written_stops_the_conversion(source, tmp_path, monkeypatch):
    write = ZarrSink.write_block

    def unreliable(self, block):
        loudness = block.columns["peak_dbfs"] + np.float32(1.0)
        write(self, replace(block, columns={**block.columns, "peak_dbfs": loudness}))

    monkeypatch.setattr(ZarrSink, "write_block", unreliable)
    with pytest.raises(RunError, match="block 0 was written, but its peak_dbfs reads back differently"):
        convert(source.path, tmp_path / "d", ZARR)


def test_the_same_call_goes_on_and_writes_no_block_twice(source, tmp_path):
    class Tired(Listener):
        def carried(self, rows):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(source.path, tmp_path / "d", ZARR, listener=Tired())
    assert sorted(open_dataset(tmp_path / "d").storage.committed()) == [0]
    before = (tmp_path / "d" / "audio" / "c.0.0.0").stat()

    done = convert(source.path, tmp_path / "d", ZARR)

    assert (done.rows_added, done.rows, done.same) == (12, 20, True)
    after = (tmp_path / "d" / "audio" / "c.0.0.0").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert convert(source.path, tmp_path / "d", ZARR).rows_added == 0


@pytest.mark.parametrize("form", [ZARR, INT24], ids=["lossless", "lossy"])
@pytest.mark.first
def test_a_source_that_has_grown_extends_what_was_converted(source, tmp_path, form):
    convert(source.path, tmp_path / "d", form)
    longer = grown(source, 15)

    done = convert(longer.path, tmp_path / "d", form)

    assert (done.complete, done.rows) == (True, 30)
    assert open_dataset(tmp_path / "d").plan.rounds == (10, 5)
    assert done.digest == convert(longer.path, tmp_path / "direct", form).digest
    assert ledger(open_dataset(tmp_path / "d")) == ledger(open_dataset(longer.path))


def test_a_source_that_is_not_complete_is_converted_as_far_as_it_goes(tmp_path):
    case = write_dataset(tmp_path / "s.zarr", blocks=(0, 2))
    first = convert(case.path, tmp_path / "d", ZARR)
    assert (first.rows, first.complete, first.same) == (12, False, True)
    case.made().write_block(case.block(1))
    second = convert(case.path, tmp_path / "d", ZARR)
    assert (second.rows_added, second.complete, second.same) == (8, True, True)


def split(path, **settings):
    dataset = open_dataset(path)
    store(path, dataset, divide(dataset, **settings), Host.load())
    return open_dataset(path).attributes["splits"]


@pytest.mark.parametrize("divides", [False, True])
@pytest.mark.long
def test_splits_are_brought_along_but_a_dataset_keeps_those_that_it_has(source, tmp_path, monkeypatch, divides):
    monkeypatch.setattr(ZarrSink, "divides", divides)
    convert(source.path, tmp_path / "before", ZARR)
    convert(source.path, tmp_path / "own", ZARR)
    own = split(tmp_path / "own", seed=5)
    ours = split(source.path)
    for name, expected in (("before", ours), ("after", ours), ("own", own)):
        done = convert(source.path, tmp_path / name, ZARR)
        assert (open_dataset(tmp_path / name).attributes["splits"], done.same) == (expected, True)
    assert open_dataset(tmp_path / "after").splits.keys() == {"train", "val", "test"}


def test_a_division_that_was_cut_short_is_gone_on_with(source, tmp_path, monkeypatch):
    monkeypatch.setattr(ZarrSink, "divides", True)
    convert(source.path, tmp_path / "d", ZARR)
    ours = split(source.path)
    with monkeypatch.context() as patch:
        patch.setattr(ZarrSink, "write_block", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            convert(source.path, tmp_path / "d", ZARR)
    assert open_dataset(tmp_path / "d").attributes[UNFINISHED]
    convert(source.path, tmp_path / "d", ZARR)
    attributes = open_dataset(tmp_path / "d").attributes
    assert (attributes["splits"], UNFINISHED in attributes) == (ours, False)


def _interrupted(self, block):
    raise KeyboardInterrupt


def test_what_else_is_at_the_path_is_refused_at_once(source, tmp_path):
    other = write_dataset(tmp_path / "other.zarr", plan=replace(synthetic_plan(), seed=8)).path
    with pytest.raises(OtherPlanError, match="seed: 8 -> 7"):
        convert(source.path, other, ZARR)
    with pytest.raises(OtherPlanError, match="encoding: float32 -> int24"):
        convert(source.path, convert(source.path, tmp_path / "form", ZARR).path, INT24)
    convert(
        grown(source._replace(path=shutil.copytree(source.path, tmp_path / "grown")), 15).path, tmp_path / "g", ZARR
    )
    with pytest.raises(OtherPlanError, match=r"it has 10 \+ 5 patches, not 10"):
        convert(source.path, tmp_path / "g", ZARR)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(DatasetError, match="exists and is not a tonesmith dataset"):
        convert(source.path, folder, ZARR)
    for inside in (source.path, source.path / "in", tmp_path):
        with pytest.raises(ConfigError, match="Choose another path"):
            convert(source.path, inside, ZARR)
    with pytest.raises(DatasetNotFoundError):
        convert(tmp_path / "nothing", tmp_path / "d", ZARR)
    with pytest.raises(DatasetError, match="not a tonesmith dataset"):
        convert(folder, tmp_path / "d", ZARR)
    with pytest.raises(PluginError, match="Did you mean 'zarr'"):
        convert(source.path, tmp_path / "d", PluginRef("zar"))
    with pytest.raises(ConfigError, match="encoding"):
        convert(source.path, tmp_path / "d", PluginRef("zarr", {"encoding": "mp3"}))
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize("form", [ZARR, INT24], ids=["lossless", "lossy"])
def test_a_dataset_of_the_same_plan_with_other_rows_is_refused(source, tmp_path, form):
    convert(source.path, tmp_path / "d", form)
    source.made().write_block(source.block(0, seed=99))
    with pytest.raises(OtherPlanError, match="block 0 has different rows"):
        convert(source.path, tmp_path / "d", form)


def test_what_lies_beside_a_dataset_is_brought_along(source, tmp_path):
    measured = Importance(settings={}, made_with={}, bases=0, skipped={}, failures={}, parameters=())
    measured.save(importance_path(source.path))
    convert(source.path, tmp_path / "d", ZARR)
    assert importance_of(tmp_path / "d") == measured


@pytest.mark.long
@pytest.mark.parametrize(("workers", "kills"), [(1, 2), (2, 4)])
def test_a_conversion_killed_at_any_moment_is_completed_by_the_next(tmp_path, workers, kills):
    case = write_dataset(tmp_path / "s.zarr", range(24), synthetic_plan(patches=24, block=1, frames=2000))
    command = ("convert", case.path, tmp_path / "d", "--sink.encoding", "int24", "--workers", workers, "--quiet")
    moments = random.Random(3)
    killed = 0
    for _ in range(kills):
        process = subprocess.Popen([sys.executable, "-P", "-m", "tonesmith", *map(str, command)])
        before = stored(tmp_path / "d")
        while process.poll() is None and stored(tmp_path / "d") < before + 4:
            time.sleep(0.002)
        time.sleep(moments.uniform(0.0, 0.02))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        if (tmp_path / "d").exists():
            assert not list(check_integrity(open_dataset(tmp_path / "d")))
    assert killed >= kills // 2
    assert terminal(*command).returncode == 0
    assert open_dataset(tmp_path / "d").digest == convert(case.path, tmp_path / "whole", INT24).digest


def stored(path):
    folder = path / "tonesmith" / "blocks"
    return len(list(folder.iterdir())) if folder.is_dir() else 0


THIRD_PARTY = """
import numpy as np
from tonesmith import Options, hookimpl
from tonesmith.sinks.base.block_storage import PartReader
from tonesmith.sinks.base.blocks import BlockSink

class Reader(PartReader):
    def __init__(self, file):
        self.file = file
    def read(self, column, places):
        with np.load(self.file) as stored:
            return stored[column.name.replace("/", "|")][list(places)]

class Mine(BlockSink[Options]):
    name = "mine"
    summary = "a NumPy file a block"
    Options = Options
    suffix = ".npz"
    def write_part(self, files, layout, part):
        with open(files.path(part.file), "wb") as file:
            np.savez(file, **{name.replace("/", "|"): array for name, array in part.columns.items()})
        return ()
    @classmethod
    def read_part(cls, file, layout, sums):
        return Reader(file)

@hookimpl
def tonesmith_sinks():
    return [Mine]
"""


@pytest.mark.long
def test_a_sink_of_a_third_party_takes_a_dataset_and_gives_it_back(source, tmp_path):
    project = Project(tmp_path, {"mine.py": THIRD_PARTY}, plugins=["mine"])

    there = project.run("convert", source.path, "there", "--sink", "mine", "--json", "--workers", 2)
    back = project.run("convert", "there", "back.zarr", "--sink", "zarr", "--sink.level", 3, "--json")

    assert [json.loads(done.stdout)["same"] for done in (there, back)] == [True, True], there.stderr + back.stderr
    assert open_dataset(tmp_path / "back.zarr").digest == open_dataset(source.path).digest


@pytest.mark.long
def test_the_terminal_tells_what_was_done(source, tmp_path):
    lossless = terminal("convert", source.path, "d.zarr", "--sink", "zarr", "--sink.level", "3", "-q", cwd=tmp_path)
    assert (lossless.returncode, lossless.stderr) == (0, "")
    assert "d.zarr: 20 rows in 3 blocks" in lossless.stdout
    assert f"the same as that of {source.path}" in lossless.stdout
    lossy = json.loads(
        terminal("convert", "d.zarr", "e.zarr", "--sink.encoding", "int24", "--json", cwd=tmp_path).stdout
    )
    assert (lossy["lossy"], lossy["same"], lossy["rows"], lossy["damaged"]) == (True, False, 20, [])
    assert open_dataset(tmp_path / "e.zarr").plan.sink.options == {"encoding": "int24", "level": 3}

    mend = harm(source.path, 2)
    damaged = terminal("convert", source.path, "f.zarr", cwd=tmp_path)
    assert damaged.returncode == 1
    assert "f.zarr: 16 of 20 rows" in damaged.stdout
    assert "left out  block 2: " in damaged.stdout
    mend()

    for arguments, told in (
        ((source.path, "g", "--sink", "zar"), "Did you mean 'zarr'?"),
        ((source.path, "g", "--sink.lvl", "3"), "Did you mean '--sink.level'?"),
        ((source.path, "g", "--sink.level", "77"), "--sink.level: 77 is not allowed"),
        (("nothing", "g"), "nothing does not exist."),
        ((source.path, source.path), "Choose another path"),
    ):
        refused = terminal("convert", *arguments, cwd=tmp_path)
        assert (refused.returncode, told in refused.stderr) == (2, True), refused.stderr
    assert not (tmp_path / "g").exists()


@pytest.mark.long
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_says_how_to_go_on(tmp_path, workers):
    blocks = 80  # a second or two, so that the signal comes before the end
    case = write_dataset(tmp_path / "s.zarr", range(blocks), synthetic_plan(patches=blocks, block=1, frames=2000))
    out = tmp_path / "d"
    command = ["convert", case.path, out, "--workers", workers]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "tonesmith", *map(str, command)], stderr=subprocess.PIPE, text=True
    )
    while process.poll() is None and stored(out) < 3:
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    told = process.communicate()[1]
    assert (process.returncode, "Run the same command to resume" in told) == (130, True), told
    assert terminal(*command).returncode == 0
    assert open_dataset(out).digest == open_dataset(case.path).digest


@pytest.mark.long
def test_a_full_disk_is_told_and_what_is_stored_is_kept(source, tmp_path):
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (12000, {resource.RLIM_INFINITY})); "
        "from tonesmith.cli import run; sys.exit(run(sys.argv[1:]))"
    )
    command = ["convert", source.path, tmp_path / "d", "--sink.level", "0"]
    for workers in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-P", "-c", script, *map(str, command), "--workers", workers],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, "Free some space" in done.stderr) == (1, True), done.stderr
    assert terminal(*command).returncode == 0
    assert open_dataset(tmp_path / "d").digest == open_dataset(source.path).digest


@pytest.mark.long
def test_a_converted_dataset_goes_on_as_one_made_directly(chaos, tmp_path):
    chaos.make(tmp_path / "s", ("crash", "none"), patches=6, sampler="troublesome")
    packed = {"sampler": "troublesome", "sink": {"name": "zarr", "level": 5}}
    convert(tmp_path / "s", tmp_path / "d", PluginRef("zarr", {"level": 5}))

    went_on = chaos.make(tmp_path / "d", ("crash", "none"), patches=9, **packed)

    chaos.make(tmp_path / "direct", ("crash", "none"), patches=6, **packed)
    assert went_on.digest == chaos.make(tmp_path / "direct", ("crash", "none"), patches=9, **packed).digest


@pytest.mark.long
def test_what_was_stored_with_loss_renders_again_through_the_same_sinks(chaos, tmp_path):
    chaos.make(tmp_path / "s", patches=4, sink={"name": "zarr", "encoding": "float16"})
    convert(tmp_path / "s", tmp_path / "through", INT24)
    convert(tmp_path / "through", tmp_path / "d", ZARR)
    dataset = open_dataset(tmp_path / "d")

    assert not list(check_renders(dataset, range(8), tmp_path / "d", Host.load()))
    with pytest.raises(OtherPlanError, match=r"stored with loss \(zarr, zarr\)"):
        chaos.make(tmp_path / "d", patches=6)

    dataset.storage._storage.attributes = {**dataset.attributes, "stored_through": []}
    assert {damage.what for damage in check_renders(dataset, range(8), tmp_path / "d", Host.load())} == {"render"}
