"""What every feature of scores keeps to, as tests: subclass :class:`ScoreFeatureContract` and run pytest.

::

    from tonesmith.testing import ScoreFeatureContract

    class TestMyFeature(ScoreFeatureContract):
        feature = MyFeature
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import pytest

from tonesmith.errors import ConfigError
from tonesmith.host.computing import computed_of_score, planned_of_score
from tonesmith.host.roles import ScoreFeature
from tonesmith.plan.stored import stored_feature
from tonesmith.score.score import Meter, Part, Score, notes_of
from tonesmith.score.timing import Tempos


def awkward_scores() -> Mapping[str, Callable[[], Score]]:
    """Return makers of scores that files hold, by what is awkward in them."""
    drums = [(beat / 2, 0.1, 36 + 6 * (beat % 2), 100) for beat in range(32)]
    chords = [(2 * bar, 2, 60 + bar % 5 + step, 80) for bar in range(8) for step in (0, 4, 7)]
    far = notes_of([(0, 10, 60, 90, 0), (2**34, 10, 62, 90, 0)])
    return {
        "chords": lambda: Score.of(chords),
        "drums alone": lambda: Score.of(drums, drums=True),
        "one note": lambda: Score.of([(0, 1, 60, 100)]),
        "no note": lambda: Score.of([]),
        "a note of no length": lambda: Score.of([(0, 0, 60, 100)]),
        "everything at once": lambda: Score.of([(0, 1, pitch, 127) for pitch in range(128)]),
        "one pitch on top of itself": lambda: Score.of([(n / 4, 4, 60, 1) for n in range(40)]),
        "a note days later": lambda: Score(1, far),
        "meters and tempos that change": lambda: Score(
            96,
            notes_of([(48 * n, 40, 50 + n % 12, 60 + n, n % 2) for n in range(60)]),
            (Part(), Part(0, True)),
            Tempos.of([(0, 500_000), (700, 300_000), (1500, 900_000)]),
            (Meter(0, 3, 4), Meter(576, 6, 8), Meter(1300, 5, 4)),
        ),
    }


class ScoreFeatureContract:
    """The tests that every feature of scores passes.

    Attributes:
        feature: the class under test.
        options: that it is tested with, as TOML gives them.
    """

    feature: ClassVar[type[ScoreFeature[Any]]]
    options: ClassVar[Mapping[str, Any]] = {}

    def make(self) -> ScoreFeature[Any]:
        """Return a new feature."""
        return self.feature(self.feature.Options.model_validate(dict(self.options)))

    @pytest.fixture(params=list(awkward_scores()))
    def score(self, request: pytest.FixtureRequest) -> Score:
        """Return each awkward score."""
        return awkward_scores()[request.param]()

    def test_it_has_a_name_and_a_summary(self) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_-]*", self.feature.name)
        assert self.feature.summary
        assert "\n" not in self.feature.summary

    def test_every_option_has_a_default_and_a_description(self) -> None:
        for name, option in self.feature.Options.model_fields.items():
            assert not option.is_required(), f"the option {name} has no default"
            assert option.description, f"the option {name} has no description"

    def test_every_array_has_a_name_of_its_own_and_says_what_it_is(self) -> None:
        arrays = planned_of_score(self.make()).arrays
        assert len({array.name for array in arrays}) == len(arrays) > 0
        for array in arrays:
            assert re.fullmatch(r"[a-z][a-z0-9_]*", array.name), "an array is a column, and so a Python name"
            assert len(array.dims) == len(array.shape), f"{array.name} needs a name for each axis"
            assert array.unit, f"{array.name} has no unit; write '1' for none"
            assert array.doc, f"{array.name} has no meaning"

    def test_the_definition_is_json_with_a_version_and_survives_it(self) -> None:
        stored = planned_of_score(self.make())
        again = stored_feature(json.loads(json.dumps(stored.to_json(), allow_nan=False)))
        assert again.to_json() == stored.to_json()
        assert "version" in stored.definition, "a definition that changes needs a new version"

    def test_what_is_promised_is_computed_of_every_score(self, score: Score) -> None:
        feature = self.make()
        made = computed_of_score(feature, planned_of_score(feature), score)
        assert set(made) == {array.name for array in feature.score_arrays()}

    def test_a_feature_is_a_function_of_the_score(self, score: Score) -> None:
        feature = self.make()
        first = _bytes(feature.compute_score(score))
        feature.compute_score(awkward_scores()["chords"]())
        assert _bytes(feature.compute_score(score)) == first
        told = json.loads(json.dumps(feature.options.model_dump(mode="json")))
        rebuilt = self.feature(self.feature.Options.model_validate(told))
        assert _bytes(rebuilt.compute_score(score)) == first

    def test_it_is_refused_of_sounds(self) -> None:
        with pytest.raises(ConfigError, match="computed of scores"):
            self.make().compute(None)  # type: ignore[arg-type]


def _bytes(made: Mapping[str, Any]) -> dict[str, bytes]:
    return {name: np.ascontiguousarray(value).tobytes() for name, value in made.items()}
