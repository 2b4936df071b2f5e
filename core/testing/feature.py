"""What every feature keeps to, as tests: subclass :class:`FeatureContract` and run pytest.

::

    from tonesmith.testing import FeatureContract

    class TestMyFeature(FeatureContract):
        feature = MyFeature
        options = {"bands": 32}
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from tonesmith.host.computing import planned
from tonesmith.host.roles import Feature
from tonesmith.plan.feature import Sound, StoredFeature
from tonesmith.plan.plan import Audio
from tonesmith.plan.stored import stored_feature
from tonesmith.space.patch import Note
from tonesmith.testing.sameness import same_bytes

SAMPLE_RATE = 44100
FRAMES = SAMPLE_RATE // 2
NOTE = Note(60, 100, 0.3, 0.2)


def sine(
    hertz: float = 440.0, channels: int = 2, frames: int = FRAMES, amplitude: float = 0.25, rate: int = SAMPLE_RATE
) -> NDArray[np.float32]:
    """Return float32 (channels, frames) of a sine."""
    wave = amplitude * np.sin(2 * np.pi * hertz * np.arange(frames) / rate)
    return np.tile(wave.astype(np.float32), (channels, 1))


def white(channels: int = 2, frames: int = FRAMES, seed: int = 0) -> NDArray[np.float32]:
    """Return float32 (channels, frames) of white noise that differs between channels."""
    return np.random.default_rng(seed).normal(0.0, 0.1, (channels, frames)).astype(np.float32)


def awkward_sounds() -> Mapping[str, Callable[[], tuple[NDArray[np.float32], int]]]:
    """Return makers of audio and its sample rate, of sounds that validators accept, by what is awkward in them."""
    click = np.zeros((2, FRAMES), np.float32)
    click[:, 100] = 1.0
    return {
        "a tone": lambda: (sine(), SAMPLE_RATE),
        "noise": lambda: (white(), SAMPLE_RATE),
        "mono": lambda: (sine(channels=1), SAMPLE_RATE),
        "six channels": lambda: (white(channels=6), SAMPLE_RATE),
        "silence": lambda: (np.zeros((2, FRAMES), np.float32), SAMPLE_RATE),
        "almost silence": lambda: (sine(amplitude=1e-38), SAMPLE_RATE),
        "a click": lambda: (click, SAMPLE_RATE),
        "one channel silent": lambda: (sine() * np.array([[1], [0]], np.float32), SAMPLE_RATE),
        "out of phase": lambda: (sine() * np.array([[1], [-1]], np.float32), SAMPLE_RATE),
        "an offset": lambda: (np.full((2, FRAMES), 0.2, np.float32), SAMPLE_RATE),
        "overload": lambda: (sine(amplitude=100.0), SAMPLE_RATE),
        "ten milliseconds": lambda: (sine(frames=441), SAMPLE_RATE),
        "one frame": lambda: (sine(frames=1), SAMPLE_RATE),
        "8 kHz": lambda: (sine(frames=2000, rate=8000), 8000),
        "not contiguous": lambda: (sine(frames=2 * FRAMES)[:, ::2], SAMPLE_RATE),
    }


class FeatureContract:
    """The tests that every feature passes.

    Attributes:
        feature: the class under test.
        options: that it is tested with, as a plan's TOML gives them.
    """

    feature: ClassVar[type[Feature[Any]]]
    options: ClassVar[Mapping[str, Any]] = {}

    def make(self) -> Feature[Any]:
        """Return a new feature."""
        return self.feature(self.feature.Options.model_validate(dict(self.options)))

    def stored(self, sound: Sound) -> StoredFeature:
        """Return the feature as a plan for such sounds records it."""
        return planned(self.make(), _form(sound))

    @pytest.fixture(params=list(awkward_sounds()))
    def sound(self, request: pytest.FixtureRequest) -> Sound:
        """Return each awkward sound; its audio cannot be written to."""
        audio, rate = awkward_sounds()[request.param]()
        audio.flags.writeable = False
        return Sound(audio, rate, NOTE)

    def test_it_has_a_name_and_a_summary(self) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_-]*", self.feature.name)
        assert self.feature.summary
        assert "\n" not in self.feature.summary

    def test_every_option_has_a_default_and_a_description(self) -> None:
        for name, option in self.feature.Options.model_fields.items():
            assert not option.is_required(), f"the option {name} has no default"
            assert option.description, f"the option {name} has no description"

    def test_every_array_has_a_name_of_its_own_and_says_what_it_is(self, sound: Sound) -> None:
        arrays = self.stored(sound).arrays
        assert len({array.name for array in arrays}) == len(arrays) > 0
        for array in arrays:
            assert re.fullmatch(r"[a-z][a-z0-9_]*", array.name), "an array is a column, and so a Python name"
            assert len(array.dims) == len(array.shape), f"{array.name} needs a name for each axis"
            assert array.unit, f"{array.name} has no unit; write '1' for none"
            assert array.doc, f"{array.name} has no meaning"

    def test_the_definition_is_json_with_a_version_and_survives_it(self, sound: Sound) -> None:
        stored = self.stored(sound)
        again = stored_feature(json.loads(json.dumps(stored.to_json(), allow_nan=False)))
        assert again.to_json() == stored.to_json()
        assert "version" in stored.definition, "a definition that changes needs a new version"

    def test_what_is_promised_is_computed_and_nothing_else(self, sound: Sound) -> None:
        made = self.make().compute(sound)
        arrays = {array.name: array for array in self.stored(sound).arrays}
        assert set(made) == set(arrays)
        for name, value in made.items():
            array = np.asarray(value).astype(arrays[name].dtype, casting="same_kind")
            assert array.shape == arrays[name].shape, name
            if array.dtype.kind == "f":
                assert not np.isinf(array).any(), f"{name} is infinite"
                assert arrays[name].missing or not np.isnan(array).any(), f"{name} is NaN, and not said to be missing"

    def test_a_feature_is_a_function_of_the_sound(self, sound: Sound) -> None:
        feature = self.make()
        first = _bytes(feature.compute(sound))
        feature.compute(Sound(white(seed=1), SAMPLE_RATE, NOTE))
        assert _bytes(feature.compute(sound)) == first
        assert _bytes(self.make().compute(sound)) == first

    def test_the_audio_is_left_as_it_is(self, sound: Sound) -> None:
        writeable = sound.audio.copy(order="K")
        self.make().compute(Sound(writeable, sound.sample_rate, sound.note))
        assert same_bytes(writeable, sound.audio)

    def test_a_sound_may_have_no_note(self) -> None:
        assert self.make().compute(Sound(sine(), SAMPLE_RATE))

    def test_a_feature_rebuilt_from_name_and_options_computes_the_same(self, sound: Sound) -> None:
        feature = self.make()
        told = json.loads(json.dumps(feature.options.model_dump(mode="json")))
        rebuilt = self.feature(self.feature.Options.model_validate(told))
        assert _bytes(rebuilt.compute(sound)) == _bytes(feature.compute(sound))
        assert planned(rebuilt, _form(sound)).to_json() == self.stored(sound).to_json()


def _form(sound: Sound) -> Audio:
    return Audio(sound.sample_rate, *sound.audio.shape)


def _bytes(made: Mapping[str, Any]) -> dict[str, bytes]:
    return {name: np.ascontiguousarray(value).tobytes() for name, value in made.items()}
