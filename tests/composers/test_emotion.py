"""Music of a mood: what is meant decides what is played, and what is said is what sounds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from support.hearing import misheard, numerals_of, windows

from tonesmith.composers._bars import EIGHTH, Stream
from tonesmith.composers._moods import CUES, MOODS, cues_at, nearest_mood
from tonesmith.composers._song import BASS, CHORDS, DRUMS, MELODY, REACH, _ladder, _next, voice_ranges
from tonesmith.composers.emotion import Emotion, EmotionOptions
from tonesmith.errors import ConfigError
from tonesmith.host.roles import Composed
from tonesmith.score.bars import Bar
from tonesmith.score.theory import Tonality, find_key, parallels, parse_chord, parse_numeral
from tonesmith.testing import ComposerContract


class TestEmotionContract(ComposerContract):
    composer = Emotion
    refused = (
        {"mood": ["hapy"]},
        {"mood": ["sad"], "valence": [0, 1]},
        {"valence": [0.5, 0]},
        {"arousal": [0, 2]},
        {"tonic": ["H"]},
        {"tonic": ["C major"]},
        {"meter": ["4/5"]},
        {"bpm": [10, 70]},
        {"spread": -1},
    )


class TestEmotionByRangesContract(ComposerContract):
    composer = Emotion
    options = {"valence": [-1, 1], "arousal": [-1, 1], "drums": True, "meter": ["3/4", "7/8"], "bars": 4}


@pytest.fixture(scope="module")
def some() -> list[Composed]:
    return composed(40)


def composed(count: int, **options: object) -> list[Composed]:
    composer = Emotion(EmotionOptions(**options), 3)
    return [composer.compose(index) for index in range(count)]


def mean(name: str, **options: object) -> float:
    return float(np.mean([one.annotations[name] for one in composed(12, bars=1, **options)]))


def check_music(scores: list[Composed]) -> None:
    for one in scores:
        assert misheard(one, [CHORDS, BASS]) == [], one.annotations
        assert [parallels(a, b) for a, b in pairwise(voicings_of(one)) if parallels(a, b)] == [], one.annotations
        notes, said = one.score.notes, one.annotations
        melody = notes[notes["part"] == MELODY]
        assert (np.abs(melody["pitch"].astype(int) - said["register"]) <= REACH).all()
        ranges = voice_ranges(said["register"])
        for row in voicings_of(one):
            assert all(low <= pitch <= high for pitch, (low, high) in zip(row, ranges, strict=True))


def voicings_of(composed: Composed) -> list[list[int]]:
    """Return bass, tenor, alto and soprano of each chord."""
    rows = []
    for first, end in windows(composed):
        inside = composed.score.notes[(composed.score.notes["onset"] >= first) & (composed.score.notes["onset"] < end)]
        chord = inside["pitch"][inside["part"] == CHORDS][:3].tolist()
        rows.append([int(inside["pitch"][inside["part"] == BASS][0]), *sorted(chord)])
    return rows


def key_share(scores: list[Composed]) -> float:
    found = [(find_key(one.score), one.annotations["key"]) for one in scores]
    return float(np.mean([str(key.tonality) == stated for key, stated in found if key is not None]))


def test_the_progression_is_what_sounds_without_parallels_and_within_range(some: list[Composed]):
    check_music(some)


def test_the_key_is_found_again(some: list[Composed]):
    assert key_share(some) >= 0.95


@pytest.mark.long
@pytest.mark.parametrize(
    "options", [{}, {"valence": [-1, 1], "arousal": [-1, 1], "meter": ["3/4", "6/8", "5/4"], "drums": True}]
)
def test_a_thousand_scores_are_what_they_say(options: dict[str, object]):
    scores = composed(1000, **options)
    check_music(scores)
    assert key_share(scores) >= 0.95
    assert len({one.score.digest for one in scores}) == 1000


def test_every_mood_has_progressions_of_its_own_in_both_modes_and_every_numeral_is_one():
    owners: dict[str, set[str]] = {}
    for name, mood in MOODS.items():
        for mode in ("major", "minor"):
            assert len(mood.progressions(mode)) >= 2
            for text in mood.progressions(mode):
                owners.setdefault(text, set()).add(name)
                assert [parse_numeral(numeral, Tonality(0, mode)) for numeral in text.split()]
    assert {text: names for text, names in owners.items() if len(names) > 1} == {}


def test_a_score_plays_a_progression_of_its_mood(some: list[Composed]):
    assert {one.annotations["mood"] for one in some} == set(MOODS)
    for one in some:
        said = one.annotations
        played = numerals_of(said["progression"])
        assert " ".join(played[:4]) in MOODS[said["mood"]].progressions(said["mode"])
        assert played[-1] == ("I" if said["mode"] == "major" else "i")
        tonality = Tonality.parse(said["key"])
        assert [parse_chord(s) for s in numerals_of(said["chords"])] == [parse_numeral(n, tonality) for n in played]


def test_an_unknown_mood_is_an_error_that_names_the_nearest():
    with pytest.raises(ConfigError, match=r"unknown mood 'hapy'. Did you mean 'happy'\?"):
        Emotion(EmotionOptions(mood=("hapy",)), 1)


def test_arousal_makes_music_faster_louder_denser_and_more_detached():
    still, excited = {"arousal": (-0.9, -0.7)}, {"arousal": (0.7, 0.9)}
    for name in ("tempo_bpm", "dynamics", "density", "register"):
        assert mean(name, **excited) > mean(name, **still) * (1.05 if name == "register" else 1.3)
    assert mean("articulation", **excited) < mean("articulation", **still) - 0.25


def test_valence_chooses_the_mode_and_lifts_the_register():
    low, high = {"valence": (-0.9, -0.5)}, {"valence": (0.5, 0.9)}
    assert {one.annotations["mode"] for one in composed(20, bars=1, **low)} == {"minor"}
    assert {one.annotations["mode"] for one in composed(20, bars=1, **high)} == {"major"}
    assert mean("register", **high) > mean("register", **low) + 3


def test_the_table_is_additive_and_kept_within_its_bounds():
    for name, cue in CUES.items():
        base = cue.at(0, 0, 0)
        small = 0.1
        together = cue.at(small, small, small) - base
        alone = [cue.at(*(small * (i == k) for i in range(3))) - base for k in range(3)]
        assert together == pytest.approx(sum(alone)), name
        assert cue.low <= cue.at(-9, -9, -9) <= cue.at(9, 9, 9) <= cue.high or name == "articulation"
    one, other = (cues_at(0.3, -0.2, 0.0, (50, 200), Stream(seed, "x", 0)) for seed in (1, 2))
    assert one == other


def test_valence_and_arousal_lie_around_the_mood_or_in_the_ranges_with_the_nearest_mood():
    for one in composed(30, bars=1, spread=0.02):
        said = one.annotations
        mood = MOODS[said["mood"]]
        assert abs(said["valence"] - mood.valence) < 0.08
        assert abs(said["arousal"] - mood.arousal) < 0.08
    for one in composed(30, bars=1, valence=(-0.2, 0.1), arousal=(0.5, 0.6)):
        said = one.annotations
        assert -0.2 <= said["valence"] <= 0.1
        assert 0.5 <= said["arousal"] <= 0.6
        assert said["mood"] == nearest_mood(said["valence"], said["arousal"])


def test_what_the_cues_say_is_what_is_played(some: list[Composed]):
    for one in some:
        notes, said = one.score.notes, one.annotations
        bass = notes[notes["part"] == BASS]
        written = 480 * float(Bar.of(said["meter"]).beats) * said["bars"]
        assert one.score.end <= written
        assert set(bass["velocity"].tolist()) <= {said["dynamics"] - 2, min(said["dynamics"] + 6, 127)}
        assert bass["duration"].sum() == pytest.approx(said["articulation"] * written, rel=0.02)
        assert one.score.tempos.microseconds[0] == round(60e6 / said["tempo_bpm"])
        melody = notes[notes["part"] == MELODY]
        assert (np.diff(melody["onset"]) >= EIGHTH * 2 / said["density"] - 1).all()
        assert (one.score.keys[0].minor, len(one.score.parts)) == (said["mode"] == "minor", 3)


def test_options_say_what_is_drawn():
    scores = composed(12, mood=["sad"], tonic=["Bb"], bpm=(60, 70), meter=["12/8"], drums=True, bars=2)
    assert {(one.annotations["mood"], one.annotations["key"]) for one in scores} == {("sad", "Bb minor")}
    assert all(60 <= one.annotations["tempo_bpm"] <= 70 for one in scores)
    for one in scores:
        drums = one.score.notes[one.score.notes["part"] == DRUMS]
        assert set(drums["pitch"].tolist()) == {36, 38, 42}
        assert one.score.parts[DRUMS].drums


def test_a_melody_turns_back_before_it_goes_too_far():
    draws = Stream(1, "turn", 0)
    for pitch in range(60 - REACH, 61 + REACH):
        ladder = _ladder(frozenset({(pitch + 11) % 12}))
        assert all(abs(_next(ladder, pitch, 60, draws) - 60) <= REACH for _ in range(50))


def test_short_phrases_still_play_chords_of_the_progression():
    for seconds, chords in ((5.0, 2), (10.0, 4)):
        one = Emotion(EmotionOptions(bpm=(50, 50)), 1, seconds).compose(0)
        assert len(numerals_of(one.annotations["progression"])) == chords
        assert one.score.duration <= seconds
