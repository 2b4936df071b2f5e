"""Progressions from a grammar: what they say is what sounds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from support.hearing import misheard, numerals_of, slots_of, voices

from tonesmith.composers._grammar import WORDS
from tonesmith.composers.harmony import Harmony, HarmonyOptions
from tonesmith.errors import ConfigError
from tonesmith.host.roles import Composed
from tonesmith.score.theory import CHOIR, Tonality, find_key, parallels, parse_chord, parse_numeral
from tonesmith.score.theory.voicing import voicings
from tonesmith.testing import ComposerContract

PARTS = range(4)


class TestHarmonyContract(ComposerContract):
    composer = Harmony
    refused = (
        {"key": ["H"]},
        {"key": ["D dorian"]},
        {"meter": ["4/5"]},
        {"meter": []},
        {"texture": []},
        {"bpm": [140, 70]},
        {"bpm": [1, 70]},
        {"bars": 0},
        {"borrowed": 1.5},
    )


class TestRichHarmonyContract(ComposerContract):
    composer = Harmony
    options = {
        "key": ["Bb"],
        "meter": ["7/8", "12/8"],
        "borrowed": 1.0,
        "sevenths": 1.0,
        "inversions": 1.0,
        "bars": 5,
    }


@pytest.fixture(scope="module")
def some() -> list[Composed]:
    return composed(40)


def composed(count: int, **options: object) -> list[Composed]:
    composer = Harmony(HarmonyOptions(**options), 7)
    return [composer.compose(index) for index in range(count)]


def check_music(scores: list[Composed]) -> None:
    for one in scores:
        assert misheard(one, PARTS) == []
        pitches = voices(one, [3, 2, 1, 0])
        assert all(not parallels(a, b) for a, b in pairwise(pitches)), one.annotations
        assert all(row == sorted(row) for row in pitches), "voices cross"
        for row in pitches:
            assert all(low <= pitch <= high for pitch, (low, high) in zip(row, CHOIR, strict=True))


def key_share(scores: list[Composed]) -> float:
    found = [(find_key(one.score), one.annotations["key"]) for one in scores]
    return float(np.mean([str(key.tonality) == stated for key, stated in found if key is not None]))


def test_the_progression_is_what_sounds_and_voices_neither_cross_nor_run_in_parallel(some: list[Composed]):
    check_music(some)


def test_the_key_is_found_again(some: list[Composed]):
    assert key_share(some) >= 0.95


@pytest.mark.long
@pytest.mark.parametrize(
    "options", [{}, {"borrowed": 1.0, "sevenths": 1.0, "inversions": 1.0, "meter": ["5/4", "7/8"]}]
)
def test_a_thousand_scores_are_what_they_say(options: dict[str, object]):
    scores = composed(1000, **options)
    check_music(scores)
    assert key_share(scores) >= 0.95
    assert len({one.annotations["progression"] for one in scores}) > 900


def test_chords_are_the_numerals_in_the_key(some: list[Composed]):
    for one in some:
        tonality = Tonality.parse(one.annotations["key"])
        named = [parse_chord(symbol) for symbol in numerals_of(one.annotations["chords"])]
        assert named == [parse_numeral(text, tonality) for text in numerals_of(one.annotations["progression"])]


def test_a_piece_begins_on_the_tonic_and_ends_with_its_cadence(some: list[Composed]):
    for one in composed(25, bars=8, sevenths=0.0):
        first, *_, before, last = numerals_of(one.annotations["progression"])
        assert {first, last} <= {"I", "i"}
        assert before in ({"V"} if one.annotations["cadence"] == "authentic" else {"IV", "iv"})
    assert {one.annotations["cadence"] for one in some} == {"authentic", "plagal"}


def test_sevenths_inversions_and_borrowed_chords_come_as_often_as_asked():
    plain = composed(10, bars=16, sevenths=0.0, inversions=0.0, borrowed=0.0)
    rich = composed(10, bars=16, sevenths=1.0, inversions=0.0, borrowed=1.0)
    mode = {
        name: set().union(*words.functions.values()) | set(words.fifths) | {words.tonic}
        for name, words in WORDS.items()
    }
    for one in plain:
        assert set(numerals_of(one.annotations["progression"])) <= mode[one.annotations["mode"]]
    assert np.mean(["V7/" in one.annotations["progression"] for one in rich]) > 0.7
    assert not any("V7/" in one.annotations["progression"] for one in plain)
    assert np.mean(["7" in text for one in rich for text in numerals_of(one.annotations["progression"])]) > 0.4


@pytest.mark.parametrize(("meter", "beats"), [("4/4", 4), ("7/8", 3.5), ("12/8", 6), ("5/4", 5)])
def test_a_score_has_the_bars_that_it_says_in_its_meter(meter: str, beats: float):
    for one in composed(4, meter=[meter], bars=6, texture=["block"]):
        assert (one.annotations["bars"], one.annotations["meter"]) == (6, meter)
        assert len(slots_of(one.annotations["progression"])) == 6
        assert float(one.score.beats) == 6 * beats
        assert f"{one.score.meters[0].beats}/{one.score.meters[0].unit}" == meter


def test_a_broken_chord_of_two_eighths_has_every_voice():
    scores = composed(12, meter=["3/4"], texture=["broken"], sevenths=1.0)
    assert any(2 in slots_of(one.annotations["progression"]) for one in scores)
    check_music(scores)


def test_options_say_what_is_drawn():
    scores = composed(30, key=["Bb major", "F#m"], bpm=(90, 91), texture=["broken"], bars=2)
    assert {one.annotations["key"] for one in scores} == {"Bb major", "F# minor"}
    assert {(k.sharps, k.minor) for one in scores for k in one.score.keys} == {(-2, False), (3, True)}
    assert all(90 <= one.annotations["tempo_bpm"] <= 91 for one in scores)
    assert {one.annotations["texture"] for one in scores} == {"broken"}


def test_a_score_has_fewer_bars_where_a_phrase_is_short_and_one_that_is_too_short_is_refused():
    short = Harmony(HarmonyOptions(meter=("4/4",), bpm=(120, 120)), 1, 5.0).compose(0)
    assert (short.annotations["bars"], short.score.duration) == (2, 4.0)
    with pytest.raises(ConfigError, match=r"a bar of 4/4 at 60 beats per minute takes 4 s, .* may take 3 s"):
        Harmony(HarmonyOptions(bpm=(60, 120)), 1, 3.0)


@pytest.mark.first
@pytest.mark.parametrize("tonic", range(12))
def test_any_chord_of_the_grammar_can_follow_any_other_without_parallels(tonic: int):
    for mode, words in WORDS.items():
        triads = {words.tonic, *words.fifths}.union(*words.functions.values(), *words.borrowed.values())
        known = triads | {words.sevenths.get(text, text) for text in triads}
        known |= {text for numeral in known for text in words.inversions.get(numeral, ())}
        known |= {f"V7/{text.removesuffix('maj7').removesuffix('7')}" for text in words.targets}
        chords = [parse_numeral(text, Tonality(tonic, mode)) for text in sorted(known)]
        rows = {chord: voicings(chord)[0].tolist() for chord in chords}
        for before in chords[tonic % 5 :: 5]:
            for after in chords:
                free = [any(not parallels(a, b) for b in rows[after]) for a in rows[before]]
                assert all(free), (before, after)
