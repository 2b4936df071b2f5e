"""Rows for training: their order, their weights, and loaders that go on where they were."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from support.builders import write_dataset

from tonesmith import open_dataset, split
from tonesmith.dataset.loading.order import order, part
from tonesmith.dataset.loading.weighing import weights_of
from tonesmith.dataset.reader import Dataset
from tonesmith.errors import ConfigError, DatasetError

LOADING = pytest.mark.filterwarnings(
    "ignore:.*fork.*:DeprecationWarning", "ignore:This DataLoader will create:UserWarning"
)

torch = pytest.importorskip("torch", reason="pip install 'tonesmith[torch]'")


@pytest.fixture(scope="module")
def ds(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return open_dataset(write_dataset(tmp_path_factory.mktemp("made") / "d").path)


def blocks(rows: int, size: int = 4) -> Any:
    return np.arange(rows) // size


# The order


@given(rows=some.integers(0, 200), size=some.integers(1, 9), seed=some.integers(0, 9), epoch=some.integers(0, 9))
def test_an_epoch_has_each_row_once_in_an_order_of_its_own(rows: int, size: int, seed: int, epoch: int) -> None:
    ordered = order(blocks(rows, size), seed, epoch)

    assert sorted(ordered.tolist()) == list(range(rows))
    assert np.array_equal(ordered, order(blocks(rows, size), seed, epoch))
    if rows > 20:
        others = [order(blocks(rows, size), seed + 1, epoch), order(blocks(rows, size), seed, epoch + 1)]
        assert all(not np.array_equal(ordered, other) for other in others)


def test_the_order_of_an_epoch_is_this_one_wherever_it_is_made() -> None:
    assert order(blocks(12), 7, 3, window=2).tolist() == PINNED


PINNED = [6, 8, 7, 9, 4, 5, 11, 10, 1, 3, 2, 0]


def test_a_window_of_blocks_is_read_before_the_next_is_opened() -> None:
    of = blocks(400, 10)
    opened = of[order(of, 1, 0, window=4)].reshape(10, 40)  # as many rows as four blocks have

    assert all(len(set(window.tolist())) == 4 for window in opened)
    assert len({tuple(sorted(set(window.tolist()))) for window in opened} - {(0, 1, 2, 3)}) >= 9  # blocks are mixed too


@given(
    rows=some.integers(1, 100), position=some.integers(0, 100), before=some.integers(1, 7), after=some.integers(1, 7)
)
def test_ranks_read_all_together_and_others_go_on_in_their_place(
    rows: int, position: int, before: int, after: int
) -> None:
    ordered, position = order(blocks(rows), 0, 0), min(position, rows) // before * before
    read = [part(ordered, 0, rank, before).tolist() for rank in range(before)]
    rest = [part(ordered, position, rank, after).tolist() for rank in range(after)]

    assert len({len(one) for one in read}) == len({len(one) for one in rest}) == 1
    first = [row for turn in zip(*read, strict=True) for row in turn]
    left = [row for turn in zip(*rest, strict=True) for row in turn]
    assert (first[:rows], left[: rows - position]) == (ordered.tolist(), ordered[position:].tolist())


def test_rows_are_drawn_as_often_as_they_weigh() -> None:
    weights = np.array([0.0, 1.0, 3.0, 0.0] * 500)
    counts = np.bincount(order(blocks(2000), 5, 0, weights=weights), minlength=2000).reshape(500, 4).sum(0)

    assert counts[[0, 3]].tolist() == [0, 0]
    assert counts[2] / counts[1] == pytest.approx(3.0, rel=0.2)


def test_an_origin_or_a_preset_has_the_share_that_is_asked_for(ds: Dataset) -> None:
    origins, first = ds.column("origin"), ds.plan.origins[0]
    level, only = weights_of(ds, "origin"), weights_of(ds, {first: 2.0})

    shares = [level[origins == code].sum() for code in np.unique(origins)]
    assert (np.allclose(shares, shares[0]), set(np.flatnonzero(only))) == (True, set(np.flatnonzero(origins == 0)))
    _, presets = np.unique(ds.column("preset"), axis=0, return_inverse=True)
    assert np.allclose(np.bincount(presets.ravel(), weights_of(ds, "preset")), 1.0)


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        ("preset_name", "unknown weights 'preset_name'"),
        ({"nobody": 1.0}, "unknown origin 'nobody'"),
        ([1.0, 2.0], "they must be one for each of"),
        ("nan", "must be finite and not below 0"),
        ("none", "one of them above 0"),
    ],
)
def test_what_is_no_weight_is_told(ds: Dataset, weights: Any, told: str) -> None:
    made = {"nan": np.full(len(ds), np.nan), "none": np.zeros(len(ds))}
    with pytest.raises(ConfigError, match=told):
        weights_of(ds, made.get(weights, weights) if isinstance(weights, str) else weights)


# Tensors


def test_a_row_and_several_are_tensors_with_the_numbers_of_the_dataset(ds: Dataset) -> None:
    rows = ds.torch()
    one, some_rows = rows[5], rows[[5, 2, 5]]

    assert one["audio"].shape == ds.get_sample(5)["audio"].shape
    assert (one["categorical"].dtype, one["audible"].dtype) == (torch.int64, torch.bool)
    assert some_rows["row"].tolist() == ds.rows[[5, 2, 5]].tolist()
    for name, array in ds.get_batch([5, 2, 5], rows.columns).items():
        np.testing.assert_array_equal(some_rows[name].numpy(), array)


def test_the_same_in_numpy_and_under_the_names_that_others_use(ds: Dataset) -> None:
    numbers, tensors = ds.with_format("numpy")[:4], ds.with_format("torch", ["continuous"])[:4]

    assert (type(numbers["audio"]), set(tensors)) == (np.ndarray, {"continuous", "row"})
    np.testing.assert_array_equal(numbers["continuous"], tensors["continuous"].numpy())
    with pytest.raises(ConfigError, match="unknown format 'tensor'"):
        ds.with_format("tensor")
    with pytest.raises(DatasetError, match="unknown column 'sound'"):
        ds.torch(columns=["sound"])


def test_a_stored_feature_is_read_by_its_name(chaos: Any, tmp_path: Path) -> None:
    chaos.make(tmp_path / "d.zarr", patches=3, features={"mel": {"bands": 8}, "stats": {}})
    stored = open_dataset(tmp_path / "d.zarr")

    batch = stored.torch(columns=["continuous"], features=["mel", "stats"])[:4]

    np.testing.assert_array_equal(batch["mel"].numpy(), stored.column("feature/mel")[:4])
    assert {"continuous", "mel", "stats.centroid", "row"} <= set(batch)
    numbers = stored.with_format("numpy", features=["mel"])[:4]
    assert set(numbers) == {"mel", "continuous", "categorical", "audible", "pitch", "velocity", "row"}  # and no audio
    assert "audio" in stored.torch()[0]
    with pytest.raises(DatasetError, match=r"unknown feature 'mfcc'.*tonesmith features DATASET --add mfcc"):
        stored.torch(features=["mfcc"])


def test_labels_that_a_space_has_none_of_are_there_without_any(chaos: Any, tmp_path: Path) -> None:
    chaos.make(tmp_path / "d.zarr", patches=3, space={"include": ["freq", "level"]})
    stored = open_dataset(tmp_path / "d.zarr")
    assert not stored.space.categorical

    for rows in (stored.torch(), stored.torch(columns=["continuous", "categorical"])):
        assert (rows[:4]["categorical"].shape, rows[:4]["categorical"].dtype) == ((4, 0), torch.int64)
        assert rows[2]["categorical"].shape == (0,)
        assert [tuple(batch["categorical"].shape) for batch in rows.loader(4)] == [(4, 0), (2, 0)]


def loudest(batch: dict[str, Any]) -> dict[str, Any]:
    return {"peak": batch["audio"].abs().amax((1, 2))}


def test_a_transform_gets_several_rows_and_keeps_their_number(ds: Dataset) -> None:
    rows = ds.torch(transform=loudest)
    peaks = np.abs(ds.get_batch(slice(None), ["audio"])["audio"]).max((1, 2))

    np.testing.assert_array_equal(rows[:]["peak"].numpy(), peaks)
    assert (rows[3]["peak"].shape, rows[3]["row"].item()) == ((), ds.rows[3])
    with pytest.raises(ConfigError, match="'peak' is no array of 4 rows"):
        ds.torch(transform=lambda batch: {"peak": batch["audio"].max()})[:4]


@pytest.mark.parametrize("wrapped", ["dataset", "rows", "collated"])
def test_a_plain_loader_takes_the_dataset_itself_and_its_tensors(ds: Dataset, wrapped: str) -> None:
    rows = ds.torch(columns=[column.name for column in ds.plan.schema])
    given = ds if wrapped == "dataset" else rows
    collate = rows.collate if wrapped == "collated" else None
    batches = list(torch.utils.data.DataLoader(given, batch_size=5, collate_fn=collate))

    for column in ds.plan.schema:
        np.testing.assert_array_equal(
            torch.cat([batch[column.name] for batch in batches]).numpy(), ds.column(column.name)
        )


def test_a_split_is_read_by_its_name(tmp_path: Path) -> None:
    path = write_dataset(tmp_path / "d").path
    with pytest.raises(DatasetError, match="not split"):
        open_dataset(path).torch("train")
    split(path, {"train": 0.5, "test": 0.5})
    halved = open_dataset(path)

    seen = [row for name in ("train", "test") for row in halved.torch(name)[:]["row"].tolist()]
    assert sorted(seen) == halved.rows.tolist()


# Loaders


def joined(batches: list[list[int]]) -> list[int]:
    return [row for batch in batches for row in batch]


def read(loader: Any, batches: int | None = None) -> list[int]:
    rows = []
    for count, batch in enumerate(loader, 1):
        rows.append(batch["row"].tolist())
        if count == batches:
            break
    return rows


@pytest.mark.parametrize("workers", [0, 2])
@LOADING
def test_a_loader_goes_on_after_the_batch_that_was_given_last(ds: Dataset, workers: int) -> None:
    def loader() -> Any:
        return ds.torch(columns=["pitch"]).loader(3, seed=4, num_workers=workers)

    first, again = loader(), loader()
    whole = [read(first), read(first)]
    assert whole[0] != whole[1]  # the next epoch has another order
    assert sorted(joined(whole[0])) == ds.rows.tolist()

    started = read(again, 2)
    state = again.state_dict()
    resumed = loader()
    resumed.load_state_dict(state)
    resumed.set_epoch(0)  # as a trainer does, which knows the epoch
    assert (started + read(resumed), read(resumed)) == (whole[0], whole[1])
    assert state == {"seed": 4, "epoch": 0, "position": 6}


def test_training_goes_on_with_another_number_of_ranks(ds: Dataset) -> None:
    rows = ds.torch(columns=["pitch"])
    pair = [rows.loader(2, seed=1, rank=rank, world=2) for rank in range(2)]
    before = [read(loader, 1) for loader in pair]
    three = [rows.loader(1, seed=1, rank=rank, world=3) for rank in range(3)]
    for loader in three:
        loader.load_state_dict(pair[0].state_dict())
    after = [joined(read(loader)) for loader in three]

    turns = [row for turn in zip(*(joined(one) for one in before), strict=True) for row in turn]
    turns += [row for turn in zip(*after, strict=True) for row in turn]
    alone = joined(read(rows.loader(1, seed=1)))
    assert (pair[0].state_dict(), turns[: len(alone)]) == (pair[1].state_dict(), alone)


def test_an_iteration_that_was_left_begins_again_and_an_epoch_can_be_chosen(ds: Dataset) -> None:
    loader, other = (ds.torch(columns=["pitch"]).loader(4) for _ in range(2))
    left = read(loader, 1)
    other.set_epoch(5)

    whole = read(loader)
    assert whole[:1] == left
    assert read(other) not in (whole, read(loader))


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.long)])
@LOADING
def test_whole_batches_come_in_the_same_order_from_any_number_of_workers(ds: Dataset, workers: int) -> None:
    batches = ds.torch(columns=["pitch"]).batches(3, seed=2)
    loader = torch.utils.data.DataLoader(
        batches, batch_size=None, num_workers=workers, persistent_workers=bool(workers)
    )
    alone = list(ds.torch(columns=["pitch"]).loader(3, seed=2))

    assert (read(loader), len(batches)) == ([batch["row"].tolist() for batch in alone], len(alone))
    state = batches.state_dict(2)
    batches.set_epoch(1)
    following = read(loader)
    assert following != [batch["row"].tolist() for batch in alone]
    batches.load_state_dict(state)
    assert read(loader) == [batch["row"].tolist() for batch in alone[2:]]


@pytest.mark.parametrize("context", [pytest.param(c, marks=pytest.mark.long) for c in ("fork", "spawn", "forkserver")])
@LOADING
def test_workers_start_in_any_way(ds: Dataset, context: str) -> None:
    if sys.platform == "win32":
        pytest.skip("Windows has spawn only")
    loader = ds.torch(columns=["audio", "continuous"]).loader(4, num_workers=2, multiprocessing_context=context)

    assert sorted(joined(read(loader))) == ds.rows.tolist()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"rank": 2, "world": 2}, "rank 2 of 2: ranks go from 0 to 1"),
        ({"window": 0}, "window is a number of blocks"),
        ({"shuffle": False, "weights": "origin"}, "leave shuffle=False out"),
    ],
)
def test_what_is_no_order_is_told(ds: Dataset, wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        ds.torch().loader(**wrong)
    with pytest.raises(ConfigError, match="give this to the sampler"):
        ds.torch().loader(sampler=ds.torch().sampler(), seed=3)
    with pytest.raises(ConfigError, match="batch_size is a number of rows"):
        ds.torch().batches(0)


def test_loss_weights_are_those_that_were_measured(ds: Dataset) -> None:
    with pytest.raises(ConfigError, match=r"has no importance\. Measure it: tonesmith importance"):
        ds.torch().loss_weights()


def test_without_torch_a_sentence_says_what_to_install(ds: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tonesmith.dataset.loading.tensors", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ConfigError, match=r"pip install 'tonesmith\[torch\]'"):
        ds.torch()
