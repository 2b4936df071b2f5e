"""The contract of models catches what it is there for."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tonesmith.host.roles import Frames, Material, Model, Options
from tonesmith.testing import ModelContract
from tonesmith.testing.model import sounds_of

BINS, SIZE = 32, 8
COUNT = itertools.count()


class Bands(Model[Options]):
    """Keeps to the contract."""

    name = "bands"
    summary = "means of bands"
    Options = Options

    def fit(self, material: Material) -> None:
        heard = np.concatenate([sound.levels[sound.heard] for sound in material.sounds()])
        self.mean = heard.mean(axis=0)
        self.deviation = self.means(heard - self.mean).std(axis=0)

    def means(self, levels: Any) -> Any:
        return levels.reshape(len(levels), SIZE, -1).mean(axis=2)

    def encode(self, levels: Any) -> Any:
        return self.means(levels - self.mean) / self.deviation

    def decode(self, latent: Any) -> Any:
        return (latent * self.deviation).repeat(BINS // SIZE, axis=1) + self.mean

    def save(self) -> Mapping[str, Any]:
        return {"mean": self.mean, "deviation": self.deviation}

    def load(self, tensors: Mapping[str, Any]) -> None:
        if tensors["mean"].shape != (BINS,) or tensors["deviation"].shape != (SIZE,):
            raise ValueError("another size")
        self.mean, self.deviation = tensors["mean"], tensors["deviation"]


def counting(self: Bands, material: Material) -> None:
    Bands.fit(self, material)
    self.mean = self.mean + next(COUNT)


def forgetful(self: Bands, material: Material) -> None:
    Bands.fit(self, material)
    if material.kept() is not None:
        self.mean = self.mean + 1.0
    material.keep({"mean": self.mean})


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "a frame too few": ({"encode": lambda self, levels: Bands.encode(self, levels[1:])}, "have_their_shapes"),
    "no numbers": (
        {"decode": lambda self, latent: Bands.decode(self, latent) * np.float32("nan")},
        "have_their_shapes",
    ),
    "not whitened": ({"encode": lambda self, levels: 50 * Bands.encode(self, levels)}, "mean_0_and_deviation_1"),
    "a decoder that forgets": ({"decode": lambda self, latent: 0 * Bands.decode(self, latent)}, "come_back_better"),
    "a decoder that looks around": (
        {"decode": lambda self, latent: Bands.decode(self, np.cumsum(latent, axis=0))},
        "decoded_from_its_own_latent",
    ),
    "an encoder that looks around": (
        {"encode": lambda self, levels: Bands.encode(self, np.cumsum(levels, axis=0))},
        "no_frame_beyond_its_reach",
    ),
    "another model each time": ({"fit": counting}, "the_same_sounds_give"),
    "a load that forgets": (
        {"load": lambda self, tensors: self.__dict__.update(mean=0, deviation=1)},
        "saved_and_loaded",
    ),
    "words in arrays": ({"save": lambda self: {"mean": np.array(["x"])}}, "only_arrays_of_numbers"),
    "a load that trusts": ({"load": lambda self, tensors: self.__dict__.update(tensors)}, "do_not_fit_together"),
    "a fit that does not go on": ({"fit": forgetful}, "interrupted_ends"),
    "a report of lists": ({"report": lambda self: {"steps": [1]}}, "report_is_numbers"),
}


def contract(model: type[Model[Any]]) -> ModelContract:
    made = type("Contract", (ModelContract,), {"model": model, "bins": BINS})()
    assert isinstance(made, ModelContract)
    return made


def check(found: ModelContract, name: str, sounds: list[Frames]) -> None:
    method = getattr(found, name)
    wanted = method.__code__.co_varnames[1 : method.__code__.co_argcount]
    model = found.make()
    model.fit(Material(lambda: sounds))
    method(**{key: value for key, value in {"fitted": model, "sounds": sounds}.items() if key in wanted})


@pytest.fixture(scope="module")
def sounds() -> list[Frames]:
    return sounds_of(BINS)


def test_a_model_that_keeps_to_it_passes(sounds: list[Frames]) -> None:
    found = contract(Bands)
    for name in dir(found):
        if name.startswith("test_"):
            check(found, name, sounds)


@pytest.mark.parametrize("fault", BROKEN)
def test_each_fault_is_caught_by_its_test(fault: str, sounds: list[Frames]) -> None:
    methods, caught_by = BROKEN[fault]
    found = contract(type("Broken", (Bands,), methods))
    (name,) = [name for name in dir(found) if name.startswith("test_") and caught_by in name]
    with pytest.raises((AssertionError, ValueError, pytest.fail.Exception)):
        check(found, name, sounds)
