"""Splits: nothing leaks, the shares hold, and what is split stays so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from support import sampled
from support.builders import dataset as made
from support.builders import zarr_case

from tonesmith import open_dataset
from tonesmith.card.card import renew_card
from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.splits import (
    KEYS,
    LEFT_OUT,
    UNFINISHED,
    Splits,
    cumulative,
    patch_numbers,
    preset_number,
    splits_of,
)
from tonesmith.errors import ConfigError, DatasetError
from tonesmith.host.registry import Host
from tonesmith.plan.plan import PluginRef
from tonesmith.sinks.base import records
from tonesmith.sinks.folder import AudioFolderSink
from tonesmith.sinks.parquet import ParquetSink
from tonesmith.sinks.webdataset import WebDatasetSink
from tonesmith.sinks.zarr import ZarrSink
from tonesmith.space.patch import Patch, sha256_hex
from tonesmith.space.preset import PresetRef, written_patch
from tonesmith.testing.sink_processes import Case, damage
from tonesmith.testing.synthetic import synthetic_plan
from tonesmith.transfer.divide import account, divide
from tonesmith.transfer.grouping import calibrated, joined
from tonesmith.transfer.split import store

ORIGINS = ("lhs", "presets", "breed")
SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}


@cache
def sha_of(number: int) -> str:
    return sha256_hex(b"preset %d" % number)


@dataclass
class Rows:
    """The rows of a dataset as splits see them: a table of (preset, mate, origin) by patch, each with two notes.

    Presets are numbers, -1 for none.
    """

    presets: list[int]
    mates: list[int] = field(default_factory=list)
    origins: list[int] = field(default_factory=list)
    notes: int = 2
    refs: tuple[PresetRef, ...] = ()
    assets: dict[str, bytes] = field(default_factory=dict)
    with_mates: bool = True

    @property
    def plan(self) -> Any:
        schema = [SimpleNamespace(name=name) for name in KEYS[:4] if name != "mate" or self.with_mates]
        return SimpleNamespace(schema=schema, origins=ORIGINS, presets=self.refs)

    @property
    def storage(self) -> Any:
        return SimpleNamespace(asset=self.assets.__getitem__)

    def column(self, name: str) -> NDArray[Any]:
        count = len(self.presets)
        values = {
            "patch": np.arange(count),
            "preset": digests(self.presets),
            "mate": digests(self.mates or [-1] * count),
            "origin": np.array(self.origins or [0] * count, np.int16),
        }
        return np.repeat(values[name], self.notes, axis=0)

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        return {column.name: self.column(column.name) for column in self.plan.schema}

    def first(self, count: int) -> Rows:
        cut = {name: getattr(self, name)[:count] for name in ("presets", "mates", "origins")}
        return replace(self, **cut)


def digests(presets: list[int]) -> NDArray[np.uint8]:
    texts = [bytes.fromhex(sha_of(number)) if number >= 0 else bytes(32) for number in presets]
    return np.frombuffer(b"".join(texts), np.uint8).reshape(-1, 32)


def shares_of(rows: Rows, splits: Splits, here: NDArray[np.bool_] | None = None) -> list[float]:
    places = splits.of(rows.columns)
    counts = np.bincount((places if here is None else places[here]) + 1, minlength=len(splits.names) + 1)[1:]
    return (counts / counts.sum()).tolist()


@st.composite
def tables(draw: st.DrawFn, fewest: int = 2) -> Rows:
    known = draw(st.integers(1, 12))
    one = st.tuples(st.integers(-1, known - 1), st.integers(-1, known - 1), st.integers(0, len(ORIGINS) - 1))
    patches = draw(st.lists(one, min_size=fewest, max_size=40))
    # a mate is the second preset: there is none without a first
    return Rows(
        [preset for preset, _, _ in patches],
        [mate if preset >= 0 else -1 for preset, mate, _ in patches],
        [origin for _, _, origin in patches],
    )


ways = st.fixed_dictionaries(
    {
        "by": st.sampled_from(["patch", "preset"]),
        "stratify": st.sampled_from(["", "origin"]),
        "seed": st.integers(0, 2**63 - 1),
        "crossing": st.sampled_from(["join", "drop"]),
    }
)


def divided(rows: Rows, **way: Any) -> Splits | None:
    """Return splits, or None where breeding has left no room for them, or there is no preset."""
    try:
        return divide(rows, SHARES, **way)
    except ConfigError:
        assert way["by"] == "preset"
        return None


def assert_no_leak(rows: Rows, splits: Splits) -> None:
    columns = rows.columns
    places = splits.of(columns)
    for patch in range(len(rows.presets)):
        assert len(set(places[columns["patch"] == patch].tolist())) == 1
    if splits.by == "preset":
        for preset in {*rows.presets, *rows.mates} - {-1}:
            name = digests([preset])[0]
            named = (columns["preset"] == name).all(axis=1) | (columns["mate"] == name).all(axis=1)
            assert len(set(places[named].tolist()) - {-1}) == 1 or (places[named] == -1).all()


@given(tables(), ways)
def test_no_patch_and_no_preset_is_in_two_splits(rows, way):
    splits = divided(rows, **way)
    if splits is None:
        return

    assert_no_leak(rows, splits)
    if way["by"] == "patch" or way["crossing"] == "join":
        assert (splits.of(rows.columns) >= 0).all()


@given(tables(fewest=4), ways, st.data())
def test_rows_stay_in_their_split_and_do_not_leak_when_the_dataset_grows(rows, way, data):
    early = rows.first(data.draw(st.integers(2, len(rows.presets) - 1)))
    splits = divided(early, **way)
    if splits is None:
        return

    before, after = splits.of(early.columns), splits.of(rows.columns)
    assert after[: len(before)].tolist() == before.tolist()
    assert_no_leak(rows, splits)


@given(tables(), ways, st.randoms(use_true_random=False))
def test_a_split_is_of_the_row_alone(rows, way, random):
    splits = divided(rows, **way)
    if splits is None:
        return

    columns = rows.columns
    whole = splits.of(columns)
    order = list(range(len(whole)))
    random.shuffle(order)
    assert splits.of({name: column[order] for name, column in columns.items()}).tolist() == whole[order].tolist()
    one = [splits.of({name: column[i : i + 1] for name, column in columns.items()})[0] for i in range(len(whole))]
    assert one == whole.tolist()


@given(tables(), ways)
def test_stored_splits_come_back_as_they_were(rows, way):
    splits = divided(rows, **way)
    if splits is None:
        return

    stored = json.loads(json.dumps(splits.to_json(), sort_keys=True, allow_nan=False))
    again = splits_of({"plan": {"origins": list(ORIGINS)}, "splits": stored})

    assert again == splits
    assert again.names == ("train", "val", "test")
    assert again.of(rows.columns).tolist() == splits.of(rows.columns).tolist()


@given(tables(), ways)
def test_parts_have_every_row_once_in_order(rows, way):
    splits = divided(rows, **way)
    if splits is None:
        return

    parts = splits.parts(rows.columns)

    assert sorted(place for places in parts.values() for place in places) == list(range(2 * len(rows.presets)))
    assert all(places == sorted(places) and places for places in parts.values())
    assert list(parts) == [name for name in (*splits.names, LEFT_OUT) if name in parts]
    of = splits.of(rows.columns)
    assert all(of[place] == splits.names.index(n) for n, places in parts.items() if n != LEFT_OUT for place in places)


@pytest.mark.parametrize("seed", range(5))
def test_shares_hold_within_two_per_cent_by_patch_at_10000(seed):
    rows = Rows([-1] * 10_000, notes=1)

    assert shares_of(rows, divide(rows, SHARES, seed=seed)) == pytest.approx([0.8, 0.1, 0.1], abs=0.02)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("stratify", ["", "origin"])
def test_shares_hold_within_two_per_cent_by_preset_at_10000(seed, stratify):
    random = np.random.default_rng(seed)
    presets = random.integers(0, 500, 10_000).tolist()
    rows = Rows(presets, origins=[1] * 10_000, notes=1)

    splits = divide(rows, SHARES, by="preset", stratify=stratify, seed=seed)

    assert shares_of(rows, splits) == pytest.approx([0.8, 0.1, 0.1], abs=0.02)
    assert_no_leak(rows.first(500), splits)


def test_stratified_shares_hold_to_one_patch_within_each_origin():
    counts = (7_003, 2_500, 41)
    rows = Rows([-1] * sum(counts), origins=np.repeat([0, 1, 2], counts).tolist(), notes=1)

    splits = divide(rows, SHARES, stratify="origin", seed=3)

    for origin, count in enumerate(counts):
        found = shares_of(rows, splits, rows.columns["origin"] == origin)
        assert found == pytest.approx([0.8, 0.1, 0.1], abs=1.0 / count)


def test_rows_without_a_preset_are_stratified_beside_those_with_one():
    random = np.random.default_rng(1)
    presets = [*random.integers(0, 400, 6_000).tolist(), *[-1] * 4_000]
    rows = Rows(presets, origins=[1] * 6_000 + [0] * 4_000, notes=1)

    splits = divide(rows, SHARES, by="preset", stratify="origin")

    assert set(splits.thresholds) == {"", "lhs"}
    assert shares_of(rows, splits, rows.columns["origin"] == 0) == pytest.approx([0.8, 0.1, 0.1], abs=1 / 4_000)
    assert shares_of(rows, splits, rows.columns["origin"] == 1) == pytest.approx([0.8, 0.1, 0.1], abs=0.005)


def test_an_origin_that_comes_later_has_the_shares_themselves():
    rows = Rows([-1] * 10_000, origins=[0] * 50 + [2] * 9_950, notes=1)

    splits = divide(rows.first(50), SHARES, stratify="origin")

    assert set(splits.thresholds) == {"lhs"}
    assert splits.bounds("breed") == cumulative(SHARES)
    assert shares_of(rows, splits, rows.columns["origin"] == 2) == pytest.approx([0.8, 0.1, 0.1], abs=0.02)


def test_the_same_seed_splits_any_two_datasets_by_patch_alike_and_another_seed_does_not():
    small, large = Rows([-1] * 50), Rows([3] * 80)

    alike = divide(small, SHARES, seed=5).of(small.columns)

    assert divide(large, SHARES, seed=5).of(large.columns)[:100].tolist() == alike.tolist()
    assert divide(small, SHARES, seed=6).of(small.columns).tolist() != alike.tolist()


def test_numbers_of_patches_are_spread_evenly_and_stay_what_they_are():
    numbers = patch_numbers(0, np.arange(100_000))

    assert numbers.min() >= 0.0
    assert numbers.max() < 1.0
    assert np.abs(np.histogram(numbers, 20)[0] / 5_000 - 1).max() < 0.06
    assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 0.01
    assert len(np.unique(numbers)) == 100_000
    assert patch_numbers(7, np.array([0, 1, 10**9])).tolist() == [
        0.4239044715250351,
        0.3496525355079183,
        0.3305246380388729,
    ]
    assert preset_number(7, sha_of(0)) == 0.38596657123328926


def test_a_share_of_nothing_gets_nothing():
    rows = Rows([-1] * 2_000, notes=1)

    for way in ({}, {"stratify": "origin"}):
        parts = divide(rows, {"train": 0.7, "val": 0.0, "test": 0.3}, **way).parts(rows.columns)
        assert set(parts) == {"train", "test"}
        parts = divide(rows, {"train": 0.7, "val": 0.3, "test": 0.0}, **way).parts(rows.columns)
        assert set(parts) == {"train", "val"}


def test_presets_joined_by_breeding_fall_together_with_all_that_descends_from_them():
    chain = [(0, 1), (1, 2), (2, -1), (7, 8)] + [(number, -1) for number in range(10, 300)]
    rows = Rows([a for a, _ in chain], [b for _, b in chain])

    splits = divide(rows, SHARES, by="preset", seed=1)

    family = [sha_of(number) for number in (0, 1, 2)]
    assert {splits.head(sha) for sha in family} == {min(family)}
    assert splits.kin == {sha: min(family) for sha in family if sha != min(family)} | {
        max(sha_of(7), sha_of(8)): min(sha_of(7), sha_of(8))
    }
    assert (splits.of(rows.columns) >= 0).all()


def test_a_family_too_large_is_refused_with_the_way_out():
    rows = Rows(list(range(60)), [(number + 1) % 60 for number in range(60)])

    with pytest.raises(ConfigError, match=r"joined 60 of 60 presets .* 60 of 60 patches.*--crossing drop.*--by patch"):
        divide(rows, SHARES, by="preset")

    splits = divide(rows, SHARES, by="preset", crossing="drop")
    assert_no_leak(rows, splits)
    parts = splits.parts(rows.columns)
    assert len(parts["train"]) > len(parts[LEFT_OUT]) > 0


def test_a_row_that_comes_later_and_joins_two_splits_is_in_neither():
    known = Rows(list(range(200)), [-1] * 200)
    splits = divide(known, SHARES, by="preset")
    of = splits.of(known.columns)[::2]
    train, test = int(np.flatnonzero(of == 0)[0]), int(np.flatnonzero(of == 2)[0])
    other = int(np.flatnonzero(of == 0)[1])

    later = Rows([train, train, test, -1], [test, other, -1, test])

    assert splits.of(later.columns)[::2].tolist() == [-1, 0, 2, 2]


def presets_of_levels(levels: list[float]) -> dict[str, Any]:
    """Return what rows need to know of presets 0, 1, ..: those of one level sound the same."""
    texts = [written_patch(Patch({"level": level}, preset=sha_of(number))) for number, level in enumerate(levels)]
    refs = tuple(PresetRef(sha_of(number), sha256_hex(text)) for number, text in enumerate(texts))
    return {"refs": refs, "assets": {ref.patch: text for ref, text in zip(refs, texts, strict=True)}}


def test_a_preset_saved_again_under_another_name_is_of_the_same_family():
    rows = Rows([0, 1, 2, 3, 4], **presets_of_levels([0.5, 0.25, 0.5, 0.125, 0.5]))

    for crossing in ("join", "drop"):
        splits = divide(rows, SHARES, by="preset", crossing=crossing)
        same = [sha_of(number) for number in (0, 2, 4)]
        assert splits.kin == {sha: min(same) for sha in same if sha != min(same)}


@pytest.mark.parametrize("crossing", ["join", "drop"])
@pytest.mark.parametrize("stratify", ["", "origin"])
def test_a_preset_whose_rows_come_later_falls_where_its_copy_is(crossing, stratify):
    sounds = 60
    copies = presets_of_levels([number / sounds for number in range(sounds)] * 2)
    grown = Rows([*range(sounds), *range(sounds, 2 * sounds)], **copies)
    early = grown.first(sounds + 7)

    splits = divide(early, SHARES, by="preset", crossing=crossing, stratify=stratify)

    of = splits.of(grown.columns)[::2]
    assert of[:sounds].tolist() == of[sounds:].tolist()
    assert len(set(of.tolist())) == 3
    assert splits.of(early.columns).tolist() == splits.of(grown.columns)[: 2 * (sounds + 7)].tolist()


def test_presets_without_rows_are_not_counted_where_a_family_is_too_large():
    copies = presets_of_levels([number / 70 for number in range(70)] + [0.0])
    rows = Rows(list(range(60)), [(number + 1) % 60 for number in range(60)], **copies)

    with pytest.raises(ConfigError, match="joined 60 of 60 presets"):
        divide(rows, SHARES, by="preset")


def test_shares_hold_in_patches_where_families_are_of_unequal_size():
    sizes = [400 if number % 10 == 0 else 3 for number in range(300)]
    rows = Rows(np.repeat(np.arange(300), sizes).tolist(), notes=1)

    for seed in range(8):
        shares = shares_of(rows, divide(rows, SHARES, by="preset", seed=seed))
        assert shares == pytest.approx([0.8, 0.1, 0.1], abs=400 / sum(sizes))


def test_a_dataset_without_a_column_of_mates_is_split_by_preset_too():
    rows = Rows([0, 0, 1, 2, -1] * 20, with_mates=False)

    places = divide(rows, SHARES, by="preset").of(rows.columns)

    assert "mate" not in rows.columns
    assert (places >= 0).all()
    assert len(set(places[::2][0::5].tolist()) | set(places[::2][1::5].tolist())) == 1


def test_without_presets_there_is_nothing_to_split_by():
    with pytest.raises(ConfigError, match="no row of the dataset comes from a preset"):
        divide(Rows([-1, -1]), SHARES, by="preset")


@given(
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 50)), min_size=1, max_size=60),
    st.sampled_from([(0.8, 0.1, 0.1), (0.5, 0.5, 0.0), (0.0, 0.3, 0.7), (1.0, 0.0, 0.0), (0.4, 0.0, 0.6)]),
)
def test_calibrated_bounds_miss_no_share_by_more_than_the_largest_group(groups, shares):
    numbers = np.array([number for number, _ in groups])
    weights = np.array([weight for _, weight in groups], np.int64)
    asked = dict(zip("abc", shares, strict=True))

    bounds = calibrated(numbers, weights, asked)

    got = np.bincount(np.searchsorted(bounds, numbers, side="right"), weights, minlength=3) / weights.sum()
    ties = np.bincount(np.unique(numbers, return_inverse=True)[1].reshape(-1), weights).max() / weights.sum()
    assert len(got) == 3
    assert np.abs(got - shares).max() <= ties + 1e-9
    assert all(share > 0 or not part for share, part in zip(shares, got, strict=True))
    assert list(bounds) == sorted(bounds)


@given(st.lists(st.lists(st.integers(0, 14), min_size=2, max_size=2), max_size=20))
def test_joining_gives_each_the_smallest_that_can_be_reached(pairs):
    reached = {place: {place} for place in range(15)}
    for _ in range(15):
        for one, other in pairs:
            reached[one] = reached[other] = reached[one] | reached[other]

    assert joined(15, pairs).tolist() == [min(reached[place]) for place in range(15)]


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ({"train": 0.8, "val": 0.1, "test": 0.2}, r"add up to 1: .* is 1\.1"),
        ({"train": 1.5, "val": -0.5}, "from 0 to 1"),
        ({"train": float("nan"), "val": 1.0}, "from 0 to 1"),
        ({"../train": 1.0}, "not a valid name for a split"),
        ({"none": 1.0}, "not a valid name for a split"),
        ({}, "not 0"),
        ({1: 1.0}, "1 is not a valid name for a split"),
        ({"train": np.True_}, "from 0 to 1"),
        ({"train": 10**400}, r"not 1000\d{36}$"),
    ],
)
def test_shares_that_are_none_are_refused(shares, said):
    with pytest.raises(ConfigError, match=said):
        Splits(shares)


def test_numbers_of_numpy_are_numbers():
    shares = {"train": np.float32(0.75), "val": np.float64(0.125), "test": np.float16(0.125)}

    splits = Splits(shares, seed=np.int64(3))

    assert splits == Splits({"train": 0.75, "val": 0.125, "test": 0.125}, seed=3)
    assert json.loads(json.dumps(splits.to_json())) == splits.to_json()
    with pytest.raises(ConfigError, match="seed"):
        Splits(seed=np.float64(3.0))


GOOD = Splits(by="preset", thresholds={"": (0.5, 0.75, 1.0)}, kin={sha_of(1): sha_of(2)}).to_json()


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("format", 2, "Upgrade"),
        ("shares", {"train": 1.0}, "pairs"),
        ("shares", [["train", 0.5], ["train", 0.5]], "twice"),
        ("shares", [["train", True]], "from 0 to 1"),
        ("shares", [["a/../../b", 1.0]], "not a valid name"),
        ("shares", [["train", 10**400]], "from 0 to 1"),
        ("by", "row", "unknown by"),
        ("by", [], "unknown by"),
        ("stratify", {}, "unknown stratify"),
        ("seed", -1, "seed"),
        ("seed", "0", "seed"),
        ("crossing", None, "unknown crossing"),
        ("thresholds", [0.8, 0.9, 1.0], "a list for each stratum"),
        ("thresholds", {"": [0.9, 0.8, 1.0]}, "rise to 1"),
        ("thresholds", {"": [0.8, 0.9]}, "3 numbers"),
        ("thresholds", {"": [0.8, float("nan"), 1.0]}, "rise to 1"),
        ("thresholds", {"": [0.8, 0.9, 0.95]}, "rise to 1"),
        ("thresholds", {"": ["0", 0.9, 1.0]}, "numbers"),
        ("kin", [], "SHA-256"),
        ("kin", {"x": sha_of(1)}, "SHA-256"),
        ("kin", {sha_of(1): sha_of(2), sha_of(2): sha_of(3)}, "of another"),
        ("kin", {sha_of(1): 3}, "SHA-256"),
    ],
)
def test_what_is_stored_is_not_trusted(key, value, said):
    assert splits_of({"plan": {"origins": []}, "splits": GOOD}) is not None
    with pytest.raises(DatasetError, match=said) as raised:
        splits_of({"plan": {"origins": []}, "splits": {**GOOD, key: value}})
    assert "--force" in str(raised.value)
    assert ".." not in str(raised.value).replace("a/../../b", "")
    assert len(str(raised.value)) < 300
    with pytest.raises(DatasetError, match=r"tonesmith split 'my d\.zarr' --force$"):
        splits_of({"plan": {"origins": []}, "splits": {**GOOD, key: value}}, Path("my d.zarr"))


@pytest.mark.parametrize(
    "attributes",
    [
        {"splits": GOOD},
        {"splits": GOOD, "plan": []},
        {"splits": GOOD, "plan": {"origins": "lhs"}},
        {"splits": {**GOOD, "more": 1}, "plan": {"origins": []}},
        {"splits": {"shares": []}, "plan": {"origins": []}},
        {"splits": 3, "plan": {"origins": []}},
    ],
)
def test_splits_out_of_place_are_told_as_damage(attributes):
    with pytest.raises(DatasetError, match="cannot be used"):
        splits_of(attributes)
    assert splits_of({"plan": {}}) is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=6,
    ),
    st.sampled_from(sorted(GOOD)),
)
def test_no_json_does_more_than_be_refused(value, key):
    try:
        splits = Splits.from_json({**GOOD, key: value}, ORIGINS)
    except DatasetError:
        return
    assert splits.of(Rows([0, 1, 2]).columns).max() < len(splits.names)


def test_an_origin_that_the_plan_does_not_have_is_no_crash():
    rows = Rows([-1] * 6, origins=[-5, 0, 1, 2, 3, 400])

    assert (Splits(stratify="origin", origins=ORIGINS).of(rows.columns) >= 0).all()


def test_splits_are_stored_with_a_dataset_and_forgotten(tmp_path):
    dataset = made(tmp_path / "d.zarr")
    digest = dataset.digest
    splits = divide(dataset, {"train": 0.5, "val": 0.25, "test": 0.25}, by="preset", stratify="origin")

    store(tmp_path / "d.zarr", dataset, splits, Host.load())

    attributes = ZarrSink.open(tmp_path / "d.zarr").attributes
    assert splits_of(attributes) == splits
    assert UNFINISHED not in attributes
    assert attributes["title"] == "Ünïcode 🎹 \u2028 end"
    assert open_dataset(tmp_path / "d.zarr").digest == digest

    store(tmp_path / "d.zarr", dataset, None, Host.load())
    assert "splits" not in ZarrSink.open(tmp_path / "d.zarr").attributes


def test_blocks_are_written_again_where_files_are_by_split_and_a_cut_short_run_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(ZarrSink, "divides", True)
    path = tmp_path / "d.zarr"
    dataset = made(path)
    digest, written, seen = dataset.digest, [], []
    write = ZarrSink.write_block

    def failing(sink, block):
        if len(written) == 1:
            raise OSError("the machine went down")
        write(sink, block)
        written.append(block.index)
        seen.append(ZarrSink.open(path).attributes)

    monkeypatch.setattr(ZarrSink, "write_block", failing)
    with pytest.raises(OSError, match="down"):
        store(path, dataset, Splits(), Host.load())
    assert {"splits", UNFINISHED} <= set(ZarrSink.open(path).attributes)
    assert splits_of(seen[0]) == Splits()

    monkeypatch.setattr(ZarrSink, "write_block", write)
    store(path, open_dataset(path), Splits(), Host.load())

    assert UNFINISHED not in ZarrSink.open(path).attributes
    assert open_dataset(path).digest == digest
    assert len(open_dataset(path).rejections) == len(dataset.rejections)


def test_no_row_is_lost_wherever_splitting_anew_dies(tmp_path, monkeypatch):
    case, host = written(tmp_path / "d", "webdataset"), Host.load()
    there = opened(case)
    digest = there.digest
    mark, deaths, steps = records.mark, 0, [divide(there, SHARES, seed=1), divide(there, SHARES, seed=2), None]

    def dying(*arguments):
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError("the machine went down")
        mark(*arguments)

    monkeypatch.setattr(records, "mark", dying)
    for splits in steps:
        for completes in range(20):
            left = completes
            try:
                store(case.path, opened(case), splits, host)
            except DatasetError:
                deaths += 1
                assert opened(case).digest == digest
                case.check_whole(range(case.plan.blocks))
            else:
                break
        found = opened(case)
        assert (splits_of(found.attributes), found.digest) == (splits, digest)
        files = [file.name for file in (case.path / "data").iterdir()]
        assert all(("-" in name) == (splits is not None) for name in files), files
    assert deaths == 3 + 4 + 3  # the files of other splits are put together first, and that is not done twice


DIVIDING = {sink.name: sink for sink in (WebDatasetSink, ParquetSink, AudioFolderSink)}


def written(path: Path, name: str) -> Case:
    """Return a dataset of 24 rows in 3 blocks, stored by a sink whose splits are files."""
    options = DIVIDING[name].Options().model_dump(mode="json")
    plan = synthetic_plan(patches=12, frames=64, sink=PluginRef(name, options))
    case = Case(DIVIDING[name], options, path, plan)
    sink = case.created()
    for index in range(plan.blocks):
        sink.write_block(case.block(index))
    return case


def opened(case: Case) -> Dataset:
    return Dataset(case.sink.open(case.path))


def files_told(case: Case) -> set[Path]:
    """Return the files that the markers of the blocks speak for."""
    parts = {index: marker.read()["parts"] for index, marker in records.committed(case.path).items()}
    return {case.path / case.sink.file_of(index, split) for index, of in parts.items() for split in of or ("",)}


def files_there(case: Case) -> set[Path]:
    names = "metadata.jsonl" if case.sink is AudioFolderSink else f"*{case.sink.suffix}"
    return set((case.path / "data").rglob(names))


def store_and_die(case: Case, splits: Splits | None, when: str) -> None:
    """Store splits, but fail at the second block: before its marker is there, or before an old file is gone."""
    mark, remove, seen = records.mark, case.sink.remove_part, []

    def marking(*arguments):
        seen.append(when == "before the marker")
        if sum(seen) > 1:
            raise OSError("the machine went down")
        mark(*arguments)

    def removing(sink, file):
        seen.append(when == "before the removal" and file.exists())
        if sum(seen) > 1:
            raise OSError("the machine went down")
        remove(sink, file)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "mark", marking)
        patch.setattr(case.sink, "remove_part", removing)
        with pytest.raises(DatasetError, match="down"):
            store(case.path, opened(case), splits, Host.load())


@pytest.mark.parametrize("name", sampled(DIVIDING, 2))
@pytest.mark.parametrize("when", ["before the marker", "before the removal"])
@pytest.mark.parametrize("then", sampled(["other names", "removed", "the same"], 2))
@pytest.mark.first
def test_no_row_is_in_two_files_once_a_split_that_was_killed_is_followed_by_another(tmp_path, name, when, then):
    case, host = written(tmp_path / "d", name), Host.load()
    splits = divide(opened(case), {"train": 0.5, "val": 0.25, "test": 0.25})
    digest = opened(case).digest

    store_and_die(case, splits, when)
    assert files_there(case) - files_told(case), "the test is to leave a file that no block has"
    (case.path / "data" / "notes").write_text("of the user")

    following = {"removed": None, "the same": splits, "other names": divide(opened(case), {"a": 0.5, "b": 0.5})}
    store(case.path, opened(case), following[then], host)

    assert files_there(case) == files_told(case)
    assert opened(case).digest == digest
    assert (case.path / "data" / "notes").is_file()


@pytest.mark.parametrize("name", DIVIDING)
@pytest.mark.first
def test_what_is_shown_of_a_split_is_what_is_done(tmp_path, name):
    case = written(tmp_path / "d", name)

    def told_of(splits: Splits | None) -> list[int]:
        heard: list[int] = []
        listener = SimpleNamespace(started=lambda rows, done: heard.extend((rows, done)), carried=heard.append)
        store(case.path, opened(case), splits, Host.load(), listener)
        return heard

    assert told_of(Splits()) == [24, 0, 8, 8, 8]
    assert told_of(Splits({"a": 1.0})) == [48, 0, 8, 8, 8, 8, 8, 8]
    store_and_die(case, None, "before the marker")
    assert told_of(Splits()) == [48, 0, 8, 8, 8, 8, 8, 8]
    assert told_of(None) == [24, 0, 8, 8, 8]


def test_nothing_is_shown_of_a_split_that_writes_nothing_again(tmp_path):
    listener = SimpleNamespace()

    assert store(tmp_path / "d.zarr", made(tmp_path / "d.zarr"), Splits(), Host.load(), listener) == {}


@pytest.mark.parametrize("name", DIVIDING)
def test_a_damaged_block_stays_as_it_is_and_the_others_are_divided(tmp_path, name):
    case, host = written(tmp_path / "d", name), Host.load()
    digest, before = opened(case).digest, {index: marker.path for index, marker in records.committed(case.path).items()}
    damage(case.path / case.sink.file_of(1, ""), "removed")

    found = store(case.path, opened(case), Splits(), host)

    assert list(found) == [1]
    assert "block 1 is damaged" in found[1].what
    assert "re-run the command that made the dataset" in found[1].what
    after = {index: marker.read()["parts"] for index, marker in records.committed(case.path).items()}
    assert [bool(parts) for parts in after.values()] == [True, False, True]
    assert records.committed(case.path)[1].path == before[1]
    assert UNFINISHED in opened(case).attributes
    case.made().write_block(case.block(1))
    assert store(case.path, opened(case), Splits(), host) == {}
    assert UNFINISHED not in opened(case).attributes
    assert files_there(case) == files_told(case)
    damage(case.path / case.sink.file_of(2, "train"), "removed")
    assert list(store(case.path, opened(case), None, host)) == [2]
    assert not records.committed(case.path)[0].read()["parts"]
    assert opened(case).digest == digest


@pytest.mark.parametrize("name", DIVIDING)
def test_the_card_says_so_while_files_are_divided(tmp_path, name):
    case = written(tmp_path / "my d", name)
    card = case.path / "README.md"
    renew_card(case.path, opened(case))
    assert "data_files:\n" in card.read_text()

    store_and_die(case, Splits(), "before the removal")

    told = card.read_text()
    assert "  data_files: []\n" in told
    assert "data/" not in told
    assert "tonesmith split 'my d' --finish" in told
    description = json.loads((case.path / "croissant.json").read_text())
    sets = {records["name"] for records in description["recordSet"]}
    assert {"columns", "parameters", "splits"} <= sets
    assert not [name for name in sets if name.endswith("-rows")]
    renew_card(case.path, opened(case))
    assert "  data_files: []\n" in card.read_text()
    store(case.path, opened(case), Splits(), Host.load())
    renew_card(case.path, opened(case))
    assert "data_files:\n" in card.read_text()
    assert "--finish" not in card.read_text()


@pytest.mark.long
def test_hugging_face_loads_nothing_rather_than_a_part_while_files_are_divided(tmp_path):
    paths = [written(tmp_path / name, name) for name in DIVIDING]
    for case in paths:
        store_and_die(case, Splits(), "before the removal")
    code = """
import sys
from datasets import load_dataset
from datasets.exceptions import DataFilesNotFoundError
for path in sys.argv[1:]:
    try:
        print(load_dataset(path))
    except DataFilesNotFoundError:
        print("nothing")
"""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-c", code, *(str(case.path) for case in paths)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    assert done.stdout.split() == ["nothing"] * 3, done.stderr


def test_the_card_tells_how_many_rows_are_in_no_split(tmp_path):
    case = zarr_case(tmp_path / "d.zarr")
    dataset = made(tmp_path / "d.zarr")
    splits = divide(dataset, {"train": 1.0})
    store(case.path, dataset, splits, Host.load())
    renew_card(case.path, opened(case))
    assert "`none`" not in (case.path / "README.md").read_text()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Splits, "of", lambda splits, columns: np.where(columns["patch"] == 0, -1, 0).astype(np.int16))
        renew_card(case.path, opened(case))

    assert "| `train` | 9 | 18 | 90.0% |\n| `none` | 1 | 2 | 10.0% |" in (case.path / "README.md").read_text()


def test_the_account_adds_up(tmp_path):
    plan = synthetic_plan(patches=40, frames=20)
    dataset = made(tmp_path / "d.zarr", range(10), plan)

    told = account(dataset, divide(dataset, SHARES, by="preset"))

    assert list(told) == ["train", "val", "test", LEFT_OUT]
    assert sum(part["patches"] for part in told.values()) == 40
    assert sum(part["rows"] for part in told.values()) == 80
    assert sum(part["presets"] for part in told.values()) == 14
    assert sum(part["origins"]["presets"] for part in told.values()) == 14
    assert [part["share"] for part in told.values()] == [0.8, 0.1, 0.1, 0.0]


def test_an_unfinished_dataset_is_split_by_what_it_has(tmp_path):
    dataset = made(tmp_path / "d.zarr", [1])

    told = account(dataset, divide(dataset, SHARES, stratify="origin"))

    assert sum(part["patches"] for part in told.values()) == 4
    assert zarr_case(tmp_path / "e.zarr").plan.rows > len(dataset)
