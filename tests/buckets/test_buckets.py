"""Datasets in a bucket: made, resumed, read, changed and refused as on a disk, over a network that loses things."""

from __future__ import annotations

import json
import os
import pickle
import random
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import sampled
from support.buckets import Proxy, served

from tonesmith import generate, open_dataset, split
from tonesmith.buckets import client
from tonesmith.buckets.address import place_of
from tonesmith.buckets.cache import user_cache
from tonesmith.cli import run as run_command
from tonesmith.dataset.verify import check_integrity
from tonesmith.errors import BucketError, OtherPlanError
from tonesmith.host.registry import Host
from tonesmith.sinks.base.claims import claim, plans
from tonesmith.testing.sink_processes import Case
from tonesmith.testing.synthetic import ASSETS, synthetic_plan

SINKS = ("zarr", "parquet", "folder", "webdataset")
EXACT = {"zarr": {}, "parquet": {"audio": "wav"}, "webdataset": {"audio": "npy"}, "folder": {"audio": "wav"}}
SECRET = "wJalrXUtnFEMIsecretthatnobodymaysee"  # noqa: S105
FEW = {"patches": 6, "block": 2}
"""Rows in three blocks."""


@pytest.fixture(scope="module")
def bucket() -> Any:
    with served() as server:
        yield server


@pytest.fixture(autouse=True)
def surroundings(request, bucket, monkeypatch, tmp_path) -> str:
    """Name the bucket and its credentials to this process and those that it starts; return a prefix of its own."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    settings = {"ACCESS_KEY_ID": "AKIAEXAMPLE", "SECRET_ACCESS_KEY": SECRET, "REGION": "us-east-1"}
    for name, value in {**settings, "ENDPOINT_URL": bucket.endpoint}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("TONESMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(client, "_stores", {})
    monkeypatch.setattr(client, "_process", 0)
    return f"s3://{bucket.name}/{abs(hash(request.node.name)):x}"


@pytest.fixture
def there(surroundings: str) -> str:
    return surroundings


@pytest.fixture
def through(bucket, monkeypatch) -> Any:
    """Return a function that leads this process and those that it starts to the bucket by a proxy."""
    opened: list[Proxy] = []

    def lead(**settings: Any) -> Proxy:
        proxy = Proxy(bucket.endpoint, **settings)
        opened.append(proxy.__enter__())
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        monkeypatch.setattr(client, "_stores", {})
        return proxy

    yield lead
    for proxy in opened:
        proxy.__exit__(None, None, None)


def written(sink: str, path: str | Path, blocks: tuple[int, ...] = (0, 1, 2), plan: Any = None) -> Case:
    """Return a made-up dataset at a path, with its assets and some of its blocks stored."""
    case = Case(Host.load().sinks()[sink], EXACT[sink], place_of(path), plan or synthetic_plan())
    made = case.created()
    for content in ASSETS.values():
        made.add_asset(content)
    for index in blocks:
        made.write_block(case.block(index))
    return case


def rows_of(path: str | Path) -> Any:
    """Return all columns of a dataset, and which assets it has."""
    dataset = open_dataset(path)
    return dataset.get_batch(slice(None)), list(dataset.storage.assets()), repr(dataset.rejections), dataset.digest


def prefix_of(path: str) -> str:
    return f"{path.split('/', 3)[3]}/"


@pytest.mark.parametrize("sink", sampled(SINKS, 4))
def test_a_dataset_in_a_bucket_has_the_rows_and_the_files_of_one_on_a_disk(sink, there, bucket, tmp_path):
    for path in (there, tmp_path / "d"):
        case = written(sink, path, (0,))
        case.made().write_block(case.block(2))
        case.made().write_block(case.block(1))
        case.made().finish()

    (columns, *rest), (local, *others) = rows_of(there), rows_of(tmp_path / "d")

    assert rest == others
    for name, column in columns.items():
        np.testing.assert_array_equal(column, local[name], name)
    files = {str(f.relative_to(tmp_path / "d")): f.stat().st_size for f in (tmp_path / "d").rglob("*") if f.is_file()}
    assert {key.removeprefix(prefix_of(there)) for key in bucket.keys(prefix_of(there))} == set(files)
    assert open_dataset(there).nbytes == sum(files.values())
    assert list(check_integrity(open_dataset(there))) == []


@pytest.mark.long
def test_a_run_over_a_network_that_loses_things_ends_with_the_rows_of_a_local_one(chaos, there, through, tmp_path):
    _check_faulty_run(chaos, there, through, tmp_path, seed=1, sink="webdataset")


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
def test_no_lost_request_changes_a_row(chaos, there, through, tmp_path, seed):
    _check_faulty_run(chaos, there, through, tmp_path, seed, SINKS[seed % 4])


def _check_faulty_run(chaos: Any, there: str, through: Any, tmp_path: Path, seed: int, sink: str) -> None:
    """Kill a run with two workers over a faulty network, once, and let another end it."""
    settings = {**FEW, "sampler": "troublesome", "sink": {"name": sink, **EXACT[sink]}}
    whole = chaos.make(tmp_path / "whole", ("crash", "silent"), **settings)
    proxy = through(seed=seed)
    script = tmp_path / "script.py"
    script.write_text(
        f"from tonesmith import generate\n"
        f"generate({there!r}, workers=2, **{chaos.settings(('crash', 'silent'), **settings)!r})\n"
    )
    child = subprocess.Popen([sys.executable, str(script)], start_new_session=True)
    until, requests = time.monotonic() + 60, random.Random(seed).randrange(60, 300 if sink == "zarr" else 100)
    while child.poll() is None and time.monotonic() < until and len(proxy.requests) < requests:
        time.sleep(0.01)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()

    summary = chaos.make(place_of(there), ("crash", "silent"), workers=2, **settings)

    assert proxy.faults
    assert summary.complete
    assert summary.digest == whole.digest == open_dataset(there).digest
    assert list(check_integrity(open_dataset(there))) == []


@pytest.mark.long
def test_every_command_takes_an_address(chaos, there, capsys, tmp_path):
    def told(*words: object, status: int = 0) -> Any:
        assert run_command([*map(str, words), "--json"]) == status
        return json.loads(capsys.readouterr().out)

    local, remote = str(tmp_path / "d"), f"{there}/d"
    digest = generate(local, **chaos.settings(patches=4, block=2)).digest

    assert told("convert", local, remote, "--sink", "webdataset", "--sink.audio", "npy", "-q")["digest"] == digest
    assert told("convert", remote, tmp_path / "back", "--sink", "folder", "-q")["digest"] == digest
    assert told("convert", remote, f"{there}/again", "--sink", "zarr", "-q")["same"]
    assert told("split", remote, "--train", "0.5", "--val", "0", "--test", "0.5", "-q")["state"] == "stored"
    assert told("verify", remote, "--render", 1, "--trust", "-q")["damaged"] == []
    inspected = told("inspect", remote)
    assert (inspected["path"], inspected["digest"], set(inspected["splits"])) == (
        remote,
        digest,
        {"train", "val", "test"},
    )
    assert told("export", remote, "--row", 0, "--audio", tmp_path / "x.wav")["files"]
    generate(f"{there}/other", config=remote, sink="zarr", seed=5)
    assert told("merge", f"{there}/again", f"{there}/other", "-o", f"{there}/merged", "-q")["rows"] == 16
    assert open_dataset(f"{there}/merged").complete
    readme = place_of(f"{remote}/README.md").read_bytes().decode()
    assert "glob('train-*.tar')" in readme
    assert split(remote, {"train": 0.5, "val": 0.0, "test": 0.5}).names == ("train", "val", "test")


def test_credentials_are_in_nothing_that_is_written_or_said(chaos, there, bucket, through, capfd, tmp_path):
    log = tmp_path / "run.log"
    toml = tmp_path / "plugins.toml"
    toml.write_text("[backend]\nname = 'chaos'\n[plan]\npatches = 2\nblock = 2\nsample_rate = 8000\n")
    assert run_command(["generate", "--config", str(toml), "--log", str(log), there]) == 0
    dataset = open_dataset(there)
    _ = dataset[0].audio
    pickled = pickle.dumps(dataset)
    through(denying=("PUT", "GET", "HEAD"))
    assert run_command(["verify", there]) == 1
    told = "".join(capfd.readouterr())

    contents = [bucket.content(key) for key in bucket.keys(prefix_of(there))]
    contents += [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()]
    assert len(contents) > 40
    assert "access is denied" in told
    for content in (*contents, pickled, told.encode()):
        assert SECRET.encode() not in content
    assert b"AKIAEXAMPLE" not in b"".join([*contents, pickled, told.encode()])


def test_a_dataset_travels_to_a_new_process_and_a_fork_is_told_what_to_do_instead(there):
    written("zarr", there)
    dataset = open_dataset(there)
    audio = dataset[3].audio
    script = (
        "import pickle, sys\n"
        "dataset = pickle.load(sys.stdin.buffer)\n"
        "sys.stdout.buffer.write(dataset[3].audio.tobytes())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input=pickle.dumps(dataset), capture_output=True, check=True, timeout=60
    )
    assert done.stdout == audio.tobytes()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(30)  # should it hang
        try:
            kept = dataset[3].audio.tobytes() == audio.tobytes()  # from the cache, without the network
            _ = dataset[19].audio
        except BucketError as error:
            os.write(writer, f"{kept} {error}".encode())
        finally:
            os._exit(0)
    os.close(writer)
    told = os.read(reader, 4096).decode()
    os.close(reader)
    os.waitpid(child, 0)
    assert told.startswith(f"True {there}: this process was forked")
    assert 'multiprocessing_context="forkserver"' in told


def test_the_marker_of_a_block_is_put_after_all_that_it_speaks_for(there, through):
    proxy = through(rate=0.0)
    written("zarr", there, (0, 1))

    puts = [path.rpartition(prefix_of(there))[2] for method, path in proxy.requests if method == "PUT"]
    for block in range(2):
        columns = [place for place, name in enumerate(puts) if re.search(rf"/c\.{block}(\.0)*$", name)]
        (marker,) = [place for place, name in enumerate(puts) if f"blocks/00000{block}-" in name]
        assert len(columns) > 10
        assert marker > max(columns)
    written("folder", f"{there}/f", (0,))
    files = [path for method, path in proxy.requests if method == "PUT" and "/f/data/000000/" in path]
    assert len(files) == 9
    assert files[-1].endswith("metadata.jsonl")  # so that it names no file that is not there


@pytest.mark.long
def test_an_answer_that_is_cut_short_is_asked_for_again(there, through):
    written("webdataset", there)
    proxy = through(rate=0.0)
    store = place_of(there).store
    everything = list(store.list(place_of(there).key))
    for fault in ("half", "503", "reset", "lost"):
        proxy.coming = [fault]
        assert list(store.list(place_of(there).key)) == everything
        proxy.coming = [fault]
        assert place_of(f"{there}/tonesmith/dataset.json").read_bytes().endswith(b"}")
        proxy.coming = [fault]
        place_of(f"{there}/x").write_bytes(b"x")
        proxy.coming = [fault]
        place_of(f"{there}/x").unlink()
        assert not proxy.coming
    assert list(store.list(place_of(there).key)) == everything


def test_what_was_read_is_read_again_without_the_network(there, through):
    written("webdataset", there)
    first = open_dataset(there).get_batch(slice(None))
    proxy = through(rate=0.0)

    again = open_dataset(there).get_batch(slice(None))

    np.testing.assert_array_equal(again["audio"], first["audio"])
    assert not [path for _, path in proxy.requests if ".tar" in path]
    assert list(check_integrity(open_dataset(there))) == []


@pytest.mark.parametrize("sink", sampled(("zarr", "parquet"), 2))
@pytest.mark.first
def test_a_block_that_has_grown_is_not_read_from_the_cache(sink, there):
    small = synthetic_plan(patches=9)
    case = written(sink, there, (2,), small)
    before = open_dataset(there)
    assert len(before.get_batch(slice(None))["audio"]) == 2
    grown = case._replace(plan=synthetic_plan(patches=10))
    grown.created().write_block(grown.block(2))

    after = open_dataset(there)

    assert len(after) == 4
    np.testing.assert_array_equal(after.column("continuous"), grown.block(2).columns["continuous"])
    assert list(check_integrity(after)) == []
    np.testing.assert_array_equal(after.get_batch([0, 1])["audio"], before.get_batch([0, 1])["audio"])


@pytest.mark.parametrize("sink", sampled(("webdataset", "zarr"), 2))
def test_a_copy_that_is_damaged_on_this_machine_is_fetched_again(sink, there):
    written(sink, there)
    dataset = open_dataset(there)
    audio = dataset.get_batch(slice(None))["audio"]
    assert [dataset.storage.asset(name) for name in ASSETS] == list(ASSETS.values())
    for file in user_cache().folder.rglob("*"):
        if file.is_file():
            file.write_bytes(b"\x00" * file.stat().st_size)

    assert list(ASSETS.values()) == [open_dataset(there).storage.asset(name) for name in ASSETS]
    np.testing.assert_array_equal(open_dataset(there).get_batch(slice(None))["audio"], audio)


@pytest.mark.long
def test_damage_in_the_bucket_is_found_by_verify_though_this_machine_has_a_sound_copy(there, bucket, capsys):
    written("zarr", there)
    _ = open_dataset(there).get_batch(slice(None))
    key = f"{prefix_of(there)}audio/c.1.0.0"
    content = bytearray(bucket.content(key))
    content[100] ^= 1
    bucket.client.put_object(Bucket=bucket.name, Key=key, Body=bytes(content))

    assert run_command(["verify", there, "-q"]) == 1
    assert "block 1" in capsys.readouterr().out


def test_of_two_plans_at_one_path_one_is_refused_and_changes_nothing(there, bucket):
    case = written("webdataset", there, (0,))
    before = {key: bucket.content(key) for key in bucket.keys(prefix_of(there))}

    with pytest.raises(OtherPlanError, match="plan"):
        case._replace(plan=replace(case.plan, seed=5)).created()

    assert {key: bucket.content(key) for key in bucket.keys(prefix_of(there))} == before


def test_of_two_plans_that_begin_at_one_moment_none_takes_the_place_of_the_other(there, monkeypatch):
    place, mine, other = place_of(there), "a" * 64, "b" * 64
    (place / "tonesmith" / "plan" / other).write_bytes(b"")
    seen = iter([set(), {mine, other}])
    with monkeypatch.context() as patch:
        patch.setattr("tonesmith.sinks.base.claims.plans", lambda path: next(seen))
        assert not claim(place, mine)
    assert plans(place) == {other}
    assert claim(place, other)
    assert not claim(place, mine)


@pytest.mark.parametrize(
    ("address", "sink", "status", "told"),
    [
        ("s3://nosuchbucket/d", "zarr", 2, "there is no such bucket"),
        ("s3://bucket", "zarr", 2, "names no place in a bucket"),
        ("s3://bucket/h", "hdf5", 2, "The sinks folder, parquet, webdataset and zarr can."),
        pytest.param("s3://bucket/l", "lmdb", 2, "The sinks folder, parquet, webdataset", marks=pytest.mark.long),
        pytest.param("s3://key:secret@bucket/d", "zarr", 2, "must not have credentials", marks=pytest.mark.long),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(address, sink, status, told, bucket, capsys):
    before = bucket.keys()
    assert run_command(["generate", "-n", "2", "--backend", "vita", "--sink", sink, address]) == status
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert bucket.keys() == before


def test_a_bucket_that_denies_is_told_before_an_engine_is_loaded(there, through, bucket, capsys):
    through(denying=("GET", "PUT"))
    assert run_command(["generate", "-n", "2", there]) == 2
    assert "access is denied" in capsys.readouterr().err
    assert run_command(["inspect", there]) == 1
    assert bucket.keys(prefix_of(there)) == []


def test_a_dataset_that_is_not_there_is_told_like_one_on_a_disk(there, capsys):
    assert run_command(["inspect", there]) == 2
    assert f"{there} does not exist." in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["closed", "unknown", pytest.param("silent", marks=pytest.mark.long)])
def test_an_address_that_answers_nothing_fails_within_seconds(kind, there, monkeypatch, capsys):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        if kind == "silent":
            listening.listen(50)
        host = "nobody.invalid" if kind == "unknown" else "127.0.0.1"
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{listening.getsockname()[1]}")
        monkeypatch.setattr(client, "_stores", {})
        began = time.monotonic()
        assert run_command(["inspect", there]) == 1
        assert time.monotonic() - began < 15
    error = capsys.readouterr().err
    assert "cannot be reached" in error
    assert error.count("\n") == 1
