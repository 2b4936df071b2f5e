from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, create_model

from tonesmith.host.settings import InvalidSettings, settings_of, validate

Small = Annotated[int, Field(ge=0, le=3)]
Hold = Annotated[float, Field(gt=0.0, le=60.0)]


def model_of(kind: Any, default: Any, **limits: Any) -> type[BaseModel]:
    return create_model("Model", key=(kind, Field(default, **limits)))


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (model_of(int, 1, ge=1, le=10**9), "Expected an integer from 1 to 1,000,000,000."),
        (model_of(int, 1, ge=0), "Expected an integer of at least 0."),
        (model_of(float, 1.0, gt=0.0, le=60.0), "Expected a number above 0 and up to 60."),
        (model_of(float, 1.0, le=60.0), "Expected a number up to 60."),
        (model_of(float, 1.0), "Expected a number."),
        (model_of(bool, True), "Expected true or false."),
        (model_of(tuple[Small, ...], (1,)), "Expected a list of integers from 0 to 3."),
        (model_of(tuple[Small, ...], (1,), min_length=1), "Expected a non-empty list of integers from 0 to 3."),
        (model_of(list[str], [], min_length=2), "Expected a list of at least 2 strings."),
        (model_of(Hold | tuple[Hold, Hold], 1.0), "Expected a number above 0 and up to 60, or [low, high]."),
        (model_of(tuple[Small, Small], (1, 2)), "Expected [an integer from 0 to 3, an integer from 0 to 3]."),
        (model_of(dict[str, float], {}), "Expected a table of name = a number."),
    ],
)
def test_a_wrong_value_is_told_in_a_sentence_what_is_expected(model: type[BaseModel], said: str) -> None:
    with pytest.raises(InvalidSettings) as wrong:
        validate(model, {"key": "?"})
    assert [problem.text for problem in wrong.value.problems] == [f'"?" is not allowed. {said}']


def test_a_table_says_the_same_in_few_words() -> None:
    assert settings_of(model_of(int, 1, ge=1, le=10**9))[0].takes == "integer 1..1000000000"
    assert (
        settings_of(model_of(Hold | tuple[Hold, Hold], 1.0))[0].takes == "number above 0 and up to 60, or [low, high]"
    )
