"""Any label as sound: of a dataset, of a network, of a file."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import amounts, plugged, sampled, terminal
from support.builders import dataset as made_up
from support.coarse import COARSE, SETTINGS

from tonesmith import generate, open_dataset
from tonesmith.dataset.export import label_of
from tonesmith.dataset.label_file import LABEL_ARRAYS, read_label
from tonesmith.dataset.notes import changed_note
from tonesmith.dataset.npz import read_npz
from tonesmith.dataset.player import Player
from tonesmith.dataset.reader import Dataset
from tonesmith.engine import client
from tonesmith.errors import ConfigError, EngineError, SpaceError
from tonesmith.space.patch import Note
from tonesmith.testing import Project

FAULT = {"none": 0, "crash": 1, "nan": 3, "error": 5, "shape": 7}


@pytest.fixture
def ds(chaos: Any, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    kept = tmp_path_factory.getbasetemp() / "eight patches"
    if not kept.exists():
        chaos.make(kept, patches=8)
    shutil.copytree(kept, tmp_path / "d")
    return open_dataset(tmp_path / "d")


def arrays(*faults: str, level: float = 0.5) -> dict[str, Any]:
    return {"continuous": [[0.3, level]] * len(faults), "categorical": [[FAULT[fault]] for fault in faults]}


@pytest.mark.parametrize("workers", amounts(2, 1))
def test_stored_labels_give_the_stored_audio_bit_for_bit(ds: Dataset, workers: int) -> None:
    rows = ds[:]
    stacked = {name: rows.columns[name] for name in ("continuous", "categorical")}
    notes = [row.note for row in rows]
    for labels in (stacked, [row.label for row in rows], [row.patch for row in rows]):
        audio = ds.render(labels, notes, workers=workers)
        assert (audio.dtype, audio.shape) == (np.float32, rows.audio.shape)
        assert audio.tobytes() == rows.audio.tobytes()


@pytest.mark.long
def test_a_dataset_stored_with_loss_gives_the_audio_as_it_is_stored(chaos: Any, tmp_path: Path) -> None:
    chaos.make(tmp_path / "d", patches=1, sink={"name": "zarr", "encoding": "float16"})
    row = open_dataset(tmp_path / "d")[0]
    assert open_dataset(tmp_path / "d").render(row.label, row.note)[0].tobytes() == row.audio.tobytes()


def test_a_label_is_played_with_the_first_note_of_the_plan_or_any_of_the_same_length(ds: Dataset) -> None:
    first, high = ds[0], ds[1]
    assert (first.note.pitch, high.note.pitch) == (60, 72)
    with ds.player() as play:
        assert play(first.label)[0].tobytes() == first.audio.tobytes()
        assert play(first.label, high.note)[0].tobytes() == high.audio.tobytes()
        assert not np.array_equal(play(first.label, Note(61, 100, 0.15, 0.05))[0], first.audio)
        for note, told in (
            (Note(128, 100, 0.1, 0.1), "the pitch is 128; expected an integer from 0 to 127"),
            (Note(60, 0, 0.1, 0.1), "the velocity is 0; expected an integer from 1 to 127"),
            (Note(60, 100, 0.3, 0.1), "the hold is 0.3 s; expected more than 0 and at most 0.2 s"),
            (Note(60, 100, 0.1, 0.2), "the note lasts 0.3 s; the rows of the dataset last 0.2 s"),
        ):
            with pytest.raises(ConfigError, match=told):
                play(first.label, note)
        with pytest.raises(ConfigError, match="there are 2 notes for 1 labels"):
            play(first.label, [first.note] * 2)


def test_the_tail_of_a_note_is_what_another_hold_leaves(ds: Dataset) -> None:
    note = changed_note(ds.plan, ds[0].note, pitch=50, hold=0.05)
    assert (note.pitch, note.velocity, note.hold, note.duration) == (50, 100, 0.05, pytest.approx(0.2))
    assert changed_note(ds.plan, note) == note


def test_an_engine_is_kept_between_calls_and_ends_with_the_player(ds: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    real = client.Child
    monkeypatch.setattr(client, "Child", lambda *a, **k: started.append(real(*a, **k)) or started[-1])
    with ds.player() as play:
        for i in range(3):
            play(ds[i].label)
    assert len(started) == 1
    assert started[0].ended
    with pytest.raises(ConfigError, match="the player is closed"):
        play(ds[0].label)


def test_what_cannot_be_rendered_is_blamed_by_its_index_and_costs_no_other(ds: Dataset) -> None:
    labels = arrays("none", "crash", "none", "nan", "error", "shape")
    with pytest.raises(EngineError) as raised:
        ds.render(labels, workers=2)
    told = str(raised.value).splitlines()
    assert told[0] == "4 of 6 labels cannot be rendered:"
    assert [line.split(":")[0].strip() for line in told[1:]] == [f"label {i}" for i in (1, 3, 4, 5)]

    reasons: dict[int, str] = {}
    audio = ds.render(labels, workers=2, failed=reasons.__setitem__)
    assert {i: reason.split(":")[0] for i, reason in reasons.items()} == {
        1: "crash",
        3: "not finite",
        4: "error",
        5: "shape",
    }
    assert [bool(sound.any()) for sound in audio] == [True, False, True, False, False, False]
    assert audio[0].tobytes() == audio[2].tobytes() == ds.render(arrays("none"))[0].tobytes()


def test_a_bad_label_of_several_is_told_by_its_index_before_an_engine_starts(
    ds: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "Child", None)
    good = arrays("none")
    bad = {"continuous": [[0.3, 0.5], [0.3, np.nan]], "categorical": [[0], [0]]}
    for labels, told in (
        (bad, "label 1: level is not a number"),
        ({**bad, "categorical": [[0]]}, "as many labels in each"),
        ({"continuous": [0.1, 0.2]}, "the label has no categorical values; this space has 1"),
        ({**good, "loudness": [1]}, "unknown part of a label 'loudness'"),
    ):
        with pytest.raises(SpaceError, match=told):
            ds.render(labels)
    with pytest.raises(TypeError, match="expected a Label"):
        ds.render(7)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="workers is -1"):
        ds.player(-1)


def test_parameters_of_any_label_are_told_as_the_synth_shows_them(ds: Dataset) -> None:
    assert ds.parameters_of(ds[3].label) == ds[3].parameters
    told = ds.parameters_of({"continuous": [0.5, 0.0], "categorical": [0]})
    assert (told["freq"].text, told["fault"].text) == ("1010 Hz", "none")


def test_what_the_synth_holds_otherwise_is_played_and_told(tmp_path: Path) -> None:
    made = Project(tmp_path, {"coarse.py": COARSE}, plugins=["coarse"])
    with plugged(made, "coarse"):
        generate(tmp_path / "d.zarr", **{**SETTINGS, "patches": 1})
        ds = open_dataset(tmp_path / "d.zarr")
        patch = replace(ds.patch_of(0), values={**ds.patch_of(0).values, "freq": 100.0, "level": 0.6})
        with Player(ds) as player:
            played = player.play_one(patch, ds[0].note)
        assert (played.failure, played.held, played.patch.values["level"]) == ("", {"level": 0.5}, 0.5)
        assert played.audio.tobytes() == ds.render(played.patch, ds[0].note)[0].tobytes()


def written(path: Path, **parts: Any) -> Path:
    np.savez(path, **parts)
    return path


def test_a_label_file_is_what_export_writes_and_says_what_is_wrong_with_it(ds: Dataset, tmp_path: Path) -> None:
    file, whole = tmp_path / "l.json", label_of(ds[3])
    file.write_text(json.dumps(whole))
    read = read_label(file, ds)
    assert (read.label.continuous.tobytes(), read.note) == (ds[3].label.continuous.tobytes(), ds[3].note)
    plain = {"freq": 440, "level": 0.5, "fault": "none"}
    file.write_text(json.dumps({"parameters": plain}))
    assert ds.parameters_of(read_label(file, ds).label)["freq"].raw == 440.0
    for change, told in (
        ({"parameters": {"freq": 440}}, "it has no level; 2 of 3 parameters are missing"),
        ({"parameters": {**plain, "freqq": 1}}, "Did you mean 'freq'"),
        ({"parameters": {**plain, "freq": 1e9}}, r"freq = 1000000000\.0 is outside 20\.\.2000"),
        ({"parameters": {**plain, "freq": 10**400}}, "freq has 1329 bits; expected a number in its range"),
        ({"parameters": {**plain, "freq": None}}, "freq is None; expected a number"),
        ({"parameters": {**plain, "freq": float("nan")}}, "freq is nan; expected a number"),
        ({"parameters": {**plain, "fault": "crush"}}, "Did you mean 'crash'"),
        ({"parameters": []}, "it has no object 'parameters'"),
        ({"parameters": plain, "note": {"pitch": "C4"}}, "note.pitch: Input should be a valid integer"),
        ({"parameters": plain, "note": {"hold": 3.0}}, "the hold is 3 s"),
        ({"parameters": plain, "modulations": [{"source": "a"}]}, "modulations.destination: Field required"),
        ({"parameters": plain, "modulations": [{"source": "a", "destination": "b"}]}, "this space holds 0"),
        ({"parameters": plain, "assets": {"wave": "x"}}, "unknown asset slot 'wave'"),
        ([], "it is a list, not a JSON object"),
    ):
        file.write_text(json.dumps(change))
        with pytest.raises(ConfigError, match=told) as raised:
            read_label(file, ds)
        assert str(raised.value).startswith(str(file))


def test_a_npz_holds_one_label_or_several_with_their_notes(ds: Dataset, tmp_path: Path) -> None:
    one = read_label(written(tmp_path / "a.npz", continuous=[0.1, 0.2], categorical=[0], pitch=72), ds)
    assert (one.note.pitch, one.label.continuous.tolist()) == (72, np.float32([0.1, 0.2]).tolist())
    two = written(tmp_path / "b.npz", continuous=[[0.1, 0.2], [0.3, 1.4]], categorical=[[0], [0]])
    assert read_label(two, ds, 0).label.continuous.tolist() == np.float32([0.1, 0.2]).tolist()
    assert read_label(two, ds, -1, "clip").label.continuous[1] == 1.0
    for index, told in ((None, "it has 2 labels. Choose one with --index"), (2, "no index 2"), (1, "level is 1.4")):
        with pytest.raises(ConfigError, match=told):
            read_label(two, ds, index)
    with pytest.raises(ConfigError, match="neither an array 'continuous' nor 'categorical'"):
        read_label(written(tmp_path / "c.npz", row=[1]), ds)


def test_modulations_and_assets_come_back_from_both_kinds_of_files(tmp_path: Path) -> None:
    made = made_up(tmp_path / "made", [0])
    for i, row in enumerate(made):
        (tmp_path / "l.json").write_text(json.dumps(label_of(row)))
        np.savez(tmp_path / "l.npz", **made.get_batch([i], LABEL_ARRAYS))
        for file in ("l.json", "l.npz"):
            label = read_label(tmp_path / file, made).label
            assert (label.modulations, label.assets) == (row.label.modulations, row.label.assets)
            assert made.space.decode(label).values == row.patch.values
    assert len({row.label.assets["wave"] for row in made}) > 1
    (tmp_path / "l.json").write_text(json.dumps({**label_of(made[0]), "assets": {"wave": "f" * 64}}))
    label = read_label(tmp_path / "l.json", made).label
    with pytest.raises(SpaceError, match=r"the asset ffffffffffff of the slot 'wave' is not in the dataset"):
        made.parameters_of(label)
    whole = label_of(made[0])
    del whole["assets"]
    (tmp_path / "l.json").write_text(json.dumps(whole))
    with pytest.raises(ConfigError, match=r"it does not name its assets\. Export it again"):
        read_label(tmp_path / "l.json", made)


def lying(name: str, shape: tuple[int, ...], payload: bytes = b"\0" * 8) -> bytes:
    header = BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": shape})
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(f"{name}.npy", header.getvalue() + payload)
    return content.getvalue()


def test_a_hostile_npz_costs_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, continuous=np.array([{"a": 1}], dtype=object))
    pickled = path.read_bytes()
    for content, told in (
        (pickled, "Python objects"),
        (lying("continuous", (10**13,)), "damaged"),
        (lying("continuous", (-1,)), "damaged"),
        (lying("continuous", (2,)), "damaged"),
        (lying("loudness", (1,)), "unknown array 'loudness'"),
        (b"PK\3\4 and no more", "is not a .npz file"),
        (lying("continuous", (1,))[:-30], "is not a .npz file"),
    ):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=told):
            read_npz(path, ["continuous"])
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_npz(path, ["continuous"])
    assert (
        read_npz(written(tmp_path / "f.npz", continuous=np.asfortranarray(np.eye(3, 2))), ["continuous"])[
            "continuous"
        ].tolist()
        == np.eye(3, 2).tolist()
    )


def test_render_plays_what_export_wrote(ds: Dataset, tmp_path: Path) -> None:
    stored, again, label = tmp_path / "a.wav", tmp_path / "b.wav", tmp_path / "l.json"
    assert terminal("export", tmp_path / "d", "--row", "3", "--audio", stored, "--label", label).returncode == 0
    done = terminal("render", label, "--like", tmp_path / "d", "--audio", again, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"] == [{"path": str(again), "nbytes": stored.stat().st_size}]
    assert again.read_bytes() == stored.read_bytes()
    changed = terminal(
        "render", 3, "--like", tmp_path / "d", "--audio", again, "--pitch", 48, "--hold", 0.05, "--force"
    )
    assert changed.returncode == 0, changed.stderr
    assert again.read_bytes() != stored.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    sampled(
        [
            (["3"], 2, "nothing to write"),
            (["99", "--audio", "x.wav"], 2, "LABEL: row 99 is out of range for 16 rows"),
            (["three", "--audio", "x.wav"], 2, "neither a .json or .npz file nor the number of a row"),
            (["no.json", "--audio", "x.wav"], 2, "no.json cannot be read: No such file"),
            (["3", "--audio", "x.mp3"], 2, "x.mp3 must end in .wav"),
            (["3", "--preset", "x.vital"], 2, "the backend 'chaos' cannot write presets"),
            (["3", "--audio", "x.wav", "--velocity", "0"], 2, "the velocity is 0"),
            (["crash.npz", "--audio", "x.wav"], 1, "crash.npz cannot be rendered: crash: "),
        ],
        7,
    ),
)
def test_render_says_what_is_wrong_and_writes_nothing(
    ds: Dataset, tmp_path: Path, arguments: list[str], status: int, told: str
) -> None:
    written(tmp_path / "crash.npz", **arrays("crash"))
    done = terminal("render", *arguments, "--like", "d", cwd=tmp_path)
    assert (done.returncode, told in done.stderr) == (status, True), done.stderr
    assert not list(tmp_path.glob("x.*"))
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.long
def test_labels_with_modulations_assets_and_what_presets_hold_render_again_from_their_files(tmp_path: Path) -> None:
    notes = {"pitches": [48], "hold": 0.2, "tail": 0.1}
    generate(tmp_path / "drawn.zarr", patches=3, backend={"name": "vita", "tier": 3}, notes=notes, workers=1)
    (tmp_path / "bank").mkdir()
    for row in range(2):
        preset = tmp_path / "bank" / f"{row}.vital"
        assert terminal("export", tmp_path / "drawn.zarr", "--row", row, "--preset", preset).returncode == 0
    bred = {"sampler": "breed", "presets": {"paths": [str(tmp_path / "bank")]}}
    generate(tmp_path / "bred.zarr", patches=2, backend={"name": "vita"}, notes=notes, workers=1, **bred)
    for name in ("drawn.zarr", "bred.zarr"):
        ds = open_dataset(tmp_path / name)
        with ds.player() as play:
            for i, row in enumerate(ds):
                (tmp_path / "l.json").write_text(json.dumps(label_of(row)))
                read = read_label(tmp_path / "l.json", ds)
                assert play(read.label, read.note)[0].tobytes() == row.audio.tobytes(), (name, i)
        assert any(row.label.modulations and any(row.label.assets.values()) for row in ds)
        routed = {name: ds.get_batch([0, 1], [name])[name] for name in LABEL_ARRAYS}
        np.savez(tmp_path / "two.npz", **routed)
        read = read_label(tmp_path / "two.npz", ds, 1)
        assert ds.render(read.label, ds[1].note)[0].tobytes() == ds[1].audio.tobytes()
