"""Plots of a corpus: what they show is what is known, and the files are pictures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.corpora import melody, write_midi

from tonesmith import ConfigError
from tonesmith.cli import run
from tonesmith.corpus import Corpus
from tonesmith.corpus.pictured import pictured
from tonesmith.corpus.plots import PLOTS


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plots")
    for number in range(4):
        write_midi(folder / "m" / ("happy", "sad")[number % 2] / f"{number}.mid", melody(number, bpm=90 + 5 * number))
    with Corpus.new(folder / "c") as made:
        made.add(folder / "m")
        made.annotate("folders", "tempo")
        made.label(made.find()[0], key="F", mode="minor")
        made.features("notes")
        yield made


def test_what_is_drawn_is_what_is_known(corpus):
    shown = pictured(corpus)
    assert (shown.classes["happy"], shown.classes["sad"], shown.classes["calm"]) == (2, 2, 0)
    assert shown.targets["sad"] == 500
    assert (sum(shown.keys["minor"]), shown.keys["minor"][5]) == (1, 1)
    assert shown.tempos == pytest.approx([90, 95, 100, 105], abs=0.01)
    assert (len(shown.seconds["score"]), len(shown.pitches["low"])) == (4, 4)
    assert shown.sources["emotion"] == {"folders": 4}


@pytest.mark.long
def test_the_command_writes_a_picture_of_all_or_one_for_each(corpus, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    path, folder = tmp_path / "all.png", tmp_path / "plots"
    assert run(["corpus", "stats", str(corpus.path), "--plot", str(path), "--plots", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["plots"]
    assert set(told) == {str(path), *(str(folder / f"{name}.png") for name in PLOTS)}
    for name, nbytes in told.items():
        content = Path(name).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) == nbytes > 5000


@pytest.mark.parametrize("place", ["all.gif", "nowhere/all.png"])
def test_a_place_that_cannot_be_drawn_to_is_refused(corpus, tmp_path, place):
    with pytest.raises(ConfigError, match=r"all\.(gif|png)"):
        corpus.plot(tmp_path / place)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="is not a folder"):
        corpus.plot(folder=tmp_path / "file")
