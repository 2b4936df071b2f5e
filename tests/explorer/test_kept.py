"""What is kept beside a model: presets that survive growth, the history of what was made, and comparisons."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support import ROOT
from support.atlases import tiny_atlas, write_tiny
from support.sounds import tone, write

from tonesmith.errors import ConfigError, DatasetError
from tonesmith.explorer import history, open_model, stored
from tonesmith.explorer.comparing import Pair, lufs_of
from tonesmith.explorer.export.tags import recipe_text
from tonesmith.explorer.output import Written
from tonesmith.explorer.presets import presets_of, recalled, save_preset
from tonesmith.explorer.recipe import ModelRef, Source, recipe_of
from tonesmith.explorer.sounds import read_sound

HERE = ModelRef(name="m", sha256="0" * 64)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_tiny(tmp_path / "m")


@pytest.mark.long
def test_a_preset_makes_what_was_saved_and_other_options_change_it(told, model):
    words = ("--set", "brightness=+1.0", "--from", "b", "--seconds", 0.2, "--seed", 5, "-q")
    assert told("make", "m", *words, "-o", "one.wav")[0] == 0
    status, out, _ = told("preset", "save", "m", "soft rain", "--of", "one.wav")
    assert (status, out) == (0, "soft rain: tonesmith explore make m --preset 'soft rain' -o FILE\n")
    assert told("make", "m", "--preset", "soft rain", "-o", "two.wav", "-q")[0] == 0
    assert soundfile.read("one.wav")[0].tobytes() == soundfile.read("two.wav")[0].tobytes()
    changed = ("--set", "axis1=0.5", "--seed", 0, "-o", "three.wav", "-q", "--json")
    recipe = json.loads(told("make", "m", "--preset", "soft rain", *changed)[1])["recipe"]
    assert (recipe["sliders"], recipe["seed"], recipe["seconds"]) == ({"brightness": 1.0, "axis1": 0.5}, 0, 0.2)
    assert [source["name"] for source in recipe["sources"]] == ["b.wav"]


def test_a_preset_keeps_its_place_in_ranges_that_grew_and_tells_what_is_gone(model):
    save_preset(open_model(model), "p", recipe_of(model=HERE, sliders={"brightness": 1.0, "axis1": -1.0}))
    atlas = tiny_atlas()
    wider = replace(atlas.sliders[0], low=-3.0, high=3.0)
    stored.save_version(replace(atlas, sliders=(wider,)), model, {})
    said: list[str] = []
    found = recalled(open_model(model), "p", said.append)
    assert found.recipe.sliders == {"brightness": 2.0}
    assert (found.gone, dict(found.changed)) == (("axis1",), {"brightness": (1.0, 2.0)})
    assert said == ["preset 'p' moves axis1, which this version does not have: it is left out."]
    assert recalled(open_model(model, 1), "p").recipe.sliders == {"brightness": 1.0, "axis1": -1.0}


def test_a_preset_has_the_sliders_of_time_and_space_and_says_nothing_of_the_file(told, model):
    words = ("--set", "stretch=2", "--set", "azimuth=-30..30", "--channels", "stereo", "--seconds", 0.1)
    assert told("make", "m", *words, "-o", "one.flac", "-q")[0] == 0
    assert told("preset", "save", "m", "p", "--of", "one.flac")[0] == 0
    assert told("preset", "show", "m", "p")[1] == "p  0.1 s, stretch 2, azimuth -30..30, channels stereo\n"
    status, out, err = told("make", "m", "--preset", "p", "--set", "stretch=1.5", "-o", "two.mp3", "-q", "--json")
    recipe = json.loads(out)["recipe"]
    assert (status, recipe["time"]["stretch"], recipe["place"]["azimuth"]) == (0, 1.5, [-30.0, 30.0]), err


def test_presets_are_listed_shown_and_deleted(told, model):
    assert told("preset", "list", "m")[1] == "m has no presets.\n"
    assert told("preset", "save", "m", "p", "--set", "brightness=1.5")[0] == 0
    assert "brightness +1.5" in told("preset", "list", "m")[1]
    assert told("preset", "show", "m", "p")[1] == "p  10 s, brightness +1.5\n"
    assert told("preset", "delete", "m", "p")[0] == 0
    assert presets_of(open_model(model)) == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("preset", "save", "m", "../p", "--set", "axis1=1"), "NAME: expected 1 to 64 letters, digits, spaces"),
        (("preset", "save", "m", "p"), "expected one of --of FILE, --number INT and --set NAME=STEPS."),
        (
            ("preset", "save", "m", "p", "--set", "brigtness=1"),
            "unknown slider 'brigtness'. Did you mean 'bright",
        ),
        (("preset", "save", "m", "p", "--set", "axis1=x"), "--set: expected NAME=STEPS"),
        (("preset", "save", "m", "p", "--number", "3"), "m has no sound 3 in its history."),
        (("preset", "show", "m", "p"), "unknown preset 'p'"),
        (("make", "m", "--preset", "p", "-o", "x.wav"), "unknown preset 'p'"),
        (("history", "nowhere"), "nowhere does not exist."),
        (("compare", "a.wav", "nowhere.wav"), "nowhere.wav"),
        (("compare", "1", "2", "--model", "m"), "m has no sound 1 in its history."),
        (("compare", "a.wav", "a.wav", "-o", "x.mp3"), "--out: x.mp3 must end in .wav or .flac."),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(told, model, tmp_path, words, said):
    write(tmp_path / "a.wav", tone(220.0, 0.1))
    before = {path for path in tmp_path.rglob("*") if path.name != ".lock"}
    status, _, err = told(*words)
    assert (status, said in err, len(err.splitlines())) == (2, True, 1), err
    assert {path for path in tmp_path.rglob("*") if path.name != ".lock"} == before


def test_a_preset_is_not_replaced_unless_one_says_so(model):
    opened = open_model(model)
    save_preset(opened, "p", recipe_of(model=HERE, seed=1))
    with pytest.raises(ConfigError, match="already"):
        save_preset(opened, "p", recipe_of(model=HERE, seed=2))
    save_preset(opened, "p", recipe_of(model=HERE, seed=2), force=True)
    assert presets_of(opened)["p"].settings["seed"] == 2


def test_damaged_presets_are_told_with_their_cure(told, model):
    told("preset", "save", "m", "p", "--set", "axis1=1")
    file = model / "presets.json"
    for text in ("{", '{"presets": 3}', "[]"):
        file.write_text(text)
        status, _, err = told("make", "m", "--preset", "p", "-o", "x.wav")
        assert status == 1
        assert "Take its backup: mv m/presets.json.bak m/presets.json" in err
    shutil.move(f"{file}.bak", file)
    assert told("preset", "show", "m", "p")[0] == 0
    file.write_text("{")
    assert "it has no backup that can be read" in told("preset", "list", "m")[2]


def test_a_preset_that_follows_a_file_of_ones_own_asks_for_it(told, model):
    source = Source(name="drop.wav", sha256="ab" * 32)
    save_preset(open_model(model), "p", recipe_of(model=HERE, sources=(source,)))
    status, _, err = told("make", "m", "--preset", "p", "-o", "x.wav")
    assert status == 2
    assert "follows drop.wav, which is no sound of m. Name the file: --from drop.wav" in err


@pytest.mark.long
def test_presets_that_are_saved_at_once_are_all_kept(model):
    code = "import sys; from tonesmith.cli import run; run(['explore','preset','save',*sys.argv[1:],'--set','axis1=1'])"
    children = [subprocess.Popen([sys.executable, "-c", code, str(model), f"p{n}"]) for n in range(4)]
    assert [child.wait() for child in children] == [0] * 4
    assert sorted(presets_of(open_model(model))) == ["p0", "p1", "p2", "p3"]


@pytest.mark.long
def test_what_was_made_is_listed_by_number_with_what_became_of_the_file(told, model, tmp_path):
    for seed in (1, 2, 3):
        assert told("make", "m", "--seconds", 0.1, "--seed", seed, "-o", f"{seed}.wav", "-q")[0] == 0
    Path("2.wav").unlink()
    with Path("3.wav").open("ab") as file:
        file.write(b"x")
    made = json.loads(told("history", "m", "--json")[1])["made"]
    assert [(one["number"], one["recipe"]["seed"], one["state"]) for one in made] == [
        (1, 1, ""),
        (2, 2, "gone"),
        (3, 3, "changed"),
    ]
    out = told("history", "m", "-n", 2)[1]
    assert out.startswith("m  3 sounds made, the newest 2\n")
    assert "2.wav (gone)" in out
    assert max(map(len, out.splitlines())) <= 80
    assert told("preset", "save", "m", "p", "--number", 2)[0] == 0
    assert presets_of(open_model(model))["p"].settings["seed"] == 2
    assert "was changed since" in told("compare", "1", "3", "--model", "m")[2]
    assert told("history", "m", "--clear")[1] == "3 sounds forgotten.\n"
    assert Path("1.wav").exists()


def test_history_is_bounded_and_a_torn_line_costs_no_other(model, tmp_path, monkeypatch):
    monkeypatch.setattr(history, "MOST", 5)
    monkeypatch.setattr(history, "_SLACK", 2)
    file = tmp_path / "x.wav"
    file.write_bytes(b"x")
    written = Written(file, 1, 1.0, 1, 0.0)
    for seed in range(20):
        history.record(model, written, recipe_of(model=HERE, seed=seed))
        if seed == 10:
            with (model / "history.jsonl").open("a") as stream:
                stream.write('{"number": 3')
    found = history.entries_of(model)
    assert [one.number for one in found] == [16, 17, 18, 19, 20]
    assert [one.recipe.seed for one in found] == [15, 16, 17, 18, 19]
    assert len((model / "history.jsonl").read_text().splitlines()) <= 8


def test_two_sounds_are_compared_at_the_same_loudness(told, tmp_path):
    loud, quiet = tone(1760.0, 0.5, 8), 0.1 * tone(220.0, 0.3, 2)
    write(tmp_path / "a.wav", loud)
    write(tmp_path / "b.wav", quiet, quiet)
    pair = Pair(tmp_path / "a.wav", tmp_path / "b.wav")
    first, second = pair.matched()
    assert abs(lufs_of(first) - lufs_of(second)) < 0.2
    assert min(pair.gains) < -10.0
    assert max(pair.gains) == 0.0
    status, out, _ = told("compare", "a.wav", "b.wav", "-o", "ab.wav")
    made, rate = soundfile.read(tmp_path / "ab.wav")
    assert status == 0
    assert len(made) == round((0.5 + 0.4 + 0.3) * rate)
    assert np.abs(made[round(0.52 * rate) : round(0.88 * rate)]).max() < 1e-6
    assert [line.split()[0] for line in out.splitlines()[2:10]][:3] == ["seconds", "loudness", "level"]
    bright = next(line for line in out.splitlines() if line.startswith("brightness"))
    assert bright.split()[-1].startswith("-")
    same = Pair(tmp_path / "a.wav", tmp_path / "a.wav").compared(tiny_atlas())
    assert (same.spectral, same.latent) == (0.0, 0.0)


@pytest.mark.long
def test_json_has_the_keys_that_the_docs_list(told, model, tmp_path):
    write(tmp_path / "a.wav", tone(220.0, 0.1))
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for command, words in {
        "preset save": ("m", "p", "--set", "axis1=1"),
        "preset list": ("m",),
        "preset show": ("m", "p"),
        "preset delete": ("m", "p"),
        "history": ("m",),
        "compare": ("a.wav", "a.wav"),
    }.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `tonesmith explore {command}` | `path`"))
        status, out, _ = told(*command.split(), *words, "--json")
        assert status == 0
        assert set(json.loads(out)) == set(re.findall(r"`(\w+)`", row))


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="no list of threads here")
def test_a_command_starts_no_threads_that_wait_for_each_other(tmp_path):
    write_tiny(tmp_path / "m")
    count = "len(os.listdir('/proc/self/task'))"
    code = f"import os, sys; from tonesmith.cli import run; run(sys.argv[1:]); sys.exit({count} > 1)"
    plain = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    subprocess.run([sys.executable, "-c", code, "explore", "show", "m"], check=True, cwd=tmp_path, env=plain)


@pytest.mark.parametrize("name", ["n" * 251, os.fsdecode(b"no text \xff"), "two\nlines"])
def test_a_sound_has_any_name_that_a_file_can_have(told, model, name):
    for suffix in (".wav", ".opus"):
        status, out, err = told("make", "m", "--from", "a.wav", "--seconds", 0.2, "-q", "-o", f"{name[:250]}{suffix}")
        assert (status, err, out.count("\n")) == (0, "", 1)
        assert told("again", f"{name[:250]}{suffix}", "-o", f"again{suffix}", "-q")[0] == 0
    assert [entry.state for entry in history.entries_of(model)] == (["gone"] * 2 if "\udcff" in name else [""] * 2)


def test_a_model_has_a_name_as_long_as_a_file_can_have(tmp_path):
    stored.save(tiny_atlas(), tmp_path / ("m" * 255))
    assert len(open_model(tmp_path / ("m" * 255)).atlas.sounds) == 2


def test_a_sound_whose_name_is_no_text_is_read_and_followed_by_it(told, model, tmp_path):
    path = write(tmp_path / "plain.wav", tone(220.0, 0.1)).rename(tmp_path / os.fsdecode(b"\xff.wav"))
    assert read_sound(path).name == "\ufffd.wav"
    assert told("make", "m", "--from", path, "--seconds", 0.2, "-o", "x.wav", "-q")[0] == 0
    assert json.loads(recipe_text(tmp_path / "x.wav"))["sources"][0]["name"] == "\ufffd.wav"


def test_a_disk_that_is_full_is_told_and_leaves_no_file(told, model, tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise soundfile.LibsndfileError(2)

    monkeypatch.setattr(soundfile.SoundFile, "write", full)
    before = sorted(tmp_path.rglob("*"))
    status, _, err = told("make", "m", "--seconds", 0.2, "-o", "x.flac", "-q")
    assert (status, "cannot write x.flac. The disk may be full" in err, len(err.splitlines())) == (2, True, 1)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("words", [("fit", "new", "nowhere"), ("add", "m", "nowhere"), ("feed", "m", "nowhere.wav")])
def test_a_folder_that_cannot_be_written_is_told_before_a_sound_is_read(told, model, monkeypatch, words):
    monkeypatch.setattr(os, "access", lambda _, mode, **__: mode != os.W_OK)
    status, _, err = told(*words)
    assert (status, "is read-only." in err) == (2, True)


def test_a_history_that_is_a_link_writes_to_no_other_file(told, model, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    (model / "history.jsonl").symlink_to(tmp_path / "mine.txt")
    assert told("make", "m", "--seconds", 0.2, "-o", "x.wav", "-q")[0] == 0
    assert (tmp_path / "mine.txt").read_text() == "mine"
    (model / ".lock").unlink(missing_ok=True)
    (model / ".lock").symlink_to(tmp_path / "new.txt")
    assert told("make", "m", "--seconds", 0.2, "-o", "y.wav", "-q")[0] == 0
    assert not (tmp_path / "new.txt").exists()


@pytest.mark.parametrize(("part", "value"), [("deviation", 3e38), ("mean", -1e30)])
def test_a_model_with_numbers_that_none_can_have_is_refused(tmp_path, part, value):
    atlas = tiny_atlas()
    values = np.array(getattr(atlas.components, part))
    values[0] = value
    stored.save(replace(atlas, components=replace(atlas.components, **{part: values})), tmp_path / "big")
    with pytest.raises(DatasetError, match=f"{part} has values that none can have"):
        open_model(tmp_path / "big")


def test_a_slider_far_beyond_all_sounds_makes_sound_and_no_nan(told, model, tmp_path):
    loud = replace(tiny_atlas(), components=replace(tiny_atlas().components, deviation=np.full(4, 9e4, np.float32)))
    stored.save(loud, model, force=True)
    assert told("make", "m", "--set", "axis1=10", "--seconds", 0.2, "--bits", 32, "-o", "x.wav", "-q")[0] == 0
    assert np.isfinite(soundfile.read(tmp_path / "x.wav")[0]).all()
