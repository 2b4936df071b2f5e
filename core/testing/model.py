"""What every model of the explorer keeps to, as tests: subclass :class:`ModelContract` and run pytest.

::

    from tonesmith.testing import ModelContract

    class TestMyModel(ModelContract):
        model = MyModel
        options = {"size": 8}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from tonesmith.errors import ConfigError
from tonesmith.host.roles import Frames, Grows, Material, Model
from tonesmith.host.settings import InvalidSettings, validate

_SOUNDS, _FRAMES = 6, 70
_FLOOR = -80.0


def sounds_of(bins: int, sounds: int = _SOUNDS, frames: int = _FRAMES) -> list[Frames]:
    """Return frames of sounds that decay: partials of other pitches over noise of other slopes, in three groups."""
    place = np.arange(bins) / bins
    made = []
    for number in range(sounds):
        random = np.random.default_rng(number)
        decay = np.arange(frames)[:, None] * (0.1 + 0.1 * number)
        comb = 25.0 * np.cos(2.0 * np.pi * place * (6 + number)) - (20.0 + 8.0 * number) * place
        levels = comb - decay + random.normal(0.0, 2.0, (frames, bins)) - 20.0
        heard = np.arange(frames) < frames - number
        made.append(Frames(np.maximum(levels, _FLOOR).astype(np.float32), heard, number % 3))
    return made


class ModelContract:
    """The tests that every model passes.

    Attributes:
        model: the class under test.
        options: that it is tested with.
        bins: of the frames; fewer than the 1025 of the explorer make the tests quicker.
    """

    model: ClassVar[type[Model[Any]]]
    options: ClassVar[Mapping[str, Any]] = {}
    bins: ClassVar[int] = 1025

    def make(self) -> Model[Any]:
        """Return a new model, not fitted."""
        try:
            options = validate(self.model.Options, dict(self.options))
        except InvalidSettings as error:
            raise ConfigError("; ".join(problem.text for problem in error.problems)) from None
        return self.model(options)

    @pytest.fixture(scope="class")
    def sounds(self) -> list[Frames]:
        """Return the sounds; their arrays cannot be written to."""
        made = sounds_of(self.bins)
        for sound in made:
            sound.levels.flags.writeable = False
            sound.heard.flags.writeable = False
        return made

    @pytest.fixture(scope="class")
    def fitted(self, sounds: list[Frames]) -> Model[Any]:
        """Return a model that is fitted on them."""
        model = self.make()
        model.check()
        model.fit(Material(lambda: sounds))
        return model

    def test_it_has_a_name_and_a_summary(self) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_-]*", self.model.name)
        assert self.model.summary
        assert "\n" not in self.model.summary

    def test_every_option_has_a_default_and_a_description(self) -> None:
        for name, option in self.model.Options.model_fields.items():
            assert not option.is_required(), f"the option {name} has no default"
            assert option.description, f"the option {name} has no description"

    def test_latents_and_levels_have_their_shapes_and_are_numbers(
        self, fitted: Model[Any], sounds: list[Frames]
    ) -> None:
        for sound in sounds:
            latent = fitted.encode(sound.levels)
            levels = fitted.decode(latent)
            assert latent.dtype == levels.dtype == np.float32
            assert latent.ndim == 2
            assert len(latent) == len(sound.levels)
            assert levels.shape == sound.levels.shape
            assert np.isfinite(latent).all()
            assert np.isfinite(levels).all()

    def test_latents_have_about_mean_0_and_deviation_1(self, fitted: Model[Any], sounds: list[Frames]) -> None:
        latent = np.concatenate([fitted.encode(sound.levels)[sound.heard] for sound in sounds])
        assert np.abs(latent.mean(axis=0)).max() < 0.5, "a latent is not centred"
        assert 0.3 < latent.std(axis=0).max() < 3.0, "latents are not in deviations of the sounds"

    def test_sounds_come_back_better_than_as_the_mean_of_all_frames(
        self, fitted: Model[Any], sounds: list[Frames]
    ) -> None:
        heard = np.concatenate([sound.levels[sound.heard] for sound in sounds])
        made = np.concatenate([fitted.decode(fitted.encode(sound.levels))[sound.heard] for sound in sounds])
        assert np.square(made - heard).mean() < 0.8 * np.square(heard - heard.mean(axis=0)).mean()

    def test_a_frame_is_decoded_from_its_own_latent(self, fitted: Model[Any], sounds: list[Frames]) -> None:
        latent = fitted.encode(sounds[1].levels)
        whole = fitted.decode(latent)
        assert np.abs(fitted.decode(latent[20:30]) - whole[20:30]).max() < 1e-2, "a frame depends on its neighbours"

    def test_a_latent_depends_on_no_frame_beyond_its_reach(self, fitted: Model[Any], sounds: list[Frames]) -> None:
        first, last, reach = 30, 40, fitted.reach
        whole = fitted.encode(sounds[1].levels)[first:last]
        part = fitted.encode(sounds[1].levels[first - reach : last + reach])[reach : reach + last - first]
        assert np.abs(part - whole).max() < 1e-3

    def test_the_same_sounds_give_the_same_model(self, fitted: Model[Any], sounds: list[Frames]) -> None:
        again = self.make()
        before = repr(np.random.get_state())
        again.fit(Material(lambda: sounds))
        assert _bytes(again) == _bytes(fitted)
        assert repr(np.random.get_state()) == before, "the global random state moved"

    def test_a_model_that_is_saved_and_loaded_does_the_same(self, fitted: Model[Any], sounds: list[Frames]) -> None:
        loaded = self.make()
        loaded.load({name: np.array(values) for name, values in fitted.save().items()})
        latent = fitted.encode(sounds[0].levels)
        assert loaded.encode(sounds[0].levels).tobytes() == latent.tobytes()
        assert loaded.decode(latent).tobytes() == fitted.decode(latent).tobytes()
        assert _bytes(loaded) == _bytes(fitted)

    def test_only_arrays_of_numbers_are_saved(self, fitted: Model[Any]) -> None:
        for name, values in fitted.save().items():
            assert re.fullmatch(r"[\w./-]+", name), f"{name!r} is no plain name"
            assert np.asarray(values).dtype.kind in "fiu", f"{name} has no numbers"

    def test_arrays_that_do_not_fit_together_are_refused(self, fitted: Model[Any]) -> None:
        saved = {name: np.array(values) for name, values in fitted.save().items()}
        for name, values in saved.items():
            if not values.ndim:
                continue
            without = {other: each for other, each in saved.items() if other != name}
            for wrong in (without, {**saved, name: np.concatenate([values, values])}):
                with pytest.raises((ValueError, KeyError)):
                    self.make().load(wrong)

    def test_a_fit_that_is_interrupted_ends_as_if_it_had_not_been(
        self, fitted: Model[Any], sounds: list[Frames]
    ) -> None:
        kept: list[Mapping[str, NDArray[Any]]] = []

        def keep(tensors: Mapping[str, NDArray[Any]]) -> None:
            kept.append({name: np.array(values) for name, values in tensors.items()})
            raise KeyboardInterrupt

        try:
            self.make().fit(Material(lambda: sounds, keep=keep))
        except KeyboardInterrupt:
            again = self.make()
            again.fit(Material(lambda: sounds, kept=lambda: kept[-1]))
            assert _bytes(again) == _bytes(fitted)
        else:
            assert not kept, "what is kept must not be swallowed"

    def test_a_model_that_grows_keeps_what_its_latents_mean(self, fitted: Model[Any], sounds: list[Frames]) -> None:
        grown = self.make()
        if not isinstance(grown, Grows):
            pytest.skip("it does not grow")
        last = max(sound.group for sound in sounds)
        earlier = self.make()
        earlier.fit(Material(lambda: [sound for sound in sounds if sound.group != last]))
        grown.grow(Material(lambda: sounds), earlier)
        size = fitted.encode(sounds[0].levels).shape[1]
        before, after = (model.encode(sounds[0].levels) for model in (earlier, grown))
        assert after.shape[1] >= before.shape[1]
        assert after.shape[1] >= size, "it has fewer latents than one that is fitted anew"
        strongest = int(before.std(axis=0).argmax())
        assert np.corrcoef(before[:, strongest], after[:, strongest])[0, 1] > 0.8, "a latent means something else"

    def test_its_report_is_numbers_and_words(self, fitted: Model[Any]) -> None:
        for name, value in fitted.report().items():
            assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
            assert isinstance(value, int | float | str)


def _bytes(model: Model[Any]) -> dict[str, bytes]:
    return {name: np.ascontiguousarray(values).tobytes() for name, values in model.save().items()}
