"""The contract of composers catches what it is there for."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest

from tonesmith.errors import ConfigError
from tonesmith.host.roles import Composed, Composer, Options
from tonesmith.plan.annotated import AnnotationField
from tonesmith.score.draws import Draws
from tonesmith.score.score import Score
from tonesmith.testing import ComposerContract


class Sound(Composer[Options]):
    """Keeps to the contract."""

    name = "sound"
    summary = "one note"
    Options = Options

    def fields(self) -> Sequence[AnnotationField]:
        return (AnnotationField("pitch", "whole", "MIDI pitch"),)

    def compose(self, index: int) -> Composed:
        pitch = Draws(self.seed, self.name, index).whole("pitch", 40, 100)
        ticks = int(960 * min(0.5, self.seconds or 0.5))
        if not ticks:
            raise ConfigError("no note is as short")
        return Composed(Score.of([(0, Fraction(ticks, 480), pitch, 90)]), {"pitch": pitch})


def composed(change: Any) -> Any:
    def compose(self: Sound, index: int) -> Composed:
        return change(Sound.compose(self, index), index)

    return compose


def with_pitch(value: Any) -> Any:
    return composed(lambda made, _: Composed(made.score, {"pitch": value(made.annotations["pitch"])}))


COUNT = itertools.count()

BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "a value of another kind": ({"compose": with_pitch(float)}, "every_field_has_a_value_of_its_kind"),
    "a flag for a number": ({"compose": with_pitch(lambda _: True)}, "every_field_has_a_value_of_its_kind"),
    "a value without a field": (
        {"compose": composed(lambda made, _: Composed(made.score, {**made.annotations, "odd": 1}))},
        "every_field_has_a_value_of_its_kind",
    ),
    "a counter": (
        {"compose": composed(lambda made, _: Composed(Score.of([(0, 1, next(COUNT) % 128, 9)]), made.annotations))},
        "a_score_is_a_function",
    ),
    "no seed": (
        {"compose": lambda self, i: Composed(Score.of([(0, 1, i % 128, 9)]), {"pitch": i})},
        "another_seed_gives_other_scores",
    ),
    "one score for all": (
        {"compose": lambda self, i: Composed(Score.of([(0, 1, self.seed % 128, 9)]), {"pitch": 0})},
        "another_seed_gives_other_scores",
    ),
    "too long": (
        {"compose": composed(lambda made, _: Composed(Score.of([(0, 8, 60, 9)]), made.annotations))},
        "no_score_lasts_longer",
    ),
    "silent": (
        {"compose": composed(lambda made, _: Composed(Score.of([]), made.annotations))},
        "every_score_has_notes",
    ),
    "dearer far away": (
        {"compose": composed(lambda made, index: [len(str(n)) for n in range(index // 1000)] and made)},
        "score_ten_million_costs",
    ),
    "a list that disagrees": (
        {"collected": lambda self: [Sound.compose(self, 1), Sound.compose(self, 0)]},
        "a_fixed_list_is_what_compose_gives",
    ),
    "a field without a meaning": (
        {"fields": lambda self: (AnnotationField("pitch", "whole", ""),)},
        "each_field_has_a_name",
    ),
}


def contract(composer: type[Composer[Any]], **attributes: Any) -> ComposerContract:
    made = type("Contract", (ComposerContract,), {"composer": composer, **attributes})()
    assert isinstance(made, ComposerContract)
    return made


def checks_of(found: ComposerContract) -> list[str]:
    return [name for name in dir(found) if name.startswith("test_")]


def test_a_composer_that_keeps_to_it_passes() -> None:
    found = contract(Sound)
    for name in checks_of(found):
        try:
            getattr(found, name)()
        except pytest.skip.Exception:
            assert name == "test_a_fixed_list_is_what_compose_gives_and_ends_where_it_ends"


@pytest.mark.parametrize("fault", BROKEN)
def test_each_fault_is_caught_by_its_test(fault: str) -> None:
    methods, caught_by = BROKEN[fault]
    found = contract(type("Broken", (Sound,), methods))
    (name,) = [name for name in checks_of(found) if caught_by in name]
    with pytest.raises(AssertionError):
        getattr(found, name)()


def test_options_that_should_be_refused_and_are_not_are_caught() -> None:
    class Strict(Sound):
        def set_up(self) -> None:
            if self.seed == 1:
                raise ConfigError("not 1")

    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        contract(Strict, refused=({},)).test_what_it_refuses_is_a_configuration_error_with_a_sentence()
    contract(Strict, refused=({},), seed=1).test_what_it_refuses_is_a_configuration_error_with_a_sentence()
