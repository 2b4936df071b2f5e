"""Models that are blended: in one frame, each with its share, the same each time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support.atlases import tiny_atlas, write_tiny

from tonesmith.cli import run
from tonesmith.explorer import Model, blend, open_model
from tonesmith.explorer.atlas import Atlas
from tonesmith.explorer.blending import Blended


def opened(seed: int, *names: str) -> Model:
    return Model(tiny_atlas(seed, names), f"m{seed}", "0" * 64)


def test_each_model_counts_by_its_share_however_many_sounds_it_has():
    blended = Blended([opened(0, "a"), opened(1, "b", "c", "d")], [0.6, 0.4], print)
    weights = {one.sound.name: one.sound.weight * one.sound.frames for one in blended.read()}
    assert weights["a"] / sum(weights.values()) == pytest.approx(0.6)
    assert weights["b"] == pytest.approx(weights["c"])
    assert sum(weights.values()) == pytest.approx(4 * 40)


def test_a_sound_of_several_models_counts_once():
    said: list[str] = []
    blended = Blended([opened(0, "a", "b"), opened(0, "a", "b", "c")], [0.5, 0.5], said.append)
    assert [one.sound.name for one in blended.read()] == ["a", "b", "c"]
    assert said == ["2 sounds of m0 are in a model before it, and count once."]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("a",), "expected 2 to 16 models, not 1."),
        (("a", "a"), "a model is named twice."),
        (("a", "b", "--weights", "1"), "--weights: expected 2 numbers, one for each model, not 1."),
        (("a", "b", "--weights", "1,0"), "--weights: expected numbers from 0.001 to 1,000."),
        (("a", "b", "--weights", "1,nan"), "--weights: expected numbers from 0.001 to 1,000."),
        (("a", "b", "--weights", "1,x"), "--weights: expected numbers such as 0.6,0.4, not '1,x'."),
        (("a", "nowhere"), "nowhere does not exist."),
    ],
)
def test_what_cannot_be_blended_is_one_sentence(tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    write_tiny(Path("a"), 0)
    write_tiny(Path("b"), 1)
    assert run(["explore", "blend", *words, "-o", "c"]) == 2
    err = capsys.readouterr().err
    assert (said in err, err.count("\n")) == (True, 1), err
    assert not Path("c").exists()


@pytest.mark.long
def test_a_blend_has_the_sounds_of_both_as_they_were_and_is_the_same_each_time(tmp_path):
    write_tiny(tmp_path / "a", 0)
    write_tiny(tmp_path / "b", 1, ("c.wav",))
    both = [blend([tmp_path / "a", tmp_path / "b"], tmp_path / name, weights=[0.6, 0.4]) for name in ("x", "y")]
    assert both[0].sha256 == both[1].sha256
    made = open_model(tmp_path / "x").atlas
    assert [sound.name for sound in made.sounds] == ["a.wav", "b.wav", "c.wav"]
    first, second = tiny_atlas(0), tiny_atlas(1, ("c.wav",))
    for atlas, place, own in ((first, 0, 0), (first, 1, 1), (second, 2, 0)):
        was, now = (levels(each, at) for each, at in ((atlas, own), (made, place)))
        assert np.abs(was - now).max() < 0.5


def levels(atlas: Atlas, place: int) -> NDArray[np.float32]:
    magnitude = atlas.decode(atlas.trajectories[place].latent.astype(np.float32))
    return np.asarray(20.0 * np.log10(magnitude + 1e-4), np.float32)
