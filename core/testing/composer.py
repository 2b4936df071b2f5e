"""What every composer keeps to, as tests: subclass :class:`ComposerContract` and run pytest.

::

    from tonesmith.testing import ComposerContract

    class TestMyComposer(ComposerContract):
        composer = MyComposer
        options = {"bars": 2}
        refused = ({"low": 72, "high": 60},)
"""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pytest

from tonesmith.errors import ConfigError
from tonesmith.host.roles import Composed, Composer
from tonesmith.host.settings import InvalidSettings, validate
from tonesmith.plan.annotated import AnnotationField
from tonesmith.score.writer import midi_of
from tonesmith.testing.sampler import bytes_of, calls_of

_AS_MUCH = 50
"""How many times as much a far score may cost: one may be drawn again and again, but none may need those before it."""
_FAR = 10_000_000
_SOME = 12
_TYPES: Mapping[str, tuple[type, ...]] = {
    "number": (int, float),
    "whole": (int,),
    "flag": (bool,),
    "choice": (str,),
    "text": (str,),
}


class ComposerContract:
    """The tests that every composer passes.

    Attributes:
        composer: the class under test.
        options: that it is tested with, as a plan's TOML gives them.
        refused: options of which each must be refused, laid over ``options``.
        seed: of the plan.
        seconds: that a score may last.
    """

    composer: ClassVar[type[Composer[Any]]]
    options: ClassVar[Mapping[str, Any]] = {}
    refused: ClassVar[Sequence[Mapping[str, Any]]] = ()
    seed: ClassVar[int] = 20250
    seconds: ClassVar[float | None] = 8.0

    def make(
        self, seed: int | None = None, seconds: float | None = None, changes: Mapping[str, Any] | None = None
    ) -> Composer[Any]:
        """Return a new composer. Raises :class:`ConfigError` for options that it refuses."""
        try:
            options = validate(self.composer.Options, {**self.options, **(changes or {})})
        except InvalidSettings as error:
            raise ConfigError("; ".join(problem.text for problem in error.problems)) from None
        return self.composer(options, self.seed if seed is None else seed, seconds or self.seconds)

    def test_it_has_a_name_and_a_summary(self) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_-]*", self.composer.name)
        assert self.composer.summary
        assert "\n" not in self.composer.summary

    def test_every_option_has_a_default_and_a_description(self) -> None:
        for name, option in self.composer.Options.model_fields.items():
            assert not option.is_required(), f"the option {name} has no default"
            assert option.description, f"the option {name} has no description"

    def test_what_it_refuses_is_a_configuration_error_with_a_sentence(self) -> None:
        for changes in ({"no_such_option": 1}, *self.refused):
            with pytest.raises(ConfigError) as refused:
                self.make(changes=changes)
            assert str(refused.value).strip(), f"{changes} is refused without a word"

    def test_each_field_has_a_name_of_its_own_and_says_what_it_is(self) -> None:
        fields = self.make().fields()
        assert len({field.name for field in fields}) == len(fields)
        for field in fields:
            assert re.fullmatch(r"[a-z][a-z0-9_]*", field.name), "a field is a column, and so a Python name"
            assert field.doc, f"{field.name} has no meaning"
            assert (field.kind == "choice") == bool(field.choices), f"{field.name}: choices are for a choice"
            assert AnnotationField.from_json(json.loads(json.dumps(field.to_json()))) == field

    def test_every_field_has_a_value_of_its_kind_and_nothing_else_has_one(self) -> None:
        composer = self.make()
        fields = {field.name: field for field in composer.fields()}
        for composed in scores(composer):
            assert set(composed.annotations) == set(fields)
            for name, value in composed.annotations.items():
                _check_value(fields[name], value)

    def test_a_score_is_a_function_of_the_options_the_seed_and_the_index(self) -> None:
        first = told(self.make())
        assert told(self.make()) == first

    def test_the_order_of_indices_does_not_matter(self) -> None:
        forwards, backwards = self.make(), self.make()
        count = count_of(forwards)
        assert [_told(backwards.compose(i)) for i in reversed(range(count))] == told(forwards)[::-1]

    def test_a_composer_rebuilt_from_name_and_options_gives_the_same_scores(self) -> None:
        composer = self.make()
        stored = json.loads(json.dumps(composer.options.model_dump(mode="json")))
        rebuilt = self.composer(self.composer.Options.model_validate(stored), self.seed, self.seconds)
        assert told(rebuilt) == told(composer)

    def test_global_random_state_is_neither_used_nor_moved(self) -> None:
        before, numpy_before = random.getstate(), repr(np.random.get_state())
        told(self.make())
        assert random.getstate() == before
        assert repr(np.random.get_state()) == numpy_before

    def test_another_seed_gives_other_scores_and_another_index_another_score(self) -> None:
        composer = self.make()
        if composer.collected() is not None:
            pytest.skip("it plays a fixed list")
        digests = [composed.score.digest for composed in scores(composer)]
        assert len(set(digests)) > 1, "every index gives the same score"
        assert digests != [composed.score.digest for composed in scores(self.make(seed=self.seed + 1))]

    def test_every_score_has_notes_and_can_be_written_as_midi(self) -> None:
        for composed in scores(self.make()):
            assert len(composed.score), "a score without notes"
            assert midi_of(composed.score).startswith(b"MThd")

    def test_no_score_lasts_longer_than_it_may(self) -> None:
        for seconds in (8.0, 4.0, 2.0, 1.0, 0.25, 0.001):
            try:
                composed_of = scores(self.make(seconds=seconds))
            except ConfigError:
                continue  # nothing of it is as short: it says so at once
            for composed in composed_of:
                assert composed.score.duration <= seconds + 1e-9, f"{composed.score.duration} s of {seconds}"

    def test_a_fixed_list_is_what_compose_gives_and_ends_where_it_ends(self) -> None:
        composer = self.make()
        if (collected := composer.collected()) is None:
            pytest.skip("it composes")
        assert [_told(composer.compose(i)) for i in range(len(collected))] == [_told(c) for c in collected]
        with pytest.raises(IndexError):
            composer.compose(len(collected))

    def test_score_ten_million_costs_what_score_0_does(self) -> None:
        composer = self.make()
        if composer.collected() is not None:
            pytest.skip("it plays a fixed list")
        _composed(composer, 1)  # imports are paid once
        near, far = (partial(_composed, composer, first) for first in (0, _FAR))
        assert calls_of(far) < _AS_MUCH * calls_of(near) + 200
        assert bytes_of(far) < bytes_of(near) + 2**20, "something as large as the plan was held"


def count_of(composer: Composer[Any]) -> int:
    """Return how many scores of a composer are tried."""
    collected = composer.collected()
    return _SOME if collected is None else min(_SOME, len(collected))


def scores(composer: Composer[Any]) -> list[Composed]:
    """Return the first scores of a composer."""
    return [composer.compose(index) for index in range(count_of(composer))]


def told(composer: Composer[Any]) -> list[tuple[Any, ...]]:
    """Return what the first scores of a composer say, so that it can be compared."""
    return [_told(composed) for composed in scores(composer)]


def _told(composed: Composed) -> tuple[Any, ...]:
    return composed.score.digest, {k: repr(v) for k, v in composed.annotations.items()}, composed.source


def _composed(composer: Composer[Any], first: int) -> list[Composed]:
    return [composer.compose(first + index) for index in range(_SOME)]


def _check_value(field: AnnotationField, value: Any) -> None:
    fits = isinstance(value, _TYPES[field.kind])
    assert fits, f"{field.name} = {value!r} is no {field.kind}"
    assert field.kind == "flag" or not isinstance(value, bool), f"{field.name} = {value!r} is no {field.kind}"
    column = field.column
    stored = np.asarray(field.stored(value)).astype(column.dtype)
    assert stored.shape == column.shape
    read = field.read(stored)
    missing = isinstance(value, float) and math.isnan(value) and math.isnan(float(read))
    assert missing or read == value, f"{field.name}: {value!r} is read as {read!r}"
