"""Pictures of datasets, and the numbers behind them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import sampled
from support.builders import dataset, write_dataset

from tonesmith.analysis.coverage import MOST_PANELS, cover_of
from tonesmith.analysis.pca import Sounds, components_of, features_of, sounds_of, z_scored
from tonesmith.analysis.plots import cover_figure, sounds_figure
from tonesmith.cli import run
from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.reader import Dataset
from tonesmith.errors import ConfigError, DatasetError
from tonesmith.media.figure import check_picture, shortened, write_picture
from tonesmith.plan.plan import Audio
from tonesmith.space.parameter import Parameter
from tonesmith.space.space import ParameterSpace
from tonesmith.testing.synthetic import synthetic_plan

MAGIC = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """20 rows of 10 patches, with pitches 48 and 60, and origins lhs and presets."""
    return write_dataset(tmp_path_factory.mktemp("plots") / "d.zarr").path


@pytest.fixture
def read(stored):
    return open_dataset(stored)


def sounds(features, groups=None, names=("a",)):
    groups = np.zeros(len(features), np.int64) if groups is None else np.asarray(groups)
    return Sounds(np.asarray(features, np.float64), groups, names, "dataset", 60)


def clouds(seed=0, count=40, features=12, apart=5.0):
    random = np.random.default_rng(seed)
    return np.concatenate([random.normal(centre, 1.0, (count, features)) for centre in (0.0, apart)])


def test_two_clouds_lie_on_two_sides_of_the_first_component():
    found = components_of(sounds(clouds(), np.repeat([0, 1], 40), ("near", "far")))

    first = found.points[:, 0]
    assert first[:40].max() < first[40:].min()  # all loadings are alike here, and positive
    assert found.explained[0] > 0.8
    assert found.spreads[0] < 0.6
    assert found.spreads[1] < 0.6


@pytest.mark.parametrize("seed", range(6))
def test_the_components_are_those_of_the_covariance_of_the_z_scores(seed):
    features = clouds(seed)
    found = components_of(sounds(features))

    values, vectors = np.linalg.eigh(np.corrcoef(features.T))
    assert found.explained == pytest.approx(values[::-1] / values.sum())
    for place in (0, 1):
        loading = vectors[:, -1 - place]
        loading = loading * np.sign(loading[np.abs(loading).argmax()])
        assert found.points[:, place] == pytest.approx(z_scored(features) @ loading, abs=1e-5)
    assert found.spreads == pytest.approx([1.0])


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(2, 12), features=st.integers(2, 9))
def test_explained_variance_is_ordered_and_whole_and_no_order_of_rows_matters(seed, count, features):
    random = np.random.default_rng(seed)
    drawn = random.normal(0.0, 3.0, (count, features))
    order = random.permutation(count)

    found, mixed = components_of(sounds(drawn)), components_of(sounds(drawn[order]))

    assert found.explained.sum() == pytest.approx(1.0)
    assert (np.diff(found.explained) <= 1e-12).all()
    assert mixed.explained == pytest.approx(found.explained, abs=1e-9)
    pairs = [np.linalg.norm(p[:, None] - p[None], axis=-1) for p in (found.points[order], mixed.points)]
    if found.explained[1] - (found.explained[2] if len(found.explained) > 2 else 0.0) > 1e-3:
        assert pairs[0] == pytest.approx(pairs[1], abs=1e-3)


def test_a_feature_that_is_constant_but_for_rounding_counts_for_nothing():
    features = np.column_stack([clouds(1)[:, 0], -100.0 + 1e-6 * np.arange(80), np.full(80, 3.0)])
    assert not z_scored(features)[:, 1:].any()
    assert components_of(sounds(features)).explained[0] == 1.0


def test_sounds_that_are_all_the_same_have_no_variance():
    found = components_of(sounds(np.ones((3, 4))))
    assert not found.explained.any()
    assert not found.points.any()
    assert found.spreads == (0.0,)


def test_features_are_mean_and_deviation_of_bands_over_time():
    steady = np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000)[None]
    silent = np.zeros((2, 8000))

    assert features_of(silent, 8000) == pytest.approx(np.repeat([-100.0, 0.0], 128))
    found = features_of(np.concatenate([steady, steady]), 8000)
    assert found[:128].max() > -12.0
    assert found == pytest.approx(features_of(steady, 8000))
    half = features_of(np.concatenate([silent[:1], steady]), 8000)
    assert half[:128] == pytest.approx((found[:128] - 100.0) / 2)


def test_rows_are_spread_evenly_over_those_of_the_pitch(read):
    whole, some = (sounds_of({"d": read}, "origin", rows, 60) for rows in (500, 4))

    assert (len(whole.features), len(some.features), some.pitch) == (10, 4, 60)
    assert whole.names == ("lhs", "presets")
    of_60 = [row for row in range(20) if read[row].note.pitch == 60]
    for place, row in enumerate([of_60[0], of_60[3], of_60[6], of_60[9]]):
        assert some.features[place] == pytest.approx(features_of(read[row].audio, 8000))
        assert some.names[some.groups[place]] == read[row].origin


def test_without_a_pitch_the_most_frequent_one_that_all_have_is_taken(read, tmp_path):
    plan = synthetic_plan()
    low = dataset(tmp_path / "low.zarr", plan=replace(plan, notes=replace_pitches(plan, (36, 48))))

    assert sounds_of({"d": read}).pitch == 48  # of equals the lowest
    assert sounds_of({"d": read, "low": low}).pitch == 48
    assert sounds_of({"d": read}, "pitch").names == ("48", "60")
    high = dataset(tmp_path / "high.zarr", plan=replace(plan, notes=replace_pitches(plan, (84,))))
    with pytest.raises(ConfigError, match="no pitch in common"):
        sounds_of({"d": read, "high": high})
    with pytest.raises(ConfigError, match=r"high has no row with pitch 48\. Its pitches: 84"):
        sounds_of({"d": read, "high": high}, pitch=48)


def replace_pitches(plan, pitches):
    return plan.notes.model_copy(update={"pitches": pitches})


def test_progress_counts_the_sounds_to_read(read):
    heard = []
    sounds_of({"d": read}, pitch=60, rows=4, progress=lambda *told: heard.append(told))
    assert heard == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_many_pitches_are_grouped_by_octave(tmp_path):
    plan = synthetic_plan(patches=1)
    plan = replace(plan, notes=replace_pitches(plan, tuple(range(46, 57))))
    found = sounds_of({"d": dataset(tmp_path / "d.zarr", [0], plan)}, "pitch")

    assert found.names == ("36 to 47", "48 to 59")
    assert found.groups.tolist() == [0, 0] + [1] * 9
    assert found.pitch is None


def test_what_cannot_be_compared_is_refused(read, tmp_path):
    slower = replace(synthetic_plan(), audio=Audio(4000, 2, 150))
    other = dataset(tmp_path / "slow.zarr", plan=slower)
    with pytest.raises(ConfigError, match="d 8000 Hz, slow 4000 Hz"):
        sounds_of({"d": read, "slow": other})
    with pytest.raises(ConfigError, match="none has no rows yet"):
        sounds_of({"d": read, "none": dataset(tmp_path / "none.zarr", [])})
    with pytest.raises(ConfigError, match=r"unknown grouping 'pich'\. Did you mean 'pitch'"):
        sounds_of({"d": read}, "pich")
    with pytest.raises(ConfigError, match="at least 2 sounds"):
        sounds_of({"d": read}, rows=1)
    with pytest.raises(ConfigError, match="9 datasets are too many for one picture: colours distinguish at most 8"):
        sounds_of({str(i): read for i in range(9)})


def test_sounds_of_other_lengths_and_channels_compare(read, tmp_path):
    mono = replace(synthetic_plan(), audio=Audio(8000, 1, 900))
    found = sounds_of({"d": read, "mono": dataset(tmp_path / "m.zarr", plan=mono)})
    assert found.names == ("d", "mono")
    assert found.features.shape == (20, 256)


def test_a_sound_that_is_no_number_is_named(read, monkeypatch):
    def spoilt(name, rows, read=read.storage.read):
        found = read(name, rows)
        if name == "audio" and 4 in rows:
            found[list(rows).index(4), 0, 7] = np.nan
        return found

    monkeypatch.setattr(read.storage, "read", spoilt)
    with pytest.raises(DatasetError, match="d: row 4 has samples that are not finite"):
        sounds_of({"d": read})


def test_cover_counts_each_patch_once_and_tells_origins_apart(read):
    cover = cover_of(read)

    rows = {row.patch_id: row for row in read}
    assert dict(cover.origins) == {"lhs": 6, "presets": 4}
    assert [panel.parameter.name for panel in cover.panels] == ["level", "cutoff", "filter_on", "slope"]
    for panel in cover.panels:
        assert panel.shares.sum(axis=1) == pytest.approx([1.0, 1.0])
        for shares, origin in zip(panel.shares, ("lhs", "presets"), strict=True):
            raw = [row.patch.values[panel.parameter.name] for row in rows.values() if row.origin == origin]
            assert shares == pytest.approx(np.histogram(raw, panel.edges)[0] / len(raw))
    assert cover.panels[1].edges.tolist() == pytest.approx(np.linspace(8.0, 136.0, 11).tolist())
    assert cover.panels[3].edges.tolist() == [0.5, 1.5, 2.5, 3.5]


def test_only_takes_names_groups_and_globs(read):
    def names(*only):
        return [panel.parameter.name for panel in cover_of(read, only).panels]

    assert names("filter") == ["cutoff", "filter_on"]
    assert names("slope", "l*") == ["level", "slope"]
    with pytest.raises(ConfigError, match=r"unknown parameter or group 'fliter'\. Did you mean 'filter'"):
        names("level", "fliter")


def spacious(count, **kept):
    parameters = [Parameter(f"p{i}", "continuous", 0.0, 1.0, 0.5) for i in range(count)]
    return ParameterSpace(tuple(replace(p, **kept) for p in parameters))


def test_a_picture_has_room_for_so_many_parameters(tmp_path):
    read = dataset(tmp_path / "d.zarr", plan=synthetic_plan(space=spacious(MOST_PANELS + 2)))
    cover = cover_of(read)
    assert (len(cover.panels), cover.left_out) == (MOST_PANELS, ("p48", "p49"))
    assert cover_of(read, ["p49"]).left_out == ()


@pytest.mark.long
def test_the_range_is_widened_to_values_beyond_what_is_drawn(tmp_path):
    # The synthetic rows are drawn from the whole range, as presets are
    read = dataset(tmp_path / "d.zarr", plan=synthetic_plan(space=spacious(1, within=(0.45, 0.55))))
    panel = cover_of(read).panels[0]
    values = [row.patch.values["p0"] for row in read]
    assert panel.edges[[0, -1]].tolist() == pytest.approx([min(values), max(values)])
    assert panel.shares.sum(axis=1) == pytest.approx([1.0, 1.0])
    lines = cover_figure(cover_of(read), "d").axes[0].lines
    assert [line.get_xdata()[0] for line in lines] == [0.45, 0.55]


def test_no_range_is_marked_where_nothing_lies_beyond_it_and_origins_have_a_colour_each(read):
    cover = cover_of(read)
    assert not any(axes.lines for axes in cover_figure(cover, "d").axes)
    with pytest.raises(ConfigError, match="9 origins are too many for one picture: colours distinguish at most 8"):
        cover_figure(replace(cover, origins=dict.fromkeys("abcdefghi", 1)), "d")


def test_what_only_presets_vary_is_drawn_when_it_is_named(tmp_path):
    space = replace(spacious(3), held={"p1": 0.5})
    read = dataset(tmp_path / "d.zarr", plan=synthetic_plan(space=space))
    assert [panel.parameter.name for panel in cover_of(read).panels] == ["p0", "p2"]
    assert [panel.parameter.name for panel in cover_of(read, ["p1"]).panels] == ["p1"]


def test_many_choices_share_bins_of_equal_width(tmp_path):
    space = ParameterSpace(
        tuple(Parameter(name, "categorical", -3.0, high, 0.0) for name, high in (("few", 28.0), ("many", 61.0)))
    )
    few, many = cover_of(dataset(tmp_path / "d.zarr", plan=synthetic_plan(space=space))).panels
    assert np.diff(few.edges).tolist() == [1.0] * 32
    assert np.diff(many.edges).tolist() == [7.0] * 10
    assert (many.edges[0], many.shares.sum()) == (-3.5, pytest.approx(2.0))


def test_a_dataset_with_nothing_to_cover_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no rows"):
        cover_of(dataset(tmp_path / "none.zarr", []))
    fixed = replace(spacious(1), fixed={"p0": 0.5})
    with pytest.raises(ConfigError, match="varies no parameter"):
        cover_of(dataset(tmp_path / "fixed.zarr", plan=synthetic_plan(space=fixed)))


@pytest.mark.parametrize("suffix", sampled(MAGIC, 3))
@pytest.mark.long
def test_the_same_data_make_the_same_bytes(read, tmp_path, suffix, monkeypatch):
    drawn = []
    for clock in ("0", "86400000"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", clock)
        for name in ("pca", "coverage"):
            path = tmp_path / f"{name}{clock}{suffix}"
            found = sounds_of({"d": read})
            figure = sounds_figure(found, components_of(found)) if name == "pca" else cover_figure(cover_of(read), "d")
            assert write_picture(figure, path) == path.stat().st_size
            drawn.append(path.read_bytes())
    assert drawn[:2] == drawn[2:]
    assert drawn[0] != drawn[1]
    assert all(content.startswith(MAGIC[suffix]) for content in drawn)


@pytest.mark.long
def test_the_users_own_style_changes_nothing_and_is_left_alone(read, tmp_path):
    import matplotlib as mpl

    found = sounds_of({"d": read})
    write_picture(sounds_figure(found, components_of(found)), tmp_path / "a.png")
    with mpl.rc_context({"axes.facecolor": "black", "font.size": 30.0}):
        write_picture(sounds_figure(found, components_of(found)), tmp_path / "b.png")
        assert mpl.rcParams["font.size"] == 30.0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "never"),
    [
        (["coverage", "{}", "--only", "level"], "matplotlib.pyplot"),
        (["pca", "--help"], "numpy"),
    ],
)
@pytest.mark.long
def test_nothing_is_imported_in_vain(stored, arguments, never):
    code = "import sys; from tonesmith.cli import run; sys.exit(run(sys.argv[2:]) or sys.argv[1] in sys.modules)"
    words = ["plot", *(word.format(stored) for word in arguments)]
    assert subprocess.run([sys.executable, "-c", code, never, *words], check=False).returncode == 0


def test_any_name_is_drawn_as_it_is(read, tmp_path):
    strange = ("_hidden", "$\\frac{$", "Ünï 🎹\n")
    found = sounds_of(dict.fromkeys(strange, read))
    figure = sounds_figure(found, components_of(found))
    write_picture(figure, tmp_path / "a.svg")
    told = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert told == ["_hidden (10)", "$\\frac{$ (10)", "Ünï 🎹? (10)"]
    assert len(shortened("x" * 100)) == 40


def test_the_picture_shows_every_sound_and_what_is_explained(read):
    found = sounds_of({"d": read}, "origin")
    components = components_of(found)
    axes = sounds_figure(found, components).axes[0]

    drawn = np.asarray(axes.collections[0].get_offsets())
    assert sorted(map(tuple, drawn.tolist())) == sorted(map(tuple, components.points.tolist()))
    assert f"{components.explained[1]:.1%}" in axes.get_ylabel()
    assert "10 sounds, pitch 48" in axes.get_title("left")
    colours = {tuple(colour) for colour in axes.collections[0].get_facecolors()}
    assert len(colours) == 2


def test_plot_pca_tells_what_it_drew(stored, tmp_path, capsys):
    again = shutil.copytree(stored, tmp_path / "again.zarr")
    out = tmp_path / "p.svg"

    assert run(["plot", "pca", str(stored), str(again), "-o", str(out), "--rows", "7", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)

    assert out.read_bytes().startswith(MAGIC[".svg"])
    assert (told["by"], told["pitch"], told["sounds"], told["out"]) == ("dataset", 48, 14, str(out))
    assert [group["name"] for group in told["groups"]] == ["d.zarr", "again.zarr"]
    assert told["groups"][0]["spread"] == pytest.approx(1.0)
    assert 0.5 < sum(told["explained"]) <= 1.0 + 1e-9
    assert run(["plot", "pca", str(stored), "--by", "pitch", "-o", str(out), "--quiet"]) == 0
    text = capsys.readouterr()
    assert "20 sounds, any pitch" in text.out
    assert text.err == ""
    assert max(map(len, text.out.splitlines()[1:])) <= 80


def test_plot_coverage_writes_beside_the_dataset_and_never_into_it(stored, tmp_path, capsys):
    path = shutil.copytree(stored, tmp_path / "d.zarr")
    before = sorted(path.rglob("*"))

    assert run(["plot", "coverage", str(path), "--only", "filter"]) == 0
    assert "2 parameters of 10 patches" in capsys.readouterr().out
    assert (tmp_path / "d.zarr.coverage.png").read_bytes().startswith(MAGIC[".png"])
    assert run(["plot", "coverage", str(path), "-o", str(path / "in.png")]) == 2
    assert "is inside the dataset" in capsys.readouterr().err
    assert sorted(path.rglob("*")) == before
    assert run(["plot", "coverage", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["origins"] == {"lhs": 6, "presets": 4}
    assert told["parameters"] == ["level", "cutoff", "filter_on", "slope"]


def test_datasets_of_one_name_are_told_apart_and_one_given_twice_is_refused(stored, tmp_path, capsys):
    again = shutil.copytree(stored, tmp_path / "d.zarr")
    out = str(tmp_path / "p.png")

    assert run(["plot", "pca", str(stored), str(again), "-o", out, "--json"]) == 0
    assert [g["name"] for g in json.loads(capsys.readouterr().out)["groups"]] == [str(stored), str(again)]
    assert run(["plot", "pca", str(stored), str(stored), "-o", out]) == 2
    assert "is given twice" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("p.jpg", "unknown kind of picture '.jpg'"),
        ("p", "Known: .pdf, .png, .svg."),
        ("nowhere/p.png", "its folder does not exist"),
        ("folder.png", "it is a folder"),
        ("full.png", "full.png: No space left on device"),
    ],
)
def test_a_picture_that_cannot_be_written_is_one_sentence(stored, tmp_path, capsys, name, told):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "full.png").symlink_to("/dev/full")

    assert run(["plot", "coverage", str(stored), "-o", str(tmp_path / name)]) == 2
    assert told in capsys.readouterr().err


def test_without_matplotlib_its_extra_is_named(stored, monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "matplotlib.style", raising=False)

    assert run(["plot", "coverage", str(stored), "-o", str(tmp_path / "p.png")]) == 2
    assert 'pip install "tonesmith[plot]"' in capsys.readouterr().err
    with pytest.raises(ConfigError, match="matplotlib"):
        check_picture(Path("p.png"), [])


def test_a_dataset_is_not_read_before_the_picture_can_be_drawn(stored, monkeypatch, tmp_path):
    monkeypatch.setattr(Dataset, "column", lambda *_: pytest.fail("it was read"))
    assert run(["plot", "pca", str(stored), "-o", str(tmp_path / "p.gif")]) == 2
