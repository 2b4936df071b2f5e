"""What a report gathers of a dataset, and where it is written."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.builders import write_dataset, zarr_case

import tonesmith
from tonesmith.analysis.coverage import cover_of
from tonesmith.analysis.labels import labels_of
from tonesmith.analysis.report import report as reporting
from tonesmith.analysis.report.chart import even_edges, placed
from tonesmith.analysis.report.picks import distances_of, duplicates, oddest, spanning
from tonesmith.analysis.report.report import Drawing, write_comparison, write_report
from tonesmith.analysis.report.sample import drawn, sample_of
from tonesmith.analysis.report.sounds import heard
from tonesmith.analysis.report.torn import torn
from tonesmith.cli import run
from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.reader import Dataset
from tonesmith.errors import ConfigError
from tonesmith.plan.plan import Audio
from tonesmith.plan.rejected_label import label_json
from tonesmith.plan.rejection import Rejection
from tonesmith.plan.schema import Measure
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Patch
from tonesmith.space.space import ParameterSpace
from tonesmith.testing.synthetic import attributes_of, synthetic_plan


def data_of(page: Path) -> dict[str, Any]:
    """Return the data that a page holds."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(), re.DOTALL)
    assert found
    return json.loads(found[1])


def section(page: Path, name: str) -> dict[str, Any]:
    return next(part for part in data_of(page)["sections"] if part["name"] == name)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """20 rows of 10 patches in 3 blocks."""
    return write_dataset(tmp_path_factory.mktemp("report") / "d.zarr").path


@pytest.fixture(scope="module")
def page(stored):
    return write_report(stored, stored.with_name("report.html")).path


def test_a_page_has_each_row_with_its_sound_its_picture_and_its_values(stored, page):
    data, dataset = data_of(page), open_dataset(stored)
    points = data["points"]
    fields = {field["name"]: field for field in points["fields"]}

    assert points["rows"] == dataset.rows.tolist()
    assert all(
        base64.b64decode(clip.removeprefix("data:audio/ogg;base64,")).startswith(b"OggS") for clip in points["clips"]
    )
    assert all(base64.b64decode(picture).startswith(b"\x89PNG") for picture in points["pictures"])
    assert fields["pitch"]["values"] == dataset.column("pitch").tolist()
    assert [fields["origin"]["choices"][i] for i in fields["origin"]["values"]] == [row.origin for row in dataset]
    assert fields["cutoff"]["values"] == pytest.approx([row.parameters["cutoff"].value for row in dataset], rel=1e-4)
    silent = [i for i, row in enumerate(dataset) if not row.audio.any()]
    assert silent
    assert all(fields["centroid"]["values"][i] is None for i in silent)


def test_charts_count_what_is_there_and_know_where_each_sound_counts(stored, page):
    dataset, labels = open_dataset(stored), labels_of(open_dataset(stored))
    pitch, covered = section(page, "notes")["parts"][0], section(page, "coverage")["parts"][0]

    assert dict(zip(pitch["cells"]["x"], pitch["cells"]["n"], strict=True)) == {"48": 10, "60": 10}
    cells = np.frombuffer(base64.b64decode(pitch["counted"]["cells"]), "<u2")
    assert [pitch["cells"]["x"][cell] for cell in cells] == [str(pitch) for pitch in dataset.column("pitch")]
    level = np.array(covered["cells"]["n"]).reshape(2, 10)[covered["cells"]["y"][::10].index("level")]
    assert level.tolist() == np.histogram(dataset.space.raw(labels.continuous)[:, 0], 10, (0.0, 1.0))[0].tolist()
    matrix = section(page, "modulations")["parts"][0]
    assert sum(matrix["cells"]["n"]) == len(labels.routings) > 0


def test_only_its_own_scripts_run_and_nothing_is_loaded(page):
    text = page.read_text()
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1])
    scripts = re.findall(r'<script type="module">(.*?)</script>', text, re.DOTALL)

    assert len(scripts) == 2
    for script in scripts:
        assert f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "script-src 'unsafe-inline'" not in policy
    own = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r'(?:src|href)="(?!data:|#)|url\(', own)


def test_the_same_rows_are_drawn_each_time_and_others_with_another_seed():
    assert drawn(1000, 20, 1).tolist() == drawn(1000, 20, 1).tolist() != drawn(1000, 20, 2).tolist()
    assert drawn(7, 20, 1).tolist() == list(range(7))
    assert len(set(drawn(10**6, 500, 0).tolist())) == 500


def test_the_audio_of_no_other_row_is_read(tmp_path, monkeypatch):
    path = write_dataset(tmp_path / "d.zarr").path
    dataset, read = open_dataset(path), []
    original = type(dataset.storage).read

    def reading(storage, column, rows):
        read.extend(rows if column == "audio" else ())
        return original(storage, column, rows)

    monkeypatch.setattr(type(dataset.storage), "read", reading)
    written = write_report(path, tmp_path / "r.html", Drawing(rows=5, seed=3))

    assert read == dataset.rows[drawn(20, 5, 3)].tolist()
    assert written.rows == 5
    assert any("5 rows of 20, drawn at random with seed 3" in text for text, _ in data_of(written.path)["notes"])


def test_labels_of_many_patches_are_those_of_drawn_blocks(stored):
    dataset = open_dataset(stored)
    some, others, whole = (labels_of(dataset, most, seed) for most, seed in ((8, 0), (8, 1), (0, 0)))

    assert whole.whole
    assert len(whole) == 10
    assert not some.whole
    assert 0 < len(some) < 10
    assert {tuple(row) for row in some.continuous} <= {tuple(row) for row in whole.continuous}
    assert some.continuous.tolist() == labels_of(dataset, 8, 0).continuous.tolist()
    assert others is not some


def test_the_picture_of_coverage_and_the_page_count_alike(stored, page):
    cover = cover_of(open_dataset(stored), ["level", "cutoff"])
    cells = section(page, "coverage")["parts"][0]["cells"]
    sizes = np.array(list(cover.origins.values()))
    assert cells["n"] == [round(n) for panel in cover.panels for n in (sizes @ panel.shares)]


@pytest.mark.parametrize(("channels", "patches"), [(1, 1), (9, 2), (2, 0)])
def test_any_number_of_channels_and_rows_makes_a_page(tmp_path, channels, patches):
    plan = synthetic_plan(patches=max(patches, 1))
    plan = replace(
        plan, audio=replace(plan.audio, channels=channels), notes=plan.notes.model_copy(update={"pitches": (60,)})
    )
    path = write_dataset(tmp_path / "d.zarr", range(1 if patches else 0), plan).path
    written = write_report(path, tmp_path / "r.html")

    assert written.rows == patches
    assert len(data_of(written.path)["points"]["x"]) == patches
    assert bool(data_of(written.path)["points"]["clips"]) == bool(patches)


def test_a_damaged_block_is_named_and_left_out(tmp_path):
    path = write_dataset(tmp_path / "d.zarr").path
    sounds, labels = (sorted((path / name).glob("c.*")) for name in ("audio", "continuous"))
    for file in (sounds[0], labels[-1]):
        file.write_bytes(b"\0" * 40)
    written = write_report(path, tmp_path / "r.html")

    assert sorted(written.damaged) == ["block 0", "block 2"]
    assert 0 < written.rows < 20
    told = [text for text, bad in data_of(written.path)["notes"] if bad]
    assert sorted(text.partition(" is")[0] for text in told) == ["block 0", "block 2"]


def test_names_of_strangers_cannot_end_the_data_nor_fill_the_page(tmp_path):
    evil = ("</script><script>alert(1)</script>", "\u202egnp.exe", "x" * 60_000)
    space = ParameterSpace(
        (
            *(Parameter(name, "continuous", 0.0, 1.0, 0.5, unit=evil[0]) for name in evil),
            Parameter("choice", "categorical", 0, 2, 0, choices=evil),
        )
    )
    plan = replace(synthetic_plan(space=space, measures=()), origins=(evil[0], "presets"))
    plan = replace(plan, origins=("lhs", "presets"), versions={evil[0]: evil[2]})
    path = write_dataset(tmp_path / "d.zarr", (0, 1, 2), plan).path
    written = write_report(path, tmp_path / "r.html")

    text = written.path.read_text()
    assert "alert(1)</script" not in text
    assert "\u202e" not in text
    assert written.nbytes < 4_000_000
    assert any("alert(1)" in field["name"] for field in data_of(written.path)["points"]["fields"])


def test_a_page_that_would_be_too_large_has_fewer_clips(stored, tmp_path, monkeypatch):
    full = write_report(stored, tmp_path / "a.html")
    monkeypatch.setattr("tonesmith.analysis.report.page.LARGEST", full.nbytes - 5000)
    cut = write_report(stored, tmp_path / "b.html")
    assert cut.nbytes <= full.nbytes - 5000
    assert 0 < sum(map(bool, data_of(cut.path)["points"]["clips"])) < full.clips
    assert cut.clips == sum(map(bool, data_of(cut.path)["points"]["clips"]))


def test_a_clip_beyond_full_scale_is_divided_and_says_so():
    import io

    import soundfile

    seconds = np.arange(22050) / 44100
    wave = np.stack([1.6 * np.sin(2 * np.pi * 440 * seconds)] * 2).astype(np.float32)
    found = heard(wave, 44100)
    clip, rate = soundfile.read(io.BytesIO(found.clip.content))

    assert (rate, clip.ndim, found.divided) == (48000, 1, pytest.approx(1.6, abs=0.01))
    assert len(clip) == pytest.approx(24000, abs=400)
    assert 0.8 < np.abs(clip).max() < 1.1
    assert found.peak == pytest.approx(20 * np.log10(1.6), abs=0.01)
    assert found.centroid == pytest.approx(440, rel=0.05)
    assert found.attack < 0.02


def test_what_spans_is_one_of_each_cloud_and_what_is_alike_is_found():
    random = np.random.default_rng(0)
    centres = np.array([[0.0, 0.0], [40.0, 0.0], [0.0, 40.0]])
    features = np.concatenate([random.normal(centre, 1.0, (10, 2)) for centre in centres])
    features[7] = features[3] + 1e-3
    distances = distances_of(features)

    assert sorted(place // 10 for place in spanning(distances, 3)) == [0, 1, 2]
    assert len(spanning(distances, 99)) == 30
    pair = duplicates(distances, features, np.arange(30), 4)[0]
    assert (pair.first, pair.second, round(pair.distance, 4)) == (3, 7, 0.001)
    assert all({p.first, p.second} != {3, 7} for p in duplicates(distances, features, np.arange(30) // 10, 4))
    found = dict(oddest(distances, list(range(30)), [np.nan] * 30, [1.0] * 30))
    assert found[29].startswith("loudest")
    assert found[0].startswith("quietest")


@pytest.mark.parametrize("values", [[0.0], [-3.2, 4.7, 1e-9], [1e6, 1e6 + 3], [np.nan], [-np.inf, 5.0], [0.1, 0.3]])
def test_every_finite_value_lies_in_a_bin(values):
    array = np.array(values)
    edges = even_edges(array)
    assert ((placed(array, edges) >= 0) == np.isfinite(array)).all()
    assert len(edges) < 60


def test_two_datasets_are_told_apart_in_words_and_lie_on_one_map(stored, tmp_path):
    plan = replace(synthetic_plan(patches=4), seed=8, audio=Audio(16000, 1, 300))
    other = write_dataset(tmp_path / "e.zarr", (0,), plan).path
    written = write_comparison(stored, other, tmp_path / "c.html", Drawing(rows=10))

    data = data_of(written.path)
    field = data["points"]["fields"][0]
    assert (field["name"], field["choices"]) == ("dataset", ["d.zarr", "e.zarr"])
    assert [field["values"].count(i) for i in (0, 1)] == [10, 8]
    settings = section(written.path, "differences")["parts"][1]
    assert settings["head"] == ["setting", "d.zarr", "e.zarr"]
    assert ["sample rate, Hz", "8000", "16000"] in settings["rows"]
    assert ["seed", "7", "8"] in settings["rows"]
    level = section(written.path, "levels")["parts"][0]
    assert set(level["cells"]["g"]) == {"d.zarr", "e.zarr"}
    assert any("compared at 8,000 Hz" in text for text, _ in data["notes"])


def test_predictions_lie_beside_their_targets(stored, tmp_path):
    plan = replace(synthetic_plan(patches=3), measures=(Measure("mss", "dB", "x"),), rounds=(3,))
    case = zarr_case(tmp_path / "p.zarr", plan)
    sink, rows = case.made(), [4, 2, 9, 0, 7, 5]
    scored = {"fingerprint": open_dataset(stored).plan.fingerprint, "rows": rows}
    sink.create({**attributes_of(plan), "scored": scored}, plan.schema, plan.rows, plan.block_rows)
    sink.write_block(case.block(0))
    written = write_report(case.path, tmp_path / "r.html", targets=stored)

    best = open_dataset(case.path).column("mss").argmin()
    pairs = section(written.path, "predictions")["parts"][0]["rows"]
    extras = data_of(written.path)["points"]["extras"]
    count = len(data_of(written.path)["points"]["x"])
    assert pairs[0][0][1].startswith("best, mss")
    assert extras[pairs[0][0][0] - count] == f"target, row {rows[best]}"
    with pytest.raises(ConfigError, match="has no predictions of `tonesmith score`"):
        write_report(stored, tmp_path / "x.html", targets=stored)
    with pytest.raises(ConfigError, match="is not the dataset that the predictions"):
        write_report(case.path, tmp_path / "x.html", targets=case.path)


def test_a_place_that_cannot_be_is_refused_before_anything_is_read(stored, tmp_path, monkeypatch):
    monkeypatch.setattr(reporting, "open_dataset", lambda _: pytest.fail("it was read"))
    (tmp_path / "old.html").write_text("mine")
    for out, told in (
        (tmp_path / "old.html", "exists. Name another file, or overwrite it with --force"),
        (tmp_path / "r.txt", "must end in .html"),
        (stored / "r.html", "is inside the dataset"),
        (tmp_path / "no" / "r.html", "its folder does not exist"),
    ):
        with pytest.raises(ConfigError, match=told):
            write_report(stored, out)
    assert (tmp_path / "old.html").read_text() == "mine"


def test_a_missing_library_is_named_with_its_command(stored, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(ConfigError, match=r"pip install 'tonesmith\[report\]'"):
        write_report(stored, tmp_path / "r.html")
    assert not list(tmp_path.iterdir())


def test_the_command_tells_where_the_page_is_and_what_it_holds(stored, tmp_path, capsys):
    out = tmp_path / "r.html"
    assert run(["report", str(stored), "-o", str(out), "--rows", "4", "-q", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "path": str(stored), "out": str(out), "rows": 4, "clips": 4, "nbytes": out.stat().st_size, "damaged": []
    }  # fmt: skip
    assert run(["report", str(stored), "-o", str(out)]) == 2
    assert "overwrite it with --force" in capsys.readouterr().err


def test_python_refuses_a_setting_that_there_is_not(stored, tmp_path):
    with pytest.raises(ConfigError, match="Did you mean 'rows'"):
        tonesmith.report(stored, tmp_path / "r.html", row=3)
    with pytest.raises(ConfigError, match="1 to 3,000 rows"):
        tonesmith.report(stored, tmp_path / "r.html", rows=0)
    with pytest.raises(ConfigError, match="the same dataset"):
        tonesmith.compare(stored, stored, tmp_path / "r.html")


def test_a_sample_leaves_out_what_is_no_sound(tmp_path):
    case = zarr_case(tmp_path / "d.zarr")
    sink, block = case.created(), case.block(0)
    audio = block.columns["audio"].copy()
    audio[3, 0, 7] = np.nan
    sink.write_block(replace(block, columns={**block.columns, "audio": audio}))
    dataset = open_dataset(case.path)
    sample = sample_of(dataset, np.arange(len(dataset)), budget=10**6)
    assert sample.rows.tolist() == [0, 1, 2, 4, 5, 6, 7]
    assert sample.damaged == {"row 3": "it has samples that are not finite."}


def test_the_holes_that_rejections_tear_are_told_or_why_they_are_not(tmp_path):
    case = zarr_case(tmp_path / "d.zarr", synthetic_plan(patches=60, block=60))
    space, lows = (
        case.plan.space,
        [{"level": i / 400, "cutoff": 8.0 + i * 37 % 128, "slope": 1 + i % 3} for i in range(40)],
    )
    labels = [label_json(space.encode(patch), patch) for patch in (Patch(values, origin="lhs") for values in lows)]
    crashed = tuple(Rejection(place, 0, "engine", "crash", label=label) for place, label in enumerate(labels))
    case.created().write_block(replace(case.block(0), rejections=crashed))
    found = torn(open_dataset(case.path))

    assert found is not None
    assert found.rows[0][0] == "level"
    assert 20 < found.rows[0][2] <= found.rows[0][3] <= 50
    assert found.rows[0][6] == "engine: crash"
    unknown = torn(write_dataset_of_unknown_sampler(tmp_path))
    assert unknown is not None
    assert unknown.note.startswith("They are not known: ")


def write_dataset_of_unknown_sampler(folder: Path) -> Dataset:
    return open_dataset(write_dataset(folder / "e.zarr").path)
