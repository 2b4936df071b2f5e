"""What every annotator keeps to, as tests: subclass :class:`AnnotatorContract` and run pytest.

::

    from tonesmith.testing import AnnotatorContract

    class TestMyAnnotator(AnnotatorContract):
        annotator = MyAnnotator
        options = {"floor": 0.2}
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import pytest

from tonesmith.host.roles import Annotation, Annotator, Recorded, Subject
from tonesmith.host.roles.annotation import AUTHORITIES
from tonesmith.host.settings import InvalidSettings, validate
from tonesmith.score.score import Score
from tonesmith.testing.feature import sine, white

RATE = 22050


def awkward_subjects() -> Mapping[str, Callable[[], Subject]]:
    """Return makers of items, by what is awkward in them."""
    scale = Score.of([(i, 1, 60 + step, 90) for i, step in enumerate((0, 2, 4, 5, 7, 9, 11, 12))])
    drums = Score.of([(i / 2, 0.5, 36 + i % 3, 90) for i in range(16)], drums=True)

    def sounding(audio: Any) -> Subject:
        return Subject("item", ("one.wav",), recording=lambda: Recorded(audio, RATE))

    return {
        "nothing": lambda: Subject("item"),
        "a name": lambda: Subject("item", ("a/b/c.mid",)),
        "a strange name": lambda: Subject("item", ("\N{SNOWMAN}/..b//[x]*.mid", "")),
        "many names": lambda: Subject("item", [f"{n}/one.mid" for n in range(50)]),
        "a score": lambda: Subject("item", ("one.mid",), lambda: scale),
        "drums": lambda: Subject("item", ("one.mid",), lambda: drums),
        "one note": lambda: Subject("item", ("one.mid",), lambda: Score.of([(0, 1, 60, 1)])),
        "a note of no length": lambda: Subject("item", ("one.mid",), lambda: Score.of([(0, 0, 60, 1)])),
        "no notes": lambda: Subject("item", ("one.mid",), lambda: Score.of([])),
        "a tone": lambda: sounding(sine(channels=1, frames=RATE, rate=RATE)),
        "noise": lambda: sounding(white(frames=RATE)),
        "silence": lambda: sounding(np.zeros((1, RATE), np.float32)),
        "one frame": lambda: sounding(sine(channels=1, frames=1)),
        "six channels": lambda: sounding(white(channels=6, frames=RATE)),
        "both": lambda: Subject("item", ("one.mid",), lambda: scale, lambda: Recorded(sine(frames=RATE), RATE)),
    }


class AnnotatorContract:
    """The tests that every annotator passes.

    Attributes:
        annotator: the class under test.
        options: that it is tested with, as ``corpus.toml`` gives them.
    """

    annotator: ClassVar[type[Annotator[Any]]]
    options: ClassVar[Mapping[str, Any]] = {}

    def make(self) -> Annotator[Any]:
        """Return a new annotator."""
        return self.annotator(validate(self.annotator.Options, self.options))

    @pytest.fixture(params=list(awkward_subjects()))
    def subject(self, request: pytest.FixtureRequest) -> Subject:
        """Return each awkward item."""
        return awkward_subjects()[request.param]()

    def test_it_has_a_name_and_a_summary_and_is_a_witness_of_a_known_kind(self) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_-]*", self.annotator.name)
        assert self.annotator.summary
        assert "\n" not in self.annotator.summary
        assert self.annotator.authority in AUTHORITIES
        assert self.annotator.version >= 1

    def test_every_option_has_a_default_and_a_description(self) -> None:
        for name, option in self.annotator.Options.model_fields.items():
            assert not option.is_required(), f"the option {name} has no default"
            assert option.description, f"the option {name} has no description"

    def test_an_unknown_option_is_refused(self) -> None:
        with pytest.raises(InvalidSettings):
            validate(self.annotator.Options, {"no_such_option": 1})

    def test_its_definition_is_the_same_each_time(self) -> None:
        assert self.make().definition() == self.make().definition()

    def test_it_says_each_name_once_with_a_value_and_how_sure_it_is(self, subject: Subject) -> None:
        said = list(self.make().annotate(subject))
        assert len({annotation.name for annotation in said}) == len(said)
        for annotation in said:
            assert re.fullmatch(r"[a-z][a-z0-9_]*", annotation.name)
            assert 0.0 <= annotation.confidence <= 1.0
            _check_value(annotation)

    def test_it_is_a_function_of_the_item(self, subject: Subject) -> None:
        annotator = self.make()
        first = list(annotator.annotate(subject))
        for maker in awkward_subjects().values():
            list(annotator.annotate(maker()))
        assert list(annotator.annotate(subject)) == first
        assert list(self.make().annotate(subject)) == first

    def test_the_recording_is_left_as_it_is(self, subject: Subject) -> None:
        if subject.recording is None:
            pytest.skip("it has none")
        before = subject.recording.audio.copy()
        list(self.make().annotate(subject))
        assert np.array_equal(before, subject.recording.audio)

    def test_an_annotator_rebuilt_from_name_and_options_says_the_same(self, subject: Subject) -> None:
        annotator = self.make()
        stored = json.loads(json.dumps(annotator.options.model_dump(mode="json")))
        rebuilt = self.annotator(self.annotator.Options.model_validate(stored))
        assert rebuilt.definition() == annotator.definition()
        assert list(rebuilt.annotate(subject)) == list(annotator.annotate(subject))


def _check_value(annotation: Annotation) -> None:
    value = annotation.value
    assert isinstance(value, (bool, int, float, str, tuple)), f"{annotation.name} = {value!r}"
    assert not isinstance(value, float) or math.isfinite(value), f"{annotation.name} is no number"
    assert not isinstance(value, tuple) or all(isinstance(part, str) for part in value)
