"""The feature embedding: a model that the user names, and that nobody else can make run."""

from __future__ import annotations

import sys
from importlib import import_module

import numpy as np
import pytest
from support import terminal
from support.builders import write_dataset

from tonesmith import ConfigError, RunError, TrustError, open_dataset
from tonesmith.dataset.verify_features import check_features
from tonesmith.features.embedding import Embedding
from tonesmith.host.computing import Computer, planned
from tonesmith.host.registry import Host
from tonesmith.plan.feature import Sound
from tonesmith.plan.plan import Audio
from tonesmith.testing import FeatureContract
from tonesmith.testing.feature import sine
from tonesmith.transfer.add_features import add_features

FORM = Audio(8000, 2, 800)
MODULE = """
import pathlib
import numpy as np

(pathlib.Path(__file__).parent / "imported").touch()


def embed(audio, sample_rate):
    return np.array([audio.shape[0], audio.shape[1], sample_rate, np.abs(audio).max()])


class Model:
    def method(self, audio, rate):
        return audio.mean(axis=1)


model = Model()
number = 3


def nan(audio, rate):
    return np.full(4, np.nan) if audio.any() else np.zeros(4)


def grows(audio, rate):
    return np.zeros(3 if audio.any() else 4)


def fails(audio, rate):
    raise ValueError("no such sound")
"""


@pytest.fixture(autouse=True)
def module(tmp_path, monkeypatch):
    """A module that can be imported here and in every process started from here, and leaves a mark."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "ownmodel.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "lib"))
    monkeypatch.setenv("TONESMITH_CACHE", str(tmp_path / "cache"))
    forget()
    yield tmp_path / "lib" / "imported"
    forget()


def forget():
    """Let this process be one that has not loaded the model."""
    sys.modules.pop("ownmodel", None)
    import_module("tonesmith.features._model").model_of.cache_clear()


@pytest.mark.long
class TestContract(FeatureContract):
    feature = Embedding
    options = {"model": "ownmodel:model.method", "channels": "each", "sample_rate": 16000}


def made(name, **options):
    return Embedding(Embedding.Options(model=f"ownmodel:{name}", **options))


def test_a_model_is_given_the_sound_at_its_rate_in_its_channels():
    audio = sine(440.0, channels=2, frames=800, rate=8000)
    assert made("embed").compute(Sound(audio, 8000))["embedding"].tolist() == [
        1,
        800,
        8000,
        pytest.approx(0.25, rel=0.01),
    ]
    both = made("embed", channels="each", sample_rate=4000).compute(Sound(audio, 8000))["embedding"]
    assert both[:3].tolist() == [2, 400, 4000]


def test_the_definition_tells_which_model_it_is(tmp_path):
    stored = planned(made("embed"), FORM)
    assert stored.definition["model"] == "ownmodel:embed"
    assert len(stored.definition["sha256"]) == 64
    assert stored.arrays[0].shape == (4,)


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("", "the model is missing. Name package.module:callable, or a .onnx file."),
        ("nosuchmodule:f", "cannot be imported: there is no module 'nosuchmodule'. Install it"),
        ("ownmodel:nothing", "the module 'ownmodel' has no 'nothing'."),
        ("ownmodel:number", "cannot be called."),
        ("/nowhere/m.onnx", "cannot be read: No such file|needs onnxruntime, which is not installed"),
    ],
)
def test_a_model_that_cannot_be_had_is_one_sentence(model, told):
    with pytest.raises(ConfigError, match=told):
        Embedding(Embedding.Options(model=model))


def test_an_onnx_file_without_the_library_is_told_with_the_pip_command(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r'needs onnxruntime.*pip install "tonesmith\[onnx\]"'):
        Embedding(Embedding.Options(model=str(tmp_path / "m.onnx")))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nan", "'embedding' returned NaN in embedding."),
        ("grows", r"'embedding' returned embedding of shape \(3,\), not \(4,\)."),
    ],
)
def test_a_model_that_returns_nan_or_another_shape_is_one_sentence(name, told):
    stored = planned(made(name), FORM)
    with pytest.raises(RunError, match=told):
        Computer([stored], FORM, Host.load()).of(Sound(sine(channels=2, frames=800, rate=8000), 8000))


def test_a_model_that_fails_is_told_before_anything_is_written():
    with pytest.raises(ConfigError, match=r"the model 'ownmodel:fails' failed: ValueError: no such sound."):
        planned(made("fails"), FORM)


def test_a_dataset_that_names_a_model_is_read_and_verified_without_importing_it(tmp_path, module, monkeypatch):
    path = write_dataset(tmp_path / "d").path
    add_features(path, {"embedding": {"model": "ownmodel:embed"}}, workers=1)
    module.unlink()
    forget()
    monkeypatch.setenv("TONESMITH_CACHE", str(tmp_path / "a stranger's cache"))

    dataset = open_dataset(path)
    assert dataset[3].features["embedding"].shape == (4,)
    found = check_features(dataset, [3], Host.load())
    assert "ownmodel:embed, which you have not used in a run of your own" in found.left_out["embedding"]
    with pytest.raises(TrustError, match="ownmodel:embed"):
        add_features(path, {"embedding": {}}, workers=1)
    with pytest.raises(TrustError, match="ownmodel:embed"):
        add_features(path, {"embedding": {"channels": "mix"}}, workers=1)
    assert not module.exists(), "it was imported"

    assert check_features(dataset, [3], Host.load(), trust=True).compared == ["embedding"]
    assert module.exists()


def test_who_named_a_model_once_need_not_vouch_for_it_again(tmp_path):
    path = write_dataset(tmp_path / "d").path
    add_features(path, {"embedding": {"model": "ownmodel:embed"}}, workers=1)
    assert check_features(open_dataset(path), [3], Host.load()).damage == []
    assert add_features(path, {"embedding": {}}, workers=1).rows_added == 0


@pytest.mark.long
def test_a_run_with_a_model_stores_what_it_returns(chaos, tmp_path):
    words = ("--backend", "chaos", "-n", 2, "--sample-rate", 8000, "--notes.hold", 0.1, "--notes.tail", 0.1)
    done = terminal(
        "generate", *words, "--feature", "embedding", "--features.embedding.model", "ownmodel:embed", tmp_path / "d"
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(open_dataset(tmp_path / "d").column("feature/embedding")[:, 1:3], [[1600, 8000]] * 6)


@pytest.mark.long
def test_an_onnx_model_is_run(tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    made = onnx.helper.make_model(
        onnx.helper.make_graph(
            [onnx.helper.make_node("ReduceMax", ["x"], ["y"], axes=[1], keepdims=0)],
            "g",
            [onnx.helper.make_tensor_value_info("x", 1, ["c", "n"])],
            [onnx.helper.make_tensor_value_info("y", 1, ["c"])],
        ),
        opset_imports=[onnx.helper.make_opsetid("", 11)],
    )
    made.ir_version = 8
    (tmp_path / "m.onnx").write_bytes(made.SerializeToString())
    feature = Embedding(Embedding.Options(model=str(tmp_path / "m.onnx"), channels="each"))
    audio = sine(channels=2, frames=800) * np.array([[1], [0.5]], np.float32)
    np.testing.assert_array_equal(feature.compute(Sound(audio, 44100))["embedding"], audio.max(axis=1))
    (tmp_path / "bad.onnx").write_bytes(b"nothing")
    with pytest.raises(ConfigError, match="is no ONNX model"):
        Embedding(Embedding.Options(model=str(tmp_path / "bad.onnx")))
