"""The random numbers of composers: the same for the same purpose, and others for any other."""

from __future__ import annotations

from dataclasses import replace

from tonesmith.score.draws import Draws

DRAWS = Draws(1, "mine", 5)


def test_a_draw_depends_on_seed_composer_index_attempt_and_purpose_and_on_nothing_else():
    first = DRAWS.units("pitch", 4)
    assert Draws(1, "mine", 5).units("pitch", 4) == first
    assert DRAWS.units("pitch", 9)[:4] == first
    others = [
        DRAWS.units("length", 4),
        *(replace(DRAWS, **change).units("pitch", 4) for change in ({"seed": 2}, {"composer": "x"}, {"index": 6})),
        replace(DRAWS, attempt=1).units("pitch", 4),
    ]
    assert all(not set(first) & set(other) for other in others)


def test_what_is_drawn_lies_where_it_is_asked_to_and_reaches_all_of_it():
    many = [replace(DRAWS, index=index) for index in range(200)]
    assert {draws.whole("n", 3, 6) for draws in many} == {3, 4, 5, 6}
    assert {draws.one_of("word", ("a", "b")) for draws in many} == {"a", "b"}
    assert all(2.0 <= draws.between("x", (2.0, 3.0)) < 3.0 for draws in many)
    assert DRAWS.between("x", 2.5) == 2.5
