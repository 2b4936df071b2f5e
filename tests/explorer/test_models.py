"""The built-in models keep to the contract of their role; the vae starts as the atlas, and goes on where it stopped."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tonesmith.errors import ConfigError
from tonesmith.explorer.models import network, training
from tonesmith.explorer.models.atlas import AtlasModel
from tonesmith.explorer.models.carried import carried, started
from tonesmith.explorer.models.vae import VaeModel
from tonesmith.explorer.principal import Components
from tonesmith.host.roles import Material
from tonesmith.testing import ModelContract
from tonesmith.testing.model import sounds_of

BINS = 129
QUICK = {"device": "cpu", "preset": "tiny", "steps": 26}


class TestAtlas(ModelContract):
    model = AtlasModel
    bins = BINS


@pytest.mark.long
class TestVae(ModelContract):
    model = VaeModel
    bins = BINS
    options = QUICK


def vae(**options: Any) -> VaeModel:
    return VaeModel(VaeModel.Options.model_validate({**QUICK, **options}))


@pytest.fixture(scope="module")
def material() -> Material:
    sounds = sounds_of(BINS)
    return Material(lambda: sounds)


@pytest.mark.long
def test_a_vae_that_has_not_learned_is_the_atlas(material):
    atlas, model = AtlasModel(AtlasModel.Options()), vae(steps=1)
    atlas.fit(material)
    model.fit(material)
    levels = next(iter(material.sounds())).levels
    assert model.report()["best_step"] in {0, 1}
    parameters = started(network.shapes_of(len(atlas.components.axes), BINS, 8), 0)
    assert not network.added_latent(parameters, levels).any()
    assert not network.added_levels(parameters, atlas.encode(levels)).any()


@pytest.mark.long
def test_a_vae_is_never_worse_on_the_sounds_that_stop_it(material):
    model = vae(steps=60)
    model.fit(material)
    report = model.report()
    assert report["best_error"] <= report["start_error"]
    assert report["active"] <= report["latents"]
    assert report["steps"] == 60


def test_numpy_gives_what_torch_was_trained_to_give():
    import torch

    random = np.random.default_rng(0)
    shapes = network.shapes_of(5, BINS, 12)
    parameters = {name: random.normal(0.0, 0.2, shape).astype(np.float32) for name, shape in shapes.items()}
    levels = random.normal(-40.0, 10.0, (30, BINS)).astype(np.float32)
    axes = np.linalg.qr(random.standard_normal((BINS, 5)))[0].T.astype(np.float32)
    fixed = {"mean": levels.mean(axis=0), "axes": np.ascontiguousarray(axes), "deviation": np.full(5, 3.0, np.float32)}
    weights, given = ({name: torch.from_numpy(v) for name, v in each.items()} for each in (parameters, fixed))
    mean, _ = training.encoded(weights, given, torch.from_numpy(levels)[None], torch.ones(1, 30, dtype=torch.bool))
    latent = (levels - fixed["mean"]) @ axes.T / 3.0 + network.added_latent(parameters, levels - fixed["mean"])
    made = training.decoded(weights, given, torch.from_numpy(latent)[None])
    own = (latent * 3.0) @ axes + fixed["mean"] + network.added_levels(parameters, latent)
    assert np.abs(mean[0].numpy() - latent).max() < 1e-3
    assert np.abs(made[0].numpy() - own).max() < 1e-3


@pytest.mark.long
def test_a_training_that_stops_half_way_ends_as_if_it_had_not(material, monkeypatch):
    whole = vae(steps=12)
    whole.fit(material)
    kept: list[Any] = []
    monkeypatch.setattr(training, "_KEEP", -1.0)

    def keep(tensors: Any) -> None:
        kept.append({name: np.array(values) for name, values in tensors.items()})
        if len(kept) == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vae(steps=12).fit(Material(material.sounds, keep=keep))
    told: list[str] = []
    again = vae(steps=12)
    again.fit(Material(material.sounds, kept=lambda: kept[6], told=told.append))
    assert told == ["vae: going on from step 7."]
    assert {name: v.tobytes() for name, v in again.save().items()} == {
        name: v.tobytes() for name, v in whole.save().items()
    }


@pytest.mark.parametrize("harm", ["step", "weights/decoder.out.bias", "errors"])
def test_a_state_of_another_training_is_not_gone_on_from(material, harm):
    kept: list[Any] = []
    vae(steps=2).fit(Material(material.sounds, keep=kept.append))
    told: list[str] = []
    wrong = {**kept[-1], harm: np.full((3, 3), np.nan)}
    vae(steps=2).fit(Material(material.sounds, kept=lambda: wrong, told=told.append))
    assert told == []


def test_minutes_end_a_training(material):
    model = vae(steps=100_000, minutes=1e-4)
    model.fit(material)
    assert model.report()["stopped"] == "minutes"


def test_a_device_that_is_not_there_is_told_at_once(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=r"device: there is no cuda here\. Expected auto or cpu"):
        vae(device="cuda").check()


def test_a_vae_without_torch_is_told_with_its_command(monkeypatch):
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else found(name))
    with pytest.raises(
        ConfigError, match=r'torch, which is not installed. .* pip install "tonesmith\[explore-torch\]"'
    ):
        vae().check()


def test_networks_that_are_carried_to_turned_components_correct_what_they_corrected():
    random = np.random.default_rng(0)
    basis = np.linalg.qr(random.standard_normal((BINS, 6)))[0].T.astype(np.float32)
    mean = random.normal(-40.0, 3.0, BINS).astype(np.float32)
    old = Components(mean, basis[:5], np.array([9, 7, 5, 3, 2], np.float32), np.full(5, 0.2))
    turn = np.linalg.qr(random.standard_normal((5, 5)))[0].astype(np.float32)
    axes = np.concatenate([turn @ basis[:5], basis[5:]])
    # The mean moves within what the components span
    new = Components(mean + 2.0 * basis[1], axes, np.array([8, 6, 5, 4, 2, 1], np.float32), np.full(6, 0.1))
    parameters = {
        name: random.normal(0.0, 0.3, shape).astype(np.float32)
        for name, shape in network.shapes_of(5, BINS, 12).items()
    }
    levels = old.decode(random.standard_normal((40, 5)).astype(np.float32))
    made = carried(parameters, old, new)
    assert {name: values.shape for name, values in made.items()} == network.shapes_of(6, BINS, 12)
    first, second = (
        code.decode(latent) + network.added_levels(weights, latent)
        for code, weights in ((old, parameters), (new, made))
        for latent in [code.encode(levels) + network.added_latent(weights, levels - code.mean)]
    )
    assert np.abs(first - old.decode(old.encode(levels))).max() > 1.0
    assert np.abs(first - second).max() < 1e-2
