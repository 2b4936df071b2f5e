"""Rows that play scores: what is stored is what was composed, and plays again from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.patches import Rectangle
from support import PLUGINS

from tonesmith import Note, Phrase, Score, convert, generate, merge, open_dataset
from tonesmith.analysis.roll import row_figure
from tonesmith.cli import run
from tonesmith.dataset.verify import check_integrity
from tonesmith.errors import ConfigError, DatasetError, OtherPlanError
from tonesmith.host.registry import Host
from tonesmith.score.reader import midi_reading
from tonesmith.score.writer import midi_of

SETTINGS: dict[str, Any] = {
    "patches": 6,
    "block": 2,
    "sample_rate": 8000,
    "backend": "chaos",
    "sampler": "uniform",
    "validators": {},
    "phrases": {"seconds": 0.5, "tail": 0.125, "per_patch": 2},
}


@pytest.fixture(scope="module")
def tunes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a dataset whose rows play composed scales, with two workers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        patch.setenv("PYTHONPATH", str(PLUGINS))
        Host.load.cache_clear()
        path = tmp_path_factory.mktemp("phrases") / "tunes"
        generate(path, **SETTINGS, composer="tunes", workers=2)
        yield path
    Host.load.cache_clear()


@pytest.fixture(autouse=True)
def _plugins(chaos: Any) -> None:
    """Let the composers of the tests be found."""


def composed(seed: int, index: int) -> Any:
    cls = Host.load().find("composer", "tunes")
    return cls(cls.Options(), seed).compose(index)


def typed(*words: Any) -> str:
    """Type a command, and return what it says."""
    said = StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        status = run([str(word) for word in words])
    return f"{said.getvalue()}exit status {status}"


def test_a_row_has_the_score_its_events_and_what_the_composer_said(tunes: Path) -> None:
    ds = open_dataset(tunes)
    assert len(ds) == 12
    for row in ds:
        want = composed(0, row.row)
        assert row.score == want.score
        assert row.annotations == want.annotations
        assert row.joined == "sum"
        assert row.plays == Phrase(want.score, 0.5, 0.125)
        count, notes = int(row.columns["score/count"]), want.score.notes
        assert count == len(want.score)
        assert row.columns["score/onset"][:count].tolist() == want.score.onsets.tolist()
        assert row.columns["score/pitch"].tolist() == [*notes["pitch"].tolist(), *[0] * (4 - count)]
        assert (row.note.pitch, row.note.velocity) == (notes["pitch"][0], notes["velocity"][0])


def test_a_synth_of_notes_plays_each_alone_and_the_host_adds_them(tunes: Path) -> None:
    ds = open_dataset(tunes)
    assert ds.plan.phrases is not None
    assert ds.plan.phrases.joined == "sum"
    row = next(row for row in ds if row.score is not None and len(row.score) == 4)
    assert row.score is not None
    expected = np.zeros_like(row.audio)
    for onset, duration, event in zip(row.score.onsets, row.score.durations, row.score.notes, strict=True):
        start = round(onset * 8000)
        alone = Note(int(event["pitch"]), int(event["velocity"]), float(duration), 0.625 - float(onset + duration))
        plan_note = Note(alone.pitch, alone.velocity, 0.5, 0.125)  # as long as the rows: the sine does not end
        expected[:, start:] += ds.render(row.label, plan_note)[0][:, : expected.shape[1] - start]
    np.testing.assert_array_equal(row.audio, expected)


def test_any_number_of_workers_and_an_interruption_give_the_same_rows(tunes: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    generate(again, **SETTINGS | {"patches": 2}, composer="tunes", workers=1)
    generate(again, **SETTINGS, composer="tunes", workers=1)

    assert open_dataset(again).digest == open_dataset(tunes).digest
    assert list(check_integrity(open_dataset(again))) == []


def test_a_label_on_disk_plays_its_score_again_bit_for_bit(tunes: Path, tmp_path: Path) -> None:
    ds = open_dataset(tunes)
    label, audio, midi = (tmp_path / name for name in ("row.json", "row.wav", "row.mid"))
    typed("export", tunes, "--row", 3, "--label", label, "--midi", midi)
    typed("render", label, "--like", tunes, "--audio", audio)

    assert midi_reading(midi.read_bytes()).score == ds[3].score
    assert audio.read_bytes()[-ds[3].audio.nbytes :] == ds[3].audio.T.astype("<f4").tobytes()
    typed("render", 0, "--like", tunes, "--midi", midi, "--audio", audio, "--force")
    want = ds.render(ds[0].label, ds[3].score)[0]
    assert audio.read_bytes()[-want.nbytes :] == want.T.astype("<f4").tobytes()
    bad = json.loads(label.read_text()) | {"score": {"format": 9}}
    label.write_text(json.dumps(bad))
    said = typed("render", label, "--like", tunes, "--audio", audio, "--force")
    assert "a score of format 9" in said
    assert said.endswith("exit status 2")


def test_what_was_stored_is_rendered_again_and_compared(tunes: Path) -> None:
    assert "5 of 5 rows sound as they did" in typed("verify", tunes, "--render", 5)


@pytest.mark.parametrize("sink", ["hdf5", *(pytest.param(s, marks=pytest.mark.long) for s in ("lmdb", "folder"))])
def test_another_sink_keeps_scores_and_annotations(tunes: Path, tmp_path: Path, sink: str) -> None:
    convert(tunes, tmp_path / "there", sink=sink)
    ds, there = open_dataset(tunes), open_dataset(tmp_path / "there")

    assert there.digest == ds.digest
    assert [(row.score, row.annotations) for row in there] == [(row.score, row.annotations) for row in ds]


def test_a_list_is_kept_as_assets_and_goes_round_so_that_each_score_plays_as_often(tmp_path: Path) -> None:
    settings = {**SETTINGS, "composer": {"name": "listed", "count": 4}}
    generate(tmp_path / "ds", **settings | {"patches": 8})
    ds = open_dataset(tmp_path / "ds")
    phrases = ds.plan.phrases

    assert phrases is not None
    assert [score.source for score in phrases.scores] == [
        "0.mid, bar 0",
        "0.mid, bar 1",
        "1.mid, bar 2",
        "1.mid, bar 3",
    ]
    assert "folder" not in phrases.options
    assert np.bincount(ds.column("score/index")).tolist() == [4, 4, 4, 4]
    assert {score.sha256 for score in phrases.scores} <= set(ds.storage.assets())
    every = {**settings, "phrases": {**SETTINGS["phrases"], "per_patch": 0}, "patches": 2}
    generate(tmp_path / "every", **every)
    assert open_dataset(tmp_path / "every").column("score/index").tolist() == [0, 1, 2, 3] * 2

    with pytest.raises(OtherPlanError, match="phrases"):
        generate(tmp_path / "ds", **{**settings, "patches": 9, "composer": {"name": "listed", "count": 3}})


def test_rows_that_play_parts_of_one_file_stay_in_one_split(tmp_path: Path) -> None:
    path = tmp_path / "ds"
    generate(path, **{**SETTINGS, "patches": 20, "composer": {"name": "listed", "count": 12}, "workers": 1})
    typed("split", path, "--by", "score", "--train", 0.5, "--val", 0.25, "--test", 0.25)
    ds = open_dataset(path)

    assert ds.plan.phrases is not None
    file_of = [score.source.partition(",")[0] for score in ds.plan.phrases.scores]
    split_of: dict[str, set[str]] = {}
    for name in ds.splits:
        for index in ds.split(name).column("score/index").tolist():
            split_of.setdefault(file_of[index], set()).add(name)
    assert len(split_of) == 6
    assert all(len(names) == 1 for names in split_of.values())
    assert len(set().union(*split_of.values())) > 1


def test_a_score_that_is_gone_is_told_by_verify_and_by_the_row(tmp_path: Path) -> None:
    path = tmp_path / "ds"
    generate(path, **{**SETTINGS, "patches": 2, "sink": "folder"}, composer="tunes")
    name = open_dataset(path)[1].columns["score/sha256"].tobytes().hex()
    (found,) = [file for file in path.rglob(f"*{name}*") if file.is_file()]
    found.unlink()

    assert [damage.row for damage in check_integrity(open_dataset(path)) if damage.what == "asset"] == [1]
    with pytest.raises(DatasetError):
        _ = open_dataset(path)[1].score
    assert open_dataset(path)[0].score is not None


def test_loaders_and_tables_have_the_events_and_the_annotations(tunes: Path) -> None:
    ds = open_dataset(tunes)
    table = ds.to_pandas()

    assert table["mood"].tolist() == [row.annotations["mood"] for row in ds]
    assert table["name"].tolist() == [row.annotations["name"] for row in ds]
    assert table["notes"].tolist() == ds.column("score/count").tolist()
    sample = ds.with_format("numpy")[2]
    np.testing.assert_array_equal(sample["score/onset"], ds[2].columns["score/onset"])
    assert sample["annotation/steps"] == ds[2].annotations["steps"]


def test_a_picture_of_a_row_has_a_bar_for_each_note(tunes: Path, tmp_path: Path) -> None:
    ds = open_dataset(tunes)
    row = next(row for row in ds if row.score is not None and len(row.score) == 3)
    roll, sound = row_figure(row).axes
    bars = [bar for bar in roll.patches if isinstance(bar, Rectangle)]

    assert row.score is not None
    assert [round(bar.get_x(), 9) for bar in bars] == [round(onset, 9) for onset in row.score.onsets.tolist()]
    assert [bar.get_y() + bar.get_height() / 2 for bar in bars] == row.score.notes["pitch"].tolist()
    assert sound.get_xlim() == (0.0, 0.625)
    assert "exit status 0" in typed("plot", "row", tunes, "--row", 3, "-o", tmp_path / "row.png")
    assert (tmp_path / "row.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.long
def test_datasets_of_the_same_composer_are_merged_with_their_scores(tunes: Path, tmp_path: Path) -> None:
    generate(tmp_path / "other", **{**SETTINGS, "seed": 7, "patches": 2}, composer="tunes")
    merge([tunes, tmp_path / "other"], tmp_path / "both")
    ds, other = open_dataset(tmp_path / "both"), open_dataset(tmp_path / "other")

    assert ds[13].score == other[1].score
    assert ds[13].annotations == other[1].annotations


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"composer": {"name": "listed", "count": 0}}, "the composer 'listed' has no score to play"),
        ({"composer": {"name": "listed", "bend": True}}, "bent.mid, bar 1: chaos cannot play"),
        ({"composer": "tunes", "phrases": {"per_patch": 0}}, "phrases.per_patch: the composer 'tunes' has no end"),
        ({"composer": {"most": 3}}, "composer: names no composer"),
        ({"composer": "tune"}, "tune"),
        ({"composer": {"name": "tunes", "most": 0}}, "composer.most"),
        ({"composer": "tunes", "notes": {"draw": 2}}, "notes.draw: is not used, since the composer"),
        ({"phrases": {"seconds": 2.0}}, r"phrases.seconds: is not used, since there is no \[composer\]"),
    ],
)
def test_what_cannot_be_played_is_said_before_anything_is_written(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        generate(tmp_path / "ds", **{**SETTINGS, **changes})
    assert not (tmp_path / "ds").exists()


def test_paths_of_a_file_of_settings_are_relative_to_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "settings"
    (folder / "midi").mkdir(parents=True)
    (folder / "midi" / "one.mid").write_bytes(midi_of(Score.of([(0, 1, 60, 100)])))
    text = """
        backend = "chaos"
        sampler = "uniform"
        [plan]
        patches = 1
        sample_rate = 8000
        [phrases]
        seconds = 2.0
        [composer]
        name = "files"
        paths = ["midi"]
    """
    (folder / "plugins.toml").write_text(text)
    typed("generate", "--config", folder / "plugins.toml", tmp_path / "ds", "--quiet")
    phrases = open_dataset(tmp_path / "ds").plan.phrases

    assert phrases is not None
    assert [score.source for score in phrases.scores] == ["one.mid, bar 1"]
    assert str(tmp_path) not in json.dumps(phrases.to_json())


def test_two_flags_that_choose_the_composer_are_refused(tmp_path: Path) -> None:
    said = typed("generate", tmp_path / "ds", "--backend", "chaos", "--midi", tmp_path, "--chords", "C F")
    assert "--midi and --chords: each chooses the composer" in said
    assert said.endswith("exit status 2")


@pytest.mark.long
def test_a_score_longer_than_the_columns_is_whole_in_its_asset(tmp_path: Path) -> None:
    phrases = {**SETTINGS["phrases"], "max_notes": 2}
    generate(tmp_path / "ds", **{**SETTINGS, "patches": 2, "phrases": phrases}, composer="tunes")
    ds = open_dataset(tmp_path / "ds")

    assert ds.column("score/onset").shape == (4, 2)
    assert ds.column("score/count").tolist() == [len(composed(0, index).score) for index in range(4)]
    assert [row.score for row in ds] == [composed(0, index).score for index in range(4)]


def test_a_plan_of_notes_says_nothing_of_scores() -> None:
    from tonesmith.testing.synthetic import synthetic_plan

    plan = synthetic_plan()
    assert "phrases" not in plan.to_json()
    assert not any(column.name.startswith(("score/", "annotation/")) for column in plan.schema)
    assert Score.of([(0, 1, 60, 100)]).digest == Score.of([(0, 1, 60, 100)], resolution=96).digest
