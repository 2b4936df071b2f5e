"""inspect, export and verify, as a person at a terminal meets them."""

from __future__ import annotations

import json
import shutil
import struct

import numpy as np
import pytest
from support import misbehaving, terminal

from tonesmith import open_dataset
from tonesmith.dataset.report import coverage, report


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("made") / "d.zarr"
    with misbehaving() as chaos:
        chaos.make(path, ("silent",), patches=9, sampler="troublesome")
    return path


@pytest.fixture
def dataset(chaos, made, tmp_path):
    return shutil.copytree(made, tmp_path / "d.zarr")


def test_inspect_tells_what_is_in_a_dataset_within_80_columns(dataset):
    result = terminal("inspect", dataset, "--params")

    assert result.returncode == 0
    assert result.stderr == ""
    for told in ("18 rows of 9 patches", "pitch       60 (9), 72 (9)", "level: silent (3)", "troublesome (18)", "freq"):
        assert told in result.stdout
    assert open_dataset(dataset).digest in result.stdout
    assert max(len(line) for line in result.stdout.splitlines() if str(dataset) not in line) <= 80


def test_inspect_json_is_all_there_is_on_stdout(dataset):
    told = json.loads(terminal("inspect", dataset, "--params", "--json").stdout)

    assert told["rows"] == told["rows_planned"] == 18
    assert told["rejections"] == {"level: silent": 3}
    assert told["made_with"]["chaos"] == "1.0"
    assert [p["name"] for p in told["parameters"]] == ["freq", "level", "fault"]


def test_coverage_counts_each_patch_once(dataset):
    freq, _, fault = coverage(open_dataset(dataset))

    assert (sum(freq["counts"]), len(freq["counts"])) == (9, 10)
    assert (sum(fault["counts"]), fault["audible"]) == (9, 1.0)


def test_a_dataset_without_rows_can_be_inspected(chaos, tmp_path):
    terminal(
        *("generate", tmp_path / "d", "--backend", "chaos", "--backend.faults", "silent", "--max-attempts", "2"),
        *("--sample-rate", "8000", "--notes.hold", "0.1", "--notes.tail", "0.1"),
    )

    told = report(open_dataset(tmp_path / "d"))

    assert (told["rows"], told["complete"], told["rejections"]) == (0, False, {})
    assert terminal("inspect", tmp_path / "d", "--params").returncode == 0
    assert terminal("verify", tmp_path / "d").returncode == 0


def test_export_writes_the_very_samples_and_a_readable_label(dataset, tmp_path):
    wav, label = tmp_path / "r.wav", tmp_path / "r.json"

    result = terminal("export", dataset, "--row", "-1", "--audio", wav, "--label", label)

    row = open_dataset(dataset)[-1]
    content = wav.read_bytes()
    data = content.index(b"data")
    samples = np.frombuffer(content[data + 8 :], "<f4").reshape(-1, 2).T
    assert result.returncode == 0
    assert struct.unpack_from("<4sI4s", content) == (b"RIFF", len(content) - 8, b"WAVE")
    assert samples.tobytes() == row.audio.tobytes()
    told = json.loads(label.read_text())
    assert told["parameters"]["freq"]["unit"] == "Hz"
    assert told["note"] == {"pitch": 72, "velocity": 100, "hold": 0.1, "tail": 0.1}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--row", "18", "--audio", "x.wav"], "--row 18: "),
        (["--row", "0"], "nothing to export"),
        (["--row", "0", "--preset", "x.vital"], "the backend 'chaos' cannot write presets"),
        (["--row", "0", "--audio", "nowhere/x.wav"], "--audio: cannot write nowhere/x.wav: No such file"),
    ],
)
@pytest.mark.first
def test_export_says_what_is_wrong_and_exits_2(dataset, tmp_path, arguments, said):
    result = terminal("export", dataset, *arguments, cwd=tmp_path)

    assert result.returncode == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_export_overwrites_nothing_unless_forced(dataset, tmp_path):
    wav, label = tmp_path / "row.wav", tmp_path / "row.json"
    wav.write_text("mine")
    refused = terminal("export", dataset, "--row", "0", "--audio", wav, "--label", label)
    assert (refused.returncode, wav.read_text(), label.exists()) == (2, "mine", False)
    assert "exists" in refused.stderr
    assert "--force" in refused.stderr

    forced = terminal("export", dataset, "--row", "0", "--audio", wav, "--label", label, "--force", "--json")
    assert forced.returncode == 0, forced.stderr
    told = json.loads(forced.stdout)
    assert (told["path"], told["row"]) == (str(dataset), 0)
    assert {entry["path"]: entry["nbytes"] for entry in told["files"]} == {
        str(file): file.stat().st_size for file in (wav, label)
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--audio", "row.flac"], "row.flac must end in .wav"),
        (["--label", "row.txt"], "row.txt must end in .json"),
        (["--label", "a.json", "--audio", "row"], "row must end in .wav"),
    ],
)
@pytest.mark.first
def test_export_refuses_a_suffix_of_another_format(dataset, tmp_path, arguments, said):
    there = set(tmp_path.iterdir())
    result = terminal("export", dataset, "--row", "0", *arguments, cwd=tmp_path)
    assert (result.returncode, set(tmp_path.iterdir())) == (2, there)
    assert said in result.stderr


@pytest.mark.long
def test_export_and_inspect_know_splits(dataset, tmp_path):
    assert terminal("split", dataset, "--train", "0.5", "--val", "0", "--test", "0.5").returncode == 0
    test = open_dataset(dataset).split("test")
    label = tmp_path / "row.json"

    assert terminal("export", dataset, "--split", "test", "--row", "1", "--label", label).returncode == 0
    told = json.loads(label.read_text())
    assert (told["row"], told["split"]) == (test[1].row, "test")
    assert f"test ({len(test)})" in terminal("inspect", dataset).stdout
    odd = terminal("export", dataset, "--split", "tset", "--row", "0", "--label", label)
    assert "Did you mean 'test'?" in odd.stderr
    assert odd.returncode == 2


def test_the_names_of_splits_are_completed(dataset):
    def completed(path, word):
        words = f"tonesmith export {path} --split {word}"
        return terminal(_TONESMITH_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD="4").stdout.split()

    assert completed(dataset, "") == []
    assert terminal("split", dataset, "--train", "0.5", "--val", "0", "--test", "0.5", "-q").returncode == 0
    assert completed(dataset, "t") == ["train", "test"]
    assert completed("nowhere", "") == []


def test_the_names_of_parameters_and_groups_are_completed(dataset):
    def completed(path, word):
        words = f"tonesmith plot coverage {path} --only {word}"
        return terminal(_TONESMITH_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD="5").stdout.split()

    names = open_dataset(dataset).space.names
    assert set(completed(dataset, "")) >= set(names)
    assert completed(dataset, names[0]) == [names[0]]
    assert completed("nowhere", "") == []


def test_a_dataset_that_grows_keeps_its_splits(chaos, tmp_path):
    path = tmp_path / "d"
    chaos.make(path, patches=9)
    terminal("split", path, "--train", "0.5", "--val", "0", "--test", "0.5", "--stratify", "origin")
    before = [open_dataset(path).split_of(i) for i in range(18)]
    chaos.make(path, patches=15)

    grown = open_dataset(path)
    assert len(grown) == 30
    assert [grown.split_of(i) for i in range(18)] == before
    assert set(before) == {"train", "test"}
    assert sum(map(len, grown.splits.values())) == 30


@pytest.mark.parametrize("command", [["inspect"], ["verify"], ["export", "--row", "0", "--audio", "x.wav"]])
def test_a_path_that_is_no_dataset_is_told_apart_from_one_that_is_not_there(tmp_path, command):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.txt").touch()

    missing = terminal(command[0], tmp_path / "nothing", *command[1:])
    foreign = terminal(command[0], tmp_path / "folder", *command[1:])

    assert (missing.returncode, foreign.returncode) == (2, 1)
    assert " does not exist." in missing.stderr
    assert "a folder with notes.txt, not a tonesmith dataset" in foreign.stderr


def test_verify_json_lists_each_damaged_row(dataset):
    shard = dataset / "audio" / "c.0.0.0"
    shard.write_bytes(shard.read_bytes()[:-200])

    result = terminal("verify", dataset, "--json")

    told = json.loads(result.stdout)
    assert result.returncode == 1
    assert {(d["block"], d["what"]) for d in told["damaged"]} == {(0, "unreadable")}
    assert [d["row"] for d in told["damaged"]] == list(range(8))


def test_verify_tells_a_block_without_its_file_in_one_line_and_the_cure_once(dataset):
    for block in (0, 1):
        (dataset / "audio" / f"c.{block}.0.0").unlink()

    result = terminal("verify", dataset)

    assert result.returncode == 1
    assert [line.strip() for line in result.stdout.splitlines()[2:4]] == [
        "block 0 (rows 0-7): its audio file is missing",
        "block 1 (rows 8-15): its audio file is missing",
    ]
    assert result.stdout.count("Delete the block's marker") == 1
