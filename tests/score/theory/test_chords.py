"""Chord symbols, chords named by their notes, and the spelling of both."""

from __future__ import annotations

import pytest

from tonesmith.errors import ScoreError
from tonesmith.score.theory import Chord, Tonality, chord_of, name_chord, parse_chord, pitch_class, scale, symbol_of
from tonesmith.score.theory.symbols import SUFFIXES, root_name

SHARED = (
    *("C", "Cm", "Cdim", "Caug", "C7", "Cmaj7", "Cm7", "Cdim7", "Cm7b5", "Csus2", "Csus4", "C6", "Cm6", "C9"),
    *("CM9", "Cm9", "C11", "Cm11", "Cadd9", "F#m7", "B-maj7", "E-m", "G/B", "D7/F#", "A-7/G-", "C+", "Co7", "Cø7"),
)
"""Symbols that music21 reads alike; its flat is a dash."""


@pytest.mark.long
def test_symbols_have_the_notes_that_music21_gives_them():
    from music21 import harmony

    for symbol in SHARED:
        chord = parse_chord(symbol.replace("-", "b"))
        other = harmony.ChordSymbol(symbol)
        assert set(chord.pitch_classes) == {p.pitchClass for p in other.pitches}, symbol
        assert (chord.root, chord.lowest) == (other.root().pitchClass, other.bass().pitchClass), symbol


@pytest.mark.parametrize(
    ("symbol", "tones"),
    [
        ("CmM7", (0, 3, 7, 11)),
        ("Cm(maj7)", (0, 3, 7, 11)),
        ("C-7", (0, 3, 7, 10)),
        ("C6/9", (0, 4, 7, 9, 14)),
        ("C13", (0, 4, 7, 10, 14, 21)),
        ("C7sus4", (0, 5, 7, 10)),
        ("C7(b9,#11)", (0, 4, 7, 10, 13, 18)),
        ("C7b9#9", (0, 4, 7, 10, 13, 15)),
        ("C7b5", (0, 4, 6, 10)),
        ("C7#5", (0, 4, 8, 10)),
        ("C5", (0, 7)),
        ("Cno3", (0, 7)),
        ("CΔ", (0, 4, 7, 11)),
    ],
)
def test_a_symbol_means_what_charts_mean_by_it(symbol: str, tones: tuple[int, ...]):
    assert parse_chord(symbol) == Chord(0, tones)


def test_every_chord_is_read_again_from_its_symbol_and_from_its_notes():
    for root in range(12):
        for suffix, tones in SUFFIXES.items():
            chord = Chord(root, tones)
            assert parse_chord(symbol_of(chord)) == chord, suffix
            found = chord_of(36 + root + tone for tone in tones)
            assert found is not None
            assert found.sounds_as(chord), suffix


@pytest.mark.parametrize(
    ("pitches", "name"),
    [
        ([60, 64, 67], "C"),
        ([52, 60, 67], "C/E"),
        ([45, 60, 64, 67], "Am7"),
        ([48, 57, 64, 67], "C6"),
        ([48, 64, 70], "C7"),
        ([48, 57, 64], "Am/C"),
        ([50, 60, 64, 67], "C/D"),
        ([61, 65, 68], "Db"),
        ([61, 64, 67, 70], "C#dim7"),
        ([60, 61, 62], ""),
        ([60], ""),
        ([], ""),
    ],
)
def test_notes_are_named_with_their_bass(pitches: list[int], name: str):
    assert name_chord(pitches, Tonality(0)) == name


def test_names_are_the_nearest_to_the_tonic_on_the_line_of_fifths():
    assert " ".join(Tonality.parse("C").spell(p) for p in range(12)) == "C C# D Eb E F F# G Ab A Bb B"
    assert [Tonality.parse("a").spell(p) for p in (8, 10)] == ["G#", "Bb"]
    assert Tonality.parse("E").spell(3) == "D#"
    assert root_name(Chord(1), Tonality.parse("C")) == "Db"
    assert symbol_of(parse_chord("C#dim7/Bb"), Tonality.parse("C")) == "C#dim7/Bb"
    assert [str(Tonality.parse(text)) for text in ("bb", "F#", "D Dorian", "Eb minor")] == [
        "Bb minor",
        "F# major",
        "D dorian",
        "D# minor",
    ]


@pytest.mark.long
@pytest.mark.parametrize("tonic", range(12))
def test_scales_and_signatures_are_those_of_music21(tonic: int):
    from music21 import key
    from music21 import scale as scales

    for mode in ("major", "minor", "dorian", "phrygian", "lydian", "mixolydian", "locrian"):
        mine = Tonality(tonic, mode)
        other = key.Key(mine.name.replace("b", "-"), mode)
        assert mine.sharps == other.sharps
        assert set(mine.scale) == {p.pitchClass for p in other.pitches}
        assert mine.scale == scale(mode, mine.name)
    assert scale("harmonic minor", tonic) == tuple(
        p.pitchClass for p in scales.HarmonicMinorScale(Tonality(tonic).spell(tonic).replace("b", "-")).pitches[:7]
    )


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda: parse_chord("H7"), "'H7' is no chord"),
        (lambda: parse_chord("Cfoo"), "'Cfoo' is no chord"),
        (lambda: parse_chord("C/"), "'C/' is no chord"),
        (lambda: parse_chord("C" + "b9" * 10_000 + "!"), "is no chord"),
        (lambda: scale("doran"), "Did you mean 'dorian'?"),
        (lambda: Tonality.parse("X major"), "'X major' is no key"),
        (lambda: Tonality.parse("C happy"), "unknown mode 'happy'"),
        (lambda: pitch_class("h"), "'h' is no name of a note"),
        (lambda: Chord(0, (4, 0)), "must rise from 0 to 23"),
        (lambda: Chord(12), "pitch class 12"),
        (lambda: symbol_of(Chord(0, (0, 1, 2))), "no chord symbol has the tones 0, 1, 2"),
    ],
)
def test_what_is_none_is_an_error_that_says_so(wrong, told: str):
    with pytest.raises(ScoreError, match=told.replace("?", r"\?")):
        wrong()
