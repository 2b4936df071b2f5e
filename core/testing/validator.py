"""What every validator keeps to, as tests: subclass :class:`ValidatorContract` and run pytest.

::

    from tonesmith.testing import ValidatorContract

    class TestMyValidator(ValidatorContract):
        validator = MyValidator
        options = {"threshold": -30.0}
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from tonesmith.host.roles import Validator
from tonesmith.plan.render import Render, Verdict
from tonesmith.space.patch import Note, Patch
from tonesmith.testing.sameness import same_bytes

SAMPLE_RATE = 44100
FRAMES = SAMPLE_RATE // 2


def tone(frames: int = FRAMES, channels: int = 2, amplitude: float = 0.25, hertz: float = 997.0) -> NDArray[np.float32]:
    """Return float32 (channels, frames) of a sine at :data:`SAMPLE_RATE`."""
    sine = amplitude * np.sin(2 * np.pi * hertz * np.arange(frames) / SAMPLE_RATE)
    return np.tile(sine.astype(np.float32), (channels, 1))


def render_of(
    audio: NDArray[Any], channels: int | None = None, frames: int | None = None, sample_rate: int = SAMPLE_RATE
) -> Render:
    """Return a render of the audio. ``channels`` and ``frames`` are what the plan expects, else what there is."""
    return Render(
        audio=audio,
        sample_rate=sample_rate,
        patch=Patch(origin="test"),
        note=Note(60, 100, 0.5, 0.5),
        channels=audio.shape[0] if channels is None else channels,
        frames=audio.shape[-1] if frames is None else frames,
    )


def _with(value: float) -> NDArray[np.float32]:
    audio = tone()
    audio[1, FRAMES // 2] = value
    return audio


def awkward_renders() -> Mapping[str, Callable[[], Render]]:
    """Return makers of renders, such as synths give and as only broken ones give, by what is awkward in them."""
    return {
        "tone": lambda: render_of(tone()),
        "mono": lambda: render_of(tone(channels=1)),
        "six channels": lambda: render_of(tone(channels=6)),
        "a hundred channels": lambda: render_of(tone(channels=100)),
        "no channels": lambda: render_of(tone(channels=0)),
        "silence": lambda: render_of(np.zeros((2, FRAMES), np.float32)),
        "almost silence": lambda: render_of(tone(amplitude=1e-38)),
        "one channel silent": lambda: render_of(tone() * np.array([[1], [0]], np.float32)),
        "an offset": lambda: render_of(np.ones((2, FRAMES), np.float32)),
        "overload": lambda: render_of(tone(amplitude=100.0)),
        "the largest float32": lambda: render_of(np.full((2, FRAMES), np.finfo(np.float32).max)),
        "both largest float32": lambda: render_of(np.sign(tone()) * np.finfo(np.float32).max),
        "NaN": lambda: render_of(_with(math.nan)),
        "infinity": lambda: render_of(_with(math.inf)),
        "both infinities": lambda: render_of(np.where(tone() > 0, np.float32(math.inf), np.float32(-math.inf))),
        "all NaN": lambda: render_of(np.full((2, FRAMES), math.nan, np.float32)),
        "too few frames": lambda: render_of(tone(), frames=FRAMES + 1),
        "too few channels": lambda: render_of(tone(channels=1), channels=2),
        "frames first": lambda: render_of(tone().T, channels=2, frames=FRAMES),
        "no channel axis": lambda: render_of(tone()[0], channels=1, frames=FRAMES),
        "a third axis": lambda: render_of(tone()[None], channels=2, frames=FRAMES),
        "double": lambda: render_of(tone().astype(np.float64)),
        "integers": lambda: render_of((tone() * 32767).astype(np.int16)),
        "empty": lambda: render_of(np.zeros((2, 0), np.float32)),
        "empty where sound is expected": lambda: render_of(np.zeros((2, 0), np.float32), frames=FRAMES),
        "one frame": lambda: render_of(tone(frames=1)),
        "ten milliseconds": lambda: render_of(tone(frames=441)),
        "four hundred milliseconds less a frame": lambda: render_of(tone(frames=17639)),
        "not contiguous": lambda: render_of(tone(frames=2 * FRAMES)[:, ::2]),
        "channels interleaved in memory": lambda: render_of(np.asfortranarray(tone())),
        "a sample rate of 8 Hz": lambda: render_of(tone(), sample_rate=8),
    }


class ValidatorContract:
    """The tests that every validator passes.

    Attributes:
        validator: the class under test.
        options: that it is tested with, as a plan's TOML gives them.
    """

    validator: ClassVar[type[Validator[Any]]]
    options: ClassVar[Mapping[str, Any]] = {}

    def make(self) -> Validator[Any]:
        """Return a new validator."""
        return self.validator(self.validator.Options.model_validate(dict(self.options)))

    @pytest.fixture(params=list(awkward_renders()))
    def render(self, request: pytest.FixtureRequest) -> Render:
        """Return each awkward render; its audio cannot be written to."""
        render = awkward_renders()[request.param]()
        render.audio.flags.writeable = False
        return render

    def test_it_has_a_name_and_a_summary(self) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_-]*", self.validator.name)
        assert self.validator.summary
        assert "\n" not in self.validator.summary

    def test_every_option_has_a_default_and_a_description(self) -> None:
        for name, option in self.validator.Options.model_fields.items():
            assert not option.is_required(), f"the option {name} has no default"
            assert option.description, f"the option {name} has no description"

    def test_every_measure_has_a_name_of_its_own_and_says_what_it_is(self) -> None:
        names = [measure.name for measure in self.validator.measures]
        assert len(set(names)) == len(names)
        for measure in self.validator.measures:
            assert re.fullmatch(r"[a-z][a-z0-9_]*", measure.name), "a measure is a column, and so a Python name"
            assert measure.unit, f"{measure.name} has no unit; write '1' for none"
            assert measure.doc, f"{measure.name} has no meaning"

    def test_what_is_declared_is_measured_and_nothing_else(self, render: Render) -> None:
        measured = self.make().check(render).measured
        assert set(measured) == {measure.name for measure in self.validator.measures}

    def test_every_measurement_is_a_finite_float_or_nan(self, render: Render) -> None:
        for name, value in self.make().check(render).measured.items():
            assert isinstance(value, float), f"{name} is a {type(value).__name__}"
            assert not math.isinf(value), f"{name} is infinite, which JSON and plots cannot hold"

    def test_a_reason_is_a_word_or_two_that_renders_share(self, render: Render) -> None:
        reason = self.make().check(render).reason
        assert len(reason) <= 40
        assert not re.search(r"\d|\n", reason), "what was measured belongs in measured"

    def test_a_verdict_is_a_function_of_the_render(self, render: Render) -> None:
        validator = self.make()
        first = _comparable(validator.check(render))
        validator.check(render_of(tone(amplitude=0.9)))
        assert _comparable(validator.check(render)) == first
        assert _comparable(self.make().check(render)) == first

    def test_the_audio_is_left_as_it_is(self, render: Render) -> None:
        writeable = render_of(render.audio.copy(order="K"), render.channels, render.frames, render.sample_rate)
        self.make().check(writeable)
        assert same_bytes(writeable.audio, render.audio)

    def test_a_validator_rebuilt_from_name_and_options_gives_the_same_verdict(self, render: Render) -> None:
        validator = self.make()
        stored = json.loads(json.dumps(validator.options.model_dump(mode="json")))
        rebuilt = self.validator(self.validator.Options.model_validate(stored))
        assert _comparable(rebuilt.check(render)) == _comparable(validator.check(render))


def _comparable(verdict: Verdict) -> tuple[str, str]:
    """Return a verdict in which NaN equals NaN."""
    return verdict.reason, repr(sorted(verdict.measured.items()))
