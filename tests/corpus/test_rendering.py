"""Scores of a corpus played by a synth: recordings that are aligned with them and can be made again."""

from __future__ import annotations

import json
from contextlib import ExitStack

import numpy as np
import pytest
from support.corpora import write_midi

from tonesmith.cli import run
from tonesmith.corpus import Corpus
from tonesmith.corpus.derive.recipe import Recipe, store
from tonesmith.corpus.derive.rendering import RenderedAgain
from tonesmith.corpus.media import read_recording
from tonesmith.errors import TonesmithError
from tonesmith.score.score import Part, Score


@pytest.fixture
def corpus(tmp_path):
    """A score whose first note begins at a quarter second, with a stroke of a drum, and a score of drums."""
    notes = Score.of([(0.5, 0.5, 57, 100), (0, 0.5, 36, 100)], bpm=120).notes.copy()
    notes["part"] = [1, 0]
    write_midi(tmp_path / "m" / "sad" / "song.mid", Score(480, notes, (Part(), Part(0, True))))
    write_midi(tmp_path / "m" / "drums.mid", Score.of([(b / 4, 0.25, 38, 90) for b in range(9)], drums=True))
    with Corpus.new(tmp_path / "c") as opened:
        opened.add(tmp_path / "m")
        opened.annotate("folders")
        yield opened


@pytest.mark.long
def test_a_score_is_a_recording_aligned_with_it_with_its_labels_and_is_made_again_bit_for_bit(corpus, capsys):
    command = ["corpus", "render", str(corpus.path), "--rate", "16000", "--tail", "0.5", "--json", "-q"]
    assert run(command) == 1
    told = json.loads(capsys.readouterr().out)
    assert "only drums" in told["refused"][next(item.id for item in corpus if item.id.startswith("drums-"))]
    assert list(told["remarks"].values()) == ["drums are left out."]
    (item,) = map(corpus.__getitem__, told["added"])
    assert item.parent.startswith("song-")
    assert [(a.name, a.value, a.source) for a in item.annotations] == [("emotion", "sad", "folders (kept)")]
    audio = read_recording(corpus.path / item.path, 10.0).audio
    assert audio.shape[1] == 16000
    assert not np.abs(audio[:, :3900]).max() > 1e-3, "sound before the note, or the drum is heard"
    assert np.abs(audio[:, 4100:8000]).max() > 0.01
    assert run(command) == 1
    assert json.loads(capsys.readouterr().out)["known"] == 1
    (corpus.path / item.path).write_bytes(b"damaged")
    assert corpus.remake().restored == [item.id]
    assert corpus.check(deep=True).faults == []


def test_options_of_the_synth_are_flags_wherever_they_stand(corpus, capsys):
    item = next(item.id for item in corpus if item.id.startswith("song-"))
    flags = ["--backend", "dawdreamer", "--backend.instrument", "fm"]
    words = [*flags, item, "--rate", "16000", "--tail=0.5", "--json", "-q"]
    assert run(["corpus", "render", str(corpus.path), *words]) == 0
    (made,) = map(corpus.__getitem__, json.loads(capsys.readouterr().out)["added"])
    assert made.parent == item
    assert made.recipe["parameters"]["synth"]["options"]["instrument"] == "fm"


def test_an_engine_is_started_for_what_is_to_be_played_alone(corpus, tmp_path, monkeypatch):
    """Not where all is made, nor for a score of drums, nor to say what would be done; but for another preset."""
    song = next(item.id for item in corpus if item.id.startswith("song-"))
    first = corpus.render("vita", sample_rate=16000, tail=0.1)
    assert (len(first.items), len(first.refused)) == (1, 1)
    started = []
    monkeypatch.setattr("tonesmith.engine.client.Engine.__init__", lambda *_: started.append(1) or 1 / 0)
    again = corpus.render("vita", sample_rate=16000, tail=0.1)
    assert (again.items, again.known, again.refused) == ([], 1, first.refused)
    more = corpus.render("vita", sample_rate=16000, tail=0.1, n=2, items=[song], dry_run=True)
    assert (len(more.items), more.known) == (1, 1)
    assert started == []
    (tmp_path / "a.vital").write_text("{}")
    for options in ({"n": 2}, {"presets": [str(tmp_path)]}, {"options": {"tier": 2}}, {"sample_rate": 8000}):
        with pytest.raises(ZeroDivisionError):
            corpus.render("vita", items=[song], **{"sample_rate": 16000, "tail": 0.1, **options})
    monkeypatch.setattr("tonesmith.corpus.derive.known_patches.versions_of", lambda _: {"vita": "another"})
    with pytest.raises(ZeroDivisionError):
        corpus.render("vita", sample_rate=16000, tail=0.1)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--backend", "vital"], "Did you mean 'vita'?"),
        (["--set", "vst3.plugin=x"], "vst3 is not the backend"),
        (["--set", "vita.tear=2"], "Did you mean 'tier'?"),
        (["--backend.tear", "2"], "Did you mean 'tier'?"),
        (["--backend.tier=99"], "tier"),
        (["--rat", "16000"], "unknown option '--rat'"),
        (["--backend.tier", "1", "no-such-item"], "unknown item"),
        (["no-such-item"], "unknown item"),
    ],
)
def test_what_cannot_be_rendered_is_refused_at_once(corpus, capsys, words, told):
    assert run(["corpus", "render", str(corpus.path), *words]) == 2
    assert told in capsys.readouterr().err


def test_a_recipe_of_a_stranger_loads_no_plugin_and_reads_no_file_of_yours(corpus, tmp_path, monkeypatch):
    """Neither the library that it names, nor a patch that is no SHA-256."""
    monkeypatch.setattr("tonesmith.engine.client.Engine.__init__", lambda *_: pytest.fail("an engine was started"))
    (tmp_path / "evil.vst3").write_bytes(b"")
    song = next(item.id for item in corpus if item.id.startswith("song-"))
    synth = {"backend": "vst3", "options": {"plugin": str(tmp_path / "evil.vst3")}, "sample_rate": 16000, "tail": 1.0}
    told = {"kind": "audio", "synth": synth, "patch": "../../x", "address": [], "libraries": {}}
    with corpus.change() as connection:
        connection.execute("INSERT INTO items VALUES ('x', '')")
        medium = ("x", "audio", "raw/synthetic/x.wav", "x", "x", "", 1, 1.0, 0, "{}")
        connection.execute("INSERT INTO media VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", medium)
        connection.execute("INSERT INTO parents VALUES ('x', ?)", (song,))
        store(connection, "x", Recipe("render", told, 0))
    assert "which you have not used" in corpus.remake().refused["x"]
    with pytest.raises(TonesmithError, match="which is no SHA-256"):
        RenderedAgain(corpus, ExitStack())._asset("../../x")
