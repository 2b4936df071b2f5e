"""Datasets of our own as sources: every sample kept, exact labels, scores, families, and only the rows asked for."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from pedalboard.io import AudioFile
from support import PLUGINS
from support.builders import write_dataset

from tonesmith import ConfigError, Found, generate, open_dataset
from tonesmith.cli import run
from tonesmith.corpus import Corpus
from tonesmith.host.registry import Host
from tonesmith.importers.dataset import OwnDataset, _pcm_of
from tonesmith.score.reader import read_midi

SETTINGS: dict[str, Any] = {
    "patches": 2,
    "block": 2,
    "sample_rate": 8000,
    "backend": "chaos",
    "sampler": "uniform",
    "validators": {},
    "workers": 1,
    "phrases": {"seconds": 0.5, "tail": 0.125, "per_patch": 1},
    "composer": "tunes",
}
_PROFILE = """summary = "tunes"
[labels.emotion]
kind = "choice"
choices = ["bright", "dark"]
"""


@pytest.fixture(scope="module")
def notes(tmp_path_factory):
    """Return a dataset of 20 rows that play notes."""
    return write_dataset(tmp_path_factory.mktemp("datasets") / "notes").path


@pytest.fixture(scope="module")
def sung(tmp_path_factory):
    """Return a dataset of 2 rows that play composed scores."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        patch.setenv("PYTHONPATH", str(PLUGINS))
        Host.load.cache_clear()
        yield generate(tmp_path_factory.mktemp("datasets") / "sung", **SETTINGS).path
    Host.load.cache_clear()


def decoded(path):
    with AudioFile(str(path)) as file:
        return np.asarray(file.read(file.frames), np.float32)


def test_rows_become_recordings_that_keep_every_sample_with_their_label(notes, tmp_path):
    dataset = open_dataset(notes)
    with Corpus.new(tmp_path / "c") as corpus:
        told = corpus.add(notes)
        assert len(told.items) + len(told.refused) == len(dataset) == 20
        assert set(told.refused.values()) == {"is silent"}
        for item in corpus:
            assert item.media[0].path.startswith("raw/synthetic/notes-row")
            origin = item.provenance
            row = next(row for row in dataset if row.row == origin["row"])
            assert np.array_equal(decoded(corpus.path / item.media[0].path), row.audio)
            assert (origin["fingerprint"], origin["source"]) == (dataset.plan.fingerprint, "notes")
            assert (origin["pitch"], origin["velocity"]) == (row.note.pitch, row.note.velocity)
            assert origin["parameters"] == {name: value.value for name, value in row.parameters.items()}
            assert item.parent == f"notes-{dataset.plan.fingerprint[:8]}-patch-{row.patch_id}"
        again = corpus.add(notes)
        assert (again.items, again.known, corpus.check(deep=True).structure) == ([], len(told.items), [])
        samples = {one["sample_id"]: one for one in json.loads((corpus.path / "manifest.json").read_text())["samples"]}
        assert samples[item.id]["provenance"] == item.provenance
        copied = Corpus.new(tmp_path / "copy")
        copied.add(corpus.path)
        assert {one.id: (one.provenance, one.path) for one in copied} == {
            one.id: (one.provenance, one.path) for one in corpus
        }
        copied.close()


@pytest.mark.long
def test_scores_lie_beside_their_recordings_and_what_the_composer_said_is_exact(sung, tmp_path):
    dataset = open_dataset(sung)
    (tmp_path / "tunes.toml").write_text(_PROFILE)
    with Corpus.new(tmp_path / "c", profile=str(tmp_path / "tunes.toml")) as corpus:
        assert not corpus.add(sung).remarks, "what the profile does not ask for is left out in silence"
        assert len(corpus) == 2
        for item, row in zip(corpus, dataset, strict=True):
            assert [medium.kind for medium in item.media] == ["score", "audio"]
            assert read_midi(corpus.path / item.media[0].path).score.digest == row.score.digest
            (said,) = [a for a in item.annotations if a.name == "emotion"]
            assert (said.value, said.confidence, said.authority) == (row.annotations["mood"], 1.0, "composer")
            assert item.provenance["score"] == row.score.digest


@pytest.mark.parametrize(("rows", "count"), [("0-2", 3), ("5,1", 2), ("4", 1)])
def test_only_the_rows_that_are_asked_for_are_taken_one_at_a_time(notes, tmp_path, rows, count):
    importer = OwnDataset(OwnDataset.Options(rows=rows))
    assert importer.count(notes) == count
    for found in importer.find(notes, tmp_path):
        assert isinstance(found, Found)
        assert list(tmp_path.iterdir()) == [found.path], "the rows before are taken before the next is made"
        found.path.unlink()
        count -= 1
    assert not count


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("rows=x", "dataset.rows: 'x' is no row"),
        ("rows=7-3", "dataset.rows: '7-3' is no row"),
        ("rows=900", "has none of the rows 900"),
        ("split=train", "cannot be added"),
    ],
)
def test_rows_and_splits_that_are_not_there_are_refused_before_anything_is_added(notes, tmp_path, option, said, capsys):
    Corpus.new(tmp_path / "c").close()
    words = ["corpus", "add", str(tmp_path / "c"), str(notes), "--set", f"dataset.{option}"]
    assert run(words) == 2
    assert said in capsys.readouterr().err


def test_a_folder_that_is_no_dataset_is_not_taken_for_one(tmp_path):
    assert not OwnDataset.takes(tmp_path)
    with pytest.raises(ConfigError, match="cannot be added"):
        list(OwnDataset(OwnDataset.Options()).find(tmp_path, tmp_path))


def test_only_what_16_bits_hold_exactly_is_written_so():
    exact = np.array([[0.5, -0.25, 1 / 32768]], np.float32)
    assert _pcm_of(exact, 8000)
    for other in (exact * 1.1, exact * 2.5, exact * np.float32(np.nan)):
        assert not _pcm_of(other, 8000)
