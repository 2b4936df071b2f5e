"""The example that learns: it goes the whole way, learns the same again, and leaves out what cannot be heard."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import ROOT

from tonesmith import load_config, open_dataset

torch = pytest.importorskip("torch", reason="pip install 'tonesmith[torch]'")

EXAMPLE = ROOT / "examples" / "parameter-estimation"
TINY = ("--patches", "60", "--epochs", "2", "--width", "4", "--batch", "16", "--workers", "1")


@pytest.fixture(autouse=True, scope="module")
def _source() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXAMPLE))
        yield
    for name in ("train", "commands", "estimator", "results"):
        sys.modules.pop(name, None)


def trained(out: Path, *arguments: str) -> str:
    """Return what the example prints."""
    command = [sys.executable, str(EXAMPLE / "train.py"), str(out), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with all that comes of a few sounds, and what was printed."""
    out = tmp_path_factory.mktemp("small") / "out"
    return out, trained(out, *TINY)


def results(out: Path) -> Any:
    return json.loads((out / "results.json").read_text())


@pytest.mark.long
def test_the_whole_way_ends_with_the_files_that_its_readme_names(small):
    out, _ = small
    made = {path.name for path in out.iterdir() if not path.name.startswith(".")}
    named = set(re.findall(r"^\| `([\w.]+)/?` \|", (EXAMPLE / "README.md").read_text(), re.MULTILINE))
    assert made == named | {"predictions.scored.zarr.json"}
    sounds = [f"{name}-{whose}" for name in ("best", "median", "worst") for whose in ("predicted.wav", "target.wav")]
    assert {path.name for path in (out / "sounds").glob("*.wav")} == set(sounds)
    assert (out / "curve.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.long
def test_what_it_says_of_each_parameter_is_what_the_score_says(small):
    out, printed = small
    scored = json.loads((out / "predictions.scored.zarr.json").read_text())["parameters"]
    told = results(out)["test"]["parameters"]
    assert {one["name"] for one in told} == set(scored)
    for one in told:
        (measure,) = {"r2", "accuracy"} & set(one)
        assert one[measure] == pytest.approx(scored[one["name"]][measure], abs=1e-5)
        assert f"{one[measure]:.2f}" in re.search(rf"^{one['name']} .*$", printed, re.MULTILINE)[0]


@pytest.mark.long
def test_predictions_are_of_the_rows_that_were_held_out(small):
    out, _ = small
    dataset = open_dataset(out / "data.zarr")
    with np.load(out / "predictions.npz") as predictions:
        assert predictions["row"].tolist() == dataset.split("test").rows.tolist()
    train = dataset.split("train").column("continuous").astype(np.float64).mean(axis=0)
    mean_mse = np.square(dataset.split("test").column("continuous") - train).mean()
    assert results(out)["test"]["mean_mse"] == pytest.approx(mean_mse, rel=1e-5)


@pytest.mark.long
def test_the_same_seed_learns_the_same_weights_in_another_process(small, tmp_path):
    from estimator import Estimator, Learning, errors_of, learn, predict

    out, _ = small
    dataset = open_dataset(out / "data.zarr")
    shape, sizes = dataset.features["mel"].arrays[0].shape, dataset.space.counts.tolist()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        torch.manual_seed(0)
        model = Estimator(shape, len(dataset.space.continuous), sizes, 4)
        history = learn(model, dataset, Learning(**results(out)["learning"]), "cpu", lambda _: None)
        model.save(tmp_path / "weights.npz")
        with np.load(tmp_path / "weights.npz") as again, np.load(out / "weights.npz") as first:
            assert all(np.array_equal(again[name], first[name]) for name in first.files)

        other = Estimator(shape, len(dataset.space.continuous), sizes, 4)
        other.load(out / "weights.npz")
        told, truth = predict(other, dataset, "val", "cpu")
    finally:
        torch.set_num_threads(threads)
    assert float(errors_of(told, truth)[0]) == min(epoch.loss for epoch in history)  # the best epoch is kept


def test_what_cannot_be_heard_has_no_part_in_the_loss():
    from estimator import errors_of

    told = [torch.rand(8, 2, requires_grad=True), torch.randn(8, 3, requires_grad=True)]
    audible = torch.tensor([[True, False, False]] * 4 + [[True, False, True]] * 4)
    truth = {"continuous": torch.rand(8, 2), "categorical": torch.randint(3, (8, 1)), "audible": audible}

    loss, squared = errors_of(told, truth)
    loss.backward()

    assert squared.item() == pytest.approx(float(((told[0].detach() - truth["continuous"])[:, 0] ** 2).mean()))
    knobs, choices = (tensor.grad.abs().sum(dim=1) if i else tensor.grad.abs() for i, tensor in enumerate(told))
    assert (knobs[:, 0] > 0).all()
    assert (float(knobs[:, 1].sum()), choices[:4].tolist(), bool((choices[4:] > 0).all())) == (0.0, [0.0] * 4, True)


def test_a_space_without_categorical_parameters_is_learned_too(tmp_path):
    from estimator import Estimator, errors_of
    from results import save_predictions

    model = Estimator((64, 87), 2, [], 2)
    truth = {
        "continuous": torch.rand(4, 2),
        "categorical": torch.zeros(4, 0, dtype=torch.int64),
        "audible": torch.ones(4, 2, dtype=torch.bool),
    }
    with torch.no_grad():
        told = model(torch.full((4, 64, 87), -40.0))
    loss, squared = errors_of(told, truth)
    save_predictions(tmp_path / "predictions.npz", told, {"row": torch.arange(4)})

    assert float(loss) == float(squared) > 0
    with np.load(tmp_path / "predictions.npz") as predictions:
        assert predictions["categorical"].shape == (4, 0)


def test_a_parameter_that_was_never_heard_has_a_result_without_numbers():
    from results import Result, categorical, continuous

    none = torch.zeros(0, dtype=torch.int64)
    knob = continuous("knob", none.double(), none.double(), none.double())
    heard = continuous("heard", torch.tensor([0.5, 0.5]), torch.tensor([0.0, 1.0]), none.double())
    result = Result((knob, heard, categorical("choice", none, none, none)))

    assert [line.split() for line in list(result.lines())[2:5]] == [
        ["knob", "0", "R²", "-", "-"],
        ["heard", "2", "R²", "0.00", "0.00"],
        ["choice", "0", "accuracy", "-", "-"],
    ]
    assert (result.ratio, json.loads(json.dumps(result.to_json()))["parameters"][0]["r2"]) == (1.0, None)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--epochs", "0"], "argument --epochs: expected a whole number from 1 up, not '0'"),
        (["--rate", "nan"], "argument --rate: expected a number above 0, not 'nan'"),
        (["--config", "no.toml"], "no.toml"),
        (["--config", "plain.toml"], "plain.toml has no [features.mel], which is what the network hears"),
        (["--device", "nowhere"], "--device nowhere: "),
        (["--vital", "--config", "plain.toml"], "not allowed with argument --vital"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_made(arguments, told, tmp_path, monkeypatch, capsys):
    import train

    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain.toml").write_text("[plan]\npatches = 8\n")
    try:
        status = train.main(["out", *arguments])
    except SystemExit as stop:
        status = stop.code

    assert (status, told in capsys.readouterr().err, list(tmp_path.iterdir())) == (2, True, [tmp_path / "plain.toml"])


def test_its_plans_are_plans():
    for plan in EXAMPLE.glob("*.toml"):
        assert [feature.name for feature in load_config(plan).features] == ["mel"]


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_it_learns_more_than_the_mean_and_a_second_time_renders_nothing(tmp_path):
    first = trained(tmp_path / "out")
    assert "added     3,000 rows" in first
    before = results(tmp_path / "out")
    assert before["test"]["ratio"] < 0.5
    (tmp_path / "out" / "weights.npz").rename(tmp_path / "first.npz")

    assert "added     0 rows" in trained(tmp_path / "out")
    after = results(tmp_path / "out")
    assert (after["test"], after["digest"]) == (before["test"], before["digest"])
    with np.load(tmp_path / "out" / "weights.npz") as again, np.load(tmp_path / "first.npz") as once:
        assert all(np.array_equal(again[name], once[name]) for name in once.files)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_vital_goes_the_same_way_and_gives_presets(tmp_path):
    out = tmp_path / "out"
    trained(out, "--vital", "--patches", "40", "--epochs", "1", "--width", "4", "--batch", "8")

    presets = sorted(path.name for path in (out / "sounds").glob("*.vital"))
    assert presets == ["best-predicted.vital", "median-predicted.vital", "worst-predicted.vital"]
    assert any(
        one["rows"] < len(open_dataset(out / "data.zarr").split("test")) for one in results(out)["test"]["parameters"]
    )
