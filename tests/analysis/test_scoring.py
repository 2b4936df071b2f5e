"""Predictions scored: what they sound like, how near their labels are, and what they are compared with."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import terminal
from support.builders import dataset as made_up

from tonesmith import open_dataset
from tonesmith.analysis.metrics import METRICS, metrics_of, sound_of
from tonesmith.analysis.scoring.baselines import baselines_of
from tonesmith.analysis.scoring.examples import examples_of, line_of
from tonesmith.analysis.scoring.labels import LabelErrors, Labels
from tonesmith.analysis.scoring.predictions import read_predictions
from tonesmith.analysis.scoring.results import statistics
from tonesmith.analysis.scoring.score import Settings, score
from tonesmith.api import composed
from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.verify import check_renders
from tonesmith.errors import ConfigError, PathTakenError
from tonesmith.host.registry import Host
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Modulation
from tonesmith.space.space import ParameterSpace

CRASH = 1


@pytest.fixture
def path(chaos: Any, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    kept = tmp_path_factory.getbasetemp() / "eight patches"
    if not kept.exists():
        chaos.make(kept, patches=8, features={"stats": {}})
    shutil.copytree(kept, tmp_path / "d")
    return tmp_path / "d"


def predicted(path: Path, ds: Dataset, places: list[int], move: float = 0.0, fault: int = 0, **parts: Any) -> Path:
    """Write predictions for some rows: the true labels, with the frequency moved."""
    batch = ds.get_batch(places, ["continuous", "categorical"])
    continuous = np.clip(batch["continuous"] + [move, 0.0], 0.0, 1.0)
    arrays = {"row": ds.rows[places], "continuous": continuous, "categorical": batch["categorical"] + fault}
    np.savez(path, **{**arrays, **parts})
    return path


def test_perfect_predictions_have_the_best_of_everything_and_baselines_do_not(path: Path, tmp_path: Path) -> None:
    ds = open_dataset(path)
    found = score(path, predicted(tmp_path / "p.npz", ds, [1, 4, 9]), workers=1).data
    for sound in ("prediction", "floor"):
        medians = {name: told["median"] for name, told in found["sounds"][sound].items()}
        assert medians == {metric.name: metric.best for metric in METRICS}
    for name in ("mean", "random", "nearest"):
        assert found["sounds"][name]["mss"]["median"] > 0.0
        assert found["labels"][name]["mse"] > 0.0
    assert found["labels"]["prediction"] == {"mse": 0.0, "mae": 0.0, "accuracy": 1.0}
    assert (found["rows"], found["failures"]) == (3, [])
    assert [one["row"] for one in found["each"]] == [1, 4, 9]
    assert [found["examples"][name][0]["row"] for name in ("best", "median", "worst")] == [1, 4, 9]


def test_sounds_are_measured_as_they_are_rendered_and_kept_as_a_dataset(path: Path, tmp_path: Path) -> None:
    ds = open_dataset(path)
    places = [0, 3, 5, 15]
    file = predicted(tmp_path / "p.npz", ds, places, 0.2)
    out = tmp_path / "out"
    found = score(path, file, out=out, workers=2)
    kept = open_dataset(out)
    assert (len(kept), kept.complete, kept.attributes["scored"]["rows"]) == (4, True, places)
    assert list(check_renders(kept, range(4), out, Host.load())) == []
    labels = read_predictions(file, ds).labels
    for i, place in enumerate(places):
        audio = ds.render(labels[i], ds[place].note)[0]
        assert kept[i].audio.tobytes() == audio.tobytes()
        assert kept[i].note == ds[place].note
        values = metrics_of(sound_of(ds[place].audio, 8000), sound_of(audio, 8000))
        assert found.data["each"][i] == {"row": place, **values}
        assert kept[i].measured == pytest.approx(values, rel=1e-6)
    assert read_predictions(out, ds).places.tolist() == places
    for name in ("best", "median", "worst"):
        for one in found.data["examples"][name]:
            assert one["values"] == {
                key: value for key, value in found.data["each"][one["sound"]].items() if key != "row"
            }
            assert (ds.rows[one["target"]], kept.attributes["scored"]["rows"][one["sound"]]) == (one["row"], one["row"])


def test_examples_are_the_ends_and_the_middle_by_mss_and_say_what_failed() -> None:
    rows, targets = list(range(10, 20)), np.arange(10) + 5
    values = [{"mss": float(value), "sot": 0.0} for value in (5, 3, 9, 1, 7, 0, 8, 2, 6, 4)]
    found = examples_of(rows, targets, values, {2: "crash"})
    assert {name: [one["values"]["mss"] for one in found[name]] for name in ("best", "median", "worst")} == {
        "best": [0.0, 1.0, 2.0],
        "median": [5.0, 4.0, 6.0],
        "worst": [9.0, 8.0, 7.0],
    }
    assert found["worst"][0] == {"row": 12, "target": 7, "sound": 2, "values": values[2], "failure": "crash"}
    assert "failure" not in found["best"][0]
    assert list(line_of(found)) == ["  rows by mss: best 15 (0), median 10 (5), worst 12 (9)"]
    alone = examples_of([4], np.array([2]), values[:1], {})
    assert [alone[name][0]["row"] for name in ("best", "median", "worst")] == [4, 4, 4]


@pytest.mark.long
def test_the_result_is_the_same_with_any_number_of_workers(path: Path, tmp_path: Path) -> None:
    ds = open_dataset(path)
    file = predicted(tmp_path / "p.npz", ds, list(range(0, 16, 2)), 0.1)
    some = Settings(rows=4, baseline_rows=2, seed=3)
    one, two = (score(path, file, some, out=tmp_path / f"o{n}", workers=n) for n in (1, 2))
    assert {**one.data, "out": ""} == {**two.data, "out": ""}
    assert open_dataset(tmp_path / "o1").digest == open_dataset(tmp_path / "o2").digest
    assert (one.data["rows"], one.data["sounds"]["mean"]["mss"]["rows"]) == (4, 2)


def test_what_cannot_be_rendered_counts_as_silence_and_is_told(path: Path, tmp_path: Path) -> None:
    ds = open_dataset(path)
    file = predicted(tmp_path / "p.npz", ds, [2, 7], fault=CRASH)
    found = score(path, file, workers=1)
    assert [failed["row"] for failed in found.data["failures"]] == [2, 7]
    assert found.data["failures"][0]["reason"].startswith("crash: ")
    assert found.data["each"][0]["rms"] == 0.0
    assert found.data["labels"]["prediction"]["accuracy"] == 0.0
    assert any(line.startswith("  row 2 counts as silence: crash") for line in found.lines())


def test_predictions_are_read_from_parquet_and_from_a_dataset_in_any_order(path: Path, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    ds = open_dataset(path)
    whole = read_predictions(predicted(tmp_path / "p.npz", ds, [9, 1, 4]), ds)
    batch = ds.get_batch([9, 1, 4], ["continuous", "categorical"])
    columns = {name: batch[name].tolist() for name in batch}
    pq.write_table(pa.table({"row": [9, 1, 4], **columns, "comment": ["a", "b", "c"]}), tmp_path / "p.parquet")
    for other in (read_predictions(tmp_path / "p.parquet", ds), read_predictions(path, ds)):
        where = np.searchsorted(other.places, whole.places)
        assert other.places[where].tolist() == whole.places.tolist() == [1, 4, 9]
        for label, one in zip(whole.labels, where, strict=True):
            assert label.continuous.tobytes() == other.labels[one].continuous.tobytes()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"row": [0, 99]}, "has a prediction of row 99, which is not in the dataset"),
        ({"row": [3, 3]}, "has row 3 twice"),
        ({"row": [0.0, 1.0]}, "expected one integer per label"),
        ({"row": [0]}, "continuous has shape (2, 2), for 1 rows"),
        ({"continuous": [[0.5, 0.5], [np.nan, 0.5]]}, "row 1: freq is not a number (NaN) in the label"),
        ({"continuous": [[0.5, 0.5], [0.5, 1.5]]}, "row 1: level is 1.5 in the label, which is not in [0, 1]"),
        ({"continuous": [[0.5] * 3] * 2}, "row 0: the label has continuous values of shape (3,); expected (2,)"),
        ({"categorical": [[0], [99]]}, "row 1: fault is 99 in the label, which is no index of its 17 choices"),
    ],
)
def test_what_is_wrong_with_predictions_is_told_by_the_row(
    path: Path, tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    ds = open_dataset(path)
    file = predicted(tmp_path / "p.npz", ds, [0, 1], **change)
    with pytest.raises(ConfigError) as raised:
        read_predictions(file, ds)
    assert told in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_bad_predictions_cost_a_sentence_and_status_2_and_nothing_is_written(path: Path, tmp_path: Path) -> None:
    predicted(tmp_path / "p.npz", open_dataset(path), [0, 1], row=[0, 99])
    done = terminal("score", "d", "p.npz", "--out", "o", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "has a prediction of row 99" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sorted(file.name for file in tmp_path.iterdir()) == ["d", "p.npz"]


def test_predictions_of_another_space_are_refused(path: Path, tmp_path: Path) -> None:
    made_up(tmp_path / "other")
    with pytest.raises(
        ConfigError, match=r"of another space: it has level from 0 to 1, the dataset freq from 20 to 2000"
    ):
        read_predictions(tmp_path / "other", open_dataset(path))
    for name, content in (("x.npz", b"no"), ("x.parquet", b"no")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ConfigError, match=rf"{name} is not a"):
            read_predictions(tmp_path / name, open_dataset(path))
    np.savez(tmp_path / "y.npz", continuous=[[0.5, 0.5]])
    with pytest.raises(ConfigError, match="has no column 'row'"):
        read_predictions(tmp_path / "y.npz", open_dataset(path))


def test_score_writes_a_table_of_80_columns_and_a_result(path: Path, tmp_path: Path) -> None:
    predicted(tmp_path / "p.npz", open_dataset(path), [0, 1], 0.1)
    done = terminal("score", "d", "p.npz", "-q", "--workers", 1, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80
    rows = [line.split()[0] for line in done.stdout.splitlines() if line.strip()]
    assert {metric.name for metric in METRICS} < set(rows)
    result = json.loads((tmp_path / "p.scored.json").read_text())
    assert done.stdout.splitlines()[-2:] == ["sounds  p.scored", "result  p.scored.json"]
    assert [one["row"] for one in result["each"]] == [0, 1]


@pytest.mark.long
def test_predicted_sounds_are_opened_by_other_commands_and_never_overwritten(path: Path, tmp_path: Path) -> None:
    predicted(tmp_path / "p.npz", open_dataset(path), [0, 1, 2, 3], 0.1)
    first = terminal("score", "d", "p.npz", "--json", "-q", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    for arguments in (
        ("verify", "--render", 2, "p.scored"),
        ("inspect", "p.scored"),
        ("export", "p.scored", "--row", 1, "--label", "l.json"),
        ("render", "l.json", "--like", "p.scored", "--audio", "l.wav"),
        ("split", "p.scored", "--train", "0.5", "--val", "0", "--test", "0.5"),
        ("convert", "p.scored", "folder", "--sink", "folder"),
    ):
        done = terminal(*arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert "`tonesmith score` rendered them" in (tmp_path / "p.scored" / "README.md").read_text()
    with pytest.raises(ConfigError, match="labels that a model predicted"):
        composed(tmp_path / "p.scored", {})
    refused = terminal("score", "d", "p.npz", "--force", cwd=tmp_path)
    assert (refused.returncode, "p.scored exists" in refused.stderr) == (2, True)
    again = terminal("score", "d", "p.npz", "--out", "q.zarr", "--json", "-q", cwd=tmp_path)
    assert json.loads(again.stdout)["sounds"] == json.loads(first.stdout)["sounds"]


def test_nothing_is_left_of_a_score_that_cannot_finish_and_nothing_there_is_touched(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = predicted(tmp_path / "p.npz", open_dataset(path), [0, 1])
    (tmp_path / "mine").mkdir()
    with pytest.raises(PathTakenError, match="mine exists"):
        score(path, file, out=tmp_path / "mine")
    monkeypatch.setattr("tonesmith.analysis.scoring.score.scored", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        score(path, file, out=tmp_path / "o")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["d", "mine", "p.npz"]


def test_baselines_come_from_rows_that_are_not_predicted_and_from_other_patches(path: Path, tmp_path: Path) -> None:
    ds = open_dataset(path)
    found = baselines_of(ds, np.array([0, 5]), 100, 0)
    assert (found.origin, found.pool) == ("rows without a prediction", 12)
    level = ds.column("continuous")[[i for i in range(16) if i not in {0, 1, 4, 5}]].mean(axis=0)
    assert found.labels["mean"][0].continuous.tolist() == pytest.approx(level.tolist(), abs=1e-6)
    everything = baselines_of(ds, np.arange(16), 100, 0)
    assert everything.origin == "other patches"
    for i, label in enumerate(everything.labels["nearest"]):
        assert label.continuous.tolist() != ds[i].label.continuous.tolist()
    terminal("split", path, "--train", "0.5", "--val", "0", "--test", "0.5", "-q")
    split = open_dataset(path)
    assert baselines_of(split, split.splits["test"], 100, 0).origin == "split train"


SPACE = ParameterSpace(
    (
        *(Parameter(f"osc_{i}_level", "continuous", 0.0, 1.0, 0.5) for i in (1, 2, 3)),
        Parameter("volume", "continuous", 0.0, 1.0, 0.5),
        *(Parameter(f"osc_{i}_wave", "categorical", 0, 3, 0) for i in (1, 2, 3)),
    )
)
OSCILLATORS = (("osc_1", "osc_2", "osc_3"),)


def errors(
    truth: list[list[float]], guess: list[list[float]], heard: Any = True, groups: Any = OSCILLATORS
) -> LabelErrors:
    """Return errors of labels written as three levels, a volume and three waves."""
    parts = [np.array(rows, np.float64) for rows in (truth, guess)]
    labels = [Labels(part[:, :4], part[:, 4:].astype(np.int64)) for part in parts]
    audible = np.broadcast_to(np.asarray(heard), (len(truth), 7))
    return LabelErrors(SPACE, labels[0], labels[1], audible, groups)


def test_label_errors_count_what_is_audible_alone() -> None:
    truth, guess = [[0.0, 0.0, 0.0, 0.5, 0, 1, 2]], [[0.5, 1.0, 0.0, 0.5, 0, 0, 0]]
    assert errors(truth, guess, groups=()).summary() == pytest.approx(
        {"mse": 1.25 / 4, "mae": 1.5 / 4, "accuracy": 1 / 3}
    )
    heard = [True, False, True, True, True, False, False]
    assert errors(truth, guess, heard, ()).summary() == pytest.approx(
        {"mse": 0.25 / 3, "mae": 0.5 / 3, "accuracy": 1.0}
    )
    assert errors(truth, guess, False, ()).summary() == {"mse": None, "mae": None, "accuracy": None}


def test_the_best_exchange_undoes_modules_in_another_order_row_by_row() -> None:
    truth = [[0.1, 0.5, 0.9, 0.3, 0, 1, 2], [0.1, 0.5, 0.9, 0.3, 0, 1, 2]]
    guess = [[0.9, 0.1, 0.5, 0.3, 2, 0, 1], [0.1, 0.5, 0.9, 0.3, 0, 1, 2]]
    found = errors(truth, guess).summary()
    assert (found["mse_exchanged"], found["accuracy_exchanged"]) == (0.0, 1.0)
    assert found["mse"] == pytest.approx((0.64 + 0.16 + 0.16) / 8)
    assert found["accuracy"] == 0.5
    random = np.random.default_rng(0)
    rows = [random.uniform(size=4).tolist() + random.integers(0, 4, 3).tolist() for _ in range(20)]
    other = [random.uniform(size=4).tolist() + random.integers(0, 4, 3).tolist() for _ in range(20)]
    told = errors(rows, other).summary()
    assert told["mse_exchanged"] + (1 - told["accuracy_exchanged"]) < told["mse"] + (1 - told["accuracy"])  # type: ignore[operator]


def test_modulations_go_with_the_modules_that_are_exchanged() -> None:
    space = replace(
        SPACE,
        sources=("lfo_1", "osc_1"),
        destinations=("osc_1_level", "osc_2_level", "osc_3_level", "volume"),
        modulation_slots=3,
    )
    here = (Modulation("lfo_1", "osc_1_level", 0.5), Modulation("osc_1", "volume", 0.1))
    there = (Modulation("lfo_1", "osc_2_level", 0.9), Modulation("osc_2", "volume", 0.1))
    off = Modulation("lfo_1", "volume", bypass=True)
    levels, waves = np.array([[0.1, 0.5, 0.9, 0.3]]), np.array([[0, 1, 2]])
    truth = Labels(levels, waves, [here])
    guess = Labels(levels[:, [2, 0, 1, 3]], waves[:, [2, 0, 1]], [(*there, off)])

    found = LabelErrors(space, truth, guess, np.ones((1, 7), np.bool_), OSCILLATORS)

    assert found.exchanged().modulations == [(replace(there[0], destination="osc_1_level"), here[1], off)]
    told = found.summary()
    assert (told["modulations"], told["modulations_exchanged"]) == (0.0, 1.0)
    without = LabelErrors(space, replace(truth, modulations=[()]), replace(guess, modulations=[()]), found.audible)
    assert without.summary()["modulations"] is None
    half = LabelErrors(space, truth, replace(truth, modulations=[here[:1]]), found.audible)
    assert half.summary()["modulations"] == pytest.approx(2 / 3)


def test_choices_alone_decide_an_exchange_and_inaudible_ones_do_not() -> None:
    truth, guess = [[0.5, 0.5, 0.5, 0.3, 0, 1, 2]], [[0.5, 0.5, 0.5, 0.3, 2, 0, 1]]
    assert errors(truth, guess).summary()["accuracy_exchanged"] == 1.0
    kept = errors(truth, guess, [True] * 4 + [False] * 3).exchanged()
    assert kept.categorical.tolist() == [[2, 0, 1]]


def test_a_module_does_not_go_where_the_space_fixes_another_value() -> None:
    space = replace(SPACE, fixed={"osc_1_wave": 1.0, "osc_3_level": 0.5, "osc_3_wave": 0.0})
    truth, guess = Labels(np.array([[0.1, 0.9, 0.3]]), np.array([[1]])), np.array([[0.9, 0.1, 0.3]])
    for wave, told in ((1, [0.1, 0.9, 0.3]), (0, [0.9, 0.1, 0.3])):
        found = LabelErrors(space, truth, Labels(guess, np.array([[wave]])), np.ones((1, 4), np.bool_), OSCILLATORS)
        assert found.exchanged().continuous.tolist() == [told]


def test_r2_is_1_for_a_perfect_guess_0_for_the_mean_and_none_where_nothing_varies() -> None:
    truth = [[0.0, 0.2, 0.5, 0.1, 0, 0, 0], [1.0, 0.4, 0.5, 0.9, 0, 0, 1]]
    guess = [[0.0, 0.3, 0.5, 0.9, 0, 1, 0], [1.0, 0.3, 0.6, 0.1, 0, 0, 0]]
    told = errors(truth, guess).parameters()
    assert [told[name]["r2"] for name in ("osc_1_level", "osc_2_level", "osc_3_level", "volume")] == pytest.approx(
        [1.0, 0.0, None, -3.0]
    )
    assert [told[f"osc_{i}_wave"]["accuracy"] for i in (1, 2, 3)] == [1.0, 0.5, 0.5]
    assert told["volume"] == {
        "rows": 2,
        "mse": pytest.approx(0.64),
        "mae": pytest.approx(0.8),
        "r2": pytest.approx(-3.0),
    }


def test_intervals_are_of_patches_and_not_of_rows() -> None:
    random = np.random.default_rng(0)
    centres = random.normal(size=20)
    values = np.repeat(centres, 50) + 0.001 * random.normal(size=1000)
    siblings = statistics(values, np.repeat(np.arange(20), 50), 0, "a")
    strangers = statistics(values, np.arange(1000), 0, "a")
    width = [told["interval"][1] - told["interval"][0] for told in (siblings, strangers)]
    assert width[0] > 2 * width[1]
    assert (siblings["median"], siblings["q1"]) == (np.median(values), np.quantile(values, 0.25))
    assert siblings["interval"][0] <= siblings["median"] <= siblings["interval"][1]
    assert statistics(values, np.repeat(np.arange(20), 50), 0, "a") == siblings


def test_settings_out_of_range_are_refused() -> None:
    for change in ({"rows": -1}, {"baseline_rows": 0}, {"pool": 0}):
        with pytest.raises(ConfigError, match="must be 1 or more"):
            replace(Settings(), **change)


def test_modules_that_vital_exchanges_are_there_with_the_same_parameters() -> None:
    backend = Host.load().find("backend", "vita")
    assert ("osc_1", "osc_2", "osc_3") in backend.interchangeable
