"""The composer of written chords: charts, positions, rhythms."""

from __future__ import annotations

import pytest

from tonesmith.composers.chords import Chords
from tonesmith.errors import ConfigError
from tonesmith.host.settings import InvalidSettings, validate
from tonesmith.score.score import Key, Meter
from tonesmith.testing import ComposerContract


def phrases(chords, seconds=None, **options):
    return Chords(validate(Chords.Options, {"chords": chords, **options}), 1, seconds).collected()


def notes(chords, **options):
    """Onset and duration in beats, and pitch, of the only phrase."""
    (phrase,) = phrases(chords, **options)
    rows = phrase.score.notes.tolist()
    return [(onset / 960, duration / 960, pitch) for onset, duration, pitch, _, _ in rows]


def pitches(chord, voicing):
    return [pitch for _, _, pitch in notes([chord], voicing=voicing)]


class TestChords(ComposerContract):
    composer = Chords
    options = {"chords": ["C | Am7", "F | G/B"], "each": True, "rhythm": "up"}
    refused = (
        {"chords": []},
        {"chords": ["H"]},
        {"chords": ["ii7"]},
        {"rhythm": "slow"},
        {"rhythm": "..."},
        {"key": "H major"},
        {"bpm": 20.0},
    )


@pytest.mark.parametrize(
    ("chord", "voicing", "expected"),
    [
        ("C", "close", [48, 52, 55]),
        ("G/B", "close", [59, 62, 67]),
        ("Cmaj9", "close", [48, 52, 55, 59, 62]),
        ("C/F#", "close", [54, 55, 60, 64]),
        ("C", "open", [48, 55, 64]),
        ("Cmaj7", "open", [48, 55, 64, 71]),
        ("Cmaj7", "drop2", [48, 55, 60, 64, 71]),
        ("C5", "drop2", [48, 55]),
        ("C", "guitar", [48, 52, 55, 60, 64]),
        ("G", "guitar", [43, 47, 50, 55, 59, 67]),
        ("Am7", "guitar", [45, 52, 55, 60, 64]),
        ("D", "guitar", [50, 57, 62, 66]),
        ("C", "led", [48, 55, 64, 67]),
    ],
)
def test_a_position_is_what_players_know_by_that_name(chord, voicing, expected):
    assert pitches(chord, voicing) == expected


def test_led_voices_move_less_than_positions_do():
    def motion(voicing):
        (phrase,) = phrases("Cmaj7 | Fmaj7 | G7 | Cmaj7", voicing=voicing)
        rows = phrase.score.notes["pitch"].reshape(4, -1).astype(int)
        return abs(rows[1:, 1:] - rows[:-1, 1:]).sum()

    assert motion("led") < motion("open")


def test_an_octave_moves_every_voicing_and_none_leaves_the_range():
    for voicing in ("close", "open", "drop2", "guitar", "led"):
        at = {o: [p for _, _, p in notes("C | F", voicing=voicing, octave=o)] for o in (3, 4)}
        assert at[4] == [pitch + 12 for pitch in at[3]]
    with pytest.raises(ConfigError, match="octave 7: C13 would have the pitch 129, outside 0 to 127"):
        phrases("C13", octave=7, voicing="open")


def test_a_bar_shares_its_beats_and_a_sign_repeats_or_rests():
    told = notes("C5 | % | F5 G5 | - A5 N.C.", voicing="close", beats=3)
    assert [(onset, duration) for onset, duration, pitch in told[::2]] == [
        (0.0, 3.0),
        (3.0, 3.0),
        (6.0, 1.5),
        (7.5, 1.5),
        (10.0, 1.0),
    ]


def test_bars_are_one_chart_and_texts_with_lines_are_one_each():
    assert [p.annotations["chords"] for p in phrases(["C", "Am7", "F  G/B"])] == ["C | Am7 | F G/B"]
    assert [p.annotations["chords"] for p in phrases(["C | F", "| Dm |"])] == ["C | F", "Dm"]
    assert [p.annotations["chords"] for p in phrases("C | F G | - C", each=True)] == ["C", "F", "G"]


def test_numerals_are_chords_of_the_key_which_is_stated():
    (phrase,) = phrases(["ii7", "V7", "Ebmaj7"], key="Eb major", voicing="close")
    assert phrase.score.keys == (Key(0, -3, False),)
    assert phrase.score.meters == (Meter(0, 4, 4),)
    assert phrase.score.notes["pitch"].tolist() == [53, 56, 60, 63, 58, 62, 65, 68, 51, 55, 58, 62]


@pytest.mark.parametrize(
    ("rhythm", "strokes"),
    [
        ("whole", [(0, 4)]),
        ("halves", [(0, 2), (2, 2)]),
        ("quarters", [(0, 1), (1, 1), (2, 1), (3, 1)]),
        ("x..x..x.", [(0, 1.5), (1.5, 1.5), (3, 1)]),
        (".X", [(2, 2)]),
    ],
)
def test_a_rhythm_strikes_up_to_the_next_stroke(rhythm, strokes):
    told = notes("C", rhythm=rhythm, voicing="close")
    assert [(onset, duration) for onset, duration, _ in told[::3]] == strokes


def test_the_last_stroke_of_a_bar_ends_with_it():
    assert [(onset, duration) for onset, duration, _ in notes("C", rhythm="halves", beats=3, voicing="close")[::3]] == [
        (0, 2),
        (2, 1),
    ]


def test_a_pattern_is_laid_over_the_bar_whatever_chords_share_it():
    told = notes("C F", rhythm="x..x..x.", voicing="close")
    assert [(onset, duration, pitch) for onset, duration, pitch in told[::3]] == [
        (0, 1.5, 48),
        (1.5, 0.5, 48),
        (3, 1, 53),
    ]


@pytest.mark.parametrize(
    ("rhythm", "expected"),
    [
        ("up", [48, 52, 55, 48, 52, 55, 48, 52]),
        ("down", [55, 52, 48, 55, 52, 48, 55, 52]),
        ("updown", [48, 52, 55, 52, 48, 52, 55, 52]),
    ],
)
def test_a_broken_chord_plays_its_notes_in_eighths(rhythm, expected):
    told = notes("C", rhythm=rhythm, voicing="close")
    assert [pitch for _, _, pitch in told] == expected
    assert [onset for onset, _, _ in told] == [n / 2 for n in range(8)]


def test_a_strum_delays_each_note_and_ends_them_together_and_a_gate_ends_them_early():
    told = notes("C", strum_ms=25.0, voicing="close", gate=0.5)
    assert told == [(0.0, 2.0, 48), (0.05, 1.95, 52), (0.1, 1.9, 55)]
    with pytest.raises(ConfigError, match="strum_ms = 200: 4 notes take longer than the shortest stroke, 250 ms"):
        phrases("C", strum_ms=200.0, rhythm="eighths")


def test_an_accent_is_louder_and_never_too_loud():
    for velocity, expected in ((90, [90, 110]), (120, [120, 127])):
        (phrase,) = phrases("C5", rhythm="xX", velocity=velocity, voicing="close")
        assert phrase.score.notes["velocity"].tolist()[::2] == expected


def test_a_chart_that_takes_too_long_is_refused_and_one_that_fits_to_the_microsecond_is_not():
    with pytest.raises(ConfigError, match="take 4 s, and a phrase may take 3 s"):
        phrases("C | F", seconds=3.0)
    (phrase,) = phrases("C", seconds=4 * 60 / 110, bpm=110.0)
    assert phrase.score.duration <= 4 * 60 / 110
    assert phrase.annotations["tempo_bpm"] == 110.0


@pytest.mark.parametrize(
    ("chords", "options", "message"),
    [
        (["H"], {}, "'H' is no chord: .* A numeral such as 'ii7' needs a key"),
        (["Q7"], {"key": "C"}, "chords: "),
        (["-"], {}, "there is no chord"),
        (["| "], {}, "there is no chord"),
        ([], {}, "there is no chord. Give a list"),
        (["- F -"], {"rhythm": "x.."}, "strikes none of the chords"),
        (["C"] * 600, {}, "a chart of .* bytes; 1,024 is the most"),
    ],
)
def test_what_is_no_chart_is_refused_with_the_reason(chords, options, message):
    with pytest.raises(ConfigError, match=message):
        phrases(chords, **options)


def test_an_unknown_rhythm_names_those_there_are():
    with pytest.raises(InvalidSettings) as refused:
        phrases(["C"], rhythm="slow")
    assert "whole, halves, quarters, eighths, up, down, updown, or a pattern" in refused.value.problems[0].text
