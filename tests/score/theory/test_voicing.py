"""Voices are led: little motion, no crossing, no parallels."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tonesmith.errors import ScoreError
from tonesmith.score.theory import CHOIR, Chord, Tonality, lead_voices, parallels, parse_chord, parse_numeral
from tonesmith.score.theory.symbols import SUFFIXES
from tonesmith.score.theory.voicing import voicings

SONG = "I vi IV V I iii IV I63 ii65 V7 vi ii V42 I63 bII63 V7 I"


@pytest.mark.parametrize("tonic", range(0, 12, 3))
def test_voices_move_little_and_neither_cross_nor_run_in_parallel(tonic: int):
    chords = [parse_numeral(text, Tonality(tonic)) for text in SONG.split()]
    pitches = lead_voices(chords)
    assert (np.diff(pitches, axis=1) >= 0).all()
    assert [parallels(a, b) for a, b in zip(pitches.tolist(), pitches[1:].tolist(), strict=False)] == [[]] * 16
    assert np.abs(np.diff(pitches[:, 1:], axis=0)).mean() < 2.6
    for row, chord in zip(pitches.tolist(), chords, strict=True):
        assert row[0] % 12 == chord.lowest
        assert {p % 12 for p in row} <= set(chord.pitch_classes)
        assert all(low <= pitch <= high for pitch, (low, high) in zip(row, CHOIR, strict=True))


def test_the_way_is_the_cheapest_of_all():
    from tonesmith.score.theory.voicing import _moves

    chords = [parse_chord(symbol) for symbol in ("C", "G7/B", "Am")]
    sets = [voicings(chord) for chord in chords]
    best = min(
        (sets[0][1][a] + _moves(*chords[:2], CHOIR)[b, a] + _moves(*chords[1:], CHOIR)[c, b], (a, b, c))
        for a, b, c in product(*(range(len(costs)) for _, costs in sets))
    )
    assert lead_voices(chords).tolist() == [sets[n][0][at].tolist() for n, at in enumerate(best[1])]


def test_every_chord_that_has_a_symbol_has_a_voicing_with_its_characteristic_tones():
    for root, (suffix, tones) in product(range(0, 12, 5), SUFFIXES.items()):
        row = lead_voices([Chord(root, tones)])[0]
        heard = {(p - root) % 12 for p in row.tolist()}
        characteristic = {t % 12 for t in (tones[0], tones[1], *tones[-1:])} | ({10, 11} & set(tones))
        assert characteristic - {7} <= heard, suffix


def test_the_same_chords_are_set_alike_and_repeated_chords_stay():
    chords = [Chord(0), Chord(0), Chord(5), Chord(5)]
    first = lead_voices(chords)
    assert (first == lead_voices(list(chords))).all()
    assert (first[0] == first[1]).all()
    assert (first[2] == first[3]).all()
    assert lead_voices([]).shape == (0, 4)


def test_parallels_are_found_between_any_two_voices():
    assert parallels([48, 55, 64, 72], [50, 57, 65, 74]) == [(0, 1), (0, 3)]
    assert parallels([48, 55], [48, 55]) == []
    assert parallels([48, 55], [60, 67]) == [(0, 1)]


def test_a_chord_without_a_voicing_is_an_error():
    with pytest.raises(ScoreError, match="has no voicing in these ranges"):
        lead_voices([Chord(0)], ((40, 45), (48, 50), (50, 52)))
