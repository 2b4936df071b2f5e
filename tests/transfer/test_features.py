"""Features that are added to a dataset that is there, and what carries features along."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from support import terminal
from support.builders import write_dataset

import tonesmith
from tonesmith import ConfigError, DatasetError, OtherPlanError, PluginError, RunError, open_dataset
from tonesmith.dataset.added import features_folder
from tonesmith.dataset.verify import check_integrity, rows_to_render
from tonesmith.dataset.verify_features import check_features
from tonesmith.host.computing import feature_of
from tonesmith.host.registry import Host
from tonesmith.plan.feature import Sound
from tonesmith.plan.plan import PluginRef
from tonesmith.testing.synthetic import synthetic_block, synthetic_plan
from tonesmith.transfer.add_features import add_features
from tonesmith.transfer.blocks import Listener
from tonesmith.transfer.convert import convert

SMALL = {"mel": {"bands": 8, "window": 64}}


def files_of(path, *, but="no folder"):
    files = (f for f in sorted(path.rglob("*")) if f.is_file() and but not in f.relative_to(path).parts)
    return {f: f.read_bytes() for f in files}


def expected(dataset):
    """Return what the features make of each row that is read back: (rows, *shape) of every array."""
    found = {}
    for stored in dataset.features.values():
        feature = feature_of(Host.load(), stored.name, stored.options)
        rows = [feature.compute(Sound(row.audio, dataset.plan.audio.sample_rate, row.note)) for row in dataset]
        found |= {f"feature/{stored.key(a)}": np.stack([row[a.name] for row in rows]) for a in stored.arrays}
    return found


def checked(path):
    dataset = open_dataset(path)
    return check_features(dataset, rows_to_render(dataset, 8), Host.load())


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A Zarr dataset of 20 rows in blocks of 8, 8 and 4, and the same with the feature mel."""
    folder = tmp_path_factory.mktemp("made")
    write_dataset(folder / "plain")
    shutil.copytree(folder / "plain", folder / "added")
    add_features(folder / "added", SMALL, workers=1)
    return folder


@pytest.fixture
def path(made, tmp_path):
    """A dataset without features."""
    return shutil.copytree(made / "plain", tmp_path / "d")


@pytest.fixture
def added(made, tmp_path):
    """A dataset to which the feature mel was added."""
    return shutil.copytree(made / "added", tmp_path / "d")


def test_added_features_are_read_like_any_and_no_file_of_the_rows_is_touched(path):
    before, digest, names = files_of(path), open_dataset(path).digest, set(open_dataset(path)[0].columns)

    done = tonesmith.add_features(path, {**SMALL, "stats": {}}, workers=1)

    dataset = open_dataset(path)
    assert (done.rows, done.rows_added, done.damaged) == (20, 20, ())
    assert files_of(path, but="features") == before
    assert dataset.digest == digest
    assert dataset[19].features["mel"].shape == (8, 1 + 300 // 16)
    assert set(dataset[0].columns) - names == {f"feature/{key}" for key in dataset[0].features}
    assert dataset.features["mel"].definition["bands"] == 8
    assert dataset.info()["columns"]["feature/mel"]["shape"] == [8, 19]
    for name, array in expected(dataset).items():
        np.testing.assert_array_equal(dataset.column(name), array)
        np.testing.assert_array_equal(dataset.get_batch([17, 0, 17], [name])[name], array[[17, 0, 17]])


def test_a_dataset_with_added_features_may_be_pickled_split_and_cut(added):
    dataset = open_dataset(added)
    there = dataset.column("feature/mel")
    packed = pickle.dumps(dataset)
    shutil.copytree(features_folder(added) / "mel", features_folder(added) / "later")
    record = (features_folder(added) / "later" / "feature.json").read_text()
    (features_folder(added) / "later" / "feature.json").write_text(record.replace('"mel"', '"later"'))
    again = pickle.loads(packed)  # noqa: S301
    assert set(open_dataset(added).features) == {"later", "mel"}
    assert set(again.features) == {"mel"}, "another process counts the same columns"
    np.testing.assert_array_equal(again.column("feature/mel"), there)
    np.testing.assert_array_equal(dataset.without([1]).column("feature/mel"), np.concatenate([there[:8], there[16:]]))
    tonesmith.split(added, {"train": 0.5, "test": 0.5})
    train = open_dataset(added).split("train")
    np.testing.assert_array_equal(train.column("feature/mel"), there[train.rows])


class KilledError(Exception):
    """What ends an addition in the middle: its workers are killed."""


class Killer(Listener):
    """Ends an addition once so many blocks are done."""

    def __init__(self, blocks):
        self.left = blocks

    def carried(self, rows):
        self.left -= 1
        if not self.left:
            raise KilledError


def test_a_killed_addition_goes_on_and_ends_as_one_that_was_not(tmp_path):
    path = write_dataset(tmp_path / "d", range(6), synthetic_plan(patches=24, block=4)).path
    shutil.copytree(path, tmp_path / "whole")
    add_features(tmp_path / "whole", SMALL, workers=1)

    with pytest.raises(KilledError):
        add_features(path, SMALL, workers=2, listener=Killer(2))
    begun = list(features_folder(path).glob("mel/*.npz"))
    assert open_dataset(path).features == {}, "what not every row has is not offered"
    assert 2 <= len(begun) < 6
    done = add_features(path, SMALL, workers=2)

    assert done.rows_added == 8 * (6 - len(begun))
    ends = [{f.name: c for f, c in files_of(features_folder(tmp_path / n)).items()} for n in ("d", "whole")]
    assert ends[0] == ends[1]


def test_options_that_were_given_once_need_not_be_given_again(added):
    assert add_features(added, {"mel": {}}, workers=1).rows_added == 0
    with pytest.raises(OtherPlanError, match=r"another definition \(bands: 8 -> 9\).* --remove mel"):
        add_features(added, {"mel": {"bands": 9}}, workers=1)


def test_rows_that_are_added_later_get_theirs_by_the_same_call(tmp_path):
    plan = synthetic_plan()
    case = write_dataset(tmp_path / "d", [0, 1], plan)
    add_features(case.path, SMALL, workers=1)
    assert set(open_dataset(case.path).features) == {"mel"}
    case.made().write_block(case.block(2))
    assert open_dataset(case.path).features == {}
    with pytest.raises(DatasetError, match="unknown column 'feature/mel'"):
        open_dataset(case.path).column("feature/mel")
    assert add_features(case.path, SMALL, workers=1).rows_added == 4
    assert open_dataset(case.path).column("feature/mel").shape[0] == 20


def test_features_of_other_rows_are_never_taken_for_those_of_a_block(tmp_path):
    case = write_dataset(tmp_path / "d")
    add_features(case.path, SMALL, workers=1)
    other = replace(synthetic_plan(), seed=99)
    block = replace(synthetic_block(other, 1), plan=case.plan.fingerprint)
    case.made().write_block(block)
    dataset = open_dataset(case.path)
    assert dataset.get_batch([0], ["feature/mel"])["feature/mel"].shape[0] == 1
    with pytest.raises(DatasetError, match="'mel' of block 1 cannot be read: it was computed of other rows"):
        dataset.get_batch([8], ["feature/mel"])
    assert add_features(case.path, SMALL, workers=1).rows_added == 8
    assert checked(case.path).damage == []


def _bomb(content):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("mel.npy", bytes(50_000_000))
    return packed.getvalue()


def _pickled(content):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        inner = io.BytesIO()
        np.save(inner, np.array([{"a": 1}] * 100, object), allow_pickle=True)
        made.writestr("mel.npy", inner.getvalue() + bytes(8 * 8 * 19 * 4 - len(inner.getvalue()) + 128))
    return packed.getvalue()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda content: content[: len(content) // 2], marks=pytest.mark.long),
        lambda content: content[:3000] + bytes([content[3000] ^ 1]) + content[3001:],
        pytest.param(lambda content: b"", marks=pytest.mark.long),
        _bomb,
        pytest.param(_pickled, marks=pytest.mark.long),
    ],
    ids=["cut short", "a bit turned", "empty", "a bomb", "a pickle"],
)
def test_a_damaged_file_is_told_of_and_computed_again(added, change):
    (file,) = features_folder(added).glob("mel/000001-*.npz")
    sound = file.read_bytes()
    file.write_bytes(change(sound))
    with pytest.raises(DatasetError, match=r"'mel' of block 1 cannot be read.* --add mel"):
        open_dataset(added).get_batch([9], ["feature/mel"])
    found = checked(added)
    assert {(item.what, item.block) for item in found.damage} == {("feature", 1)}
    assert list(check_integrity(open_dataset(added))) == [], "the rows themselves are whole"
    assert add_features(added, SMALL, workers=1).rows_added == 8
    assert file.read_bytes() == sound


def test_a_feature_that_is_not_of_its_sound_is_found(added):
    (file,) = features_folder(added).glob("mel/000000-*.npz")
    with zipfile.ZipFile(file) as packed:
        array = np.lib.format.read_array(io.BytesIO(packed.read("mel.npy"))) + np.float32(0.5)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as packed:
        inner = io.BytesIO()
        np.save(inner, array)
        packed.writestr("mel.npy", inner.getvalue())
    damage = check_features(open_dataset(added), range(20), Host.load()).damage
    assert [item.row for item in damage] == list(range(8))
    assert damage[3].detail == "mel differs by up to 0.5 dB"


@pytest.mark.parametrize("record", ["{", '{"name": "mel"}', "[" * 100_000, '{"name": "stats", "options": {}}'])
def test_a_damaged_record_costs_its_feature_and_not_the_dataset(path, record):
    add_features(path, {**SMALL, "stats": {}}, workers=1)
    (features_folder(path) / "mel" / "feature.json").write_text(record)
    assert set(open_dataset(path).features) == {"stats"}
    (fault,) = [item.detail for item in checked(path).damage]
    assert "feature.json cannot be read" in fault
    assert "Delete the folder" in fault
    with pytest.raises(DatasetError, match=r"feature\.json cannot be read"):
        add_features(path, SMALL, workers=1)


@pytest.mark.parametrize("place", ["tonesmith/features", "tonesmith/features/mel"])
def test_nothing_is_written_through_a_link(path, tmp_path, place):
    (tmp_path / "elsewhere").mkdir()
    shutil.rmtree(path / place, ignore_errors=True)
    (path / place).parent.mkdir(exist_ok=True)
    (path / place).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DatasetError, match="is a link"):
        add_features(path, SMALL, workers=1)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_damaged_block_is_left_out_and_the_others_have_the_feature(path):
    audio = path / "audio" / "c.1.0.0"
    sound = audio.read_bytes()
    audio.write_bytes(sound[:100])
    done = add_features(path, SMALL, workers=1)
    assert (done.rows, [found.block for found in done.damaged]) == (12, [1])
    audio.write_bytes(sound)
    assert add_features(path, SMALL, workers=1).rows_added == 8


def test_a_failing_feature_ends_the_call_and_leaves_the_rows(path, monkeypatch):
    monkeypatch.setattr(Host.load().find("feature", "mel"), "compute", lambda self, sound: {"mel": np.zeros(3)})
    with pytest.raises(RunError, match=r"'mel' returned mel of shape \(3,\), not .* of patch 0, pitch 48"):
        add_features(path, SMALL, workers=1)


def test_what_is_not_there_is_refused_in_one_sentence(path):
    with pytest.raises(PluginError, match=r"unknown feature 'mle'. Did you mean 'mel'"):
        add_features(path, {"mle": {}}, workers=1)
    with pytest.raises(ConfigError, match="bands: 0 is not allowed"):
        add_features(path, {"mel": {"bands": 0}}, workers=1)
    with pytest.raises(ConfigError, match="above half the sample rate"):
        add_features(path, {"mel": {"high": 5000.0}}, workers=1)
    assert not (features_folder(path) / "mel").exists()


@pytest.mark.parametrize(
    "sink", [PluginRef("hdf5", {"single": True}), *map(PluginRef, ("lmdb",))], ids=lambda s: s.name
)
def test_a_conversion_makes_columns_of_added_features_and_others_can_be_added_to_it(added, tmp_path, sink):
    convert(added, tmp_path / "c", sink, workers=1)
    made, source = open_dataset(tmp_path / "c"), open_dataset(added)
    assert (made.digest == source.digest) != Host.load().sink_at(sink.name, sink.options, tmp_path / "c").lossy
    assert [feature.name for feature in made.plan.features] == ["mel"]
    np.testing.assert_array_equal(made.column("feature/mel"), expected(made)["feature/mel"])
    add_features(tmp_path / "c", {"stats": {}}, workers=1)
    assert set(open_dataset(tmp_path / "c").features) == {"mel", "stats"}
    assert checked(tmp_path / "c").damage == []


def test_a_lossy_conversion_computes_features_of_what_is_read_back(path, tmp_path):
    add_features(path, {"stft": {"window": 64}}, workers=1)
    convert(path, tmp_path / "c", PluginRef("zarr", {"encoding": "float16"}), workers=1)
    made, source = open_dataset(tmp_path / "c"), open_dataset(path)
    np.testing.assert_array_equal(made.column("feature/stft"), expected(made)["feature/stft"])
    assert not np.array_equal(made.column("feature/stft"), source.column("feature/stft"))


@pytest.mark.long
def test_a_merge_carries_features_that_all_have_and_says_which_differ(chaos, tmp_path):
    for name, seed in (("a", 1), ("b", 2)):
        chaos.make(tmp_path / name, patches=2, seed=seed)
    add_features(tmp_path / "a", SMALL, workers=1)
    with pytest.raises(
        ConfigError, match=r"(?s)features: mel \(.*bands = 8.*\) -> none.*Give all of them the same features"
    ):
        tonesmith.merge([tmp_path / "a", tmp_path / "b"], tmp_path / "m", workers=1)
    add_features(tmp_path / "b", SMALL, workers=1)
    tonesmith.merge([tmp_path / "a", tmp_path / "b"], tmp_path / "m", workers=1)
    merged = open_dataset(tmp_path / "m")
    parts = [open_dataset(tmp_path / name).column("feature/mel") for name in "ab"]
    np.testing.assert_array_equal(merged.column("feature/mel"), np.concatenate(parts))


def test_the_command_adds_lists_removes_and_verifies(path):
    def typed(*words):
        return terminal(*words, cwd=path.parent)

    assert "d has no features. Add some: tonesmith features d --add mel" in typed("features", "d").stdout
    added = typed("features", "d", "--add", "mel", "--features.mel.bands", 8, "--workers", 1, "--json")
    assert json.loads(added.stdout)["rows_added"] == 20, added.stderr
    listed = typed("features", "d").stdout
    assert "mel (added, 20 of 20 rows)" in listed
    assert "hop_frames = 128" in listed
    assert "  features  mel: as computed again in 8 of 8 rows" in typed("verify", "d").stdout
    assert "  features    mel" in typed("inspect", "d").stdout
    for words, status, told in [
        (("--add", "mle"), 2, "unknown feature 'mle'. Did you mean 'mel'?"),
        (("--add", "mel", "--features.mel.bands", 0), 2, "--features.mel.bands: 0 is not allowed."),
        (("--remove", "stats"), 1, "unknown added feature 'stats'. Known: mel."),
        (("--add", "mel", "--remove", "mel"), 2, "cannot be used together"),
    ]:
        done = typed("features", "d", *words)
        assert (done.returncode, told in done.stderr.replace("\n", " ")) == (status, True), done.stderr
    assert typed("features", "d", "--remove", "mel").returncode == 0
    assert not features_folder(path).joinpath("mel").exists()


def test_a_third_party_feature_that_is_missing_is_told_and_the_rest_is_checked(path):
    add_features(path, {**SMALL, "stats": {}}, workers=1)
    folder = features_folder(path)
    shutil.copytree(folder / "mel", folder / "strange")
    record = json.loads((folder / "mel" / "feature.json").read_text())
    record["name"] = "strange"
    (folder / "strange" / "feature.json").write_text(json.dumps(record))
    assert open_dataset(path).column("feature/strange.mel").shape == (20, 8, 19), "no plugin is needed to read"
    found = checked(path)
    assert found.compared == ["mel", "stats"]
    assert "unknown feature 'strange'" in found.left_out["strange"]
