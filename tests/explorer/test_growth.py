"""Models that grow: what they remember, how they are turned, what made sounds weigh, and versions."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import ROOT
from support.atlases import tiny_atlas, write_tiny
from support.sounds import tone, write

from tonesmith.cli import run
from tonesmith.explorer import Model, fit, open_model, versions
from tonesmith.explorer.aligned import rotated
from tonesmith.explorer.atlas import MadeBy, Sound
from tonesmith.explorer.exemplars import Exemplars
from tonesmith.explorer.fitting import fit_sounds
from tonesmith.explorer.material import Read, remembered
from tonesmith.explorer.principal import components_of, sums_of
from tonesmith.explorer.sounds import read_sound
from tonesmith.explorer.weights import share_of_made, weight_of_made


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of three sounds, version 2 of which has a fourth, and version 3 one that it made."""
    folder = tmp_path_factory.mktemp("grow")
    for name, sound in {
        "sounds/dark": tone(220.0, 0.2, 2, seed=1),
        "sounds/noisy": tone(220.0, 0.2, noise=2.0, seed=2),
        "sounds/bright": tone(220.0, 0.2, 20, 0.2, seed=3),
        "more/low": tone(110.0, 0.2, 8, 0.3, seed=4),
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        write(folder / f"{name}.wav", sound)
    fit(folder / "model", [folder / "sounds"])
    shutil.copytree(folder / "model", folder / "plain")
    return folder


@pytest.fixture
def here(tmp_path: Path, request: Any) -> Path:
    fitted = {"home", "grown"} & set(request.fixturenames)
    return Path(request.getfixturevalue("home") if fitted else tmp_path)


@pytest.fixture(scope="module")
def grown(home: Path) -> Any:
    assert run(["explore", "add", str(home / "model"), str(home / "more"), "-q"]) == 0
    made = str(home / "made.wav")
    assert run(["explore", "make", str(home / "model"), "--seconds", "0.5", "--seed", "7", "-o", made, "-q"]) == 0
    assert run(["explore", "feed", str(home / "model"), made, "-q"]) == 0
    return home / "model"


@pytest.mark.long
def test_a_model_remembers_the_frames_of_its_sounds_as_they_were(home):
    model = open_model(home / "plain")
    one = next(sound for sound in remembered(model.atlas) if sound.sound.name == "noisy.wav")
    true = next(Read(read_sound(home / "sounds" / "noisy.wav")).levels())
    levels, heard = next(one.levels())
    assert len(one.exact) == len(levels)
    assert np.abs(levels - true[0]).max() < 0.3
    assert np.array_equal(heard, true[1])


def test_frames_that_a_model_keeps_are_exemplars_and_others_are_made_of_the_nearest():
    whole = tiny_atlas()
    exemplars = Exemplars(whole.exemplars.latent[::2], whole.exemplars.residual[::2])
    for one, half in zip(remembered(whole), remembered(replace(whole, exemplars=exemplars)), strict=True):
        assert half.exact.tolist() == list(range(0, 40, 2))
        first, second = (next(each.levels())[0] for each in (one, half))
        assert np.abs(first[::2] - second[::2]).max() < 0.1 < np.abs(first[1::2] - second[1::2]).max()
        assert set(half.typical(next(iter(whole.trajectories)).latent.astype(np.float32), 5)) <= set(half.exact)


def test_axes_are_turned_to_those_of_the_earlier_model_and_span_the_same():
    random = np.random.default_rng(0)
    scale = np.array([9.0, 6.0, 4.0, 3.0, 2.0, 1.0, 0.5, 0.4, 0.3, 0.2] + [0.1] * 10)
    old = components_of(sums_of((random.standard_normal((400, 20)) * scale).astype(np.float32))).first(4)
    turn = np.linalg.qr(np.eye(20) + 0.1 * random.standard_normal((20, 20)))[0]
    frames = (random.standard_normal((400, 20)) * scale[::-1][np.argsort(-scale)][::-1] @ turn).astype(np.float32)
    new = components_of(sums_of(frames))
    made = rotated(new, 6, old)
    own = new.first(6)
    assert np.abs(made.axes @ made.axes.T - np.eye(6)).max() < 1e-5
    assert np.abs(made.axes.T @ made.axes - own.axes.T @ own.axes).max() < 1e-5
    before, after = (np.abs(np.diagonal(old.axes @ each.axes[:4].T)) for each in (own, made))
    assert (np.diagonal(old.axes @ made.axes[:4].T) > 0.0).all()
    assert after.sum() >= before.sum()
    assert np.abs(made.encode(frames).std(axis=0) - 1.0).max() < 0.01


@pytest.mark.long
def test_sliders_keep_their_direction_and_sign_when_a_model_grows(home, grown):
    old, new = open_model(grown, 1).atlas, open_model(grown, 2).atlas
    before, after = ({one.name: one for one in atlas.sliders} for atlas in (old, new))
    assert set(before) & set(after) >= {"axis1"}
    for name in set(before) & set(after):
        first, second = (
            (one.direction * atlas.components.deviation) @ atlas.components.axes
            for one, atlas in ((before[name], old), (after[name], new))
        )
        assert first @ second / np.linalg.norm(first) / np.linalg.norm(second) > 0.9, name
    assert [sound.name for sound in new.sounds] == [*(sound.name for sound in old.sounds), "low.wav"]


@pytest.mark.long
def test_versions_are_listed_shown_and_chosen(told, grown):
    status, out, _ = told("versions", "model")
    assert status == 0
    assert [line.split()[:2] for line in out.splitlines()[4:]] == [["1", "fit"], ["2", "add"], ["3", "feed"]]
    assert out.splitlines()[-1].endswith("used")
    assert len(json.loads(told("show", "model", "--version", 1, "--json")[1])["sounds"]) == 3
    assert told("versions", "model", "--use", 1)[0] == 0
    assert len(open_model(grown).atlas.sounds) == 3
    assert told("again", "made.wav", "-o", "same.wav", "-q")[0] == 0
    assert told("versions", "model", "--use", 3)[0] == 0
    status, _, err = told("versions", "model", "--use", 9)
    assert (status, err) == (2, "tonesmith: error: model has no version 9. It has: 1, 2, 3.\n")


@pytest.mark.long
def test_json_has_the_keys_that_the_docs_list(told, grown, tmp_path):
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    shutil.copytree(grown, tmp_path / "m")
    versions.choose(tmp_path / "m", 1)
    for words in (("add", "more"), ("feed", "made.wav"), ("versions",)):
        row = next(line for line in page.splitlines() if line.startswith(f"| `tonesmith explore {words[0]}` | `path`"))
        status, out, _ = told(words[0], tmp_path / "m", *words[1:], "--json")
        assert status == 0
        assert set(json.loads(out)) == set(re.findall(r"`(\w+)`", row))


@pytest.mark.long
def test_what_moved_is_told_and_kept(told, grown):
    story = versions.story_of(grown, 2)
    assert (story["by"], story["parent"], story["sounds"]) == ("add", 1, ["low.wav"])
    assert {one["name"] for one in story["moved"]["sounds"]} == {"dark.wav", "noisy.wav", "bright.wav"}
    assert all(0.0 < one["distance"] < 3.0 for one in story["moved"]["sounds"])
    axis = next(one for one in story["moved"]["sliders"] if one["name"] == "axis1")
    assert 0.0 <= axis["angle"] < 30.0
    assert min(axis["before"], axis["after"]) >= 0.5


@pytest.mark.long
def test_a_sound_that_was_fed_is_marked_weighs_at_most_a_fifth_and_is_shown(told, grown):
    shown = json.loads(told("show", "model", "--json")[1])
    made = [sound for sound in shown["sounds"] if sound["made_by"]]
    assert [(sound["name"], sound["made_by"]["seed"]) for sound in made] == [("made.wav", 7)]
    assert made[0]["made_by"]["sha256"] == open_model(grown, 2).sha256
    assert 0.0 < shown["made_share"] <= 0.2 + 1e-9
    assert "1 sound made by a model: " in told("show", "model")[1]


def test_made_sounds_count_half_and_a_fifth_of_all_at_most():
    own = [Sound("a", "0", 1.0, 1000, 1), Sound("b", "1", 1.0, 1000, 1, 3.0)]
    mark = MadeBy("m", "0", 0, {})
    few, many = (Sound("c", "2", 1.0, frames, 1, 1.0, mark) for frames in (100, 10_000))
    assert weight_of_made([*own, few]) == 1.0
    weight = weight_of_made([*own, many])
    assert share_of_made([*own, Sound("c", "2", 1.0, 10_000, 1, weight, mark)]) == pytest.approx(0.2)


class Given:
    """Sounds as they are given."""

    def __init__(self, *sounds: Read) -> None:
        self._sounds = sounds

    def __len__(self) -> int:
        return len(self._sounds)

    def read(self) -> Any:
        return iter(self._sounds)


@pytest.mark.long
def test_made_sounds_are_never_held_out(home):
    sounds = [read_sound(path) for path in sorted((home / "sounds").glob("*.wav"))]
    mark = MadeBy("m", "0" * 64, 0, {})
    noise = read_sound(write(home / "noise.wav", 0.1 * np.random.default_rng(0).standard_normal(4_800)))
    plain, light = (
        fit_sounds(Given(*map(Read, sounds), *more)) for more in ((), (Read(noise, weight=1e-9, made_by=mark),))
    )
    assert light.errors.held_out_levels == pytest.approx(plain.errors.held_out_levels, rel=1e-3)
    assert light.sounds[-1].made_by == mark
    assert np.abs(light.components.axes[:2] @ plain.components.axes[:2].T - np.eye(2)).max() < 1e-3


@pytest.mark.long
@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("add", "nowhere", "more"), 2, "nowhere does not exist. Make one: tonesmith explore fit"),
        (("add", "model", "sounds"), 2, "no new sound: of 3 files, all that can be used are in model already."),
        (("add", "model", "none"), 2, "none does not exist."),
        (("feed", "model", "sounds/dark.wav"), 2, "sounds/dark.wav has no recipe of tonesmith explore in its tags."),
        (("feed", "model", "made.wav"), 2, "no new sound: model has all of these files already."),
        (("versions", "model", "--delete", "3"), 2, "version 3 of model is used. Choose another first: --use 1"),
        (("versions", "sounds"), 2, "sounds is not a model."),
        (("show", "model", "--version", "7"), 2, "model has no version 7."),
    ],
)
def test_what_cannot_grow_is_told_and_nothing_is_written(told, grown, home, words, status, said):
    before = sorted(home.rglob("*"))
    found, _, err = told(*words)
    assert (found, said in err) == (status, True), err
    assert sorted(home.rglob("*")) == before


@pytest.mark.long
def test_made_files_in_a_folder_are_left_out_of_what_is_added(told, grown, home, tmp_path):
    shutil.copytree(home / "plain", tmp_path / "m")
    (tmp_path / "s").mkdir()
    shutil.copy(home / "made.wav", tmp_path / "s" / "made.wav")
    status, _, err = told("add", tmp_path / "m", tmp_path / "s")
    assert status == 2
    assert f"was made by tonesmith explore. Feed it: tonesmith explore feed {tmp_path / 'm'}" in err
    assert "no new sound" in err


def test_a_version_that_was_not_finished_or_chosen_leaves_the_one_before(tmp_path):
    model = write_tiny(tmp_path / "m")
    with versions.making(model) as aside:
        shutil.copy(model / "model.json", aside)
        (left := aside.with_name(".made-99999999-x")).mkdir()
        assert (versions.numbers_of(model), versions.chosen_of(model)) == ([1], 1)
    with versions.making(model):
        assert not left.exists()
    write_tiny(model / "versions" / "2")
    assert (versions.numbers_of(model), versions.chosen_of(model)) == ([1, 2], 1)
    versions.choose(model, 2)
    versions.choose(model, 1)
    versions.delete(model, 2)
    assert versions.numbers_of(model) == [1]


def test_a_damaged_choice_is_told_with_its_cure(told, tmp_path):
    model = write_tiny(tmp_path / "m")
    (model / "chosen.json").write_text('{"version": "../../x"}')
    status, _, err = told("show", model)
    assert status == 1
    assert f"Choose one: tonesmith explore versions {model} --use 1" in err
    assert told("versions", model, "--use", 1)[0] == 0
    assert told("show", model)[0] == 0


@pytest.mark.long
def test_a_model_is_fitted_again_keeps_what_a_person_wrote(home, tmp_path):
    model = Path(shutil.copytree(home / "plain", tmp_path / "m"))
    (model / "presets.json").write_text("{}")
    fit(model, [home / "sounds" / "dark.wav"], force=True)
    assert (model / "presets.json").read_text() == "{}"
    assert isinstance(open_model(model), Model)


@pytest.mark.long
def test_a_model_that_is_killed_while_it_grows_is_as_it_was(home, tmp_path):
    model = Path(shutil.copytree(home / "plain", tmp_path / "m"))
    command = [sys.executable, "-m", "tonesmith", "explore", "add", str(model), str(home / "more"), "-q"]
    before = open_model(model).sha256
    killed = 0
    for delay in (1.0, 2.0, 3.0, 3.5, 4.0):
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        if child.poll() is None:
            os.kill(child.pid, signal.SIGKILL)
            killed += 1
        child.wait()
        assert open_model(model, 1).sha256 == before
        assert len(open_model(model).atlas.sounds) in {3, 4}
        versions.choose(model, 1)
    assert killed
    status = subprocess.run(command, check=False).returncode
    assert status == 0
    assert not list((model / "versions").glob(".made-*"))
