"""Keys found in notes, and how sure the finder is."""

from __future__ import annotations

import re
import shutil
import subprocess
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from tonesmith.errors import ScoreError
from tonesmith.score.reader import midi_reading
from tonesmith.score.score import Score
from tonesmith.score.theory import Tonality, find_key, find_mode, pitch_histogram, scale

CADENCE = ((0, 2, 60), (0, 2, 64), (0, 2, 67), (2, 2, 53), (2, 2, 65), (2, 2, 69), (4, 2, 55), (4, 2, 62), (4, 2, 71))
"""Onset and duration in beats and pitch: I, IV and V in C."""


def score_of(notes: tuple[tuple[float, float, int], ...], *, drums: bool = False) -> Score:
    return Score.of([(*note, 80) for note in (*notes, (6, 4, 60), (6, 4, 64), (6, 4, 67))], drums=drums)


@pytest.mark.parametrize("tonic", range(12))
def test_a_cadence_is_in_its_key_wherever_it_is(tonic: int):
    found = find_key(score_of(CADENCE).transposed(tonic - 5))
    assert found is not None
    assert found.tonality == Tonality((tonic - 5) % 12)
    assert found.confidence > 0.9


def test_no_key_is_claimed_where_there_is_none():
    assert find_key(score_of(CADENCE, drums=True)) is None
    assert find_key(Score.of([(n, 1, 60 + p, 80) for n, p in enumerate((0, 4, 7, 0, 4, 7, 0))])) is None
    assert find_key(Score.of([(n, 1, 60 + n, 80) for n in range(12)])) is None
    assert find_key(np.zeros(12)) is None
    assert find_key([1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0]) is None


def test_long_notes_count_more_than_many_short_ones():
    short = [(n / 8, 1 / 8, 66 + n % 2, 80) for n in range(16)]
    long = [(2 + n, 1, pitch, 80) for n, pitch in enumerate((60, 64, 67, 65, 69, 72, 67, 71, 74, 60))]
    np.testing.assert_allclose(pitch_histogram(Score.of(short))[[6, 7]], [1, 1])
    found = find_key(Score.of([*short, *long]))
    assert found is not None
    assert found.tonality == Tonality(0)


@pytest.mark.parametrize("histogram", [np.ones(11), [*range(11), -1], [np.nan] * 12])
def test_a_histogram_that_is_none_is_an_error(histogram):
    with pytest.raises(ScoreError, match="must have 12 numbers from 0 on"):
        find_key(histogram)


def test_a_mode_is_told_by_its_own_degree_alone():
    for mode, tonic in product(("mixolydian", "lydian", "dorian", "phrygian"), (0, 7)):
        weights = np.zeros(12)
        weights[list(scale(mode, tonic))] = 1
        parent = Tonality(tonic, "minor" if Tonality(0, mode).is_minor else "major")
        assert find_mode(weights, parent) == Tonality(tonic, mode)
        assert find_mode(weights + 0.01, parent) == parent


@pytest.fixture(scope="module")
def ryan(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Tonality, Score]]:
    """Return tunes in a single key of Ryan's Mammoth Collection with their printed key, in the order of their names."""
    music21 = pytest.importorskip("music21")
    folder = Path(music21.__file__).with_name("corpus") / "ryansMammoth"
    if not folder.is_dir() or shutil.which("abc2midi") is None:
        pytest.skip("needs music21's corpus and abc2midi (Debian: abcmidi)")
    midi = tmp_path_factory.mktemp("ryan") / "tune.mid"
    tunes = []
    for path in sorted(folder.glob("*.abc")):
        stated = set(re.findall(r"^K:\s*([^%\n]*)", path.read_text("latin-1"), re.MULTILINE))
        if len(stated) == 1:
            subprocess.run(["abc2midi", path, "-o", midi], capture_output=True, check=False, timeout=30)
            tunes.append((printed(stated.pop().strip()), midi_reading(midi.read_bytes()).score))
    return tunes


def printed(text: str) -> Tonality:
    """Return the key that a tune states in ABC, such as ``Amix``, as the major or minor of its mode."""
    names = {"dor": "dorian", "mix": "mixolydian", "lyd": "lydian", "phr": "phrygian", "min": "minor", "m": "minor"}
    tonic, mode = re.fullmatch(r"([A-G][#b]?)\s*(\w*).*", text).groups()
    found = Tonality.parse(f"{tonic} {names.get(mode.lower()[:3], 'major')}")
    return Tonality(found.tonic, "minor" if found.is_minor else "major")


@pytest.mark.long
def test_the_printed_key_of_most_fiddle_tunes_is_found(ryan: list[tuple[Tonality, Score]]):
    found = [find_key(score) for _, score in ryan]
    right = np.array([f is not None and f.tonality == key for f, (key, _) in zip(found, ryan, strict=True)])
    assert len(right) > 1000
    assert right[:400].mean() >= 0.88
    assert right.mean() >= 0.86


@pytest.mark.long
def test_a_confidence_is_how_often_the_key_is_right(ryan: list[tuple[Tonality, Score]]):
    unseen = [(key, find_key(score)) for key, score in ryan[1::2]]
    pairs = np.array([(f.confidence, f.tonality == key) for key, f in unseen if f is not None])
    for fifth in np.array_split(pairs[np.argsort(pairs[:, 0], kind="stable")], 5):
        assert fifth[:, 0].mean() == pytest.approx(fifth[:, 1].mean(), abs=0.1)
