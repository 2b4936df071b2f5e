"""Rows that are rendered as training goes are those that a dataset of the same plan has."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections import Counter
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.processes import is_alive, members, wait_for

from tonesmith import generate, open_dataset, stream
from tonesmith.errors import ConfigError, DatasetError
from tonesmith.run.produce import Workbench
from tonesmith.run.stream import replayed

torch = pytest.importorskip("torch", reason="pip install 'tonesmith[torch]'")


def taken(rows: Any, count: int) -> list[Any]:
    iterator = iter(rows)
    return [next(iterator) for _ in range(count)]


@pytest.mark.parametrize("form", ["torch", pytest.param("numpy", marks=pytest.mark.long)])
def test_rows_are_those_of_the_dataset_and_the_next_pass_has_the_next_seed(chaos, tmp_path: Path, form: str) -> None:
    settings = chaos.settings(patches=6)
    paths = [tmp_path / str(seed) for seed in (5, 6)]
    for seed, path in zip((5, 6), paths, strict=True):
        generate(path, **{**settings, "seed": seed})
    stored = [open_dataset(path) for path in paths]
    columns = [column.name for column in stored[0].plan.schema]

    rows = taken(stream(paths[0], columns, form=form), 24)  # the settings of a dataset

    assert [(int(row["row"]), int(row["pass"])) for row in rows] == [(n % 12, n // 12) for n in range(24)]
    for turn, ds in enumerate(stored):
        for name in columns:
            got = np.stack([np.asarray(row[name]) for row in rows[12 * turn : 12 * turn + 12]])
            np.testing.assert_array_equal(got, ds.column(name))


def test_one_engine_serves_every_pass(chaos, monkeypatch: pytest.MonkeyPatch) -> None:
    engines: list[Workbench] = []

    def counted(*arguments: Any) -> Workbench:
        engines.append(Workbench(*arguments))
        return engines[-1]

    monkeypatch.setattr("tonesmith.run.stream.Workbench", counted)
    rows = taken(stream(None, ["pitch"], form="numpy", **chaos.settings(patches=2)), 12)

    assert {int(row["pass"]) for row in rows} == {0, 1, 2}
    assert len(engines) == 1


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.long)])
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning", "ignore:This DataLoader will create:UserWarning")
def test_workers_and_ranks_share_the_blocks_and_leave_no_engine_behind(chaos_in_processes, workers: int) -> None:
    settings = chaos_in_processes.settings(patches=400)
    seen: list[int] = []
    for rank in range(2):
        rows = stream(None, ["pitch"], rank=rank, world=2, **settings)
        loader = iter(torch.utils.data.DataLoader(rows, batch_size=8, num_workers=workers))
        seen += [row for batch in itertools.islice(loader, 4) for row in batch["row"].tolist()]
        engines = [pid for loading in active_children() for pid in members("engine", loading.pid)]
        assert len(engines) >= workers  # and perhaps a fork of one
        del loader
        wait_for(lambda: not any(map(is_alive, engines)))  # noqa: B023 - called here

    assert sorted(seen) == list(range(64))


def test_each_row_is_given_as_often_as_is_said_and_others_between() -> None:
    given = [row["row"] for row in replayed(({"row": n} for n in range(50)), 3, 8, seed=1)]
    again = [row["row"] for row in replayed(({"row": n} for n in range(50)), 3, 8, seed=1)]

    assert (set(Counter(given).values()), given) == ({3}, again)
    assert given != sorted(given)
    assert all(abs(place // 3 - row) < 60 for place, row in enumerate(given))


def test_a_transform_makes_what_is_given(chaos) -> None:
    rows = stream(None, transform=lambda row: {"peak": row["audio"].abs().max()}, replay=2, **chaos.settings(patches=4))

    first = taken(rows, 4)
    assert ([set(row) for row in first], rows.replay) == ([{"peak"}] * 4, 2)
    assert all(row["peak"] > 0 for row in first)


@pytest.mark.parametrize(
    ("wrong", "error", "told"),
    [
        ({"columns": ["sound"]}, DatasetError, "unknown column 'sound'"),
        ({"replay": 0}, ConfigError, "replay is a number of times, and at least 1"),
        ({"buffer": 0}, ConfigError, "buffer is a number of rows, and at least 1"),
        ({"rank": 2, "world": 2}, ConfigError, "ranks go from 0 to 1"),
        ({"form": "jax"}, ConfigError, "unknown format 'jax'"),
    ],
)
def test_what_is_no_stream_is_told_at_once(chaos, wrong: dict[str, Any], error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        stream(None, **wrong, **chaos.settings(patches=4))


def test_a_program_that_leaves_a_stream_open_ends_as_it_would(chaos_in_processes, tmp_path: Path) -> None:
    settings = chaos_in_processes.settings(patches=2)
    program = f"""from tonesmith import stream
rows = iter(stream(None, form="numpy", **{settings!r}))
print(next(rows)["row"])"""
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60, cwd=tmp_path
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")
