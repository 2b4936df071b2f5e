"""Roman numerals, by the convention of charts."""

from __future__ import annotations

import pytest

from tonesmith.errors import ScoreError
from tonesmith.score.theory import MODES, Chord, Tonality, numeral_of, parse_chord, parse_numeral
from tonesmith.score.theory.symbols import SUFFIXES

SHARED = {
    "major": "I ii iii IV V vi viio V7 ii7 vi7 iii7 viio7 viiø7 ii65 V65 V43 V42 I64 V/V V7/V V7/vi viio7/ii viio7/V "
    "bII bIII bVI bVII iv i IV64 N6 Ger65 Cad64",
    "minor": "i iv V v7 VI III iio V7 iv7 V65 V43 V42 i64 V/V V7/V viio7/V V7/iv viio7/iv i7 iv64 N6 Ger65 Cad64",
}
"""Numerals on which charts and music21 agree."""


@pytest.mark.long
@pytest.mark.parametrize("tonic", range(12))
def test_numerals_have_the_notes_that_music21_gives_them_in_every_key(tonic: int):
    from music21 import key, roman

    for mode, shared in SHARED.items():
        tonality = Tonality(tonic, mode)
        other = key.Key(tonality.name.replace("b", "-"), mode)
        for text in shared.split():
            notes = roman.RomanNumeral(text, other).pitches
            chord = parse_numeral(text, tonality)
            assert set(chord.pitch_classes) == {p.pitchClass for p in notes}, (text, tonality)
            assert chord.lowest == notes[0].pitchClass, (text, tonality)


@pytest.mark.parametrize(
    ("text", "key", "symbol"),
    [
        ("I7", "C", "C7"),
        ("IV7", "C", "F7"),
        ("bVII7", "C", "Bb7"),
        ("Imaj7", "C", "Cmaj7"),
        ("imaj7", "a", "Ammaj7"),
        ("bVII", "a", "G"),
        ("VII", "a", "G"),
        ("vi", "a", "Fm"),
        ("nvi", "a", "F#m"),
        ("viio", "a", "G#dim"),
        ("bviio", "a", "Gdim"),
        ("Isus4", "C", "Csus4"),
        ("V7sus4", "C", "G7sus4"),
        ("Iadd9", "C", "Cadd9"),
        ("I6", "C", "C6"),
        ("I63", "C", "C/E"),
        ("Imaj65", "C", "Cmaj7/E"),
        ("subV7", "C", "Db7"),
        ("Fr43", "C", "Ab7b5"),
        ("V/V/V", "C", "A"),
        ("V9/ii", "C", "A9"),
        ("♭VII", "C", "Bb"),
        ("IV", "D dorian", "G"),
        ("II", "F lydian", "G"),
    ],
)
def test_a_numeral_means_what_charts_mean_by_it(text: str, key: str, symbol: str):
    assert parse_numeral(text, Tonality.parse(key)) == parse_chord(symbol)


def test_a_chord_is_read_again_from_its_numeral_in_every_mode():
    written = 0
    for root in range(0, 12, 2):
        for tones in SUFFIXES.values():
            for bass in {(root + tone) % 12 for tone in tones}:
                for mode in MODES:
                    tonality = Tonality(5, mode)
                    try:
                        text = numeral_of(Chord(root, tones, bass), tonality)
                    except ScoreError:
                        continue
                    written += 1
                    assert parse_numeral(text, tonality) == Chord(root, tones, bass), (text, tonality)
    assert written > 2500


@pytest.mark.parametrize(
    ("symbol", "key", "text"),
    [
        ("Bb", "C", "bVII"),
        ("F#dim", "C", "#ivo"),
        ("C#dim7", "C", "#io7"),
        ("G#dim7", "a", "viio7"),
        ("F#m7b5", "a", "nviø7"),
        ("D7", "C", "II7"),
        ("G7/F", "C", "V42"),
        ("E/G#", "a", "V63"),
    ],
)
def test_chords_are_written_as_charts_write_them(symbol: str, key: str, text: str):
    assert numeral_of(parse_chord(symbol), Tonality.parse(key)) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Ifoo", "'Ifoo' is no numeral: 'foo' cannot follow an upper-case degree"),
        ("H", "'H' is no numeral"),
        ("", "'' is no numeral"),
        ("V/foo", "'V/foo' is no numeral"),
        ("V7/IVx", "'IVx' in 'V7/IVx' is no numeral"),
        ("isus4", "'isus4': sus4 does not go with a lower-case numeral: write Isus4"),
        ("VIII", "is no numeral"),
        ("/V", "is no numeral"),
    ],
)
def test_an_unknown_numeral_is_an_error_that_says_what_is_wrong(text: str, told: str):
    with pytest.raises(ScoreError, match=told):
        parse_numeral(text, Tonality(0))


def test_a_chord_that_no_numeral_has_is_an_error_that_names_it():
    with pytest.raises(ScoreError, match="no numeral has the bass of C/D"):
        numeral_of(parse_chord("C/D"), Tonality(0))
    with pytest.raises(ScoreError, match="no numeral has the tones of a chord on 0"):
        numeral_of(Chord(0, (0, 1)), Tonality(0))
