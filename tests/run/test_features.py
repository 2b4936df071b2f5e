"""Features in a plan: computed by workers from what is stored, and stored with it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support import terminal

from tonesmith import PluginError, RunError, open_dataset
from tonesmith.errors import DatasetError
from tonesmith.host.computing import Computer, feature_of, planned
from tonesmith.host.registry import Host
from tonesmith.plan.differences import differences
from tonesmith.plan.feature import Sound
from tonesmith.plan.plan import Audio, Plan
from tonesmith.testing.synthetic import synthetic_plan

SMALL = {"mel": {"bands": 16, "window": 256}, "stats": {}}


def computed(dataset, name):
    """Return what a feature makes of each row that is read back: (rows, *shape) of every array."""
    stored = dataset.features[name]
    feature = feature_of(Host.load(), name, stored.options)
    rows = [feature.compute(Sound(row.audio, dataset.plan.audio.sample_rate, row.note)) for row in dataset]
    return {f"feature/{stored.key(a)}": np.stack([row[a.name] for row in rows]) for a in stored.arrays}


@pytest.mark.parametrize(
    "sink", ["zarr", *(pytest.param(s, marks=pytest.mark.long) for s in ("hdf5", "lmdb", "parquet", "folder"))]
)
def test_features_are_columns_of_every_sink_and_leave_digests_as_they_are(chaos, tmp_path, sink):
    plain = chaos.make(tmp_path / "plain", patches=3, sink=sink)
    made = chaos.make(tmp_path / "with", patches=3, workers=2, block=2, sink=sink, features=SMALL)

    dataset = open_dataset(tmp_path / "with")

    assert made.digest == plain.digest
    assert dataset[0].features["mel"].shape == (16, 1 + 1600 // 64)
    assert set(dataset[:].features) >= {"mel", "stats.centroid", "stats.attack"}
    for name, expected in {**computed(dataset, "mel"), **computed(dataset, "stats")}.items():
        np.testing.assert_array_equal(dataset.column(name), expected)


def test_features_are_those_of_the_audio_as_a_lossy_sink_reads_it_back(chaos, tmp_path):
    chaos.make(tmp_path / "d", patches=2, sink={"name": "zarr", "encoding": "float16"}, features={"stft": {}})

    dataset = open_dataset(tmp_path / "d")

    np.testing.assert_array_equal(dataset.column("feature/stft"), computed(dataset, "stft")["feature/stft"])


def test_a_plan_without_features_has_the_json_that_it_always_had():
    told = synthetic_plan().to_json()
    assert told["format"] == 2
    assert "features" not in told


def test_a_plan_with_features_is_read_back_and_differs_by_what_they_are(chaos):
    plans = [chaos.resolved(features={"mel": {"bands": bands}}).plan for bands in (16, 17)]

    again = Plan.from_json(json.loads(json.dumps(plans[0].to_json())))

    assert again == plans[0]
    assert again.fingerprint == plans[0].fingerprint != plans[1].fingerprint
    assert "features.mel.options.bands: 16 -> 17" in differences(*plans)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda f: f["arrays"][0].update(shape=[10**9, 10**9]), "too large"),
        (lambda f: f["arrays"][0].update(name="../../x"), "arrays.0.name"),
        (lambda f: f["arrays"][0].update(dtype="O"), "arrays.0.dtype"),
        (lambda f: f["arrays"][0].update(dims=[]), "do not fit"),
        (lambda f: f.update(name="a/b"), "features.0.name"),
        (lambda f: f.update(arrays=[]), "arrays"),
        (lambda f: f.pop("definition"), "definition"),
    ],
)
def test_a_stored_feature_that_is_none_is_refused(chaos, change, told):
    data = json.loads(json.dumps(chaos.resolved(features={"mel": {}}).plan.to_json()))
    change(data["features"][0])
    with pytest.raises(DatasetError, match=told):
        Plan.from_json(data)


def test_a_composition_with_features_is_told_whole_and_makes_the_same_plan(chaos, tmp_path):
    first = chaos.make(tmp_path / "d", patches=2, block=2, features=SMALL)
    made = terminal("generate", "--config", tmp_path / "d", "-n", 4, tmp_path / "d")
    assert made.returncode == 0, made.stderr
    grown = open_dataset(tmp_path / "d")
    assert (first.rows, len(grown)) == (4, 8)
    assert grown.column("feature/mel").shape[0] == 8


def test_another_definition_of_the_same_name_is_not_taken_for_it(monkeypatch):
    host = Host.load()
    stored = planned(feature_of(host, "mel", {}), Audio(8000, 2, 800))
    cls = host.find("feature", "mel")
    monkeypatch.setattr(cls, "definition", lambda self, audio: {**stored.definition, "version": 2})
    with pytest.raises(PluginError, match=r"'mel' is defined differently .*version: 1 -> 2"):
        Computer([stored], Audio(8000, 2, 800), host)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ({"mel": np.full((128, 7), np.nan, np.float32)}, "the feature 'mel' returned NaN in mel. It was given row 0."),
        ({"mel": np.full((128, 7), np.inf, np.float32)}, "returned infinity in mel."),
        ({"mel": np.zeros((128, 6), np.float32)}, r"returned mel of shape \(128, 6\), not \(128, 7\)."),
        ({"mel": np.full((128, 7), "a")}, "returned mel of a type that is not float32."),
        ({"other": np.zeros(3)}, "returned the arrays other, not mel."),
        ([1, 2], "returned a list, not a mapping of arrays."),
        (ZeroDivisionError("by zero"), "failed: ZeroDivisionError: by zero."),
    ],
)
def test_a_feature_that_breaks_its_promise_is_named_in_one_sentence(monkeypatch, made, told):
    host, form = Host.load(), Audio(8000, 2, 800)

    def compute(self, sound):
        if isinstance(made, Exception):
            raise made
        return made

    stored = planned(feature_of(host, "mel", {}), form)
    monkeypatch.setattr(host.find("feature", "mel"), "compute", compute)
    columns = {"audio": np.zeros((1, 2, 800), np.float32)}
    columns |= {name: np.ones(1) for name in ("pitch", "velocity", "hold", "tail")}
    with pytest.raises(RunError, match=told):
        Computer([stored], form, host).columns(columns)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--feature", "mle"), "--feature: unknown feature 'mle'. Did you mean 'mel'?"),
        (("--feature", "mel", "--features.mel.bannds", 3), "Did you mean '--features.mel.bands'?"),
        (("--feature", "mel", "--features.mel.bands", 0), "--features.mel.bands: 0 is not allowed."),
        (("--feature", "mel", "--features.mel.high", 5000), "high = 5000 Hz is above half the sample rate, 4000 Hz."),
        (("--feature", "stft", "--features.stft.hop", 1, "--features.stft.window", 65536), "16,001 windows of a sound"),
        (("--feature", "mfcc", "--features.mfcc.bands", 9), "coefficients = 20 must not be above bands = 9."),
    ],
)
def test_a_wrong_feature_is_one_sentence_and_nothing_is_written(chaos, tmp_path, words, told):
    done = terminal("generate", "--backend", "chaos", "--sample-rate", 8000, *words, tmp_path / "d")
    assert done.returncode == 2
    assert told in done.stderr.replace("\n", " ")
    assert not (tmp_path / "d").exists()
