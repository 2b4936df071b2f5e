"""``explore fit --model vae``: a trial that is lost and one that is won, a fit that is stopped, what is refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support.sounds import tone, write, write_five

from tonesmith.explorer import open_model, trial

QUICK = ("--model", "vae", "--device", "cpu", "--option", "preset=tiny", "--option", "steps=3", "-q")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vae")
    write_five(folder / "sounds")
    return folder


@pytest.fixture
def here(home: Path) -> Path:
    return home


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--model", "vea"), "unknown model 'vea'. Did you mean 'vae'?"),
        (("--device", "cpu"), "device"),
        (("--model", "vae", "--option", "stps=3"), "stps"),
        (("--model", "vae", "--option", "steps=0"), "steps"),
        (("--model", "vae", "--minutes", "0"), "minutes"),
        (("--model", "vae", "--device", "gpu"), "device"),
        (("--model", "vae", "--option", "steps"), "--option: expected NAME=VALUE"),
        (
            ("--model", "vae", "--option", "device=cpu", "--device", "cpu"),
            "--option: expected NAME=VALUE, each name once",
        ),
    ],
)
def test_a_wrong_option_is_one_sentence_before_a_sound_is_read(told, home, words, said):
    before = sorted(home.rglob("*"))
    status, _, err = told("fit", "new", "nowhere", *words)
    assert status == 2
    assert said in err
    assert "nowhere" not in err
    assert len(err.splitlines()) <= 2
    assert sorted(home.rglob("*")) == before


def test_a_folder_of_somebody_in_the_place_of_the_training_is_left_alone(told, home):
    (home / "m.training").mkdir()
    (home / "m.training" / "notes.txt").write_text("mine")
    status, _, err = told("fit", "m", "sounds", *QUICK)
    assert status == 2
    assert "m.training exists and is not a training of tonesmith" in err
    assert (home / "m.training" / "notes.txt").read_text() == "mine"


@pytest.mark.long
def test_two_sounds_cannot_judge_a_vae_and_give_an_atlas(told, home):
    status, out, err = told("fit", "two", "sounds/dark.wav", "sounds/bright.wav", *QUICK)
    assert status == 0
    assert "at least 3 sounds are needed to judge it. The model is an atlas." in err
    assert "two  atlas of 2 sounds" in out
    assert not (home / "two.training").exists()
    assert "Only an atlas was fitted." in told("show", "two", "--compare")[1]


@pytest.mark.long
def test_a_vae_that_is_no_better_stays_an_atlas_and_both_errors_are_kept(told, home):
    status, out, err = told("fit", "lost", "sounds", *QUICK)
    shown = json.loads(told("show", "lost", "--json")[1])
    assert status == 0
    assert "it is no better" in err
    assert "lost  atlas of 5 sounds" in out
    assert shown["model"] == "atlas"
    assert shown["trial"]["kept"] is False
    assert f"{shown['trial']['model_levels']:.2f} dB, the atlas {shown['trial']['atlas_levels']:.2f} dB" in err
    assert not (home / "lost.training").exists()
    compared = told("show", "lost", "--compare")[1]
    assert f"{shown['trial']['atlas_sound']:.2f} dB" in compared
    assert f"{shown['trial']['ceiling']:.2f} dB" in compared
    assert "the model is an atlas" in " ".join(compared.split())
    assert max(map(len, compared.splitlines())) <= 80


@pytest.mark.long
def test_a_vae_that_is_kept_makes_sound_without_torch_and_again(told, home, monkeypatch):
    monkeypatch.setattr(trial, "_WORTH", 2.0)
    status, out, err = told("fit", "won", "sounds", *QUICK)
    assert status == 0, err
    assert "it is better" in err
    assert "won  vae of 5 sounds" in out
    first = open_model(home / "won")
    assert first.atlas.kind == "vae"
    code = "import sys; from tonesmith.cli import run; sys.exit(run(sys.argv[1:]) or int('torch' in sys.modules))"
    for words in (
        ("make", "won", "--seconds", "0.3", "-o", "v.wav", "--set", "level=+0.5"),
        ("again", "v.wav", "-o", "w.wav"),
    ):
        subprocess.run([sys.executable, "-c", code, "explore", *words], check=True, cwd=home)
    assert (home / "v.wav").read_bytes() == (home / "w.wav").read_bytes()
    again = told("fit", "won", "sounds", "--force", *QUICK)
    assert again[0] == 0
    assert open_model(home / "won").sha256 == first.sha256


@pytest.mark.long
@pytest.mark.parametrize("strike", [signal.SIGINT, signal.SIGKILL])
def test_a_fit_that_is_stopped_goes_on_and_ends_the_same(home, strike):
    words = [sys.executable, "-m", "tonesmith", "explore", "fit", "--model", "vae", "--device", "cpu", "-q"]
    words += ["--option", "preset=tiny", "--option", "steps=150"]
    name = f"s{strike.value}"
    subprocess.run([*words, "whole", "sounds", "--force"], check=True, cwd=home, capture_output=True)
    code = (
        "from tonesmith.explorer.models import training; training._KEEP = 0.05; from tonesmith.cli import main; main()"
    )
    stopped = subprocess.Popen(
        [sys.executable, "-c", code, *words[3:], name, "sounds"], cwd=home, stderr=subprocess.PIPE, text=True
    )
    while not (home / f"{name}.training" / "trial.safetensors").exists() and stopped.poll() is None:
        time.sleep(0.02)
    os.kill(stopped.pid, strike)
    err = stopped.communicate()[1]
    assert stopped.returncode in {130, -9}
    assert strike == signal.SIGKILL or "Run the same command to go on." in err
    again = subprocess.run([*words, name, "sounds"], check=True, cwd=home, capture_output=True, text=True)
    assert "going on from step" in again.stderr
    assert open_model(home / name).sha256 == open_model(home / "whole").sha256
    assert not (home / f"{name}.training").exists()


@pytest.mark.long
def test_a_vae_grows_from_what_it_learned_keeps_its_presets_and_remembers_what_it_is_fed(told, home, monkeypatch):
    monkeypatch.setattr(trial, "_WORTH", 2.0)
    (home / "more").mkdir()
    write(home / "more" / "low.wav", tone(110.0, 0.3, 8, seed=9))
    assert told("fit", "young", "sounds", *QUICK)[0] == 0
    assert told("preset", "save", "young", "dark", "--set", "axis1=-0.5")[0] == 0
    status, _, err = told("add", "young", "more", "--option", "steps=2", "-q")
    assert status == 0, err
    assert "it is better" in err
    old, new = open_model(home / "young", 1).atlas, open_model(home / "young").atlas
    assert (new.kind, [sound.name for sound in new.sounds][-1]) == ("vae", "low.wav")
    assert new.coded is not None
    assert new.coded.model.options.steps == 2
    for before, after in zip(old.trajectories, new.trajectories, strict=False):
        first, second = (track.latent.astype(np.float32)[:, 0] for track in (before, after))
        assert np.corrcoef(first, second)[0, 1] > 0.95
    assert told("make", "young", "--preset", "dark", "--seconds", 0.3, "-o", "dark.wav", "-q")[0] == 0
    status, _, err = told("feed", "young", "dark.wav", "-q")
    assert status == 0, err
    fed = open_model(home / "young").atlas
    assert fed.coded is not None
    assert [sound.name for sound in fed.sounds if sound.made_by] == ["dark.wav"]
    assert {name: v.tobytes() for name, v in fed.coded.model.save().items()} == {
        name: v.tobytes() for name, v in new.coded.model.save().items()
    }


@pytest.mark.long
def test_a_vae_that_is_no_better_any_more_grows_into_an_atlas(told, home, monkeypatch):
    (home / "worse").mkdir()
    write(home / "worse" / "low.wav", tone(110.0, 0.3, 8, seed=9))
    monkeypatch.setattr(trial, "_WORTH", 2.0)
    assert told("fit", "brief", "sounds", *QUICK)[0] == 0
    monkeypatch.setattr(trial, "_WORTH", 0.0)
    status, _, err = told("add", "brief", "worse", "-q")
    assert (status, "it is no better" in err) == (0, True), err
    grown = open_model(home / "brief").atlas
    assert (grown.kind, len(grown.sounds)) == ("atlas", 6)


@pytest.mark.long
def test_an_option_that_an_atlas_does_not_have_is_told_when_it_grows(told, home):
    assert told("fit", "plain", "sounds", "-q")[0] == 0
    status, _, err = told("add", "plain", "sounds", "--device", "cpu", "-q")
    assert (status, "device" in err) == (2, True)
