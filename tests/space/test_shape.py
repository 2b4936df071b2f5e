"""What the [space] table makes of an engine's space."""

from __future__ import annotations

import pytest

from tonesmith.errors import SpaceError
from tonesmith.space.parameter import Parameter
from tonesmith.space.sampling import choice_at
from tonesmith.space.shape import SpaceShape, shaped
from tonesmith.space.space import ParameterSpace

SPACE = ParameterSpace(
    (
        Parameter("osc_1_level", "continuous", 0.0, 1.0, 0.7),
        Parameter("osc_2_level", "continuous", 0.0, 1.0, 0.7),
        Parameter("osc_1_wave", "categorical", 0.0, 3.0, 0.0, choices=("Sine", "Saw", "Square", "Noise")),
        Parameter("voices", "categorical", 1.0, 16.0, 8.0),
        Parameter("cutoff", "continuous", 8.0, 136.0, 60.0),
    )
)
EVERYTHING = SpaceShape()


def shape(user=None, base=None):
    return shaped(SPACE, SpaceShape(**(base or {})), SpaceShape(**(user or {})))


def varied(**kwargs):
    return set(shape(**kwargs).names)


ALL = set(SPACE.names)
OSC = {"osc_1_level", "osc_2_level", "osc_1_wave"}


def test_what_the_engine_fixes_stays_there_unless_the_user_frees_it():
    wheel = ParameterSpace(SPACE.parameters, fixed={"cutoff": 100.0})

    assert shaped(wheel, EVERYTHING, EVERYTHING).fixed == {"cutoff": 100.0}
    assert shaped(wheel, SpaceShape(include=("osc_*", "cutoff")), EVERYTHING).fixed["cutoff"] == 100.0
    for freed in (SpaceShape(free=("cut*",)), SpaceShape(ranges={"cutoff": (10.0, 20.0)})):
        assert shaped(wheel, EVERYTHING, freed).fixed == {}
    assert shaped(wheel, EVERYTHING, SpaceShape(fix={"cutoff": 20.0})).fixed == {"cutoff": 20.0}


def test_without_a_shape_everything_varies():
    assert varied() == ALL
    assert shape().fixed == {}


def test_globs_include_and_exclude_and_the_rest_keep_their_default():
    assert varied(user={"include": ["osc_*"]}) == OSC
    assert shape({"include": ["osc_*"]}).fixed == {"voices": 8.0, "cutoff": 60.0}
    assert varied(user={"exclude": ["osc_?_level", "cut*"]}) == {"osc_1_wave", "voices"}
    assert varied(user={"include": ["osc_*"], "exclude": ["*_2_*"]}) == {"osc_1_level", "osc_1_wave"}


def test_the_users_include_replaces_the_backends_and_the_rest_add_up():
    assert varied(base={"include": ["osc_*"]}, user={"include": ["cutoff"]}) == {"cutoff"}
    assert varied(base={"exclude": ["cutoff"]}, user={"exclude": ["voices"]}) == OSC
    assert shape(base={"fix": {"voices": 1}}, user={"fix": {"cutoff": 100}}).fixed == {"voices": 1.0, "cutoff": 100.0}


def test_a_fixed_value_may_be_the_text_of_a_choice_in_any_case():
    assert shape({"fix": {"osc_1_wave": "square"}}).fixed == {"osc_1_wave": 2.0}


def test_of_several_keys_that_match_the_last_counts():
    assert shape({"fix": {"osc_*_level": 0.5, "osc_1_level": 0.1}}).fixed == {"osc_1_level": 0.1, "osc_2_level": 0.5}
    assert shape({"fix": {"osc_1_level": 0.1, "osc_*_level": 0.5}}).fixed == {"osc_1_level": 0.5, "osc_2_level": 0.5}
    ranged = shape({"ranges": {"osc_*_level": (0.5, 1.0), "osc_1_level": (0.1, 0.2)}})
    assert (ranged["osc_1_level"].drawn, ranged["osc_2_level"].drawn) == ((0.1, 0.2), (0.5, 1.0))


def test_a_key_of_the_user_counts_more_than_any_glob_of_the_backend():
    base = {
        "ranges": {"osc_1_level": (0.0, 0.5), "osc_*_level": (0.0, 0.9)},
        "fix": {"osc_2_level": 0.2, "osc_2_*": 0.3},
    }
    result = shape({"ranges": {"osc_1_level": (0.1, 0.2)}, "fix": {"osc_2_level": 0.4}}, base)
    assert result["osc_1_level"].drawn == (0.1, 0.2)
    assert result.fixed["osc_2_level"] == 0.4


def test_what_the_user_frees_or_ranges_or_weighs_varies_although_the_backend_fixes_it():
    base = {"fix": {"cutoff": 100, "voices": 1}, "exclude": ["osc_1_wave"], "include": ["osc_*", "cutoff", "voices"]}
    assert varied(base=base) == {"osc_1_level", "osc_2_level"}
    assert "cutoff" in varied(base=base, user={"free": ["cut*"]})
    assert "cutoff" in varied(base=base, user={"ranges": {"cutoff": (20, 90)}})
    assert "osc_1_wave" in varied(base=base, user={"weights": {"osc_1_wave": {"Saw": 1}}})
    assert "voices" in varied(base={"include": ["osc_*"]}, user={"free": ["voices"]})


def test_a_glob_of_ranges_frees_nothing():
    assert "osc_2_level" not in varied(base={"fix": {"osc_2_level": 0}}, user={"ranges": {"osc_*_level": (0, 0.5)}})


def test_what_the_user_fixes_or_excludes_does_not_vary_although_the_backend_frees_it():
    assert "cutoff" not in varied(base={"free": ["cutoff"]}, user={"fix": {"cutoff": 100}})
    assert "cutoff" not in varied(base={"free": ["cutoff"]}, user={"exclude": ["cutoff"]})
    assert "cutoff" not in varied(user={"free": ["cutoff"], "fix": {"cutoff": 100}})


def test_weights_become_shares_and_what_is_not_named_is_never_drawn():
    wave = shape({"weights": {"osc_1_wave": {"saw": 3, "Noise": 1}}})["osc_1_wave"]
    assert wave.weights == (0.0, 0.75, 0.0, 0.25)
    assert {choice_at(wave, u / 1000) for u in range(1000)} == {1, 3}
    voices = shape({"weights": {"voices": {"1": 1, "16": 1}}})["voices"]
    assert {i for i, w in enumerate(voices.weights) if w} == {0, 15}


def test_weights_outside_a_range_do_not_count():
    both = {"ranges": {"voices": (1, 4)}, "weights": {"voices": {"2": 1, "3": 1, "9": 5}}}
    assert shape(both)["voices"].weights[:4] == (0.0, 0.5, 0.5, 0.0)
    assert sum(shape(both)["voices"].weights) == 1.0


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ({"include": ["cutof"]}, "[space] include: unknown parameter 'cutof'. Did you mean 'cutoff'?"),
        ({"exclude": ["filter_*"]}, "[space] exclude: unknown parameter 'filter_*'"),
        ({"free": ["voice"]}, "[space] free: unknown parameter 'voice'. Did you mean 'voices'?"),
        ({"fix": {"osc_1_levl": 1}}, "[space] fix: unknown parameter 'osc_1_levl'. Did you mean 'osc_1_level'?"),
        ({"ranges": {"cutof": (1, 2)}}, "[space] ranges: unknown parameter 'cutof'. Did you mean 'cutoff'?"),
        ({"weights": {"wave": {"Saw": 1}}}, "[space] weights: unknown parameter 'wave'"),
        ({"fix": {"cutoff": 200}}, "[space] fix: cutoff = 200.0 is outside 8..136"),
        (
            {"fix": {"osc_1_wave": "sqare"}},
            "[space] fix: osc_1_wave has no choice 'sqare'. Did you mean 'Square'?",
        ),
        ({"fix": {"voices": 1.5}}, "[space] fix: voices = 1.5: a categorical parameter expects an integer"),
        ({"ranges": {"cutoff": (0, 100)}}, "[space] ranges: cutoff = [0, 100] is not a range within 8..136"),
        ({"ranges": {"cutoff": (90, 20)}}, "[space] ranges: cutoff = [90, 20] is not a range"),
        ({"ranges": {"cutoff": (20, 20)}}, "use [space.fix]"),
        ({"ranges": {"cutoff": (20, float("nan"))}}, "is not a range"),
        ({"ranges": {"voices": (1.5, 4)}}, "voices is categorical, so its bounds must be integers"),
        ({"weights": {"cutoff": {"1": 1}}}, "cutoff is continuous; weights are for choices"),
        ({"weights": {"osc_1_wave": {"Sow": 1}}}, "[space] weights: osc_1_wave has no choice 'Sow'"),
        ({"weights": {"voices": {"many": 1}}}, "[space] weights: voices expects integers, not 'many'"),
        ({"weights": {"voices": {"17": 1}}}, "[space] weights: voices = 17.0 is outside 1..16"),
        ({"weights": {"voices": {"2": -1}}}, "voices: 2 = -1 must be a finite weight of at least 0"),
        ({"weights": {"voices": {"2": float("inf")}}}, "voices: 2 = inf must be a finite weight of at least 0"),
        ({"weights": {"voices": {"2": 0}}}, "has no choice from 1 to 16 with a weight above 0"),
        (
            {"weights": {"osc_1_wave": {"Noise": 1}}, "ranges": {"osc_1_wave": (0, 1)}},
            "osc_1_wave has no choice from Sine to Saw with a weight above 0",
        ),
        ({"exclude": ["*"]}, "[space] leaves no parameter to vary."),
    ],
)
def test_a_mistake_is_told_by_key_and_name(user, message):
    with pytest.raises(SpaceError) as error:
        shape(user)
    assert message in str(error.value)


def test_what_is_firm_is_fixed_for_presets_too_unless_the_user_frees_it():
    base = SpaceShape(include=("osc_1_level",), fix={"voices": 4}, firm=("voi*",))
    assert shaped(SPACE, base, SpaceShape(), presets=True).fixed == {"voices": 4.0}
    assert shaped(SPACE, base, SpaceShape(free=("voices",)), presets=True).fixed == {}
    assert (
        shaped(SPACE, base, SpaceShape()).fixed
        == shaped(SPACE, base.model_copy(update={"firm": ()}), SpaceShape()).fixed
    )
    with pytest.raises(SpaceError, match="firm: unknown parameter 'voics'"):
        shaped(SPACE, SpaceShape(firm=("voics",)), SpaceShape(), presets=True)


def test_with_presets_only_what_the_user_fixes_is_fixed():
    base = SpaceShape(include=("osc_1_level",), fix={"voices": 4})
    space = shaped(SPACE, base, SpaceShape(fix={"cutoff": 50.0}), presets=True)
    assert space.fixed == {"cutoff": 50.0}
    assert space.held == {"osc_2_level": 0.7, "osc_1_wave": 0.0, "voices": 4.0}
    assert space.drawn.names == ("osc_1_level",)
    assert set(space.names) == ALL - {"cutoff"}
