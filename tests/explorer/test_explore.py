"""``tonesmith explore``: models of five sounds, what is made of them, and what is refused."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from support import ROOT
from support.sounds import tone, true_peak, write, write_five

from tonesmith.cli import run
from tonesmith.errors import ConfigError
from tonesmith.explorer import Model, make, open_model
from tonesmith.explorer.atlas import Trajectory
from tonesmith.explorer.making import pieces_of
from tonesmith.explorer.measured import log_error
from tonesmith.explorer.output import check_output
from tonesmith.explorer.recipe import ModelRef, recipe_of
from tonesmith.explorer.weave import Woven, looped, walked

ABSENT = ModelRef(name="m", sha256="0" * 64)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of five sounds, a note that is none of them, and what was said of bad files."""
    folder = tmp_path_factory.mktemp("explore")
    write_five(folder / "sounds")
    shutil.copy(folder / "sounds" / "dark.wav", folder / "sounds" / "same.wav")
    write(folder / "sounds" / "silent.wav", np.zeros(9_600))
    (folder / "sounds" / "torn.flac").write_bytes((folder / "sounds" / "cd.flac").read_bytes()[:30])
    (folder / "sounds" / "notes.txt").write_text("no sound")
    write(folder / "other.wav", tone(262.0, 0.3))
    return folder


@pytest.fixture(scope="module")
def fitted(home: Path) -> Any:
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err), chdir(home):
        status = run(["explore", "fit", "five", "sounds", "-q"])
    return status, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def model(home: Path, fitted: Any) -> Model:
    return open_model(home / "five")


@pytest.fixture
def here(home: Path) -> Path:
    return home


def test_a_fit_says_what_is_left_out_and_shows_the_model(fitted):
    status, out, err = fitted
    assert status == 0
    assert "silent.wav is silent" in err
    assert "torn.flac cannot be read as audio: it does not seem to contain audio data" in err
    assert err.count("\n") == 2
    assert "atlas of 5 sounds" in out
    assert "same.wav" not in out
    assert max(map(len, out.splitlines())) <= 80


def test_a_model_shows_its_errors_and_sliders_with_confidence(told, fitted):
    status, out, _ = told("show", "five", "--json")
    shown = json.loads(out)
    errors = shown["errors"]
    assert status == 0
    assert 0.0 < errors["ceiling"] <= errors["own"] + 0.05
    assert errors["own"] < 0.7 * errors["held_out"]
    named = {slider["name"]: slider for slider in shown["sliders"] if slider["kind"] == "named"}
    assert "level" in named
    assert all(slider["confidence"] >= 0.5 and slider["low"] < 0.0 < slider["high"] for slider in named.values())
    hidden = set(shown["confidences"]) - set(named)
    assert all(shown["confidences"][name] < 0.5 for name in hidden)
    assert {sound["name"]: sound["channels"] for sound in shown["sounds"]}["right.wav"] == 2


def test_a_sound_of_the_model_comes_back_as_it_was(model, home, tmp_path):
    source, _ = soundfile.read(home / "sounds" / "bright.wav", dtype="float32")
    errors = []
    for exemplars in (4, 0):
        make(model, tmp_path / f"{exemplars}.wav", sources=["bright"], seconds=0.4, exemplars=exemplars)
        made, _ = soundfile.read(tmp_path / f"{exemplars}.wav", dtype="float32", always_2d=True)
        errors.append(log_error(source[2_000:17_000], made.mean(axis=1)[2_000:17_000].astype(np.float32)))
    assert errors[0] < 1.0
    assert errors[0] < 0.8 * errors[1]


def test_a_sound_at_the_right_stays_there(model, tmp_path):
    make(model, tmp_path / "x.wav", sources=["right.wav"], seconds=0.3)
    made, _ = soundfile.read(tmp_path / "x.wav")
    loud = np.square(made).sum(axis=0)
    assert loud[1] > 1_000 * loud[0]


def test_a_file_has_48_khz_24_bits_its_recipe_and_no_peak_above_minus_1_dbtp(told, fitted):
    words = ("make", "five", "--density", 60, "--set", "level=+3", "--seconds", 0.7, "--seed", 3)
    status, out, err = told(*words, "-o", "loud.flac")
    info = soundfile.info("loud.flac")
    made, _ = soundfile.read("loud.flac")
    recipe = json.loads(soundfile.SoundFile("loud.flac").comment)
    assert status == 0, err
    assert (info.samplerate, info.subtype, info.frames) == (48_000, "PCM_24", 33_600)
    assert -1.4 < true_peak(made) <= -1.0
    assert "dB quieter" in out
    assert "new territory: level +" in err
    assert (recipe["seed"], recipe["sliders"], recipe["density"]) == (3, {"level": 3.0}, 60.0)
    assert str(Path.cwd()) not in json.dumps(recipe)


def test_the_same_file_is_made_again_from_its_tags(told, fitted):
    told("make", "five", "--from", "other.wav", "--from", "dark", "--blend", "2,1", "--seconds", 0.4, "-o", "a.wav")
    refused = told("again", "a.wav", "-o", "b.wav")
    status, out, _ = told("again", "a.wav", "-o", "b.wav", "--from", "other.wav")
    assert refused[0] == 2
    assert "Name the file: --from other.wav" in refused[2]
    assert status == 0
    assert "the same bytes as a.wav" in out
    assert Path("a.wav").read_bytes() == Path("b.wav").read_bytes()


def test_a_changed_file_is_not_called_the_same(told, fitted, home):
    told("make", "five", "--seconds", 0.2, "-o", "kept.wav")
    content = bytearray((home / "kept.wav").read_bytes())
    content[-3] ^= 1
    (home / "changed.wav").write_bytes(content)
    status, out, err = told("again", "changed.wav", "-o", "c.wav")
    assert status == 1
    assert "other bytes than changed.wav" in out
    assert "it was changed" in err


def test_a_slider_moves_what_it_is_named_by(model, tmp_path):
    named = [slider for slider in model.atlas.sliders if slider.kind == "named"]
    levels = []
    for steps in (-1.0, 1.0):
        make(model, tmp_path / f"{steps}.wav", sources=["dark"], sliders={"level": steps}, seconds=0.3)
        made, _ = soundfile.read(tmp_path / f"{steps}.wav")
        levels.append(10 * np.log10(np.square(made).mean()))
    assert "level" in {slider.name for slider in named}
    assert levels[1] > levels[0] + 3.0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("make", "nowhere", "-o", "x.wav"), "nowhere does not exist. Make one: tonesmith explore fit nowhere FOLDER"),
        (("make", "five", "-o", "x.aac"), "--out: x.aac must end in .wav, .flac, .mp3, .ogg or .opus."),
        (("make", "five"), "expected MODEL and --out FILE, or --batch TOML."),
        (("make", "five", "-o", "x.wav", "--set", "attack=1..2"), "--set attack: it cannot move."),
        (("make", "five", "-o", "x.wav", "--set", "elevation=1"), "Choose --channels binaural."),
        (("make", "five", "-o", "x.wav", "--set", "loop=1"), "Name one with --from"),
        (("make", "five", "-o", "x.wav", "--set", "distance=0"), "--set distance: expected 0.25 to 100 m."),
        (("make", "five", "-o", "other.wav"), "--out: other.wav exists."),
        (("make", "five", "-o", "no/x.wav"), "--out: the folder no does not exist."),
        (("make", "five", "-o", "x.wav", "--set", "levl=1"), "unknown slider 'levl'. Did you mean 'level'?"),
        (("make", "five", "-o", "x.wav", "--set", "level"), "--set: expected NAME=VALUE"),
        (
            ("make", "five", "-o", "x.wav", "--set", "level=x"),
            "--set level: expected a number, or two such as 0..1 for a move, not 'x'.",
        ),
        (("make", "five", "-o", "x.wav", "--set", "level=nan"), "--set: expected -10 to 10 steps."),
        (("make", "five", "-o", "x.wav", "--seconds", "0"), "--seconds: expected 0.1 to 86,400."),
        (("make", "five", "-o", "x.wav", "--seconds", "inf"), "--seconds: expected 0.1 to 86,400."),
        (("make", "five", "-o", "x.wav", "--density", "-1"), "--density: expected 0.05 to 200 events per second."),
        (("make", "five", "-o", "x.wav", "--seed", "-1"), "--seed: expected a whole number from 0 on."),
        (("make", "five", "-o", "x.wav", "--from", "drak"), "there is no file drak. Of the model, unknown sound"),
        (("make", "five", "-o", "x.wav", "--from", "dark", "--blend", "1,2"), "--blend: expected 1 numbers"),
        (("make", "five", "-o", "x.wav", "--from", "dark", "--blend", "0"), "--blend: expected numbers above 0."),
        (("make", "five", "-o", "x.wav", "--from", "sounds/silent.wav"), "silent.wav is silent"),
        (("again", "other.wav", "-o", "x.wav"), "other.wav has no recipe of tonesmith explore in its tags."),
        (("again", "nowhere.wav", "-o", "x.wav"), "nowhere.wav does not exist."),
        (("again", "sounds/notes.txt", "-o", "x.wav"), "notes.txt cannot be read as audio."),
        (("fit", "five", "sounds"), "five exists. Name another folder, or overwrite the model with --force."),
        (("fit", "sounds", "sounds"), "sounds exists and is not a model."),
        (("fit", "new", "nowhere"), "nowhere does not exist."),
        (("fit", "new", "sounds/silent.wav", "-q"), "no sound can be used"),
        (("show", "sounds"), "sounds is not a model."),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(told, fitted, home, words, said):
    before = sorted(home.rglob("*"))
    status, _, err = told(*words)
    assert status == 2
    assert said in err
    assert len(err.splitlines()) <= 2
    assert sorted(home.rglob("*")) == before


@pytest.mark.parametrize(
    ("harm", "said", "status"),
    [
        ("newer", "was made by a newer tonesmith (format 4; this one reads 3). Update: pip install -U tonesmith", 2),
        ("torn", "is damaged: its weights are not what was written. Fit the model again.", 1),
        ("no json", "is damaged: it is no JSON", 1),
        ("wrong", "is damaged: its 'sounds.0.frames' cannot be read. Fit the model again.", 1),
        ("short", "is damaged: its weights do not fit its description", 1),
    ],
)
def test_a_damaged_or_newer_model_is_one_sentence(told, fitted, home, tmp_path, harm, said, status):
    copy = tmp_path / "copy"
    shutil.copytree(home / "five", copy)
    about = json.loads((copy / "model.json").read_text())
    if harm == "newer":
        about["format_version"] = 4
    elif harm == "torn":
        (copy / "model.safetensors").write_bytes((copy / "model.safetensors").read_bytes()[:-1000])
    elif harm == "wrong":
        about["sounds"][0]["frames"] = -1
    elif harm == "short":
        about["sounds"][0]["frames"] -= 1
    text = "{" if harm == "no json" else json.dumps(about)
    (copy / "model.json").write_text(text)
    found, _, err = told("make", copy, "-o", "x.wav")
    assert (found, len(err.splitlines())) == (status, 1)
    assert said in err


def test_a_recipe_of_a_stranger_reaches_no_folder_of_its_choice(told, fitted, home, tmp_path):
    shutil.copytree(home / "five", tmp_path / "secret")
    inner = tmp_path / "inner"
    inner.mkdir()
    recipe = recipe_of(model=ModelRef(name="../secret", sha256=open_model(home / "five").sha256))
    with soundfile.SoundFile(inner / "x.wav", "w", 48_000, 1) as file:
        file.comment = recipe.model_dump_json()
    status, _, err = told("again", inner / "x.wav", "-o", inner / "y.wav")
    assert status == 2
    assert "names no model. Name it: --model MODEL" in err


def test_another_model_is_not_taken_for_the_one_that_made_a_file(told, fitted, home, tmp_path):
    told("make", "five", "--seconds", 0.2, "-o", "mine.wav")
    other = tmp_path / "other"
    shutil.copytree(home / "five", other)
    about = json.loads((other / "model.json").read_text())
    about["weights"] = "0" * 64
    (other / "model.json").write_text(json.dumps(about))
    status, _, err = told("again", "mine.wav", "-o", "x.wav", "--model", other)
    assert status == 1
    assert "damaged" in err


def track(frames: int, onsets: list[int], at: float = 0.0) -> Trajectory:
    latent = np.full((frames, 2), at, np.float16)
    return Trajectory(latent, np.zeros((frames, 32), np.float16), np.array(onsets, np.int32))


@pytest.mark.parametrize("density", [0.5, 4.0, 50.0])
def test_density_is_how_many_events_begin_in_a_second(density):
    recipe = recipe_of(model=ABSENT, density=density, seed=5)
    tracks = [track(300, [0, 60, 90, 210]), track(100, [0, 30, 70])]
    frames = 37_500  # 200 s
    pieces = pieces_of(recipe, tracks, frames, alone=False)
    assert abs(len(pieces) / 200.0 - density) < 0.15 * density
    starts = {(0, 0), (0, 56), (0, 86), (0, 206), (1, 0), (1, 26), (1, 66)}
    assert {(piece.track, piece.first) for piece in pieces} == starts
    again = pieces_of(recipe, tracks, frames, alone=False)
    assert pieces == again
    assert pieces != pieces_of(recipe.model_copy(update={"seed": 6}), tracks, frames, alone=False)


@pytest.mark.parametrize(
    "pieces", [looped(track(50, [0]), 999), walked([track(400, [0])], 999, np.random.default_rng(0))]
)
def test_pieces_that_run_into_each_other_leave_no_gap_and_add_up(pieces):
    woven = Woven(pieces)
    total = np.zeros(999)
    for first in range(0, 999, 111):
        for piece in woven.between(first, first + 111):
            inside = (np.arange(first, first + 111) >= piece.start) & (
                np.arange(first, first + 111) < piece.start + piece.count
            )
            total[first : first + 111] += piece.weight(first, 111) * inside
    assert np.abs(total[1:] - 1.0).max() < 1e-4


def test_a_walk_goes_on_where_it_is_near():
    tracks = [track(500, [0], at) for at in (0.0, 0.1, 9.0, 9.1)]
    pieces = walked(tracks, 50_000, np.random.default_rng(1))
    sides = [piece.track >= 2 for piece in pieces]
    crossings = sum(a != b for a, b in itertools.pairwise(sides))
    assert crossings < 0.1 * len(pieces)


def test_a_missing_library_is_named_with_its_command(tmp_path, monkeypatch):
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "safetensors" else found(name))
    with pytest.raises(
        ConfigError, match=r'safetensors, which is not installed. .* pip install "tonesmith\[explore\]"'
    ):
        check_output(tmp_path / "x.wav", force=False)


def test_json_has_the_keys_that_the_docs_list(told, fitted):
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for command, words in {
        "show": ("show", "five"),
        "make": ("make", "five", "-o", "j.wav", "--seconds", 0.2),
        "again": ("again", "j.wav", "-o", "k.wav"),
    }.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `tonesmith explore {command}` | `path`"))
        status, out, _ = told(*words, "--json")
        assert status == 0
        assert set(json.loads(out)) == set(re.findall(r"`(\w+)`", row))
